/* Steps and their alternatives: a column a step, under its number and what was chosen there the
 * most probable tokens, each on the shade of its probability; the chosen one is framed. Many
 * steps flow into rows. */

#include <math.h>
#include <string.h>

#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/figure.h"
#include "core/draw/hover.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"

enum {
    WIDE = 860, /* of a row of steps */
    CELL = 21,  /* height of one */
    HEAD = 34,  /* of a step's number and choice */
    GAP_X = 6,
    GAP_Y = 16,
    CELL_LEAST = 58,
    CELL_MOST = 150,
    LABEL_COLUMNS = 14, /* of a token */
    SHOWN = 10,         /* alternatives of a step, unless another number is asked for; */
    FEW = 18,           /* of more steps than this five, */
    SOME = 60,          /* of more than this three */
    STEPS_MOST = 120,   /* drawn */
    CELLS_MOST = 1500,
    SENT_MOST = 20000, /* alternatives, */
    SENT_BYTES = 250000,
    LEVELS = 45,
    SHADES = 4
};

struct choices {
    const struct result *result;
    const struct series *series;
    const struct series *chosen; /* NULL: nobody says */
    int64_t steps, k;            /* that are drawn */
    int64_t across;              /* steps in a row */
    double cell, row;            /* width of a cell, height of a row with its gap */
    const char **labels;         /* [steps, k] as they are drawn */
    const char **heads;          /* [steps] */
    struct colour_scale scale;
};

static struct choices *body_of(const struct figure *figure) {
    return figure->body;
}

static double value_at(const struct choices *c, int64_t step, int64_t i) {
    return (double)c->series->values->data[step * c->series->axes[1].count + i];
}

/* Place of the chosen one among the step's alternatives; -1: not among them, or not known. */
static int64_t chosen_at(const struct choices *c, int64_t step) {
    double at = c->chosen ? (double)c->chosen->values->data[step] : -1;
    return at >= 0 && at < (double)c->series->axes[1].count ? (int64_t)at : -1;
}

static const char *percent(struct arena *arena, double p) {
    return isnan(p)      ? "–"
           : p >= 0.0995 ? arena_printf(arena, "%.0f %%", 100 * p)
           : p >= 0.0005 ? arena_printf(arena, "%.1f %%", 100 * p)
           : p > 0       ? "< 0.1 %"
                         : "0 %";
}

static bool is_share(const struct choices *c) {
    return c->series->low == 0 && c->series->high == 1;
}

/* Shares as percent, other values as they are. */
static const char *number(struct arena *arena, const struct choices *c, double value) {
    return is_share(c) ? percent(arena, value)
                       : figure_number(arena, value, c->scale.high - c->scale.low);
}

/* ---- layout ---- */

static struct canvas_style name_style(uint32_t colour) {
    return (struct canvas_style){ .size = 10.5, .colour = colour, .y = 0.5, .shades = SHADES };
}

static struct canvas_style number_style(uint32_t colour) {
    return (struct canvas_style){
        .size = 8.5, .colour = colour, .x = 1, .y = 0.5, .shades = SHADES
    };
}

static struct canvas_style head_style(void) {
    return (struct canvas_style){ .size = 11.5, .bold = true, .colour = COLOUR_INK, .y = 0.5 };
}

static struct canvas_style step_style(void) {
    return (struct canvas_style){ .size = 8.5, .colour = COLOUR_QUIET, .y = 0.5 };
}

