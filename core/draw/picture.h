#ifndef CORE_DRAW_PICTURE_H
#define CORE_DRAW_PICTURE_H

#include <stdbool.h>

#include "core/result/result.h"

/* picture: a way to draw a result. One picture a file, one line in PICTURES of core/files.am.
 *
 * A picture turns a result into a figure, which is declarative: panels of coloured cells,
 * labels, scales, a table. The renderers (figure_drawn, html, figure_text, figure_json) turn
 * any figure into a bundle. */

struct picture_options {
    double scale;         /* device pixels per CSS pixel; 0: 2 (retina) */
    const char *language; /* "en", "zh" */
    int64_t top;          /* rows in text and tables; 0: the picture's default */
    const char *theme;    /* "light", "dark"; NULL: light */
    const char *colours;  /* "cutaway", "viridis", "grey" (colour.h); NULL: cutaway */
};

/* A figure in MIME types. Everything is in the arena. */
struct bundle {
    const char *text;         /* text/plain, at most 2 KiB */
    const unsigned char *png; /* image/png */
    size_t png_length;
    int64_t width, height; /* CSS pixels */
    const char *alt;
    const char *html; /* text/html, static first */
    const char *mime; /* "application/vnd.cutaway.heatmap.v1+json" */
    const char *json; /* its value */
};

/* One form of a picture as a file. */
enum picture_form { PICTURE_PNG, PICTURE_SVG, PICTURE_PDF, PICTURE_HTML, PICTURE_TEXT };

struct picture_file {
    const char *bytes;
    size_t length;
};

struct figure;

struct picture {
    const char *name;    /* "heatmap" */
    const char *summary; /* English; one line */
    const char *summary_zh;
    /* NULL with ERR_OPTION when the result has not what this picture needs. */
    struct figure *(*draw)(struct arena *arena, const struct result *result,
                           const struct picture_options *options, struct err *err);
};

const struct picture *picture_find(const char *name);

/* The largest scale (2,400 dots an inch), and the most device pixels of a picture. */
enum { PICTURE_SCALE_MOST = 25, PICTURE_PIXELS_MOST = 100000000 };

/* Draws with the picture of that name (NULL: the result's kind). Options may be NULL.
 * ERR_OPTION for a name that is none, a theme or colours that are none, a scale outside 0.25 ..
 * 25 or one that makes too many pixels; ERR_UNSUPPORTED when a library is missing. */
struct bundle *picture_bundle(struct arena *arena, const char *name,
                              const struct result *result,
                              const struct picture_options *options, struct err *err);

/* The same picture as the bytes of one file. Those of the same result and options are the same,
 * whenever they are made; the HTML is a page of its own. SVG and PDF have no scale. */
struct picture_file *picture_file(struct arena *arena, const char *name,
                                  const struct result *result,
                                  const struct picture_options *options, enum picture_form form,
                                  struct err *err);

#endif
