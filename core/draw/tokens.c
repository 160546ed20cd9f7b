/* Coloured text: the tokens as they stand in their text, each on the colour of its value. Lines
 * break where the text's do, and at the width; a stretch written from right to left runs from
 * right to left. Tokens that stand for no text ([CLS]) are small tags. Values that are names
 * (unit "id") have colours by word, two shades in turn within it, in place of a scale. */

#include <math.h>
#include <string.h>

#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/flow.h"
#include "core/draw/hover.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"
#include "core/result/column.h"

enum {
    WIDE = 680,          /* of a line */
    LINE = 25,           /* height of one */
    LINES_MOST = 56,     /* in the picture */
    COLUMNS_MOST = 70,   /* of one token */
    TOKENS_MOST = 6000,  /* looked at for it */
    TABLE_MOST = 400,    /* rows told below it */
    TEXT_MOST = 65536,   /* bytes of the text in the JSON */
    SENT_BYTES = 120000, /* of each list of texts in the JSON */
    STOPS = 17,          /* colours of it that are sent */
    LEVELS = 45,         /* colours of the scale: letters need shades of every one */
    SHADES = 4,          /* of letters on them */
    BAR_WIDE = 160,
    BAR_HIGH = 8
};

struct tokens {
    const struct result *result;
    const struct series *values, *spans;
    int64_t count; /* tokens looked at */
    struct flow flow;
    bool named; /* values are names: colours by word */
    struct colour_scale scale;
};

static struct tokens *body_of(const struct figure *figure) {
    return figure->body;
}

/* From the series' own bounds, or from its values. */
static void scale_choose(struct colour_scale *scale, const struct series *series,
                         enum colour_map map, int levels) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < series->axes[0].count; i++) {
        double value = (double)series->values->data[i];
        low = isfinite(value) ? fmin(low, value) : low;
        high = isfinite(value) ? fmax(high, value) : high;
    }
    bool bounded = series->high > series->low, none = low > high;
    low = bounded ? series->low : none ? 0 : fmin(low, 0);
    high = bounded ? series->high : none ? 1 : high;
    if (series->is_signed) {
        high = fmax(fabs(low), fabs(high));
    }
    high = high > low ? high : low + 1;
    colour_scale_init(scale, map, series->is_signed ? -high : low, high, series->is_signed,
                      levels);
}

/* ---- chips ---- */

struct making {
    struct figure *figure;
    struct tokens *t;
    const char *text;
    int64_t length, at; /* bytes; what is told already */
};

static void add_chip(struct making *m, struct flow_piece chip, const char *bytes,
                     int64_t length) {
    chip.closes = length > 0 && memchr(bytes, '\n', (size_t)length);
    m->t->flow.pieces[m->t->flow.count++] = chip;
}

/* Text between the last token and the next: blanks that the vocabulary leaves out. */
static void add_between(struct making *m, int64_t end) {
    if (end > m->at) {
        struct flow_piece chip = { .text = flow_text(m->figure->arena, m->text, m->length,
                                                     m->at, end, COLUMNS_MOST),
                                   .token = -1 };
        add_chip(m, chip, m->text + m->at, end - m->at);
        m->at = end;
    }
}

/* Whether tokens i and k stand for the same characters: pieces of one. */
static bool is_shared(const struct tokens *t, int64_t i, int64_t k) {
    const float *spans = t->spans->values->data;
    return i >= 0 && k < t->count && spans[2 * i] < spans[2 * i + 1] &&
           spans[2 * k] < spans[2 * i + 1] && spans[2 * i] < spans[2 * k + 1];
}

static void add_token(struct making *m, int64_t i) {
    struct arena *arena = m->figure->arena;
    const char *label = figure_short(
        arena, figure_visible(arena, m->t->values->axes[0].labels[i]), COLUMNS_MOST);
    struct flow_piece chip = { .text = label, .token = i, .opens = true };
    int64_t begin = 0, end = 0;
    if (m->t->spans) {
        begin = (int64_t)m->t->spans->values->data[2 * i];
        end = (int64_t)m->t->spans->values->data[2 * i + 1];
        bool inside = begin >= 0 && begin < end && end <= m->length;
        bool shared = inside && (is_shared(m->t, i - 1, i) || is_shared(m->t, i, i + 1));
        chip.tag = !inside;
        if (inside) {
            add_between(m, begin);
            chip.text =
                shared ? label : flow_text(arena, m->text, m->length, begin, end, COLUMNS_MOST);
            chip.opens = flow_opens(m->text, m->length, begin);
            m->at = end > m->at ? end : m->at;
        }
    }
    add_chip(m, chip, m->text + begin, chip.tag ? 0 : end - begin);
}

