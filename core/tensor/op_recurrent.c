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
    const float *none; /* H zeros */
};

/* A row of the outputs or cells one token before. */
static const float *before(const struct layer *layer, const struct tensor *values, int64_t row,
                           int64_t t) {
    const struct op_recurrent *how = &layer->how;
    const float *first = values == layer->out ? how->first : how->first_cells;
    return t > 0 ? values->data + (row - 1) * how->width : first ? first : layer->none;
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
    if (t > 0 || how->first) {
        struct gemm gemm = { .m = how->batch,
                             .n = n,
                             .k = how->width,
                             .x = before(layer, layer->out, t, t),
                             .x_stride = how->tokens * how->width,
                             .w = how->state.weight,
                             .y = to,
                             .y_stride = stride,
                             .add = !alone,
                             .finish = { .bias = bias ? bias->data : NULL } };
        gemm_run(&gemm, tape->room, tape->each);
    }
    for (int64_t b = 0; alone && t == 0 && !how->first && b < how->batch; b++) {
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

/* ---- backward ---- */

/* While one seed goes back through time: gradients of what the layer's values are made of. */
struct back {
    const struct layer *layer;
    int64_t t;
    float *out, *cells;    /* of the seed's outputs; what later tokens made of them is added */
    float *gates, *states; /* of the sums before the acts; the two are one but in a GRU */
};

static void lstm_back(const struct back *back, int64_t row) {
    const struct layer *layer = back->layer;
    int64_t h = layer->how.width;
    const float *i = layer->gates + row * 4 * h, *f = i + h, *g = f + h, *o = g + h;
    const float *last = before(layer, layer->cells, row, back->t);
    const float *dout = back->out + row * h;
    float *di = back->gates + row * 4 * h, *df = di + h, *dg = df + h, *d_o = dg + h;
    float *dcell = back->cells + row * h;
    simd()->act(d_o, layer->cells->data + row * h, h, SIMD_TANH);
    for (int64_t k = 0; k < h; k++) {
        float squashed = d_o[k];
        dcell[k] += dout[k] * o[k] * (1 - squashed * squashed);
        d_o[k] = dout[k] * squashed * o[k] * (1 - o[k]);
        di[k] = dcell[k] * g[k] * i[k] * (1 - i[k]);
        df[k] = dcell[k] * last[k] * f[k] * (1 - f[k]);
        dg[k] = dcell[k] * i[k] * (1 - g[k] * g[k]);
    }
    if (back->t > 0) {
        simd()->mul_add(dcell - h, dcell, f, h);
    }
}

static void gru_back(const struct back *back, int64_t row) {
    const struct layer *layer = back->layer;
    int64_t h = layer->how.width;
    const float *r = layer->gates + row * 3 * h, *z = r + h, *n = z + h;
    const float *state = layer->states + row * 3 * h + 2 * h;
    const float *last = before(layer, layer->out, row, back->t);
    float *dr = back->gates + row * 3 * h, *dz = dr + h, *dn = dz + h;
    float *dstate = back->states + row * 3 * h, *dout = back->out + row * h;
    for (int64_t k = 0; k < h; k++) {
        dn[k] = dout[k] * (1 - z[k]) * (1 - n[k] * n[k]);
        dz[k] = dout[k] * (last[k] - n[k]) * z[k] * (1 - z[k]);
        dr[k] = dn[k] * state[k] * r[k] * (1 - r[k]);
        dstate[k] = dr[k];
        dstate[h + k] = dz[k];
        dstate[2 * h + k] = dn[k] * r[k];
    }
    if (back->t > 0) {
        simd()->mul_add(dout - h, dout, z, h);
    }
}

static void rnn_back(const struct back *back, int64_t row) {
    const struct layer *layer = back->layer;
    int64_t h = layer->how.width;
    const float *y = layer->out->data + row * h, *dout = back->out + row * h;
    float *d = back->gates + row * h;
    for (int64_t k = 0; k < h && layer->how.kind == OP_RNN_TANH; k++) {
        d[k] = dout[k] * (1 - y[k] * y[k]);
    }
    for (int64_t k = 0; k < h && layer->how.kind == OP_RNN_RELU; k++) {
        d[k] = y[k] > 0 ? dout[k] : 0;
    }
}

static void texts_back(void *arg, int64_t begin, int64_t end) {
    const struct back *back = arg;
    const struct op_recurrent *how = &back->layer->how;
    for (int64_t b = begin; b < end; b++) {
        int64_t row = b * how->tokens + back->t;
        if (how->kind == OP_LSTM) {
            lstm_back(back, row);
        } else if (how->kind == OP_GRU) {
            gru_back(back, row);
        } else {
            rnn_back(back, row);
        }
    }
}

/* Through U to the states of the token before. */
static void states_back(struct tape *tape, const struct back *back) {
    const struct op_recurrent *how = &back->layer->how;
    int64_t n = back->layer->parts * how->width;
    struct gemm gemm = { .m = how->batch,
                         .n = how->width,
                         .k = n,
                         .x = back->states + back->t * n,
                         .x_stride = how->tokens * n,
                         .w = how->state.weight,
                         .across = true,
                         .y = back->out + (back->t - 1) * how->width,
                         .y_stride = how->tokens * how->width,
                         .add = true };
    gemm_run(&gemm, tape->room, tape->each);
}

static void seed_back(struct tape *tape, struct back *back) {
    for (back->t = back->layer->how.tokens - 1; back->t >= 0; back->t--) {
        stop_check();
        pool_for(back->layer->how.batch, TEXTS, texts_back, back);
        if (back->t > 0) {
            states_back(tape, back);
        }
    }
}

static void inputs_back(struct tape *tape, const struct back *back, float *dx, bool add) {
    const struct layer *layer = back->layer;
    int64_t n = layer->parts * layer->how.width;
    struct gemm gemm = { .m = layer->x->shape[0],
                         .n = layer->x->shape[1],
                         .k = n,
                         .x = back->gates,
                         .x_stride = n,
                         .w = layer->how.input.weight,
                         .across = true,
                         .y = dx,
                         .y_stride = layer->x->shape[1],
                         .add = add };
    gemm_run(&gemm, tape->room, tape->each);
}

/* dW += d^T x over `rows` rows: d [rows, n], x [rows, columns]. */
static void weight_back(struct tape *tape, const struct tensor *weight, int64_t rows,
                        const float *d, const float *x) {
    float *dw = tape_parameter_add(tape, weight);
    struct tensor given = { .dtype = DTYPE_F32, .data = (float *)(uintptr_t)x };
    struct gemm gemm = { .m = weight->shape[0],
                         .n = weight->shape[1],
                         .k = rows,
                         .x = d,
                         .x_stride = 1,
                         .x_step = weight->shape[0],
                         .w = &given,
                         .across = true,
                         .y = dw,
                         .y_stride = weight->shape[1],
                         .add = true };
    if (dw && rows > 0) {
        gemm_run(&gemm, tape->room, tape->each);
    }
}

static void bias_back(struct tape *tape, const struct tensor *bias, int64_t rows,
                      const float *d) {
    float *db = bias ? tape_parameter_add(tape, bias) : NULL;
    for (int64_t r = 0; db && r < rows; r++) {
        simd()->add(db, db, d + r * bias->shape[0], bias->shape[0]);
    }
}

static void parameters_back(struct tape *tape, const struct back *back) {
    const struct layer *layer = back->layer;
    const struct op_recurrent *how = &layer->how;
    int64_t rows = how->batch * how->tokens, n = layer->parts * how->width;
    weight_back(tape, how->input.weight, rows, back->gates, layer->x->data);
    bias_back(tape, how->input.bias, rows, back->gates);
    bias_back(tape, how->state.bias, rows, back->states);
    for (int64_t b = 0; b < how->batch; b++) { /* each state with the token after it */
        int64_t row = b * how->tokens;
        weight_back(tape, how->state.weight, how->tokens - 1, back->states + (row + 1) * n,
                    layer->out->data + row * how->width);
    }
}

/* The layer's outputs are born in one step and time runs in another after it, so that when
 * gradients come back, those of the outputs are complete only when time has run back. */
struct time {
    struct tape_step step;
    const struct layer *layer;
};

static void born_back(struct tape *tape, struct tape_step *step) {
    (void)tape, (void)step; /* time has done all */
}

static void time_back(struct tape *tape, struct tape_step *step) {
    const struct layer *layer = ((struct time *)step)->layer;
    const struct tensor *cells = layer->cells;
    int64_t rows = layer->x->shape[0], h = layer->how.width;
    int64_t shape[] = { rows, layer->parts * h };
    if (!tape_gradient(tape, layer->out) && !(cells && tape_gradient(tape, cells))) {
        return;
    }
    bool add = false;
    float *dx = tape_needs(tape, layer->x) ? tape_gradient_set(tape, layer->x, &add) : NULL;
    struct back back = { .layer = layer,
                         .out = tape_gradient_add(tape, layer->out),
                         .cells = cells ? tape_gradient_add(tape, cells) : NULL,
                         .gates = tape_tensor(tape, 2, shape)->data };
    back.states = layer->how.kind == OP_GRU ? tape_tensor(tape, 2, shape)->data : back.gates;
    for (int64_t s = 0; s < tape_seeds(tape); s++) {
        seed_back(tape, &back);
        if (dx) {
            inputs_back(tape, &back, dx + s * rows * layer->x->shape[1], add);
        }
        back.out += rows * h;
        back.cells += cells ? rows * h : 0;
    }
    if (tape_seeds(tape) == 1) {
        parameters_back(tape, &back);
    }
}

static void remember(struct tape *tape, const struct layer *layer) {
    const struct op_recurrent *how = &layer->how;
    struct tape_step *born = tape_step(tape, sizeof *born, born_back, layer->out);
    born->also = layer->cells;
    tape_uses(tape, how->input.weight);
    tape_uses(tape, how->state.weight);
    if (how->input.bias) {
        tape_uses(tape, how->input.bias);
        tape_uses(tape, how->state.bias);
    }
    struct time *time = tape_step(tape, sizeof *time, time_back, NULL);
    time->layer = layer;
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
    if (tape->record) {
        remember(tape, layer);
    }
    tape_rewind(tape, mark);
    if (cells) {
        *cells = layer->cells;
    }
    return layer->out;
}
