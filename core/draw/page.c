#include "core/draw/page.h"

#include <math.h>

#include "core/draw/colour.h"

enum { MARGIN = 14, WIDTH_LEAST = 380 };

static struct canvas_style title_style(double width) {
    return (struct canvas_style){
        .size = 13.5, .bold = true, .colour = COLOUR_INK, .width = width
    };
}

static struct canvas_style note_style(double width) {
    return (struct canvas_style){ .size = 9.5, .colour = COLOUR_QUIET, .width = width };
}

struct canvas_style page_axis_style(void) {
    return (struct canvas_style){ .size = 10.5, .colour = COLOUR_QUIET };
}

struct page page_of(struct canvas *probe, struct figure *figure) {
    struct canvas_size body = figure->form->measure(probe, figure);
    struct page page = { .margin = MARGIN, .x = MARGIN, .title_y = MARGIN - 2 };
    page.width = ceil(fmax(WIDTH_LEAST, body.width + 2.0 * MARGIN));
    double wide = page.width - 2.0 * MARGIN, y = page.title_y;
    struct canvas_style title = title_style(wide), note = note_style(wide);
    y += canvas_measure(probe, &title, figure->title).height;
    page.note_y = y + 2;
    if (*figure->note) {
        y += 2 + canvas_measure(probe, &note, figure->note).height;
    }
    page.y = ceil(y + 10);
    page.foot_y = ceil(page.y + body.height + 12);
    page.height = ceil(page.foot_y + canvas_measure(probe, &note, figure->provenance).height +
                       MARGIN - 4);
    return page;
}

void page_draw(struct canvas *canvas, const struct page *page, const struct figure *figure) {
    double wide = page->width - 2 * page->margin;
    struct canvas_style title = title_style(wide), note = note_style(wide);
    canvas_write(canvas, &title, page->margin, page->title_y, figure->title);
    canvas_write(canvas, &note, page->margin, page->note_y, figure->note);
    canvas_write(canvas, &note, page->margin, page->foot_y, figure->provenance);
}
