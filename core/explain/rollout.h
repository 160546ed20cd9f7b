#ifndef CORE_EXPLAIN_ROLLOUT_H
#define CORE_EXPLAIN_ROLLOUT_H

#include "core/base/err.h"
#include "core/tensor/tensor.h"

/* rollout: how much of each input token arrives at each output token through all layers.
 *
 * A layer mixes tokens by its heads, fused into one matrix whose rows sum to 1, and keeps half
 * through the residual path:
 *
 *     A_l = (I + fused_h attention[l, h]) / 2        R_l = A_l ... A_2 A_1
 *
 * Source: Abnar and Zuidema 2020, arXiv:2005.00928, section 3, where heads are fused by their
 * mean. Their maximum is what other software takes; it gives other numbers.
 *
 *     attention  [L, H, T, T]  softmax weights; row t says where token t looked; rows sum to 1
 *     returns    [L, T, T]     share, 0..1, of input token (column) in token (row) after each
 *                              block; rows sum to 1; the last one is the rollout
 *
 * The result is in `arena`; sums are in float64. A row that nobody looked from (padding: all 0)
 * keeps its own token. Returns NULL with ERR_SHAPE if attention is not [L, H, T, T].
 * Time: L T^3 multiplications; memory: L T^2 floats and 2 T^2 doubles. */
enum rollout_fuse { ROLLOUT_MEAN, ROLLOUT_MAX };

struct tensor *rollout(struct arena *arena, const struct tensor *attention,
                       enum rollout_fuse fuse, struct err *err);

#endif
