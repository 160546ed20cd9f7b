#include "core/draw/view.h"

#include <math.h>

#include "core/draw/colour.h"
#include "core/draw/page.h"

enum { SIDE = 560, LEAST = 300, TALL = 500 };

static const double distance = 4.5;

static void find_box(struct view *view, const float *points, int64_t n) {
    int dims = view->dims;
    for (int d = 0; d < dims; d++) {
        view->low[d] = INFINITY;
        view->high[d] = -INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        const float *p = points + i * dims;
        if (!isfinite(p[0]) || !isfinite(p[1]) || (dims == 3 && !isfinite(p[2]))) {
            view->hidden++;
            continue;
        }
        for (int d = 0; d < dims; d++) {
            double at = (double)p[d];
            view->low[d] = at < view->low[d] ? at : view->low[d];
            view->high[d] = at > view->high[d] ? at : view->high[d];
        }
    }
    for (int d = 0; d < dims; d++) {
        view->low[d] = view->hidden < n ? view->low[d] : 0;
        view->high[d] = view->hidden < n ? view->high[d] : 0;
        view->centre[d] = view->low[d] / 2 + view->high[d] / 2;
        view->radius = fmax(view->radius, view->high[d] / 2 - view->low[d] / 2);
    }
    view->radius = view->radius > 0 ? view->radius : 1;
}

/* ---- two dimensions ---- */

static void lay_flat(struct arena *arena, struct view *view, const float *points, int64_t n) {
    double half[2];
    for (int d = 0; d < 2; d++) {
        half[d] = fmax(view->high[d] / 2 - view->low[d] / 2, 0);
    }
    double ratio = half[0] > 0 && half[1] > 0 ? half[1] / half[0] : 1;
    bool same = ratio <= 3 && ratio >= 1.0 / 3;
    view->width = SIDE;
    view->height = same ? fmin(SIDE, fmax(LEAST, SIDE * ratio)) : TALL;
    if (same) { /* the larger of the two scales that fit */
        double each = fmax(view->radius / 1e12, fmax(half[0] / SIDE, half[1] / view->height));
        each = half[0] > 0 || half[1] > 0 ? each : 2.0 / SIDE;
        half[0] = each * SIDE;
        half[1] = each * view->height;
    }
    double margin = 1.06;
    for (int d = 0; d < 2; d++) {
        half[d] = half[d] > 0 ? half[d] * margin : 1;
    }
    ruler_init(arena, &view->across, view->centre[0] - half[0], view->centre[0] + half[0],
               false, false, view->width, 70);
    ruler_init(arena, &view->down, view->centre[1] - half[1], view->centre[1] + half[1], false,
               false, view->height, 50);
    double x_scale = view->width / (view->across.high - view->across.low);
    double y_scale = view->height / (view->down.high - view->down.low);
    for (int64_t i = 0; i < n; i++) {
        double x = (double)points[2 * i], y = (double)points[2 * i + 1];
        view->xy[2 * i] = (x - view->across.low) * x_scale;
        view->xy[2 * i + 1] = view->height - (y - view->down.low) * y_scale;
    }
}

/* ---- three dimensions ---- */

/* Where a point is seen, and how far: 0 .. 1 within the box. */
static double project(const struct view *view, const double *point, double *xy) {
    double side = 35 * 3.14159265358979323846 / 180, up = 22 * 3.14159265358979323846 / 180;
    double at[3];
    for (int d = 0; d < 3; d++) {
        at[d] = (point[d] - view->centre[d]) / view->radius;
    }
    double x = at[0] * cos(side) - at[1] * sin(side);
    double back = at[0] * sin(side) + at[1] * cos(side);
    double y = at[2] * cos(up) + back * sin(up);
    double z = back * cos(up) - at[2] * sin(up);
    double scale = view->scale * distance / (distance + z);
    xy[0] = view->shift[0] + x * scale;
    xy[1] = view->shift[1] - y * scale;
    return fmin(1, fmax(0, (z + 1.75) / 3.5));
}

/* Corner `bits` (bit d: the upper end of dimension d) of the box round the points. */
static void corner(const struct view *view, int bits, double *xy) {
    double at[3];
    for (int d = 0; d < 3; d++) {
        at[d] = bits >> d & 1 ? view->high[d] : view->low[d];
    }
    project(view, at, xy);
}

/* Scales the box to the plot's width and lays the plot's height round it, with room for names.
 */
static void fit_box(struct view *view) {
    enum { BESIDE = 46, BELOW = 22, ABOVE = 10 };
    view->scale = 1;
    double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY }, xy[2];
    for (int bits = 0; bits < 8; bits++) {
        corner(view, bits, xy);
        for (int d = 0; d < 2; d++) {
            low[d] = xy[d] < low[d] ? xy[d] : low[d];
            high[d] = xy[d] > high[d] ? xy[d] : high[d];
        }
    }
    double wide = fmax(high[0] - low[0], 0.1), tall = fmax(high[1] - low[1], 0.1);
    view->scale = fmin((SIDE - 2 * BESIDE) / wide, (SIDE - BELOW - ABOVE) / tall);
    view->height = ceil(tall * view->scale) + BELOW + ABOVE;
    view->shift[0] = SIDE / 2.0 - view->scale * (low[0] + high[0]) / 2;
    view->shift[1] = ABOVE - view->scale * low[1];
}

