#include "core/draw/cells.h"

#include <math.h>
#include <string.h>

#include "core/draw/colour.h"
#include "core/draw/page.h"

enum {
    LEVELS = 129,          /* colours of the scale; the rest of the palette is for letters */
    LEVELS_SMALL = 65,     /* enough where cells are few pixels; makes small files */
    LEVELS_ANNOTATED = 45, /* numbers on the cells need shades of every cell colour */
    SHADES_ANNOTATED = 4
};

/* The figure being drawn. */
struct drawing {
    struct canvas *canvas;
    const struct cells *cells;
    const struct cells_layout *l;
    double x, y; /* of the body */
    struct colour_scale scale;
    uint32_t colours[255]; /* the scale's, then that of what is missing */
    unsigned char *levels; /* room for a panel's cells */
};

static void write_at(const struct drawing *d, struct canvas_style style, double x_share,
                     double y_share, double angle, double x, double y, const char *text) {
    style.x = x_share;
    style.y = y_share;
    style.angle = angle;
    canvas_write(d->canvas, &style, x, y, text);
}

static void draw_cells(const struct drawing *d, double x, double y, const float *values) {
    int64_t columns = d->cells->columns.count, rows = d->cells->rows.count;
    for (int64_t i = 0; i < rows * columns; i++) {
        int level = colour_level(&d->scale, (double)values[i]);
        d->levels[i] = (unsigned char)(level < 0 ? d->scale.levels : level);
    }
    canvas_cells(d->canvas, &(struct canvas_cells){ .x = x,
                                                    .y = y,
                                                    .width = d->l->cell,
                                                    .height = d->l->cell,
                                                    .columns = columns,
                                                    .rows = rows,
                                                    .levels = d->levels,
                                                    .colours = d->colours,
                                                    .count = d->scale.levels + 1 });
}

static void draw_frame(const struct drawing *d, double x, double y) {
    const struct cells_layout *l = d->l;
    double line = canvas_hairline(d->canvas);
    canvas_rect(d->canvas, x - line, y - line, l->panel_width + 2 * line, line, COLOUR_LINE);
    canvas_rect(d->canvas, x - line, y + l->panel_height, l->panel_width + 2 * line, line,
                COLOUR_LINE);
    canvas_rect(d->canvas, x - line, y, line, l->panel_height, COLOUR_LINE);
    canvas_rect(d->canvas, x + l->panel_width, y, line, l->panel_height, COLOUR_LINE);
}

/* White lines between large cells, so that each is seen for itself. */
static void draw_lines(const struct drawing *d, double x, double y) {
    const struct cells_layout *l = d->l;
    for (int64_t c = 1; c < d->cells->columns.count; c++) {
        canvas_rect(d->canvas, x + l->cell * (double)c - 0.5, y, 1, l->panel_height,
                    COLOUR_PAPER);
    }
    for (int64_t r = 1; r < d->cells->rows.count; r++) {
        canvas_rect(d->canvas, x, y + l->cell * (double)r - 0.5, l->panel_width, 1,
                    COLOUR_PAPER);
    }
}

static void draw_numbers(const struct drawing *d, double x, double y, const float *values) {
    const struct cells *cells = d->cells;
    struct canvas_style style = { .size = fmin(9.5, d->l->cell * 0.31),
                                  .on = true,
                                  .shades = SHADES_ANNOTATED };
    double range = cells->high - cells->low;
    for (int64_t i = 0; i < cells->rows.count * cells->columns.count; i++) {
        double value = (double)values[i];
        style.colour = colour_of(&d->scale, value);
        double column = (double)(i % cells->columns.count);
        double row = (double)(i / cells->columns.count);
        write_at(d, style, 0.5, 0.5, 0, x + d->l->cell * (column + 0.5),
                 y + d->l->cell * (row + 0.5),
                 figure_number(d->canvas->arena, value, cells->is_signed ? range / 2 : range));
    }
}

