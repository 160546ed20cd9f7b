#ifndef CORE_DRAW_CANVAS_RECORD_H
#define CORE_DRAW_CANVAS_RECORD_H

#include "core/draw/canvas.h"

/* canvas_record: what was drawn on a canvas, in turn, for forms that keep lines and letters:
 * svg_out and canvas_pdf write it. Lengths are CSS pixels, colours those of the theme. What is
 * not finite or has no extent is not recorded. */

/* How far the rim of a text with a halo reaches. */
#define CANVAS_HALO 1.3

enum canvas_mark_kind { MARK_RECT, MARK_CELLS, MARK_CURVE, MARK_DISC, MARK_WEDGE, MARK_TEXT };

struct canvas_mark {
    struct canvas_mark *next;
    enum canvas_mark_kind kind;
    uint32_t rgb;
    double at[4];              /* rect: x, y, width, height; disc: x, y, radius; text: x, y;
                                  curve: its width */
    struct canvas_cells cells; /* its colours are those of the theme */
    const double *xy;          /* [n, 2], of a curve, with NaN between its parts; of a wedge */
    int64_t n;
    struct canvas_style style;
    const char *text;
};

struct canvas_record {
    struct canvas_mark *first, *newest, **last;
    uint32_t paper;
};

/* A canvas that records. It measures text as one of pixels at that scale does. */
struct canvas *canvas_record_new(struct arena *arena, double width, double height, double scale,
                                 bool dark, struct err *err);

/* Whether cells are better kept as rectangles each: large ones, and not too many. Others are an
 * image, `canvas_record_zoom` of its pixels to a side of a cell: viewers that smooth images
 * then blur only the cells' edges. */
bool canvas_record_apart(const struct canvas_cells *cells);
int64_t canvas_record_zoom(double side);

/* What the canvas's functions call. */
void canvas_record_add(struct canvas *canvas, enum canvas_mark_kind kind, uint32_t rgb,
                       const double at[4]);
void canvas_record_cells(struct canvas *canvas, const struct canvas_cells *cells);
void canvas_record_curve(struct canvas *canvas, const double *xy, int64_t n, double width,
                         uint32_t rgb);
void canvas_record_wedge(struct canvas *canvas, struct canvas_upright left,
                         struct canvas_upright right, uint32_t rgb);
void canvas_record_text(struct canvas *canvas, const struct canvas_style *style, uint32_t ink,
                        double x, double y, const char *text);

#endif
