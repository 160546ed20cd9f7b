#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/gemm.h"
#include "core/tensor/op.h"
#include "core/tensor/quant.h"
#include "tests/acts.h"
#include "tests/check.h"

/* Every operation's gradient beside central differences of its formula in double, which is
 * written here once more, plainly. */

enum { INPUTS = 4, SEEDS = 3 };

struct trial {
    int inputs;
    struct tensor *in[INPUTS];
    bool parameter[INPUTS]; /* its gradient is asked for as a parameter's */
    struct tensor *(*run)(const struct trial *trial, struct tape *tape);
    void (*formula)(const struct trial *trial, double *const *in, double *out);
    int64_t outputs;

    int64_t rows, columns, width; /* what run and formula need to know */
    enum simd_act act;
    bool across, rms, adjacent;
    struct op_rope_angles *angles;
};

static double number(int64_t i, uint32_t seed) {
    uint32_t mixed = ((uint32_t)i + 1 + seed * 977) * 2654435761U;
    return (double)(mixed >> 9 & 0xffff) / 32768.0 - 1.0;
}

static struct tensor *numbers(struct arena *arena, int64_t rows, int64_t columns,
                              uint32_t seed) {
    struct tensor *tensor = tensor_new(arena, 2, (int64_t[]){ rows, columns });
    for (int64_t i = 0; i < rows * columns; i++) {
        tensor->data[i] = (float)number(i, seed);
    }
    return tensor;
}

static struct tensor *vector(struct arena *arena, int64_t n, uint32_t seed) {
    struct tensor *tensor = numbers(arena, 1, n, seed);
    tensor->rank = 1;
    tensor->shape[0] = n;
    return tensor;
}

static double *doubles(struct arena *arena, const struct tensor *tensor) {
    int64_t n = tensor_count(tensor), width = tensor->shape[tensor->rank - 1];
    double *out = arena_array(arena, n, sizeof *out);
    float *row = arena_array(arena, width, sizeof *row);
    for (int64_t r = 0; r < n / width; r++) {
        const char *at = tensor->bytes;
        quant_row(tensor->dtype, at + r * dtype_row_bytes(tensor->dtype, width), 0, width, row);
        for (int64_t i = 0; i < width; i++) {
            out[r * width + i] = (double)row[i];
        }
    }
    return out;
}

/* ---- the engine's gradients ---- */

struct seen {
    const struct trial *trial;
    float *gradients[INPUTS];
    int times[INPUTS];
};

static void hear(void *arg, const struct tensor *parameter, const struct tensor *gradient) {
    struct seen *seen = arg;
    for (int i = 0; i < seen->trial->inputs; i++) {
        if (seen->trial->in[i]->bytes == parameter->bytes) {
            check_int(tensor_count(gradient), tensor_count(parameter));
            memcpy(seen->gradients[i], gradient->data, (size_t)tensor_bytes(gradient));
            seen->times[i]++;
        }
    }
}

static float *seeds_of(struct arena *arena, int64_t seeds, int64_t n) {
    float *gradient = arena_array(arena, seeds * n, sizeof *gradient);
    for (int64_t i = 0; i < seeds * n; i++) {
        gradient[i] = (float)number(i, 31);
    }
    return gradient;
}

/* Gradients of all inputs for S seeds, [S, ...] each; parameters only if S is 1. */
static struct seen engine(struct arena *arena, const struct trial *trial, int64_t seeds,
                          const float *gradient) {
    struct seen seen = { .trial = trial };
    struct tape *tape = tape_new(arena, 0);
    tape_record(tape);
    struct tensor *out = trial->run(trial, tape);
    check_int(tensor_count(out), trial->outputs);
    for (int i = 0; i < trial->inputs; i++) {
        int64_t n = tensor_count(trial->in[i]);
        seen.gradients[i] = arena_array(arena, seeds * n, sizeof(float));
        if (!trial->parameter[i]) {
            tape_want(tape, trial->in[i], seen.gradients[i]);
        }
    }
    tape_seed(tape, out, gradient);
    tape_backward(tape, &(struct tape_ask){ .seeds = seeds,
                                            .parameter = seeds == 1 ? hear : NULL,
                                            .arg = &seen });
    for (int i = 0; i < trial->inputs; i++) {
        check_int(seen.times[i], trial->parameter[i] && seeds == 1);
    }
    return seen;
}

