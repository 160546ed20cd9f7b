#ifndef CORE_TEXT_DECODE_H
#define CORE_TEXT_DECODE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/jsontree.h"

/* decode: spellings of tokens joined to text again.
 *
 * Types known: WordPiece, ByteLevel; without a decoder blanks are put between the spellings. */

struct decoder;

/* From the "decoder" section; NULL without an error if it is null or absent. */
struct decoder *decode_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err);

/* ByteLevel, for GGUF. */
struct decoder *decode_bytes(struct arena *arena);

/* Adds the text of one token after the other; decode_end must follow the last one. */
struct decode {
    const struct decoder *decoder; /* NULL: none */
    struct buf *out;
    int64_t count; /* tokens so far */
};
void decode_add(struct decode *decode, const char *spelling, size_t length);
void decode_end(struct arena *arena, struct decode *decode);

/* Adds the bytes that a spelling of the byte alphabet stands for; false, and nothing added, if
 * it is not spelled in that alphabet. */
bool decode_letters(struct buf *out, const char *spelling, size_t length);

#endif
