#ifndef CORE_EXPLAIN_QUALITY_H
#define CORE_EXPLAIN_QUALITY_H

#include "core/explain/map.h"

/* quality: how much of who is near whom a map keeps. With k nearest neighbours of point i in
 * the data, N_i, and in the map, M_i, and the rank r(i, j) of j among i's neighbours in the
 * data (nearest: 1), r'(i, j) in the map:
 *
 *     kept            = mean_i |N_i and M_i| / k
 *     trustworthiness = 1 - c sum_i sum_{j in M_i, not in N_i} (r(i, j) - k)
 *     continuity      = 1 - c sum_i sum_{j in N_i, not in M_i} (r'(i, j) - k)
 *     c               = 2 / (rows k (2 n - 3 k - 1))
 *
 * Source: Venna and Kaski 2001; as scikit-learn's trustworthiness. All are 1 where nothing is
 * lost. The sums run over `rows` points, spread evenly over all n, against all n; n rows give
 * the definition. Euclidean distances.
 *
 * Time: rows n F multiply-adds. */
struct quality {
    int64_t k, rows;
    double kept, trustworthiness, continuity; /* 0..1 */
};

/* x [n, F] the data, y [n, dims] the map; k neighbours, fewer where 2 k >= n; `rows` at most n,
 * 0: 2000. `arena` is for scratch and left as it was. -1 with ERR_SHAPE where the two do not
 * have one row a point, and as map_check (4 points). An interrupt gives ERR_STOP and does not
 * throw: the map that was to be measured is there, and its caller keeps it. */
int quality_measure(struct quality *quality, struct arena *arena, const struct tensor *x,
                    const struct tensor *y, int64_t k, int64_t rows, struct err *err);

#endif