static void draw_row_labels(const struct drawing *d, double x, double y) {
    const struct cells_layout *l = d->l;
    struct canvas_style style = cells_layout_label_style(l);
    double line = canvas_hairline(d->canvas);
    for (int64_t i = 0; l->row_step > 0 && i < d->cells->rows.count; i += l->row_step) {
        if (l->row_step > 1) {
            canvas_rect(d->canvas, x - CELLS_TICK - 1,
                        y + l->cell * ((double)i + 0.5) - line / 2, CELLS_TICK, line,
                        COLOUR_QUIET);
        }
        write_at(d, style, 1, 0.5, 0, x - 6, y + l->cell * ((double)i + 0.5),
                 cells_layout_label(d->canvas->arena, d->cells, &d->cells->rows, i));
    }
}

static void draw_column_labels(const struct drawing *d, double x, double y) {
    const struct cells_layout *l = d->l;
    struct canvas_style style = cells_layout_label_style(l);
    bool flat = l->label_angle <= 0;
    double line = canvas_hairline(d->canvas);
    for (int64_t i = 0; l->column_step > 0 && i < d->cells->columns.count;
         i += l->column_step) {
        if (l->column_step > 1) {
            canvas_rect(d->canvas, x + l->cell * ((double)i + 0.5) - line / 2,
                        y - CELLS_TICK - 1, line, CELLS_TICK, COLOUR_QUIET);
        }
        write_at(d, style, flat ? 0.5 : 0, flat ? 1 : 0.5, l->label_angle,
                 x + l->cell * ((double)i + 0.5), flat ? y - 4 : y - 7,
                 cells_layout_label(d->canvas->arena, d->cells, &d->cells->columns, i));
    }
}

static void draw_panel(const struct drawing *d, int64_t i) {
    const struct cells *cells = d->cells;
    const float *values = cells->values + i * cells->rows.count * cells->columns.count;
    double x = d->x + cells_layout_panel_x(cells, i), y = d->y + cells_layout_panel_y(cells, i);
    draw_cells(d, x, y, values);
    if (d->l->cell >= 12) {
        draw_lines(d, x, y);
    }
    draw_frame(d, x, y);
    if (d->l->annotated) {
        draw_numbers(d, x, y, values);
    }
    draw_row_labels(d, x, y);
    draw_column_labels(d, x, y);
    if (cells->panel_titles) {
        write_at(d, cells_layout_outer_style(), 0, 1, 0, x, y - d->l->above - 3,
                 cells->panel_titles[i]);
    }
}

/* The numbers of layers and heads round a grid. */
static void draw_outer_labels(const struct drawing *d) {
    const struct cells_layout *l = d->l;
    const struct cells *cells = d->cells;
    struct canvas_style style = cells_layout_outer_style();
    for (int64_t i = 0; i < cells->panel_rows.count; i++) {
        double y = d->y + l->top + l->pitch_y * (double)i + l->panel_height / 2;
        write_at(d, style, 1, 0.5, 0, d->x + l->outer_x, y,
                 cells_layout_label(d->canvas->arena, d->cells, &cells->panel_rows, i));
    }
    for (int64_t i = 0; i < cells->panel_columns.count; i++) {
        double x = d->x + l->left + l->pitch_x * (double)i + l->panel_width / 2;
        write_at(d, style, 0.5, 1, 0, x, d->y + l->outer_y,
                 cells_layout_label(d->canvas->arena, d->cells, &cells->panel_columns, i));
    }
}

static void draw_axis_titles(const struct drawing *d) {
    const struct cells_layout *l = d->l;
    double width = l->pitch_x * (double)(d->cells->panel_columns.count - 1) + l->panel_width;
    struct canvas_style style = page_axis_style();
    write_at(d, style, 0.5, 0.5, 90, d->x + l->row_title_x, d->y + l->row_title_y,
             cells_layout_row_title(d->cells));
    const char *title = cells_layout_column_title(d->cells);
    double half = canvas_measure(d->canvas, &style, title).width / 2;
    write_at(d, style, 0.5, 0.5, 0, d->x + l->left + fmax(width / 2, half),
             d->y + l->column_title_y, title);
}

