#ifndef CORE_DRAW_CANVAS_H
#define CORE_DRAW_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* canvas: what pictures draw on: pixels with a palette of at most 256 colours, or a record of
 * what is drawn, from which SVG and PDF are written (canvas_record.h).
 *
 * Rectangles go straight into the pixels, lines and discs with edges smoothed in 15 shades.
 * Text is shaped by Pango and drawn by Cairo, which are opened when the first canvas is made,
 * so that a process without pictures never loads them. Each distinct text is shaped and drawn
 * once and then laid down wherever it stands.
 *
 * Coordinates are CSS pixels from the top left; `scale` device pixels each. Colours are those
 * of the light theme; a dark canvas turns their lightness about as they arrive. When the
 * palette is full a new colour becomes the nearest one there. */

struct canvas_record;

struct canvas {
    struct arena *arena;
    double scale;
    bool dark;
    bool clear;            /* place 0 lets through what is below: of an image within a page */
    int64_t width, height; /* device pixels */
    unsigned char *pixels; /* [height, width], places in the palette; or NULL and */
    struct canvas_record *record; /* what was drawn */
    uint32_t palette[256];        /* 0xRRGGBB */
    int colours;
    struct {
        uint32_t rgb;
        int place;                 /* plus 1; 0: none */
    } known[256];                  /* colours asked for before, by hash */
    struct canvas_text *texts[64]; /* drawn before, by hash */
    struct canvas_mix *mixes[16];  /* used before, by hash */
};

/* How much of each pixel of a rectangle a shape covers. */
struct canvas_cover {
    int64_t columns, rows, stride;
    const unsigned char *cover; /* [rows, stride], 0..255 */
};

struct canvas_style {
    double size; /* CSS pixels */
    bool bold;
    bool on;   /* `colour` is what it stands on: black or white, whichever is read there */
    bool halo; /* with a rim of paper, to be read on any ground */
    uint32_t colour;
    double x,
        y; /* which part of the text stands at the place: 0 left/top, 0.5, 1 right/bottom */
    double angle; /* degrees, counter-clockwise about the place */
    double width; /* lines break there; 0: one line */
    int shades;   /* steps from paper to ink at the edges of letters; 0: 15 */
};

struct canvas_size {
    double width, height; /* CSS pixels */
};

/* A white canvas. ERR_UNSUPPORTED, naming the library and its package, where one is missing. */
struct canvas *canvas_new(struct arena *arena, double width, double height, double scale,
                          struct err *err);

/* The theme, chosen before anything is drawn: the paper of a dark canvas is nearly black. */
void canvas_darken(struct canvas *canvas);

/* Loads the libraries; canvas_new does it by itself. */
int canvas_load(struct err *err);

/* How many characters of the text no font here has a shape for. */
int canvas_lacks(struct arena *arena, const char *text, struct err *err);

/* Device pixel of a coordinate: the edges that everything is drawn to. */
int64_t canvas_edge(const struct canvas *canvas, double at);

/* Thickness of the thinnest line: about half a CSS pixel, and whole device pixels. */
double canvas_hairline(const struct canvas *canvas);

/* Place of the colour in the palette, added if it is new. A picture of many colours asks for
 * those that matter before it draws: shades at edges may fill the palette. */
unsigned char canvas_colour(struct canvas *canvas, uint32_t rgb);

void canvas_rect(struct canvas *canvas, double x, double y, double width, double height,
                 uint32_t rgb);

/* Cells side by side, each of the same size and without seams. */
enum { CANVAS_CLEAR = 255 }; /* a level that draws nothing */
struct canvas_cells {
    double x, y, width, height; /* of the first cell */
    int64_t columns, rows;
    const unsigned char *levels; /* [rows, columns], places in `colours`, or CANVAS_CLEAR */
    const uint32_t *colours;
    int count; /* of colours; at most 255 */
};
void canvas_cells(struct canvas *canvas, const struct canvas_cells *cells);

/* Lays ink on where the cover says, its top left at a device pixel. `shades` steps (1..15) from
 * paper to ink; what each makes of a colour below is found once. */
void canvas_lay(struct canvas *canvas, const struct canvas_cover *cover, int64_t left,
                int64_t top, uint32_t ink, int shades);

/* Smooth shapes (canvas_shape.c). What is not finite is left out. A curve goes through n points
 * x, y in turn; where it crosses itself it is no darker. */
void canvas_line(struct canvas *canvas, double x0, double y0, double x1, double y1,
                 double width, uint32_t rgb);
void canvas_curve(struct canvas *canvas, const double *xy, int64_t n, double width,
                  uint32_t rgb);
void canvas_disc(struct canvas *canvas, double x, double y, double radius, uint32_t rgb);

/* The area between two upright edges, at least a hairline high. */
struct canvas_upright {
    double x, top, bottom;
};
void canvas_wedge(struct canvas *canvas, struct canvas_upright left,
                  struct canvas_upright right, uint32_t rgb);

/* The text must be UTF-8; its size without rotation. Both are lengths of the drawn line box. */
struct canvas_size canvas_measure(struct canvas *canvas, const struct canvas_style *style,
                                  const char *text);
void canvas_write(struct canvas *canvas, const struct canvas_style *style, double x, double y,
                  const char *text);

#endif
