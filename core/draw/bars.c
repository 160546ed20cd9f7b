#include <math.h>
#include <string.h>

#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/hover.h"
#include "core/draw/page.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"

/* Horizontal bars with their values: series[0] [n] or [panels, n], the label of each from
 * `names`, else from the last axis. Where its `log` is set and no value is negative, the scale
 * is logarithmic and stands below. A series "other" of the same shape is a second, paler bar
 * below each; the notes "this" and "other" say what the two are. */

enum {
    SHOWN = 60,  /* bars of a plot; the rest is told in the note */
    PANELS = 24, /* plots */
    LABEL_COLUMNS = 28,
    ROWS = 40,       /* of the table */
    PITCH = 21,      /* from bar to bar */
    PITCH_MANY = 16, /* where there are more than 24 */
    BETWEEN = 26,    /* columns of plots */
    HEAD = 22,       /* title of a plot */
    SCALE = 34,      /* below, where there is a scale */
    WHAT = 18,       /* below, where a line says what is measured */
    BELOW = 16,      /* room below a plot of several */
    SENT = 2000      /* bars in the JSON, where they can be scrolled */
};

struct bars {
    int64_t panels, n; /* drawn */
    int64_t stride;    /* values of a panel in the series */
    const struct series *series;
    const char **names;  /* [panels, n] */
    const char **titles; /* [panels], or NULL */
    const float *values; /* [panels, stride] */
    const float *other;  /* the same, or NULL */
    bool is_signed, log;
    bool whole;       /* all values are whole numbers */
    const char *what; /* that is measured */
    struct chart_key keys[2];
    /* by measure */
    struct ruler ruler;
    int64_t columns;             /* plots side by side */
    double label, before, after; /* room for labels, and for values left and right of bars */
    double pitch, width, height, top;
};

static double value_at(const struct bars *bars, int64_t panel, int64_t i) {
    return (double)bars->values[panel * bars->stride + i];
}

static double other_at(const struct bars *bars, int64_t panel, int64_t i) {
    return (double)bars->other[panel * bars->stride + i];
}

/* The name of a value of the series, whole. */
static const char *name_of(struct arena *arena, const struct bars *bars, int64_t at) {
    const struct series *series = bars->series;
    const struct axis *places = &series->axes[series->values->rank - 1];
    int64_t place = at % bars->stride;
    const char *name = series->names    ? series->names[at]
                       : places->labels ? places->labels[place]
                                        : arena_printf(arena, "%lld", (long long)place);
    return figure_visible(arena, name);
}

/* ---- layout ---- */

static double text_width(struct canvas *probe, const char *text) {
    struct canvas_style style = chart_label_style();
    return canvas_measure(probe, &style, text).width;
}

/* Three digits of each, so that values below each other are equally exact; counts as they are.
 */
static const char *value_text(struct arena *arena, const struct bars *bars, double value) {
    bool plain = bars->whole || !(fabs(value) >= 1e-3 && fabs(value) < 99.95);
    return plain ? ruler_number(arena, value) : arena_printf(arena, "%#.3g", value);
}

/* Values stand behind their bars' ends: negative ones at the left. */
static void measure_texts(struct canvas *probe, struct bars *bars) {
    for (int64_t i = 0; i < bars->panels * bars->n; i++) {
        int64_t panel = i / bars->n, place = i % bars->n;
        bars->label = fmax(bars->label, text_width(probe, bars->names[i]));
        for (int which = 0; which < (bars->other ? 2 : 1); which++) {
            double value = which ? other_at(bars, panel, place) : value_at(bars, panel, place);
            double *side = value < 0 ? &bars->before : &bars->after;
            *side = fmax(*side, text_width(probe, value_text(probe->arena, bars, value)) + 6);
        }
    }
}

/* Over all bars. `least` becomes the smallest that is above zero. */
static struct chart_span span_of(const struct bars *bars, double *least) {
    struct chart_span span = { 0 };
    *least = INFINITY;
    for (int64_t i = 0; i < bars->panels * bars->n * (bars->other ? 2 : 1); i++) {
        int64_t at = i % (bars->panels * bars->n);
        double value = i == at ? value_at(bars, at / bars->n, at % bars->n)
                               : other_at(bars, at / bars->n, at % bars->n);
        if (isfinite(value)) {
            span.low = span.finite && span.low < value ? span.low : value;
            span.high = span.finite && span.high > value ? span.high : value;
            span.finite++;
            *least = value > 0 && value < *least ? value : *least;
        }
    }
    return span;
}

