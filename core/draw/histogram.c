#include <math.h>
#include <string.h>

#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/hover.h"
#include "core/draw/page.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"

/* Histograms that were counted: "counts" [rows, bins] or [bins], "edges" [bins + 1] (its `log`:
 * a logarithmic axis), and where they are there "zeros" and "bad" (NaN and infinities) [rows],
 * and "counts other" as a line over the bars, which the notes "this" and "other" name. Counts
 * are drawn on a logarithmic scale, the same for all rows. Up to PLOTS rows are plots below
 * each other over one axis, more are strips whose colour tells the count. */

enum {
    PLOTS = 12,
    STRIPS = 240,
    WIDTH = 520,
    BUCKET = 20, /* width of the buckets for zeros and for what is bad */
    ASIDE = 18,  /* between a bucket and the bins, whose labels stand below */
    HEAD = 18,   /* title of a plot */
    LABEL_COLUMNS = 30,
    STRIPS_HIGH = 1100,
    LEVELS = 48, /* colours of strips */
    SENT = 65536 /* counts in the JSON; beyond, neighbouring bins are joined there */
};

struct histogram {
    int64_t rows, bins, source;  /* rows drawn, and there */
    const float *counts, *other; /* [rows, bins]; other: or NULL */
    const float *edges;          /* [bins + 1] */
    const float *zeros, *bad;    /* [rows], or NULL */
    bool edges_log;
    const char **labels;        /* [rows]; "" for the only one */
    const char *what, *counted; /* titles of the axes */
    struct chart_key keys[2];
    double most; /* the largest count of all */
    bool strips;
    enum colour_map colours;
    /* by measure */
    struct ruler x, y;                       /* y: of counts */
    double left, bins_left, bad_left, right; /* of the plots, the bins, the last bucket */
    double top, plot, pitch;                 /* of the first plot, heights */
    int64_t step;                            /* every how many strips have a label */
};

static double count_at(const struct histogram *h, int64_t row, int64_t bin) {
    return (double)h->counts[row * h->bins + bin];
}

static double edge_x(const struct histogram *h, int64_t i) {
    return h->bins_left + ruler_at(&h->x, (double)h->edges[i]);
}

/* ---- what a row says ---- */

struct summary {
    double counted, zeros, bad, all;
    double median; /* of those counted, middle of the bin that holds it; NaN where none is */
    int64_t mode;
};

static double middle_of(const struct histogram *h, int64_t bin) {
    double a = (double)h->edges[bin], b = (double)h->edges[bin + 1];
    return h->edges_log && a > 0 ? sqrt(a * b) : (a + b) / 2;
}

static struct summary summarise(const struct histogram *h, int64_t row) {
    struct summary s = { .median = (double)NAN };
    for (int64_t i = 0; i < h->bins; i++) {
        s.counted += count_at(h, row, i);
        s.mode = count_at(h, row, i) > count_at(h, row, s.mode) ? i : s.mode;
    }
    double seen = 0;
    for (int64_t i = 0; i < h->bins && isnan(s.median); i++) {
        seen += count_at(h, row, i);
        s.median = seen > 0 && seen >= s.counted / 2 ? middle_of(h, i) : s.median;
    }
    s.zeros = h->zeros ? (double)h->zeros[row] : 0;
    s.bad = h->bad ? (double)h->bad[row] : 0;
    s.all = s.counted + s.zeros + s.bad;
    return s;
}

static const char *count_text(struct arena *arena, double count) {
    return fabs(count) < 9e15 ? ruler_count(arena, (int64_t)llround(count))
                              : ruler_number(arena, count);
}

/* "1,234 zeros (12 %)" */
static const char *part_text(struct arena *arena, const char *what, double part, double all) {
    return arena_printf(arena, "%s %s (%.3g %%)", count_text(arena, part), what,
                        all > 0 ? 100 * part / all : 0);
}

/* Zeros and what is no number lie in no bin: where there are some, the median is the others'.
 */
static const char *median_name(bool others) {
    return others ? "median of the others" : "median";
}