/* As much of the text as is no wider than that. */
static const char *fitted(struct canvas *probe, struct canvas_style style, const char *text,
                          double width) {
    const char *shown = text;
    int64_t columns = utf8_columns(text, strlen(text));
    while (canvas_measure(probe, &style, shown).width > width && columns > 2) {
        shown = figure_short(probe->arena, text, --columns);
    }
    return shown;
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct choices *c = body_of(figure);
    struct canvas_style name = name_style(COLOUR_INK), value = number_style(COLOUR_INK),
                        head = head_style();
    double widest = 0, numbers = canvas_measure(probe, &value, "< 0.1 %").width;
    for (int64_t s = 0; s < c->steps; s++) {
        widest = fmax(widest, canvas_measure(probe, &head, c->heads[s]).width - numbers - 6);
        for (int64_t i = 0; i < c->k; i++) {
            widest = fmax(widest, canvas_measure(probe, &name, c->labels[s * c->k + i]).width);
        }
    }
    c->cell = ceil(fmin(fmax(widest + numbers + 16, CELL_LEAST), CELL_MOST));
    for (int64_t s = 0; s < c->steps; s++) {
        c->heads[s] = fitted(probe, head, c->heads[s], c->cell - 6);
        for (int64_t i = 0; i < c->k; i++) {
            const char **label = &c->labels[s * c->k + i];
            *label = fitted(probe, name, *label, c->cell - numbers - 14);
        }
    }
    int64_t fit = (int64_t)((WIDE + GAP_X) / (c->cell + GAP_X));
    c->across = c->steps < fit ? c->steps : fit > 0 ? fit : 1;
    c->row = HEAD + CELL * (double)c->k + GAP_Y;
    int64_t rows = (c->steps + c->across - 1) / c->across;
    return (struct canvas_size){ (c->cell + GAP_X) * (double)c->across - GAP_X,
                                 c->row * (double)rows - GAP_Y };
}

static double left_of(const struct choices *c, int64_t step) {
    return (c->cell + GAP_X) * (double)(step % c->across);
}

static double top_of(const struct choices *c, int64_t step) {
    return c->row * (double)(step / c->across);
}

/* ---- drawing ---- */

static void draw_frame(struct canvas *canvas, double x, double y, double width, double height) {
    enum { LINE = 2 };
    canvas_rect(canvas, x, y, width, LINE, COLOUR_INK);
    canvas_rect(canvas, x, y + height - LINE, width, LINE, COLOUR_INK);
    canvas_rect(canvas, x, y, LINE, height, COLOUR_INK);
    canvas_rect(canvas, x + width - LINE, y, LINE, height, COLOUR_INK);
}

static void draw_cell(struct canvas *canvas, const struct choices *c, int64_t step, int64_t i,
                      double x, double y) {
    double value = value_at(c, step, i);
    uint32_t under = isnan(value) ? COLOUR_MISSING : colour_of(&c->scale, value);
    struct canvas_style name = name_style(under);
    struct canvas_style figure = number_style(under);
    name.on = figure.on = true;
    canvas_rect(canvas, x, y, c->cell, CELL - 1, under);
    canvas_write(canvas, &name, x + 6, y + CELL / 2.0 - 0.5, c->labels[step * c->k + i]);
    canvas_write(canvas, &figure, x + c->cell - 5, y + CELL / 2.0 - 0.5,
                 number(canvas->arena, c, value));
    if (chosen_at(c, step) == i) {
        draw_frame(canvas, x, y, c->cell, CELL - 1);
    }
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct choices *c = body_of(figure);
    struct canvas_style head = head_style(), small = step_style();
    for (int64_t s = 0; s < c->steps; s++) {
        double left = x + left_of(c, s), top = y + top_of(c, s);
        if (c->steps > 1) {
            canvas_write(canvas, &small, left + 6, top + 7,
                         arena_printf(canvas->arena, "%lld", (long long)s + 1));
        }
        canvas_write(canvas, &head, left + 6, top + 22, c->heads[s]);
        for (int64_t i = 0; i < c->k; i++) {
            draw_cell(canvas, c, s, i, left, top + HEAD + CELL * (double)i);
        }
    }
}

static const char *cell_text(const struct figure *figure, int64_t step, int64_t i) {
    const struct choices *c = body_of(figure);
    enum { COLUMNS = 40 };
    const char *name = c->series->names[step * c->series->axes[1].count + i];
    name = figure_short(figure->arena, figure_sentence(figure->arena, name), COLUMNS);
    double value = value_at(c, step, i);
    return arena_printf(figure->arena, "%lld: %s %s (%.4g)", (long long)step + 1, name,
                        number(figure->arena, c, value), value);
}

