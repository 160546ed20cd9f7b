#ifndef CORE_EXPLAIN_SAMPLER_H
#define CORE_EXPLAIN_SAMPLER_H

#include "core/base/arena.h"
#include "core/base/random.h"

/* sampler: one of n tokens, drawn from their logits.
 *
 *     p_i proportional to exp(logit_i / temperature)
 *
 * of the top_k largest, and of these of the smallest set whose probabilities sum to at least
 * top_p (nucleus sampling: Holtzman and others 2020, arXiv:1904.09751); temperature first, then
 * top_k, then top_p, as transformers does it. Temperature 0 takes the largest (greedy). Of
 * equal logits the first token counts as the larger.
 *
 * Exact: one draw of core/base/random.h, compared with sums in float64 in a fixed order. NaN
 * and -inf are never drawn. */

struct sampler {
    double temperature; /* 0 .. ; 0: greedy */
    int64_t top_k;      /* 0: all */
    double top_p;       /* 0 .. 1; 1: all */
};

/* Room for tokens of n logits, used again for every draw. */
struct sampler_room;
struct sampler_room *sampler_room_new(struct arena *arena, int64_t n);

/* -1 if no logit is a number above -inf. `random` is not touched by greedy choice. */
int64_t sampler_draw(const struct sampler *sampler, struct random *random, const float *logits,
                     int64_t n, struct sampler_room *room);

#endif