static const char *row_text(const struct figure *figure, int64_t row, int64_t columns) {
    const struct histogram *h = figure->body;
    struct arena *arena = figure->arena;
    struct summary s = summarise(h, row);
    const char *label = figure_short_name(arena, h->labels[row], columns);
    struct buf *out = buf_new(arena);
    buf_printf(out, "%s%s%s %s", label, *label ? ": " : "", count_text(arena, s.all),
               term(figure->language, "values"));
    if (h->zeros) {
        buf_printf(out, ", %s",
                   part_text(arena, term(figure->language, "zeros"), s.zeros, s.all));
    }
    if (s.bad > 0) {
        buf_printf(out, ", %s NaN/∞", count_text(arena, s.bad));
    }
    buf_printf(out, ", %s %s", term(figure->language, median_name(s.counted < s.all)),
               ruler_number(arena, s.median));
    return out->data;
}

/* ---- layout ---- */

static double widest_label(struct canvas *probe, const struct histogram *h, double size) {
    struct canvas_style style = chart_label_style();
    double most = 0;
    style.size = size;
    for (int64_t row = 0; row < h->rows; row += h->step) {
        most = fmax(most, canvas_measure(probe, &style, h->labels[row]).width);
    }
    return most;
}

static double strip_label_size(const struct histogram *h) {
    return fmin(10.5, fmax(8, h->pitch * 0.75));
}

/* Columns from left to right: labels, zeros, bins, what is bad. */
static void place_columns(struct histogram *h) {
    h->bins_left = h->left + (h->zeros ? BUCKET + ASIDE : 0);
    h->bad_left = h->bins_left + WIDTH + 1.6 * ASIDE;
    h->right = h->bad ? h->bad_left + BUCKET : h->bins_left + WIDTH;
}

static struct canvas_size measure_strips(struct canvas *probe, struct histogram *h) {
    h->pitch = fmax(5, fmin(18, floor(2.0 * STRIPS_HIGH / (double)h->rows) / 2));
    h->step = (int64_t)ceil(10.5 / h->pitch);
    h->plot = h->pitch;
    h->left = widest_label(probe, h, strip_label_size(h)) + 8;
    ruler_init(probe->arena, &h->y, 1, fmax(h->most, 10), true, false, 180, 30);
    place_columns(h);
    h->top = 2;
    double below = h->top + h->pitch * (double)h->rows;
    double scale = ruler_left_room(probe, &h->y, "") + 40;
    return (struct canvas_size){ h->right + 24 + scale,
                                 fmax(below + ruler_bottom_room(h->what), 220) };
}

static struct canvas_size measure_plots(struct canvas *probe, struct histogram *h) {
    bool titled = h->rows > 1 || *h->labels[0];
    h->plot = h->rows == 1 ? 250 : h->rows <= 4 ? 110 : 66;
    h->pitch = h->plot + (titled ? HEAD : 0) + 12;
    ruler_init(probe->arena, &h->y, 0.7, fmax(10, h->most * 1.25), true, false, h->plot, 22);
    h->left = ruler_left_room(probe, &h->y, h->counted);
    place_columns(h);
    h->top = chart_keys_height(probe, h->keys, h->other ? 2 : 0, h->right);
    double below = h->top + h->pitch * (double)h->rows - 12 + 6;
    h->top += titled ? HEAD : 0;
    return (struct canvas_size){ h->right + 6, below + ruler_bottom_room(h->what) };
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct histogram *h = figure->body;
    double low = (double)h->edges[0], high = (double)h->edges[h->bins];
    ruler_init(figure->arena, &h->x, low, high, h->edges_log, false, WIDTH, 62);
    return h->strips ? measure_strips(probe, h) : measure_plots(probe, h);
}

/* ---- drawing ---- */

/* Words below the two buckets beside the bins. */
static void draw_bucket_words(struct canvas *canvas, const struct histogram *h, double x,
                              double y) {
    struct canvas_style style = chart_label_style();
    style.size = 10;
    if (h->zeros) {
        chart_write(canvas, style, 0.5, 0, x + h->left + BUCKET / 2.0, y + 5, "= 0");
    }
    if (h->bad) {
        style.colour = COLOUR_BAD;
        chart_write(canvas, style, 0.5, 0, x + h->bad_left + BUCKET / 2.0, y + 5, "NaN/∞");
    }
}

/* One bar over the line y. */
static void draw_column(struct canvas *canvas, const struct histogram *h, double x0, double x1,
                        double y, double count, uint32_t colour) {
    double high = count > 0 ? ruler_at(&h->y, fmax(count, 0.7)) : 0;
    double gap = x1 - x0 > 5 ? 0.5 : 0;
    if (high > 0) { /* all of one value: a bin without width is a line */
        canvas_rect(canvas, x0 + gap / 2, y - high,
                    fmax(x1 - x0 - gap, canvas_hairline(canvas)), high, colour);
    }
}