/* From zero; on a logarithmic scale from the power of ten below the smallest. */
static void scale(struct arena *arena, struct bars *bars, double length) {
    double least;
    struct chart_span span = span_of(bars, &least);
    bars->log = bars->log && span.low >= 0 && isfinite(least) && span.high > 2 * least;
    if (bars->log) {
        double foot = pow(10, floor(log10(least / 2)));
        ruler_init(arena, &bars->ruler, foot, span.high, true, false, length, 46);
    } else {
        double low = fmin(span.low, 0), high = fmax(span.high, 0);
        ruler_init(arena, &bars->ruler, low, high > low ? high : 1, false, false, length, 60);
    }
}

static bool all_whole(const struct bars *bars) {
    bool whole = true;
    for (int64_t i = 0; i < bars->panels * bars->n; i++) {
        double value = value_at(bars, i / bars->n, i % bars->n);
        double other = bars->other ? other_at(bars, i / bars->n, i % bars->n) : 0;
        whole = whole && !(fmod(value, 1) != 0) && !(fmod(other, 1) != 0);
    }
    return whole;
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct bars *bars = figure->body;
    static const double lengths[] = { 0, 360, 190, 120 };
    bars->columns = bars->panels == 1 ? 1 : bars->panels <= 4 ? 2 : 3;
    bars->pitch = (bars->n > 24 ? PITCH_MANY : PITCH) + (bars->other ? 7 : 0);
    bars->whole = all_whole(bars);
    measure_texts(probe, bars);
    double length = lengths[bars->columns];
    scale(figure->arena, bars, length);
    bars->width = bars->label + 8 + bars->before + length + bars->after;
    bars->height =
        bars->pitch * (double)bars->n + (bars->titles ? HEAD : 0) + (bars->log ? SCALE : WHAT);
    double width = bars->width * (double)bars->columns + BETWEEN * (double)(bars->columns - 1);
    int64_t rows = (bars->panels + bars->columns - 1) / bars->columns;
    bars->top = chart_keys_height(probe, bars->keys, bars->other ? 2 : 0, width);
    return (struct canvas_size){ width, bars->top + bars->height * (double)rows +
                                            BELOW * (double)(rows - 1) };
}

/* ---- drawing ---- */

static uint32_t colour_for(const struct bars *bars, double value, bool pale) {
    uint32_t colour = bars->is_signed ? colour_diverging(COLOUR_CUTAWAY, value < 0 ? -0.9 : 0.9)
                                      : colour_category(0);
    return pale ? colour_mix(COLOUR_PAPER, colour, 0.45) : colour;
}

/* One bar from zero with its value behind the end; what is not finite has only the latter. */
static void draw_bar(struct canvas *canvas, const struct bars *bars, double x, double y,
                     double height, double value, bool pale) {
    double zero = bars->log ? 0 : ruler_at(&bars->ruler, 0), at = ruler_at(&bars->ruler, value);
    at = isfinite(value) ? at : zero;
    double wide = fabs(at - zero);
    if (value != 0 && isfinite(value)) {
        canvas_rect(canvas, x + fmin(at, zero), y, fmax(wide, canvas_hairline(canvas)), height,
                    colour_for(bars, value, pale));
    }
    struct canvas_style style = chart_label_style();
    style.size = pale ? 9 : 10;
    style.colour = isfinite(value) ? pale ? COLOUR_QUIET : COLOUR_INK : COLOUR_BAD;
    chart_write(canvas, style, value < 0 ? 1 : 0, 0.5, x + at + (value < 0 ? -5 : 5),
                y + height / 2, value_text(canvas->arena, bars, value));
}

static void draw_panel(struct canvas *canvas, const struct bars *bars, int64_t panel, double x,
                       double y) {
    if (bars->titles) {
        chart_write(canvas, chart_title_style(), 0, 0, x, y, bars->titles[panel]);
        y += HEAD;
    }
    double left = x + bars->label + 8 + bars->before, thick = bars->n > 24 ? 10 : 13;
    if (bars->log) {
        double high = bars->pitch * (double)bars->n;
        ruler_bottom(canvas, &bars->ruler, left, y + high, high, bars->what);
    }
    if (!bars->log) {
        chart_write(canvas, page_axis_style(), 0, 0, left + ruler_at(&bars->ruler, 0),
                    y + bars->pitch * (double)bars->n + 3, bars->what);
    }
    for (int64_t i = 0; i < bars->n; i++) {
        double top = y + bars->pitch * (double)i + (bars->pitch - thick) / 2;
        top -= bars->other ? 4 : 0;
        chart_write(canvas, chart_label_style(), 1, 0.5, x + bars->label, top + thick / 2,
                    bars->names[panel * bars->n + i]);
        draw_bar(canvas, bars, left, top, thick, value_at(bars, panel, i), false);
        if (bars->other) {
            draw_bar(canvas, bars, left, top + thick + 1, 7, other_at(bars, panel, i), true);
        }
    }
    double line = canvas_hairline(canvas);
    double zero = bars->log ? 0 : ruler_at(&bars->ruler, 0);
    canvas_rect(canvas, left + zero - line, y, line, bars->pitch * (double)bars->n,
                COLOUR_QUIET);
}