static void chips_make(struct figure *figure, struct tokens *t) {
    struct making m = { .figure = figure, .t = t, .text = t->result->text };
    m.length = (int64_t)strlen(m.text);
    t->flow.pieces = arena_array(figure->arena, 2 * t->count + 1, sizeof *t->flow.pieces);
    for (int64_t i = 0; i < t->count; i++) {
        add_token(&m, i);
    }
    if (t->spans && t->count == t->values->axes[0].count) {
        add_between(&m, m.length);
    }
}

/* ---- layout ---- */

static struct canvas_style chip_style(const struct flow_piece *chip, uint32_t colour) {
    return (struct canvas_style){ .size = chip->tag ? 9 : 13,
                                  .colour = colour,
                                  .x = 0.5,
                                  .y = 0.5,
                                  .shades = chip->token < 0 ? 0 : SHADES };
}

/* What the picture leaves out. */
static const char *note_of(const struct figure *figure, const struct tokens *t) {
    int64_t all = t->values->axes[0].count, shown = 0;
    for (int64_t i = 0; i < t->flow.drawn; i++) {
        shown = t->flow.pieces[i].token >= shown ? t->flow.pieces[i].token + 1 : shown;
    }
    return shown == all ? figure->note
                        : arena_printf(figure->arena,
                                       figure_is_chinese(figure)
                                           ? "共 %lld 个词元，画出前 %lld 个；%%save 写出全部"
                                           : "%lld tokens; the first %lld are drawn, %%save "
                                             "writes all",
                                       (long long)all, (long long)shown);
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct tokens *t = body_of(figure);
    for (int64_t i = 0; i < t->flow.count; i++) {
        struct flow_piece *chip = &t->flow.pieces[i];
        struct canvas_style style = chip_style(chip, COLOUR_INK);
        double width = canvas_measure(probe, &style, chip->text).width;
        chip->width = width + (chip->token < 0 ? 0 : chip->tag ? 9 : 3);
    }
    flow_lay(&t->flow, WIDE, LINE, LINES_MOST);
    figure->note = note_of(figure, t);
    return (struct canvas_size){ t->flow.width, t->flow.height + (t->named ? 0 : 30) };
}

/* ---- drawing ---- */

/* Colours of words in turn; the second shade is for every other token of a word. */
static uint32_t name_colour(const struct tokens *t, int64_t i) {
    static const uint32_t turns[] = { 0xcfe3f7, 0xfbe0b8, 0xcdebd9, 0xf3d3e3, 0xe3dcf5 };
    static const uint32_t shades[] = { 0xa9ccee, 0xf3c67f, 0x9fd8b7, 0xe6aac8, 0xc8bbea };
    enum { TURNS = sizeof turns / sizeof *turns };
    const struct series *words = result_at(t->result, "word");
    if (!words || tensor_count(words->values) != t->values->axes[0].count) {
        return turns[i % TURNS];
    }
    const float *of = words->values->data;
    int64_t within = 0;
    while (i - within > 0 && of[i - within - 1] == of[i] && within < 64) {
        within++;
    }
    int64_t turn = (int64_t)of[i] % TURNS;
    return within % 2 ? shades[turn] : turns[turn];
}

/* Whether it was added to the text; where the result does not say, what stands for no text. */
static bool is_added(const struct tokens *t, const struct flow_piece *chip) {
    const struct series *special = result_at(t->result, "special");
    return chip->tag && (!special || tensor_count(special->values) <= chip->token ||
                         special->values->data[chip->token] > 0);
}

static uint32_t chip_colour(const struct tokens *t, const struct flow_piece *chip) {
    float value = t->values->values->data[chip->token];
    if (t->named) {
        return is_added(t, chip) ? 0xe8ebee : name_colour(t, chip->token);
    }
    return isnan(value) ? 0xe8ebee : colour_of(&t->scale, (double)value);
}

