#include "tests/check.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/gemm.h"
#include "core/tensor/op.h"
#include "core/tensor/quant.h"
#include "tests/looks.h"

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

/* Weights of any type, from bytes; halves stay below 2, so that sums can be compared. */
static struct tensor *weights_of(struct arena *arena, enum dtype dtype, int64_t rows,
                                 int64_t columns) {
    struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
    *tensor = (struct tensor){ .dtype = dtype, .rank = 2, .shape = { rows, columns } };
    int64_t bytes = rows * dtype_row_bytes(dtype, columns), block = dtype_block_bytes(dtype);
    unsigned char *data = tensor->bytes = arena_alloc(arena, (size_t)bytes);
    for (int64_t i = 0; i < bytes; i++) {
        data[i] = (unsigned char)(i * 89 + i / 13);
    }
    for (int64_t i = 0; block != 4 && i < bytes; i++) {
        data[i] &= i % block % 2 ? 0xbf : 0xff; /* the exponent's upper bit */
    }
    for (int64_t i = 0; block == 4 && i < rows * columns; i++) {
        tensor->data[i] = number((uint32_t)i + 77);
    }
    return tensor;
}

static struct tape *tape_of(struct arena *arena) {
    return tape_new(arena, 0);
}

static struct tensor *linear(struct arena *arena, const struct tensor *x,
                             const struct tensor *w, const struct op_finish *finish,
                             struct tensor *out) {
    return op_linear(tape_of(arena), x, &(struct op_dense){ .weight = w }, finish, out);
}

/* [1 2; 3 4] [1 0; 2 1]^T + (10, 20) = [11 24; 13 30] */
TEST(gemm_by_hand) {
    struct arena *arena = check_arena();
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ 2, 2 });
    struct tensor *w = tensor_new(arena, 2, (int64_t[]){ 2, 2 });
    memcpy(x->data, (float[]){ 1, 2, 3, 4 }, 4 * sizeof(float));
    memcpy(w->data, (float[]){ 1, 0, 2, 1 }, 4 * sizeof(float));
    struct tensor *bias = tensor_new(arena, 1, (int64_t[]){ 2 });
    memcpy(bias->data, (float[]){ 10, 20 }, 2 * sizeof(float));
    struct op_dense dense = { .weight = w, .bias = bias };
    struct tensor *y = op_linear(tape_of(arena), x, &dense, NULL, NULL);
    check(y->rank == 2 && y->shape[0] == 2 && y->shape[1] == 2);
    check(y->data[0] == 11 && y->data[1] == 24 && y->data[2] == 13 && y->data[3] == 30);
}

struct layout {
    bool across, turned, add;
};

/* W as floats in the order [N, K], whatever its type and layout. */
static float *plain_weights(struct arena *arena, const struct gemm *g) {
    float *plain = arena_array(arena, g->n * g->k, sizeof *plain);
    int64_t rows = g->across ? g->k : g->n, columns = g->across ? g->n : g->k;
    float *row = arena_array(arena, columns, sizeof *row);
    for (int64_t r = 0; r < rows; r++) {
        const char *at = g->w->bytes;
        quant_row(g->w->dtype, at + r * dtype_row_bytes(g->w->dtype, columns), 0, columns, row);
        for (int64_t c = 0; c < columns; c++) {
            plain[g->across ? c * g->k + r : r * g->k + c] = row[c];
        }
    }
    return plain;
}

/* The greatest distance of an output from the sum in double, beside the sum of the terms'
 * sizes. y held `before` everywhere. */
static double distance(struct arena *arena, const struct gemm *g, double before) {
    const float *w = plain_weights(arena, g);
    int64_t step = g->x_step ? g->x_step : 1;
    double worst = 0;
    for (int64_t r = 0; r < g->m; r++) {
        for (int64_t c = 0; c < g->n; c++) {
            double sum = before, size = before + 1e-30;
            for (int64_t i = 0; i < g->k; i++) {
                double product =
                    (double)g->x[r * g->x_stride + i * step] * (double)w[c * g->k + i];
                sum += product;
                size += fabs(product);
            }
            double off = fabs((double)g->y[r * g->y_stride + c] - sum) / size;
            worst = off > worst || off != off ? off : worst;
        }
    }
    return worst;
}