/* The other model's counts: a line along the tops of its bars, and down where there is none. */
static void draw_other(struct canvas *canvas, const struct histogram *h, int64_t row, double x,
                       double y) {
    double *path = arena_array(canvas->arena, 2 * h->bins + 2, 2 * sizeof *path), *at = path;
    double before = 0;
    for (int64_t i = 0; i <= h->bins; i++) {
        double count = i < h->bins ? (double)h->other[row * h->bins + i] : 0;
        double high = count > 0 ? ruler_at(&h->y, fmax(count, 0.7)) : 0;
        double ends[] = { before, high }; /* upright at this edge, or a gap along the ground */
        for (int k = 0; k < 2; k++, at += 2) {
            at[0] = x + edge_x(h, i);
            at[1] = before > 0 || high > 0 ? y - ends[k] : (double)NAN;
        }
        before = high;
    }
    canvas_curve(canvas, path, (at - path) / 2, 1.5, h->keys[1].colour);
}

static void draw_plot(struct canvas *canvas, const struct histogram *h, int64_t row, double x,
                      double top) {
    double y = top + h->plot, line = canvas_hairline(canvas);
    ruler_left(canvas, &h->y, x + h->left, top, h->right - h->left,
               *h->y.factor ? h->counted : "");
    for (int64_t i = 0; i < h->bins; i++) {
        draw_column(canvas, h, x + edge_x(h, i), x + edge_x(h, i + 1), y, count_at(h, row, i),
                    colour_category(0));
    }
    if (h->other) {
        draw_other(canvas, h, row, x, y);
    }
    if (h->zeros) {
        draw_column(canvas, h, x + h->left, x + h->left + BUCKET, y, (double)h->zeros[row],
                    COLOUR_QUIET);
    }
    if (h->bad) {
        draw_column(canvas, h, x + h->bad_left, x + h->bad_left + BUCKET, y,
                    (double)h->bad[row], COLOUR_BAD);
    }
    canvas_rect(canvas, x + h->left, y - line / 2, h->right - h->left, line, COLOUR_QUIET);
    if (*h->labels[row]) {
        chart_write(canvas, chart_title_style(), 0, 1, x + h->left, top - 2, h->labels[row]);
    }
}

static void draw_plots(struct canvas *canvas, const struct histogram *h, double x, double y) {
    double below = y + h->top + h->pitch * (double)(h->rows - 1) + h->plot;
    chart_keys(canvas, h->keys, h->other ? 2 : 0, h->right - h->left, x + h->left, y);
    for (int64_t row = 0; row < h->rows; row++) {
        draw_plot(canvas, h, row, x, y + h->top + h->pitch * (double)row);
    }
    if (!*h->y.factor) { /* once for all */
        struct canvas_style style = page_axis_style();
        style.angle = 90;
        chart_write(canvas, style, 0.5, 0,
                    x + h->left - ruler_left_room(canvas, &h->y, h->counted),
                    (y + h->top + below) / 2, h->counted);
    }
    ruler_bottom(canvas, &h->x, x + h->bins_left, below, 0, h->what);
    draw_bucket_words(canvas, h, x, below);
}

/* White for none, then from pale to dark by the logarithm. */
static uint32_t strip_colour(const struct histogram *h, double count) {
    if (!(count > 0)) {
        return COLOUR_PAPER;
    }
    double share = ruler_at(&h->y, fmax(count, 1)) / h->y.length;
    return colour_sequential(h->colours,
                             0.1 + 0.9 * floor(share * (LEVELS - 1) + 0.5) / (LEVELS - 1));
}

static void draw_scale(struct canvas *canvas, const struct histogram *h, double x, double y) {
    for (int i = 0; i < LEVELS; i++) {
        double high = h->y.length / LEVELS;
        double share = 1 - (i + 0.5) / LEVELS;
        canvas_rect(canvas, x, y + high * i, 11, high,
                    strip_colour(h, exp(log(h->y.low) + share * log(h->y.high / h->y.low))));
    }
    for (int i = 0; i < h->y.count; i++) {
        double at = y + h->y.length - ruler_at(&h->y, h->y.ticks[i]);
        canvas_rect(canvas, x + 11, at - 0.25, 3, 0.5, COLOUR_QUIET);
        struct canvas_style style = chart_label_style();
        style.size = 9.5;
        chart_write(canvas, style, 0, 0.5, x + 17, at, h->y.labels[i]);
    }
    struct canvas_style style = page_axis_style();
    style.angle = 90;
    chart_write(canvas, style, 0.5, 0.5, x + 64, y + h->y.length / 2, h->counted);
}

