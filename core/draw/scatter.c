#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/guard.h"
#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/density.h"
#include "core/draw/hover.h"
#include "core/draw/placing.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"
#include "core/draw/view.h"

/* Points in two or three dimensions: "points" [n, 2 or 3], their labels by the first axis, the
 * names of the axes by the second; where there is "group" [n] coloured by it, with its `names`
 * as the groups' names. More than DENSE points are a density: cells coloured by the logarithm
 * of their number of points, and by the group that most of them belong to. */

enum {
    DENSE = 5000,
    LABELS = 220, /* tried at most; in a density few */
    LABELS_DENSE = 70,
    LABEL_COLUMNS = 22,
    HOVERED = 400,    /* points with a title each; more: regions */
    REGIONS = 24,     /* along a side */
    LEVELS = 40,      /* colours of a density */
    LEVELS_GROUP = 9, /* of each group's */
    ROWS = 12,
    SENT = 120000,       /* coordinates in the JSON of many points */
    LABEL_BYTES = 500000 /* of their labels */
};

static const double cell_side = 3; /* of a density, CSS pixels */

struct scatter {
    int64_t n;
    int dims;
    const float *points;
    const char **labels;   /* [n], or NULL */
    const char *titles[3]; /* of the axes; "" */
    unsigned char *groups; /* [n], or NULL */
    int64_t group_count;
    struct chart_key keys[COLOUR_CATEGORIES];
    int64_t members[COLOUR_CATEGORIES];
    enum colour_map colours;
    struct view *view;
    struct density *density; /* or NULL */
    double radius;
    /* by measure */
    double left, top;
    struct placed {
        int64_t point;
        const char *text;
        struct placing_spot spot;
    } * placed;
    int64_t placed_count;
};

/* ---- layout ---- */

static struct canvas_style label_style(const struct scatter *s) {
    struct canvas_style style = chart_label_style();
    style.size = s->n <= 60 ? 10.5 : 9.5;
    return style;
}

static const char *label_of(const struct scatter *s, struct arena *arena, int64_t i) {
    return figure_short(arena, figure_visible(arena, s->labels[i]), LABEL_COLUMNS);
}

static void place_labels(struct canvas *probe, struct scatter *s) {
    const struct view *view = s->view;
    struct arena *arena = probe->arena;
    struct placing *placing = placing_new(arena, view->width, view->height);
    int64_t most = s->density ? LABELS_DENSE : LABELS;
    int64_t *order = arena_array(arena, most, sizeof *order);
    int64_t n = placing_order(view->xy, s->n, view->width, view->height, most, order);
    struct canvas_style style = label_style(s);
    double r = s->radius;
    for (int64_t i = 0; !s->density && i < s->n; i++) {
        if (isfinite(view->xy[2 * i])) {
            placing_block(placing, view->xy[2 * i] - r, view->xy[2 * i + 1] - r, 2 * r, 2 * r);
        }
    }
    s->placed = arena_array(arena, most, sizeof *s->placed);
    for (int64_t k = 0; k < n; k++) {
        struct placed *to = &s->placed[s->placed_count];
        const double *at = view->xy + 2 * order[k];
        *to = (struct placed){ .point = order[k], .text = label_of(s, arena, order[k]) };
        struct canvas_size size = canvas_measure(probe, &style, to->text);
        double high =
            size.height * 0.86; /* lines of different labels may share their leading */
        s->placed_count +=
            placing_find(placing, at[0], at[1], r, size.width + 1, high, &to->spot);
    }
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct scatter *s = figure->body;
    const struct view *view = s->view;
    s->left = view_left_room(probe, view, s->titles);
    double width = s->left + view->width + 6;
    s->top = chart_keys_height(probe, s->keys, s->group_count, width);
    if (s->labels) {
        place_labels(probe, s);
    }
    return (struct canvas_size){ width,
                                 s->top + view->height + view_bottom_room(view, s->titles) };
}

/* ---- drawing ---- */

static uint32_t group_colour(const struct scatter *s, int64_t i) {
    return s->groups ? s->keys[s->groups[i]].colour : colour_category(0);
}

/* What is far is paler. */
static uint32_t point_colour(const struct scatter *s, int64_t i) {
    uint32_t colour = group_colour(s, i);
    if (!s->view->depth) {
        return colour;
    }
    double pale = 0.65 * floor(s->view->depth[i] * 6) / 6;
    return colour_mix(colour, COLOUR_PAPER, pale);
}

