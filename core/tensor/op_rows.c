#include <string.h>

#include "core/tensor/op.h"

struct step {
    struct tape_step step;
    const struct tensor *x;
    int64_t *rows;
};

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    const float *dy = tape_gradient(tape, step->out);
    int64_t n = step->out->shape[0], width = step->out->shape[1];
    if (!dy || !tape_needs(tape, self->x)) {
        return;
    }
    float *dx = tape_gradient_add(tape, self->x);
    for (int64_t s = 0; s < tape_seeds(tape); s++, dx += tensor_count(self->x)) {
        for (int64_t i = 0; i < n; i++, dy += width) {
            float *to = dx + self->rows[i] * width;
            simd()->add(to, to, dy, width);
        }
    }
}

struct tensor *op_rows(struct tape *tape, const struct tensor *x, const int64_t *rows,
                       int64_t n) {
    int64_t width = x->shape[1];
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ n, width });
    for (int64_t i = 0; i < n; i++) {
        memcpy(out->data + i * width, x->data + rows[i] * width, (size_t)width * sizeof(float));
    }
    if (tape->record) {
        size_t bytes = (size_t)n * sizeof *rows;
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->x = x;
        step->rows = memcpy(arena_raw(tape->arena, bytes), rows, bytes);
    }
    return out;
}