static void lay_deep(struct arena *arena, struct view *view, const float *points, int64_t n) {
    view->width = SIDE;
    view->depth = arena_array(arena, n, sizeof *view->depth);
    fit_box(view);
    for (int64_t i = 0; i < n; i++) {
        const double at[] = { (double)points[3 * i], (double)points[3 * i + 1],
                              (double)points[3 * i + 2] };
        view->depth[i] = project(view, at, view->xy + 2 * i);
    }
}

struct view *view_new(struct arena *arena, const float *points, int64_t n, int dims) {
    struct view *view = arena_alloc(arena, sizeof *view);
    view->dims = dims;
    view->xy = arena_array(arena, n, 2 * sizeof *view->xy);
    find_box(view, points, n);
    if (dims == 2) {
        lay_flat(arena, view, points, n);
    } else {
        lay_deep(arena, view, points, n);
    }
    for (int64_t i = 0; i < n; i++) {
        double *xy = view->xy + 2 * i;
        if (!isfinite(xy[0]) || !isfinite(xy[1])) {
            xy[0] = xy[1] = (double)NAN;
        }
    }
    return view;
}

/* ---- axes ---- */

static const char *title_of(const char *const *titles, int d) {
    return titles && titles[d] ? titles[d] : "";
}

static void edge(struct canvas *canvas, const struct view *view, int from, int to, double x,
                 double y, uint32_t colour) {
    double a[2], b[2];
    corner(view, from, a);
    corner(view, to, b);
    canvas_line(canvas, x + a[0], y + a[1], x + b[0], y + b[1], 0.8, colour);
}

/* Where the name of dimension d stands, by an edge in front. */
static void place_name(const struct view *view, int d, struct canvas_style *style, double *at) {
    static const int named[][2] = { { 0, 1 }, { 0, 2 }, { 2, 6 } };
    double a[2], b[2];
    corner(view, named[d][0], a);
    corner(view, named[d][1], b);
    *style = page_axis_style();
    style->x = d == 0 ? 0.3 : 1;
    style->y = d == 2 ? 0.5 : 0;
    at[0] = (a[0] + b[0]) / 2 - (d == 2 ? 7 : 0);
    at[1] = (a[1] + b[1]) / 2 + (d == 2 ? 0 : 7);
}

/* The floor and the two walls behind, then the names along the edges in front. */
static void draw_box(struct canvas *canvas, const struct view *view, const char *const *titles,
                     double x, double y) {
    static const int behind[][2] = { { 0, 1 }, { 0, 2 }, { 1, 3 }, { 2, 3 }, { 2, 6 },
                                     { 3, 7 }, { 6, 7 }, { 1, 5 }, { 5, 7 } };
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        edge(canvas, view, behind[i][0], behind[i][1], x, y, COLOUR_LINE);
    }
    for (int d = 0; d < 3; d++) {
        struct canvas_style style;
        double at[2];
        place_name(view, d, &style, at);
        canvas_write(canvas, &style, x + at[0], y + at[1], title_of(titles, d));
    }
}

void view_axes(struct canvas *canvas, const struct view *view, const char *const *titles,
               double x, double y) {
    if (view->dims == 3) {
        draw_box(canvas, view, titles, x, y);
        return;
    }
    double line = canvas_hairline(canvas);
    ruler_left(canvas, &view->down, x, y, view->width, title_of(titles, 1));
    ruler_bottom(canvas, &view->across, x, y + view->height, view->height, title_of(titles, 0));
    canvas_rect(canvas, x, y + view->height - line / 2, view->width, line, COLOUR_LINE);
    canvas_rect(canvas, x - line / 2, y, line, view->height, COLOUR_LINE);
}

/* What names of the box's edges reach over the plot at the left. */
static double room_for_names(struct canvas *probe, const struct view *view,
                             const char *const *titles) {
    double least = 0;
    for (int d = 0; d < 3; d++) {
        struct canvas_style style;
        double at[2];
        place_name(view, d, &style, at);
        double width = canvas_measure(probe, &style, title_of(titles, d)).width;
        least = fmin(least, at[0] - style.x * width);
    }
    return -least;
}

double view_left_room(struct canvas *probe, const struct view *view,
                      const char *const *titles) {
    return view->dims == 3 ? room_for_names(probe, view, titles)
                           : ruler_left_room(probe, &view->down, title_of(titles, 1));
}

double view_bottom_room(const struct view *view, const char *const *titles) {
    return view->dims == 3 ? 0 : ruler_bottom_room(title_of(titles, 0));
}