/* ---- beside central differences ---- */

static double target(const struct trial *trial, double *const *in, const float *gradient,
                     double *out) {
    double sum = 0;
    trial->formula(trial, in, out);
    for (int64_t j = 0; j < trial->outputs; j++) {
        sum += (double)gradient[j] * out[j];
    }
    return sum;
}

/* The greatest distance of gradient i from the differences, beside the greatest of those. */
static double distance(struct arena *arena, const struct trial *trial, double **in, int i,
                       const float *gradient, const float *seen) {
    double *out = arena_array(arena, trial->outputs, sizeof *out);
    double worst = 0, size = 1e-3, h = 1e-5;
    for (int64_t j = 0; j < tensor_count(trial->in[i]); j++) {
        double before = in[i][j];
        in[i][j] = before + h;
        double right = target(trial, in, gradient, out);
        in[i][j] = before - h;
        double left = target(trial, in, gradient, out);
        in[i][j] = before;
        double slope = (right - left) / (2 * h), off = fabs(slope - (double)seen[j]);
        worst = off > worst || off != off ? off : worst;
        size = fabs(slope) > size ? fabs(slope) : size;
    }
    return worst / size;
}

static void trial_check(struct arena *arena, const struct trial *trial, const char *name) {
    double *in[INPUTS];
    for (int i = 0; i < trial->inputs; i++) {
        in[i] = doubles(arena, trial->in[i]);
    }
    for (int64_t seeds = 1; seeds <= SEEDS; seeds += SEEDS - 1) {
        float *gradient = seeds_of(arena, seeds, trial->outputs);
        struct seen seen = engine(arena, trial, seeds, gradient);
        for (int64_t s = 0; s < seeds; s++) {
            for (int i = 0; i < trial->inputs; i++) {
                int64_t n = tensor_count(trial->in[i]);
                double off = trial->parameter[i] && seeds > 1
                                 ? 0
                                 : distance(arena, trial, in, i, gradient + s * trial->outputs,
                                            seen.gradients[i] + s * n);
                if (!check(off < 1e-5)) {
                    printf("  %s: input %d, seed %d of %d is off by %.2g\n", name, i, (int)s,
                           (int)seeds, off);
                }
            }
        }
    }
}

/* ---- products ---- */

/* Sum over k of x[r, k] w[c, k], w across or not. */
static double product(const struct trial *t, const double *x, const double *w, int64_t r,
                      int64_t c) {
    double sum = 0;
    for (int64_t k = 0; k < t->width; k++) {
        sum += x[r * t->width + k] * w[t->across ? k * t->columns + c : c * t->width + k];
    }
    return sum;
}

/* in: x, W, bias */
static struct tensor *linear_run(const struct trial *t, struct tape *tape) {
    struct op_dense dense = { .weight = t->in[1], .bias = t->in[2], .across = t->across };
    struct tensor *out = tensor_new(tape->arena, 3, (int64_t[]){ 1, t->rows, t->columns });
    return op_linear(tape, t->in[0], &dense, &(struct op_finish){ .act = t->act }, out);
}

static void linear_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->rows * t->columns; i++) {
        int64_t r = i / t->columns, c = i % t->columns;
        out[i] = acts_value(t->act, product(t, in[0], in[1], r, c) + in[2][c]);
    }
}

static struct trial linear_trial(struct arena *arena, struct tensor *weight, bool across,
                                 int64_t rows) {
    int64_t columns = weight->shape[across], width = weight->shape[!across];
    return (struct trial){ .inputs = 3,
                           .in = { numbers(arena, rows, width, 1), weight,
                                   vector(arena, columns, 3) },
                           .parameter = { false, true, true },
                           .run = linear_run,
                           .formula = linear_formula,
                           .outputs = rows * columns,
                           .rows = rows,
                           .columns = columns,
                           .width = width,
                           .across = across };
}

TEST(back_of_products_with_every_act) {
    struct arena *arena = check_arena();
    for (int act = 0; act < SIMD_ACTS; act++) {
        struct trial t = linear_trial(arena, numbers(arena, 7, 33, 2), false, 5);
        t.act = (enum simd_act)act;
        trial_check(arena, &t, "act");
    }
}

