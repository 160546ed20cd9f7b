#ifndef CORE_TEXT_WORDPIECE_H
#define CORE_TEXT_WORDPIECE_H

#include <stdbool.h>

#include "core/text/symbols.h"
#include "core/text/vocab.h"

/* wordpiece: a word as the longest known piece, then the longest known continuation, and so on.
 * If any part is unknown, or the word has too many characters, the whole word is the unknown
 * token. Source: Wu et al. 2016, arXiv:1609.08144, as BERT's tokenizer applies it. Time:
 * characters of the word times characters of the longest piece. */

struct wordpiece {
    const struct vocab *vocab;
    const char *prefix; /* of a continuation: "##" */
    int32_t unknown;    /* -1: none */
    int64_t most;       /* characters of a word that is tried at all */
};

/* False if the word is unknown and there is no unknown token. */
bool wordpiece_split(const struct wordpiece *model, struct symbols *out, const char *word,
                     int64_t length);

#endif
