#ifndef CORE_DRAW_CELLS_H
#define CORE_DRAW_CELLS_H

#include "core/draw/cells_layout.h"
#include "core/draw/figure.h"
#include "core/draw/pooling.h"

/* cells: the body of heat maps: matrices of coloured cells side by side with one common scale,
 * their labels and a colour bar. */

struct standing;

struct cells {
    /* Panels stand in rows and columns; the last row may be short. Where `panel_titles` is NULL
     * the panel axes are labelled at the edges. */
    struct figure_axis panel_rows, panel_columns, rows, columns;
    int64_t panels;
    const char **panel_titles;       /* [panels], or NULL */
    const float *values;             /* [panels, rows.count, columns.count] */
    const struct pooling_best *best; /* [panels, rows.count] */
    const struct pooling *sent; /* the cells of the JSON, coarser where those of the picture
                                   would be too many bytes; NULL: the same */

    double low, high; /* the common scale; -high .. high when is_signed */
    bool is_signed;
    const char *unit; /* beside the colour bar */
    bool annotated;   /* the values are written into the cells */

    /* What the interactive view has besides. */
    const char *series;  /* whose numbers they are */
    int panel_axes;      /* how many of its axes, the first ones, number the panels */
    const bool *rests;   /* [columns.source] of struct series, or NULL */
    int64_t score_count; /* series [panel_rows, panel_columns] of the same result */
    const struct series **scores;
    int64_t standing_count; /* panels that are sent whole beside pools (standing.h) */
    const struct standing *standing;

    struct cells_layout layout; /* by measure */
};

extern const struct figure_form cells_form;

struct cells *cells_of(const struct figure *figure);

/* "layer 5 head 1": what panel `i` shows; "" for the only one. */
const char *cells_panel(struct arena *arena, const struct cells *cells, int64_t i);

/* The form's parts in files of their own. The JSON has the four axes with labels, the scale,
 * and the values in base64, row-major, little endian:
 *
 *     "f32"  numbers as they are: at most CELLS_JSON_EXACT of them, or where some are not
 *            finite
 *     "u8"   low + byte / 255 * (high - low) of the scale
 *
 * An axis of more places than CELLS_JSON_LABELS has no labels: its places are pooled, and
 * %save has them. Where cells are pools, "pooled" says of what; they may be coarser than the
 * picture's. What the view has besides:
 *
 *     "series"     the name by which the living kernel finds the numbers (ask "tile")
 *     "panelAxes"  how many of its leading axes number the panels: 0, 1 or 2; the axes that
 *                  are none of these come first in "axes" with the count 1
 *     "rests"      places of the last axis where heads rest; absent: none are known
 *     "scores"     [{"name", "unit", "values": an array "f32" [panel rows, panel columns]}]
 *     "whole"      panels that stand out, of cells that are pooled: [{"at": [panel row, panel
 *                  column], "nibbles": base64}], bytes of all cells as standing.h has them */
enum { CELLS_JSON_EXACT = 4096, CELLS_JSON_LABELS = 4096 };
void cells_json(struct jsonwrite *w, const struct figure *figure);
void cells_hover(struct buf *out, const struct figure *figure, double x, double y);

#endif
