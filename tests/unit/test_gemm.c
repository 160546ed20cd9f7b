#include "tests/check.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/gemm.h"
#include "core/tensor/op.h"
#include "core/tensor/quant.h"

static float number(uint32_t i) {
    return (float)((i + 1) * 2654435761U >> 9 & 0xffff) / 32768.0F - 1.0F;
}

static struct tensor *numbers(struct arena *arena, int64_t rows, int64_t columns,
                              uint32_t seed) {
    struct tensor *tensor = tensor_new(arena, 2, (int64_t[]){ rows, columns });
    for (int64_t i = 0; i < rows * columns; i++) {
        tensor->data[i] = number((uint32_t)i + seed);
    }
    return tensor;
}

/* Weights of any type, from bytes; the scales of blocks are small halves. */
static struct tensor *weights_of(struct arena *arena, enum dtype dtype, int64_t rows,
                                 int64_t columns) {
    struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
    *tensor = (struct tensor){ .dtype = dtype, .rank = 2, .shape = { rows, columns } };
    int64_t bytes = rows * dtype_row_bytes(dtype, columns), block = dtype_block_bytes(dtype);
    unsigned char *data = tensor->bytes = arena_alloc(arena, (size_t)bytes);
    for (int64_t i = 0; i < bytes; i++) {
        data[i] = (unsigned char)(i * 89 + i / 13);
    }
    for (int64_t i = 0; i < bytes; i += block) {
        for (int64_t j = 1; j < block && j < 4; j += 2) {
            data[i + j] =
                (unsigned char)(0x2c + (data[i + j] & 0x83)); /* |x| below 1/4, a sign */
        }
    }
    for (int64_t i = 0; block == 4 && i < rows * columns; i++) {
        tensor->data[i] = number((uint32_t)i + 77);
    }
    return tensor;
}

static struct tape *tape_of(struct arena *arena) {
    return tape_new(arena, 0);
}

/* [1 2; 3 4] [1 0; 2 1]^T + (10, 20) = [11 24; 13 30] */
TEST(gemm_by_hand) {
    struct arena *arena = check_arena();
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ 2, 2 });
    struct tensor *w = tensor_new(arena, 2, (int64_t[]){ 2, 2 });
    memcpy(x->data, (float[]){ 1, 2, 3, 4 }, 4 * sizeof(float));
    memcpy(w->data, (float[]){ 1, 0, 2, 1 }, 4 * sizeof(float));
    struct simd_finish finish = { .bias = (float[]){ 10, 20 } };
    struct tensor *y = op_linear(tape_of(arena), x, w, &finish, NULL);
    check(y->rank == 2 && y->shape[0] == 2 && y->shape[1] == 2);
    check(y->data[0] == 11 && y->data[1] == 24 && y->data[2] == 13 && y->data[3] == 30);
}

/* Each output against the sum in double of the weights as quant_row reads them. */
static void check_products(struct arena *arena, enum dtype dtype, int64_t m, int64_t n,
                           int64_t k) {
    struct tensor *x = numbers(arena, m, k, 5), *w = weights_of(arena, dtype, n, k);
    struct tensor *y = op_linear(tape_of(arena), x, w, NULL, NULL);
    float *row = arena_array(arena, k, sizeof *row);
    int64_t row_bytes = dtype_row_bytes(dtype, k);
    double worst = 0;
    for (int64_t c = 0; c < n; c++) {
        quant_row(dtype, (const char *)w->bytes + c * row_bytes, 0, k, row);
        for (int64_t r = 0; r < m; r++) {
            double sum = 0, size = 1e-30;
            for (int64_t i = 0; i < k; i++) {
                double product = (double)x->data[r * k + i] * (double)row[i];
                sum += product;
                size += fabs(product);
            }
            double off = fabs((double)y->data[r * n + c] - sum) / size;
            worst = off > worst ? off : worst;
        }
    }
    check_near(worst, 0, 2e-6);
}

TEST(gemm_equals_dequantised_weights_multiplied) {
    int types = 0;
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        if (gemm_reads((enum dtype)dtype)) {
            types++;
            check_products(check_arena(), (enum dtype)dtype, 17, 70, 96);
            check_products(check_arena(), (enum dtype)dtype, 1, 5, 32);
            check_products(check_arena(), (enum dtype)dtype, 3, 33, 1408); /* depth in parts */
        }
    }
    check_int(types, 8);
    check_products(check_arena(), DTYPE_F32, 5, 9, 7);
    check_products(check_arena(), DTYPE_F16, 2, 40, 43);
    check_products(check_arena(), DTYPE_BF16, 13, 3, 650);
}

TEST(gemm_reads_weights_only) {
    check(!gemm_reads(DTYPE_I64) && !gemm_reads(DTYPE_BOOL) && !gemm_reads(DTYPE_F64));
}

TEST(gemm_finishes_as_asked) {
    struct arena *arena = check_arena();
    struct tensor *x = numbers(arena, 3, 40, 1), *w = numbers(arena, 50, 40, 2);
    struct tensor *factor = numbers(arena, 3, 50, 3), *residual = numbers(arena, 3, 50, 4);
    struct tensor *plain = op_linear(tape_of(arena), x, w, NULL, NULL);
    struct simd_finish finish = { .act = SIMD_RELU,
                                  .factor = factor->data,
                                  .residual = residual->data };
    struct tensor *y = op_linear(tape_of(arena), x, w, &finish, NULL);
    for (int i = 0; i < 150; i++) {
        float relu = plain->data[i] > 0 ? plain->data[i] : 0;
        check(y->data[i] == relu * factor->data[i] + residual->data[i]);
    }
}

TEST(gemm_writes_where_it_is_told) {
    struct arena *arena = check_arena();
    struct tensor *x = numbers(arena, 2, 8, 1), *w = numbers(arena, 3, 8, 2);
    struct tensor *out = tensor_new(arena, 2, (int64_t[]){ 2, 3 });
    check(op_linear(tape_of(arena), x, w, NULL, out) == out);
    check(out->data[5] != 0);
}

TEST(gemm_gives_the_same_bytes_with_any_threads_and_rows) {
    struct arena *arena = check_arena();
    int before = pool_threads();
    struct tensor *x = numbers(arena, 37, 700, 8);
    struct tensor *w = weights_of(arena, DTYPE_Q4_1, 130, 704);
    x->shape[1] = 704;
    x->shape[0] = 36; /* the numbers as 36 rows of 704 */
    size_t bytes = 36 * 130 * sizeof(float);
    pool_set_threads(1);
    struct tensor *one = op_linear(tape_of(arena), x, w, NULL, NULL);
    for (int threads = 2; threads <= 8; threads++) {
        pool_set_threads(threads);
        struct tensor *many = op_linear(tape_of(arena), x, w, NULL, NULL);
        check(memcmp(one->data, many->data, bytes) == 0);
    }
    for (int64_t rows = 1; rows < 36; rows += 5) {
        struct tensor part = *x;
        part.shape[0] = rows;
        struct tensor *few = op_linear(tape_of(arena), &part, w, NULL, NULL);
        check(memcmp(one->data, few->data, (size_t)rows * 130 * sizeof(float)) == 0);
    }
    pool_set_threads(before);
}
