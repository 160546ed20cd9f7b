#ifndef CORE_DRAW_MATRICES_H
#define CORE_DRAW_MATRICES_H

#include "core/draw/cells.h"
#include "core/draw/picture.h"

/* matrices: a series of matrices as a figure of coloured cells: what heatmap and headgrid
 * share.
 *
 * The last two axes are rows and columns, those before them number the panels. Matrices with
 * more cells than can be seen, or than fit the output's budget of bytes, are pooled: a cell
 * then shows the largest value of its block (of largest magnitude when signed). */

/* Bytes that one output may have, PNG (twice, once in the HTML), HTML and JSON together, beside
 * panels that go whole (standing.h) where the JSON has pools. */
enum { MATRICES_BYTES = 300000, MATRICES_STANDING_BYTES = 400000 };

/* The figure without title, note, alt text and table. ERR_OPTION if the first series is not
 * [.., rows, columns] with one to three axes before or none, or has an empty axis. */
struct figure *matrices_figure(struct arena *arena, const struct result *result,
                               const struct picture_options *options, struct err *err);

/* Fills the table: the strongest column of each row of the first panel, or (`per_panel`) the
 * strongest cell of each panel; the `top` strongest of these, strongest first. Where the axes
 * name places to rest at, only links between two different others count, and the table's note
 * says so. */
void matrices_table(struct arena *arena, struct figure *figure, const struct result *result,
                    bool per_panel, int64_t top);

/* Gives each panel a title, "layer 5 head 1", instead of labels at the edges of the picture. */
void matrices_titles(struct arena *arena, struct figure *figure);

/* Whether panels and cells are so few that each panel can have its own labels and numbers. */
bool matrices_few(const struct figure *figure);

/* "each cell the largest of 9 × 9"; "" when nothing is pooled. */
const char *matrices_pooled(struct arena *arena, const struct figure *figure);

#endif