static void draw_strip(struct canvas *canvas, const struct histogram *h, int64_t row, double x,
                       double y) {
    double high = h->pitch - (h->pitch >= 10 ? 1 : 0);
    for (int64_t i = 0; i < h->bins; i++) {
        canvas_rect(canvas, x + edge_x(h, i), y, edge_x(h, i + 1) - edge_x(h, i), high,
                    strip_colour(h, count_at(h, row, i)));
    }
    if (h->zeros) {
        canvas_rect(canvas, x + h->left, y, BUCKET, high,
                    strip_colour(h, (double)h->zeros[row]));
    }
    if (h->bad && h->bad[row] > 0) {
        canvas_rect(canvas, x + h->bad_left, y, BUCKET, high, COLOUR_BAD);
    }
    if (row % h->step == 0) {
        struct canvas_style style = chart_label_style();
        style.size = strip_label_size(h);
        chart_write(canvas, style, 1, 0.5, x + h->left - 6, y + h->pitch / 2, h->labels[row]);
    }
}

static void draw_strips(struct canvas *canvas, const struct histogram *h, double x, double y) {
    double below = y + h->top + h->pitch * (double)h->rows;
    for (int64_t row = 0; row < h->rows; row++) {
        draw_strip(canvas, h, row, x, y + h->top + h->pitch * (double)row);
    }
    ruler_bottom(canvas, &h->x, x + h->bins_left, below, 0, h->what);
    double line = canvas_hairline(canvas);
    canvas_rect(canvas, x + h->left, below, h->right - h->left, line, COLOUR_LINE);
    draw_bucket_words(canvas, h, x, below);
    draw_scale(canvas, h, x + h->right + 24, y + h->top);
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct histogram *h = figure->body;
    if (h->strips) {
        draw_strips(canvas, h, x, y);
    } else {
        draw_plots(canvas, h, x, y);
    }
}

/* "0.01 … 0.02: 1,234" over each bin of a plot. */
static void hover_bins(struct buf *out, const struct figure *figure, int64_t row, double x,
                       double y) {
    const struct histogram *h = figure->body;
    struct arena *arena = figure->arena;
    for (int64_t i = 0; i < h->bins; i++) {
        double left = edge_x(h, i);
        const char *text =
            arena_printf(arena, "%s … %s: %s", ruler_number(arena, (double)h->edges[i]),
                         ruler_number(arena, (double)h->edges[i + 1]),
                         count_text(arena, count_at(h, row, i)));
        if (h->other) {
            text = arena_printf(arena, "%s / %s", text,
                                count_text(arena, (double)h->other[row * h->bins + i]));
        }
        hover_box(out, x + left, y, edge_x(h, i + 1) - left, h->plot, text);
    }
}

static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    enum { BINS = 500 }; /* of about 200 bytes each */
    const struct histogram *h = figure->body;
    bool each = !h->strips && h->rows * h->bins <= BINS;
    for (int64_t row = 0; row < h->rows; row++) {
        double top = y + h->top + h->pitch * (double)row;
        if (each) {
            hover_bins(out, figure, row, x, top);
        }
        double left = each ? h->left - 40 : 0, right = each ? h->bins_left : h->right;
        hover_box(out, x + left, top, right - left, h->plot,
                  row_text(figure, row, chart_hover_columns(4 * h->rows)));
    }
}

/* Counts of `joined` neighbours each. */
static void json_counts(struct jsonwrite *w, const struct figure *figure, const char *key,
                        const float *counts, int64_t joined) {
    const struct histogram *h = figure->body;
    int64_t sent = (h->bins + joined - 1) / joined, shape[] = { h->rows, sent };
    float *sums = arena_array(figure->arena, h->rows * sent, sizeof *sums);
    for (int64_t i = 0; i < h->rows * h->bins; i++) {
        sums[i / h->bins * sent + i % h->bins / joined] += counts[i];
    }
    chart_json_floats(w, figure->arena, key, sums, 2, shape);
}

