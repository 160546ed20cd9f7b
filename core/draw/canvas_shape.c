#include <math.h>
#include <string.h>

#include "core/draw/canvas_record.h"

/* Smooth lines and discs: a pixel is covered as far as its middle lies within the shape's edge
 * moved by half a pixel, which is right to a few percent of a shade for shapes wider than a
 * pixel. Thinner lines are drawn a pixel wide and paler. */

enum { SHADES = 15 };

/* What a curve covers: a part of the canvas, and in each of its rows the columns touched. */
struct strokes {
    int64_t left, top, columns, rows;
    unsigned char *cover;   /* [rows, columns] */
    int64_t *first, *after; /* [rows] */
    double half;            /* of the width, device pixels */
    double inside, outside; /* squares of half a pixel less, and more */
    double strength;        /* 1; less for lines thinner than a pixel */
};

static int64_t clamp(double at, int64_t low, int64_t high) {
    return at <= (double)low ? low : at >= (double)high ? high : (int64_t)at;
}

/* A pixel whose middle is so far (squared) from the line; roots are taken at the edges only. */
static void touch(struct strokes *s, int64_t row, int64_t column, double square) {
    if (square >= s->outside) {
        return;
    }
    double near = square <= s->inside ? 1 : fmin(1, s->half + 0.5 - sqrt(square));
    unsigned char *cover = s->cover + row * s->columns + column;
    unsigned char part = (unsigned char)(near * s->strength * 255 + 0.5);
    *cover = part > *cover ? part : *cover;
    s->first[row] = column < s->first[row] ? column : s->first[row];
    s->after[row] = column >= s->after[row] ? column + 1 : s->after[row];
}

/* One straight part with round ends, in device pixels from the strokes' top left. Each row it
 * passes is visited only where it can be near. */
static void stroke(struct strokes *s, double x0, double y0, double x1, double y1) {
    double dx = x1 - x0, dy = y1 - y0, square = dx * dx + dy * dy, reach = s->half + 1;
    double inverse = square > 0 ? 1 / square : 0;
    int64_t top = clamp(fmin(y0, y1) - reach, 0, s->rows);
    int64_t bottom = clamp(fmax(y0, y1) + reach + 1, 0, s->rows);
    for (int64_t row = top; row < bottom; row++) {
        double y = (double)row + 0.5;
        /* where the line is while within reach of this row */
        double begin = 0, end = 1;
        if (dy != 0) {
            double a = (y - reach - y0) / dy, b = (y + reach - y0) / dy;
            begin = fmax(0, fmin(a, b));
            end = fmin(1, fmax(a, b));
        }
        double xa = x0 + begin * dx, xb = x0 + end * dx;
        int64_t left = clamp(fmin(xa, xb) - reach, 0, s->columns);
        int64_t right = clamp(fmax(xa, xb) + reach + 1, 0, s->columns);
        for (int64_t column = left; begin <= end && column < right; column++) {
            double px = (double)column + 0.5 - x0, py = y - y0;
            double along = (px * dx + py * dy) * inverse;
            along = along < 0 ? 0 : along > 1 ? 1 : along;
            double ex = px - along * dx, ey = py - along * dy;
            touch(s, row, column, ex * ex + ey * ey);
        }
    }
}

static void lay(struct canvas *canvas, const struct strokes *s, uint32_t rgb) {
    for (int64_t row = 0; row < s->rows; row++) {
        int64_t first = s->first[row];
        if (first < s->after[row]) {
            struct canvas_cover line = { s->after[row] - first, 1, 0,
                                         s->cover + row * s->columns + first };
            canvas_lay(canvas, &line, s->left + first, s->top + row, rgb, SHADES);
        }
    }
}

/* The part of the canvas that the curve can touch; false: none. */
static bool place(struct strokes *s, const struct canvas *canvas, const double *xy, int64_t n) {
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double x = xy[2 * i] * canvas->scale, y = xy[2 * i + 1] * canvas->scale;
        if (isfinite(x) && isfinite(y)) {
            x0 = x < x0 ? x : x0;
            x1 = x > x1 ? x : x1;
            y0 = y < y0 ? y : y0;
            y1 = y > y1 ? y : y1;
        }
    }
    double reach = s->half + 1;
    s->left = clamp(x0 - reach, 0, canvas->width);
    s->top = clamp(y0 - reach, 0, canvas->height);
    s->columns = clamp(x1 + reach + 1, 0, canvas->width) - s->left;
    s->rows = clamp(y1 + reach + 1, 0, canvas->height) - s->top;
    return x0 <= x1 && s->columns > 0 && s->rows > 0;
}

