#include "core/tensor/head.h"

#include <math.h>
#include <string.h>

int64_t head_whole(int64_t n) {
    int64_t columns = simd()->columns;
    return (n + columns - 1) / columns * columns;
}

int64_t head_stride(struct head_span span) {
    return head_whole(span.end - span.begin) + 16;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* ---- where a head lies ---- */

/* The bias of this head's scores, by key - query + P + T - 1, both counted in the text; where
 * keys are counted through the past, by key - query + T - 1. */
static void line_read(const struct op_attention *how, int64_t h, float *line) {
    for (int64_t i = 0; i < how->past + how->queries + how->keys - 1; i++) {
        line[i] = how->table->data[how->distance[i] * how->heads + h];
    }
}

/* Finds the keys that are no padding at either end, and whether there is padding between. */
static void mask_read(struct head *head, const uint8_t *mask) {
    int64_t past = head->how->past, first = 0, last = head->how->keys;
    while (last > 0 && !mask[last - 1]) {
        last--;
    }
    while (past == 0 && first < last && !mask[first]) {
        first++;
    }
    head->first = first;
    head->last = past + last;
    head->mask = memchr(mask + first, 0, (size_t)(last - first)) ? mask : NULL;
}

static struct head_rows rows_at(struct op_heads own, int64_t row, const float *past,
                                const struct op_attention *how, int64_t group) {
    struct head_rows rows = {
        .past = past ? past + group * how->width : NULL,
        .past_stride = how->groups * how->width,
        .past_count = how->past,
    };
    if (own.x) { /* NULL: all keys are past */
        rows.own = own.x->data + row * own.x->shape[1] + own.first + group * own.apart;
        rows.stride = own.x->shape[1];
    }
    return rows;
}

struct head head_at(const struct op_attention *how, struct op_heads q, struct op_heads k,
                    struct op_heads v, int64_t text, int64_t h, float *line) {
    int64_t group = h * how->groups / how->heads, q_stride = q.x->shape[1];
    struct head head = {
        .how = how,
        .q = q.x->data + text * how->queries * q_stride + q.first + h * q.apart,
        .q_stride = q_stride,
        .k = rows_at(k, text * how->keys, how->past_keys, how, group),
        .v = rows_at(v, text * how->keys, how->past_values, how, group),
        .last = how->past + how->keys,
    };
    if (how->mask) {
        mask_read(&head, how->mask + text * how->keys);
    }
    if (how->table) {
        line_read(how, h, line);
        head.line = line;
    }
    return head;
}

/* ---- what queries see ---- */

/* Keys that query i may see by its position alone. */
static struct head_span seen(const struct head *head, int64_t i) {
    const struct op_attention *how = head->how;
    int64_t at = how->past + i;
    struct head_span span = { head->first, head->last };
    if (how->left >= 0) {
        span.begin = most(span.begin, at - how->left);
    }
    if (how->right >= 0) {
        span.end = least(span.end, at + how->right + 1);
    }
    if (how->causal) {
        span.end = least(span.end, at + 1);
    }
    return span;
}

struct head_span head_span(const struct head *head, int64_t first, int64_t rows) {
    int64_t columns = simd()->columns;
    struct head_span span = { seen(head, first).begin, seen(head, first + rows - 1).end };
    if (span.begin >= span.end) {
        return (struct head_span){ head->first, head->first };
    }
    span.begin = head->first + (span.begin - head->first) / columns * columns;
    return span;
}

/* ---- panels ---- */

/* `n` rows from key `j` on, wherever they lie, copied side by side if past and own meet. */
static const float *rows_of(const struct head_rows *rows, int64_t width, int64_t j, int n,
                            float *spare, int64_t *stride) {
    int64_t past = rows->past_count;
    if (j >= past) {
        *stride = rows->stride;
        return rows->own + (j - past) * rows->stride;
    }
    if (j + n <= past) {
        *stride = rows->past_stride;
        return rows->past + j * rows->past_stride;
    }
    for (int64_t i = j; i < j + n; i++) {
        const float *row = i < past ? rows->past + i * rows->past_stride
                                    : rows->own + (i - past) * rows->stride;
        memcpy(spare + (i - j) * width, row, (size_t)width * sizeof *row);
    }
    *stride = width;
    return spare;
}

void head_pack_turned(const struct head_rows *rows, int64_t width, struct head_span span,
                      float *panels, float *spare) {
    const struct simd *table = simd();
    for (int64_t j = span.begin; j < span.end; j += table->columns) {
        int n = (int)least(span.end - j, table->columns);
        int64_t stride;
        const float *from = rows_of(rows, width, j, n, spare, &stride);
        table->pack[DTYPE_F32](from, stride * (int64_t)sizeof(float), n, 0, width,
                               panels + (j - span.begin) * width);
    }
}

/* Columns c .. c + n of `keys` rows into a panel; returns where the next begins. */
static float *pack_part(const float *rows, int64_t stride, int64_t c, int n, int64_t keys,
                        float *panel) {
    simd()->pack_across[DTYPE_F32](rows, stride * (int64_t)sizeof(float), n, c, keys, panel);
    return panel + keys * simd()->columns;
}

void head_pack(const struct head_rows *rows, int64_t width, struct head_span span,
               float *panels) {
    int64_t columns = simd()->columns, past = rows->past_count;
    int64_t middle = most(span.begin, least(span.end, past));
    for (int64_t c = 0; c < width; c += columns) {
        int n = (int)least(width - c, columns);
        if (span.begin < middle) {
            panels = pack_part(rows->past + span.begin * rows->past_stride, rows->past_stride,
                               c, n, middle - span.begin, panels);
        }
        if (middle < span.end) {
            panels = pack_part(rows->own + (middle - past) * rows->stride, rows->stride, c, n,
                               span.end - middle, panels);
        }
    }
}

void head_multiply_turned(const float *x, int64_t x_stride, int64_t rows, int64_t width,
                          struct head_span span, struct head_span packed, const float *panels,
                          float *y, int64_t y_stride, bool add) {
    const struct simd *table = simd();
    panels += span.begin < span.end ? (span.begin - packed.begin) * width : 0;
    for (int64_t j = 0; j < span.end - span.begin; j += table->columns) {
        int n = (int)least(span.end - span.begin - j, table->columns);
        table->multiply(rows, width, x, x_stride, panels + j * width, n, y + j, y_stride, add,
                        NULL, 0);
    }
}

void head_multiply(const float *x, int64_t x_stride, int64_t rows, int64_t width,
                   struct head_span span, struct head_span packed, const float *panels,
                   float *y, int64_t y_stride, bool add) {
    const struct simd *table = simd();
    panels += span.begin < span.end ? (span.begin - packed.begin) * table->columns : 0;
    for (int64_t c = 0; c < width; c += table->columns) {
        int n = (int)least(width - c, table->columns);
        table->multiply(rows, span.end - span.begin, x, x_stride,
                        panels + c * (packed.end - packed.begin), n, y + c, y_stride, add, NULL,
                        0);
    }
}

/* ---- probabilities ---- */

static void row_fill(float *row, int64_t begin, int64_t end, float value) {
    for (int64_t j = begin; j < end; j++) {
        row[j] = value;
    }
}

/* -inf where query i does not see the key. */
static void row_mask(const struct head *head, int64_t i, struct head_span span, float *row) {
    struct head_span sees = seen(head, i);
    int64_t n = span.end - span.begin, past = head->how->past;
    row_fill(row, 0, least(sees.begin - span.begin, n), -INFINITY);
    row_fill(row, most(sees.end - span.begin, 0), n, -INFINITY);
    for (int64_t j = most(past, span.begin); head->mask && j < span.end; j++) {
        float *score = row + (j - span.begin);
        *score = head->mask[j - past] ? *score : -INFINITY;
    }
}

/* Everything between the product and the mask that is more than the scale. */
static void row_bend(const struct head *head, int64_t i, struct head_span span, float *row) {
    const struct simd *table = simd();
    const struct op_attention *how = head->how;
    int64_t n = span.end - span.begin;
    if (how->cap > 0) {
        table->scale(row, how->scale / how->cap, row, n);
        table->act(row, row, n, SIMD_TANH);
        table->scale(row, how->cap, row, n);
    } else {
        table->scale(row, how->scale, row, n);
    }
    if (head->line) {
        table->add(row, row, head->line + (span.begin - i + how->queries - 1), n);
    }
}

void head_weigh(const struct head *head, int64_t first, int64_t rows, struct head_span span,
                float *scores, int64_t stride) {
    bool bends = head->how->cap > 0 || head->line;
    for (int64_t r = 0; r < rows; r++) {
        float *row = scores + r * stride;
        if (bends) {
            row_bend(head, first + r, span, row);
        }
        row_mask(head, first + r, span, row);
        simd()->softmax(row, span.end - span.begin, bends ? 1.0F : head->how->scale);
    }
}

/* ---- what is not finite ---- */

/* 0 times anything finite is 0; several sums, so that they need not wait for each other. */
static bool all_finite(const float *row, int64_t n) {
    enum { SUMS = 8 };
    float sums[SUMS] = { 0 }, sum = 0;
    int64_t i = 0;
    for (; i + SUMS <= n; i += SUMS) {
        for (int j = 0; j < SUMS; j++) {
            sums[j] += 0 * row[i + j];
        }
    }
    for (; i < n; i++) {
        sum += 0 * row[i];
    }
    for (int j = 0; j < SUMS; j++) {
        sum += sums[j];
    }
    return sum == 0;
}

void head_mend(const struct head *head, int64_t i, struct head_span span, const float *p,
               float *y) {
    int64_t width = head->how->width, past = head->how->past;
    if (all_finite(y, width)) {
        return;
    }
    struct head_span sees = seen(head, i);
    memset(y, 0, (size_t)width * sizeof *y);
    for (int64_t j = sees.begin; j < sees.end; j++) {
        int64_t stride;
        if (!head->mask || j < past || head->mask[j - past]) {
            const float *row = rows_of(&head->v, width, j, 1, NULL, &stride);
            simd()->axpy(y, p[j - span.begin], row, width);
        }
    }
}
