#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

/* A normalised row is a head like any other: the only one, as wide as the row. */
struct places {
    int64_t rows, stride, first; /* rows of x, floats from one to the next */
    int64_t heads, apart, width;
};

struct job {
    struct places at;
    struct op_norm norm;
    const float *x;
    float *out;
};

static void head_run(const struct op_norm *norm, const float *x, float *out, int64_t n) {
    const float *bias = norm->bias ? norm->bias->data : NULL;
    if (!norm->rms) {
        simd()->norm_layer(out, x, norm->gain->data, bias, (float)norm->eps, n);
        return;
    }
    simd()->norm_rms(out, x, norm->gain->data, (float)norm->eps, n);
    if (bias) {
        simd()->add(out, out, bias, n);
    }
}

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct places *at = &job->at;
    for (int64_t r = begin; r < end; r++) {
        const float *row = job->x + r * at->stride + at->first;
        for (int64_t h = 0; h < at->heads; h++) {
            head_run(&job->norm, row + h * at->apart,
                     job->out + (r * at->heads + h) * at->width, at->width);
        }
    }
}

/* ---- backward ---- */

struct step {
    struct tape_step step;
    const struct tensor *x;
    struct places at;
    struct op_norm norm;
};

enum { CHUNK = 16 }; /* rows whose share of dgain and dbias is one partial sum */

struct back {
    const struct step *step;
    int64_t rows; /* of all seeds */
    const float *dy;
    float *dx;
    bool add;           /* dx holds numbers */
    float *gain, *bias; /* [chunks, width] each, zeros; or NULL */
};

static void row_back(const struct back *job, int64_t r, struct simd_norm_back *of) {
    const struct places *at = &job->step->at;
    const float *x = job->step->x->data + r % at->rows * at->stride + at->first;
    float *dx = job->dx + r * at->stride + at->first;
    for (int64_t h = 0; h < at->heads; h++) {
        of->x = x + h * at->apart;
        of->dx = dx + h * at->apart;
        of->dy = job->dy + (r * at->heads + h) * at->width;
        if (!job->add) {
            memset(of->dx, 0, (size_t)at->width * sizeof *of->dx);
        }
        if (job->step->norm.rms) {
            simd()->norm_rms_back(of);
        } else {
            simd()->norm_layer_back(of);
        }
    }
}

static void chunks_back(void *arg, int64_t begin, int64_t end) {
    const struct back *job = arg;
    int64_t width = job->step->at.width;
    for (int64_t c = begin; c < end; c++) {
        struct simd_norm_back of = { .gain = job->step->norm.gain->data,
                                     .eps = (float)job->step->norm.eps,
                                     .dgain = job->gain ? job->gain + c * width : NULL,
                                     .dbias = job->bias ? job->bias + c * width : NULL,
                                     .n = width };
        for (int64_t r = c * CHUNK; r < (c + 1) * CHUNK && r < job->rows; r++) {
            row_back(job, r, &of);
        }
    }
}

/* Zeros for the partial sums if anybody asks for the parameter, whose gradient comes too. */
static float *partial(struct tape *tape, const struct tensor *parameter, int64_t chunks,
                      float **gradient) {
    *gradient = parameter ? tape_parameter_add(tape, parameter) : NULL;
    return *gradient ? arena_array(tape->arena, chunks * tensor_count(parameter), sizeof(float))
                     : NULL;
}

static void partial_add(float *gradient, const float *partial, int64_t chunks, int64_t n) {
    for (int64_t c = 0; gradient && c < chunks; c++) {
        simd()->add(gradient, gradient, partial + c * n, n);
    }
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    const struct places *at = &self->at;
    struct back job = { .step = self,
                        .rows = tape_seeds(tape) * at->rows,
                        .dy = tape_gradient(tape, step->out),
                        .add = true };
    int64_t chunks = (job.rows + CHUNK - 1) / CHUNK;
    bool needs = tape_needs(tape, self->x);
    float *dgain, *dbias;
    if (!job.dy) {
        return;
    }
    job.gain = partial(tape, self->norm.gain, chunks, &dgain);
    job.bias = partial(tape, self->norm.bias, chunks, &dbias);
    if (!needs && !job.gain && !job.bias) {
        return;
    }
    if (!needs) {
        job.dx = arena_array(tape->arena, job.rows * at->stride, sizeof(float));
    } else if (at->heads * at->width == at->stride) {
        job.dx = tape_gradient_set(tape, self->x, &job.add);
    } else {
        job.dx = tape_gradient_add(tape, self->x);
    }
    pool_for(chunks, 1, chunks_back, &job);
    partial_add(dgain, job.gain, chunks, at->width);
    partial_add(dbias, job.bias, chunks, at->width);
}

/* ---- both operations ---- */

static struct tensor *norm_run(struct tape *tape, const struct tensor *x,
                               const struct places *at, const struct op_norm *norm,
                               struct tensor *out) {
    struct job job = { .at = *at, .norm = *norm, .x = x->data, .out = out->data };
    int64_t grain = 8192 / (at->heads * at->width + 1) + 1; /* rows worth another thread */
    pool_for(at->rows, grain, rows_run, &job);
    if (tape->record) {
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->x = x;
        step->at = *at;
        step->norm = *norm;
        tape_uses(tape, norm->gain);
        if (norm->bias) {
            tape_uses(tape, norm->bias);
        }
    }
    return out;
}

struct tensor *op_norm(struct tape *tape, const struct tensor *x, const struct op_norm *norm,
                       struct tensor *out) {
    int64_t width = x->shape[x->rank - 1];
    struct places at = { .rows = tensor_count(x) / width,
                         .stride = width,
                         .heads = 1,
                         .apart = width,
                         .width = width };
    return norm_run(tape, x, &at, norm, out ? out : tape_tensor(tape, x->rank, x->shape));
}

struct tensor *op_heads_norm(struct tape *tape, struct op_heads from, int64_t heads,
                             int64_t width, const struct op_norm *norm) {
    struct places at = { .rows = from.x->shape[0],
                         .stride = from.x->shape[1],
                         .first = from.first,
                         .heads = heads,
                         .apart = from.apart,
                         .width = width };
    return norm_run(tape, from.x, &at, norm,
                    tape_tensor(tape, 2, (int64_t[]){ at.rows, heads * width }));
}
