#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/tensor/gemm.h"
#include "core/tensor/op.h"

enum { TEXTS = 8 /* that one task takes through a step */ };

static int64_t parts_of(enum op_recurrence kind) {
    return kind == OP_LSTM ? 4 : kind == OP_GRU ? 3 : 1;
}

/* A layer's run: what it computed on the way, which its gradient needs again. */
struct layer {
    struct op_recurrent how;
    int64_t parts; /* gates, G */
    const struct tensor *x;
    struct tensor *out, *cells;
    float *gates;      /* [B T, G H], each after its act */
    float *states;     /* GRU: U h' + c, apart from W x + b; [B T, 3 H] */
    const float *none; /* the first state: H zeros */
};

static const float *before(const struct layer *layer, const struct tensor *values, int64_t row,
                           int64_t t) {
    return t > 0 ? values->data + (row - 1) * layer->how.width : layer->none;
}

/* ---- forward ---- */

/* The bias of both products, where they are simply added; NULL: none. */
static const float *bias_joined(struct tape *tape, const struct op_recurrent *how, int64_t n) {
    if (!how->input.bias || how->kind == OP_GRU) {
        return how->input.bias ? how->input.bias->data : NULL;
    }
    float *sum = arena_array(tape->arena, n, sizeof *sum);
    simd()->add(sum, how->input.bias->data, how->state.bias->data, n);
    return sum;
}

/* W x + b of all tokens at once. */
static void inputs_run(struct tape *tape, const struct layer *layer) {
    const struct op_recurrent *how = &layer->how;
    int64_t n = layer->parts * how->width;
    struct gemm gemm = { .m = how->batch * how->tokens,
                         .n = n,
                         .k = layer->x->shape[1],
                         .x = layer->x->data,
                         .x_stride = layer->x->shape[1],
                         .w = how->input.weight,
                         .y = layer->gates,
                         .y_stride = n,
                         .finish = { .bias = bias_joined(tape, how, n) } };
    gemm_run(&gemm, tape->room, tape->each);
}

/* U h' of one token of every text: added to what is there, but of a GRU, whose second product
 * stands alone. */
static void states_run(struct tape *tape, const struct layer *layer, int64_t t) {
    const struct op_recurrent *how = &layer->how;
    int64_t n = layer->parts * how->width, stride = how->tokens * n;
    bool alone = how->kind == OP_GRU;
    const struct tensor *bias = alone ? how->state.bias : NULL;
    float *to = (alone ? layer->states : layer->gates) + t * n;
    if (t > 0) {
        struct gemm gemm = { .m = how->batch,
                             .n = n,
                             .k = how->width,
                             .x = layer->out->data + (t - 1) * how->width,
                             .x_stride = how->tokens * how->width,
                             .w = how->state.weight,
                             .y = to,
                             .y_stride = stride,
                             .add = !alone,
                             .finish = { .bias = bias ? bias->data : NULL } };
        gemm_run(&gemm, tape->room, tape->each);
    }
    for (int64_t b = 0; alone && t == 0 && b < how->batch; b++) {
        memset(to + b * stride, 0, (size_t)n * sizeof *to);
        if (bias) {
            memcpy(to + b * stride, bias->data, (size_t)n * sizeof *to);
        }
    }
}

static void lstm_step(const struct layer *layer, int64_t row, int64_t t) {
    const struct simd *table = simd();
    int64_t h = layer->how.width;
    float *i = layer->gates + row * 4 * h, *f = i + h, *g = f + h, *o = g + h;
    float *cell = layer->cells->data + row * h, *out = layer->out->data + row * h;
    table->act(i, i, 2 * h, SIMD_SIGMOID);
    table->act(g, g, h, SIMD_TANH);
    table->act(o, o, h, SIMD_SIGMOID);
    table->mul(cell, f, before(layer, layer->cells, row, t), h);
    table->mul_add(cell, i, g, h);
    table->act(out, cell, h, SIMD_TANH);
    table->mul(out, out, o, h);
}

static void gru_step(const struct layer *layer, int64_t row, int64_t t) {
    const struct simd *table = simd();
    int64_t h = layer->how.width;
    float *r = layer->gates + row * 3 * h, *z = r + h, *n = z + h;
    const float *state = layer->states + row * 3 * h, *last = before(layer, layer->out, row, t);
    float *out = layer->out->data + row * h;
    table->add(r, r, state, 2 * h);
    table->act(r, r, 2 * h, SIMD_SIGMOID);
    table->mul_add(n, r, state + 2 * h, h);
    table->act(n, n, h, SIMD_TANH);
    for (int64_t k = 0; k < h; k++) {
        out[k] = (1 - z[k]) * n[k] + z[k] * last[k];
    }
}

static void rnn_step(const struct layer *layer, int64_t row) {
    int64_t h = layer->how.width;
    simd()->act(layer->out->data + row * h, layer->gates + row * h, h,
                layer->how.kind == OP_RNN_TANH ? SIMD_TANH : SIMD_RELU);
}

/* One step of all texts. */
struct step {
    const struct layer *layer;
    int64_t t;
};

static void texts_run(void *arg, int64_t begin, int64_t end) {
    const struct step *step = arg;
    const struct layer *layer = step->layer;
    for (int64_t b = begin; b < end; b++) {
        int64_t row = b * layer->how.tokens + step->t;
        if (layer->how.kind == OP_LSTM) {
            lstm_step(layer, row, step->t);
        } else if (layer->how.kind == OP_GRU) {
            gru_step(layer, row, step->t);
        } else {
            rnn_step(layer, row);
        }
    }
}

static void layer_run(struct tape *tape, struct layer *layer) {
    inputs_run(tape, layer);
    for (int64_t t = 0; t < layer->how.tokens; t++) {
        stop_check();
        states_run(tape, layer, t);
        pool_for(layer->how.batch, TEXTS, texts_run, &(struct step){ .layer = layer, .t = t });
    }
}

struct tensor *op_recurrent(struct tape *tape, const struct tensor *x,
                            const struct op_recurrent *how, struct tensor **cells) {
    int64_t rows = how->batch * how->tokens, shape[] = { rows, how->width };
    struct layer *layer = arena_alloc(tape->arena, sizeof *layer);
    *layer = (struct layer){ .how = *how, .parts = parts_of(how->kind), .x = x };
    layer->out = tape_tensor(tape, 2, shape);
    if (how->kind == OP_LSTM) {
        layer->cells = tape_tensor(tape, 2, shape);
    }
    struct arena_mark mark = tape_mark(tape);
    int64_t gates[] = { rows, layer->parts * how->width };
    layer->gates = tape_tensor(tape, 2, gates)->data;
    layer->states = how->kind == OP_GRU ? tape_tensor(tape, 2, gates)->data : NULL;
    layer->none = arena_array(tape->arena, how->width, sizeof(float));
    layer_run(tape, layer);
    tape_rewind(tape, mark);
    if (cells) {
        *cells = layer->cells;
    }
    return layer->out;
}
