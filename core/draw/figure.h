#ifndef CORE_DRAW_FIGURE_H
#define CORE_DRAW_FIGURE_H

#include <stdbool.h>

#include "core/result/result.h"

/* figure: what is drawn, as a declaration: matrices of coloured cells side by side with one
 * common scale, their labels, and a table of the rows that matter most. Pictures make figures,
 * renderers (figure_png, html, figure_text, figure_json) turn any figure into bytes and compute
 * nothing. */

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

/* The strongest place of one drawn row: of largest value, or magnitude when signed. */
struct figure_best {
    int64_t row, column; /* before pooling */
    float value;
};

struct pooling;

struct figure {
    const char *language;
    const char *title;
    const char *note; /* one quiet line under the title; "" draws none */
    const char *finding, *caption, *alt;
    const char *provenance; /* without the time, so that the same cell draws the same bytes */
    const char *time;       /* "4.1 ms"; "" when not measured */

    /* Panels stand in rows and columns; the last row may be short. Where `panel_titles` is NULL
     * the panel axes are labelled at the edges. */
    struct figure_axis panel_rows, panel_columns, rows, columns;
    int64_t panels;
    const char **panel_titles;      /* [panels], or NULL */
    const float *values;            /* [panels, rows.count, columns.count] */
    const struct figure_best *best; /* [panels, rows.count] */
    const struct pooling *sent;     /* the cells of the JSON, coarser where those of the picture
                                       would be too many bytes; NULL: the same */

    double low, high; /* the common scale; -high .. high when is_signed */
    bool is_signed;
    const char *unit; /* beside the colour bar */
    bool annotated;   /* the values are written into the cells */
    struct figure_table table;
};

/* The label of place `i` (before pooling), fit to be seen; the number where there are no
 * labels. */
const char *figure_label(struct arena *arena, const struct figure_axis *axis, int64_t i);

/* The label of drawn place `i`: "cat", or "12–17" when it is a pool. */
const char *figure_place(struct arena *arena, const struct figure_axis *axis, int64_t i);

/* "layer 5 head 1": what panel `i` shows; "" for the only one. */
const char *figure_panel(struct arena *arena, const struct figure *figure, int64_t i);

/* ".42", "0.42", "-1.3", "12": a value in few characters; `range` is the scale's. */
const char *figure_number(struct arena *arena, double value, double range);

/* Foreign text as it may be shown: blanks at the ends as a middle dot, line ends and tabs as
 * arrows, other control characters as pictures, hidden and direction-changing ones as [U+202E],
 * bytes that are not UTF-8 as \xNN. Never empty: "" becomes an empty-set sign. */
const char *figure_visible(struct arena *arena, const char *text);

/* The same for running text (titles, findings): blanks stay, "" stays. */
const char *figure_sentence(struct arena *arena, const char *text);

/* At most `columns` columns of it (CJK counts 2), with an ellipsis when cut. */
const char *figure_short(struct arena *arena, const char *text, int64_t columns);

#endif
