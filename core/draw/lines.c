#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/hover.h"
#include "core/draw/page.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"

/* Curves over common points: series[0] [lines, points] or [points], a logarithmic scale where
 * its `log` is set, gaps where a value is not finite (or not positive there). The points stand
 * at "x" [points], else at their labels or numbers. Each line has its name at its end; more
 * lines than colours are shaded from the first to the last, and some have names. Of points that
 * are closer than pixels the least and the largest are drawn. */

enum {
    DRAWN = 200, /* lines; the rest is told in the note */
    NAMED = 12,  /* lines with a name at the end */
    NAME_COLUMNS = 26,
    LABEL_COLUMNS = 14,
    NAME_LINE = 13, /* pixels from name to name */
    HEIGHT = 270,
    DENSE = 1200,    /* points; beyond, groups are drawn by their extremes */
    LABELLED = 24,   /* points without labels that all have their number */
    STRIPS = 200,    /* places to hover over */
    STRIP_LINES = 6, /* values told at each */
    SHADES = 24,     /* colours of many lines */
    SENT = 65536,    /* values in the JSON */
    TOP = 8
};

struct lines {
    int64_t n, points;        /* lines drawn */
    int64_t source;           /* lines there */
    const float *values;      /* [n, points] */
    const float *x;           /* [points], or NULL */
    const char **names;       /* [n]; "" for the only one */
    const char **labels;      /* [points], or NULL */
    const char *what, *along; /* titles of the axes */
    bool log, x_log;
    enum colour_map colours;
    /* by measure */
    struct ruler down, across;
    double left, top, width, below, right;
    int64_t first, step; /* which points have a label */
    bool leans;          /* labels at an angle */
};

static double value_at(const struct lines *l, int64_t line, int64_t point) {
    double value = (double)l->values[line * l->points + point];
    return isfinite(value) && !(l->log && value <= 0) ? value : (double)NAN;
}

static double x_of(const struct lines *l, int64_t point) {
    double at = l->x ? (double)l->x[point] : (double)point;
    return l->left + ruler_at(&l->across, at);
}

static double y_of(const struct lines *l, double value) {
    return l->top + l->down.length - ruler_at(&l->down, value);
}

static uint32_t colour_of_line(const struct lines *l, int64_t line) {
    if (l->n < COLOUR_CATEGORIES) {
        return colour_category(line);
    }
    return colour_sequential(l->colours,
                             0.25 + 0.7 * (double)(SHADES * line / l->n) / (SHADES - 1));
}

static const char *point_label(struct arena *arena, const struct lines *l, int64_t point) {
    if (l->labels) {
        return figure_visible(arena, l->labels[point]);
    }
    return l->x ? ruler_number(arena, (double)l->x[point])
                : arena_printf(arena, "%lld", (long long)point);
}

/* ---- layout ---- */

static struct canvas_style point_style(void) {
    struct canvas_style style = chart_label_style();
    style.size = 10;
    return style;
}

/* Points are labelled one by one, not by a ruler. */
static bool one_by_one(const struct lines *l) {
    return !l->x && (l->labels || l->points <= LABELLED);
}

/* The whole number that a point is called by; false: by something else. */
static bool numbered(struct arena *arena, const struct lines *l, int64_t point,
                     long long *number) {
    const char *text = point_label(arena, l, point);
    char *end;
    *number = strtoll(text, &end, 10);
    return end > text && !*end && llabs(*number) < 1000000000;
}

/* 1, 2, 5, 10, 20 ...: the first that is not less. */
static int64_t round_up(int64_t least) {
    int64_t ten = 1;
    while (10 * ten <= least) {
        ten *= 10;
    }
    return least <= ten       ? ten
           : least <= 2 * ten ? 2 * ten
           : least <= 5 * ten ? 5 * ten
                              : 10 * ten;
}

/* Where points are numbered one after the other, the numbers shown are round. */
static void round_labels(struct arena *arena, struct lines *l) {
    long long from, to;
    l->first = 0;
    if (l->step == 1 || !numbered(arena, l, 0, &from) ||
        !numbered(arena, l, l->points - 1, &to) || to - from != l->points - 1) {
        return;
    }
    l->step = round_up(l->step);
    l->first = ((-from) % l->step + l->step) % l->step;
}

