#ifndef CORE_EXPLAIN_MAP_H
#define CORE_EXPLAIN_MAP_H

#include "core/tensor/tensor.h"

/* map: what all ways to draw many-dimensional points in two or three dimensions share.
 *
 * They take points x [n, F] float32, a row a point, and give a layout y [n, dims]. Those that
 * improve a layout step by step tell about it on the way, and when the user interrupts keep the
 * last whole step: `iterations` is then less than what was asked for. The caller shows it and
 * ends with stop_check(). Before the first step there is nothing to keep: then stop_check()
 * ends the command. */

/* Called before the first step, every `every` steps, and after the last: `layout` [n, dims] is
 * to be read, not kept; `cost` is what the method makes small (t-SNE: KL in nats), NAN where it
 * is not known. Called by the command's own thread, so it may draw and send. */
struct map_progress {
    void (*at)(void *arg, int64_t iteration, int64_t of, const float *layout, int64_t n,
               int dims, double cost);
    void *arg;
    int64_t every; /* steps; 0: 50 */
};

struct map {
    struct tensor *points; /* [n, dims] */
    double cost;           /* of these points, as in struct map_progress; NAN if interrupted */
    int64_t iterations;    /* steps that were done */
    int64_t asked;         /* steps that were to be done */
};

/* Refuses x that is not [n, F] float32 (ERR_SHAPE) and one that holds a NaN or an infinity,
 * which is named by its place (ERR_TEXT). `what` begins the sentence: "t-SNE". */
int map_finite(const struct tensor *x, const char *what, struct err *err);

/* The place of the first value that is not finite; -1: all are. */
int64_t map_odd(const struct tensor *x);

/* Refuses what no map can be made of: the above, fewer than `least` points, points that are all
 * the same (ERR_TEXT). */
int map_check(const struct tensor *x, int64_t least, const char *what, struct err *err);

#endif