/* A product of random numbers in any layout; y's rows are two floats longer than need be. */
static struct gemm product_of(struct arena *arena, enum dtype dtype, int64_t m, int64_t n,
                              int64_t k, struct layout layout) {
    struct gemm g = { .m = m, .n = n, .k = k, .y_stride = n + 2, .across = layout.across };
    struct tensor *x = layout.turned ? numbers(arena, k, m, 5) : numbers(arena, m, k, 5);
    g.x = x->data;
    g.x_stride = layout.turned ? 1 : k;
    g.x_step = layout.turned ? m : 0;
    g.w = layout.across ? weights_of(arena, dtype, k, n) : weights_of(arena, dtype, n, k);
    g.add = layout.add;
    g.y = tensor_new(arena, 2, (int64_t[]){ m, n + 2 })->data;
    for (int64_t i = 0; i < m * (n + 2); i++) {
        g.y[i] = 3;
    }
    return g;
}

static void product_run(struct arena *arena, const struct gemm *g) {
    struct tape *tape = tape_of(arena);
    gemm_run(g, tape->room, tape->each);
}

static void check_products(enum dtype dtype, int64_t m, int64_t n, int64_t k) {
    for (int i = 0; i < 8; i++) {
        struct layout layout = { .across = i & 1, .turned = i & 2, .add = i & 4 };
        if ((layout.across ? n : k) % dtype_block(dtype) != 0) {
            continue; /* rows are whole blocks */
        }
        struct arena *arena = check_arena();
        struct gemm g = product_of(arena, dtype, m, n, k, layout);
        product_run(arena, &g);
        check_near(distance(arena, &g, layout.add ? 3 : 0), 0, 3e-6);
        for (int64_t r = 0; r < m; r++) { /* what lies between the rows is left alone */
            check(g.y[r * g.y_stride + n] == 3 && g.y[r * g.y_stride + n + 1] == 3);
        }
    }
}

TEST(gemm_equals_dequantised_weights_multiplied) {
    int types = 0;
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        if (gemm_reads((enum dtype)dtype)) {
            types++;
            check_products((enum dtype)dtype, 17, 70, 768);
            check_products((enum dtype)dtype, 31, 256, 33);
            check_products((enum dtype)dtype, 1, 512, 256);
            check_products((enum dtype)dtype, 3, 33, 1536); /* depth in parts */
        }
    }
    check_int(types, 16);
}

/* One row of x goes its own way where W is quantised: 45 rows of W end within a strip. */
TEST(gemm_gives_one_row_the_bytes_it_has_among_many) {
    enum { N = 45, K = 512, ROWS = 3 };
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        for (int add = 0; add < 2 && gemm_reads((enum dtype)dtype); add++) {
            struct arena *arena = check_arena();
            struct layout layout = { .add = add };
            struct gemm many = product_of(arena, (enum dtype)dtype, ROWS, N, K, layout);
            product_run(arena, &many);
            struct gemm one = many;
            float y[N + 2];
            for (int i = 0; i < N + 2; i++) {
                y[i] = 3;
            }
            one.m = 1;
            one.y = y;
            product_run(arena, &one);
            check(memcmp(one.y, many.y, sizeof y) == 0);
        }
    }
}

TEST(gemm_takes_any_shape) {
    static const int64_t sizes[] = { 1, 3, 31, 33, 640, 641, 1300 };
    for (int i = 0; i < 7; i++) {
        check_products(DTYPE_F32, sizes[i], 33, 3);
        check_products(DTYPE_F32, 3, sizes[i], 31);
        check_products(DTYPE_F32, 31, 3, sizes[i]);
        check_products(DTYPE_F16, 3, 31, sizes[i]);
        check_products(DTYPE_BF16, 3, 31, sizes[i]);
        check_products(DTYPE_F64, 3, 31, sizes[i]);
    }
    check_products(DTYPE_F32, 45, 100, 800); /* panels copied by one tile, in two depths */
}

/* The keys of one head among those of all: rows of 40 in rows of 100. */
TEST(gemm_reads_rows_that_lie_apart) {
    struct arena *arena = check_arena();
    for (int across = 0; across < 2; across++) {
        struct gemm g =
            product_of(arena, DTYPE_F32, 9, 40, 40, (struct layout){ .across = across });
        struct tensor wide = *numbers(arena, 40, 100, 3);
        product_run(arena, &g);
        for (int64_t i = 0; i < 1600; i++) {
            wide.data[i / 40 * 100 + 7 + i % 40] = g.w->data[i];
        }
        struct gemm apart = g;
        wide.data += 7;
        apart.w = &wide;
        apart.w_stride = 100;
        apart.y = tensor_new(arena, 2, (int64_t[]){ 9, 42 })->data;
        product_run(arena, &apart);
        for (int64_t i = 0; i < 9 * 42; i++) {
            check(i % 42 >= 40 || apart.y[i] == g.y[i]);
        }
    }
}

TEST(gemm_reads_weights_only) {
    check(!gemm_reads(DTYPE_I64) && !gemm_reads(DTYPE_BOOL) && gemm_reads(DTYPE_F64));
}

TEST(gemm_finishes_as_asked) {
    struct arena *arena = check_arena();
    struct tensor *x = numbers(arena, 3, 40, 1), *w = numbers(arena, 50, 40, 2);
    struct tensor *factor = numbers(arena, 3, 50, 3), *residual = numbers(arena, 3, 50, 4);
    struct tensor *plain = linear(arena, x, w, NULL, NULL);
    struct op_finish finish = { .act = SIMD_RELU, .factor = factor, .residual = residual };
    struct tensor *y = linear(arena, x, w, &finish, NULL);
    for (int i = 0; i < 150; i++) {
        float relu = plain->data[i] > 0 ? plain->data[i] : 0;
        check(y->data[i] == relu * factor->data[i] + residual->data[i]);
    }
}

TEST(gemm_writes_where_it_is_told) {
    struct arena *arena = check_arena();
    struct tensor *x = numbers(arena, 2, 8, 1), *w = numbers(arena, 3, 8, 2);
    struct tensor *out = tensor_new(arena, 2, (int64_t[]){ 2, 3 });
    check(linear(arena, x, w, NULL, out) == out);
    check(out->data[5] != 0);
}

/* All layouts, 1 to 8 threads; and fewer rows give the first rows of more. */
static void check_same_bytes(enum dtype dtype, struct layout layout) {
    enum { M = 37, N = 256, K = 768, Y = M * (N + 2) };
    struct arena *arena = check_arena();
    struct gemm one = product_of(arena, dtype, M, N, K, layout);
    pool_set_threads(1);
    product_run(arena, &one);
    for (int threads = 2; threads <= 8; threads++) {
        pool_set_threads(threads);
        struct gemm many = product_of(arena, dtype, M, N, K, layout);
        product_run(arena, &many);
        check(memcmp(one.y, many.y, Y * sizeof(float)) == 0);
    }
    for (int64_t rows = 1; rows < M; rows += 5) {
        struct gemm few = product_of(arena, dtype, M, N, K, layout);
        few.m = rows;
        product_run(arena, &few);
        check(memcmp(one.y, few.y, (size_t)rows * (N + 2) * sizeof(float)) == 0);
    }
}

TEST(gemm_gives_the_same_bytes_with_any_threads_and_rows) {
    int before = pool_threads();
    static const enum dtype types[] = { DTYPE_F32, DTYPE_BF16, DTYPE_Q4_1, DTYPE_Q6_K };
    for (int i = 0; i < 4 * 8; i++) {
        check_same_bytes(types[i / 8], (struct layout){ i & 1, i & 2, i & 4 });
    }
    pool_set_threads(before);
}

