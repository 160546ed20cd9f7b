#ifndef CORE_EXPLAIN_EIGEN_H
#define CORE_EXPLAIN_EIGEN_H

#include "core/base/arena.h"

/* eigen: eigenvalues and eigenvectors of a symmetric matrix, in float64. */

/* All of them. `matrix` [m, m], only read below its diagonal and there overwritten. `values`
 * [m], the largest first; `vectors` [m, m], a row each, of length 1. By Householder's
 * reflections to a tridiagonal matrix and implicit QL (Martin, Reinsch and Wilkinson 1968;
 * Bowdler et al. 1968). Time: about 5 m^3 multiply-adds. */
void eigen_all(struct arena *arena, double *matrix, int64_t m, double *values, double *vectors);

/* The k largest of a matrix without large negative ones (a covariance): `values` [k], `vectors`
 * [k, m]. A Krylov space of blocks, kept orthogonal, grows until the residuals |A v - value v|
 * are below 1e-10 of the largest value (Golub and Underwood 1977); a small matrix, or a large
 * part of all, goes to eigen_all. `matrix` may be overwritten. Time: some tens of m^2 k
 * multiply-adds. The same bytes for any number of threads. */
void eigen_top(struct arena *arena, double *matrix, int64_t m, int64_t k, double *values,
               double *vectors);

#endif
