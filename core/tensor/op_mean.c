#include <string.h>

#include "core/tensor/op.h"

/* How many rows of text b count. */
static int64_t counted(const uint8_t *mask, int64_t b, int64_t tokens) {
    int64_t n = 0;
    for (int64_t t = 0; t < tokens; t++) {
        n += !mask || mask[b * tokens + t];
    }
    return n;
}

struct step {
    struct tape_step step;
    const struct tensor *x;
    int64_t batch;
    const uint8_t *mask;
};

/* dx = dy / n in every row that counted. */
static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    int64_t tokens = self->x->shape[0] / self->batch, width = self->x->shape[1];
    const float *dy = tape_gradient(tape, step->out);
    if (!dy || !tape_needs(tape, self->x)) {
        return;
    }
    float *dx = tape_gradient_add(tape, self->x);
    for (int64_t i = 0; i < tape_seeds(tape) * self->batch; i++) {
        int64_t b = i % self->batch, n = counted(self->mask, b, tokens);
        for (int64_t t = 0; t < tokens; t++) {
            if (!self->mask || self->mask[b * tokens + t]) {
                simd()->axpy(dx + (i * tokens + t) * width, 1.0F / (float)n, dy + i * width,
                             width);
            }
        }
    }
}

struct tensor *op_mean(struct tape *tape, const struct tensor *x, int64_t batch,
                       const uint8_t *mask) {
    int64_t tokens = x->shape[0] / batch, width = x->shape[1];
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ batch, width });
    memset(out->data, 0, (size_t)tensor_bytes(out));
    for (int64_t b = 0; b < batch; b++) {
        int64_t n = counted(mask, b, tokens);
        float *mean = out->data + b * width;
        for (int64_t t = 0; t < tokens; t++) {
            if (!mask || mask[b * tokens + t]) {
                simd()->add(mean, mean, x->data + (b * tokens + t) * width, width);
            }
        }
        if (n > 0) {
            simd()->scale(mean, 1.0F / (float)n, mean, width);
        }
    }
    if (tape->record) {
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->x = x;
        step->batch = batch;
        step->mask = mask;
    }
    return out;
}
