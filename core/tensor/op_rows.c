#include <string.h>

#include "core/tensor/op.h"

struct tensor *op_rows(struct tape *tape, const struct tensor *x, const int64_t *rows,
                       int64_t n) {
    int64_t width = x->shape[1];
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ n, width });
    for (int64_t i = 0; i < n; i++) {
        memcpy(out->data + i * width, x->data + rows[i] * width, (size_t)width * sizeof(float));
    }
    return out;
}
