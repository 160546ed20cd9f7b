#ifndef CORE_EXPLAIN_PCA_H
#define CORE_EXPLAIN_PCA_H

#include "core/explain/map.h"

/* pca: principal components, the directions in which points differ most.
 *
 * With the centred points X [n, F] and the covariance C = X^T X / (n - 1): its eigenvectors of
 * the largest eigenvalues, which are the variances along them. Points are centred, not scaled.
 * A component's sign is such that its largest entry (by magnitude) is positive.
 *
 * C, or X X^T where points are fewer than their dimensions, is summed in float64 over blocks of
 * rows; its eigenvectors come from core/explain/eigen.h.
 *
 * Time: two thirds of n F min(n, F) multiply-adds; memory: 512 F numbers, or n F where points
 * are fewer than dimensions, and 2 min(n, F)^2. */
struct pca {
    struct tensor *mean;        /* [F] */
    struct tensor *components;  /* [k, F], rows of length 1; zeros where fewer points than
                                 * dimensions leave nothing: the last of n points' n */
    struct tensor *variance;    /* [k], largest first */
    struct tensor *ratio;       /* [k] of the whole variance, 0..1 */
    struct tensor *transformed; /* [n, k] = (x - mean) components^T */
};

/* x [n, F] float32, 1 <= k <= min(n, F). NULL as map_check refuses (2 points), and ERR_SHAPE
 * for another k. */
struct pca *pca(struct arena *arena, const struct tensor *x, int64_t k, struct err *err);

#endif