static void json_edges(struct jsonwrite *w, const struct figure *figure, int64_t joined) {
    const struct histogram *h = figure->body;
    int64_t n = (h->bins + joined - 1) / joined + 1;
    float *edges = arena_array(figure->arena, n, sizeof *edges);
    for (int64_t i = 0; i < n; i++) {
        edges[i] = h->edges[i + 1 < n ? i * joined : h->bins];
    }
    chart_json_floats(w, figure->arena, "edges", edges, 1, &n);
}

static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct histogram *h = figure->body;
    int64_t joined = (h->rows * h->bins + SENT - 1) / SENT;
    json_pair(w, "measure", h->what);
    json_pair(w, "counted", h->counted);
    json_key(w, "log");
    json_bool(w, h->edges_log);
    chart_json_ramp(w, figure);
    chart_json_texts(w, figure->arena, "labels", h->labels, h->rows);
    if (joined > 1) {
        json_key(w, "joined");
        json_int(w, joined);
    }
    json_edges(w, figure, joined);
    json_counts(w, figure, "counts", h->counts, joined);
    if (h->other) {
        const char *keys[] = { h->keys[0].text, h->keys[1].text };
        chart_json_texts(w, figure->arena, "keys", keys, 2);
        json_counts(w, figure, "other", h->other, joined);
    }
    if (h->zeros) {
        chart_json_floats(w, figure->arena, "zeros", h->zeros, 1, &h->rows);
    }
    if (h->bad) {
        chart_json_floats(w, figure->arena, "bad", h->bad, 1, &h->rows);
    }
}

static const struct figure_form histogram_form = {
    .kind = "histogram", .measure = measure, .draw = draw, .hover = hover, .json = json
};

/* ---- from a result ---- */

/* Numbers of a series with a value a row, NULL where it is not there. */
static const float *of_rows(const struct result *result, const char *name, int64_t rows) {
    const struct series *series = result_at(result, name);
    bool fits =
        series && series->values->dtype == DTYPE_F32 && tensor_count(series->values) == rows;
    return fits ? series->values->data : NULL;
}

static bool any(const float *values, int64_t n) {
    for (int64_t i = 0; values && i < n; i++) {
        if (values[i] > 0) {
            return true;
        }
    }
    return false;
}

static void find_most(struct histogram *h) {
    for (int64_t row = 0; row < h->rows; row++) {
        for (int64_t i = 0; i < h->bins; i++) {
            h->most = fmax(h->most, count_at(h, row, i));
            h->most = fmax(h->most, h->other ? (double)h->other[row * h->bins + i] : 0);
        }
        h->most = fmax(h->most, h->zeros ? (double)h->zeros[row] : 0);
        h->most = fmax(h->most, h->bad ? (double)h->bad[row] : 0);
    }
    h->most = isfinite(h->most) ? h->most : 1;
}

static void take_labels(struct arena *arena, struct histogram *h, const struct series *counts) {
    const char **labels = counts->values->rank == 2 ? counts->axes[0].labels : NULL;
    struct figure_axis axis = { .labels = labels, .block = 1 };
    h->labels = arena_array(arena, h->rows, sizeof *h->labels);
    for (int64_t row = 0; row < h->rows; row++) {
        const char *label = labels || h->source > 1 ? figure_label(arena, &axis, row) : "";
        h->labels[row] = figure_short_name(arena, label, LABEL_COLUMNS);
    }
}

static void make_table(struct figure *figure, int64_t top) {
    const struct histogram *h = figure->body;
    struct arena *arena = figure->arena;
    int64_t rows = h->rows < top ? h->rows : top;
    bool any = false; /* row has values that lie in no bin */
    for (int64_t row = 0; row < rows; row++) {
        struct summary s = summarise(h, row);
        any = any || s.counted < s.all;
    }
    const char *heads[] = { "",
                            term(figure->language, "values"),
                            term(figure->language, "zeros"),
                            "NaN/∞",
                            term(figure->language, median_name(any)),
                            term(figure->language, "most frequent"),
                            NULL };
    heads[0] = term(figure->language, "row");
    chart_table(figure, rows, heads);
    for (int64_t row = 0; row < rows; row++) {
        struct summary s = summarise(h, row);
        const char *cells[] = { h->labels[row],
                                arena_printf(arena, "%.0f", s.all),
                                arena_printf(arena, "%.0f", s.zeros),
                                arena_printf(arena, "%.0f", s.bad),
                                arena_printf(arena, "%.4g", s.median),
                                s.counted > 0
                                    ? arena_printf(arena, "%.4g", middle_of(h, s.mode))
                                    : "" };
        for (int64_t c = 0; c < 6; c++) {
            table_set(&figure->table, row, c, cells[c]);
        }
    }
}

