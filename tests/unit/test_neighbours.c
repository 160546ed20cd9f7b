#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/explain/neighbours.h"
#include "tests/check.h"

/* Numbers between -1 and 1 that look random. */
static struct tensor *scattered(struct arena *arena, int64_t n, int64_t width) {
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ n, width });
    uint64_t state = 1;
    for (int64_t i = 0; i < n * width; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        x->data[i] = (float)((double)(state >> 33) / 1073741824 - 1);
    }
    return x;
}

static double apart(const float *a, const float *b, int64_t width, enum neighbours_by by) {
    double square = 0, dot = 0, aa = 0, bb = 0;
    for (int64_t f = 0; f < width; f++) {
        square += ((double)a[f] - (double)b[f]) * ((double)a[f] - (double)b[f]);
        dot += (double)a[f] * (double)b[f];
        aa += (double)a[f] * (double)a[f];
        bb += (double)b[f] * (double)b[f];
    }
    return by == NEIGHBOURS_COSINE ? 1 - dot / sqrt(aa * bb) : sqrt(square);
}

/* How many points are nearer to row i than `distance`, by trying all. */
static int64_t nearer(const struct tensor *x, int64_t i, double distance,
                      enum neighbours_by by) {
    int64_t count = 0, width = x->shape[1];
    for (int64_t j = 0; j < x->shape[0]; j++) {
        count +=
            j != i && apart(x->data + i * width, x->data + j * width, width, by) < distance;
    }
    return count;
}

static void compare_all(const struct tensor *x, int64_t k, enum neighbours_by by) {
    struct err err;
    struct neighbours *found = neighbours_of(check_arena(), x, k, by, &err);
    int64_t wrong = 0, width = x->shape[1];
    for (int64_t i = 0; i<found->n; i += found->n> 1000 ? 7 : 1) {
        for (int64_t j = 0; j < k; j++) {
            int64_t id = found->ids[i * k + j];
            double seen = (double)found->distances[i * k + j];
            double wanted = apart(x->data + i * width, x->data + id * width, width, by);
            wrong += id == i || fabs(seen - wanted) > 1e-5;
            wrong += nearer(x, i, wanted - 1e-5, by) > j || nearer(x, i, wanted + 1e-5, by) < j;
        }
    }
    check_int(wrong, 0);
}

TEST(neighbours_are_those_that_trying_all_finds) {
    compare_all(scattered(check_arena(), 37, 5), 36, NEIGHBOURS_EUCLIDEAN);
    compare_all(scattered(check_arena(), 300, 7), 9, NEIGHBOURS_EUCLIDEAN);
    compare_all(scattered(check_arena(), 300, 7), 9, NEIGHBOURS_COSINE);
}

/* More than one block of rows, so that a pair of blocks serves both. */
TEST(neighbours_across_blocks_are_right) {
    struct arena *arena = check_arena();
    struct err err;
    int64_t n = 2100, k = 3, wrong = 0;
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ n, 1 });
    for (int64_t i = 0; i < n; i++) {
        x->data[i] = (float)(i * 1009 % n); /* the numbers 0 .. n - 1, mixed */
    }
    struct neighbours *found = neighbours_of(arena, x, k, NEIGHBOURS_EUCLIDEAN, &err);
    for (int64_t i = 0; i < n; i++) {
        bool edge = x->data[i] == 0 || x->data[i] == (float)(n - 1);
        wrong += found->distances[i * k] != 1 || found->distances[i * k + 1] != (edge ? 2 : 1);
        wrong += found->distances[i * k + 2] != (edge ? 3 : 2);
    }
    check_int(wrong, 0);
}

/* More than one block, with rows of very different lengths and one outlier. */
TEST(neighbours_of_uneven_points_are_right) {
    struct tensor *x = scattered(check_arena(), 1100, 24);
    for (int64_t i = 0; i < 1100 * 24; i++) {
        x->data[i] *= i / 24 % 5 == 0 ? 0.01F : 1;
    }
    x->data[1034 * 24 + 5] = 10;
    compare_all(x, 4, NEIGHBOURS_EUCLIDEAN);
    compare_all(x, 4, NEIGHBOURS_COSINE);
}

/* Squares of such numbers would overflow, or vanish. */
TEST(neighbours_of_huge_and_of_tiny_points_are_those_of_usual_ones) {
    struct arena *arena = check_arena();
    struct err err;
    struct tensor *x = scattered(arena, 1100, 6);
    struct neighbours *usual = neighbours_of(arena, x, 3, NEIGHBOURS_EUCLIDEAN, &err);
    for (int sign = -1; sign <= 1; sign += 2) {
        struct tensor *far = scattered(arena, 1100, 6);
        for (int64_t i = 0; i < 1100 * 6; i++) {
            far->data[i] = ldexpf(far->data[i], sign * 90);
        }
        struct neighbours *found = neighbours_of(arena, far, 3, NEIGHBOURS_EUCLIDEAN, &err);
        check(memcmp(found->ids, usual->ids, sizeof(int32_t) * 1100 * 3) == 0);
        check(found->distances[0] == ldexpf(usual->distances[0], sign * 90));
    }
}

