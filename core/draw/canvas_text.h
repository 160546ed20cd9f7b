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

/* A text as lines, for forms that keep it as text: CSS pixels from the top left of its unturned
 * box. */
struct canvas_text_line {
    struct canvas_text_line *next;
    const char *text;
    double x, baseline, width;
    bool leftward; /* it begins with a script that is written from right to left */
};
struct canvas_text_box {
    struct canvas_size size;
    struct canvas_text_line *first;
};
struct canvas_text_box canvas_text_lines(const struct canvas *canvas,
                                         const struct canvas_style *style, const char *text);

/* How Pango lays it out, in device pixels. The caller frees it with g_object_unref. */
struct _PangoLayout *canvas_text_layout(const struct canvas *canvas,
                                        const struct canvas_style *style, const char *text);

/* The text in that style, drawn now or before. */
const struct canvas_text *canvas_text_at(struct canvas *canvas,
                                         const struct canvas_style *style, const char *text);

#endif
