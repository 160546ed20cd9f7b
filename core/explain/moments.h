#ifndef CORE_EXPLAIN_MOMENTS_H
#define CORE_EXPLAIN_MOMENTS_H

#include "core/tensor/tensor.h"

/* moments: the numbers of one weight tensor in a few: mean, standard deviation, extremes.
 *
 * Quantised tensors are expanded block by block. Numbers that are not finite are counted and
 * left out of all else. Means and squares of 8,192 numbers at a time are joined in order in
 * float64 (Chan, Golub and LeVeque 1983, The American Statistician 37(3), p. 242), so large
 * tensors lose no digits. */
struct moments {
    int64_t count;          /* numbers in all */
    int64_t zeros, bad;     /* exact zeros; NaN and infinities */
    double mean, deviation; /* of those that are finite; deviation over n, not n - 1 */
    double low, high;       /* smallest and largest; 0 where there are none */
    double norm;            /* root of the sum of squares */
};

/* Types that are no floats (whole numbers, flags) give only the count. Stops at an interrupt.
 */
struct moments moments_of(const struct tensor *tensor);

#endif