TEST(back_of_products_in_both_layouts) {
    struct arena *arena = check_arena();
    for (int across = 0; across < 2; across++) {
        for (int64_t rows = 1; rows < 18; rows += 16) {
            struct trial t = linear_trial(arena, numbers(arena, 17, 35, 2), across, rows);
            trial_check(arena, &t, across ? "across" : "along");
        }
    }
}

/* Weights of any type, from bytes; halves stay small. */
static struct tensor *weights_of(struct arena *arena, enum dtype dtype, int64_t rows,
                                 int64_t columns) {
    struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
    *tensor = (struct tensor){ .dtype = dtype, .rank = 2, .shape = { rows, columns } };
    int64_t bytes = rows * dtype_row_bytes(dtype, columns), block = dtype_block_bytes(dtype);
    unsigned char *data = tensor->bytes = arena_alloc(arena, (size_t)bytes);
    for (int64_t i = 0; i < bytes; i++) {
        data[i] = (unsigned char)(i * 89 + i / 13);
        data[i] &= i % block % 2 ? 0xbf : 0xff; /* the exponent's upper bit */
    }
    return tensor;
}

TEST(back_through_weights_of_every_type) {
    struct arena *arena = check_arena();
    for (int dtype = DTYPE_F32 + 1; dtype < DTYPE_COUNT; dtype++) {
        if (gemm_reads((enum dtype)dtype)) {
            int64_t block = dtype_block((enum dtype)dtype), width = block > 1 ? block : 33;
            struct tensor *w = weights_of(arena, (enum dtype)dtype, 3, width);
            struct trial t = linear_trial(arena, w, false, 2);
            trial_check(arena, &t, dtype_name((enum dtype)dtype));
            if (block == 1) {
                t = linear_trial(arena, w, true, 2);
                trial_check(arena, &t, dtype_name((enum dtype)dtype));
            }
        }
    }
}

/* in: x, W, factor, residual */
static struct tensor *followed_run(const struct trial *t, struct tape *tape) {
    struct op_finish finish = { .act = t->act, .factor = t->in[2], .residual = t->in[3] };
    return op_linear(tape, t->in[0], &(struct op_dense){ .weight = t->in[1] }, &finish, NULL);
}

static void followed_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->rows * t->columns; i++) {
        double z = product(t, in[0], in[1], i / t->columns, i % t->columns);
        out[i] = acts_value(t->act, z) * in[2][i] + in[3][i];
    }
}

TEST(back_of_products_with_factor_and_residual) {
    struct arena *arena = check_arena();
    for (int act = 0; act < 2; act++) {
        struct trial t = linear_trial(arena, numbers(arena, 7, 33, 2), false, 5);
        t.inputs = 4;
        t.in[2] = numbers(arena, 5, 7, 4);
        t.in[3] = numbers(arena, 5, 7, 5);
        t.parameter[2] = false;
        t.run = followed_run;
        t.formula = followed_formula;
        t.act = act ? SIMD_SILU : SIMD_NONE;
        trial_check(arena, &t, "factor and residual");
    }
}

/* y = x W^T + x, where a residual's gradient changes hands and then is added to. */
static struct tensor *stream_run(const struct trial *t, struct tape *tape) {
    struct op_finish finish = { .residual = t->in[0] };
    return op_linear(tape, t->in[0], &(struct op_dense){ .weight = t->in[1] }, &finish, NULL);
}

static void stream_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->rows * t->columns; i++) {
        out[i] = product(t, in[0], in[1], i / t->columns, i % t->columns) + in[0][i];
    }
}

TEST(back_of_a_residual_stream) {
    struct arena *arena = check_arena();
    struct trial t = linear_trial(arena, numbers(arena, 21, 21, 2), false, 5);
    t.inputs = 2;
    t.run = stream_run;
    t.formula = stream_formula;
    trial_check(arena, &t, "stream");
}

/* Gradients that are mostly zeros take other ways: rows left out, rows of W added directly.
 * What they give is what the product of all rows gives. */
