#include "core/explain/repulsion.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/base/random.h"
#include "tests/check.h"

enum { POINTS = 700 };

/* Three clouds in a box of that size, their middle far from them. */
static repulsion_quad *clouds(struct arena *arena, double span) {
    repulsion_quad *y = arena_array(arena, POINTS, sizeof *y);
    struct random random = random_new(5);
    for (int i = 0; i < POINTS; i++) {
        double centre = i % 3 == 0 ? 0.1 : 0.8;
        for (int d = 0; d < 2; d++) {
            y[i][d] = (float)(span * (centre * 0.8 + 0.2 * random_unit(&random)));
        }
    }
    return y;
}

/* |difference| / |exact| of all forces. */
static double force_error(const repulsion_quad *exact, const repulsion_quad *grid) {
    double off = 0, all = 0;
    for (int i = 0; i < POINTS; i++) {
        for (int d = 0; d < 4; d++) {
            double by = (double)exact[i][d] - (double)grid[i][d];
            off += by * by;
            all += (double)exact[i][d] * (double)exact[i][d];
        }
    }
    return sqrt(off / all);
}

/* At distance 2: w = 1/5, Z = 2/5, F = 2/25 along the line between them. */
TEST(repulsion_of_two_points) {
    struct arena *arena = check_arena();
    repulsion_quad y[2] = { { 1, 0 }, { 3, 0 } }, force[2];
    struct repulsion *repulsion = repulsion_new(arena, 2);
    check_near(repulsion_exact(repulsion, y, force), 0.4, 1e-9);
    check_near(force[0][0], -0.08, 1e-7);
    check_near(force[1][0], 0.08, 1e-7);
    check_near(repulsion_on_grid(repulsion, y, force), 0.4, 1e-4);
    check_near(force[0][0], -0.08, 1e-4);
    check_near(force[1][1], 0, 1e-5);
}

/* Layouts begin at 1e-4 and grow to a hundred and more; one grid follows. */
TEST(repulsion_on_a_grid_is_near_the_exact_one) {
    struct arena *arena = check_arena();
    repulsion_quad *exact = arena_array(arena, POINTS, sizeof *exact);
    repulsion_quad *grid = arena_array(arena, POINTS, sizeof *grid);
    struct repulsion *repulsion = repulsion_new(arena, POINTS);
    for (double span = 1e-4; span < 100; span *= 30) {
        repulsion_quad *y = clouds(arena, span);
        double z = repulsion_exact(repulsion, y, exact);
        check_near(repulsion_on_grid(repulsion, y, grid) / z, 1, 5e-3);
        check_near(force_error(exact, grid), 0, span < 10 ? 5e-5 : 1e-2);
    }
}

TEST(repulsion_of_points_at_one_place) {
    struct arena *arena = check_arena();
    repulsion_quad y[8], force[8];
    for (int i = 0; i < 8; i++) {
        y[i] = (repulsion_quad){ 3, -4 };
    }
    check_near(repulsion_on_grid(repulsion_new(arena, 8), y, force), 56, 1e-4);
    check_near(force[3][0], 0, 1e-4);
}

TEST(repulsion_is_the_same_for_any_number_of_threads) {
    struct arena *arena = check_arena();
    int before = pool_threads();
    repulsion_quad *y = clouds(arena, 40);
    repulsion_quad *first = arena_array(arena, POINTS, sizeof *first);
    repulsion_quad *other = arena_array(arena, POINTS, sizeof *other);
    double z = 0;
    for (int threads = 1; threads <= 8; threads++) {
        pool_set_threads(threads);
        struct repulsion *repulsion = repulsion_new(arena, POINTS);
        double seen = repulsion_on_grid(repulsion, y, threads == 1 ? first : other);
        z = threads == 1 ? seen : z;
        check(seen == z);
        check(threads == 1 || memcmp(first, other, POINTS * sizeof *first) == 0);
    }
    pool_set_threads(before);
}
