#ifndef TESTS_BENCH_CLOCK_H
#define TESTS_BENCH_CLOCK_H

#include "core/base/now.h"

/* clock: what every benchmark times with. */

static inline double clock_now(void) {
    return now_seconds();
}

/* For qsort: the shortest time first. */
static inline int clock_order(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
