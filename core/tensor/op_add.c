#include "core/base/pool.h"
#include "core/tensor/op.h"

struct job {
    const float *a, *b;
    float *out;
};

static void run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    simd()->add(job->out + begin, job->a + begin, job->b + begin, end - begin);
}

struct step {
    struct tape_step step;
    const struct tensor *a, *b;
};

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    bool a = tape_needs(tape, self->a), b = tape_needs(tape, self->b);
    if (!tape_gradient(tape, step->out)) {
        return;
    }
    if (a && b) {
        tape_gradient_join(tape, step->out, self->a);
    } else if (a) {
        tape_gradient_give(tape, step->out, self->a);
    }
    if (b) {
        tape_gradient_give(tape, step->out, self->b);
    }
}

struct tensor *op_add(struct tape *tape, const struct tensor *a, const struct tensor *b,
                      struct tensor *out) {
    out = out ? out : tape_tensor(tape, a->rank, a->shape);
    struct job job = { .a = a->data, .b = b->data, .out = out->data };
    pool_for(tensor_count(a), 16384, run, &job);
    if (tape->record) {
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->a = a;
        step->b = b;
    }
    return out;
}
