#ifndef CORE_MODEL_GGUF_H
#define CORE_MODEL_GGUF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/file.h"
#include "core/tensor/tensor.h"

/* gguf: a GGUF file's tensor table and its metadata (versions 2 and 3, little endian). Metadata
 * are reached by typed getters only: asking a float array of an integer array gives "not
 * there", never a cast; gguf_kind then says what is there.
 *
 * Source: github.com/ggml-org/ggml, docs/gguf.md. Stricter than it: a key or tensor once only,
 * no array of arrays, keys and tensor names printable and at most 255 bytes, strings at most 64
 * MB, general.alignment a power of two from 8 to 65,536, no dimension of size 0, tensors do not
 * overlap. */

struct gguf;

/* Reads and validates header, metadata and the tensor table. Tensors' data point into the map.
 * NULL with ERR_FORMAT (file, byte, key or tensor, value seen) or ERR_UNSUPPORTED (version 1,
 * big endian, unknown number types, one part of a split model). */
struct gguf *gguf_read(struct arena *arena, const struct file *file, struct tensor **tensors,
                       int64_t *count, struct err *err);

/* Each returns true and the value if the key is there with that kind. Integers of any width and
 * sign that fit are taken. */
bool gguf_int(const struct gguf *gguf, const char *key, int64_t *value);
bool gguf_float(const struct gguf *gguf, const char *key, double *value);
bool gguf_bool(const struct gguf *gguf, const char *key, bool *value);
/* "u32", "string", "array" ...; NULL if there is no such key. For messages. */
const char *gguf_kind(const struct gguf *gguf, const char *key);
/* Not terminated; lies in the map. */
bool gguf_string(const struct gguf *gguf, const char *key, const char **bytes, int64_t *length);

/* Arrays. The string at index i of an array of strings is reached through a cursor, in order.
 */
bool gguf_array_floats(const struct gguf *gguf, const char *key, const void **floats,
                       int64_t *n); /* F32, unaligned */
bool gguf_array_ints(const struct gguf *gguf, const char *key, const void **int32s,
                     int64_t *n); /* I32/U32, unaligned */
bool gguf_array_bools(const struct gguf *gguf, const char *key, const unsigned char **flags,
                      int64_t *n); /* a byte each, 0 or 1 */
bool gguf_array_bytes(const struct gguf *gguf, const char *key, const void **bytes,
                      int64_t *n); /* U8 or I8 */
struct gguf_strings {
    const unsigned char *at; /* next string's length */
    int64_t left;
};
bool gguf_array_strings(const struct gguf *gguf, const char *key, struct gguf_strings *strings,
                        int64_t *n);
bool gguf_next(struct gguf_strings *strings, const char **bytes, int64_t *length);

/* The tokenizer that the metadata describe (core/model/gguf_tokenizer.c); NULL without an error
 * if there is none. */
struct tokenizer;
struct tokenizer *gguf_tokenizer(struct arena *arena, const struct gguf *gguf, const char *file,
                                 struct err *err);

#endif
