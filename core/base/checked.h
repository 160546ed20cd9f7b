#ifndef CORE_BASE_CHECKED_H
#define CORE_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/* checked: arithmetic on lengths that come from files and messages. Each stores the exact
 * result and returns true, or returns false when it does not fit 64 bits or is negative. */

static inline bool ck_add(int64_t a, int64_t b, int64_t *sum) {
    return a >= 0 && b >= 0 && !__builtin_add_overflow(a, b, sum);
}

static inline bool ck_mul(int64_t a, int64_t b, int64_t *product) {
    return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, product);
}

/* Product of n factors, each at least 0. */
static inline bool ck_product(const int64_t *factors, int n, int64_t *product) {
    *product = 1;
    for (int i = 0; i < n; i++) {
        if (!ck_mul(*product, factors[i], product)) {
            return false;
        }
    }
    return true;
}

/* A file's unsigned 64-bit length, as a signed one. */
static inline bool ck_length(uint64_t value, int64_t *length) {
    *length = (int64_t)value;
    return value <= INT64_MAX;
}

#endif
