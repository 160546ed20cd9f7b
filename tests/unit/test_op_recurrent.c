#include "tests/check.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

/* A layer with numbers that look random. */
struct given {
    struct arena *arena;
    struct op_recurrent how;
    struct tensor *x;
};

static float number(int64_t i) {
    return (float)sin((double)i * 12.9898) * 0.9F;
}

static struct tensor *numbers(struct arena *arena, int64_t rows, int64_t columns,
                              int64_t from) {
    struct tensor *tensor = columns > 0 ? tensor_new(arena, 2, (int64_t[]){ rows, columns })
                                        : tensor_new(arena, 1, &rows);
    for (int64_t i = 0; i < tensor_count(tensor); i++) {
        tensor->data[i] = number(from + i);
    }
    return tensor;
}

static struct given given(enum op_recurrence kind, int64_t batch, int64_t tokens,
                          int64_t inputs, int64_t width) {
    int64_t gates = (kind == OP_LSTM ? 4 : kind == OP_GRU ? 3 : 1) * width;
    struct arena *arena = check_arena();
    struct given given = {
        .arena = arena,
        .how = { .kind = kind, .batch = batch, .tokens = tokens, .width = width }
    };
    given.how.input.weight = numbers(arena, gates, inputs, 1000);
    given.how.input.bias = numbers(arena, gates, 0, 2000);
    given.how.state.weight = numbers(arena, gates, width, 3000);
    given.how.state.bias = numbers(arena, gates, 0, 4000);
    given.x = numbers(arena, batch * tokens, inputs, 0);
    return given;
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* Part `g` of W x + b (`last` NULL) or U h' + c, number k, in double. */
static double product(const struct op_dense *dense, const double *x, int64_t row) {
    double sum = dense->bias ? (double)dense->bias->data[row] : 0;
    for (int64_t i = 0; i < dense->weight->shape[1]; i++) {
        sum += (double)dense->weight->data[row * dense->weight->shape[1] + i] * x[i];
    }
    return sum;
}

enum { WIDEST = 24 };

/* One step as the formulas say it. */
static void step(const struct op_recurrent *how, const double *x, double *h, double *cell) {
    double next[WIDEST];
    int64_t n = how->width;
    for (int64_t k = 0; k < n; k++) {
        double a[4], u[4];
        for (int g = 0; g < (how->kind == OP_LSTM ? 4 : how->kind == OP_GRU ? 3 : 1); g++) {
            a[g] = product(&how->input, x, g * n + k);
            u[g] = product(&how->state, h, g * n + k);
        }
        if (how->kind == OP_LSTM) {
            cell[k] = sigmoid(a[1] + u[1]) * cell[k] + sigmoid(a[0] + u[0]) * tanh(a[2] + u[2]);
            next[k] = sigmoid(a[3] + u[3]) * tanh(cell[k]);
        } else if (how->kind == OP_GRU) {
            double z = sigmoid(a[1] + u[1]);
            double made = tanh(a[2] + sigmoid(a[0] + u[0]) * u[2]);
            next[k] = (1 - z) * made + z * h[k];
        } else {
            next[k] = how->kind == OP_RNN_TANH ? tanh(a[0] + u[0]) : fmax(a[0] + u[0], 0);
        }
    }
    memcpy(h, next, (size_t)n * sizeof *h);
}

/* The largest difference from the formulas. */
static double difference(const struct given *given, const struct tensor *out,
                         const struct tensor *cells) {
    const struct op_recurrent *how = &given->how;
    double most = 0, x[WIDEST];
    for (int64_t b = 0; b < how->batch; b++) {
        double h[WIDEST] = { 0 }, cell[WIDEST] = { 0 };
        for (int64_t t = 0; t < how->tokens; t++) {
            int64_t row = b * how->tokens + t, inputs = given->x->shape[1];
            for (int64_t i = 0; i < inputs; i++) {
                x[i] = (double)given->x->data[row * inputs + i];
            }
            step(how, x, h, cell);
            for (int64_t k = 0; k < how->width; k++) {
                int64_t at = row * how->width + k;
                most = fmax(most, fabs((double)out->data[at] - h[k]));
                most = cells ? fmax(most, fabs((double)cells->data[at] - cell[k])) : most;
            }
        }
    }
    return most;
}

static const enum op_recurrence kinds[] = { OP_RNN_TANH, OP_RNN_RELU, OP_LSTM, OP_GRU };

TEST(op_recurrent_follows_the_formulas) {
    static const int64_t shapes[][4] = { { 1, 1, 1, 1 }, { 1, 5, 3, 7 }, { 3, 4, 9, 24 } };
    for (int s = 0; s < 3; s++) {
        for (int k = 0; k < 4; k++) {
            const int64_t *n = shapes[s];
            struct given g = given(kinds[k], n[0], n[1], n[2], n[3]);
            struct tape *tape = tape_new(g.arena, 0);
            struct tensor *cells;
            struct tensor *out = op_recurrent(tape, g.x, &g.how, &cells);
            check((cells != NULL) == (kinds[k] == OP_LSTM));
            /* a relu's states grow, so the difference does too */
            check(difference(&g, out, cells) < (kinds[k] == OP_RNN_RELU ? 1e-3 : 5e-6));
            g.how.input.bias = g.how.state.bias = NULL;
            out = op_recurrent(tape, g.x, &g.how, NULL);
            check(difference(&g, out, NULL) < (kinds[k] == OP_RNN_RELU ? 1e-3 : 5e-6));
        }
    }
}

/* h = tanh(2 x + 0.5 h'): tanh(2), then tanh(-2 + 0.5 tanh(2)). */
TEST(op_recurrent_by_hand) {
    struct given g = given(OP_RNN_TANH, 1, 2, 1, 1);
    g.how.input = (struct op_dense){ .weight = numbers(g.arena, 1, 1, 0) };
    g.how.state = (struct op_dense){ .weight = numbers(g.arena, 1, 1, 0) };
    g.how.input.weight->data[0] = 2;
    g.how.state.weight->data[0] = 0.5F;
    g.x->data[0] = 1;
    g.x->data[1] = -1;
    struct tensor *out = op_recurrent(tape_new(g.arena, 0), g.x, &g.how, NULL);
    check_near(out->data[0], 0.9640276, 1e-6);
    check_near(out->data[1], tanh(-2 + 0.5 * 0.9640276), 1e-6);
}

/* A text's numbers are its own, whatever stands beside or after it. */
TEST(op_recurrent_keeps_texts_apart) {
    for (int k = 0; k < 4; k++) {
        struct given g = given(kinds[k], 20, 6, 5, 11);
        struct tape *tape = tape_new(g.arena, 0);
        struct tensor *out = op_recurrent(tape, g.x, &g.how, NULL), part = *g.x;
        struct op_recurrent one = g.how;
        one.batch = 1;
        one.tokens = 4;
        part.data = g.x->data + (int64_t)13 * 6 * 5;
        part.shape[0] = 4;
        struct tensor *alone = op_recurrent(tape, &part, &one, NULL);
        check(memcmp(alone->data, out->data + (int64_t)13 * 6 * 11,
                     (size_t)4 * 11 * sizeof(float)) == 0);
        int before = pool_threads();
        pool_set_threads(3);
        struct tensor *again = op_recurrent(tape_new(g.arena, 0), g.x, &g.how, NULL);
        pool_set_threads(before);
        check(memcmp(again->data, out->data, (size_t)tensor_bytes(out)) == 0);
    }
}

/* A text's rest, from the state and cells in which its first tokens left the layer: the same
 * bytes as in one run. */
TEST(op_recurrent_goes_on_from_a_state) {
    enum { ALL = 7, WIDE = 13 };
    for (int k = 0; k < 4; k++) {
        for (int64_t past = 1; past < ALL; past++) {
            struct given g = given(kinds[k], 1, ALL, 5, WIDE);
            struct tape *tape = tape_new(g.arena, 0);
            struct tensor *cells, *more, rest = *g.x;
            struct tensor *out = op_recurrent(tape, g.x, &g.how, &cells);
            struct op_recurrent how = g.how;
            how.tokens = rest.shape[0] = ALL - past;
            rest.data = g.x->data + past * 5;
            how.first = out->data + (past - 1) * WIDE;
            how.first_cells = cells ? cells->data + (past - 1) * WIDE : NULL;
            struct tensor *on = op_recurrent(tape, &rest, &how, &more);
            size_t bytes = (size_t)tensor_bytes(on);
            check(memcmp(on->data, out->data + past * WIDE, bytes) == 0);
            check(!cells || memcmp(more->data, cells->data + past * WIDE, bytes) == 0);
        }
    }
}

/* A state that grows without end becomes infinite, and a saturated one stays at 1. */
TEST(op_recurrent_survives_extremes) {
    struct given g = given(OP_RNN_RELU, 1, 200, 1, 1);
    g.how.input.bias = g.how.state.bias = NULL;
    g.how.state.weight->data[0] = 10;
    g.how.input.weight->data[0] = 1;
    g.x->data[0] = 1;
    struct tensor *out = op_recurrent(tape_new(g.arena, 0), g.x, &g.how, NULL);
    check(isinf(out->data[199]) && out->data[199] > 0);
    g.how.kind = OP_RNN_TANH;
    out = op_recurrent(tape_new(g.arena, 0), g.x, &g.how, NULL);
    check(out->data[199] == 1 || out->data[199] == -1);
}

/* ---- gradients, against central differences of the formulas in double ---- */

/* The target: a weighted sum of all outputs and cells. */
static double weight_of(int64_t i) {
    return cos((double)i * 1.7);
}

/* What is moved by a little: a number of x, of a parameter, or of a state on its way. */
struct nudge {
    enum { NUDGE_NUMBER, NUDGE_OUT, NUDGE_CELL } what;
    float *number;
    int64_t row, k;
};

static double target(const struct given *given, const struct nudge *nudge, double by) {
    const struct op_recurrent *how = &given->how;
    double sum = 0, x[WIDEST];
    int64_t inputs = given->x->shape[1];
    for (int64_t row = 0; row < how->batch * how->tokens; row++) {
        static double h[WIDEST], cell[WIDEST];
        if (row % how->tokens == 0) {
            memset(h, 0, sizeof h);
            memset(cell, 0, sizeof cell);
        }
        for (int64_t i = 0; i < inputs; i++) {
            x[i] = (double)given->x->data[row * inputs + i];
        }
        step(how, x, h, cell);
        if (row == nudge->row && nudge->what == NUDGE_OUT) {
            h[nudge->k] += by;
        }
        if (row == nudge->row && nudge->what == NUDGE_CELL) { /* the output follows it */
            double o = h[nudge->k] / tanh(cell[nudge->k]);
            cell[nudge->k] += by;
            h[nudge->k] = o * tanh(cell[nudge->k]);
        }
        for (int64_t k = 0; k < how->width; k++) {
            sum += weight_of(row * how->width + k) * h[k];
            sum += how->kind == OP_LSTM ? weight_of(k - row) * cell[k] : 0;
        }
    }
    return sum;
}

static double slope(const struct given *given, struct nudge nudge) {
    double by = 1.0 / 1024;
    if (nudge.what != NUDGE_NUMBER) {
        return (target(given, &nudge, by) - target(given, &nudge, -by)) / (2 * by);
    }
    float was = *nudge.number;
    nudge.row = -1;
    *nudge.number = was + (float)by;
    double up = (double)*nudge.number, high = target(given, &nudge, 0);
    *nudge.number = was - (float)by;
    double down = (double)*nudge.number, low = target(given, &nudge, 0);
    *nudge.number = was;
    return (high - low) / (up - down);
}

/* Parameters' gradients as they come. */
struct kept {
    struct arena *arena;
    const struct tensor *parameters[4];
    struct tensor *gradients[4];
    int count;
};

static void keep(void *arg, const struct tensor *parameter, const struct tensor *gradient) {
    struct kept *kept = arg;
    if (check(kept->count < 4)) {
        struct tensor *copy = tensor_new(kept->arena, gradient->rank, gradient->shape);
        memcpy(copy->data, gradient->data, (size_t)tensor_bytes(copy));
        kept->parameters[kept->count] = parameter;
        kept->gradients[kept->count++] = copy;
    }
}

static struct tensor *seed_of(const struct given *given, bool of_cells) {
    int64_t h = given->how.width, rows = given->x->shape[0];
    struct tensor *seed = tensor_new(given->arena, 2, (int64_t[]){ rows, h });
    for (int64_t i = 0; i < rows * h; i++) {
        seed->data[i] = (float)weight_of(of_cells ? i % h - i / h : i);
    }
    return seed;
}

static void check_slopes(const struct given *given, const struct tensor *numbers,
                         const float *gradient) {
    for (int64_t i = 0; i < tensor_count(numbers); i++) {
        double wanted = slope(given, (struct nudge){ .number = numbers->data + i });
        check_near(gradient[i], wanted, 2e-4 * (1 + fabs(wanted)));
    }
}

static void check_states(const struct given *given, const float *gradient, bool cells) {
    int64_t h = given->how.width;
    for (int64_t i = 0; i < given->x->shape[0] * h; i++) {
        struct nudge nudge = { .what = cells ? NUDGE_CELL : NUDGE_OUT,
                               .row = i / h,
                               .k = i % h };
        double wanted = slope(given, nudge);
        check_near(gradient[i], wanted, 2e-4 * (1 + fabs(wanted)));
    }
}

static void check_gradients(enum op_recurrence kind, int64_t batch, int64_t tokens) {
    struct given g = given(kind, batch, tokens, 3, 4);
    struct tape *tape = tape_new(g.arena, 0);
    struct kept kept = { .arena = arena_new() }; /* what a step takes of the tape's goes */
    struct tensor *cells, *dx = tensor_new(g.arena, 2, g.x->shape);
    tape_record(tape);
    struct tensor *out = op_recurrent(tape, g.x, &g.how, &cells);
    struct tensor *dout = tensor_new(g.arena, 2, out->shape);
    struct tensor *dcells = tensor_new(g.arena, 2, out->shape);
    tape_seed(tape, out, seed_of(&g, false)->data);
    tape_want(tape, out, dout->data);
    tape_want(tape, g.x, dx->data);
    if (cells) {
        tape_seed(tape, cells, seed_of(&g, true)->data);
        tape_want(tape, cells, dcells->data);
    }
    tape_backward(tape, &(struct tape_ask){ .seeds = 1, .parameter = keep, .arg = &kept });
    check_slopes(&g, g.x, dx->data);
    check_states(&g, dout->data, false);
    if (cells) {
        check_states(&g, dcells->data, true);
    }
    check_int(kept.count, 4);
    for (int i = 0; i < kept.count; i++) {
        check_slopes(&g, kept.parameters[i], kept.gradients[i]->data);
    }
    arena_free(kept.arena);
}

TEST(op_recurrent_goes_back_through_time) {
    for (int k = 0; k < 4; k++) {
        check_gradients(kinds[k], 2, 5);
        check_gradients(kinds[k], 1, 1);
    }
}

/* Several seeds at once give each what it gets alone, with any number of threads; a parameter
 * alone may be asked for. */
TEST(op_recurrent_takes_several_seeds) {
    for (int k = 0; k < 4; k++) {
        struct given g = given(kinds[k], 9, 4, 3, 5);
        int64_t n = (int64_t)9 * 4 * 5, m = (int64_t)9 * 4 * 3;
        float *seeds = arena_array(g.arena, 2 * n, sizeof *seeds);
        float *both = arena_array(g.arena, 2 * m, sizeof *both);
        float *alone = arena_array(g.arena, m, sizeof *alone);
        struct tape *tape = tape_new(g.arena, 0);
        tape_record(tape);
        struct tensor *out = op_recurrent(tape, g.x, &g.how, NULL);
        for (int64_t i = 0; i < 2 * n; i++) {
            seeds[i] = number(i);
        }
        tape_seed(tape, out, seeds);
        tape_want(tape, g.x, both);
        tape_backward(tape, &(struct tape_ask){ .seeds = 2 });
        int before = pool_threads();
        pool_set_threads(1);
        tape_seed(tape, out, seeds + n);
        tape_want(tape, g.x, alone);
        tape_backward(tape, &(struct tape_ask){ .seeds = 1 });
        pool_set_threads(before);
        check(memcmp(both + m, alone, (size_t)m * sizeof *alone) == 0);

        struct kept kept = { .arena = arena_new() };
        tape_seed(tape, out, seeds);
        tape_backward(tape, &(struct tape_ask){ .seeds = 1, .parameter = keep, .arg = &kept });
        check_int(kept.count, 4);
        arena_free(kept.arena);
    }
}