TEST(back_of_sparse_gradients_is_the_same) {
    struct arena *arena = check_arena();
    for (int across = 0; across < 2; across++) {
        struct trial t = linear_trial(arena, numbers(arena, 24, 18, 2), across, 9);
        int64_t n = t.outputs, columns = t.columns;
        for (int kind = 0; kind < 4; kind++) {
            float *seed = arena_array(arena, n, sizeof *seed);
            for (int64_t i = 0; i < n; i++) {
                bool row = i / columns % 4 == 2, entry = i % columns == 3;
                bool kept = kind == 0 ? row : kind == 1 ? row && entry : kind == 2 && entry;
                seed[i] = kept ? (float)number(i, 8) : 0;
            }
            double *in[INPUTS];
            for (int i = 0; i < t.inputs; i++) {
                in[i] = doubles(arena, t.in[i]);
            }
            t.parameter[1] = t.parameter[2] = true; /* also where all of it is 0 */
            struct seen seen = engine(arena, &t, 1, seed);
            for (int i = 0; i < t.inputs; i++) {
                check(distance(arena, &t, in, i, seed, seen.gradients[i]) < 1e-5);
            }
        }
    }
}

/* ---- a table that is read and, tied, multiplied with ---- */

static const int32_t ids[] = { 3, 0, 3, 5 };

static struct tensor *tied_run(const struct trial *t, struct tape *tape) {
    struct tensor *x = op_embed(tape, t->in[0], ids, 4);
    return op_linear(tape, x, &(struct op_dense){ .weight = t->in[0] }, NULL, NULL);
}

static void tied_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < 4 * t->columns; i++) {
        const double *a = in[0] + ids[i / t->columns] * t->width,
                     *b = in[0] + i % t->columns * t->width;
        out[i] = 0;
        for (int64_t k = 0; k < t->width; k++) {
            out[i] += a[k] * b[k];
        }
    }
}

TEST(back_of_a_table_used_twice) {
    struct arena *arena = check_arena();
    struct trial t = { .inputs = 1,
                       .in = { numbers(arena, 6, 151, 1) },
                       .parameter = { true },
                       .run = tied_run,
                       .formula = tied_formula,
                       .outputs = 24,
                       .columns = 6,
                       .width = 151 };
    trial_check(arena, &t, "tied");
}

/* ---- the others ---- */

static const int64_t rows_taken[] = { 4, 1, 4 };

static struct tensor *rows_run(const struct trial *t, struct tape *tape) {
    return op_rows(tape, t->in[0], rows_taken, 3);
}

static void rows_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < 3 * t->width; i++) {
        out[i] = in[0][rows_taken[i / t->width] * t->width + i % t->width];
    }
}

static struct tensor *add_run(const struct trial *t, struct tape *tape) {
    return op_add(tape, op_add(tape, t->in[0], t->in[1], NULL), t->in[0], NULL);
}

static void add_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->outputs; i++) {
        out[i] = 2 * in[0][i] + in[1][i];
    }
}

/* x itself and 0.3 x, so that a gradient is there when the scaled one comes. */
static struct tensor *scale_run(const struct trial *t, struct tape *tape) {
    return op_add(tape, t->in[0], op_scale(tape, t->in[0], 0.3F), NULL);
}

static void scale_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->outputs; i++) {
        out[i] = in[0][i] * (1 + (double)0.3F);
    }
}

static struct tensor *cap_run(const struct trial *t, struct tape *tape) {
    return op_add(tape, t->in[0], op_cap(tape, t->in[0], 0.7F, NULL), NULL);
}

static void cap_formula(const struct trial *t, double *const *in, double *out) {
    double cap = (double)0.7F;
    for (int64_t i = 0; i < t->outputs; i++) {
        out[i] = in[0][i] + cap * tanh(in[0][i] / cap);
    }
}

static struct tensor *gate_run(const struct trial *t, struct tape *tape) {
    return op_gate(tape, t->in[0], t->act);
}

static void gate_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->outputs; i++) {
        int64_t r = i / t->width, c = i % t->width;
        out[i] = acts_value(t->act, in[0][r * 2 * t->width + c]) *
                 in[0][r * 2 * t->width + t->width + c];
    }
}

/* Text 1 counts nothing. */
static const uint8_t mean_mask[] = { 1, 0, 1, 0, 0, 0 };

