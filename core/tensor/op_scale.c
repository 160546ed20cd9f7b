#include <math.h>

#include "core/tensor/op.h"

struct tensor *op_scale(struct tape *tape, const struct tensor *x, float factor) {
    struct tensor *out = tape_tensor(tape, x->rank, x->shape);
    int64_t n = tensor_count(x);
    for (int64_t i = 0; i < n; i++) {
        out->data[i] = x->data[i] * factor;
    }
    return out;
}

struct tensor *op_cap(struct tape *tape, const struct tensor *x, float cap,
                      struct tensor *out) {
    out = out ? out : tape_tensor(tape, x->rank, x->shape);
    int64_t n = tensor_count(x);
    for (int64_t i = 0; i < n; i++) {
        out->data[i] = cap * tanhf(x->data[i] / cap);
    }
    return out;
}
