#ifndef CORE_DRAW_CANVAS_TEXT_H
#define CORE_DRAW_CANVAS_TEXT_H

#include "core/draw/canvas.h"

/* canvas_text: one text as Pango lays it out and Cairo draws it: how much of each pixel is
 * covered. The fonts are DejaVu Sans, then WenQuanYi Micro Hei, then whatever the system has; a
 * character in none of them is its code point in a small box. */

struct canvas_text {
    struct canvas_text *next;
    const char *key;      /* text and all of the style that shapes it */
    double width, height; /* device pixels, before rotation */
    int64_t left, top;    /* of the coverage, from the place where the text stands */
    struct canvas_cover cover;
};

/* The text in that style, drawn now or before. */
const struct canvas_text *canvas_text_at(struct canvas *canvas,
                                         const struct canvas_style *style, const char *text);

#endif
