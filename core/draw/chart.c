#include "core/draw/chart.h"

#include <math.h>
#include <string.h>

#include "core/draw/colour.h"
#include "core/draw/hover.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"

enum { SWATCH = 9, BESIDE = 5, APART = 16, KEY_LINE = 17 };

void chart_write(struct canvas *canvas, struct canvas_style style, double x_share,
                 double y_share, double x, double y, const char *text) {
    style.x = x_share;
    style.y = y_share;
    canvas_write(canvas, &style, x, y, text);
}

struct canvas_style chart_label_style(void) {
    return (struct canvas_style){ .size = 10.5, .colour = COLOUR_INK };
}

struct canvas_style chart_title_style(void) {
    return (struct canvas_style){ .size = 10.5, .bold = true, .colour = COLOUR_INK };
}

/* Where the key behind one that ends at x goes: on the same line, or the next one's beginning.
 */
static void next_place(double *x, double *y, double wide, double width) {
    if (*x > 0 && *x + wide > width) {
        *x = 0;
        *y += KEY_LINE;
    }
}

static double key_width(struct canvas *canvas, const struct chart_key *key) {
    struct canvas_style style = chart_label_style();
    return SWATCH + BESIDE + canvas_measure(canvas, &style, key->text).width + APART;
}

double chart_keys_height(struct canvas *probe, const struct chart_key *keys, int64_t n,
                         double width) {
    double x = 0, y = 0;
    for (int64_t i = 0; i < n; i++) {
        double wide = key_width(probe, &keys[i]);
        next_place(&x, &y, wide, width);
        x += wide;
    }
    return n > 1 ? y + KEY_LINE + 4 : 0;
}

void chart_keys(struct canvas *canvas, const struct chart_key *keys, int64_t n, double width,
                double left, double top) {
    double x = 0, y = 0;
    for (int64_t i = 0; n > 1 && i < n; i++) {
        double wide = key_width(canvas, &keys[i]);
        next_place(&x, &y, wide, width);
        double middle = top + y + KEY_LINE / 2.0;
        canvas_disc(canvas, left + x + SWATCH / 2.0, middle, SWATCH / 2.0, keys[i].colour);
        chart_write(canvas, chart_label_style(), 0, 0.5, left + x + SWATCH + BESIDE, middle,
                    keys[i].text);
        x += wide;
    }
}

struct chart_span chart_span(const float *values, int64_t n) {
    struct chart_span span = { 0 };
    for (int64_t i = 0; i < n; i++) {
        double value = (double)values[i];
        if (isfinite(value)) {
            span.low = span.finite && span.low < value ? span.low : value;
            span.high = span.finite && span.high > value ? span.high : value;
            span.finite++;
        }
    }
    return span;
}

const char *chart_measure(struct arena *arena, const char *language, const char *name,
                          const char *unit) {
    const char *word = term(language, name);
    if (!unit || !*unit || strcmp(unit, name) == 0) {
        return figure_sentence(arena, word);
    }
    return figure_sentence(arena, arena_printf(arena, "%s (%s)", word, term(language, unit)));
}

int64_t chart_hover_columns(int64_t count) {
    enum { ENTITY = 6, TAGS = 130, MOST = 60, LEAST = 6 };
    int64_t each = (HOVER_BYTES / (count > 0 ? count : 1) - TAGS) / ENTITY;
    return each < LEAST ? LEAST : each > MOST ? MOST : each;
}

static void json_array(struct jsonwrite *w, struct arena *arena, const char *key,
                       const char *encoding, const void *bytes, size_t each, int rank,
                       const int64_t *shape) {
    int64_t n = 1;
    json_key(w, key);
    json_open(w, '{');
    json_pair(w, "encoding", encoding);
    json_key(w, "shape");
    json_open(w, '[');
    for (int i = 0; i < rank; i++) {
        json_int(w, shape[i]);
        n *= shape[i];
    }
    json_close(w, ']');
    json_key(w, "base64");
    struct buf *base64 = buf_new(arena);
    buf_char(base64, '"');
    buf_base64(base64, bytes, (size_t)n * each);
    buf_char(base64, '"');
    json_raw(w, base64->data, base64->length);
    json_close(w, '}');
}