/* Every how many points there is room for a label, lying if that does not cost labels. */
static void place_labels(struct canvas *probe, struct lines *l) {
    struct canvas_style style = point_style();
    double widest = 0, pitch = l->points > 1 ? l->width / (double)(l->points - 1) : l->width;
    for (int64_t i = 0; i < l->points && i < 400; i++) {
        const char *text =
            figure_short(probe->arena, point_label(probe->arena, l, i), LABEL_COLUMNS);
        widest = fmax(widest, canvas_measure(probe, &style, text).width);
    }
    l->leans = widest + 8 > fmax(pitch, 40);
    l->step = (int64_t)ceil((l->leans ? 14 : widest + 8) / pitch);
    round_labels(probe->arena, l);
    l->below = l->leans ? (widest + 12) * 0.7072 + 6 : 20;
}

static void scale_down(struct arena *arena, struct lines *l) {
    struct chart_span span = { 0 };
    for (int64_t i = 0; i < l->n * l->points; i++) {
        double value = value_at(l, i / l->points, i % l->points);
        if (!isnan(value)) {
            span.low = span.finite && span.low < value ? span.low : value;
            span.high = span.finite && span.high > value ? span.high : value;
            span.finite++;
        }
    }
    bool near_zero = span.low > 0 && span.low < 0.4 * span.high;
    ruler_init(arena, &l->down, near_zero && !l->log ? 0 : span.low, span.high, l->log, true,
               HEIGHT, 36);
}

static void scale_across(struct arena *arena, struct lines *l) {
    struct chart_span span = { 0, (double)(l->points > 1 ? l->points - 1 : 1), 1 };
    if (l->x) {
        span = chart_span(l->x, l->points);
    }
    ruler_init(arena, &l->across, span.low, span.high, l->x && l->x_log, false, l->width, 64);
    if (!l->x && l->points == 1) { /* a single point stands in the middle */
        l->across.low = -1;
    }
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct lines *l = figure->body;
    l->width = fmax(340, fmin(580, (double)l->points * 18));
    scale_down(figure->arena, l);
    scale_across(figure->arena, l);
    l->left = ruler_left_room(probe, &l->down, l->what) + 2;
    l->top = 6;
    l->below = ruler_bottom_room(l->along);
    if (one_by_one(l)) {
        place_labels(probe, l);
        l->below += *l->along ? 14 : 0;
    }
    double widest = 0;
    struct canvas_style style = chart_label_style();
    for (int64_t i = 0; i < l->n; i++) {
        widest = fmax(widest, canvas_measure(probe, &style, l->names[i]).width);
    }
    l->right = l->left + l->width + (*l->names[0] ? 24 : 12);
    return (struct canvas_size){ l->right + (widest > 0 ? widest : 6),
                                 l->top + HEIGHT + l->below };
}

/* ---- drawing ---- */

/* The path of a line in x, y pairs; returns how many. */
static int64_t path_of(const struct lines *l, int64_t line, double x, double y, double *path) {
    int64_t group = l->points > DENSE ? (l->points + DENSE - 1) / DENSE : 1, n = 0;
    for (int64_t i = 0; i < l->points; i += group) {
        int64_t least = i, most = i;
        for (int64_t j = i; j < i + group && j < l->points; j++) {
            double value = value_at(l, line, j);
            double low = value_at(l, line, least), high = value_at(l, line, most);
            least = isnan(low) || value < low ? j : least;
            most = isnan(high) || value > high ? j : most;
        }
        int64_t both[] = { least < most ? least : most, least < most ? most : least };
        for (int k = 0; k < (least == most ? 1 : 2); k++) {
            path[2 * n] = x + x_of(l, both[k]);
            path[2 * n + 1] = y + y_of(l, value_at(l, line, both[k]));
            n++;
        }
    }
    return n;
}

