#include "core/tensor/gemm.h"
#include "core/tensor/op.h"

struct tensor *op_linear(struct tape *tape, const struct tensor *x, const struct tensor *w,
                         const struct simd_finish *finish, struct tensor *out) {
    int64_t rows = x->shape[0], inputs = w->shape[1], outputs = w->shape[0];
    out = out ? out : tape_tensor(tape, 2, (int64_t[]){ rows, outputs });
    struct gemm gemm = { .m = rows,
                         .n = outputs,
                         .k = inputs,
                         .x = x->data,
                         .x_stride = inputs,
                         .w = w,
                         .y = out->data,
                         .y_stride = outputs,
                         .finish = finish ? *finish : (struct simd_finish){ 0 } };
    gemm_run(&gemm, tape->room, tape->each);
    return out;
}