void chart_json_floats(struct jsonwrite *w, struct arena *arena, const char *key,
                       const float *values, int rank, const int64_t *shape) {
    json_array(w, arena, key, "f32", values, sizeof *values, rank, shape);
}

void chart_json_bytes(struct jsonwrite *w, struct arena *arena, const char *key,
                      const unsigned char *values, int rank, const int64_t *shape) {
    json_array(w, arena, key, "u8", values, 1, rank, shape);
}

void chart_json_steps(struct jsonwrite *w, struct arena *arena, const char *key,
                      const uint16_t *values, int rank, const int64_t *shape) {
    json_array(w, arena, key, "u16", values, sizeof *values, rank, shape);
}

void chart_json_ramp(struct jsonwrite *w, const struct figure *figure) {
    enum { STOPS = 9 };
    json_key(w, "colours");
    json_open(w, '[');
    for (int i = 0; i < STOPS; i++) {
        uint32_t colour = colour_sequential(figure->colours, (double)i / (STOPS - 1));
        json_string(w, arena_printf(figure->arena, "#%06x", colour));
    }
    json_close(w, ']');
}

void chart_json_texts(struct jsonwrite *w, struct arena *arena, const char *key,
                      const char *const *texts, int64_t n) {
    if (texts) {
        json_key(w, key);
        json_open(w, '[');
        for (int64_t i = 0; i < n; i++) {
            json_string(w, figure_brief(arena, texts[i], n));
        }
        json_close(w, ']');
    }
}

int64_t chart_json_fitting(struct arena *arena, const char *const *texts, int64_t rows,
                           int64_t each, size_t room) {
    size_t bytes = 0;
    for (int64_t i = 0; i < rows * each; i++) {
        bytes += strlen(figure_brief(arena, texts[i], rows * each)) + 3;
        if (bytes > room) {
            return i / each;
        }
    }
    return rows;
}

const struct series *chart_series(const struct result *result, const char *name, int lowest,
                                  int highest, const char *picture, const char *wanted,
                                  struct err *err) {
    if (result->count == 0) {
        err_set(err, ERR_OPTION, "this result has no numbers to draw");
        return NULL;
    }
    const struct series *series = name ? result_at(result, name) : &result->series[0];
    if (!series) {
        err_set(err, ERR_OPTION, "%s is drawn from %s, and this result has no %s", picture,
                wanted, name);
        return NULL;
    }
    const struct tensor *values = series->values;
    char shape[100];
    if (values->dtype != DTYPE_F32 || values->rank < lowest || values->rank > highest ||
        tensor_count(values) == 0) {
        err_set(err, ERR_OPTION, "%s is drawn from %s, and %s is %s %s", picture, wanted,
                series->name, dtype_name(values->dtype), tensor_shape_text(values, shape));
        return NULL;
    }
    return series;
}

void chart_pair(struct arena *arena, const struct result *result, const char *language,
                struct chart_key *keys) {
    static const char *const which[] = { "this", "other" };
    for (int k = 0; k < 2; k++) {
        keys[k] = (struct chart_key){ colour_category(k), term(language, which[k]) };
        for (int64_t i = 0; i < result->note_count; i++) {
            if (strcmp(result->notes[i].key, which[k]) == 0) {
                keys[k].text = figure_sentence(arena, result->notes[i].value);
            }
        }
    }
}

void chart_table(struct figure *figure, int64_t rows, const char *const *heads) {
    int64_t columns = 0;
    while (heads[columns]) {
        columns++;
    }
    figure->table = *table_new(figure->arena, columns, rows, heads);
}
