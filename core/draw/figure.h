#ifndef CORE_DRAW_FIGURE_H
#define CORE_DRAW_FIGURE_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/draw/canvas.h"
#include "core/draw/colour.h"
#include "core/draw/picture.h"
#include "core/result/result.h"

/* figure: what is drawn, as a declaration: texts, a body of some form (cells of heat maps,
 * bars, coloured text ...) and a table of what matters most. Pictures make figures, renderers
 * (figure_drawn, html, figure_text, figure_json) turn any figure into bytes and compute
 * nothing.
 */

/* One axis as it is drawn: `count` places, each the pool of `block` neighbours of the source.
 */
struct figure_axis {
    const char *name;    /* "query" */
    const char *title;   /* "query (looks from)"; "" draws none */
    int64_t count;       /* places drawn */
    int64_t source;      /* places before pooling */
    int64_t block;       /* 1: nothing pooled */
    const char **labels; /* [source], or NULL: the numbers from 0 */
};

struct figure_table {
    int64_t columns, rows;
    const char **heads; /* [columns] */
    const char **cells; /* [rows * columns] */
    const char *note;   /* one line over it, which says what it leaves out; NULL: none */
};

struct figure;
struct jsonwrite;

/* A kind of figure: how its body is laid out, drawn, hovered over and sent. One form a file;
 * the page round the body (title, note, provenance; in HTML the finding, caption and table) is
 * the same for all. Lengths are CSS pixels, places from the body's top left. */
struct figure_form {
    const char *kind; /* "heatmap": application/vnd.cutaway.heatmap.v1+json */
    /* Lays the body out, keeping in it what the others need; `probe` measures text. */
    struct canvas_size (*measure)(struct canvas *probe, struct figure *figure);
    void (*draw)(struct canvas *canvas, const struct figure *figure, double x, double y);
    /* Elements whose titles tell values (hover.h), over the picture whose body stands at x, y;
     * NULL: none. */
    void (*hover)(struct buf *out, const struct figure *figure, double x, double y);
    /* The body's members of the JSON object, after those of the texts. */
    void (*json)(struct jsonwrite *w, const struct figure *figure);
};

struct figure {
    struct arena *arena;
    const char *language;
    bool dark;               /* the theme */
    enum colour_map colours; /* of values */
    const char *title;
    const char *note; /* one quiet line under the title; "" draws none */
    const char *finding, *caption, *alt;
    const char *provenance; /* without the time, so that the same cell draws the same bytes */
    const char *time;       /* "4.1 ms"; "" when not measured */
    const char *result;     /* result_id of what it shows; NULL: of no result */
    struct figure_table table;
    const struct figure_form *form;
    void *body; /* the form's own: struct cells of cells_form */
};

/* A figure with the result's texts, made fit to be seen; alt is the finding. The picture adds
 * note, alt, table, form and body. */
struct figure *figure_new(struct arena *arena, const struct result *result,
                          const struct picture_options *options);

/* Whether its words are Chinese. */
bool figure_is_chinese(const struct figure *figure);

/* The label of place `i` (before pooling), fit to be seen; the number where there are no
 * labels. */
const char *figure_label(struct arena *arena, const struct figure_axis *axis, int64_t i);

/* The label of drawn place `i`: "cat", or "12–17" when it is a pool. */
const char *figure_place(struct arena *arena, const struct figure_axis *axis, int64_t i);

/* ".42", "0.42", "-1.3", "12": a value in few characters; `range` is the scale's. */
const char *figure_number(struct arena *arena, double value, double range);

/* Foreign text as it may be shown: blanks at the ends as a middle dot, line ends and tabs as
 * arrows, other control characters as pictures, hidden and direction-changing ones as [U+202E],
 * bytes that are not UTF-8 as \xNN. Never empty: "" becomes an empty-set sign. */
const char *figure_visible(struct arena *arena, const char *text);

/* The same for running text (titles, findings): blanks stay, "" stays. */
const char *figure_sentence(struct arena *arena, const char *text);

/* At most `columns` columns of it (CJK counts 2) and 8 bytes for each, as marks take no column;
 * with an ellipsis when cut. */
const char *figure_short(struct arena *arena, const char *text, int64_t columns);

/* The same, but what is written like a tensor's name (model.layers.3.mlp.weight) may have twice
 * the columns and is cut in its middle, as its end tells it from others. */
const char *figure_short_name(struct arena *arena, const char *text, int64_t columns);

/* The text as one of `count` that are sent: whole where they are few or short, else cut, so
 * that all together stay below about 100,000 columns. */
const char *figure_brief(struct arena *arena, const char *text, int64_t count);

#endif