/* A value between two gaps is a dot, as no line goes there. */
static void draw_dots(struct canvas *canvas, const struct lines *l, int64_t line,
                      const double *path, int64_t n) {
    bool all = l->points <= 40 && l->n < COLOUR_CATEGORIES;
    for (int64_t i = 0; i < n; i++) {
        bool alone =
            (i == 0 || isnan(path[2 * i - 1])) && (i + 1 == n || isnan(path[2 * i + 3]));
        if (all || alone) {
            canvas_disc(canvas, path[2 * i], path[2 * i + 1], 2.6, colour_of_line(l, line));
        }
    }
}

static void draw_line(struct canvas *canvas, const struct lines *l, int64_t line, double x,
                      double y) {
    struct arena *scratch = arena_new();
    int64_t room = (l->points < DENSE ? l->points : DENSE) * 2 + 2;
    double *path = arena_array(scratch, room, 2 * sizeof *path);
    int64_t n = path_of(l, line, x, y, path);
    double width = l->n < COLOUR_CATEGORIES ? 1.8 : 1.2;
    canvas_curve(canvas, path, n, width, colour_of_line(l, line));
    draw_dots(canvas, l, line, path, n);
    arena_free(scratch);
}

/* Where a line ends, and its name, which gives way to others. */
struct ending {
    int64_t line;
    double end, y;
};

static int higher_first(const void *a, const void *b) {
    const struct ending *x = a, *y = b;
    return x->y != y->y ? (x->y > y->y) - (x->y < y->y)
                        : (x->line > y->line) - (x->line < y->line);
}

static double last_y(const struct lines *l, int64_t line) {
    for (int64_t i = l->points; i-- > 0;) {
        if (!isnan(value_at(l, line, i))) {
            return y_of(l, value_at(l, line, i));
        }
    }
    return (double)NAN;
}

/* Moves names apart downwards, then back up from the plot's end. */
static void spread(struct ending *ends, int64_t n, double low, double high) {
    for (int64_t i = 0; i < n; i++) {
        double least = i > 0 ? ends[i - 1].y + NAME_LINE : low;
        ends[i].y = fmax(ends[i].y, least);
    }
    for (int64_t i = n; i-- > 0;) {
        double most = i + 1 < n ? ends[i + 1].y - NAME_LINE : high;
        ends[i].y = fmin(ends[i].y, most);
    }
}

static void draw_names(struct canvas *canvas, const struct lines *l, double x, double y) {
    struct ending ends[NAMED];
    int64_t n = 0, named = l->n < NAMED ? l->n : NAMED;
    for (int64_t i = 0; i < named; i++) { /* evenly, the first and the last among them */
        int64_t line = named > 1 ? i * (l->n - 1) / (named - 1) : 0;
        double at = last_y(l, line);
        if (!isnan(at) && *l->names[line]) {
            ends[n++] = (struct ending){ line, at, at };
        }
    }
    qsort(ends, (size_t)n, sizeof *ends, higher_first);
    spread(ends, n, l->top + 4, l->top + HEIGHT - 2);
    for (int64_t i = 0; i < n; i++) {
        struct canvas_style style = chart_label_style();
        double from = x + l->left + l->width + 3;
        canvas_line(canvas, from, y + ends[i].end, x + l->right - 4, y + ends[i].y, 0.9,
                    colour_of_line(l, ends[i].line));
        style.colour = colour_ink(colour_of_line(l, ends[i].line));
        chart_write(canvas, style, 0, 0.5, x + l->right, y + ends[i].y, l->names[ends[i].line]);
    }
}

