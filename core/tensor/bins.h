#ifndef CORE_TENSOR_BINS_H
#define CORE_TENSOR_BINS_H

#include <stdint.h>

#include "core/base/arena.h"

/* bins: how many of many numbers fall where, counted at about the speed of memory. All counts
 * are whole numbers, so any number of threads gives the same ones.
 *
 * Bins are told by the edges that the counting really has: edges[i] is the smallest float32
 * that belongs to bin i, so that any other program that is given the edges counts the same.
 * Edges meant at round places differ from these by a unit in the last place (bins_linear), or
 * by at most 0.0034 decades (bins_log_cut). The last bin holds its upper edge too. */

/* ---- equal steps ---- */

struct bins_range {
    float low, high; /* of the finite values; 0, 0 where there are none */
    int64_t finite;
    int64_t bad; /* NaN and infinities */
};

struct bins_range bins_range(const float *x, int64_t n);

/* Adds to counts [bins] the values of low..high (low < high, both finite) and fills edges
 * [bins + 1]; either may be NULL. Returns how many finite values lie outside. */
int64_t bins_linear(const float *x, int64_t n, float low, float high, int64_t bins,
                    int64_t *counts, float *edges);

/* ---- equal steps of log10 |x| ---- */

/* Every float32 by the upper half of its bits without the sign: 128 places an octave, from
 * below 2^-133 to the largest; the last 128 are infinities and NaN. */
enum { BINS_PLACES = 1 << 15, BINS_BAD = 0x7f80 };

struct bins_log {
    int64_t zeros;               /* exact ones; not in `places` */
    int64_t places[BINS_PLACES]; /* 256 KiB: one for work, kept ones cut to bins */
};

/* Adds n values, on the caller's thread: 0.35 ns each where they and the table's part in use
 * are in the first-level cache. One pass: the range needs not be known. */
void bins_log_add(struct bins_log *to, const float *x, int64_t n);
void bins_log_merge(struct bins_log *to, const struct bins_log *from);

int64_t bins_log_bad(const struct bins_log *of); /* NaN and infinities */

/* The least and the largest magnitude of the finite values that are not zero, down and up to
 * the next place; returns -1 where there are none. */
int bins_log_extent(const struct bins_log *of, double *low, double *high);

/* Edges [bins + 1]: magnitudes with equal steps of their logarithm from low to high (0 < low <
 * high), each at the nearest place. Fewer places than bins leave empty bins. */
void bins_log_edges(double low, double high, int64_t bins, float *edges);

/* Counts by these edges; values outside go to the first and the last bin. */
void bins_log_cut(const struct bins_log *of, const float *edges, int64_t bins, int64_t *counts);

#endif
