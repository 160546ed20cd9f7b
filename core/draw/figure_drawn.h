#ifndef CORE_DRAW_FIGURE_DRAWN_H
#define CORE_DRAW_FIGURE_DRAWN_H

#include "core/draw/figure.h"
#include "core/draw/page.h"
#include "core/draw/png_out.h"

/* figure_drawn: a figure on a canvas, an opaque card in its theme's colours. Both lay the
 * figure out, which HTML needs, and alike. NULL with ERR_UNSUPPORTED where the libraries are
 * missing. */

struct figure_drawn {
    struct canvas *canvas;
    struct page page;
};

/* In pixels, `scale` of the device's per CSS pixel. ERR_OPTION where they are more than
 * PICTURE_PIXELS_MOST. */
struct figure_drawn *figure_drawn_pixels(struct arena *arena, struct figure *figure,
                                         double scale, struct err *err);

/* As a record, for SVG and PDF; laid out as pixels at twice a screen's are. */
struct figure_drawn *figure_drawn_record(struct arena *arena, struct figure *figure,
                                         struct err *err);

#endif
