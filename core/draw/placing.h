#ifndef CORE_DRAW_PLACING_H
#define CORE_DRAW_PLACING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

/* placing: labels beside points without covering points or each other. Greedy, in the order in
 * which labels are offered: each takes the first free place of eight beside its point, then of
 * eight ever farther away with a leader line, or none. Lengths are CSS pixels from the plot's
 * top left. */

struct placing;

struct placing_spot {
    double x, y; /* top left of the label's box */
    bool led;    /* far enough to need a line, from the point to lead_x, lead_y */
    double lead_x, lead_y;
};

/* An empty plot. */
struct placing *placing_new(struct arena *arena, double width, double height);

/* What labels must not cover. */
void placing_block(struct placing *placing, double x, double y, double width, double height);

/* Finds and takes a place for a box beside a disc; false: there is none. */
bool placing_find(struct placing *placing, double x, double y, double radius, double width,
                  double height, struct placing_spot *spot);

/* The order in which the labels of n points x, y get their turn: as they come where they are
 * few; else spread over the plot, coarse before fine. Returns how many, at most `most`, with
 * their numbers in `order`. Points that are not finite have no turn. */
int64_t placing_order(const double *xy, int64_t n, double width, double height, int64_t most,
                      int64_t *order);

#endif
