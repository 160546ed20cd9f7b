#include "core/draw/figure_png.h"

#include <string.h>

struct figure_png *figure_png(struct arena *arena, struct figure *figure, double scale,
                              struct err *err) {
    struct canvas *probe = canvas_new(arena, 1, 1, scale, err);
    if (!probe) {
        err_pass(err);
        return NULL;
    }
    struct figure_png *png = arena_alloc(arena, sizeof *png);
    png->page = page_of(probe, figure);
    png->canvas = canvas_new(arena, png->page.width, png->page.height, scale, err);
    memcpy(png->canvas->texts, probe->texts, sizeof probe->texts); /* what is shaped already */
    figure->form->draw(png->canvas, figure, png->page.x, png->page.y);
    page_draw(png->canvas, &png->page, figure);
    return png;
}
