#include "core/base/pool.h"
#include "core/tensor/op.h"

struct job {
    const float *x, *gain, *bias; /* bias NULL: RMS norm */
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
        if (job->bias) {
            table->norm_layer(out, x, job->gain, job->bias, job->eps, job->width);
        } else {
            table->norm_rms(out, x, job->gain, job->eps, job->width);
        }
    }
}

static struct tensor *norm(struct tape *tape, const struct tensor *x, const float *gain,
                           const float *bias, double eps) {
    struct tensor *out = tape_tensor(tape, x->rank, x->shape);
    int64_t width = x->shape[x->rank - 1];
    struct job job = { .x = x->data,
                       .gain = gain,
                       .bias = bias,
                       .eps = (float)eps,
                       .width = width,
                       .out = out->data };
    int64_t grain = 8192 / (width + 1) + 1; /* rows that are worth another thread */
    pool_for(tensor_count(x) / width, grain, rows_run, &job);
    return out;
}

struct tensor *op_norm_layer(struct tape *tape, const struct tensor *x, const float *gain,
                             const float *bias, double eps) {
    return norm(tape, x, gain, bias, eps);
}

struct tensor *op_norm_rms(struct tape *tape, const struct tensor *x, const float *gain,
                           double eps) {
    return norm(tape, x, gain, NULL, eps);
}
