#include "core/draw/figure_png.h"

#include <math.h>
#include <string.h>

#include "core/draw/colour.h"

enum {
    LEVELS = 129,          /* colours of the scale; the rest of the palette is for letters */
    LEVELS_SMALL = 65,     /* enough where cells are few pixels; makes small files */
    LEVELS_ANNOTATED = 45, /* numbers on the cells need shades of every cell colour */
    SHADES_ANNOTATED = 4
};

/* The figure being drawn. */
struct drawing {
    struct canvas *canvas;
    const struct figure *figure;
    const struct layout *l;
    struct colour_scale scale;
    unsigned char levels[255]; /* places of the scale's colours in the palette */
};

static void write_at(const struct drawing *d, struct canvas_style style, double x_share,
                     double y_share, double angle, double x, double y, const char *text) {
    style.x = x_share;
    style.y = y_share;
    style.angle = angle;
    canvas_write(d->canvas, &style, x, y, text);
}

/* The cells of one panel: every row is coloured once and copied down its height. */
static void draw_cells(const struct drawing *d, double x, double y, const float *values) {
    struct canvas *canvas = d->canvas;
    int64_t columns = d->figure->columns.count;
    for (int64_t r = 0; r < d->figure->rows.count; r++, values += columns) {
        int64_t top = canvas_edge(canvas, y + d->l->cell * (double)r);
        int64_t bottom = canvas_edge(canvas, y + d->l->cell * (double)(r + 1));
        int64_t first = canvas_edge(canvas, x), left = first;
        unsigned char *line = canvas->pixels + top * canvas->width;
        for (int64_t c = 0; c < columns; c++) {
            int64_t right = canvas_edge(canvas, x + d->l->cell * (double)(c + 1));
            int level = colour_level(&d->scale, (double)values[c]);
            unsigned char colour =
                level < 0 ? canvas_colour(canvas, COLOUR_MISSING) : d->levels[level];
            memset(line + left, colour, (size_t)(right - left));
            left = right;
        }
        for (int64_t row = top + 1; row < bottom; row++) {
            memcpy(canvas->pixels + row * canvas->width + first, line + first,
                   (size_t)(left - first));
        }
    }
}

static void draw_frame(const struct drawing *d, double x, double y) {
    const struct layout *l = d->l;
    double line = fmax(1 / d->canvas->scale, 0.5);
    canvas_rect(d->canvas, x - line, y - line, l->panel_width + 2 * line, line, COLOUR_LINE);
    canvas_rect(d->canvas, x - line, y + l->panel_height, l->panel_width + 2 * line, line,
                COLOUR_LINE);
    canvas_rect(d->canvas, x - line, y, line, l->panel_height, COLOUR_LINE);
    canvas_rect(d->canvas, x + l->panel_width, y, line, l->panel_height, COLOUR_LINE);
}

/* White lines between large cells, so that each is seen for itself. */
static void draw_lines(const struct drawing *d, double x, double y) {
    const struct layout *l = d->l;
    for (int64_t c = 1; c < d->figure->columns.count; c++) {
        canvas_rect(d->canvas, x + l->cell * (double)c - 0.5, y, 1, l->panel_height,
                    COLOUR_PAPER);
    }
    for (int64_t r = 1; r < d->figure->rows.count; r++) {
        canvas_rect(d->canvas, x, y + l->cell * (double)r - 0.5, l->panel_width, 1,
                    COLOUR_PAPER);
    }
}

static void draw_numbers(const struct drawing *d, double x, double y, const float *values) {
    const struct figure *figure = d->figure;
    struct canvas_style style = { .size = fmin(9.5, d->l->cell * 0.31),
                                  .shades = SHADES_ANNOTATED };
    double range = figure->high - figure->low;
    for (int64_t i = 0; i < figure->rows.count * figure->columns.count; i++) {
        double value = (double)values[i];
        style.colour = colour_text_on(colour_of(&d->scale, value));
        double column = (double)(i % figure->columns.count);
        double row = (double)(i / figure->columns.count);
        write_at(d, style, 0.5, 0.5, 0, x + d->l->cell * (column + 0.5),
                 y + d->l->cell * (row + 0.5),
                 figure_number(d->canvas->arena, value, figure->is_signed ? range / 2 : range));
    }
}

static void draw_row_labels(const struct drawing *d, double x, double y) {
    const struct layout *l = d->l;
    struct canvas_style style = layout_label_style(l);
    for (int64_t i = 0; l->row_step > 0 && i < d->figure->rows.count; i += l->row_step) {
        write_at(d, style, 1, 0.5, 0, x - 5, y + l->cell * ((double)i + 0.5),
                 layout_label(d->canvas->arena, &d->figure->rows, i));
    }
}

static void draw_column_labels(const struct drawing *d, double x, double y) {
    const struct layout *l = d->l;
    struct canvas_style style = layout_label_style(l);
    bool flat = l->label_angle <= 0;
    for (int64_t i = 0; l->column_step > 0 && i < d->figure->columns.count;
         i += l->column_step) {
        write_at(d, style, flat ? 0.5 : 0, flat ? 1 : 0.5, l->label_angle,
                 x + l->cell * ((double)i + 0.5), flat ? y - 3 : y - 6,
                 layout_label(d->canvas->arena, &d->figure->columns, i));
    }
}

