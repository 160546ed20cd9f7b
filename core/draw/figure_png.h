#ifndef CORE_DRAW_FIGURE_PNG_H
#define CORE_DRAW_FIGURE_PNG_H

#include "core/draw/figure.h"
#include "core/draw/layout.h"
#include "core/draw/png_out.h"

/* figure_png: a figure in pixels, on an opaque white card. */

struct figure_png {
    struct canvas *canvas;
    struct layout layout;
};

/* NULL with ERR_UNSUPPORTED where the libraries are missing. `scale` is device pixels per CSS
 * pixel. */
struct figure_png *figure_png(struct arena *arena, const struct figure *figure, double scale,
                              struct err *err);

#endif
