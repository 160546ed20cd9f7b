#ifndef CORE_DRAW_STANDING_H
#define CORE_DRAW_STANDING_H

#include "core/draw/cells.h"

/* standing: the panels that stand out, whole, for the JSON of a figure whose cells are pooled.
 *
 * Taken in turn: the first of every score (the largest; of entropy the smallest), then the
 * second of each, and so on; without scores the panels with the largest values. A panel is
 * bytes of the scale, from signed ones first the distance from the middle byte 128 as
 * 0, -1, 1, -2, 2 ..., packed by nibbles.h. Panels with numbers that are not finite, or of
 * millions of cells, are left out. */

struct standing {
    int64_t panel;
    const struct buf *packed;
};

/* Fills the cells' `standing`, at most `room` bytes of it once they are base64, from the
 * numbers before pooling; returns these bytes. */
int64_t standing_choose(struct arena *arena, struct cells *cells, const float *values,
                        int64_t room);

/* n values as bytes of the scale: low + byte / 255 * (high - low) is nearest. */
unsigned char *standing_bytes(struct arena *arena, const struct cells *cells,
                              const float *values, int64_t n);

#endif
