#include <math.h>

#include "core/draw/canvas_record.h"
#include "core/draw/colour.h"
#include "tests/check.h"

static struct canvas *blank(bool dark) {
    struct err err = { 0 };
    struct canvas *canvas = canvas_record_new(check_arena(), 100, 50, 2, dark, &err);
    check_same(err.text, "");
    return canvas;
}

static int count(const struct canvas *canvas) {
    int n = 0;
    for (const struct canvas_mark *mark = canvas->record->first; mark; mark = mark->next) {
        n++;
    }
    return n;
}

TEST(canvas_record_keeps_what_is_drawn_in_turn) {
    struct canvas *canvas = blank(false);
    struct canvas_style style = { .size = 12, .colour = 0x123456 };
    canvas_rect(canvas, 1, 2, 3, 4, 0xff0000);
    canvas_disc(canvas, 5, 6, 7, 0x00ff00);
    canvas_line(canvas, 0, 0, 9, 9, 2, 0x0000ff);
    canvas_write(canvas, &style, 8, 9, "cat");
    const struct canvas_mark *mark = canvas->record->first;
    check(mark->kind == MARK_RECT && mark->rgb == 0xff0000 && mark->at[3] == 4);
    mark = mark->next;
    check(mark->kind == MARK_DISC && mark->at[2] == 7);
    mark = mark->next;
    check(mark->kind == MARK_CURVE && mark->n == 2 && mark->at[0] == 2);
    mark = mark->next;
    check(mark->kind == MARK_TEXT && mark->rgb == 0x123456 && mark->at[0] == 8);
    check_same(mark->text, "cat");
    check(!mark->next && !canvas->pixels);
    check_int(canvas->width, 200);
}

/* What pixels show nothing of either. */
TEST(canvas_record_leaves_out_what_is_nothing) {
    struct canvas *canvas = blank(false);
    struct canvas_style style = { .size = 12 };
    canvas_rect(canvas, 1, 2, 0, 4, 0);
    canvas_rect(canvas, 1, 2, -3, 4, 0);
    canvas_rect(canvas, (double)NAN, 2, 3, 4, 0);
    canvas_disc(canvas, 5, (double)INFINITY, 7, 0);
    canvas_disc(canvas, 5, 5, 0, 0);
    canvas_curve(canvas, NULL, 0, 2, 0);
    canvas_write(canvas, &style, 8, 9, "");
    canvas_write(canvas, &style, (double)NAN, 9, "cat");
    check_int(count(canvas), 0);
}

/* 0..2 and 2..5 of one colour are 0..5; another goes on half a pixel below the next. */
TEST(canvas_record_joins_rectangles_edge_to_edge) {
    struct canvas *canvas = blank(false);
    canvas_rect(canvas, 0, 0, 2, 4, 0xff0000);
    canvas_rect(canvas, 2, 0, 3, 4, 0xff0000);
    check_int(count(canvas), 1);
    check_near(canvas->record->first->at[2], 5, 1e-9);
    canvas_rect(canvas, 5, 0, 1, 4, 0x00ff00);
    check_int(count(canvas), 2);
    check_near(canvas->record->first->at[2], 5.5, 1e-9);
    canvas_rect(canvas, 5, 4, 1, 4, 0x00ff00); /* below */
    check_int(count(canvas), 2);
    check_near(canvas->record->newest->at[3], 8, 1e-9);
    canvas_rect(canvas, 6, 1, 1, 4, 0x00ff00); /* not in line */
    canvas_rect(canvas, 7.5, 1, 1, 4, 0x00ff00);
    check_int(count(canvas), 4);
    check_near(canvas->record->newest->at[2], 1, 1e-9);
}

TEST(canvas_record_takes_the_theme) {
    struct canvas *canvas = blank(true);
    struct canvas_style style = { .size = 12, .on = true, .colour = 0xffffff };
    canvas_rect(canvas, 0, 0, 2, 4, COLOUR_INK);
    check_int(canvas->record->first->rgb, colour_dark(COLOUR_INK));
    check_int(canvas->record->paper, colour_dark(COLOUR_PAPER));
    canvas_write(canvas, &style, 8, 9, "cat"); /* on what was white and is nearly black */
    check_int(canvas->record->newest->rgb, 0xffffff);
}

TEST(canvas_record_has_rectangles_for_large_cells_and_few) {
    struct canvas_cells cells = { .width = 20, .height = 20, .columns = 10, .rows = 10 };
    check(canvas_record_apart(&cells));
    cells.height = 11;
    check(!canvas_record_apart(&cells));
    cells.height = 20;
    cells.rows = 10000;
    check(!canvas_record_apart(&cells));
    check_int(canvas_record_zoom(0.5), 1);
    check_int(canvas_record_zoom(4), 2);
    check_int(canvas_record_zoom(500), 6);
}
