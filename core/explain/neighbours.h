#ifndef CORE_EXPLAIN_NEIGHBOURS_H
#define CORE_EXPLAIN_NEIGHBOURS_H

#include "core/tensor/tensor.h"

/* neighbours: the k nearest points of each point, exactly.
 *
 * Products of whole blocks find who may be among the nearest, |a - b|^2 = |a|^2 + |b|^2 - 2 a
 * b: of bytes where the machine is fast at them (core/tensor/sieve.h), else of floats
 * (core/tensor/gemm.h); either way with a bound on what rounding may hide. What decides is the
 * distance of those few, from the differences, so that a copy of a point is at distance 0.
 * Equal distances go by the lower number. Each pair of blocks is multiplied once and serves
 * both. The same bytes for any number of threads.
 *
 * Time: n^2 F multiply-adds / 2 (30,000 x 384: 173 G); memory: n F floats, half as much again
 * for the bytes, and some megabytes.
 */

enum neighbours_by {
    NEIGHBOURS_EUCLIDEAN, /* |a - b| */
    NEIGHBOURS_COSINE     /* 1 - a b / (|a| |b|), 0..2; to and from a zero vector: 1 */
};

struct neighbours {
    int64_t n, k;
    int32_t *ids;     /* [n, k], nearest first; a point is not its own neighbour */
    float *distances; /* [n, k] */
};

/* Of each row of x [n, F] float32, the k nearest others. ERR_SHAPE where x is no such table or
 * not 1 <= k < n; ERR_TEXT where it holds a NaN or an infinity (named by its place). */
struct neighbours *neighbours_of(struct arena *arena, const struct tensor *x, int64_t k,
                                 enum neighbours_by by, struct err *err);

#endif
