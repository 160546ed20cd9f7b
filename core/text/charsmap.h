#ifndef CORE_TEXT_CHARSMAP_H
#define CORE_TEXT_CHARSMAP_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* charsmap: SentencePiece's table of what becomes what ("\uff21" -> "A"), as tokenizer.json
 * carries it: base64 of a length, a double-array trie of 32-bit units, and the replacements,
 * each ended by a NUL.
 *
 * The table comes from a file: every step is checked to lie within the trie, every replacement
 * to be whole characters. What leads nowhere is no replacement.
 *
 * Source: github.com/google/sentencepiece, normalizer.cc; the trie is darts-clone's. */

struct charsmap {
    const uint32_t *units;
    int64_t count;
    const char *texts; /* UTF-8 */
    int64_t length;
};

/* From base64. NULL with ERR_FORMAT if it is none, or its lengths do not fit. */
struct charsmap *charsmap_read(struct arena *arena, const char *base64, size_t length,
                               const char *file, struct err *err);

/* The same from the bytes themselves (GGUF). */
struct charsmap *charsmap_of(struct arena *arena, const void *bytes, size_t size,
                             const char *file, struct err *err);

/* Bytes of the longest replacement. */
int64_t charsmap_longest(const struct charsmap *map);

/* What the bytes become: the replacement of the shortest part at their beginning that has one,
 * as the tokenizers library takes it. NULL if there is none. */
const char *charsmap_at(const struct charsmap *map, const char *bytes, size_t length,
                        int64_t *to_length);

#endif
