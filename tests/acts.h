#ifndef TESTS_ACTS_H
#define TESTS_ACTS_H

#include <math.h>

#include "core/tensor/simd.h"

/* acts: what each activation is, by its formula in float64. */
static inline double acts_value(enum simd_act act, double x) {
    switch (act) {
    case SIMD_GELU:
        return x * (1 + erf(x / sqrt(2))) / 2;
    case SIMD_GELU_TANH:
        return x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
    case SIMD_GELU_QUICK:
        return x / (1 + exp(-1.702 * x));
    case SIMD_RELU:
        return x > 0 ? x : 0;
    case SIMD_RELU_SQUARED:
        return x > 0 ? x * x : 0;
    case SIMD_SILU:
        return x / (1 + exp(-x));
    case SIMD_SIGMOID:
        return 1 / (1 + exp(-x));
    case SIMD_TANH:
        return tanh(x);
    default:
        return x;
    }
}

#endif
