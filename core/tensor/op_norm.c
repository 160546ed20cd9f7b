#include "core/base/pool.h"
#include "core/tensor/op.h"

struct job {
    const float *x, *gain, *bias;
    bool rms;
    float eps;
    int64_t width;
    float *out;
};

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct simd *table = simd();
    for (int64_t i = begin; i < end; i++) {
        const float *x = job->x + i * job->width;
        float *out = job->out + i * job->width;
        if (!job->rms) {
            table->norm_layer(out, x, job->gain, job->bias, job->eps, job->width);
        } else {
            table->norm_rms(out, x, job->gain, job->eps, job->width);
        }
    }
}

struct tensor *op_norm(struct tape *tape, const struct tensor *x, const struct op_norm *norm,
                       struct tensor *out) {
    out = out ? out : tape_tensor(tape, x->rank, x->shape);
    int64_t width = x->shape[x->rank - 1];
    struct job job = { .x = x->data,
                       .gain = norm->gain->data,
                       .bias = norm->bias ? norm->bias->data : NULL,
                       .rms = norm->rms,
                       .eps = (float)norm->eps,
                       .width = width,
                       .out = out->data };
    int64_t grain = 8192 / (width + 1) + 1; /* rows that are worth another thread */
    pool_for(tensor_count(x) / width, grain, rows_run, &job);
    return out;
}
