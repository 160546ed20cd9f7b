#ifndef CORE_TEXT_WORDS_H
#define CORE_TEXT_WORDS_H

#include "core/text/tokenizer.h"

/* words: which tokens belong to one word of the text.
 *
 * A word is a run of letters, marks and digits (with inner ' ’ - . between letters or digits),
 * as people read it; each Han, Hiragana or Katakana character is a word of its own, and so is
 * each punctuation mark or symbol (an emoji with its modifiers and joiners is one). Blanks
 * belong to no word. A token belongs to the word that holds its first byte that is no blank;
 * tokens that share a character (bytes of one emoji) go together, and a token that reaches into
 * the next words makes them one. A token of one blank right before a word, or put in front of
 * it, goes with it. Added tokens, special or not, are words of their own, and so are other
 * tokens of nothing but blanks and tokens of the second text of a pair. Time: n log n. */

struct words {
    int64_t count;
    int64_t *begin, *end; /* [count] tokens of each word: begin <= t < end */
    const char *
        *labels; /* [count] the text of the word; an added token's spelling; never empty */
    int64_t *of; /* [tokens] the word of each token */
};

struct words *words_of(struct arena *arena, const struct tokenizer *tokenizer,
                       const struct encoding *encoding, const char *text, size_t length);

#endif
