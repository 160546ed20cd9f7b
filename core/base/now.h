#ifndef CORE_BASE_NOW_H
#define CORE_BASE_NOW_H

#include <time.h>

/* now: seconds on a clock that never goes back, for measuring how long something took. */

static inline double now_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif
