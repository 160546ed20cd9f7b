#ifndef CORE_DRAW_SVG_OUT_H
#define CORE_DRAW_SVG_OUT_H

#include "core/base/buf.h"
#include "core/draw/canvas.h"

/* svg_out: a canvas that records as an SVG document. Text stays text, each line at the place
 * and with the length that Pango found, so that another font changes the letters and not the
 * layout. Cells are rectangles where they are few and large, else an image of their colours. No
 * script, no style sheet, no ids, nothing from elsewhere; the same picture, the same bytes. */

struct svg_words {
    const char *language, *title, *description;
};

/* NULL with ERR_BUG when libpng refuses an image. */
struct buf *svg_out(const struct canvas *canvas, double width, double height,
                    const struct svg_words *words, struct err *err);

#endif