/* Two layers in one give the bytes of one after the other, for any rows and threads. */
static void check_feeds(int64_t rows, int64_t width, int64_t inner) {
    struct arena *arena = check_arena();
    const struct tensor *x = numbers(arena, rows, width, 1);
    const struct tensor *residual = numbers(arena, rows, width, 2);
    struct op_dense up = { numbers(arena, inner, width, 3), numbers(arena, 1, inner, 4),
                           false };
    struct op_dense down = { numbers(arena, width, inner, 5), numbers(arena, 1, width, 6),
                             false };
    struct tape *tape = tape_of(arena);
    check(op_feeds(rows, &up, &down));
    const struct tensor *inside =
        op_linear(tape, x, &up, &(struct op_finish){ .act = SIMD_GELU }, NULL);
    const struct tensor *bare = op_linear(tape, inside, &down, NULL, NULL);
    const struct tensor *full =
        op_linear(tape, inside, &down, &(struct op_finish){ .residual = residual }, NULL);
    struct tensor *out = tensor_new(arena, 2, full->shape);
    size_t bytes = (size_t)tensor_bytes(full);
    check(memcmp(op_feed(tape, x, &up, SIMD_GELU, &down, NULL, NULL)->data, bare->data,
                 bytes) == 0);
    check(op_feed(tape, x, &up, SIMD_GELU, &down, residual, out) == out);
    check(memcmp(out->data, full->data, bytes) == 0);
}

TEST(gemm_feeds_one_layer_to_the_next) {
    static const int64_t rows[] = { 5, 13, 16, 17, 32, 33, 64, 100, 129, 260 };
    int before = pool_threads();
    for (int threads = 1; threads <= 8; threads += threads) {
        pool_set_threads(threads);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            check_feeds(rows[i], 40, 50);
        }
        check_feeds(70, 48, 1600);
        check_feeds(20, 1024, 64);
        check_feeds(70, 800, 100);
    }
    pool_set_threads(before);
}

TEST(gemm_feeds_only_rows_of_floats) {
    struct arena *arena = check_arena();
    struct op_dense plain = { .weight = numbers(arena, 8, 8, 1) };
    struct op_dense across = { .weight = plain.weight, .across = true };
    struct op_dense brain = { .weight = weights_of(arena, DTYPE_BF16, 8, 8) };
    struct op_dense deep = { .weight = numbers(arena, 8, 3080, 1) };
    check(op_feeds(5, &plain, &plain));
    check(!op_feeds(4, &plain, &plain));
    check(!op_feeds(5, &across, &plain) && !op_feeds(5, &plain, &across));
    check(!op_feeds(5, &brain, &plain) && !op_feeds(5, &plain, &brain));
    check(!op_feeds(5, &plain, &deep));
}

/* A chunk is the first to touch the pages of its outputs: for many rows that takes a while. */
TEST(gemm_looks_for_an_interrupt_within_a_chunk) {
    enum { ROWS = 2048 };
    struct arena *arena = check_arena();
    const struct tensor *x = numbers(arena, ROWS, 64, 1), *w = numbers(arena, 8, 64, 2);
    struct tensor *y = tensor_new(arena, 2, (int64_t[]){ ROWS, 8 });
    int64_t each = gemm_room();
    float *room = arena_raw(arena, (size_t)(each * pool_threads()) * sizeof *room);
    const struct gemm gemm = { .m = ROWS,
                               .n = 8,
                               .k = 64,
                               .x = x->data,
                               .x_stride = 64,
                               .w = w,
                               .y = y->data,
                               .y_stride = 8 };
    int64_t before = looks_count();
    gemm_run(&gemm, room, each);
    check(looks_count() - before >= ROWS / 64);
}