struct far {
    double depth;
    int64_t point;
};

static int farthest_first(const void *a, const void *b) {
    const struct far *x = a, *y = b;
    return x->depth != y->depth ? (x->depth < y->depth) - (x->depth > y->depth)
                                : (x->point > y->point) - (x->point < y->point);
}

/* The farthest first; in two dimensions as they come. */
static int64_t *drawing_order(struct arena *arena, const struct scatter *s) {
    int64_t *order = arena_array(arena, s->n, sizeof *order);
    struct far *far = arena_array(arena, s->n, sizeof *far);
    for (int64_t i = 0; i < s->n; i++) {
        far[i] = (struct far){ s->view->depth ? s->view->depth[i] : 0, i };
    }
    if (s->view->depth) {
        qsort(far, (size_t)s->n, sizeof *far, farthest_first);
    }
    for (int64_t i = 0; i < s->n; i++) {
        order[i] = far[i].point;
    }
    return order;
}

static void draw_points(struct canvas *canvas, const struct scatter *s, double x, double y) {
    struct arena *scratch = arena_new();
    const int64_t *order = drawing_order(scratch, s);
    for (int64_t i = 0; i < s->n; i++) {
        canvas_colour(canvas, point_colour(s, i));
    }
    for (int64_t k = 0; k < s->n; k++) {
        int64_t i = order[k];
        const double *at = s->view->xy + 2 * i;
        double r = s->radius * (s->view->depth ? 1.25 - 0.6 * s->view->depth[i] : 1);
        if (s->n <= 1000) { /* a rim, so that points over each other are told apart */
            canvas_disc(canvas, x + at[0], y + at[1], r + 0.8, COLOUR_PAPER);
        }
        canvas_disc(canvas, x + at[0], y + at[1], r, point_colour(s, i));
    }
    arena_free(scratch);
}

/* The colours of a density: of each group from pale to its own. */
static uint32_t level_colour(const struct scatter *s, int64_t group, int level) {
    if (!s->groups) {
        return colour_sequential(s->colours, 0.22 + 0.78 * (double)level / LEVELS);
    }
    return colour_mix(COLOUR_PAPER, s->keys[group].colour,
                      0.34 + 0.66 * (double)level / LEVELS_GROUP);
}

static void draw_density(struct canvas *canvas, const struct scatter *s, double x, double y) {
    const struct density *d = s->density;
    int count = s->groups ? LEVELS_GROUP : LEVELS;
    const unsigned char *levels = density_levels(canvas->arena, d, count);
    int64_t kinds = s->groups ? s->group_count : 1, cells = d->rows * d->columns;
    uint32_t *colours = arena_array(canvas->arena, kinds * (count + 1), sizeof *colours);
    for (int64_t i = 0; i < kinds * (count + 1); i++) {
        colours[i] = level_colour(s, i / (count + 1), (int)(i % (count + 1)));
    }
    unsigned char *places = arena_raw(canvas->arena, (size_t)cells);
    for (int64_t i = 0; i < cells; i++) {
        int64_t kind = d->groups ? d->groups[i] : 0;
        places[i] = levels[i] ? (unsigned char)(kind * (count + 1) + levels[i]) : CANVAS_CLEAR;
    }
    canvas_cells(canvas, &(struct canvas_cells){ .x = x,
                                                 .y = y,
                                                 .width = d->cell,
                                                 .height = d->cell,
                                                 .columns = d->columns,
                                                 .rows = d->rows,
                                                 .levels = places,
                                                 .colours = colours,
                                                 .count = (int)(kinds * (count + 1)) });
}

