#include "core/draw/figure_drawn.h"

#include <math.h>
#include <string.h>

#include "core/draw/canvas_record.h"
#include "core/draw/picture.h"

static int refuse_pixels(const struct page *page, double scale, struct err *err) {
    double most = 96 * sqrt(PICTURE_PIXELS_MOST / (page->width * page->height));
    return err_set(err, ERR_OPTION,
                   "at %g dots an inch this picture of %g by %g pixels of a screen would have "
                   "%.0f million, and %d million are allowed: at most %.0f dots an inch",
                   scale * 96, page->width, page->height,
                   page->width * page->height * scale * scale / 1e6,
                   PICTURE_PIXELS_MOST / 1000000, floor(most));
}

static struct figure_drawn *drawn(struct arena *arena, struct figure *figure, double scale,
                                  bool record, struct err *err) {
    struct canvas *probe = canvas_new(arena, 1, 1, scale, err);
    if (!probe) {
        err_pass(err);
        return NULL;
    }
    struct figure_drawn *to = arena_alloc(arena, sizeof *to);
    to->page = page_of(probe, figure);
    double width = to->page.width, height = to->page.height;
    if (!record && width * height * scale * scale > PICTURE_PIXELS_MOST) {
        refuse_pixels(&to->page, scale, err);
        return NULL;
    }
    to->canvas = record ? canvas_record_new(arena, width, height, scale, figure->dark, err)
                        : canvas_new(arena, width, height, scale, err);
    if (figure->dark && !record) {
        canvas_darken(to->canvas);
    }
    memcpy(to->canvas->texts, probe->texts, sizeof probe->texts); /* what is shaped already */
    figure->form->draw(to->canvas, figure, to->page.x, to->page.y);
    page_draw(to->canvas, &to->page, figure);
    return to;
}

struct figure_drawn *figure_drawn_pixels(struct arena *arena, struct figure *figure,
                                         double scale, struct err *err) {
    return drawn(arena, figure, scale, false, err);
}

struct figure_drawn *figure_drawn_record(struct arena *arena, struct figure *figure,
                                         struct err *err) {
    return drawn(arena, figure, 2, true, err);
}
