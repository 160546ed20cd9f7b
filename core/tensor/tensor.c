#include "core/tensor/tensor.h"

#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/checked.h"

static const struct {
    const char *name;
    int block, bytes; /* values in a block, bytes of a block */
} types[DTYPE_COUNT] = {
    [DTYPE_F32] = { "F32", 1, 4 },
    [DTYPE_F16] = { "F16", 1, 2 },
    [DTYPE_BF16] = { "BF16", 1, 2 },
    [DTYPE_F64] = { "F64", 1, 8 },
    [DTYPE_I8] = { "I8", 1, 1 },
    [DTYPE_U8] = { "U8", 1, 1 },
    [DTYPE_I16] = { "I16", 1, 2 },
    [DTYPE_I32] = { "I32", 1, 4 },
    [DTYPE_I64] = { "I64", 1, 8 },
    [DTYPE_BOOL] = { "BOOL", 1, 1 },
    [DTYPE_Q4_0] = { "Q4_0", 32, 18 },
    [DTYPE_Q4_1] = { "Q4_1", 32, 20 },
    [DTYPE_Q5_0] = { "Q5_0", 32, 22 },
    [DTYPE_Q5_1] = { "Q5_1", 32, 24 },
    [DTYPE_Q8_0] = { "Q8_0", 32, 34 },
    [DTYPE_U16] = { "U16", 1, 2 },
    [DTYPE_U32] = { "U32", 1, 4 },
    [DTYPE_U64] = { "U64", 1, 8 },
    [DTYPE_Q2_K] = { "Q2_K", 256, 84 },
    [DTYPE_Q3_K] = { "Q3_K", 256, 110 },
    [DTYPE_Q4_K] = { "Q4_K", 256, 144 },
    [DTYPE_Q5_K] = { "Q5_K", 256, 176 },
    [DTYPE_Q6_K] = { "Q6_K", 256, 210 },
    [DTYPE_IQ4_NL] = { "IQ4_NL", 32, 18 },
    [DTYPE_IQ4_XS] = { "IQ4_XS", 256, 136 },
};

const char *dtype_name(enum dtype dtype) {
    return types[dtype].name;
}

int64_t dtype_block(enum dtype dtype) {
    return types[dtype].block;
}

int64_t dtype_block_bytes(enum dtype dtype) {
    return types[dtype].bytes;
}

int64_t dtype_row_bytes(enum dtype dtype, int64_t n) {
    int64_t bytes;
    if (n < 0 || n % types[dtype].block != 0 ||
        !ck_mul(n / types[dtype].block, types[dtype].bytes, &bytes)) {
        return -1;
    }
    return bytes;
}

/* A tensor without room for its numbers; returns how many there are. */
static int64_t shape_set(struct tensor *tensor, enum dtype dtype, int rank,
                         const int64_t *shape) {
    int64_t count;
    tensor->dtype = dtype;
    tensor->rank = rank;
    if (rank > 0) { /* one number may come without a shape */
        memcpy(tensor->shape, shape, (size_t)rank * sizeof *shape);
    }
    if (!ck_product(shape, rank, &count)) {
        char text[100];
        catch_throw(ERR_MEMORY, "a tensor of shape %s is more than any machine can hold",
                    tensor_shape_text(tensor, text));
    }
    return count;
}

struct tensor *tensor_new_of(struct arena *arena, enum dtype dtype, int rank,
                             const int64_t *shape) {
    struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
    int64_t count = shape_set(tensor, dtype, rank, shape);
    tensor->bytes = arena_array(arena, count, (size_t)dtype_block_bytes(dtype));
    return tensor;
}

struct tensor *tensor_new(struct arena *arena, int rank, const int64_t *shape) {
    return tensor_new_of(arena, DTYPE_F32, rank, shape);
}

struct tensor *tensor_raw(struct arena *arena, int rank, const int64_t *shape) {
    struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
    int64_t count = shape_set(tensor, DTYPE_F32, rank, shape), bytes;
    if (!ck_mul(count, sizeof(float), &bytes)) {
        catch_throw(ERR_MEMORY, "a tensor of %lld numbers is more than any machine can hold",
                    (long long)count);
    }
    tensor->bytes = arena_raw(arena, (size_t)bytes);
    return tensor;
}

int64_t tensor_count(const struct tensor *tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        count *= tensor->shape[i];
    }
    return count;
}

int64_t tensor_bytes(const struct tensor *tensor) {
    return tensor_count(tensor) / dtype_block(tensor->dtype) * dtype_block_bytes(tensor->dtype);
}

const char *tensor_shape_text(const struct tensor *tensor, char out[100]) {
    size_t used = 0;
    used += (size_t)snprintf(out, 100, "[");
    for (int i = 0; i < tensor->rank && used < 76;
         i++) { /* a size needs 21 characters at most */
        used += (size_t)snprintf(out + used, 100 - used, "%s%lld", i ? ", " : "",
                                 (long long)tensor->shape[i]);
    }
    snprintf(out + used, 100 - used, "]");
    return out;
}