static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct choices *c = body_of(figure);
    bool every = c->steps * c->k <= HOVER_COUNT / 4;
    for (int64_t s = 0; s < c->steps; s++) {
        double left = x + left_of(c, s), top = y + top_of(c, s) + HEAD;
        if (!every) {
            hover_box(out, left, top, c->cell, CELL * (double)c->k, cell_text(figure, s, 0));
            continue;
        }
        hover_grid(out, left, top, 1, c->cell, CELL);
        for (int64_t i = 0; i < c->k; i++) {
            hover_title(out, cell_text(figure, s, i));
        }
        hover_end(out);
    }
}

/* Every alternative that there is, of as many steps as are little enough to send. */
static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct choices *c = body_of(figure);
    const struct axis *axes = c->series->axes;
    int64_t k = axes[1].count < SENT_MOST ? axes[1].count : SENT_MOST;
    int64_t steps = axes[0].count < SENT_MOST / k ? axes[0].count : SENT_MOST / k;
    const char **names = arena_array(figure->arena, steps * k, sizeof *names);
    for (int64_t i = 0; i < steps * k; i++) {
        names[i] = c->series->names[i / k * axes[1].count + i % k];
    }
    steps = chart_json_fitting(figure->arena, names, steps, k, SENT_BYTES);
    float *values = arena_array(figure->arena, steps * k, sizeof *values);
    float *chosen = arena_array(figure->arena, steps, sizeof *chosen);
    for (int64_t i = 0; i < steps * k; i++) {
        values[i] = (float)value_at(c, i / k, i % k);
        chosen[i / k] = (float)chosen_at(c, i / k);
    }
    json_pair(w, "axis", term(figure->language, axes[0].name));
    json_pair(w, "measure", term(figure->language, c->series->name));
    json_key(w, "share");
    json_bool(w, is_share(c));
    json_key(w, "count");
    json_int(w, axes[0].count);
    if (axes[0].labels) {
        chart_json_texts(w, figure->arena, "steps", axes[0].labels, steps);
    }
    chart_json_texts(w, figure->arena, "tokens", names, steps * k);
    chart_json_floats(w, figure->arena, "values", values, 2, (int64_t[]){ steps, k });
    if (c->chosen) {
        chart_json_floats(w, figure->arena, "chosen", chosen, 1, &steps);
    }
    const struct series *p = result_at(c->result, "chosen probability");
    if (p && p->values->rank == 1 && p->axes[0].count == axes[0].count) {
        chart_json_floats(w, figure->arena, "probability", p->values->data, 1, &steps);
    }
    chart_json_ramp(w, figure);
}

static const struct figure_form choices_form = {
    .kind = "choices", .measure = measure, .draw = draw, .hover = hover, .json = json
};

/* ---- from the result ---- */

/* A row a step: what was chosen, its place, and the first few with their values. */
static void tabulate(struct figure *figure, const struct choices *c, int64_t most) {
    struct arena *arena = figure->arena;
    const struct axis *axes = c->series->axes;
    int64_t rows = axes[0].count < most ? axes[0].count : most;
    int64_t k = c->k < 3 ? c->k : 3;
    const char *heads[] = { "#", term(figure->language, axes[0].name), "1", "2", "3" };
    struct figure_table *made = table_new(arena, 2 + k, rows, heads);
    for (int64_t s = 0; s < rows; s++) {
        table_set(made, s, 0, arena_printf(arena, "%lld", (long long)s + 1));
        table_set(made, s, 1,
                  figure_label(arena, &(struct figure_axis){ .labels = axes[0].labels }, s));
        for (int64_t i = 0; i < k; i++) {
            const char *name = figure_visible(arena, c->series->names[s * axes[1].count + i]);
            table_set(made, s, 2 + i,
                      arena_printf(arena, "%s %s", figure_short(arena, name, LABEL_COLUMNS),
                                   number(arena, c, value_at(c, s, i))));
        }
    }
    figure->table = *made;
}