static void draw_label(struct canvas *canvas, const struct scatter *s,
                       const struct placed *label, double x, double y) {
    const double *at = s->view->xy + 2 * label->point;
    struct canvas_style style = label_style(s);
    if (s->density) {
        canvas_disc(canvas, x + at[0], y + at[1], 2.8, COLOUR_PAPER);
        canvas_disc(canvas, x + at[0], y + at[1], 1.9, COLOUR_INK);
    }
    double top = y + label->spot.y - style.size * 0.08;
    style.halo = s->density || s->view->depth;
    chart_write(canvas, style, 0, 0, x + label->spot.x, top, label->text);
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct scatter *s = figure->body;
    double left = x + s->left, top = y + s->top;
    chart_keys(canvas, s->keys, s->group_count, s->left + s->view->width + 6, x, y);
    view_axes(canvas, s->view, s->titles, left, top);
    if (s->density) {
        draw_density(canvas, s, left, top);
    }
    for (int64_t i = 0; i < s->placed_count; i++) { /* leaders below the points */
        const struct placed *label = &s->placed[i];
        const double *at = s->view->xy + 2 * label->point;
        if (label->spot.led) {
            canvas_line(canvas, left + at[0], top + at[1], left + label->spot.lead_x,
                        top + label->spot.lead_y, 0.7, COLOUR_QUIET);
        }
    }
    if (!s->density) {
        draw_points(canvas, s, left, top);
    }
    for (int64_t i = 0; i < s->placed_count; i++) {
        draw_label(canvas, s, &s->placed[i], left, top);
    }
}

/* ---- hover, JSON ---- */

static const char *point_text(const struct figure *figure, int64_t i, int64_t columns) {
    const struct scatter *s = figure->body;
    struct arena *arena = figure->arena;
    struct buf *out = buf_new(arena);
    const char *label = s->labels ? figure_visible(arena, s->labels[i])
                                  : arena_printf(arena, "%lld", (long long)i);
    buf_printf(out, "%s:", figure_short(arena, label, columns));
    for (int d = 0; d < s->dims; d++) {
        buf_printf(out, "%s %s", d ? "," : "",
                   ruler_number(arena, (double)s->points[i * s->dims + d]));
    }
    if (s->groups) {
        buf_printf(out, " · %s", figure_short(arena, s->keys[s->groups[i]].text, columns));
    }
    return out->data;
}

/* "213: cat" over each part of the plot: its number of points and the first of them. */
static void hover_regions(struct buf *out, const struct figure *figure, double x, double y) {
    const struct scatter *s = figure->body;
    struct arena *arena = figure->arena;
    int64_t cells = (int64_t)REGIONS * REGIONS, columns = chart_hover_columns(cells);
    int64_t *counts = arena_array(arena, cells, sizeof *counts);
    int64_t *first = arena_array(arena, cells, sizeof *first);
    for (int64_t i = s->n; i-- > 0;) {
        double across = s->view->xy[2 * i] / s->view->width * REGIONS;
        double down = s->view->xy[2 * i + 1] / s->view->height * REGIONS;
        if (across >= 0 && across < REGIONS && down >= 0 && down < REGIONS) {
            int64_t cell = (int64_t)down * REGIONS + (int64_t)across;
            counts[cell]++;
            first[cell] = i;
        }
    }
    hover_grid(out, x, y, REGIONS, s->view->width / REGIONS, s->view->height / REGIONS);
    for (int64_t i = 0; i < cells; i++) {
        const char *count = ruler_count(arena, counts[i]);
        const char *text =
            counts[i] == 0 ? ""
            : s->labels
                ? arena_printf(arena, "%s: %s", count,
                               figure_short(arena, label_of(s, arena, first[i]), columns))
                : count;
        hover_title(out, text);
    }
    hover_end(out);
}

static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct scatter *s = figure->body;
    double left = x + s->left, top = y + s->top, r = fmax(s->radius, 4);
    if (s->n > HOVERED) {
        hover_regions(out, figure, left, top);
        return;
    }
    int64_t columns = chart_hover_columns(s->n);
    for (int64_t i = 0; i < s->n; i++) {
        const double *at = s->view->xy + 2 * i;
        if (isfinite(at[0])) {
            hover_box(out, left + at[0] - r, top + at[1] - r, 2 * r, 2 * r,
                      point_text(figure, i, columns));
        }
    }
}

static void json_density(struct jsonwrite *w, const struct figure *figure) {
    const struct scatter *s = figure->body;
    const struct density *d = s->density;
    int64_t shape[] = { d->rows, d->columns };
    json_key(w, "most");
    json_int(w, d->most);
    chart_json_bytes(w, figure->arena, "levels", density_levels(figure->arena, d, 255), 2,
                     shape);
    if (d->groups) {
        chart_json_bytes(w, figure->arena, "groups", d->groups, 2, shape);
    }
}

/* ---- JSON of many: every so many points, as steps, with labels as long as there is room ----
 */

