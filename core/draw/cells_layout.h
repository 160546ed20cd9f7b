#ifndef CORE_DRAW_CELLS_LAYOUT_H
#define CORE_DRAW_CELLS_LAYOUT_H

#include "core/draw/canvas.h"
#include "core/draw/figure.h"
#include "core/draw/ruler.h"

/* cells_layout: where everything of a body of cells stands, in CSS pixels from the body's top
 * left. The PNG and the HTML over it use the same numbers. */

struct cells;

struct cells_layout {
    double width, height; /* of the body */
    double left, top;     /* of the first panel's first cell */
    double cell;          /* side of a cell */
    bool annotated;       /* there is room for the numbers */
    double panel_width, panel_height;
    double pitch_x, pitch_y; /* from panel to panel */
    double beside, above;    /* room for token labels left of and above a panel */
    double outer_x,
        outer_y; /* right end of the labels of panel rows, bottom of those of columns */
    double row_title_x, row_title_y, column_title_y; /* middle of the axis titles */
    double bar_x, bar_y, bar_width, bar_height;
    struct ruler bar;              /* its values, from the bottom */
    double unit_x;                 /* middle of the line that says what they are */
    int64_t row_step, column_step; /* every how many cells a label stands; 0: none */
    double label_size;             /* of the token labels */
    double label_angle;            /* of the column labels */
};

/* Styles that both the measuring and the drawing use. */
struct canvas_style cells_layout_label_style(const struct cells_layout *layout);
struct canvas_style cells_layout_outer_style(void);
struct canvas_style cells_layout_bar_style(void);

/* Length of the ticks at the colour bar, and at labels that do not stand at every cell. */
enum { CELLS_TICK = 3 };

/* Labels longer than this many columns are cut in the picture; of a single panel, which has
 * more room, those longer than so many. */
enum { CELLS_LABEL_COLUMNS = 16, CELLS_LABEL_COLUMNS_SINGLE = 30 };

/* The most cells along one side that are worth drawing for so many panel columns and rows. */
int64_t cells_layout_cells(int64_t panel_rows, int64_t panel_columns);

/* The label at drawn place i of the panels' rows or columns, or of one of the outer axes, as
 * the picture shows it. */
const char *cells_layout_label(struct arena *arena, const struct cells *cells,
                               const struct figure_axis *axis, int64_t i);

/* What the rows and columns are called at the edges of the whole picture. */
const char *cells_layout_row_title(const struct cells *cells);
const char *cells_layout_column_title(const struct cells *cells);

/* `probe` is any canvas of the right scale: it measures text. */
struct cells_layout cells_layout_of(struct canvas *probe, const struct cells *cells);

/* Left or top of panel i. */
double cells_layout_panel_x(const struct cells *cells, int64_t i);
double cells_layout_panel_y(const struct cells *cells, int64_t i);

#endif
