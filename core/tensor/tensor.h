#ifndef CORE_TENSOR_TENSOR_H
#define CORE_TENSOR_TENSOR_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* tensor: a block of numbers with a type and a shape, row-major, outermost dimension first.
 *
 * Its data lives in an arena, or is borrowed from a mapped file (weights: in the file's own
 * type, read-only). Block-quantised types hold 32 values a block along the last dimension (the
 * K types and IQ4_XS 256). */

enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F64,
    DTYPE_I8,
    DTYPE_U8,
    DTYPE_I16,
    DTYPE_I32,
    DTYPE_I64,
    DTYPE_BOOL,
    DTYPE_Q4_0,
    DTYPE_Q4_1,
    DTYPE_Q5_0,
    DTYPE_Q5_1,
    DTYPE_Q8_0,
    DTYPE_U16,
    DTYPE_U32,
    DTYPE_U64,
    DTYPE_Q2_K,
    DTYPE_Q3_K,
    DTYPE_Q4_K,
    DTYPE_Q5_K,
    DTYPE_Q6_K,
    DTYPE_IQ4_NL,
    DTYPE_IQ4_XS,
    DTYPE_COUNT
};

enum { TENSOR_RANK = 5 };

struct tensor {
    enum dtype dtype;
    int rank; /* 0..5; 0 is one number */
    int64_t shape[TENSOR_RANK];
    union {
        void *bytes;
        float *data;   /* when dtype is DTYPE_F32 */
        int64_t *ints; /* when dtype is DTYPE_I64 */
    };
    const char *name; /* in its file; NULL for what was computed */
};

/* A zeroed float tensor in the arena. The shape is copied. */
struct tensor *tensor_new(struct arena *arena, int rank, const int64_t *shape);
/* The same, its numbers not set. */
struct tensor *tensor_raw(struct arena *arena, int rank, const int64_t *shape);
/* Zeroed, of any type that is not block-quantised. */
struct tensor *tensor_new_of(struct arena *arena, enum dtype dtype, int rank,
                             const int64_t *shape);

int64_t tensor_count(const struct tensor *tensor); /* elements */
int64_t tensor_bytes(const struct tensor *tensor); /* bytes of its data */

/* "F32", "Q4_1" ...: as the formats spell them. */
const char *dtype_name(enum dtype dtype);
/* Values in a block and bytes of a block: 1 and the element's size for plain types. */
int64_t dtype_block(enum dtype dtype);
int64_t dtype_block_bytes(enum dtype dtype);
/* Bytes of a row of n values; -1 if n is no whole number of blocks or the size overflows. */
int64_t dtype_row_bytes(enum dtype dtype, int64_t n);

/* "[6, 12, 16, 16]" into out; returns out. For messages. */
const char *tensor_shape_text(const struct tensor *tensor, char out[100]);

#endif