static void draw_labels(struct canvas *canvas, const struct lines *l, double x, double y) {
    double bottom = y + l->top + HEIGHT, line = canvas_hairline(canvas);
    for (int64_t i = l->first; i < l->points; i += l->step) {
        struct canvas_style style = point_style();
        style.angle = l->leans ? 45 : 0;
        const char *text =
            figure_short(canvas->arena, point_label(canvas->arena, l, i), LABEL_COLUMNS);
        canvas_rect(canvas, x + x_of(l, i) - line / 2, bottom, line, 4, COLOUR_QUIET);
        chart_write(canvas, style, l->leans ? 1 : 0.5, l->leans ? 0.5 : 0, x + x_of(l, i) + 1,
                    bottom + (l->leans ? 8 : 5), text);
    }
    chart_write(canvas, page_axis_style(), 0.5, 1, x + l->left + l->width / 2,
                bottom + l->below + 2, l->along);
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct lines *l = figure->body;
    double bottom = y + l->top + HEIGHT, line = canvas_hairline(canvas);
    ruler_left(canvas, &l->down, x + l->left, y + l->top, l->width, l->what);
    if (one_by_one(l)) {
        draw_labels(canvas, l, x, y);
    } else {
        ruler_bottom(canvas, &l->across, x + l->left, bottom, 0, l->along);
    }
    double zero = l->down.low < 0 && l->down.high > 0 ? y + y_of(l, 0) : bottom;
    canvas_rect(canvas, x + l->left, zero - line / 2, l->width, line, COLOUR_QUIET);
    for (int64_t i = 0; i < l->n; i++) {
        canvas_colour(canvas, colour_of_line(l, i));
    }
    for (int64_t i = 0; i < l->n; i++) {
        stop_check();
        draw_line(canvas, l, i, x, y);
    }
    draw_names(canvas, l, x, y);
}

/* ---- hover, JSON ---- */

static const char *strip_text(const struct figure *figure, int64_t point, int64_t columns) {
    const struct lines *l = figure->body;
    struct arena *arena = figure->arena;
    struct buf *out = buf_new(arena);
    buf_text(out, figure_short(arena, point_label(arena, l, point), columns));
    for (int64_t i = 0; i < l->n && i < STRIP_LINES; i++) {
        int64_t line = l->n <= STRIP_LINES ? i : i * (l->n - 1) / (STRIP_LINES - 1);
        const char *name = figure_short(arena, l->names[line], columns);
        buf_printf(out, "%s %s%s%s", i ? "," : ":", name, *name ? " " : "",
                   ruler_number(arena, (double)l->values[line * l->points + point]));
    }
    return out->data;
}

/* The point that strip `i` tells of, and where it stands: NaN where there is no such strip. */
static int64_t strip_point(const struct lines *l, int64_t i) {
    int64_t group = (l->points + STRIPS - 1) / STRIPS, point = i * group + group / 2;
    return point < l->points ? point : l->points - 1;
}

static double strip_x(const struct lines *l, int64_t i, int64_t strips) {
    return i >= 0 && i < strips ? x_of(l, strip_point(l, i)) : (double)NAN;
}

/* From halfway to the strip before to halfway to the one behind; as far on the side where there
 * is none. */
static void strip_ends(const struct lines *l, int64_t i, int64_t strips, double *left,
                       double *right) {
    double at = strip_x(l, i, strips), before = strip_x(l, i - 1, strips);
    double behind = strip_x(l, i + 1, strips);
    double alone = isnan(behind) ? at - l->width : 2 * at - behind;
    before = isnan(before) ? alone : before;
    behind = isnan(behind) ? 2 * at - before : behind;
    *left = fmax(l->left - 6, (fmin(before, behind) + at) / 2);
    *right = fmin(l->left + l->width + 6, (fmax(before, behind) + at) / 2);
}

/* Upright strips, each with the values of one point. */
static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct lines *l = figure->body;
    int64_t group = (l->points + STRIPS - 1) / STRIPS, strips = (l->points + group - 1) / group;
    int64_t told = l->n < STRIP_LINES ? l->n : STRIP_LINES;
    int64_t columns = chart_hover_columns(strips * (told + 1));
    for (int64_t i = 0; i < strips; i++) {
        double left, right;
        strip_ends(l, i, strips, &left, &right);
        if (left < right) {
            hover_box(out, x + left, y + l->top, right - left, HEIGHT,
                      strip_text(figure, strip_point(l, i), columns));
        }
    }
}

/* Every so many points are sent; each has its number, so that none is taken for its neighbour.
 */
