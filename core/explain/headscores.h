#ifndef CORE_EXPLAIN_HEADSCORES_H
#define CORE_EXPLAIN_HEADSCORES_H

#include "core/result/result.h"

/* headscores: a few numbers that tell well-known kinds of attention heads apart, of every head.
 *
 *     entropy    nats: mean over the rows of -sum_k w[k] ln w[k]; 0 looks at one place, ln T at
 *                all alike
 *     previous   mean weight on the token before, rows 1..
 *     next       mean weight on the token after, rows ..T-2; not of causal models
 *     self       mean weight on the own place, rows 1..
 *     rests      mean weight on the places to rest at ([CLS], [SEP], the first token:
 * "attention sinks", Xiao and others 2023, arXiv:2309.17453), rows of the other places
 *     induction  prefix matching of Olsson and others 2022, arXiv:2209.11895: mean over the
 *                rows whose token stood in the text before, of the weight on the tokens right
 *                after those earlier ones; not where no token repeats
 *
 * Each is a series [layers, heads] of the unit probability, but for entropy. A head with NaN
 * among its weights has NaN. */

enum { HEADSCORES_MOST = 6 };

/* Writes the scores of `attention` [layers, heads, rows, columns] to `out`, and returns how
 * many there are: without places to rest at (cross-attention, whose rows and columns are other
 * texts) entropy alone.
 * `same`: [rows], equal numbers for equal tokens; NULL leaves induction out. Any number of
 * threads gives the same bytes. Time: one logarithm a weight that is not 0. */
int64_t headscores(struct arena *arena, const struct series *attention, const int32_t *same,
                   struct series out[HEADSCORES_MOST]);

#endif
