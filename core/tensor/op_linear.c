#include "core/tensor/gemm.h"
#include "core/tensor/op.h"

struct tensor *op_linear(struct tape *tape, const struct tensor *x,
                         const struct op_dense *dense, const struct op_finish *finish,
                         struct tensor *out) {
    const struct tensor *w = dense->weight;
    int64_t rows = x->shape[0], inputs = w->shape[!dense->across],
            outputs = w->shape[dense->across];
    out = out ? out : tape_tensor(tape, 2, (int64_t[]){ rows, outputs });
    struct gemm gemm = { .m = rows,
                         .n = outputs,
                         .k = inputs,
                         .x = x->data,
                         .x_stride = inputs,
                         .w = w,
                         .across = dense->across,
                         .y = out->data,
                         .y_stride = outputs };
    gemm.finish.bias = dense->bias ? dense->bias->data : NULL;
    if (finish) {
        gemm.finish.act = finish->act;
        gemm.finish.factor = finish->factor ? finish->factor->data : NULL;
        gemm.finish.residual = finish->residual ? finish->residual->data : NULL;
    }
    gemm_run(&gemm, tape->room, tape->each);
    return out;
}
