#ifndef CORE_DRAW_FIGURE_TEXT_H
#define CORE_DRAW_FIGURE_TEXT_H

#include "core/draw/figure.h"

/* figure_text: a figure as text/plain: the finding, then the table in aligned columns. At most
 * FIGURE_TEXT_BYTES, cut between rows, and never inside a character. */

enum { FIGURE_TEXT_BYTES = 2048 };

const char *figure_text(struct arena *arena, const struct figure *figure);

#endif
