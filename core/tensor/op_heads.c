#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

struct job {
    struct op_heads from;
    int64_t heads, width;
    const struct op_norm *norm; /* NULL: copied */
    float *out;
};

static void head_run(const struct job *job, const float *x, float *out) {
    const struct op_norm *norm = job->norm;
    int64_t n = job->width;
    if (!norm) {
        memcpy(out, x, (size_t)n * sizeof *out);
    } else if (norm->rms) {
        simd()->norm_rms(out, x, norm->gain->data, (float)norm->eps, n);
    } else {
        simd()->norm_layer(out, x, norm->gain->data, norm->bias ? norm->bias->data : NULL,
                           (float)norm->eps, n);
    }
}

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct op_heads *from = &job->from;
    for (int64_t r = begin; r < end; r++) {
        const float *row = from->x->data + r * from->x->shape[1] + from->first;
        for (int64_t h = 0; h < job->heads; h++) {
            head_run(job, row + h * from->apart, job->out + (r * job->heads + h) * job->width);
        }
    }
}

struct tensor *op_heads_norm(struct tape *tape, struct op_heads from, int64_t heads,
                             int64_t width, const struct op_norm *norm) {
    int64_t rows = from.x->shape[0];
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ rows, heads * width });
    struct job job = {
        .from = from, .heads = heads, .width = width, .norm = norm, .out = out->data
    };
    pool_for(rows, 16, rows_run, &job);
    return out;
}

struct tensor *op_heads_copy(struct tape *tape, struct op_heads from, int64_t heads,
                             int64_t width) {
    return op_heads_norm(tape, from, heads, width, NULL);
}
