#ifndef CORE_TEXT_DECODE_H
#define CORE_TEXT_DECODE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/jsontree.h"

/* decode: spellings of tokens joined to text again.
 *
 * Types known: BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, Replace, Strip,
 * WordPiece and Sequence of them; without a decoder blanks are put between the spellings. */

struct decoder;

/* From the "decoder" section; NULL without an error if it is null or absent. */
struct decoder *decode_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err);

/* ByteLevel, for GGUF. */
struct decoder *decode_bytes(struct arena *arena);

struct decode_text {
    const char *bytes;
    size_t length;
};

/* The text of the spellings, terminated. It is UTF-8: bytes that make no character become
 * U+FFFD. */
struct buf *decode_join(struct arena *arena, const struct decoder *decoder,
                        const struct decode_text *spellings, int64_t n);

/* Adds the bytes that a spelling of the byte alphabet stands for; false, and nothing added, if
 * it is not spelled in that alphabet. */
bool decode_letters(struct buf *out, const char *spelling, size_t length);

/* The bytes that one spelling stands for whatever its neighbours: with blanks where the decoder
 * (NULL: none) makes blanks of a mark such as U+2581, and the byte of "<0x41>" where it reads
 * such bytes. */
struct decode_text decode_alone(struct arena *arena, const struct decoder *decoder,
                                struct decode_text spelling);

#endif
