#include "core/draw/placing.h"

#include <math.h>

#include "tests/check.h"

TEST(placing_never_overlaps) {
    struct arena *arena = check_arena();
    struct placing *placing = placing_new(arena, 300, 200);
    struct placing_spot spots[200];
    int64_t n = 0, led = 0;
    for (int i = 0; i < 200; i++) {
        double x = 20 + i * 37 % 260, y = 20 + i * 53 % 160;
        if (placing_find(placing, x, y, 3, 40, 12, &spots[n])) {
            led += spots[n].led;
            n++;
        }
    }
    check(n > 40 && n < 125 && led > 3); /* 125: what the plot's area holds */
    for (int64_t i = 0; i < n; i++) {
        check(spots[i].x >= 0 && spots[i].x + 40 <= 300 && spots[i].y >= 0 &&
              spots[i].y + 12 <= 200);
        for (int64_t j = 0; j < i; j++) {
            check(fabs(spots[i].x - spots[j].x) >= 40 || fabs(spots[i].y - spots[j].y) >= 12);
        }
    }
}

TEST(placing_keeps_clear_of_what_is_blocked) {
    struct arena *arena = check_arena();
    struct placing *placing = placing_new(arena, 100, 60);
    struct placing_spot spot;
    placing_block(placing, 50, 0, 50, 60);
    check(placing_find(placing, 46, 30, 2, 30, 10, &spot));
    check(spot.x + 30 <= 50 && !spot.led);
    placing_block(placing, 0, 0, 100, 60);
    check(!placing_find(placing, 46, 30, 2, 30, 10, &spot));
    check(!placing_find(placing_new(arena, 20, 20), 10, 10, 2, 30, 10, &spot));
}

TEST(placing_order_goes_from_coarse_to_fine) {
    struct arena *arena = check_arena();
    enum { N = 4000 };
    double *xy = arena_array(arena, N, 2 * sizeof *xy);
    int64_t order[100];
    for (int64_t i = 0; i < N; i++) { /* most in one corner */
        xy[2 * i] = i % 10 ? (double)(i % 97) / 10 : (double)(i * 7 % 997) / 10;
        xy[2 * i + 1] = i % 10 ? (double)(i % 89) / 10 : (double)(i * 31 % 991) / 10;
    }
    xy[0] = (double)NAN;
    check_int(placing_order(xy, N, 100, 100, 100, order), 100);
    int64_t corner = 0;
    for (int i = 0; i < 16; i++) {
        corner += xy[2 * order[i]] < 25 && xy[2 * order[i] + 1] < 25;
        check(order[i] != 0);
    }
    check(corner <= 1);
    check_int(placing_order(xy, 5, 100, 100, 100, order), 4);
    check_int(order[0], 1);
}
