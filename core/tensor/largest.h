#ifndef CORE_TENSOR_LARGEST_H
#define CORE_TENSOR_LARGEST_H

#include <stdint.h>

/* The places of the k largest of n numbers, largest first; of equal ones the first. NaNs are
 * left out. Returns how many were found: k, or fewer if there are not so many. Time: n
 * comparisons and, for numbers in no order, about k^2 log(n / k) moves. */
int64_t largest(const float *row, int64_t n, int64_t k, int32_t *places);

#endif
