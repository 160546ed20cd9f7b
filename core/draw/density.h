#ifndef CORE_DRAW_DENSITY_H
#define CORE_DRAW_DENSITY_H

#include <stdint.h>

#include "core/base/arena.h"

/* density: how many of many points lie in each cell of a plot, and of which group most. */

struct density {
    double cell; /* side, CSS pixels */
    int64_t columns, rows;
    int32_t *counts;       /* [rows, columns] */
    unsigned char *groups; /* [rows, columns]: the group with most points there; the least of
                              several; NULL without groups */
    int64_t most, used;    /* the largest count, cells that have any */
};

/* Points xy [n, 2] (CSS pixels; NaN: left out), `groups` [n] below `group_count`, or NULL. */
struct density *density_new(struct arena *arena, const double *xy, const unsigned char *groups,
                            int64_t group_count, int64_t n, double width, double height,
                            double cell);

/* The level of each cell: 1 .. levels (at most 255) by the logarithm of its count; 0: none. */
unsigned char *density_levels(struct arena *arena, const struct density *density, int levels);

#endif