static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct lines *l = figure->body;
    struct arena *arena = figure->arena;
    int64_t every = (l->n * l->points + SENT - 1) / SENT,
            sent = (l->points + every - 1) / every;
    float *values = arena_array(arena, l->n * sent, sizeof *values);
    float *x = arena_array(arena, sent, sizeof *x);
    const char **labels = arena_array(arena, sent, sizeof *labels);
    for (int64_t i = 0; i < sent; i++) {
        x[i] = l->x ? l->x[i * every] : (float)(i * every);
        labels[i] = l->labels ? l->labels[i * every] : NULL;
        for (int64_t line = 0; line < l->n; line++) {
            values[line * sent + i] = l->values[line * l->points + i * every];
        }
    }
    json_pair(w, "measure", l->what);
    json_pair(w, "along", l->along);
    json_key(w, "log");
    json_bool(w, l->log);
    json_key(w, "xLog");
    json_bool(w, l->x_log);
    json_key(w, "lines");
    json_int(w, l->source);
    json_key(w, "points");
    json_int(w, l->points);
    chart_json_ramp(w, figure);
    chart_json_texts(w, figure->arena, "names", l->names, l->n);
    chart_json_texts(w, figure->arena, "labels", l->labels ? labels : NULL, sent);
    chart_json_floats(w, arena, "values", values, 2, (int64_t[]){ l->n, sent });
    chart_json_floats(w, arena, "x", x, 1, &sent);
}

static const struct figure_form lines_form = {
    .kind = "lines", .measure = measure, .draw = draw, .hover = hover, .json = json
};

/* ---- from a result ---- */

static void take_names(struct arena *arena, struct lines *l, const struct series *series) {
    bool many = series->values->rank == 2;
    struct figure_axis axis = { .labels = many ? series->axes[0].labels : NULL, .block = 1 };
    l->names = arena_array(arena, l->n, sizeof *l->names);
    for (int64_t i = 0; i < l->n; i++) {
        const char *name =
            many && (l->n > 1 || axis.labels) ? figure_label(arena, &axis, i) : "";
        if (*name && !axis.labels) {
            name = arena_printf(arena, "%s %s", series->axes[0].name, name);
        }
        l->names[i] = figure_short(arena, name, NAME_COLUMNS);
    }
}

/* The points of the only line that stand out most. */
static void table_points(struct figure *figure, int64_t top) {
    const struct lines *l = figure->body;
    struct arena *arena = figure->arena;
    int64_t rows = l->points < top ? l->points : top;
    const char *heads[] = { term(figure->language, "place"), term(figure->language, "point"),
                            l->what, NULL };
    bool *told = arena_array(arena, l->points, sizeof *told);
    chart_table(figure, rows, heads);
    figure->table.note = rows < l->points ? term(figure->language, "largest") : NULL;
    for (int64_t row = 0; row < rows; row++) {
        int64_t best = -1;
        for (int64_t i = 0; i < l->points; i++) {
            double value = value_at(l, 0, i), most = best < 0 ? 0 : value_at(l, 0, best);
            best = !told[i] && (best < 0 || value > most || isnan(most)) ? i : best;
        }
        told[best] = true;
        table_set(&figure->table, row, 0, arena_printf(arena, "%lld", (long long)best));
        table_set(&figure->table, row, 1, point_label(arena, l, best));
        table_set(&figure->table, row, 2, arena_printf(arena, "%.5g", (double)l->values[best]));
    }
}

static void table_lines(struct figure *figure, int64_t top) {
    const struct lines *l = figure->body;
    struct arena *arena = figure->arena;
    int64_t rows = l->n < top ? l->n : top;
    const char *words[] = { "line", "first", "last", "least", "largest", "missing" };
    const char *heads[7] = { NULL };
    for (int i = 0; i < 6; i++) {
        heads[i] = term(figure->language, words[i]);
    }
    chart_table(figure, rows, heads);
    for (int64_t row = 0; row < rows; row++) {
        const float *values = l->values + row * l->points;
        struct chart_span span = chart_span(values, l->points);
        double numbers[] = { (double)values[0], (double)values[l->points - 1], span.low,
                             span.high, (double)(l->points - span.finite) };
        table_set(&figure->table, row, 0, l->names[row]);
        for (int i = 0; i < 5; i++) {
            table_set(&figure->table, row, i + 1, arena_printf(arena, "%.5g", numbers[i]));
        }
    }
}

