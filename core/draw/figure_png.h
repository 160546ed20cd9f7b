#ifndef CORE_DRAW_FIGURE_PNG_H
#define CORE_DRAW_FIGURE_PNG_H

#include "core/draw/figure.h"
#include "core/draw/page.h"
#include "core/draw/png_out.h"

/* figure_png: a figure in pixels, on an opaque white card. */

struct figure_png {
    struct canvas *canvas;
    struct page page;
};

/* NULL with ERR_UNSUPPORTED where the libraries are missing. `scale` is device pixels per CSS
 * pixel. Lays the figure out, which HTML needs. */
struct figure_png *figure_png(struct arena *arena, struct figure *figure, double scale,
                              struct err *err);

#endif
