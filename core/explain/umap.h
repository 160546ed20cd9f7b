#ifndef CORE_EXPLAIN_UMAP_H
#define CORE_EXPLAIN_UMAP_H

#include "core/explain/map.h"
#include "core/explain/neighbours.h"

/* umap: a map by a fuzzy graph of nearest neighbours and a force layout.
 *
 *     w(j|i) = exp(-max(0, d_ij - r_i) / s_i),   r_i the distance to the nearest other point,
 *              s_i such that the sum over the neighbours is log2(neighbours)
 *     w_ij   = w(j|i) + w(i|j) - w(j|i) w(i|j)
 *     q_ij   = 1 / (1 + a |y_i - y_j|^2b)
 *
 * Edges are drawn in proportion to w_ij and pull their points together by the gradient of
 * log q_ij; at each drawing some points taken at random push away by that of log(1 - q_ij).
 * Source: McInnes, Healy and Melville 2018, arXiv:1802.03426. What differs: a step moves all
 * points at once, each from where the others stood before it, so that any number of threads
 * gives the same bytes; and a layout begins with the principal components (Kobak and Linderman
 * 2021).
 *
 * Distances between clusters and their sizes mean little in such a map. */

struct umap {
    int dims;           /* 2 or 3 */
    int64_t neighbours; /* of a point, itself counted; 0: 15, or all where there are fewer */
    double min_dist;    /* how close points may lie, 0..1; negative: 0.1 */
    int64_t epochs;     /* steps; 0: 500 up to 10,000 points, else 200 */
    uint64_t seed;
    struct map_progress progress; /* its cost is NAN: the method has none that is cheap */
};

/* Steps that n points take where none are asked for. */
int64_t umap_epochs(int64_t n);

/* x [n, F] float32. NULL as map_check refuses (4 points), and with ERR_OPTION for settings that
 * are not there. */
struct map *umap(struct arena *arena, const struct tensor *x, const struct umap *how,
                 struct err *err);

/* ---- its parts ---- */

/* The graph: row i holds places begin[i] .. begin[i + 1] of ids (ascending) and weights, w_ij,
 * 0..1; w_ij = w_ji. */
struct umap_graph {
    int64_t n;
    int64_t *begin; /* [n + 1] */
    int32_t *ids;
    float *weights;
};

struct umap_graph *umap_graph(struct arena *arena, const struct neighbours *neighbours);

/* a and b such that q comes nearest, by least squares at 300 places in 0..3, to 1 up to
 * min_dist and exp(-(d - min_dist)) beyond. */
void umap_curve(double min_dist, double *a, double *b);

#endif
