#ifndef CORE_DRAW_LAYOUT_H
#define CORE_DRAW_LAYOUT_H

#include "core/draw/canvas.h"
#include "core/draw/figure.h"

/* layout: where everything of a figure stands, in CSS pixels from the picture's top left. The
 * PNG and the HTML over it use the same numbers. */

struct layout {
    double width, height, margin;
    double title_y, note_y; /* tops of the lines */
    double left, top;       /* of the first panel's first cell */
    double cell;            /* side of a cell */
    bool annotated;         /* there is room for the numbers */
    double panel_width, panel_height;
    double pitch_x, pitch_y; /* from panel to panel */
    double beside, above;    /* room for token labels left of and above a panel */
    double outer_x,
        outer_y; /* right end of the labels of panel rows, bottom of those of columns */
    double row_title_x, row_title_y, column_title_y; /* middle of the axis titles */
    double bar_x, bar_y, bar_width, bar_height;
    double foot_y;                 /* top of the provenance line */
    int64_t row_step, column_step; /* every how many cells a label stands; 0: none */
    double label_size;             /* of the token labels */
    double label_angle;            /* of the column labels */
};

/* Styles that both the measuring and the drawing use. */
struct canvas_style layout_title_style(double width);
struct canvas_style layout_note_style(double width);
struct canvas_style layout_label_style(const struct layout *layout);
struct canvas_style layout_outer_style(void);
struct canvas_style layout_axis_style(void);

/* Labels longer than this many columns are cut in the picture. */
enum { LAYOUT_LABEL_COLUMNS = 16 };

/* The most cells along one side that are worth drawing for so many panel columns and rows. */
int64_t layout_cells(int64_t panel_rows, int64_t panel_columns);

/* The label at drawn place i, as the picture shows it. */
const char *layout_label(struct arena *arena, const struct figure_axis *axis, int64_t i);

/* What the rows and columns are called at the edges of the whole picture. */
const char *layout_row_title(const struct figure *figure);
const char *layout_column_title(const struct figure *figure);

/* `probe` is any canvas of the right scale: it measures text. */
struct layout layout_of(struct canvas *probe, const struct figure *figure);

/* Left or top of panel i. */
double layout_panel_x(const struct layout *layout, const struct figure *figure, int64_t i);
double layout_panel_y(const struct layout *layout, const struct figure *figure, int64_t i);

#endif
