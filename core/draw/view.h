#ifndef CORE_DRAW_VIEW_H
#define CORE_DRAW_VIEW_H

#include "core/draw/canvas.h"
#include "core/draw/ruler.h"

/* view: points in two or three dimensions as they are seen in a plot, in CSS pixels from its
 * top left.
 *
 * Two dimensions have the same scale, so that distances are true, unless one is more than three
 * times as long as the other. Three are seen in perspective from a fixed place, 35 degrees to
 * the side and 22 above, 4.5 times as far as half the longest side; the box round all points
 * fills the plot. */

struct view {
    int dims; /* 2, 3 */
    double width, height;
    double *xy;                /* [n, 2]; NaN for points that are not finite */
    double *depth;             /* [n]: 0 nearest .. 1 farthest; NULL in two dimensions */
    int64_t hidden;            /* points that are not finite */
    struct ruler across, down; /* two dimensions */
    double low[3], high[3];    /* of the box round the points */
    double centre[3], radius;
    double scale, shift[2]; /* three dimensions: what makes the box fill the plot */
};

struct view *view_new(struct arena *arena, const float *points, int64_t n, int dims);

/* The axes: rulers with their titles (2-D), or the box with its edges' names (3-D). `titles`
 * [dims], or NULL. The plot's top left stands at x, y. */
void view_axes(struct canvas *canvas, const struct view *view, const char *const *titles,
               double x, double y);
double view_left_room(struct canvas *probe, const struct view *view, const char *const *titles);
double view_bottom_room(const struct view *view, const char *const *titles);

#endif
