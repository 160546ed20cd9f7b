#ifndef CORE_DRAW_FIGURE_JSON_H
#define CORE_DRAW_FIGURE_JSON_H

#include "core/draw/figure.h"

/* figure_json: a figure as application/vnd.cutaway.<kind>.v1+json, for an interactive view: the
 * texts that every kind has, then what the form writes of its body. */

const char *figure_json(struct arena *arena, const struct figure *figure);

/* "application/vnd.cutaway.heatmap.v1+json" */
const char *figure_json_mime(struct arena *arena, const struct figure *figure);

#endif
