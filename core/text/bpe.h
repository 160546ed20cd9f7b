#ifndef CORE_TEXT_BPE_H
#define CORE_TEXT_BPE_H

#include <stdbool.h>

#include "core/text/symbols.h"
#include "core/text/vocab.h"

/* bpe: a piece as characters (or bytes), of which the best-ranked neighbours are joined,
 * leftmost first, until no pair is left that has a rank.
 *
 * Source: Sennrich, Haddow and Birch 2016, arXiv:1508.07909; over bytes: Radford et al. 2019.
 * Time: n^2 for up to 32 symbols (a scan of a few cache lines), n log n by a heap beyond. */

enum { BPE_DROP = -1, BPE_LACKS = -2 }; /* for `unknown` */

struct bpe_pair {
    int32_t left, right; /* ids; left -1: an empty slot */
    int32_t rank, joined;
};

struct bpe {
    const struct vocab *vocab;
    struct bpe_pair *pairs; /* open addressing, at most half full */
    uint32_t mask;
    int32_t
        bytes[256];  /* ids of the byte alphabet, or of "<0x41>" for byte_fallback; -1: none */
    bool byte_level; /* pieces are raw bytes, each with a letter in the vocabulary */
    bool byte_fallback;   /* an unknown character becomes its bytes */
    bool ignore_merges;   /* a piece that is in the vocabulary is one token */
    bool fuse_unknown;    /* neighbours that are unknown become one token */
    int32_t unknown;      /* BPE_DROP: unknown characters are left out */
    const int32_t *ranks; /* by id: what is next to each other and together such a token is
                             joined, the least rank first, whatever it is made of (as
                             SentencePiece does); INT32_MAX: never. NULL: by pairs */
    const char *prefix;   /* before every symbol but the first; "" mostly */
    const char *suffix;   /* behind the last one */
};

/* The code point that stands for a byte in the byte alphabet, and back (-1: none). */
uint32_t bpe_letter(unsigned char byte);
int bpe_byte(uint32_t letter);

/* Makes room for `count` pairs. */
void bpe_reserve(struct arena *arena, struct bpe *bpe, int64_t count);

/* Adds a merge, whose result must be in the vocabulary. Returns -1 with ERR_FORMAT otherwise.
 */
int bpe_add(struct bpe *bpe, const struct vocab_word *left, const struct vocab_word *right,
            int32_t rank, char *spelled, const char *file, struct err *err);

/* Fills bytes[], once vocab and byte_level are set. */
void bpe_bytes(struct bpe *bpe);

/* False if a character is unknown and `unknown` is BPE_LACKS. */
bool bpe_split(const struct bpe *bpe, struct symbols *out, const char *piece, int64_t length);

/* Whether it may be asked for the parts of a piece one by one, cut before every U+2581 that
 * follows another character: no token reaches across, and what is unknown leaves no trace in
 * what follows. Then long texts are many short pieces. */
bool bpe_parts_at_marks(const struct bpe *bpe);

#endif