static void panel_place(const struct bars *bars, int64_t panel, double *x, double *y) {
    *x += (bars->width + BETWEEN) * (double)(panel % bars->columns);
    *y += bars->top + (bars->height + BELOW) * (double)(panel / bars->columns);
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct bars *bars = figure->body;
    chart_keys(canvas, bars->keys, bars->other ? 2 : 0, bars->width * (double)bars->columns, x,
               y);
    for (int64_t panel = 0; panel < bars->panels; panel++) {
        double left = x, top = y;
        panel_place(bars, panel, &left, &top);
        draw_panel(canvas, bars, panel, left, top);
    }
}

static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct bars *bars = figure->body;
    struct arena *arena = figure->arena;
    int64_t columns = chart_hover_columns(bars->panels * bars->n);
    for (int64_t panel = 0; panel < bars->panels; panel++) {
        double left = x, top = y;
        panel_place(bars, panel, &left, &top);
        hover_grid(out, left, top + (bars->titles ? HEAD : 0), 1, bars->width, bars->pitch);
        for (int64_t i = 0; i < bars->n; i++) {
            const char *name = bars->names[panel * bars->n + i];
            const char *text = arena_printf(arena, "%s: %s", figure_short(arena, name, columns),
                                            ruler_number(arena, value_at(bars, panel, i)));
            hover_title(out, bars->other
                                 ? arena_printf(arena, "%s / %s", text,
                                                ruler_number(arena, other_at(bars, panel, i)))
                                 : text);
        }
        hover_end(out);
    }
}

static void json_values(struct jsonwrite *w, const struct figure *figure, const char *key,
                        const float *values, int64_t sent) {
    const struct bars *bars = figure->body;
    float *kept = arena_array(figure->arena, bars->panels * sent, sizeof *kept);
    for (int64_t i = 0; i < bars->panels * sent; i++) {
        kept[i] = values[i / sent * bars->stride + i % sent];
    }
    chart_json_floats(w, figure->arena, key, kept, 2, (int64_t[]){ bars->panels, sent });
}

/* More bars are sent than drawn. */
static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct bars *bars = figure->body;
    int64_t room = SENT / bars->panels, sent = room > bars->n ? room : bars->n;
    sent = sent < bars->stride ? sent : bars->stride;
    int64_t all = bars->panels * sent;
    const char **names = arena_array(figure->arena, all, sizeof *names);
    for (int64_t i = 0; i < all; i++) {
        names[i] = name_of(figure->arena, bars, i / sent * bars->stride + i % sent);
    }
    json_pair(w, "measure", bars->what);
    json_key(w, "log");
    json_bool(w, bars->log);
    json_key(w, "signed");
    json_bool(w, bars->is_signed);
    chart_json_texts(w, figure->arena, "panels", bars->titles, bars->panels);
    chart_json_texts(w, figure->arena, "names", names, all);
    json_values(w, figure, "values", bars->values, sent);
    if (bars->other) {
        const char *keys[] = { bars->keys[0].text, bars->keys[1].text };
        chart_json_texts(w, figure->arena, "keys", keys, 2);
        json_values(w, figure, "other", bars->other, sent);
    }
}

static const struct figure_form bars_form = {
    .kind = "bars", .measure = measure, .draw = draw, .hover = hover, .json = json
};

/* ---- from a result ---- */

static void take_names(struct arena *arena, struct bars *bars, const struct series *series) {
    const struct tensor *values = series->values;
    bars->names = arena_array(arena, bars->panels * bars->n, sizeof *bars->names);
    for (int64_t i = 0; i < bars->panels * bars->n; i++) {
        int64_t at = i / bars->n * bars->stride + i % bars->n;
        bars->names[i] = figure_short_name(arena, name_of(arena, bars, at), LABEL_COLUMNS);
    }
    if (values->rank == 2 && values->shape[0] > 1) {
        struct figure_axis axis = { .labels = series->axes[0].labels, .block = 1 };
        bars->titles = arena_array(arena, bars->panels, sizeof *bars->titles);
        for (int64_t i = 0; i < bars->panels; i++) {
            const char *label = figure_label(arena, &axis, i);
            bars->titles[i] = figure_short(arena, label, 2 * LABEL_COLUMNS);
        }
    }
}