static struct tensor *mean_run(const struct trial *t, struct tape *tape) {
    return op_add(tape, op_mean(tape, t->in[0], 2, mean_mask), op_mean(tape, t->in[0], 2, NULL),
                  NULL);
}

static void mean_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->outputs; i++) {
        const double *x = in[0] + i / t->width * 3 * t->width + i % t->width;
        out[i] = (x[0] + x[t->width] + x[2 * t->width]) / 3;
        out[i] += i < t->width ? (x[0] + x[2 * t->width]) / 2 : 0;
    }
}

TEST(back_of_the_plain_operations) {
    struct arena *arena = check_arena();
    struct trial t = { .inputs = 2,
                       .in = { numbers(arena, 6, 37, 1), numbers(arena, 6, 37, 2) },
                       .run = add_run,
                       .formula = add_formula,
                       .outputs = 6 * 37,
                       .width = 37 };
    trial_check(arena, &t, "add");
    t.inputs = 1;
    t.run = scale_run;
    t.formula = scale_formula;
    trial_check(arena, &t, "scale");
    t.run = cap_run;
    t.formula = cap_formula;
    trial_check(arena, &t, "cap");
    t.run = rows_run;
    t.formula = rows_formula;
    t.outputs = 3 * 37;
    trial_check(arena, &t, "rows");
    t.run = mean_run;
    t.formula = mean_formula;
    t.outputs = 2 * 37;
    trial_check(arena, &t, "mean");
    t.in[0] = numbers(arena, 2, 2 * 37, 1);
    t.run = gate_run;
    t.formula = gate_formula;
    t.outputs = 2 * 37;
    for (int act = 0; act < SIMD_ACTS; act++) {
        t.act = (enum simd_act)act;
        trial_check(arena, &t, "gate");
    }
    t.in[0] = numbers(arena, 1, 2 * 301, 1); /* more than one piece */
    t.width = t.outputs = 301;
    trial_check(arena, &t, "gate");
}

/* ---- norms and heads: of each row of in[0] three heads of 11 numbers, 13 apart, from 2 on;
 * the whole row is one more ---- */

enum { HEADS = 3, WIDTH = 11, FIRST = 2, APART = 13, ROW = 41 };

static const double eps = 1e-5;

static void norm_formula(const struct trial *t, const double *x, const double *gain,
                         const double *bias, int64_t n, double *out) {
    double mean = 0, square = 0;
    for (int64_t i = 0; i < n && !t->rms; i++) {
        mean += x[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        square += (x[i] - mean) * (x[i] - mean) / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = (x[i] - mean) / sqrt(square + eps) * gain[i] + (bias ? bias[i] : 0);
    }
}

static struct op_norm norm_of(const struct trial *t) {
    return (struct op_norm){
        .gain = t->in[1], .bias = t->inputs > 2 ? t->in[2] : NULL, .rms = t->rms, .eps = eps
    };
}

static struct tensor *norm_run(const struct trial *t, struct tape *tape) {
    struct op_norm norm = norm_of(t);
    return op_norm(tape, t->in[0], &norm, NULL);
}

static void rows_norm_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t r = 0; r < t->rows; r++) {
        norm_formula(t, in[0] + r * ROW, in[1], t->inputs > 2 ? in[2] : NULL, ROW,
                     out + r * ROW);
    }
}

static struct op_heads heads_of(struct tensor *x) {
    return (struct op_heads){ .x = x, .first = FIRST, .apart = APART };
}

static struct tensor *heads_norm_run(const struct trial *t, struct tape *tape) {
    struct op_norm norm = norm_of(t);
    return op_heads_norm(tape, heads_of(t->in[0]), HEADS, WIDTH, &norm);
}

static void heads_norm_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->rows * HEADS; i++) {
        norm_formula(t, in[0] + i / HEADS * ROW + FIRST + i % HEADS * APART, in[1],
                     t->inputs > 2 ? in[2] : NULL, WIDTH, out + i * WIDTH);
    }
}

