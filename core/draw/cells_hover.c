#include <math.h>
#include <string.h>

#include "core/draw/cells.h"
#include "core/draw/hover.h"

enum { LABEL_COLUMNS = 40 }; /* in a title */

/* Titles over a body of cells that stands at x, y. */
struct hovering {
    struct arena *arena;
    struct buf *out;
    const struct cells *cells;
    double x, y;
};

static const char *number(const struct hovering *h, double value) {
    const struct cells *cells = h->cells;
    return figure_number(h->arena, value,
                         cells->is_signed ? cells->high : cells->high - cells->low);
}

static const char *brief(const struct hovering *h, const char *label) {
    return figure_short(h->arena, label, LABEL_COLUMNS);
}

/* "cat → mat: 0.42" over every cell of panel i. */
static void over_cells(const struct hovering *h, int64_t panel) {
    const struct cells *cells = h->cells;
    int64_t rows = cells->rows.count, columns = cells->columns.count;
    const float *values = cells->values + panel * rows * columns;
    hover_grid(h->out, h->x + cells_layout_panel_x(cells, panel),
               h->y + cells_layout_panel_y(cells, panel), columns, cells->layout.cell,
               cells->layout.cell);
    for (int64_t i = 0; i < rows * columns; i++) {
        const char *row = figure_place(h->arena, &cells->rows, i / columns);
        const char *column = figure_place(h->arena, &cells->columns, i % columns);
        hover_title(h->out, arena_printf(h->arena, "%s → %s: %s", brief(h, row),
                                         brief(h, column), number(h, (double)values[i])));
    }
    hover_end(h->out);
}

static const char *best_text(const struct hovering *h, const struct pooling_best *best) {
    return arena_printf(h->arena, "%s → %s: %s",
                        brief(h, figure_label(h->arena, &h->cells->rows, best->row)),
                        brief(h, figure_label(h->arena, &h->cells->columns, best->column)),
                        number(h, (double)best->value));
}

/* One strip a row of the only panel: where that row is strongest. */
static void over_rows(const struct hovering *h) {
    const struct cells_layout *l = &h->cells->layout;
    hover_grid(h->out, h->x + l->left, h->y + l->top, 1, l->panel_width, l->cell);
    for (int64_t r = 0; r < h->cells->rows.count; r++) {
        hover_title(h->out, best_text(h, &h->cells->best[r]));
    }
    hover_end(h->out);
}

static const struct pooling_best *panel_best(const struct cells *cells, int64_t panel) {
    const struct pooling_best *best = &cells->best[panel * cells->rows.count];
    for (int64_t r = 1; r < cells->rows.count; r++) {
        const struct pooling_best *other = &cells->best[panel * cells->rows.count + r];
        double a = (double)other->value, b = (double)best->value;
        best = (cells->is_signed ? fabs(a) > fabs(b) : a > b) ? other : best;
    }
    return best;
}

/* One title a panel: its name and its strongest cell. */
static void over_panels(const struct hovering *h) {
    const struct cells_layout *l = &h->cells->layout;
    hover_grid(h->out, h->x + l->left, h->y + l->top, h->cells->panel_columns.count, l->pitch_x,
               l->pitch_y);
    for (int64_t i = 0; i < h->cells->panels; i++) {
        hover_title(h->out, arena_printf(h->arena, "%s: %s", cells_panel(h->arena, h->cells, i),
                                         best_text(h, panel_best(h->cells, i))));
    }
    hover_end(h->out);
}

/* Bytes that titles over every cell would take. */
static double hover_bytes(const struct cells *cells) {
    double bytes = 0;
    const struct figure_axis *axes[] = { &cells->rows, &cells->columns };
    for (int a = 0; a < 2; a++) {
        double length = 0;
        for (int64_t i = 0; axes[a]->labels && i < axes[a]->source; i++) {
            length += (double)strlen(axes[a]->labels[i]);
        }
        bytes += length / (double)axes[a]->source;
    }
    double n = (double)(cells->panels * cells->rows.count * cells->columns.count);
    return n > HOVER_COUNT ? (double)INFINITY : n * (bytes + HOVER_EACH);
}

void cells_hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct cells *cells = cells_of(figure);
    struct hovering h = { figure->arena, out, cells, x, y };
    if (hover_bytes(cells) <= HOVER_BYTES) {
        for (int64_t i = 0; i < cells->panels; i++) {
            over_cells(&h, i);
        }
    } else if (cells->panels > 1) {
        over_panels(&h);
    } else {
        over_rows(&h);
    }
}