void canvas_curve(struct canvas *canvas, const double *xy, int64_t n, double width,
                  uint32_t rgb) {
    if (canvas->record) {
        canvas_record_curve(canvas, xy, n, width, rgb);
        return;
    }
    double wide = width * canvas->scale;
    struct strokes s = { .half = fmax(wide, 1) / 2, .strength = fmin(wide, 1) };
    s.inside = (s.half - 0.5) * (s.half - 0.5);
    s.outside = (s.half + 0.5) * (s.half + 0.5);
    if (!place(&s, canvas, xy, n)) {
        return;
    }
    struct arena *scratch = arena_new();
    s.cover = arena_array(scratch, s.rows, (size_t)s.columns);
    s.first = arena_array(scratch, s.rows, sizeof *s.first);
    s.after = arena_array(scratch, s.rows, sizeof *s.after);
    for (int64_t row = 0; row < s.rows; row++) {
        s.first[row] = s.columns;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t next = i + 1 < n ? i + 1 : i;
        double part[4] = { xy[2 * i], xy[2 * i + 1], xy[2 * next], xy[2 * next + 1] };
        for (int j = 0; j < 4; j++) {
            part[j] = part[j] * canvas->scale - (double)(j % 2 ? s.top : s.left);
        }
        if (isfinite(part[0] + part[1] + part[2] + part[3]) && (next > i || n == 1)) {
            stroke(&s, part[0], part[1], part[2], part[3]);
        }
    }
    lay(canvas, &s, rgb);
    arena_free(scratch);
}

void canvas_line(struct canvas *canvas, double x0, double y0, double x1, double y1,
                 double width, uint32_t rgb) {
    canvas_curve(canvas, (const double[]){ x0, y0, x1, y1 }, 2, width, rgb);
}

/* Rows of the square round the disc; only at the edge is a root taken. */
static void disc_cover(unsigned char *cover, int64_t side, double x, double y, double radius) {
    double inside = radius > 0.5 ? (radius - 0.5) * (radius - 0.5) : 0;
    double outside = (radius + 0.5) * (radius + 0.5);
    for (int64_t row = 0; row < side; row++) {
        double dy = (double)row + 0.5 - y;
        for (int64_t column = 0; column < side; column++) {
            double dx = (double)column + 0.5 - x, square = dx * dx + dy * dy;
            double part = square <= inside    ? 1
                          : square >= outside ? 0
                                              : fmin(1, radius + 0.5 - sqrt(square));
            cover[row * side + column] = (unsigned char)(part * 255 + 0.5);
        }
    }
}

void canvas_disc(struct canvas *canvas, double x, double y, double radius, uint32_t rgb) {
    enum { SIDE = 128 };
    if (canvas->record) {
        canvas_record_add(canvas, MARK_DISC, rgb, (double[]){ x, y, radius, 0 });
        return;
    }
    double cx = x * canvas->scale, cy = y * canvas->scale, r = radius * canvas->scale;
    if (!(r > 0 && isfinite(cx) && isfinite(cy)) || cx + r < 0 || cy + r < 0 ||
        cx - r > (double)canvas->width || cy - r > (double)canvas->height) {
        return;
    }
    if (2 * r + 3 > SIDE) { /* a dot of a very wide pen */
        canvas_curve(canvas, (const double[]){ x, y }, 1, 2 * radius, rgb);
        return;
    }
    unsigned char cover[SIDE * SIDE];
    int64_t left = (int64_t)floor(cx - r - 1), top = (int64_t)floor(cy - r - 1);
    int64_t side = (int64_t)ceil(2 * r + 3);
    disc_cover(cover, side, cx - (double)left, cy - (double)top, r);
    canvas_lay(canvas, &(struct canvas_cover){ side, side, side, cover }, left, top, rgb,
               SHADES);
}

void canvas_wedge(struct canvas *canvas, struct canvas_upright left,
                  struct canvas_upright right, uint32_t rgb) {
    if (canvas->record) {
        canvas_record_wedge(canvas, left, right, rgb);
        return;
    }
    int64_t first = canvas_edge(canvas, left.x), last = canvas_edge(canvas, right.x);
    for (int64_t c = first; c < last; c++) { /* a device column at a time */
        double at = ((double)(c - first) + 0.5) / (double)(last - first);
        double top = left.top + (right.top - left.top) * at;
        double bottom = left.bottom + (right.bottom - left.bottom) * at;
        bottom = fmax(bottom, top + 1 / canvas->scale);
        canvas_rect(canvas, (double)c / canvas->scale, top, 1 / canvas->scale, bottom - top,
                    rgb);
    }
}
