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
    return out;
}