static void draw_chip(struct canvas *canvas, const struct tokens *t,
                      const struct flow_piece *chip, double x, double y) {
    uint32_t under = COLOUR_PAPER;
    double left = x + chip->x, top = y + chip->y + (chip->tag ? 5 : 2);
    double high = chip->tag ? LINE - 10 : LINE - 4;
    if (chip->token >= 0 && chip->width > 1) {
        under = chip_colour(t, chip);
        canvas_rect(canvas, left + (chip->tag ? 1.5 : 0.5), top,
                    chip->width - (chip->tag ? 3 : 1), high, under);
    }
    struct canvas_style style = chip_style(chip, chip->tag && t->named ? COLOUR_QUIET : under);
    style.on = !(chip->tag && t->named);
    if (chip->width > 0) {
        canvas_write(canvas, &style, left + chip->width / 2, y + chip->y + LINE / 2.0,
                     chip->text);
    }
}

static void draw_bar(struct canvas *canvas, const struct tokens *t, const char *unit, double x,
                     double y) {
    const struct colour_scale *scale = &t->scale;
    double step = (double)BAR_WIDE / scale->levels, range = scale->high - scale->low;
    struct canvas_style style = { .size = 9, .colour = COLOUR_QUIET, .x = 1, .y = 0.5 };
    const char *low = figure_number(canvas->arena, scale->low, range);
    const char *high = figure_number(canvas->arena, scale->high, range);
    double left = x + canvas_measure(canvas, &style, low).width + 5;
    canvas_write(canvas, &style, left - 5, y + BAR_HIGH / 2.0, low);
    for (int i = 0; i < scale->levels; i++) {
        canvas_rect(canvas, left + step * i, y, step, BAR_HIGH, scale->colours[i]);
    }
    style.x = 0;
    canvas_write(canvas, &style, left + BAR_WIDE + 5, y + BAR_HIGH / 2.0,
                 *unit ? arena_printf(canvas->arena, "%s %s", high, unit) : high);
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct tokens *t = body_of(figure);
    for (int64_t i = 0; i < t->flow.drawn; i++) {
        draw_chip(canvas, t, &t->flow.pieces[i], x, y);
    }
    if (!t->named) {
        const char *unit = t->values->unit ? t->values->unit : "";
        draw_bar(canvas, t, term(figure->language, unit), x, y + t->flow.height + 14);
    }
}

/* ---- hover, JSON, table ---- */

/* "4–7"; "" for tokens that stand for no text. */
static const char *span_text(struct arena *arena, const struct series *spans, int64_t i) {
    const float *at = spans->values->data + 2 * i;
    return at[0] < at[1] ? arena_printf(arena, "%.0f–%.0f", (double)at[0], (double)at[1]) : "";
}

static bool is_span(const struct series *series, int64_t count) {
    return strcmp(series->name, "span") == 0 && series->values->rank == 2 &&
           series->axes[0].count == count && series->axes[1].count == 2;
}

/* Of another axis are sums over other units, which may happen to be as many. */
static bool is_told(const struct series *series, const struct axis *axis) {
    return is_span(series, axis->count) ||
           (series->values->rank == 1 && series->axes[0].count == axis->count &&
            strcmp(series->axes[0].name, axis->name) == 0);
}

/* Whose word a token is its text says already, but where words have the colours. */
static bool is_listed(const struct tokens *t, const struct series *series) {
    return is_told(series, &t->values->axes[0]) &&
           (t->named || strcmp(series->name, "word") != 0);
}

static const char *told_text(struct arena *arena, const struct series *series, int64_t i) {
    return series->values->rank == 2 ? span_text(arena, series, i)
           : series->names           ? series->names[i]
                                     : column_number(arena, (double)series->values->data[i]);
}

/* "cat: id 4937 · spelling Ġcat · bytes 4–7" */
static const char *token_text(const struct figure *figure, int64_t i) {
    const struct tokens *t = body_of(figure);
    struct buf *out = buf_new(figure->arena);
    const char *label = figure_sentence(figure->arena, t->values->axes[0].labels[i]);
    buf_printf(out, "%s:", figure_short(figure->arena, label, 40));
    for (int64_t s = 0; s < t->result->count; s++) {
        const struct series *series = &t->result->series[s];
        const char *told = is_listed(t, series) ? told_text(figure->arena, series, i) : "";
        if (*told) {
            buf_printf(out, "%s%s %s", out->data[out->length - 1] == ':' ? " " : " · ",
                       term(figure->language, series->name),
                       figure_short(figure->arena, told, 40));
        }
    }
    return out->data;
}

