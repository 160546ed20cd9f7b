#include "core/draw/figure_json.h"

#include <math.h>
#include <string.h>

#include "core/base/jsonwrite.h"
#include "core/draw/colour.h"
#include "core/draw/pooling.h"

enum { STOPS = 17 }; /* colours given of the scale; between them it is nearly straight */

static void pair(struct jsonwrite *w, const char *key, const char *value) {
    json_key(w, key);
    json_string(w, value);
}

static void write_axis(struct jsonwrite *w, const struct figure_axis *axis) {
    json_open(w, '{');
    pair(w, "name", axis->name);
    pair(w, "title", axis->title);
    json_key(w, "count");
    json_int(w, axis->count);
    json_key(w, "source");
    json_int(w, axis->source);
    json_key(w, "block");
    json_int(w, axis->block);
    if (axis->labels) {
        json_key(w, "labels");
        json_open(w, '[');
        for (int64_t i = 0; i < axis->source; i++) {
            json_string(w, axis->labels[i]);
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void write_axes(struct jsonwrite *w, const struct figure *figure) {
    json_key(w, "axes");
    json_open(w, '[');
    write_axis(w, &figure->panel_rows);
    write_axis(w, &figure->panel_columns);
    write_axis(w, &figure->rows);
    write_axis(w, &figure->columns);
    json_close(w, ']');
}

static void write_scale(struct arena *arena, struct jsonwrite *w, const struct figure *figure) {
    struct colour_scale scale;
    colour_scale_init(&scale, figure->low, figure->high, figure->is_signed, STOPS);
    json_key(w, "scale");
    json_open(w, '{');
    json_key(w, "low");
    json_double(w, figure->low);
    json_key(w, "high");
    json_double(w, figure->high);
    json_key(w, "signed");
    json_bool(w, figure->is_signed);
    pair(w, "unit", figure->unit);
    json_key(w, "colours");
    json_open(w, '[');
    for (int i = 0; i < STOPS; i++) {
        json_string(w, arena_printf(arena, "#%06x", scale.colours[i]));
    }
    json_close(w, ']');
    json_close(w, '}');
}

static bool all_finite(const float *values, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return false;
        }
    }
    return true;
}

static unsigned char *quantise(struct arena *arena, const struct figure *figure, int64_t n) {
    unsigned char *bytes = arena_raw(arena, (size_t)n);
    double range = figure->high - figure->low;
    for (int64_t i = 0; i < n; i++) {
        double at = ((double)figure->values[i] - figure->low) / range;
        bytes[i] = (unsigned char)(at > 0 ? at < 1 ? at * 255 + 0.5 : 255 : 0);
    }
    return bytes;
}

static void write_values(struct arena *arena, struct jsonwrite *w,
                         const struct figure *figure) {
    int64_t n = figure->panels * figure->rows.count * figure->columns.count;
    bool exact = n <= FIGURE_JSON_EXACT || !all_finite(figure->values, n);
    json_key(w, "values");
    json_open(w, '{');
    pair(w, "encoding", exact ? "f32" : "u8");
    if (figure->rows.block > 1 || figure->columns.block > 1) {
        pair(w, "pooled", figure->is_signed ? "largest magnitude" : "max");
    }
    json_key(w, "shape");
    json_open(w, '[');
    json_int(w, figure->panel_rows.count);
    json_int(w, figure->panel_columns.count);
    json_int(w, figure->rows.count);
    json_int(w, figure->columns.count);
    json_close(w, ']');
    json_key(w, "base64");
    struct buf *base64 = buf_new(arena);
    buf_char(base64, '"');
    if (exact) {
        buf_base64(base64, figure->values, (size_t)n * sizeof(float));
    } else {
        buf_base64(base64, quantise(arena, figure, n), (size_t)n);
    }
    buf_char(base64, '"');
    json_raw(w, base64->data, base64->length);
    json_close(w, '}');
}

/* The figure with the cells that are sent. */
static struct figure as_sent(const struct figure *figure) {
    struct figure sent = *figure;
    if (figure->sent) {
        sent.values = figure->sent->values;
        sent.rows.count = figure->sent->rows;
        sent.rows.block = figure->sent->row_block;
        sent.columns.count = figure->sent->columns;
        sent.columns.block = figure->sent->column_block;
    }
    return sent;
}

const char *figure_json(struct arena *arena, const struct figure *drawn) {
    struct figure sent = as_sent(drawn), *figure = &sent;
    struct jsonwrite w = { .out = buf_new(arena) };
    json_open(&w, '{');
    pair(&w, "schema", "cutaway.heatmap.v1");
    pair(&w, "language", figure->language);
    pair(&w, "title", figure->title);
    pair(&w, "note", figure->note);
    pair(&w, "finding", figure->finding);
    pair(&w, "caption", figure->caption);
    pair(&w, "alt", figure->alt);
    pair(&w, "provenance", figure->provenance);
    write_axes(&w, figure);
    write_scale(arena, &w, figure);
    write_values(arena, &w, figure);
    json_close(&w, '}');
    return w.out->data;
}