static void take_other(struct arena *arena, struct bars *bars, const struct result *result,
                       const char *language) {
    const struct series *other = result_at(result, "other");
    const struct tensor *values = result->series[0].values;
    if (!other || other->values->dtype != DTYPE_F32 ||
        tensor_count(other->values) != tensor_count(values)) {
        return;
    }
    bars->other = other->values->data;
    chart_pair(arena, result, language, bars->keys);
    bars->keys[0].colour = colour_for(bars, 1, false);
    bars->keys[1].colour = colour_for(bars, 1, true);
}

static void make_table(struct figure *figure, const struct bars *bars, int64_t top) {
    struct arena *arena = figure->arena;
    int64_t rows = bars->panels * bars->n, first = bars->titles ? 1 : 0;
    rows = rows < top ? rows : top;
    const char *heads[5] = { "" };
    heads[first] = term(figure->language, "bar");
    heads[first + 1] = bars->other ? bars->keys[0].text : bars->what;
    heads[first + 2] = bars->other ? bars->keys[1].text : NULL;
    chart_table(figure, rows, heads);
    for (int64_t i = 0; i < rows; i++) {
        int64_t panel = i / bars->n, place = i % bars->n;
        if (first) {
            table_set(&figure->table, i, 0, bars->titles[panel]);
        }
        table_set(&figure->table, i, first, bars->names[i]);
        table_set(&figure->table, i, first + 1,
                  arena_printf(arena, "%.6g", value_at(bars, panel, place)));
        if (bars->other) {
            table_set(&figure->table, i, first + 2,
                      arena_printf(arena, "%.6g", other_at(bars, panel, place)));
        }
    }
}

/* What is left out, and what is seen. */
static void describe(struct figure *figure, const struct bars *bars, int64_t panels) {
    struct arena *arena = figure->arena;
    bool zh = figure_is_chinese(figure);
    if (bars->stride > bars->n || panels > bars->panels) {
        figure->note = arena_printf(
            arena,
            zh ? "共 %lld 条，图中为前 %lld 条；%%save 可取出全部"
               : "the picture has the first %2$lld of %1$lld bars; %%save has all of them",
            (long long)(panels * bars->stride), (long long)(bars->panels * bars->n));
    }
    double least;
    struct chart_span span = span_of(bars, &least);
    figure->alt = arena_printf(arena,
                               zh ? "条形图，%s：%lld 条，%s从 %s 到 %s；%s"
                                  : "Bar chart, %s: %lld bars, %s from %s to %s; %s",
                               figure->title, (long long)(bars->panels * bars->n), bars->what,
                               ruler_number(arena, span.low), ruler_number(arena, span.high),
                               figure->finding);
}

static struct figure *bars_draw(struct arena *arena, const struct result *result,
                                const struct picture_options *options, struct err *err) {
    const struct series *series =
        chart_series(result, NULL, 1, 2, "a bar chart", "values [n] or [panels, n]", err);
    if (!series) {
        err_pass(err);
        return NULL;
    }
    struct figure *figure = figure_new(arena, result, options);
    struct bars *bars = arena_alloc(arena, sizeof *bars);
    const struct tensor *values = series->values;
    int64_t panels = values->rank == 2 ? values->shape[0] : 1;
    bars->stride = values->shape[values->rank - 1];
    bars->n = bars->stride < SHOWN ? bars->stride : SHOWN;
    bars->panels = panels < PANELS ? panels : PANELS;
    bars->series = series;
    bars->values = values->data;
    bars->is_signed = series->is_signed;
    bars->log = series->log;
    bars->what = chart_measure(arena, figure->language, series->name, series->unit);
    take_names(arena, bars, series);
    take_other(arena, bars, result, figure->language);
    figure->form = &bars_form;
    figure->body = bars;
    describe(figure, bars, panels);
    make_table(figure, bars, options->top ? options->top : ROWS);
    return figure;
}

const struct picture bars_picture = {
    .name = "bars",
    .summary = "horizontal bars with their values, such as the likeliest next tokens",
    .summary_zh = "带数值的横条，例如最可能的下一个词元",
    .draw = bars_draw,
};