/* A box a line, where a box a token would be too much. */
static void hover_lines(struct buf *out, const struct figure *figure, double x, double y) {
    const struct tokens *t = body_of(figure);
    for (int64_t i = 0, k; i < t->flow.drawn; i = k) {
        int64_t first = -1, last = -1;
        for (k = i; k < t->flow.drawn && t->flow.pieces[k].line == t->flow.pieces[i].line;
             k++) {
            first = first < 0 ? t->flow.pieces[k].token : first;
            last = t->flow.pieces[k].token >= 0 ? t->flow.pieces[k].token : last;
        }
        if (first >= 0) {
            hover_box(out, x, y + t->flow.pieces[i].y, t->flow.width, LINE,
                      arena_printf(figure->arena, "%s %lld–%lld",
                                   term(figure->language, "token"), (long long)first,
                                   (long long)last));
        }
    }
}

static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct tokens *t = body_of(figure);
    struct buf *boxes = buf_new(figure->arena);
    for (int64_t i = 0; i < t->flow.drawn && boxes->length < HOVER_BYTES; i++) {
        const struct flow_piece *chip = &t->flow.pieces[i];
        if (chip->token >= 0) {
            hover_box(boxes, x + chip->x, y + chip->y, chip->width, LINE,
                      token_text(figure, chip->token));
        }
    }
    if (boxes->length < HOVER_BYTES) {
        buf_add(out, boxes->data, boxes->length);
    } else {
        hover_lines(out, figure, x, y);
    }
}

/* Bytes of the text up to the last token looked at, as far as they are sent. */
static int64_t text_end(const struct tokens *t) {
    int64_t length = (int64_t)strlen(t->result->text), end = 0;
    for (int64_t i = 0; t->spans && i < t->count; i++) {
        double last = (double)t->spans->values->data[2 * i + 1];
        end = last > (double)end && last <= (double)length ? (int64_t)last : end;
    }
    end = t->count < t->values->axes[0].count && t->spans ? end : length;
    return end <= TEXT_MOST ? end : (int64_t)utf8_cut(t->result->text, TEXT_MOST);
}

/* What its values make over a word or a clause: "sum", "mean", or "" of ids, which are names.
 */
static const char *adding(const struct series *series) {
    return series->unit && strcmp(series->unit, "id") == 0 ? "" : series->adds ? "sum" : "mean";
}

static void json_values(struct jsonwrite *w, const struct figure *figure,
                        const struct series *series, int64_t n) {
    struct colour_scale scale;
    scale_choose(&scale, series, figure->colours, STOPS);
    json_pair(w, "unit", term(figure->language, series->unit ? series->unit : ""));
    json_pair(w, "adds", adding(series));
    json_key(w, "signed");
    json_bool(w, series->is_signed);
    json_key(w, "low");
    json_double(w, scale.low);
    json_key(w, "high");
    json_double(w, scale.high);
    json_key(w, "colours");
    json_open(w, '[');
    for (int i = 0; i < STOPS; i++) {
        json_string(w, arena_printf(figure->arena, "#%06x", scale.colours[i]));
    }
    json_close(w, ']');
    chart_json_floats(w, figure->arena, "values", series->values->data, 1, &n);
}

