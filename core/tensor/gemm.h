#ifndef CORE_TENSOR_GEMM_H
#define CORE_TENSOR_GEMM_H

#include "core/tensor/simd.h"
#include "core/tensor/tensor.h"

/* gemm: y = act(x W^T + bias) * factor + residual, the product that nearly all time goes into.
 *
 *     x  [M, K] float32      W  [N, K] of any weight type, as it lies in the file      y  [M,
 * N]
 *
 * W may also lie as [K, N] (`across`: GPT-2's weights forward, and everyone's backward, where
 * dX = dY W), and x turned (dW = dY^T X), so that no operand is ever copied as a whole.
 *
 * A quantised model is never a float one in memory. With W [N, K] and more than four rows of x,
 * x is cut into panels and W's rows are multiplied with them where they lie, or, if they are
 * not float32, become floats a chunk at a time in the cache. Otherwise a few of W's rows at a
 * time become a panel in the cache, are multiplied with all of x and forgotten. Both ways give
 * the same bytes.
 *
 * Every output is one sum over k in order, so it depends on neither threads nor M. */

struct gemm {
    int64_t m, n, k;
    const float *x;
    int64_t x_stride;       /* floats from row to row */
    int64_t x_step;         /* floats from one k to the next; 0: 1. One of the two is 1 */
    const struct tensor *w; /* its shape is not looked at */
    bool across;            /* W lies as [K, N]; if block-quantised, N is whole blocks */
    int64_t w_stride;       /* floats from row to row of a float32 W; 0: rows follow closely */
    float *y;
    int64_t y_stride;
    bool add;                  /* the product is added to what y holds, before it is finished */
    struct simd_finish finish; /* its sum, factor and residual have y's stride */
    /* Where gemm_panels: x, or y, lies in panels of simd()->columns rows, [K][columns] or
     * [N][columns] each, as one product leaves it for the next. The last panel's columns
     * beyond M are anything. y in panels ends with bias and act alone, and nothing is added. */
    bool x_panels, y_panels;
};

/* Whether `w` is of a type that gemm reads. */
bool gemm_reads(enum dtype dtype);

/* Whether the product of m rows of x and W [N, K] can find x in panels, and leave y so. */
bool gemm_panels(int64_t m, const struct tensor *w);

/* Floats of room that each thread needs. */
int64_t gemm_room(void);

/* `room` is [pool_threads()][each] floats with each >= gemm_room(). Not from within a task of
 * the pool. */
void gemm_run(const struct gemm *gemm, float *room, int64_t each);

#endif
