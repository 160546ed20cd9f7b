#ifndef CORE_DRAW_PAGE_H
#define CORE_DRAW_PAGE_H

#include "core/draw/canvas.h"
#include "core/draw/figure.h"

/* page: where the parts of every picture stand, in CSS pixels from its top left: title and note
 * above the body, the provenance below. */

struct page {
    double width, height, margin;
    double title_y, note_y; /* tops of the lines */
    double x, y;            /* of the body */
    double foot_y;          /* top of the provenance line */
};

/* Lays the figure's body out too. `probe` is any canvas of the right scale: it measures text.
 */
struct page page_of(struct canvas *probe, struct figure *figure);

/* Everything but the body. */
void page_draw(struct canvas *canvas, const struct page *page, const struct figure *figure);

/* What axes are called, in every picture. */
struct canvas_style page_axis_style(void);

#endif
