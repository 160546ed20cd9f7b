#ifndef CORE_TEXT_UNIGRAM_H
#define CORE_TEXT_UNIGRAM_H

#include <stdbool.h>

#include "core/text/symbols.h"
#include "core/text/vocab.h"

/* unigram: a piece as those tokens whose scores (logarithms of their frequencies) have the
 * largest sum.
 *
 * The best way to every place is built from the best ways to the places before it (Viterbi); of
 * two equally good ones the first found stays. A character that is no token costs 10 more than
 * the rarest token; neighbours of that kind become one unknown token, or their bytes.
 *
 * Source: Kudo 2018, arXiv:1804.10959. Time: bytes of the piece times bytes of the longest
 * token that begins there, with ERR_TEXT where that takes more than 500 steps a byte; memory:
 * 16 bytes a byte of the piece, given back. */

/* A node of the trie of all spellings. */
struct unigram_node {
    int32_t child;      /* the first one; the others lie behind it, in order of their bytes */
    int32_t token;      /* that ends here, -1: none */
    int16_t children;   /* how many */
    unsigned char byte; /* that leads here */
};

struct unigram {
    const struct vocab *vocab;
    const double *scores; /* [vocab->size] by id */
    double unknown_score;
    int32_t unknown; /* -1: none */
    bool byte_fallback;
    int32_t bytes[256];         /* ids of "<0x41>"; -1: none */
    struct unigram_node *nodes; /* the root is the first */
    int32_t first[256];         /* the root's children by byte, 0: none */
};

/* Builds the trie and the rest, once vocab, scores, unknown and byte_fallback are set. Tokens
 * for which `ignored` (may be NULL) is true by id are never found. */
void unigram_build(struct arena *arena, struct unigram *unigram, const bool *ignored);

/* False if a character is unknown and there is no unknown token. */
bool unigram_split(const struct unigram *unigram, struct symbols *out, const char *piece,
                   int64_t length);

#endif
