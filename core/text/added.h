#ifndef CORE_TEXT_ADDED_H
#define CORE_TEXT_ADDED_H

#include "core/text/normalize.h"
#include "core/text/vocab.h"

/* added: tokens that are looked for in the text before anything else ("[MASK]",
 * "<|im_start|>").
 *
 * The leftmost one counts, of those that begin at one place the longest. Some are looked for in
 * the text as it is, others (`normalized`) in what the normalizer left of it. A long one that
 * nearly begins everywhere ends the search with ERR_TEXT: it takes at most 500 steps a byte. */

struct added_token {
    const char *bytes; /* terminated */
    size_t length;
    int32_t id;
    bool special;        /* left out when decoding without special tokens */
    bool single_word;    /* only where no word character touches it */
    bool lstrip, rstrip; /* takes the blanks before, behind it */
    bool normalized;
};

struct added_node {
    int32_t child, sibling; /* 0: none */
    int32_t token;          /* index; -1: none ends here */
    unsigned char byte;
};

struct added_trie {
    struct added_node *nodes;
    int32_t count;
    int32_t first[256]; /* node of each first byte, 0: none */
};

struct added {
    struct added_token *tokens;
    struct run *spelled; /* [count] as they are looked for: normalised where they say so */
    int64_t count;
    struct added_trie plain, normalized;
};

/* A part of a run: text, or one token. */
struct added_part {
    int64_t begin, end;
    const struct added_token *token; /* NULL: text */
};

/* Builds the tries over tokens[count], which it keeps. */
struct added *added_new(struct arena *arena, struct added_token *tokens, int64_t count,
                        const struct normalizer *normalizer);

/* The next part at *at, which moves behind it; false at the end. */
struct added_walk {
    const struct added *added;
    const struct added_trie *trie;
    const char *text;
    int64_t length;
    int64_t at;                /* where the search goes on */
    int64_t steps;             /* of the search so far */
    int64_t given;             /* the end of what was given out */
    int64_t blank, blanks_end; /* a run of blanks that a token took behind it */
    struct added_part held;    /* a token that waits until the text before it is out */
};
void added_begin(struct added_walk *walk, const struct added *added, bool normalized,
                 const char *text, int64_t length);
bool added_next(struct added_walk *walk, struct added_part *part);

#endif