static void describe(struct figure *figure) {
    const struct histogram *h = figure->body;
    struct arena *arena = figure->arena;
    bool zh = figure_is_chinese(figure);
    if (h->source > h->rows) {
        figure->note = arena_printf(arena,
                                    zh ? "共 %lld 行，画出前 %lld 行；%%save 可取出全部"
                                       : "the first %2$lld of %1$lld rows; %%save has all",
                                    (long long)h->source, (long long)h->rows);
    }
    figure->alt = arena_printf(
        arena,
        zh ? "直方图，%s：%lld 行，每行 %lld 格，%s从 %s 到 %s，对数计数，最多 %s；%s"
           : "Histogram, %s: %lld rows of %lld bins, %s from %s to %s, logarithmic counts, at "
             "most %s; %s",
        figure->title, (long long)h->rows, (long long)h->bins, h->what,
        ruler_number(arena, (double)h->edges[0]),
        ruler_number(arena, (double)h->edges[h->bins]), count_text(arena, h->most),
        h->rows == 1 ? row_text(figure, 0, LABEL_COLUMNS) : figure->finding);
}

static int take_edges(struct histogram *h, const struct result *result, struct err *err) {
    const struct series *edges = result_at(result, "edges");
    h->edges = of_rows(result, "edges", h->bins + 1);
    if (!h->edges) {
        return err_set(err, ERR_OPTION,
                       "a histogram of %lld bins is drawn with %lld \"edges\", which this "
                       "result has not",
                       (long long)h->bins, (long long)(h->bins + 1));
    }
    for (int64_t i = 0; i <= h->bins; i++) {
        if (!isfinite(h->edges[i]) || (i > 0 && h->edges[i] < h->edges[i - 1])) {
            return err_set(err, ERR_OPTION,
                           "the edges of a histogram's bins ascend, and edge %lld is %g",
                           (long long)i, (double)h->edges[i]);
        }
    }
    h->edges_log = edges->log && h->edges[0] > 0;
    return 0;
}

static struct histogram *take(struct arena *arena, const struct result *result,
                              const char *language, enum colour_map map, struct err *err) {
    const struct series *counts = chart_series(result, "counts", 1, 2, "a histogram",
                                               "\"counts\" [rows, bins] and \"edges\"", err);
    struct histogram *h = arena_alloc(arena, sizeof *h);
    if (!counts) {
        err_pass(err);
        return NULL;
    }
    const struct tensor *values = counts->values;
    h->bins = values->shape[values->rank - 1];
    h->source = values->rank == 2 ? values->shape[0] : 1;
    h->rows = h->source < STRIPS ? h->source : STRIPS;
    h->strips = h->rows > PLOTS;
    h->colours = map;
    h->counts = values->data;
    h->step = 1;
    if (take_edges(h, result, err) < 0) {
        err_pass(err);
        return NULL;
    }
    h->zeros = of_rows(result, "zeros", h->source);
    h->bad = of_rows(result, "bad", h->source);
    h->bad = any(h->bad, h->rows) ? h->bad : NULL;
    h->other = of_rows(result, "counts other", h->source * h->bins);
    const struct series *edges = result_at(result, "edges");
    const char *unit = *edges->unit ? edges->unit : "value";
    h->what = figure_sentence(arena, term(language, unit));
    h->counted = term(language, "count");
    chart_pair(arena, result, language, h->keys);
    find_most(h);
    take_labels(arena, h, counts);
    return h;
}

static struct figure *histogram_draw(struct arena *arena, const struct result *result,
                                     const struct picture_options *options, struct err *err) {
    struct figure *figure = figure_new(arena, result, options);
    figure->form = &histogram_form;
    figure->body = take(arena, result, figure->language, figure->colours, err);
    if (!figure->body) {
        err_pass(err);
        return NULL;
    }
    describe(figure);
    make_table(figure, options->top ? options->top : STRIPS);
    return figure;
}

const struct picture histogram_picture = {
    .name = "histogram",
    .summary = "how many values fall where: a plot for each tensor or layer, strips for many",
    .summary_zh = "数值的分布：每个张量或每层一幅，多时为彩色条带",
    .draw = histogram_draw,
};
