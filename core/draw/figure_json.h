#ifndef CORE_DRAW_FIGURE_JSON_H
#define CORE_DRAW_FIGURE_JSON_H

#include "core/draw/figure.h"

/* figure_json: a figure of cells as application/vnd.cutaway.heatmap.v1+json, for an interactive
 * view: texts, the four axes with labels, the scale, and the values in base64, row-major,
 * little endian:
 *
 *     "f32"  numbers as they are: at most FIGURE_JSON_EXACT of them, or where some are not
 * finite "u8"   low + byte / 255 * (high - low) of the scale
 *
 * Where cells are pools, "pooled" says of what; they may be coarser than the picture's. */

enum { FIGURE_JSON_EXACT = 4096 };

#define FIGURE_JSON_MIME "application/vnd.cutaway.heatmap.v1+json"

const char *figure_json(struct arena *arena, const struct figure *figure);

#endif