TEST(back_of_norms_of_rows_and_heads) {
    struct arena *arena = check_arena();
    for (int kind = 0; kind < 8; kind++) {
        bool heads = kind & 4;
        int64_t n = heads ? WIDTH : ROW;
        struct trial t = { .inputs = kind & 1 ? 3 : 2,
                           .in = { numbers(arena, 17, ROW, 1), vector(arena, n, 2),
                                   vector(arena, n, 3) },
                           .parameter = { false, true, true },
                           .run = heads ? heads_norm_run : norm_run,
                           .formula = heads ? heads_norm_formula : rows_norm_formula,
                           .outputs = heads ? 17 * HEADS * WIDTH : 17 * ROW,
                           .rows = 17,
                           .rms = kind & 2 };
        trial_check(arena, &t, heads ? "heads_norm" : "norm");
    }
}

static struct tensor *copy_run(const struct trial *t, struct tape *tape) {
    return op_heads_copy(tape, heads_of(t->in[0]), HEADS, WIDTH);
}

static void copy_formula(const struct trial *t, double *const *in, double *out) {
    for (int64_t i = 0; i < t->outputs; i++) {
        int64_t head = i / WIDTH;
        out[i] = in[0][head / HEADS * ROW + FIRST + head % HEADS * APART + i % WIDTH];
    }
}

/* Turned in place after a copy, whose gradient's room is the one turned. */
static struct tensor *rope_run(const struct trial *t, struct tape *tape) {
    struct tensor *x = op_scale(tape, t->in[0], 1);
    op_rope(tape, heads_of(x), HEADS, t->angles);
    return x;
}

static void rope_formula(const struct trial *t, double *const *in, double *out) {
    const struct op_rope_angles *angles = t->angles;
    int64_t half = angles->width / 2;
    memcpy(out, in[0], (size_t)t->outputs * sizeof *out);
    for (int64_t i = 0; i < t->rows * HEADS * half; i++) {
        int64_t r = i / (HEADS * half), h = i / half % HEADS, p = i % half;
        double *head = out + r * ROW + FIRST + h * APART;
        double *a = head + (t->adjacent ? 2 * p : p);
        double *b = head + (t->adjacent ? 2 * p + 1 : p + half), was = *a;
        double c = (double)angles->cosines[r % angles->tokens * half + p];
        double s = (double)angles->sines[r % angles->tokens * half + p];
        *a = *a * c - *b * s;
        *b = *b * c + was * s;
    }
}

TEST(back_of_heads_copied_and_turned) {
    struct arena *arena = check_arena();
    struct trial t = { .inputs = 1,
                       .in = { numbers(arena, 4, ROW, 1) },
                       .run = copy_run,
                       .formula = copy_formula,
                       .outputs = 4 * HEADS * WIDTH,
                       .rows = 4 };
    trial_check(arena, &t, "copy");
    t.run = rope_run;
    t.formula = rope_formula;
    t.outputs = 4 * ROW;
    for (int adjacent = 0; adjacent < 2; adjacent++) {
        t.adjacent = adjacent;
        t.angles = op_rope_angles(tape_new(arena, 0), 5, 2, 6, (double[]){ 1, 0.3, 0.1 }, 1.25,
                                  adjacent);
        trial_check(arena, &t, "rope");
    }
}

/* ---- whole blocks: recomputed, with any number of threads, several seeds at once ---- */

enum { C = 32, TOKENS = 40, VOCAB = 4000 };

struct net {
    struct tensor *table, *gain, *bias, *into, *out_of;
    struct tensor *x;
    bool again;
};

static struct tensor *block_run(void *arg, struct tape *tape) {
    const struct net *net = arg;
    struct op_norm norm = { .gain = net->gain, .bias = net->bias, .eps = 1e-5 };
    struct tensor *y = op_norm(tape, net->x, &norm, NULL);
    y = op_linear(tape, y, &(struct op_dense){ .weight = net->into, .bias = net->bias },
                  &(struct op_finish){ .act = SIMD_GELU }, NULL);
    return op_linear(tape, y, &(struct op_dense){ .weight = net->out_of, .across = true },
                     &(struct op_finish){ .residual = net->x }, NULL);
}

