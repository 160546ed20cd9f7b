#include "core/draw/density.h"

#include <math.h>

#include "tests/check.h"

/* Cells of 10: three points in the first, two of group 1; one at the far corner; one nowhere.
 */
TEST(density_counts_cells_and_their_groups) {
    const double xy[] = { 1, 1, 9, 9, 5, 5, 29, 19, (double)NAN, 3, 30, 5, -1, 5 };
    const unsigned char groups[] = { 0, 1, 1, 2, 0, 0, 0 };
    struct density *d = density_new(check_arena(), xy, groups, 3, 7, 30, 20, 10);
    check(d->columns == 3 && d->rows == 2);
    check(d->counts[0] == 3 && d->counts[5] == 1 && d->counts[1] == 0);
    check(d->groups[0] == 1 && d->groups[5] == 2);
    check(d->most == 3 && d->used == 2);
    const unsigned char *levels = density_levels(check_arena(), d, 9);
    check(levels[0] == 9 && levels[5] == 1 && levels[1] == 0);
}

TEST(density_of_single_points_is_dark) {
    const double xy[] = { 1, 1, 15, 15 };
    struct density *d = density_new(check_arena(), xy, NULL, 0, 2, 20, 20, 10);
    check(!d->groups && d->most == 1);
    check_int(density_levels(check_arena(), d, 40)[0], 40);
}

/* 1000 points in one cell, 31 (about its root) in another. */
TEST(density_levels_go_by_the_logarithm) {
    enum { N = 1032 };
    double xy[2 * N];
    for (int i = 0; i < N; i++) {
        xy[2 * i] = i < 1000 ? 5 : i < 1031 ? 15 : 25;
        xy[2 * i + 1] = 5;
    }
    struct density *d = density_new(check_arena(), xy, NULL, 0, N, 30, 10, 10);
    const unsigned char *levels = density_levels(check_arena(), d, 101);
    check(levels[0] == 101 && levels[2] == 1);
    check_int(levels[1], 1 + (int)(100 * 0.497 + 0.5));
}
