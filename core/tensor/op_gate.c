#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

enum { GRAIN = 8 }; /* rows */

struct job {
    const float *x;
    int64_t half;
    enum simd_act act;
    float *out;
};

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    int64_t half = job->half;
    for (int64_t r = begin; r < end; r++) {
        const float *row = job->x + 2 * r * half;
        float *out = job->out + r * half;
        simd()->act(out, row, half, job->act);
        simd()->mul(out, out, row + half, half);
    }
}

struct step {
    struct tape_step step;
    const struct tensor *x;
    enum simd_act act;
};

struct back {
    const struct step *step;
    const float *dy;
    float *dx;
    bool add;
};

/* Of out = act(a) b: da = dy b act'(a), db = dy act(a); a piece at a time, which is first made
 * apart if it is to be added. */
static void row_back(const struct back *job, const float *a, const float *dy, float *dx) {
    const struct simd *table = simd();
    int64_t half = job->step->step.out->shape[1];
    enum { PIECE = 256 };
    float piece[PIECE];
    for (int64_t i = 0, n; i < half; i += n) {
        n = half - i < PIECE ? half - i : PIECE;
        table->mul(piece, dy + i, a + half + i, n);
        table->act_back(piece, piece, a + i, n, job->step->act);
        table->axpy(dx + i, 1.0F, piece, n);
        table->act(piece, a + i, n, job->step->act);
        table->mul_add(dx + half + i, piece, dy + i, n);
    }
}

static void rows_back(void *arg, int64_t begin, int64_t end) {
    const struct back *job = arg;
    const struct tensor *x = job->step->x;
    int64_t width = x->shape[1];
    for (int64_t r = begin; r < end; r++) {
        float *dx = job->dx + r * width;
        if (!job->add) {
            memset(dx, 0, (size_t)width * sizeof *dx);
        }
        row_back(job, x->data + r % x->shape[0] * width, job->dy + r * width / 2, dx);
    }
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    struct back job = { .step = self, .dy = tape_gradient(tape, step->out) };
    if (job.dy && tape_needs(tape, self->x)) {
        job.dx = tape_gradient_set(tape, self->x, &job.add);
        pool_for(tape_seeds(tape) * self->x->shape[0], GRAIN, rows_back, &job);
    }
}

struct tensor *op_gate(struct tape *tape, const struct tensor *x, enum simd_act act) {
    int64_t rows = x->shape[0], half = x->shape[1] / 2;
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ rows, half });
    struct job job = { .x = x->data, .half = half, .act = act, .out = out->data };
    pool_for(rows, GRAIN, rows_run, &job);
    if (tape->record) {
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->x = x;
        step->act = act;
    }
    return out;
}
