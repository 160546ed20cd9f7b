#ifndef CORE_DRAW_HOVER_H
#define CORE_DRAW_HOVER_H

#include "core/base/buf.h"

/* hover: transparent elements over a picture, whose titles tell what lies below the mouse.
 * Places are CSS pixels from the picture's top left. A figure's titles together should stay
 * below HOVER_BYTES: where there would be more, tell of groups. */

enum {
    HOVER_COUNT = 4096,   /* at most so many titles in one figure */
    HOVER_BYTES = 120000, /* and at most so many bytes in all */
    HOVER_EACH = 22       /* bytes of one title beside its text */
};

/* A grid of `columns` places of width x height; a title for each follows, row by row. */
void hover_grid(struct buf *out, double x, double y, int64_t columns, double width,
                double height);
void hover_title(struct buf *out, const char *text);
void hover_end(struct buf *out);

/* One place by itself. */
void hover_box(struct buf *out, double x, double y, double width, double height,
               const char *text);

#endif
