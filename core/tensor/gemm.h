#ifndef CORE_TENSOR_GEMM_H
#define CORE_TENSOR_GEMM_H

#include "core/tensor/simd.h"
#include "core/tensor/tensor.h"

/* gemm: y = act(x W^T + bias) * factor + residual, the product that nearly all time goes into.
 *
 *     x  [M, K] float32      W  [N, K] of any weight type, as it lies in the file      y  [M,
 * N]
 *
 * W is read once: a few of its rows at a time become a float32 panel in the cache, are
 * multiplied with all of x and forgotten, so a quantised model is never a float one in memory.
 * With 16 rows of x that costs about a quarter of the time, with 128 a few hundredths, and
 * there is nothing to keep.
 *
 * Every output is one sum over k in order, so it depends on neither threads nor M. */

struct gemm {
    int64_t m, n, k;
    const float *x;
    int64_t x_stride; /* floats from row to row */
    const struct tensor *w;
    float *y;
    int64_t y_stride;
    struct simd_finish finish; /* its factor and residual have y's stride */
};

/* Whether `w` is of a type that gemm reads. */
bool gemm_reads(enum dtype dtype);

/* Floats of room that each thread needs. */
int64_t gemm_room(void);

/* `room` is [pool_threads()][each] floats with each >= gemm_room(). */
void gemm_run(const struct gemm *gemm, float *room, int64_t each);

#endif