/* Two blocks between a table and itself, tied: logits [TOKENS, VOCAB]. */
static struct tensor *net_run(struct net *net, struct tape *tape, struct tensor **words) {
    int32_t words_ids[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
        words_ids[i] = i * 37 % VOCAB;
    }
    struct tensor *x = *words = op_embed(tape, net->table, words_ids, TOKENS);
    for (int l = 0; l < 2; l++) {
        struct net *block = arena_alloc(tape->arena, sizeof *block);
        *block = *net;
        block->x = x;
        x = net->again ? tape_again(tape, block_run, block) : block_run(block, tape);
    }
    return op_linear(tape, x, &(struct op_dense){ .weight = net->table }, NULL, NULL);
}

static struct net net_new(struct arena *arena) {
    return (struct net){ .table = numbers(arena, VOCAB, C, 1),
                         .gain = vector(arena, C, 2),
                         .bias = vector(arena, C, 3),
                         .into = numbers(arena, C, C, 4),
                         .out_of = numbers(arena, C, C, 5) };
}

/* A number that says what bytes were handed over, in which order. */
static void digest(void *arg, const struct tensor *parameter, const struct tensor *gradient) {
    uint64_t *sum = arg;
    const unsigned char *bytes = gradient->bytes;
    (void)parameter;
    for (int64_t i = 0; i < tensor_bytes(gradient); i++) {
        *sum = (*sum ^ bytes[i]) * 0x100000001b3U;
    }
}

/* The gradient of the words, [S, TOKENS, C], and the digest of all parameters' if S is 1. */
static float *net_back(struct arena *arena, struct net *net, int64_t seeds,
                       const float *gradient, uint64_t *sum) {
    struct tape *tape = tape_new(arena, 0);
    struct tensor *words;
    float *dwords = arena_array(arena, seeds * TOKENS * C, sizeof *dwords);
    tape_record(tape);
    tape_seed(tape, net_run(net, tape, &words), gradient);
    tape_want(tape, words, dwords);
    tape_backward(tape, &(struct tape_ask){
                            .seeds = seeds, .parameter = sum ? digest : NULL, .arg = sum });
    return dwords;
}

TEST(back_gives_the_same_bytes_recomputed_and_with_any_threads) {
    struct arena *arena = check_arena();
    struct net net = net_new(arena);
    float *gradient = seeds_of(arena, 1, TOKENS * VOCAB);
    uint64_t first = 1;
    int threads = pool_threads();
    pool_set_threads(1);
    float *wanted = net_back(arena, &net, 1, gradient, &first);
    for (int n = 1; n <= 8; n += n > 2 ? 5 : 1) {
        for (int again = 0; again < 2; again++) {
            uint64_t sum = 1;
            pool_set_threads(n);
            net.again = again;
            float *seen = net_back(arena, &net, 1, gradient, &sum);
            check(memcmp(seen, wanted, TOKENS * C * sizeof *seen) == 0);
            check(sum == first);
        }
    }
    pool_set_threads(threads);
}

/* One seed for all tokens, one for a single logit, one of nothing. */
TEST(back_of_several_seeds_is_that_of_each_alone) {
    struct arena *arena = check_arena();
    struct net net = net_new(arena);
    int64_t n = TOKENS * VOCAB;
    float *gradient = arena_array(arena, 3 * n, sizeof *gradient);
    memcpy(gradient, seeds_of(arena, 1, n), (size_t)n * sizeof *gradient);
    gradient[n + 7 * VOCAB + 11] = 2;
    float *together = net_back(arena, &net, 3, gradient, NULL);
    for (int64_t s = 0; s < 3; s++) {
        float *alone = net_back(arena, &net, 1, gradient + s * n, NULL);
        check(memcmp(together + s * TOKENS * C, alone, TOKENS * C * sizeof *alone) == 0);
    }
}

/* What follows a product while it records is what follows it otherwise. */
TEST(back_changes_nothing_ahead) {
    struct arena *arena = check_arena();
    struct trial t = linear_trial(arena, numbers(arena, 67, 45, 2), false, 13);
    for (int act = 0; act < SIMD_ACTS; act++) {
        struct tape *plain = tape_new(arena, 0), *records = tape_new(arena, 0);
        tape_record(records);
        t.act = (enum simd_act)act;
        const struct tensor *a = linear_run(&t, plain), *b = linear_run(&t, records);
        check(memcmp(a->data, b->data, (size_t)tensor_bytes(a)) == 0);
    }
}