/* The labels that are sent, each of at most so many columns, as a JSON list; NULL where they
 * take too much room. `cut` becomes whether any is shorter than it was. */
static struct buf *labels_of(struct arena *arena, const struct scatter *s, int64_t every,
                             int64_t columns, bool *cut) {
    struct buf *out = buf_new(arena);
    *cut = false;
    for (int64_t i = 0; i < s->n && out->length < LABEL_BYTES; i += every) {
        const char *label = figure_visible(arena, s->labels[i]);
        const char *text = figure_short(arena, label, columns);
        *cut = *cut || text != label;
        buf_char(out, i > 0 ? ',' : '[');
        json_escape(out, text, strlen(text));
    }
    buf_char(out, ']');
    return out->length <= LABEL_BYTES ? out : NULL;
}

/* As long as there is room for all. "labelColumns" where they are cut; 0: not sent at all. */
static void json_labels(struct jsonwrite *w, const struct figure *figure, int64_t every) {
    static const int64_t columns[] = { 40, 24, 16, 13, 11, 9, 7, 5 };
    const struct scatter *s = figure->body;
    struct arena **scratch = guard_arena(figure->arena);
    struct buf *labels = NULL;
    bool cut = true;
    int64_t kept = 0;
    for (size_t c = 0; c < sizeof columns / sizeof *columns && !labels; c++) {
        labels = labels_of(*scratch, s, every, columns[c], &cut);
        kept = labels ? columns[c] : 0;
    }
    if (cut || !labels) {
        json_key(w, "labelColumns");
        json_int(w, kept);
    }
    if (labels) {
        json_key(w, "labels");
        json_raw(w, labels->data, labels->length);
    }
    guard_free(scratch);
}

static uint16_t step_of(double value, double low, double high) {
    double share = high > low ? (value - low) / (high - low) : 0;
    return isfinite(value) ? (uint16_t)(fmin(1, fmax(0, share)) * 65534 + 0.5) : 65535;
}

static void json_ends(struct jsonwrite *w, const char *key, const double *ends, int dims) {
    json_key(w, key);
    json_open(w, '[');
    for (int d = 0; d < dims; d++) {
        json_double(w, ends[d]);
    }
    json_close(w, ']');
}

static void json_places(struct jsonwrite *w, const struct figure *figure, int64_t every) {
    const struct scatter *s = figure->body;
    int64_t sent = (s->n + every - 1) / every, shape[] = { sent, s->dims };
    uint16_t *steps = arena_array(figure->arena, sent * s->dims, sizeof *steps);
    unsigned char *groups = arena_alloc(figure->arena, (size_t)sent);
    for (int64_t i = 0; i < sent; i++) {
        for (int d = 0; d < s->dims; d++) {
            double value = (double)s->points[i * every * s->dims + d];
            steps[i * s->dims + d] = step_of(value, s->view->low[d], s->view->high[d]);
        }
        groups[i] = s->groups ? s->groups[i * every] : 0;
    }
    json_ends(w, "low", s->view->low, s->dims);
    json_ends(w, "high", s->view->high, s->dims);
    chart_json_steps(w, figure->arena, "coordinates", steps, 2, shape);
    if (s->groups) {
        chart_json_bytes(w, figure->arena, "group", groups, 1, &sent);
    }
    if (s->labels) {
        json_labels(w, figure, every);
    }
}

static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct scatter *s = figure->body;
    const char *names[COLOUR_CATEGORIES];
    for (int64_t i = 0; i < s->group_count; i++) {
        names[i] = s->keys[i].text;
    }
    json_key(w, "count");
    json_int(w, s->n);
    chart_json_texts(w, figure->arena, "axes", s->titles, s->dims);
    chart_json_texts(w, figure->arena, "groupNames", s->groups ? names : NULL, s->group_count);
    chart_json_ramp(w, figure);
    if (s->density) {
        json_density(w, figure);
        json_places(w, figure, (s->n * s->dims + SENT - 1) / SENT);
        return;
    }
    if (s->labels) {
        json_labels(w, figure, 1);
    }
    chart_json_floats(w, figure->arena, "points", s->points, 2, (int64_t[]){ s->n, s->dims });
    if (s->groups) {
        chart_json_bytes(w, figure->arena, "group", s->groups, 1, &s->n);
    }
}

