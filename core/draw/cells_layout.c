#include "core/draw/cells_layout.h"

#include <math.h>

#include "core/draw/cells.h"
#include "core/draw/colour.h"
#include "core/draw/page.h"

enum {
    GAP = 6,      /* between neighbouring parts */
    WIDEST = 760, /* of all panels together; output areas are seldom narrower */
    HIGHEST = 1180,
    SINGLE = 620, /* side of a single panel at most */
    CELL_MOST = 34,
    CELL_ANNOTATED = 22,
    ROW_LEAST = 11,    /* pixels from label to label that stay readable */
    COLUMN_LEAST = 14, /* the same for labels that lean */
    FEW = 4,           /* panels side by side that may have labels each */
    LABELLED = 860,    /* width of all panels with labels */
    BAR = 11,
    BAR_LABEL = CELLS_TICK + 2
};

struct canvas_style cells_layout_label_style(const struct cells_layout *layout) {
    return (struct canvas_style){ .size = layout->label_size, .colour = COLOUR_INK };
}

struct canvas_style cells_layout_bar_style(void) {
    return (struct canvas_style){ .size = 9, .colour = COLOUR_INK, .y = 0.5 };
}

struct canvas_style cells_layout_outer_style(void) {
    return (struct canvas_style){ .size = 10, .colour = COLOUR_INK };
}

/* Side of one panel that leaves room for all. */
static double panel_side(int64_t panel_rows, int64_t panel_columns) {
    if (panel_rows * panel_columns == 1) {
        return SINGLE;
    }
    double wide = (double)WIDEST / (double)panel_columns - GAP;
    double high = (double)HIGHEST / (double)panel_rows - GAP;
    return fmax(8, fmin(300, fmin(wide, high)));
}

int64_t cells_layout_cells(int64_t panel_rows, int64_t panel_columns) {
    return (int64_t)panel_side(panel_rows, panel_columns);
}

/* Whole pixels where cells are large enough to see the difference, else half ones. */
static double cell_side(const struct cells *cells) {
    int64_t n =
        cells->rows.count > cells->columns.count ? cells->rows.count : cells->columns.count;
    double side = panel_side(cells->panel_rows.count, cells->panel_columns.count);
    double cell = side / (double)(n > 0 ? n : 1);
    cell = cell >= 3 ? floor(cell) : floor(2 * cell) / 2;
    return fmin(CELL_MOST, fmax(0.5, cell));
}

const char *cells_layout_label(struct arena *arena, const struct cells *cells,
                               const struct figure_axis *axis, int64_t i) {
    if (axis->block > 1) { /* where the pool begins */
        struct figure_axis numbers = *axis;
        numbers.labels = NULL;
        return figure_label(arena, &numbers, i * axis->block);
    }
    return figure_short(arena, figure_label(arena, axis, i),
                        cells->panels == 1 ? CELLS_LABEL_COLUMNS_SINGLE : CELLS_LABEL_COLUMNS);
}

/* 1, 2, 5, 10, 20 ...: the first that keeps labels apart. */
static int64_t step_for(double cell, double least) {
    static const int64_t round[] = { 1, 2, 5 };
    for (int64_t i = 0, ten = 1;; i++) {
        int64_t step = round[i % 3] * ten;
        if ((double)step * cell >= least) {
            return step;
        }
        ten *= i % 3 == 2 ? 10 : 1;
    }
}

static double widest(struct canvas *probe, const struct cells *cells,
                     const struct canvas_style *style, const struct figure_axis *axis,
                     int64_t step) {
    double most = 0;
    for (int64_t i = 0; step > 0 && i < axis->count; i += step) {
        const char *label = cells_layout_label(probe->arena, cells, axis, i);
        most = fmax(most, canvas_measure(probe, style, label).width);
    }
    return most;
}

/* Room that the token labels take beside and above each panel. Panels of a grid are too close
 * to each other for labels unless every token has room for its own. */
static void place_labels(struct cells_layout *l, struct canvas *probe,
                         const struct cells *cells) {
    bool few = cells->panel_rows.count <= FEW && cells->panel_columns.count <= FEW;
    bool room = cells->panels == 1 || (few && l->cell >= COLUMN_LEAST);
    l->row_step = room ? step_for(l->cell, ROW_LEAST) : 0;
    l->column_step = room ? step_for(l->cell, COLUMN_LEAST) : 0;
    l->label_size = fmin(11, fmax(8, l->cell * 0.57));
    struct canvas_style style = cells_layout_label_style(l);
    double rows = widest(probe, cells, &style, &cells->rows, l->row_step);
    double columns = widest(probe, cells, &style, &cells->columns, l->column_step);
    bool flat = columns <= l->cell * (double)l->column_step - 4;
    l->label_angle = flat ? 0 : 45;
    double line = l->label_size * 1.3;
    double rise = flat ? line : (columns + line) * 0.7072;
    l->beside = room ? rows + 6 : 0;
    l->above = room ? rise + 5 : 0;
}

