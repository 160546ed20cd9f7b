#ifndef CORE_EXPLAIN_TSNE_H
#define CORE_EXPLAIN_TSNE_H

#include "core/explain/map.h"
#include "core/explain/neighbours.h"

/* tsne: a map in which near points stay near.
 *
 *     p(j|i) = exp(-d_ij^2 / 2 s_i^2) / sum,   s_i such that i's perplexity is as asked
 *     p_ij   = (p(j|i) + p(i|j)) / 2 n
 *     q_ij   = (1 + |y_i - y_j|^2)^-1 / Z,   Z the sum over all pairs
 *     cost   = KL(P || Q) = sum p_ij log(p_ij / q_ij)   in nats
 *     d cost / d y_i = 4 sum_j (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2)
 *
 * made small by gradient descent with momentum and a gain for each coordinate; p is exaggerated
 * fourfold at first, as in the paper (later software takes 12 for 250 steps: of 30,000 tokens
 * that leaves KL at 4.64 where 4 for 100 reaches 4.49, and fewer neighbours kept). Source: van
 * der Maaten and Hinton 2008; the third dimension also with one degree of freedom. p is taken
 * to 3 x perplexity nearest neighbours (van der Maaten 2014), to all others up to TSNE_ALL
 * points. The sum over all pairs is exact in 3-D, for TSNE_MOST_3D points at most, and up to
 * TSNE_EXACT points in 2-D; beyond it comes from the repulsion's potential on a grid
 * (core/explain/repulsion.h), after Linderman et al. 2019.
 *
 * Distances between clusters and their sizes mean little in such a map. The same bytes for any
 * number of threads. */

enum {
    TSNE_ALL = 500,
    TSNE_EXACT = 500,
    TSNE_MOST_3D = 10000,
    TSNE_EARLY = 100,
    TSNE_STEPS = 750
};

struct tsne {
    int dims;                /* 2 or 3 */
    double perplexity;       /* 0: tsne_perplexity(n) */
    int64_t early;           /* steps with exaggeration; 0: TSNE_EARLY */
    int64_t iterations;      /* steps after them; 0: up to TSNE_STEPS */
    double exaggeration;     /* 0: 4 */
    double rate;             /* steps are rate x gradient / 4; 0: n / exaggeration, then n,
                              * at least 200 */
    const struct tensor *y0; /* [n, dims] to begin with; NULL: PCA, scaled to a standard
                              * deviation of 1e-4 along the first */
    struct map_progress progress;
};

/* What fits n points: 30, or a third of the other points where that is less. */
double tsne_perplexity(int64_t n);

/* x [n, F] float32. NULL as map_check refuses (4 points), with ERR_TEXT for too many points in
 * 3-D, and with ERR_OPTION for a perplexity below 1 or above a third of the other points, or
 * settings that are not there. */
struct map *tsne(struct arena *arena, const struct tensor *x, const struct tsne *how,
                 struct err *err);

/* ---- its parts ---- */

/* p_ij of a sparse symmetric matrix, row after row: places begin[i] .. begin[i + 1] of `ids`
 * and `p`. Rows are filled up to multiples of 4 with p = 0. The sum over all is 1. */
struct affinities {
    int64_t n;
    int64_t *begin; /* [n + 1] */
    int32_t *ids;
    float *p;
};

/* From each point's nearest neighbours. */
struct affinities *tsne_affinities(struct arena *arena, const struct neighbours *neighbours,
                                   double perplexity);

/* KL(P || Q) of the layout y [n, dims], 2 or 3, over all pairs one by one; its gradient [n,
 * dims] into `gradient` (may be NULL). `arena` is for scratch and left as it was. */
double tsne_cost(struct arena *arena, const struct affinities *p, const float *y, int dims,
                 float *gradient);

#endif