static const struct figure_form scatter_form = {
    .kind = "scatter", .measure = measure, .draw = draw, .hover = hover, .json = json
};

/* ---- from a result ---- */

/* A group's value, its name and how many there are of it. */
struct kind {
    float value;
    const char *name;
    int64_t members;
};

static int by_value(const void *a, const void *b) {
    const struct kind *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static int larger_first(const void *a, const void *b) {
    const struct kind *x = a, *y = b;
    return x->members != y->members ? (x->members < y->members) - (x->members > y->members)
                                    : by_value(a, b);
}

/* The different groups, sorted by value: of all points sorted the first of each run. */
static int64_t find_kinds(const struct series *group, int64_t n, struct kind *kinds) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        float value = group->values->data[i];
        value = isfinite(value) ? value : -1;
        kinds[i] = (struct kind){ value, group->names ? group->names[i] : NULL, 1 };
    }
    qsort(kinds, (size_t)n, sizeof *kinds, by_value);
    for (int64_t i = 0; i < n; i++) {
        if (count > 0 && kinds[count - 1].value == kinds[i].value) {
            kinds[count - 1].members++;
        } else {
            kinds[count++] = kinds[i];
        }
    }
    return count;
}

/* Groups keep their order where there are colours for all; else the largest have one each and
 * the others share the grey. */
static void take_groups(struct arena *arena, struct scatter *s, const struct series *group,
                        const char *language) {
    struct arena *scratch = arena_new();
    struct kind *kinds = arena_array(scratch, s->n, sizeof *kinds);
    int64_t count = find_kinds(group, s->n, kinds), coloured = COLOUR_CATEGORIES - 1;
    if (count > coloured) {
        qsort(kinds, (size_t)count, sizeof *kinds, larger_first);
        qsort(kinds, (size_t)coloured, sizeof *kinds, by_value);
    }
    coloured = count < coloured ? count : coloured;
    s->group_count = coloured + (count > coloured);
    s->groups = arena_alloc(arena, (size_t)s->n);
    for (int64_t k = 0; k < coloured; k++) {
        const char *name = kinds[k].name ? figure_visible(arena, kinds[k].name)
                                         : ruler_number(arena, (double)kinds[k].value);
        s->keys[k] = (struct chart_key){ colour_category(k),
                                         figure_short(arena, name, 2 * LABEL_COLUMNS) };
    }
    if (s->group_count > coloured) {
        s->keys[coloured] =
            (struct chart_key){ colour_category(coloured), term(language, "others") };
    }
    for (int64_t i = 0; i < s->n; i++) {
        float value = group->values->data[i];
        struct kind wanted = { .value = isfinite(value) ? value : -1 };
        const struct kind *found =
            bsearch(&wanted, kinds, (size_t)coloured, sizeof *kinds, by_value);
        s->groups[i] = (unsigned char)(found ? found - kinds : coloured);
        s->members[s->groups[i]]++;
    }
    arena_free(scratch);
}

static void table_groups(struct figure *figure) {
    const struct scatter *s = figure->body;
    const char *heads[] = { term(figure->language, "group"), term(figure->language, "count"),
                            NULL };
    chart_table(figure, s->group_count, heads);
    for (int64_t i = 0; i < s->group_count; i++) {
        table_set(&figure->table, i, 0, s->keys[i].text);
        table_set(&figure->table, i, 1,
                  arena_printf(figure->arena, "%lld", (long long)s->members[i]));
    }
}

static void table_points(struct figure *figure, int64_t top) {
    const struct scatter *s = figure->body;
    static const char *const letters[] = { "x", "y", "z" };
    int64_t rows = s->n < top ? s->n : top;
    const char *heads[5] = { term(figure->language, "point") };
    for (int d = 0; d < s->dims; d++) {
        heads[d + 1] = *s->titles[d] ? s->titles[d] : letters[d];
    }
    chart_table(figure, rows, heads);
    for (int64_t i = 0; i < rows; i++) {
        table_set(&figure->table, i, 0,
                  s->labels ? label_of(s, figure->arena, i)
                            : arena_printf(figure->arena, "%lld", (long long)i));
        for (int d = 0; d < s->dims; d++) {
            table_set(&figure->table, i, d + 1,
                      arena_printf(figure->arena, "%.4g", (double)s->points[i * s->dims + d]));
        }
    }
}

