#ifndef CORE_EXPLAIN_INTEGRATED_H
#define CORE_EXPLAIN_INTEGRATED_H

#include "core/explain/question.h"

/* integrated: integrated gradients: how much of f(x) - f(baseline) each number of the word
 * embeddings x accounts for.
 *
 *     (x - b) * integral over a from 0 to 1 of df/dx at b + a (x - b)
 *
 * Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365. The integral is a sum over steps:
 * Gauss-Legendre nodes (which leave the ends out), or Captum's "riemann_trapezoid", whose
 * weights sum to (n - 1) / n. In models made of norms without bias a zero baseline at a = 0 has
 * gradients that blow up (1/sqrt(eps) for every norm); so zeros go with Gauss-Legendre.
 *
 *     baseline  [E] for every position, or NULL: zeros
 *     returns   [T, E]; *gap: sum of all of it - (f(x) - f(baseline)), 0 if the integral were
 *               exact (gap NULL: two runs less)
 *
 * Steps are run in batches of at most `rows` tokens (0: 512), summed in float64 in their order,
 * so that their number changes nothing but memory. */
enum integrated_rule { INTEGRATED_GAUSS_LEGENDRE, INTEGRATED_CAPTUM_TRAPEZOID };

struct integrated {
    const struct question *question;
    const float *baseline;
    enum integrated_rule rule;
    int64_t steps; /* 2 to INTEGRATED_STEPS_MOST */
    int64_t rows;
};
enum { INTEGRATED_STEPS_MOST = 10000 };

struct tensor *integrated_gradients(struct arena *arena, const struct integrated *how,
                                    double *gap, struct err *err);

/* The sum's nodes in 0..1 and their weights; [steps] each. */
void integrated_nodes(enum integrated_rule rule, int64_t steps, double *nodes, double *weights);

#endif
