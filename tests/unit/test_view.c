#include "core/draw/view.h"

#include <math.h>

#include "tests/check.h"

TEST(view_of_two_dimensions_keeps_distances) {
    const float points[] = { 0, 0, 3, 0, 0, 2, 3, 2 };
    struct view *view = view_new(check_arena(), points, 4, 2);
    const double *xy = view->xy;
    double across = (xy[2] - xy[0]) / 3, up = (xy[1] - xy[5]) / 2;
    check_near(across, up, 1e-9);
    check(xy[5] < xy[1]); /* larger y is higher */
    for (int i = 0; i < 4; i++) {
        check(xy[2 * i] > 0 && xy[2 * i] < view->width && xy[2 * i + 1] > 0 &&
              xy[2 * i + 1] < view->height);
    }
}

TEST(view_of_unlike_lengths_fills_the_plot) {
    const float points[] = { 0, 0, 1000, 1 };
    struct view *view = view_new(check_arena(), points, 2, 2);
    check(view->xy[1] - view->xy[3] > view->height * 0.8);
}

/* Corners of a cube: all within the plot; what is nearer is larger: the front edge is longer
 * than the one behind it. */
TEST(view_of_three_dimensions_is_in_perspective) {
    float points[24];
    for (int i = 0; i < 24; i++) {
        points[i] = (float)(i / 3 >> i % 3 & 1);
    }
    struct view *view = view_new(check_arena(), points, 8, 3);
    const double *xy = view->xy;
    for (int i = 0; i < 8; i++) {
        check(xy[2 * i] > 0 && xy[2 * i] < view->width && xy[2 * i + 1] > 0 &&
              xy[2 * i + 1] < view->height);
    }
    check(view->depth[0] < view->depth[3]);              /* near corner, far corner */
    double front = xy[1] - xy[9], back = xy[7] - xy[15]; /* upright edges 0-4, 3-7 */
    check(front > back * 1.2 && back > 0);
}

TEST(view_of_points_that_are_no_numbers) {
    const float points[] = { NAN, 1, INFINITY, 2, 1, 1 };
    struct view *view = view_new(check_arena(), points, 3, 2);
    check_int(view->hidden, 2);
    check(isnan(view->xy[0]) && isnan(view->xy[2]) && isfinite(view->xy[4]));
    view = view_new(check_arena(), points, 2, 3);
    check(view->hidden == 1 && isnan(view->xy[0]));
}

/* Coordinates that are finite, though their sum is not. */
TEST(view_of_very_large_points_hides_none) {
    static const float points[] = { 3e38F, 3e38F, 1, 1, -3e38F, 3e38F };
    const struct view *view = view_new(check_arena(), points, 3, 2);
    check_int(view->hidden, 0);
    check(view->xy[0] > 0 && view->xy[0] <= view->width);
}