static const char *note_of(struct figure *figure) {
    const struct scatter *s = figure->body;
    struct arena *arena = figure->arena;
    bool zh = figure_is_chinese(figure);
    struct buf *out = buf_new(arena);
    if (s->density) {
        buf_printf(out,
                   zh ? "%s 个点的密度：颜色越浓，格中的点越多（1 至 %s，对数）%s"
                      : "density of %s points: the stronger a cell's colour, the more lie in "
                        "it (1 to %s, "
                        "logarithmic)%s",
                   ruler_count(arena, s->n), ruler_count(arena, s->density->most),
                   !s->groups ? ""
                   : zh       ? "；色相为其中最多的组"
                              : "; hue: the group with most");
    }
    if (s->view->hidden > 0) {
        buf_printf(
            out,
            zh ? "%s%s 个点的坐标非有限数，未画" : "%s%s points are not finite and not shown",
            out->length > 0 ? zh ? "；" : "; " : "", ruler_count(arena, s->view->hidden));
    }
    return out->data;
}

static void describe(struct figure *figure) {
    const struct scatter *s = figure->body;
    struct arena *arena = figure->arena;
    bool zh = figure_is_chinese(figure);
    struct buf *groups = buf_new(arena);
    for (int64_t i = 0; i < s->group_count; i++) {
        buf_printf(groups, "%s%s %s",
                   i    ? ", "
                   : zh ? "，按组着色："
                        : ", coloured by group: ",
                   s->keys[i].text, ruler_count(arena, s->members[i]));
    }
    figure->note = note_of(figure);
    figure->alt = arena_printf(arena,
                               zh ? "散点图，%s：%s 个点，%d 维%s；%s"
                                  : "Scatter plot, %s: %s points in %d dimensions%s; %s",
                               figure->title, ruler_count(arena, s->n), s->dims, groups->data,
                               figure->finding);
}

static double radius_for(int64_t n) {
    return n <= 100 ? 4.2 : n <= 500 ? 3.4 : n <= 2000 ? 2.4 : 1.8;
}

static struct scatter *take(struct arena *arena, const struct result *result,
                            const char *language, struct err *err) {
    const struct series *points =
        chart_series(result, "points", 2, 2, "a scatter plot", "\"points\" [n, 2 or 3]", err);
    if (!points) {
        err_pass(err);
        return NULL;
    }
    struct scatter *s = arena_alloc(arena, sizeof *s);
    s->n = points->values->shape[0];
    s->dims = (int)points->values->shape[1];
    if (s->dims != 2 && s->dims != 3) {
        err_set(err, ERR_OPTION, "a scatter plot has points in 2 or 3 dimensions, not %d",
                s->dims);
        return NULL;
    }
    s->points = points->values->data;
    s->labels = points->axes[0].labels;
    for (int d = 0; d < s->dims; d++) {
        const char **names = points->axes[1].labels;
        s->titles[d] = names ? figure_sentence(arena, names[d]) : "";
    }
    s->radius = radius_for(s->n);
    s->view = view_new(arena, s->points, s->n, s->dims);
    const struct series *group = result_at(result, "group");
    if (group && group->values->dtype == DTYPE_F32 && tensor_count(group->values) == s->n) {
        take_groups(arena, s, group, language);
    }
    if (s->n > DENSE) {
        s->density = density_new(arena, s->view->xy, s->groups, s->group_count, s->n,
                                 s->view->width, s->view->height, cell_side);
    }
    return s;
}

static struct figure *scatter_draw(struct arena *arena, const struct result *result,
                                   const struct picture_options *options, struct err *err) {
    struct figure *figure = figure_new(arena, result, options);
    struct scatter *s = take(arena, result, figure->language, err);
    if (!s) {
        err_pass(err);
        return NULL;
    }
    figure->form = &scatter_form;
    s->colours = figure->colours;
    figure->body = s;
    describe(figure);
    if (s->groups) {
        table_groups(figure);
    } else {
        table_points(figure, options->top ? options->top : ROWS);
    }
    return figure;
}

const struct picture scatter_picture = {
    .name = "scatter",
    .summary = "points in two or three dimensions with labels and groups; their density where "
               "they are many",
    .summary_zh = "二维或三维的点，带标签与分组；点多时画密度",
    .draw = scatter_draw,
};