static void draw_panel(const struct drawing *d, int64_t i) {
    const struct figure *figure = d->figure;
    const float *values = figure->values + i * figure->rows.count * figure->columns.count;
    double x = layout_panel_x(d->l, figure, i), y = layout_panel_y(d->l, figure, i);
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
    if (figure->panel_titles) {
        write_at(d, layout_outer_style(), 0, 1, 0, x, y - d->l->above - 3,
                 figure->panel_titles[i]);
    }
}

/* The numbers of layers and heads round a grid. */
static void draw_outer_labels(const struct drawing *d) {
    const struct layout *l = d->l;
    const struct figure *figure = d->figure;
    struct canvas_style style = layout_outer_style();
    for (int64_t i = 0; i < figure->panel_rows.count; i++) {
        double y = l->top + l->pitch_y * (double)i + l->panel_height / 2;
        write_at(d, style, 1, 0.5, 0, l->outer_x, y,
                 layout_label(d->canvas->arena, &figure->panel_rows, i));
    }
    for (int64_t i = 0; i < figure->panel_columns.count; i++) {
        double x = l->left + l->pitch_x * (double)i + l->panel_width / 2;
        write_at(d, style, 0.5, 1, 0, x, l->outer_y,
                 layout_label(d->canvas->arena, &figure->panel_columns, i));
    }
}

static void draw_axis_titles(const struct drawing *d) {
    const struct layout *l = d->l;
    double width = l->pitch_x * (double)(d->figure->panel_columns.count - 1) + l->panel_width;
    struct canvas_style style = layout_axis_style();
    write_at(d, style, 0.5, 0.5, 90, l->row_title_x, l->row_title_y,
             layout_row_title(d->figure));
    const char *title = layout_column_title(d->figure);
    double half = canvas_measure(d->canvas, &style, title).width / 2;
    write_at(d, style, 0.5, 0.5, 0, fmax(l->left + width / 2, l->left + half),
             l->column_title_y, title);
}

/* Ticks at round values: 1, 2, 2.5 or 5 times a power of ten apart, at most 6 of them. */
static double tick_step(double range) {
    double ten = pow(10, floor(log10(range / 5)));
    double steps[] = { 1, 2, 2.5, 5, 10 };
    for (int i = 0; i < 5; i++) {
        if (range / (steps[i] * ten) <= 5.001) {
            return steps[i] * ten;
        }
    }
    return range;
}

static void draw_bar(const struct drawing *d) {
    const struct layout *l = d->l;
    const struct figure *figure = d->figure;
    double range = figure->high - figure->low;
    int64_t lines = canvas_edge(d->canvas, l->bar_height);
    for (int64_t i = 0; i < lines; i++) {
        double y = l->bar_y + (double)i / d->canvas->scale;
        double value = figure->high - range * ((double)i + 0.5) / (double)lines;
        canvas_rect(d->canvas, l->bar_x, y, l->bar_width, 1 / d->canvas->scale,
                    colour_of(&d->scale, value));
    }
    struct canvas_style style = { .size = 9, .colour = COLOUR_INK };
    double step = tick_step(range), right = l->bar_x + l->bar_width;
    for (double k = ceil(figure->low / step - 1e-9); k * step <= figure->high + step * 1e-6;
         k++) {
        double y = l->bar_y + l->bar_height * (figure->high - k * step) / range;
        canvas_rect(d->canvas, right, y - 0.25, 3, 0.5, COLOUR_QUIET);
        write_at(d, style, 0, 0.5, 0, right + 5, y,
                 arena_printf(d->canvas->arena, "%.6g", k * step + 0.0));
    }
    write_at(d, layout_axis_style(), 0.5, 0.5, 90, right + 40, l->bar_y + l->bar_height / 2,
             figure->unit);
}

static void draw_texts(const struct drawing *d) {
    const struct layout *l = d->l;
    double width = l->width - 2 * l->margin;
    write_at(d, layout_title_style(width), 0, 0, 0, l->margin, l->title_y, d->figure->title);
    write_at(d, layout_note_style(width), 0, 0, 0, l->margin, l->note_y, d->figure->note);
    write_at(d, layout_note_style(width), 0, 0, 0, l->margin, l->foot_y, d->figure->provenance);
}

static void draw_all(const struct drawing *d) {
    for (int64_t i = 0; i < d->figure->panels; i++) {
        draw_panel(d, i);
    }
    draw_bar(d);
    if (d->figure->panels > 1 && !d->figure->panel_titles) {
        draw_outer_labels(d);
    }
    draw_axis_titles(d);
    draw_texts(d);
}

struct figure_png *figure_png(struct arena *arena, const struct figure *figure, double scale,
                              struct err *err) {
    struct canvas *probe = canvas_new(arena, 1, 1, scale, err);
    if (!probe) {
        err_pass(err);
        return NULL;
    }
    struct figure_png *png = arena_alloc(arena, sizeof *png);
    png->layout = layout_of(probe, figure);
    png->canvas = canvas_new(arena, png->layout.width, png->layout.height, scale, err);
    memcpy(png->canvas->texts, probe->texts, sizeof probe->texts); /* what is shaped already */
    struct drawing d = { .canvas = png->canvas, .figure = figure, .l = &png->layout };
    colour_scale_init(&d.scale, figure->low, figure->high, figure->is_signed,
                      png->layout.annotated ? LEVELS_ANNOTATED
                      : figure->panels > 4  ? LEVELS_SMALL
                                            : LEVELS);
    for (int i = 0; i < d.scale.levels; i++) {
        d.levels[i] = canvas_colour(d.canvas, d.scale.colours[i]);
    }
    draw_all(&d);
    return png;
}
