#include "core/draw/canvas_record.h"

#include <math.h>
#include <string.h>

#include "core/draw/colour.h"

/* Cells from which on, by their shorter side, and up to which number each is a rectangle. */
enum { APART_SIDE = 12, APART_MOST = 4096, ZOOM_MOST = 6 };

static uint32_t themed(const struct canvas *canvas, uint32_t rgb) {
    return canvas->dark ? colour_dark(rgb) : rgb;
}

struct canvas *canvas_record_new(struct arena *arena, double width, double height, double scale,
                                 bool dark, struct err *err) {
    struct canvas *canvas = canvas_new(arena, 1, 1, scale, err);
    if (!canvas) {
        err_pass(err);
        return NULL;
    }
    canvas->dark = dark;
    canvas->pixels = NULL;
    canvas->width = (int64_t)ceil(width * scale);
    canvas->height = (int64_t)ceil(height * scale);
    canvas->record = arena_alloc(arena, sizeof *canvas->record);
    canvas->record->last = &canvas->record->first;
    canvas->record->paper = themed(canvas, COLOUR_PAPER);
    return canvas;
}

bool canvas_record_apart(const struct canvas_cells *cells) {
    return fmin(cells->width, cells->height) >= APART_SIDE &&
           cells->columns * cells->rows <= APART_MOST;
}

int64_t canvas_record_zoom(double side) {
    return (int64_t)fmin(ZOOM_MOST, fmax(1, floor(side / 2 + 0.5)));
}

static struct canvas_mark *add(struct canvas *canvas, enum canvas_mark_kind kind,
                               uint32_t rgb) {
    struct canvas_mark *mark = arena_alloc(canvas->arena, sizeof *mark);
    *mark = (struct canvas_mark){ .kind = kind, .rgb = rgb };
    *canvas->record->last = mark;
    canvas->record->last = &mark->next;
    canvas->record->newest = mark;
    return mark;
}

/* Rectangles laid edge to edge show the paper between them where viewers smooth edges. One of
 * the same colour is one with its neighbour; another goes on a little below the next. Place and
 * length along one direction are at[k] and at[k + 2]. */
static bool join(struct canvas *canvas, uint32_t rgb, const double at[4]) {
    struct canvas_mark *before = canvas->record->newest;
    if (!before || before->kind != MARK_RECT) {
        return false;
    }
    for (int k = 0; k < 2; k++) {
        double *place = before->at, gap = at[k] - place[k] - place[k + 2];
        bool in_line = fabs(at[1 - k] - place[1 - k]) < 1e-6 &&
                       fabs(at[3 - k] - place[3 - k]) < 1e-6 && fabs(gap) < 1e-6;
        if (in_line && before->rgb == rgb) {
            place[k + 2] += at[k + 2];
            return true;
        }
        place[k + 2] += in_line ? fmin(0.5, at[k + 2] / 2) : 0;
    }
    return false;
}

void canvas_record_add(struct canvas *canvas, enum canvas_mark_kind kind, uint32_t rgb,
                       const double at[4]) {
    if (kind == MARK_RECT && join(canvas, themed(canvas, rgb), at)) {
        return;
    }
    double size = kind == MARK_RECT ? fmin(at[2], at[3]) : at[2];
    if (size > 0 && isfinite(at[0] + at[1] + at[2] + at[3])) {
        memcpy(add(canvas, kind, themed(canvas, rgb))->at, at, 4 * sizeof *at);
    }
}

void canvas_record_cells(struct canvas *canvas, const struct canvas_cells *cells) {
    size_t count = (size_t)(cells->columns * cells->rows);
    if (count == 0) {
        return;
    }
    unsigned char *levels = arena_raw(canvas->arena, count);
    uint32_t *colours = arena_array(canvas->arena, cells->count, sizeof *colours);
    memcpy(levels, cells->levels, count);
    for (int i = 0; i < cells->count; i++) {
        colours[i] = themed(canvas, cells->colours[i]);
    }
    struct canvas_mark *mark = add(canvas, MARK_CELLS, 0);
    mark->cells = *cells;
    mark->cells.levels = levels;
    mark->cells.colours = colours;
}

void canvas_record_curve(struct canvas *canvas, const double *xy, int64_t n, double width,
                         uint32_t rgb) {
    if (n <= 0 || !(width > 0)) {
        return;
    }
    if (n == 1) {
        canvas_record_add(canvas, MARK_DISC, rgb, (double[]){ xy[0], xy[1], width / 2, 0 });
        return;
    }
    double *kept = arena_array(canvas->arena, n, 2 * sizeof *kept);
    memcpy(kept, xy, (size_t)n * 2 * sizeof *kept);
    struct canvas_mark *mark = add(canvas, MARK_CURVE, themed(canvas, rgb));
    mark->at[0] = width;
    mark->xy = kept;
    mark->n = n;
}

void canvas_record_wedge(struct canvas *canvas, struct canvas_upright left,
                         struct canvas_upright right, uint32_t rgb) {
    double thin = canvas_hairline(canvas), *xy = arena_array(canvas->arena, 8, sizeof *xy);
    left.bottom = fmax(left.bottom, left.top + thin);
    right.bottom = fmax(right.bottom, right.top + thin);
    const double corners[] = { left.x,  left.top,     right.x, right.top,
                               right.x, right.bottom, left.x,  left.bottom };
    memcpy(xy, corners, sizeof corners);
    struct canvas_mark *mark = add(canvas, MARK_WEDGE, themed(canvas, rgb));
    mark->xy = xy;
    mark->n = 4;
}

void canvas_record_text(struct canvas *canvas, const struct canvas_style *style, uint32_t ink,
                        double x, double y, const char *text) {
    if (*text && isfinite(x) && isfinite(y)) {
        struct canvas_mark *mark = add(canvas, MARK_TEXT, ink);
        mark->at[0] = x;
        mark->at[1] = y;
        mark->style = *style;
        mark->text = arena_copy(canvas->arena, text);
    }
}
