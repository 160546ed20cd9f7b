#include <math.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

enum { GRAIN = 8192 };

/* out = factor x; with a cap, cap tanh(x / cap). */
struct job {
    const float *x;
    float factor, cap;
    float *out;
};

static void scale_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    simd()->scale(job->out + begin, job->factor, job->x + begin, end - begin);
}

static void cap_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    for (int64_t i = begin; i < end; i++) {
        job->out[i] = job->cap * tanhf(job->x[i] / job->cap);
    }
}

struct step {
    struct tape_step step;
    const struct tensor *x;
    float factor, cap;
};

struct back {
    const struct step *step;
    const float *dy;
    float *dx;
    bool add;
    int64_t n; /* of one seed */
};

static void scale_back_run(void *arg, int64_t begin, int64_t end) {
    const struct back *job = arg;
    if (job->add) {
        simd()->axpy(job->dx + begin, job->step->factor, job->dy + begin, end - begin);
    } else {
        simd()->scale(job->dx + begin, job->step->factor, job->dy + begin, end - begin);
    }
}

/* The slope is 1 - tanh(x / cap)^2, and the output is cap tanh(x / cap). */
static void cap_back_run(void *arg, int64_t begin, int64_t end) {
    const struct back *job = arg;
    const float *y = job->step->step.out->data;
    float share = 1.0F / job->step->cap;
    for (int64_t i = begin; i < end; i++) {
        float t = y[i % job->n] * share, v = job->dy[i] * (1.0F - t * t);
        job->dx[i] = job->add ? job->dx[i] + v : v;
    }
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    struct back job = { .step = self,
                        .dy = tape_gradient(tape, step->out),
                        .n = tensor_count(self->x) };
    if (job.dy && tape_needs(tape, self->x)) {
        job.dx = tape_gradient_set(tape, self->x, &job.add);
        pool_for(tape_seeds(tape) * job.n, GRAIN,
                 self->cap != 0 ? cap_back_run : scale_back_run, &job);
    }
}

static void record(struct tape *tape, const struct tensor *x, float factor, float cap,
                   const struct tensor *out) {
    if (tape->record) {
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->x = x;
        step->factor = factor;
        step->cap = cap;
    }
}

struct tensor *op_scale(struct tape *tape, const struct tensor *x, float factor) {
    struct tensor *out = tape_tensor(tape, x->rank, x->shape);
    struct job job = { .x = x->data, .factor = factor, .out = out->data };
    pool_for(tensor_count(x), GRAIN, scale_run, &job);
    record(tape, x, factor, 0, out);
    return out;
}

struct tensor *op_cap(struct tape *tape, const struct tensor *x, float cap,
                      struct tensor *out) {
    out = out ? out : tape_tensor(tape, x->rank, x->shape);
    struct job job = { .x = x->data, .cap = cap, .out = out->data };
    pool_for(tensor_count(x), GRAIN, cap_run, &job);
    record(tape, x, 0, cap, out);
    return out;
}