/* What is told of every token: numbers, or the texts that they stand for. */
static void json_series(struct jsonwrite *w, const struct figure *figure, int64_t n) {
    const struct tokens *t = body_of(figure);
    json_key(w, "series");
    json_open(w, '[');
    for (int64_t s = 0; s < t->result->count; s++) {
        const struct series *series = &t->result->series[s];
        if (is_listed(t, series) && series->values->rank == 1) {
            json_open(w, '{');
            json_pair(w, "name", term(figure->language, series->name));
            if (series->names) {
                chart_json_texts(w, figure->arena, "texts", series->names, n);
            }
            if (!series->names || series == t->values) { /* the colours are of numbers */
                json_values(w, figure, series, n);
            }
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

/* How many tokens are little enough to send. */
static int64_t sent_of(const struct figure *figure) {
    const struct tokens *t = body_of(figure);
    int64_t n =
        chart_json_fitting(figure->arena, t->values->axes[0].labels, t->count, 1, SENT_BYTES);
    for (int64_t s = 0; s < t->result->count; s++) {
        const struct series *series = &t->result->series[s];
        if (is_listed(t, series) && series->names) {
            n = chart_json_fitting(figure->arena, series->names, n, 1, SENT_BYTES);
        }
    }
    return n;
}

static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct tokens *t = body_of(figure);
    const struct series *words = result_at(t->result, "word");
    const struct axis *axis = &t->values->axes[0];
    int64_t n = sent_of(figure);
    json_key(w, "text");
    json_bytes(w, t->result->text, (size_t)text_end(t));
    json_key(w, "named");
    json_bool(w, t->named);
    json_key(w, "count");
    json_int(w, axis->count);
    json_pair(w, "axis", axis->name);
    json_pair(w, "one", term(figure->language, axis->name));
    chart_json_texts(w, figure->arena, "tokens", axis->labels, n);
    if (t->spans) {
        chart_json_floats(w, figure->arena, "span", t->spans->values->data, 2,
                          (int64_t[]){ n, 2 });
    }
    if (words && is_told(words, axis) && words->values->rank == 1) {
        chart_json_floats(w, figure->arena, "words", words->values->data, 1, &n);
    }
    json_series(w, figure, n);
}

static const struct figure_form tokens_form = {
    .kind = "tokens", .measure = measure, .draw = draw, .hover = hover, .json = json
};

/* The number, the token, what further series tell, the value. */
static void tabulate(struct figure *figure, const struct tokens *t, int64_t most) {
    const struct result *result = t->result;
    int64_t all = t->values->axes[0].count, rows = all < most ? all : most, columns = 2;
    const char **heads = arena_array(figure->arena, result->count + 2, sizeof *heads);
    heads[0] = "#";
    heads[1] = term(figure->language, t->values->axes[0].name);
    for (int64_t s = 1; s <= result->count; s++) {
        const struct series *series = &result->series[s % result->count];
        if (is_listed(t, series)) {
            heads[columns++] = term(figure->language, series->name);
        }
    }
    struct figure_table *made = table_new(figure->arena, columns, rows, heads);
    for (int64_t i = 0; i < rows; i++) {
        int64_t c = 2;
        table_set(made, i, 0, arena_printf(figure->arena, "%lld", (long long)i));
        table_set(made, i, 1, t->values->axes[0].labels[i]);
        for (int64_t s = 1; s <= result->count; s++) {
            const struct series *series = &result->series[s % result->count];
            if (is_listed(t, series)) {
                table_set(made, i, c++, told_text(figure->arena, series, i));
            }
        }
    }
    figure->table = *made;
}

/* ---- from the result ---- */

static const char *alt_of(const struct figure *figure, const struct tokens *t) {
    struct arena *arena = figure->arena;
    bool zh = figure_is_chinese(figure);
    const char *measure = term(figure->language, t->values->name);
    double range = t->scale.high - t->scale.low;
    const char *colours =
        t->named
            ? (zh ? "颜色按词" : "a colour a word")
            : arena_printf(arena, zh ? "%s的颜色从 %s 到 %s" : "colours of %s from %s to %s",
                           measure, figure_number(arena, t->scale.low, range),
                           figure_number(arena, t->scale.high, range));
    return arena_printf(
        arena,
        zh ? "着色的文本，%s：%lld 个词元，%s；%s" : "Coloured text, %s: tokens %lld, %s; %s",
        figure->title, (long long)t->values->axes[0].count, colours, figure->finding);
}

static int check_result(const struct result *result, struct err *err) {
    const struct series *values = result->count ? &result->series[0] : NULL;
    if (!values || values->values->rank != 1 || values->values->dtype != DTYPE_F32 ||
        !values->axes[0].labels || values->axes[0].count == 0) {
        return err_set(err, ERR_OPTION, "coloured text is drawn of one value a token, and %s",
                       values ? "this result has others: draw it as it is"
                              : "this result has no numbers");
    }
    return 0;
}

static struct figure *tokens_draw(struct arena *arena, const struct result *result,
                                  const struct picture_options *options, struct err *err) {
    if (check_result(result, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct figure *figure = figure_new(arena, result, options);
    struct tokens *t = arena_alloc(arena, sizeof *t);
    const struct series *spans = result_at(result, "span");
    t->result = result;
    t->values = &result->series[0];
    int64_t all = t->values->axes[0].count;
    t->spans = spans && is_span(spans, all) && *result->text ? spans : NULL;
    t->count = all < TOKENS_MOST ? all : TOKENS_MOST;
    t->named = t->values->unit && strcmp(t->values->unit, "id") == 0;
    scale_choose(&t->scale, t->values, figure->colours, LEVELS);
    chips_make(figure, t);
    figure->form = &tokens_form;
    figure->body = t;
    tabulate(figure, t, options->top > 0 ? options->top : TABLE_MOST);
    figure->alt = alt_of(figure, t);
    return figure;
}

const struct picture tokens_picture = {
    .name = "tokens",
    .summary = "the text itself, each token on the colour of its value",
    .summary_zh = "文本本身，每个词元涂上其数值的颜色",
    .draw = tokens_draw,
};
