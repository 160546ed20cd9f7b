#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

enum { GRAIN = 16 }; /* rows */

struct job {
    struct op_heads from;
    int64_t heads, width;
    float *out;
};

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct op_heads *from = &job->from;
    for (int64_t r = begin; r < end; r++) {
        const float *row = from->x->data + r * from->x->shape[1] + from->first;
        for (int64_t h = 0; h < job->heads; h++) {
            memcpy(job->out + (r * job->heads + h) * job->width, row + h * from->apart,
                   (size_t)job->width * sizeof *row);
        }
    }
}

struct step {
    struct tape_step step;
    struct op_heads from;
    int64_t heads, width;
};

struct back {
    const struct step *step;
    const float *dy;
    float *dx;
};

static void rows_back(void *arg, int64_t begin, int64_t end) {
    const struct back *job = arg;
    const struct step *step = job->step;
    for (int64_t r = begin; r < end; r++) {
        float *row = job->dx + r * step->from.x->shape[1] + step->from.first;
        for (int64_t h = 0; h < step->heads; h++) {
            float *head = row + h * step->from.apart;
            simd()->add(head, head, job->dy + (r * step->heads + h) * step->width, step->width);
        }
    }
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    struct back job = { .step = self, .dy = tape_gradient(tape, step->out) };
    if (job.dy && tape_needs(tape, self->from.x)) {
        job.dx = tape_gradient_add(tape, self->from.x);
        pool_for(tape_seeds(tape) * self->from.x->shape[0], GRAIN, rows_back, &job);
    }
}

struct tensor *op_heads_copy(struct tape *tape, struct op_heads from, int64_t heads,
                             int64_t width) {
    int64_t rows = from.x->shape[0];
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ rows, heads * width });
    struct job job = { .from = from, .heads = heads, .width = width, .out = out->data };
    pool_for(rows, GRAIN, rows_run, &job);
    if (tape->record) {
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->from = from;
        step->heads = heads;
        step->width = width;
    }
    return out;
}
