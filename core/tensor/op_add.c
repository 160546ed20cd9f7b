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

struct tensor *op_add(struct tape *tape, const struct tensor *a, const struct tensor *b,
                      struct tensor *out) {
    out = out ? out : tape_tensor(tape, a->rank, a->shape);
    struct job job = { .a = a->data, .b = b->data, .out = out->data };
    pool_for(tensor_count(a), 16384, run, &job);
    return out;
}
