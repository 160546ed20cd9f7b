#ifndef CORE_TEXT_VOCAB_H
#define CORE_TEXT_VOCAB_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* vocab: spellings and their ids, by a hash table one way and an array the other.
 *
 * Open addressing at most half full; a slot holds 32 bits of hash, so that a spelling is looked
 * at only when it is very likely the one. Spellings are copied one behind another, each with a
 * NUL. */

enum { VOCAB_IDS = 4 << 20 }; /* ids are below this */

struct vocab_word {
    const char *bytes;
    uint32_t length;
    int32_t id; /* -1 in vocab->words where an id has no spelling */
};

struct vocab_slot {
    uint32_t hash;
    int32_t id;
};

struct vocab {
    int64_t size;             /* largest id + 1 */
    struct vocab_word *words; /* [size], by id, terminated */
    struct vocab_slot *slots; /* id -1: empty */
    uint32_t mask;
    uint32_t longest; /* bytes of the longest spelling */
};

enum vocab_rule {
    VOCAB_STRICT,  /* ids lie close together, every spelling and every id stands once */
    VOCAB_LENIENT, /* a spelling may stand twice: its first id keeps it */
    VOCAB_LAST,    /* the same, its last id */
    VOCAB_THIN,    /* ids may be thinly spread */
};

/* From `count` words in any order, whose bytes may be anywhere. `file` is for messages.
 * ERR_FORMAT for ids that are negative or too large, and for what breaks the rule. */
struct vocab *vocab_new(struct arena *arena, const struct vocab_word *words, int64_t count,
                        enum vocab_rule rule, const char *file, struct err *err);

int32_t vocab_find(const struct vocab *vocab, const char *bytes, size_t length); /* -1: none */

static inline uint64_t vocab_mix(uint64_t hash, uint64_t bits) {
    hash = (hash ^ bits) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 32;
}

/* Reads the bytes as two or more overlapping words, so that no length needs a loop over bytes.
 */
static inline uint32_t vocab_hash(const char *bytes, size_t length) {
    uint64_t hash = length * 0xff51afd7ed558ccdU, word = 0, last = 0;
    if (length >= 8) {
        for (size_t i = 0; i + 8 < length; i += 8) {
            memcpy(&word, bytes + i, 8);
            hash = vocab_mix(hash, word);
        }
        memcpy(&last, bytes + length - 8, 8);
    } else if (length >= 4) {
        memcpy(&word, bytes, 4);
        memcpy(&last, bytes + length - 4, 4);
        last |= word << 32;
    } else if (length > 0) {
        last = (unsigned char)bytes[0] | (uint64_t)(unsigned char)bytes[length / 2] << 8 |
               (uint64_t)(unsigned char)bytes[length - 1] << 16;
    }
    return (uint32_t)vocab_mix(hash, last);
}

#endif
