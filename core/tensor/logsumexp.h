#ifndef CORE_TENSOR_LOGSUMEXP_H
#define CORE_TENSOR_LOGSUMEXP_H

#include <stdint.h>

/* log of the sum of exp of n numbers, in float64 and without overflow: what a logit is lessened
 * by to become a log probability (nats). n is at least 1. */
double logsumexp(const float *row, int64_t n);

#endif
