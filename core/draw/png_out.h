#ifndef CORE_DRAW_PNG_OUT_H
#define CORE_DRAW_PNG_OUT_H

#include "core/draw/canvas.h"

/* png_out: a canvas as a PNG file in memory: 8-bit palette (fewer bits where the colours
 * allow), pHYs with 96 dots per inch times the scale, and texts that travel with the picture.
 */

struct png_note {
    const char *key, *value; /* "Description", in UTF-8; NULL or "" is left out */
};

struct png_bytes {
    const unsigned char *bytes; /* in the canvas's arena */
    size_t length;
};

/* NULL bytes with ERR_BUG when libpng refuses. */
struct png_bytes png_out(const struct canvas *canvas, const struct png_note *texts, int count,
                         struct err *err);

#endif
