#include "core/explain/eigen.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/base/random.h"
#include "tests/check.h"

/* The largest |A v - value v| of k pairs, and how far the vectors are from orthonormal. */
static double worst_residual(const double *matrix, int64_t m, int64_t k, const double *values,
                             const double *vectors) {
    double worst = 0;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t r = 0; r < m; r++) {
            double sum = -values[i] * vectors[i * m + r];
            for (int64_t c = 0; c < m; c++) {
                sum += matrix[r * m + c] * vectors[i * m + c];
            }
            worst = fmax(worst, fabs(sum));
        }
        for (int64_t j = 0; j <= i; j++) {
            double dot = 0;
            for (int64_t c = 0; c < m; c++) {
                dot += vectors[i * m + c] * vectors[j * m + c];
            }
            worst = fmax(worst, fabs(dot - (i == j)));
        }
    }
    return worst;
}

static double *copied(struct arena *arena, const double *from, int64_t count) {
    double *copy = arena_array(arena, count, sizeof *copy);
    memcpy(copy, from, (size_t)count * sizeof *copy);
    return copy;
}

/* A covariance of random points: m x m, with values that fall slowly. */
static double *covariance(struct arena *arena, int64_t m, int64_t points) {
    double *matrix = arena_array(arena, m * m, sizeof *matrix);
    double *x = arena_array(arena, m, sizeof *x);
    struct random random = random_new(7);
    for (int64_t i = 0; i < points; i++) {
        for (int64_t j = 0; j < m; j++) {
            x[j] = random_normal(&random) / (1 + (double)j / 20);
        }
        for (int64_t j = 0; j < m * m; j++) {
            matrix[j] += x[j / m] * x[j % m];
        }
    }
    return matrix;
}

/* [2 1; 1 2] has 3 with (1, 1) and 1 with (1, -1). */
TEST(eigen_of_two_by_two) {
    double matrix[] = { 2, 0, 1, 2 }, values[2], vectors[4]; /* above the diagonal: not read */
    eigen_all(check_arena(), matrix, 2, values, vectors);
    check_near(values[0], 3, 1e-14);
    check_near(values[1], 1, 1e-14);
    check_near(vectors[0] * vectors[1], 0.5, 1e-14);
    check_near(vectors[2] * vectors[3], -0.5, 1e-14);
}

/* 2 on the diagonal and -1 beside it: 2 - 2 cos(i pi / (m + 1)). */
TEST(eigen_of_a_chain) {
    enum { M = 40 };
    struct arena *arena = check_arena();
    double *matrix = arena_array(arena, M * M, sizeof *matrix), values[M];
    double *vectors = arena_array(arena, M * M, sizeof *vectors);
    for (int i = 0; i < M; i++) {
        matrix[i * M + i] = 2;
        matrix[i * M + (i + 1) % M] = matrix[(i + 1) % M * M + i] = i + 1 < M ? -1 : 0;
    }
    eigen_all(arena, copied(arena, matrix, M * M), M, values, vectors);
    for (int i = 0; i < M; i++) {
        check_near(values[i], 2 - 2 * cos((M - i) * M_PI / (M + 1)), 1e-13);
    }
    check_near(worst_residual(matrix, M, M, values, vectors), 0, 1e-12);
}

TEST(eigen_of_what_has_no_directions) {
    struct arena *arena = check_arena();
    enum { M = 120 };
    double *matrix = arena_array(arena, M * M, sizeof *matrix), values[M];
    double *vectors = arena_array(arena, M * M, sizeof *vectors);
    eigen_all(arena, copied(arena, matrix, M * M), M, values, vectors); /* all zero */
    check(worst_residual(matrix, M, M, values, vectors) == 0);
    eigen_top(arena, matrix, M, 3, values, vectors);
    check_near(worst_residual(matrix, M, 3, values, vectors), 0, 1e-12);
    for (int i = 0; i < M; i++) {
        matrix[i * M + i] = 5; /* every vector is one */
    }
    eigen_top(arena, matrix, M, 3, values, vectors);
    check(fabs(values[0] - 5) < 1e-12 && fabs(values[2] - 5) < 1e-12);
    check_near(worst_residual(matrix, M, 3, values, vectors), 0, 1e-12);
}

TEST(eigen_top_finds_what_all_finds) {
    enum { M = 160, K = 5 };
    struct arena *arena = check_arena();
    double *matrix = covariance(arena, M, 400), all[M], top[K];
    double *vectors = arena_array(arena, M * M, sizeof *vectors);
    double *best = arena_array(arena, K * M, sizeof *best);
    eigen_all(arena, copied(arena, matrix, M * M), M, all, vectors);
    eigen_top(arena, copied(arena, matrix, M * M), M, K, top, best);
    check_near(worst_residual(matrix, M, M, all, vectors), 0, 1e-10 * all[0]);
    check_near(worst_residual(matrix, M, K, top, best), 0, 1e-9 * all[0]);
    for (int i = 0; i < K; i++) {
        check_near(top[i] / all[i], 1, 1e-12);
    }
}

TEST(eigen_top_is_the_same_for_any_number_of_threads) {
    enum { M = 200, K = 3 };
    struct arena *arena = check_arena();
    int before = pool_threads();
    double *matrix = covariance(arena, M, 300), values[K], vectors[K * M], first[K * M];
    for (int threads = 1; threads <= 8; threads++) {
        pool_set_threads(threads);
        eigen_top(arena, copied(arena, matrix, M * M), M, K, values, vectors);
        if (threads == 1) {
            memcpy(first, vectors, sizeof first);
        }
        check(memcmp(first, vectors, sizeof first) == 0);
    }
    pool_set_threads(before);
}