static void labels_take(struct arena *arena, struct choices *c) {
    const struct axis *axes = c->series->axes;
    struct figure_axis steps = { .labels = axes[0].labels };
    c->labels = arena_array(arena, c->steps * c->k, sizeof *c->labels);
    c->heads = arena_array(arena, c->steps, sizeof *c->heads);
    for (int64_t s = 0; s < c->steps; s++) {
        c->heads[s] = figure_short(arena, figure_label(arena, &steps, s), LABEL_COLUMNS + 4);
        for (int64_t i = 0; i < c->k; i++) {
            const char *name = c->series->names[s * axes[1].count + i];
            c->labels[s * c->k + i] =
                figure_short(arena, figure_visible(arena, name), LABEL_COLUMNS);
        }
    }
}

/* Shares from 0 to 1; other values from the least to the largest. */
static void scale_choose(struct choices *c, enum colour_map map) {
    double low = INFINITY, high = -INFINITY;
    bool bounded = c->series->high > c->series->low;
    for (int64_t i = 0; i < tensor_count(c->series->values); i++) {
        double value = (double)c->series->values->data[i];
        low = isfinite(value) ? fmin(low, value) : low;
        high = isfinite(value) ? fmax(high, value) : high;
    }
    low = bounded ? c->series->low : low <= high ? low : 0;
    high = bounded ? c->series->high : high;
    colour_scale_init(&c->scale, map, low, high > low ? high : low + 1, false, LEVELS);
}

/* How many of a step's alternatives are drawn. */
static int64_t alternatives(int64_t all, int64_t steps, int64_t asked) {
    int64_t most = asked > 0 ? asked : steps > SOME ? 3 : steps > FEW ? 5 : SHOWN;
    most = most < CELLS_MOST / steps ? most : CELLS_MOST / steps;
    return all < most ? all : most;
}

static int check_result(const struct result *result, struct err *err) {
    const struct series *series = result->count ? &result->series[0] : NULL;
    if (!series || series->values->rank != 2 || series->values->dtype != DTYPE_F32 ||
        !series->names || tensor_count(series->values) == 0) {
        return err_set(err, ERR_OPTION,
                       "choices are drawn of [steps, alternatives] with a name each, and this "
                       "result has others: draw it as it is");
    }
    return 0;
}

static struct figure *choices_draw(struct arena *arena, const struct result *result,
                                   const struct picture_options *options, struct err *err) {
    if (check_result(result, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct figure *figure = figure_new(arena, result, options);
    struct choices *c = arena_alloc(arena, sizeof *c);
    const struct axis *axes = result->series[0].axes;
    const struct series *chosen = result_at(result, "chosen");
    c->result = result;
    c->series = &result->series[0];
    c->chosen = chosen && chosen->values->rank == 1 && chosen->axes[0].count == axes[0].count
                    ? chosen
                    : NULL;
    c->steps = axes[0].count < STEPS_MOST ? axes[0].count : STEPS_MOST;
    c->k = alternatives(axes[1].count, c->steps, options->top);
    scale_choose(c, figure->colours);
    labels_take(arena, c);
    figure->form = &choices_form;
    figure->body = c;
    tabulate(figure, c, 1000);
    figure->alt = arena_printf(
        arena,
        figure_is_chinese(figure) ? "各步的候选，%s：%lld 步，每步 %lld 个；%s"
                                  : "Alternatives of each step, %s: steps %lld, of each the "
                                    "first %lld; %s",
        figure->title, (long long)c->steps, (long long)c->k, figure->finding);
    if (axes[0].count > c->steps) {
        figure->note =
            arena_printf(arena,
                         figure_is_chinese(figure)
                             ? "共 %lld 步，画出前 %lld 步；%%save 写出全部"
                             : "%lld steps; the first %lld are drawn, %%save writes all",
                         (long long)axes[0].count, (long long)c->steps);
    }
    return figure;
}

const struct picture choices_picture = {
    .name = "choices",
    .summary = "the most probable tokens of every step, the chosen one framed",
    .summary_zh = "每一步最可能的词元，选中的加框",
    .draw = choices_draw,
};