/* Cells give way to labels until all panels fit. */
static void place_panels(struct cells_layout *l, struct canvas *probe,
                         const struct cells *cells) {
    double n = (double)cells->panel_columns.count;
    place_labels(l, probe, cells);
    while (n > 1 && l->beside > 0 &&
           n * (l->beside + l->cell * (double)cells->columns.count) > LABELLED) {
        l->cell -= 1;
        place_labels(l, probe, cells);
    }
    l->annotated = cells->annotated && l->cell >= CELL_ANNOTATED;
    l->panel_width = l->cell * (double)cells->columns.count;
    l->panel_height = l->cell * (double)cells->rows.count;
}

/* The widest label of the panel axis that stands at the left. */
static double outer_width(struct canvas *probe, const struct cells *cells) {
    struct canvas_style style = cells_layout_outer_style();
    return widest(probe, cells, &style, &cells->panel_rows, 1);
}

static bool outer_labels(const struct cells *cells) {
    return cells->panels > 1 && !cells->panel_titles;
}

const char *cells_layout_row_title(const struct cells *cells) {
    return outer_labels(cells) ? cells->panel_rows.title : cells->rows.title;
}

const char *cells_layout_column_title(const struct cells *cells) {
    return outer_labels(cells) ? cells->panel_columns.title : cells->columns.title;
}

/* The values beside the colour bar. */
static void place_bar(struct cells_layout *l, struct canvas *probe, const struct cells *cells) {
    struct canvas_style style = cells_layout_bar_style();
    double widest = 0;
    ruler_init(probe->arena, &l->bar, cells->low, cells->high, false, false, l->bar_height,
               fmax(32, l->bar_height / 6));
    for (int i = 0; i < l->bar.count; i++) {
        widest = fmax(widest, canvas_measure(probe, &style, l->bar.labels[i]).width);
    }
    l->unit_x = l->bar_x + BAR + BAR_LABEL + widest + 14;
}

struct cells_layout cells_layout_of(struct canvas *probe, const struct cells *cells) {
    struct cells_layout l = { .cell = cell_side(cells) };
    bool outer = outer_labels(cells);
    place_panels(&l, probe, cells);
    bool many = cells->panels > 1;
    double titled = cells->panel_titles ? 18 : 0;
    l.pitch_x = l.panel_width + (many ? l.beside + GAP + (l.beside > 0 ? 8 : 0) : 0);
    l.pitch_y = l.panel_height + (many ? titled + l.above + GAP + (titled > 0 ? 4 : 0) : 0);

    double x = 21;
    l.row_title_x = 7;
    l.outer_x = outer ? x + outer_width(probe, cells) : x;
    x = outer ? l.outer_x + GAP : x;
    l.left = ceil(x + l.beside);
    double right =
        l.left + l.pitch_x * (double)(cells->panel_columns.count - 1) + l.panel_width;
    l.bar_x = right + 16;
    double lean = l.label_angle > 0 && !many ? (l.above - 5) : 0;
    double y = 18;
    l.column_title_y = 7;
    l.outer_y = outer ? y + 14 : y;
    y = outer ? l.outer_y + 4 : y;
    l.top = ceil(y + titled + l.above);
    double bottom = l.top + l.pitch_y * (double)(cells->panel_rows.count - 1) + l.panel_height;
    l.bar_y = l.top;
    l.bar_width = BAR;
    l.bar_height = fmax(64, bottom - l.top);
    place_bar(&l, probe, cells);
    l.width = fmax(l.unit_x + 8, right + lean);
    l.row_title_y = (l.top + bottom) / 2;
    struct canvas_style axis = page_axis_style();
    double reach = canvas_measure(probe, &axis, cells_layout_row_title(cells)).width / 2;
    l.height = fmax(fmax(bottom, l.bar_y + l.bar_height), l.row_title_y + reach);
    return l;
}

double cells_layout_panel_x(const struct cells *cells, int64_t i) {
    return cells->layout.left +
           cells->layout.pitch_x * (double)(i % cells->panel_columns.count);
}

double cells_layout_panel_y(const struct cells *cells, int64_t i) {
    return cells->layout.top + cells->layout.pitch_y * (double)(i / cells->panel_columns.count);
}