/* A row of cells a device pixel. */
static void draw_ramp(const struct drawing *d) {
    const struct cells_layout *l = d->l;
    int64_t rows = canvas_edge(d->canvas, l->bar_height);
    unsigned char *levels = arena_raw(d->canvas->arena, (size_t)rows);
    for (int64_t i = 0; i < rows; i++) {
        double value = d->cells->high -
                       (d->cells->high - d->cells->low) * ((double)i + 0.5) / (double)rows;
        levels[i] = (unsigned char)colour_level(&d->scale, value);
    }
    canvas_cells(d->canvas, &(struct canvas_cells){ .x = d->x + l->bar_x,
                                                    .y = d->y + l->bar_y,
                                                    .width = l->bar_width,
                                                    .height = 1 / d->canvas->scale,
                                                    .columns = 1,
                                                    .rows = rows,
                                                    .levels = levels,
                                                    .colours = d->colours,
                                                    .count = d->scale.levels });
}

static void draw_bar(const struct drawing *d) {
    const struct cells_layout *l = d->l;
    struct canvas_style style = cells_layout_bar_style();
    double right = d->x + l->bar_x + l->bar_width, line = canvas_hairline(d->canvas);
    double bottom = d->y + l->bar_y + l->bar_height;
    draw_ramp(d);
    for (int i = 0; i < l->bar.count; i++) {
        double y = bottom - ruler_at(&l->bar, l->bar.ticks[i]);
        canvas_rect(d->canvas, right, y - line / 2, CELLS_TICK, line, COLOUR_QUIET);
        canvas_write(d->canvas, &style, right + CELLS_TICK + 2, y, l->bar.labels[i]);
    }
    const char *unit =
        *l->bar.factor ? arena_printf(d->canvas->arena, "%s  %s", d->cells->unit, l->bar.factor)
                       : d->cells->unit;
    write_at(d, page_axis_style(), 0.5, 0.5, 90, d->x + l->unit_x, bottom - l->bar_height / 2,
             unit);
}

static void draw_all(const struct drawing *d) {
    for (int64_t i = 0; i < d->cells->panels; i++) {
        draw_panel(d, i);
    }
    draw_bar(d);
    if (d->cells->panels > 1 && !d->cells->panel_titles) {
        draw_outer_labels(d);
    }
    draw_axis_titles(d);
}

struct cells *cells_of(const struct figure *figure) {
    return figure->body;
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct cells *cells = cells_of(figure);
    cells->layout = cells_layout_of(probe, cells);
    return (struct canvas_size){ cells->layout.width, cells->layout.height };
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct cells *cells = cells_of(figure);
    struct drawing d = {
        .canvas = canvas, .cells = cells, .l = &cells->layout, .x = x, .y = y
    };
    colour_scale_init(&d.scale, figure->colours, cells->low, cells->high, cells->is_signed,
                      cells->layout.annotated ? LEVELS_ANNOTATED
                      : cells->panels > 4     ? LEVELS_SMALL
                                              : LEVELS);
    for (int i = 0; i < d.scale.levels; i++) {
        d.colours[i] = d.scale.colours[i];
        canvas_colour(canvas, d.colours[i]); /* before shades at edges fill the palette */
    }
    d.colours[d.scale.levels] = COLOUR_MISSING;
    d.levels = arena_raw(canvas->arena, (size_t)(cells->rows.count * cells->columns.count));
    draw_all(&d);
}

const char *cells_panel(struct arena *arena, const struct cells *cells, int64_t i) {
    if (cells->panel_titles) {
        return cells->panel_titles[i];
    }
    if (cells->panels == 1) {
        return "";
    }
    const struct figure_axis *rows = &cells->panel_rows, *columns = &cells->panel_columns;
    return arena_printf(arena, "%s %s %s %s", rows->title,
                        figure_label(arena, rows, i / columns->count), columns->title,
                        figure_label(arena, columns, i % columns->count));
}

const struct figure_form cells_form = {
    .kind = "heatmap",
    .measure = measure,
    .draw = draw,
    .hover = cells_hover,
    .json = cells_json,
};
