#ifndef CORE_TENSOR_OP_H
#define CORE_TENSOR_OP_H

#include <stdbool.h>

#include "core/tensor/simd.h"
#include "core/tensor/tape.h"

/* op: the operations that networks are made of, forward. Rows are tokens: x is [N, C], N = B T.
 *
 * Shapes must fit; whoever opens a model has checked them. Results do not depend on the number
 * of threads, nor a row's on the other rows. */

/* Rows of `table` [V, C], of any weight type, as float32: [n, C]. Ids lie in 0..V-1. */
struct tensor *op_embed(struct tape *tape, const struct tensor *table, const int32_t *ids,
                        int64_t n);

/* act(x W^T + bias) * factor + residual; x [N, K], W [M, K] of any weight type. `finish` NULL:
 * the product alone. The result is `out` if that is not NULL. */
struct tensor *op_linear(struct tape *tape, const struct tensor *x, const struct tensor *w,
                         const struct simd_finish *finish, struct tensor *out);

/* a + b, of one shape. */
struct tensor *op_add(struct tape *tape, const struct tensor *a, const struct tensor *b);

/* Each row normalised: (x - mean) / sqrt(variance + eps) * gain + bias. */
struct tensor *op_norm_layer(struct tape *tape, const struct tensor *x, const float *gain,
                             const float *bias, double eps);
/* x / sqrt(mean of squares + eps) * gain (Zhang and Sennrich 2019, arXiv:1910.07467). */
struct tensor *op_norm_rms(struct tape *tape, const struct tensor *x, const float *gain,
                           double eps);

/* Rotary positions (Su et al. 2021, arXiv:2104.09864): pair i of a head's D numbers is turned
 * by position * base^(-2i / D). The pairs are (i, i + D/2), as Hugging Face has them, or (2i,
 * 2i + 1), as the paper and llama GGUF files have them. */
struct op_rope_angles {
    int64_t tokens, width;  /* T, D */
    bool adjacent;          /* pairs (2i, 2i + 1) */
    float *cosines, *sines; /* [T, D/2] */
};
struct op_rope_angles *op_rope_angles(struct tape *tape, int64_t tokens, int64_t width,
                                      double base, bool adjacent);
/* Turns each head of x [B T, heads D] in place; row r stands at position r mod T. Returns x. */
struct tensor *op_rope(struct tape *tape, struct tensor *x,
                       const struct op_rope_angles *angles);

/* Scaled dot-product attention: softmax(scale q k^T) v, head by head.
 *
 *     q [B T, heads D]     k, v [B T, groups D]; head h reads group h groups / heads
 *
 * A key is masked where mask says 0 and, if causal, where it comes after the query; its
 * probability is exactly 0. A query all of whose keys are masked gets zeros. `pattern` [B,
 * heads, T, T] receives the probabilities; with NULL they are never all in memory. */
struct op_attention {
    int64_t batch, tokens, heads, groups, width; /* B, T, ..., D */
    float scale;
    bool causal;
    const uint8_t *mask; /* [B, T], 1: a token; NULL: all are */
};
struct tensor *op_attention(struct tape *tape, const struct tensor *q, const struct tensor *k,
                            const struct tensor *v, const struct op_attention *how,
                            struct tensor *pattern);
int64_t op_attention_room(int64_t tokens, int64_t width); /* floats a thread needs */

#endif
