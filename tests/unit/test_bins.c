#include "core/tensor/bins.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "tests/check.h"

TEST(bins_range_leaves_out_what_is_not_finite) {
    const float x[] = { 3, NAN, -2, INFINITY, 7, -INFINITY, 0 };
    struct bins_range range = bins_range(x, 7);
    check(range.low == -2 && range.high == 7);
    check_int(range.finite, 4);
    check_int(range.bad, 3);
    range = bins_range(x + 1, 1);
    check(range.low == 0 && range.high == 0 && range.finite == 0 && range.bad == 1);
    check_int(bins_range(x, 0).bad, 0);
}

/* numpy.histogram([0, .1, .25, .5, .74, .75, 1, 2, -1, nan], 4, (0, 1)): 2 1 2 2 */
TEST(bins_linear_closes_the_last_bin) {
    const float x[] = { 0, 0.1F, 0.25F, 0.5F, 0.74F, 0.75F, 1, 2, -1, NAN };
    int64_t counts[4] = { 0 };
    float edges[5];
    check_int(bins_linear(x, 10, 0, 1, 4, counts, edges), 2);
    check(counts[0] == 2 && counts[1] == 1 && counts[2] == 2 && counts[3] == 2);
    check(edges[0] == 0 && edges[1] == 0.25F && edges[2] == 0.5F && edges[4] == 1);
}

/* A value that is an edge belongs to the bin above, the float before it to the bin below. */
TEST(bins_linear_edges_are_where_the_counts_part) {
    float edges[51];
    bins_linear(NULL, 0, -3.7F, 12.1F, 50, NULL, edges);
    for (int64_t i = 1; i < 50; i++) {
        const float two[] = { nextafterf(edges[i], -INFINITY), edges[i] };
        int64_t counts[50] = { 0 };
        bins_linear(two, 2, -3.7F, 12.1F, 50, counts, NULL);
        check(counts[i - 1] == 1 && counts[i] == 1);
        check_near(edges[i], -3.7 + 15.8 * (double)i / 50, 2e-6);
    }
}

TEST(bins_linear_spans_all_floats) {
    const float x[] = { -FLT_MAX, 0, FLT_MAX };
    int64_t counts[3] = { 0 };
    check_int(bins_linear(x, 3, -FLT_MAX, FLT_MAX, 3, counts, NULL), 0);
    check(counts[0] == 1 && counts[1] == 1 && counts[2] == 1);
}

static float *many(struct arena *arena, int64_t n) {
    float *x = arena_array(arena, n, sizeof *x);
    uint32_t state = 7;
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U;
        x[i] = state % 100 == 0 ? 0 : ldexpf((float)(int32_t)state, -31 - (int)(state >> 27));
    }
    return x;
}

static int64_t count_finite(const struct bins_log *of) {
    int64_t sum = 0;
    for (int64_t i = 0; i < BINS_BAD; i++) {
        sum += of->places[i];
    }
    return sum;
}

TEST(bins_count_the_same_with_any_number_of_threads) {
    enum { N = 300001 };
    struct arena *arena = check_arena();
    const float *x = many(arena, N);
    int64_t few[50] = { 0 }, more[50] = { 0 }, sum = 0;
    pool_set_threads(1);
    bins_linear(x, N, -1, 1, 50, few, NULL);
    pool_set_threads(4);
    bins_linear(x, N, -1, 1, 50, more, NULL);
    pool_set_threads(2);
    check(memcmp(few, more, sizeof few) == 0);
    for (int i = 0; i < 50; i++) {
        sum += few[i];
    }
    check_int(sum, N);
}

/* A part at a time, of even and odd length, as at once. */
TEST(bins_log_counts_parts_as_the_whole) {
    enum { N = 200001 };
    struct arena *arena = check_arena();
    float *x = many(arena, N);
    struct bins_log *whole = arena_alloc(arena, sizeof *whole),
                    *parts = arena_alloc(arena, sizeof *parts);
    x[0] = x[7] = x[200] = 0;
    x[8] = -0.0F;
    bins_log_add(whole, x, N);
    for (int64_t i = 0, n; i < N; i += n) {
        n = 1001 + i % 2 < N - i ? 1001 + i % 2 : N - i;
        bins_log_add(parts, x + i, n);
    }
    check_int(parts->zeros, whole->zeros);
    check_int(whole->zeros + count_finite(whole), N);
    check(memcmp(whole, parts, sizeof *whole) == 0);
}

TEST(bins_log_tells_zeros_from_tiny_values) {
    struct arena *arena = check_arena();
    const float x[] = { 0, -0.0F, FLT_TRUE_MIN, -1, 2, NAN, -INFINITY };
    struct bins_log *of = arena_alloc(arena, sizeof *of);
    double low, high;
    check_int(bins_log_extent(of, &low, &high), -1);
    bins_log_add(of, x, 7);
    check_int(of->zeros, 2);
    check_int(bins_log_bad(of), 2);
    check_int(count_finite(of), 3);
    check_int(bins_log_extent(of, &low, &high), 0);
    check(low == (double)FLT_TRUE_MIN && high > 2 && high < 2.02);
    bins_log_merge(of, of);
    check_int(of->zeros, 4);
    check_int(count_finite(of), 6);
}

/* Values at and just below each edge: on its two sides, and the edges where they were asked. */
TEST(bins_log_edges_are_where_the_counts_part) {
    struct arena *arena = check_arena();
    float edges[51];
    bins_log_edges(1e-12, 1e2, 50, edges);
    for (int i = 0; i <= 50; i++) {
        check_near(log10((double)edges[i]), -12 + 14 * i / 50.0, 0.0034);
    }
    for (int i = 1; i < 50; i++) {
        const float two[] = { nextafterf(edges[i], 0), -edges[i] };
        struct bins_log *of = arena_alloc(arena, sizeof *of);
        int64_t counts[50];
        bins_log_add(of, two, 2);
        bins_log_cut(of, edges, 50, counts);
        check(counts[i - 1] == 1 && counts[i] == 1);
    }
}

TEST(bins_log_cut_keeps_all_values) {
    struct arena *arena = check_arena();
    float edges[4];
    int64_t counts[3];
    const float x[] = { 1e-30F, 1, 1e30F, 0 };
    struct bins_log *of = arena_alloc(arena, sizeof *of);
    bins_log_add(of, x, 4);
    bins_log_edges(0.1, 100, 3, edges);
    bins_log_cut(of, edges, 3, counts);
    check(counts[0] == 1 && counts[1] == 1 && counts[2] == 1);
}