/* 1,000 places, 3 points on each: a copy's nearest are the other two, the lower number first;
 * of 3,000 copies of one point, the lowest numbers. */
TEST(neighbours_among_copies_go_by_their_number) {
    struct arena *arena = check_arena();
    struct err err;
    int64_t n = 3000, wrong = 0;
    struct tensor *x = scattered(arena, n, 40);
    memcpy(x->data + 1000 * 40, x->data, 1000 * 40 * sizeof(float));
    memcpy(x->data + 2000 * 40, x->data, 1000 * 40 * sizeof(float));
    struct neighbours *found = neighbours_of(arena, x, 2, NEIGHBOURS_EUCLIDEAN, &err);
    for (int64_t i = 0; i < n; i++) {
        int64_t low = i < 1000 ? i + 1000 : i % 1000,
                high = i < 2000 ? i % 1000 + 2000 : i - 1000;
        wrong += found->ids[i * 2] != low || found->ids[i * 2 + 1] != high;
        wrong += found->distances[i * 2] != 0 || found->distances[i * 2 + 1] != 0;
    }
    for (int64_t i = 0; i < n * 40; i++) {
        x->data[i] = (float)(i % 40);
    }
    found = neighbours_of(arena, x, 2, NEIGHBOURS_EUCLIDEAN, &err);
    for (int64_t i = 0; i < n; i++) {
        wrong += found->ids[i * 2] != (i < 1) || found->ids[i * 2 + 1] != 1 + (i < 2);
    }
    check_int(wrong, 0);
}

TEST(neighbours_are_the_same_for_any_number_of_threads) {
    struct arena *arena = check_arena();
    struct err err;
    int before = pool_threads();
    struct tensor *x = scattered(arena, 2500, 19);
    struct neighbours *first = NULL;
    for (int threads = 1; threads <= 8; threads += 3) {
        pool_set_threads(threads);
        struct neighbours *found = neighbours_of(arena, x, 12, NEIGHBOURS_EUCLIDEAN, &err);
        first = first ? first : found;
        check(memcmp(found->ids, first->ids, sizeof(int32_t) * 2500 * 12) == 0);
        check(memcmp(found->distances, first->distances, sizeof(float) * 2500 * 12) == 0);
    }
    pool_set_threads(before);
}

/* Far from zero, the square of a difference is a small part of the squares. */
TEST(neighbours_of_copies_are_at_no_distance) {
    struct arena *arena = check_arena();
    struct err err;
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ 6, 2 });
    memcpy(x->data, (float[]){ 1000, 1, 1000, 1, 1000, 2, 1000, 1, 1003, 1, 1000, 9 },
           12 * sizeof(float));
    struct neighbours *found = neighbours_of(arena, x, 3, NEIGHBOURS_EUCLIDEAN, &err);
    check(found->distances[0] == 0 && found->distances[1] == 0 && found->distances[2] == 1);
    check(found->ids[0] == 1 && found->ids[1] == 3 && found->ids[2] == 2);
}

TEST(neighbours_of_a_vector_without_direction_are_at_distance_1) {
    struct arena *arena = check_arena();
    struct err err;
    struct tensor *x = scattered(arena, 50, 8);
    memset(x->data, 0, 8 * sizeof(float));
    struct neighbours *found = neighbours_of(arena, x, 49, NEIGHBOURS_COSINE, &err);
    check(found->distances[0] == 1 && found->distances[48] == 1);
}

TEST(neighbours_refuse_what_has_none) {
    struct arena *arena = check_arena();
    struct err err;
    struct tensor *x = scattered(arena, 5, 3);
    check(!neighbours_of(arena, x, 5, NEIGHBOURS_EUCLIDEAN, &err) && err.kind == ERR_SHAPE);
    check_text(err.text, "5 neighbours of each of 5 points are wanted; give 1 to 4");
    check(!neighbours_of(arena, x, 0, NEIGHBOURS_EUCLIDEAN, &err));
    x->data[7] = NAN;
    check(!neighbours_of(arena, x, 2, NEIGHBOURS_EUCLIDEAN, &err) && err.kind == ERR_TEXT);
    check_text(err.text, "point 2 has NaN in dimension 1");
}
