#include "core/draw/cells.h"

#include <math.h>
#include <string.h>

#include "core/base/jsonwrite.h"
#include "core/draw/colour.h"
#include "core/draw/pooling.h"
#include "core/draw/standing.h"

enum { STOPS = 17 }; /* colours given of the scale; between them it is nearly straight */

static void write_axis(struct arena *arena, struct jsonwrite *w,
                       const struct figure_axis *axis) {
    json_open(w, '{');
    json_pair(w, "name", axis->name);
    json_pair(w, "title", axis->title);
    json_key(w, "count");
    json_int(w, axis->count);
    json_key(w, "source");
    json_int(w, axis->source);
    json_key(w, "block");
    json_int(w, axis->block);
    if (axis->labels && axis->source <= CELLS_JSON_LABELS) {
        json_key(w, "labels");
        json_open(w, '[');
        for (int64_t i = 0; i < axis->source; i++) {
            json_string(w, figure_brief(arena, axis->labels[i], 2 * axis->source));
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void write_axes(struct arena *arena, struct jsonwrite *w, const struct cells *cells) {
    json_key(w, "axes");
    json_open(w, '[');
    write_axis(arena, w, &cells->panel_rows);
    write_axis(arena, w, &cells->panel_columns);
    write_axis(arena, w, &cells->rows);
    write_axis(arena, w, &cells->columns);
    json_close(w, ']');
}

static void write_scale(const struct figure *figure, struct jsonwrite *w,
                        const struct cells *cells) {
    struct colour_scale scale;
    colour_scale_init(&scale, figure->colours, cells->low, cells->high, cells->is_signed,
                      STOPS);
    json_key(w, "scale");
    json_open(w, '{');
    json_key(w, "low");
    json_double(w, cells->low);
    json_key(w, "high");
    json_double(w, cells->high);
    json_key(w, "signed");
    json_bool(w, cells->is_signed);
    json_pair(w, "unit", cells->unit);
    json_key(w, "colours");
    json_open(w, '[');
    for (int i = 0; i < STOPS; i++) {
        json_string(w, arena_printf(figure->arena, "#%06x", scale.colours[i]));
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

static void write_base64(struct arena *arena, struct jsonwrite *w, const void *bytes,
                         int64_t length) {
    struct buf *base64 = buf_new(arena);
    buf_char(base64, '"');
    buf_base64(base64, bytes, (size_t)length);
    buf_char(base64, '"');
    json_raw(w, base64->data, base64->length);
}

static void write_values(struct arena *arena, struct jsonwrite *w, const struct cells *cells) {
    int64_t n = cells->panels * cells->rows.count * cells->columns.count;
    bool exact = n <= CELLS_JSON_EXACT || !all_finite(cells->values, n);
    json_key(w, "values");
    json_open(w, '{');
    json_pair(w, "encoding", exact ? "f32" : "u8");
    if (cells->rows.block > 1 || cells->columns.block > 1) {
        json_pair(w, "pooled", cells->is_signed ? "largest magnitude" : "max");
    }
    json_key(w, "shape");
    json_open(w, '[');
    json_int(w, cells->panel_rows.count);
    json_int(w, cells->panel_columns.count);
    json_int(w, cells->rows.count);
    json_int(w, cells->columns.count);
    json_close(w, ']');
    json_key(w, "base64");
    if (exact) {
        write_base64(arena, w, cells->values, n * (int64_t)sizeof(float));
    } else {
        write_base64(arena, w, standing_bytes(arena, cells, cells->values, n), n);
    }
    json_close(w, '}');
}

static void write_rests(struct jsonwrite *w, const struct cells *cells) {
    if (!cells->rests || cells->columns.source > CELLS_JSON_LABELS) {
        return;
    }
    json_key(w, "rests");
    json_open(w, '[');
    for (int64_t i = 0; i < cells->columns.source; i++) {
        if (cells->rests[i]) {
            json_int(w, i);
        }
    }
    json_close(w, ']');
}

static void write_score(struct arena *arena, struct jsonwrite *w, const struct cells *cells,
                        const struct series *score) {
    json_open(w, '{');
    json_pair(w, "name", figure_sentence(arena, score->name));
    json_pair(w, "unit", figure_sentence(arena, score->unit ? score->unit : ""));
    json_key(w, "values");
    json_open(w, '{');
    json_pair(w, "encoding", "f32");
    json_key(w, "shape");
    json_open(w, '[');
    json_int(w, cells->panel_rows.count);
    json_int(w, cells->panel_columns.count);
    json_close(w, ']');
    json_key(w, "base64");
    write_base64(arena, w, score->values->data, cells->panels * (int64_t)sizeof(float));
    json_close(w, '}');
    json_close(w, '}');
}

static void write_scores(struct arena *arena, struct jsonwrite *w, const struct cells *cells) {
    if (cells->score_count == 0) {
        return;
    }
    json_key(w, "scores");
    json_open(w, '[');
    for (int64_t i = 0; i < cells->score_count; i++) {
        write_score(arena, w, cells, cells->scores[i]);
    }
    json_close(w, ']');
}

static void write_standing(struct arena *arena, struct jsonwrite *w,
                           const struct cells *cells) {
    if (cells->standing_count == 0) {
        return;
    }
    json_key(w, "whole");
    json_open(w, '[');
    for (int64_t i = 0; i < cells->standing_count; i++) {
        const struct standing *one = &cells->standing[i];
        json_open(w, '{');
        json_key(w, "at");
        json_open(w, '[');
        json_int(w, one->panel / cells->panel_columns.count);
        json_int(w, one->panel % cells->panel_columns.count);
        json_close(w, ']');
        json_key(w, "nibbles");
        write_base64(arena, w, one->packed->data, (int64_t)one->packed->length);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* The figure with the cells that are sent. */
static struct cells as_sent(const struct cells *cells) {
    struct cells sent = *cells;
    if (cells->sent) {
        sent.values = cells->sent->values;
        sent.rows.count = cells->sent->rows;
        sent.rows.block = cells->sent->row_block;
        sent.columns.count = cells->sent->columns;
        sent.columns.block = cells->sent->column_block;
    }
    return sent;
}

void cells_json(struct jsonwrite *w, const struct figure *figure) {
    struct cells sent = as_sent(cells_of(figure));
    write_axes(figure->arena, w, &sent);
    write_scale(figure, w, &sent);
    json_pair(w, "series", sent.series);
    json_key(w, "panelAxes");
    json_int(w, sent.panel_axes);
    write_values(figure->arena, w, &sent);
    write_rests(w, &sent);
    write_scores(figure->arena, w, &sent);
    write_standing(figure->arena, w, &sent);
}