/* What is not drawn. */
static const char *note_of(const struct figure *figure, int64_t missing) {
    const struct lines *l = figure->body;
    bool zh = figure_is_chinese(figure);
    struct buf *out = buf_new(figure->arena);
    if (l->source > l->n) {
        buf_printf(out,
                   zh ? "共 %lld 条线，画出前 %lld 条；%%save 可取出全部"
                      : "the first %2$lld of %1$lld lines; %%save has all of them",
                   (long long)l->source, (long long)l->n);
    }
    if (missing > 0) {
        buf_text(out, out->length == 0 ? "" : zh ? "；" : "; ");
        buf_printf(out,
                   l->log ? zh ? "%lld 个值为零、负数或非有限数，画作空缺"
                               : "values that are zero, negative or not finite are gaps: %lld"
                   : zh   ? "%lld 个值非有限数，画作空缺"
                          : "values that are not finite are gaps: %lld",
                   (long long)missing);
    }
    return out->data;
}

static void describe(struct figure *figure) {
    const struct lines *l = figure->body;
    struct arena *arena = figure->arena;
    bool zh = figure_is_chinese(figure);
    int64_t missing = 0;
    bool before = true;
    for (int64_t i = 0; i < l->n * l->points; i++) {
        bool nan = isnan(l->values[i]), gap = isnan(value_at(l, i / l->points, i % l->points));
        before = (i % l->points == 0 || before) && nan; /* where a line has not begun yet */
        missing += gap && !before;
    }
    figure->note = note_of(figure, missing);
    struct chart_span span = chart_span(l->values, l->n * l->points);
    figure->alt = arena_printf(arena,
                               zh ? "折线图，%s：%lld 条线，%lld 个点，%s从 %s 到 %s%s；%s"
                                  : "Line chart, %s: lines %lld, points %lld, %s from %s to "
                                    "%s%s; %s",
                               figure->title, (long long)l->n, (long long)l->points, l->what,
                               ruler_number(arena, span.low), ruler_number(arena, span.high),
                               !l->log ? ""
                               : zh    ? "，对数刻度"
                                       : ", logarithmic",
                               figure->finding);
}

static struct figure *lines_draw(struct arena *arena, const struct result *result,
                                 const struct picture_options *options, struct err *err) {
    const struct series *series =
        chart_series(result, NULL, 1, 2, "a line chart", "values [lines, points]", err);
    if (!series) {
        err_pass(err);
        return NULL;
    }
    struct figure *figure = figure_new(arena, result, options);
    struct lines *l = arena_alloc(arena, sizeof *l);
    const struct tensor *values = series->values;
    const struct series *x = result_at(result, "x");
    l->source = values->rank == 2 ? values->shape[0] : 1;
    l->n = l->source < DRAWN ? l->source : DRAWN;
    l->points = values->shape[values->rank - 1];
    l->values = values->data;
    l->log = series->log;
    if (x && x->values->dtype == DTYPE_F32 && tensor_count(x->values) == l->points) {
        l->x = x->values->data;
        l->x_log = x->log;
    }
    const struct axis *along = &series->axes[values->rank - 1];
    l->labels = along->labels;
    l->along = figure_sentence(
        arena, l->x && *x->unit ? x->unit : term_axis(figure->language, along->name));
    l->what = chart_measure(arena, figure->language, series->name, series->unit);
    take_names(arena, l, series);
    figure->form = &lines_form;
    l->colours = figure->colours;
    figure->body = l;
    describe(figure);
    if (l->n == 1) {
        table_points(figure, options->top ? options->top : TOP);
    } else {
        table_lines(figure, options->top ? options->top : 40);
    }
    return figure;
}

const struct picture lines_picture = {
    .name = "lines",
    .summary = "curves over layers, tokens or steps, each with its name at its end",
    .summary_zh = "随层、词元或步数变化的曲线，线尾标名",
    .draw = lines_draw,
};
