#include <math.h>
#include <string.h>

#include "core/draw/canvas.h"
#include "core/draw/colour.h"
#include "tests/check.h"

static struct canvas *blank(double width, double height, double scale) {
    struct err err = { 0 };
    struct canvas *canvas = canvas_new(check_arena(), width, height, scale, &err);
    check_same(err.text, "");
    return canvas;
}

/* Device pixels that are not white. */
static int64_t inked(const struct canvas *canvas) {
    int64_t n = 0;
    for (int64_t i = 0; i < canvas->width * canvas->height; i++) {
        n += canvas->palette[canvas->pixels[i]] != COLOUR_PAPER;
    }
    return n;
}

TEST(canvas_starts_white) {
    struct canvas *canvas = blank(10, 4, 2);
    check_int(canvas->width, 20);
    check_int(canvas->height, 8);
    check_int(inked(canvas), 0);
}

TEST(canvas_rect_fills_to_the_device_pixel_and_no_further) {
    struct canvas *canvas = blank(10, 10, 2);
    canvas_rect(canvas, 1.5, 2, 2, 1, 0x123456);
    check_int(inked(canvas), 4 * 2);
    check_int(canvas->palette[canvas->pixels[4 * 20 + 3]], 0x123456);
    check_int(canvas->palette[canvas->pixels[5 * 20 + 6]], 0x123456);
    check_int(canvas->palette[canvas->pixels[4 * 20 + 7]], COLOUR_PAPER);
    canvas_rect(canvas, -5, -5, 100, 100, 0x000000); /* cut at the edges */
    check_int(inked(canvas), 400);
}

TEST(canvas_colour_takes_the_nearest_when_full) {
    struct canvas *canvas = blank(1, 1, 1);
    for (uint32_t i = 0; i < 300; i++) {
        canvas_colour(canvas, i << 12);
    }
    check_int(canvas->colours, 256);
    check(canvas->palette[canvas_colour(canvas, 0x000001)] == 0);
    check(canvas->palette[canvas_colour(canvas, 0xfffffe)] == 0xffffff);
}

/* Each of these has glyphs in the fonts that Cutaway asks for, and no two look alike; a box
 * with the code point would be as wide for all. */
TEST(canvas_writes_many_scripts) {
    static const char *const texts[] = { "cat", "猫",  "ねこ", "고양이",
                                         "قطة", "кот", "γάτα", "😀" };
    struct canvas_style style = { .size = 20, .colour = 0x000000 };
    int64_t seen[8];
    for (int i = 0; i < 8; i++) {
        struct canvas *canvas = blank(100, 40, 1);
        canvas_write(canvas, &style, 5, 5, texts[i]);
        seen[i] = inked(canvas);
        check(seen[i] > 60);
    }
    check(seen[1] != seen[2] && seen[2] != seen[3] && seen[3] != seen[4]);
}

TEST(canvas_measures_longer_text_as_wider) {
    struct canvas *canvas = blank(10, 10, 2);
    struct canvas_style style = { .size = 12 };
    struct canvas_size one = canvas_measure(canvas, &style, "mm");
    struct canvas_size two = canvas_measure(canvas, &style, "mmmm");
    check_near(two.width, 2 * one.width, 0.1);
    check_near(two.height, one.height, 1e-9);
    style.width = one.width * 1.5;
    check(canvas_measure(canvas, &style, "mm mm").height > 1.5 * one.height);
}

/* Turned by 90 degrees, width and height change places. */
static void extent(const struct canvas *canvas, int64_t *width, int64_t *height) {
    int64_t x0 = canvas->width, x1 = 0, y0 = canvas->height, y1 = 0;
    for (int64_t i = 0; i < canvas->width * canvas->height; i++) {
        if (canvas->pixels[i] != 0) {
            int64_t x = i % canvas->width, y = i / canvas->width;
            x0 = x < x0 ? x : x0;
            x1 = x > x1 ? x : x1;
            y0 = y < y0 ? y : y0;
            y1 = y > y1 ? y : y1;
        }
    }
    *width = x1 - x0 + 1;
    *height = y1 - y0 + 1;
}

TEST(canvas_turns_text) {
    struct canvas_style style = { .size = 16, .x = 0.5, .y = 0.5, .colour = 0x000000 };
    struct canvas *flat = blank(100, 100, 1), *upright = blank(100, 100, 1);
    int64_t w0, h0, w1, h1;
    canvas_write(flat, &style, 50, 50, "illness");
    style.angle = 90;
    canvas_write(upright, &style, 50, 50, "illness");
    extent(flat, &w0, &h0);
    extent(upright, &w1, &h1);
    check(w0 > 2 * h0);
    check_near(w1, h0, 2);
    check_near(h1, w0, 2);
}

TEST(canvas_text_may_leave_the_canvas) {
    struct canvas *canvas = blank(30, 10, 1);
    struct canvas_style style = {
        .size = 40, .x = 0.5, .y = 0.5, .colour = 0x000000, .angle = 45
    };
    canvas_write(canvas, &style, 0, 0, "far out of the picture");
    canvas_write(canvas, &style, 30, 10, "far out of the picture");
    canvas_write(canvas, &style, -500, 900, "never seen");
    check(inked(canvas) > 0);
}

TEST(canvas_draws_the_same_again) {
    struct canvas *one = blank(60, 20, 2), *two = blank(60, 20, 2);
    struct canvas_style style = { .size = 11, .colour = 0x333333, .bold = true };
    canvas_write(one, &style, 3, 3, "the cat 猫");
    canvas_write(two, &style, 3, 3, "the cat 猫");
    canvas_write(two, &style, 3, 3, "");
    check(memcmp(one->pixels, two->pixels, (size_t)(one->width * one->height)) == 0);
}

/* Ink in units of whole pixels. */
static double ink(const struct canvas *canvas) {
    double sum = 0;
    for (int64_t i = 0; i < canvas->width * canvas->height; i++) {
        sum += (255 - (double)(canvas->palette[canvas->pixels[i]] & 0xff)) / 255;
    }
    return sum;
}

TEST(canvas_line_has_its_width_at_any_angle) {
    for (int degrees = 0; degrees < 180; degrees += 15) {
        struct canvas *canvas = blank(120, 120, 2);
        double angle = degrees * 3.14159265358979 / 180;
        double x = 40 * cos(angle), y = 40 * sin(angle);
        canvas_line(canvas, 60 - x, 60 - y, 60 + x, 60 + y, 3, 0x000000);
        check_near(ink(canvas), 160 * 6 + 3.14159 * 9, 20); /* its ends are round */
    }
}

TEST(canvas_line_thinner_than_a_pixel_is_paler) {
    struct canvas *canvas = blank(100, 10, 1);
    canvas_line(canvas, 5, 5.5, 95, 5.5, 0.4, 0x000000);
    check_near(ink(canvas), 90 * 0.4, 1.5);
}

TEST(canvas_disc_has_its_area_wherever_it_stands) {
    static const double radii[] = { 0.6, 1, 2.3, 5, 17, 70 };
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 4; j++) {
            struct canvas *canvas = blank(180, 180, 1);
            canvas_disc(canvas, 90 + 0.25 * j, 90.1, radii[i], 0x000000);
            double area = 3.14159265 * radii[i] * radii[i];
            check_near(ink(canvas), area, 0.02 * area + 0.5);
        }
    }
}

/* Two strokes over one another are as dark as one. */
TEST(canvas_curve_that_returns_is_no_darker) {
    struct canvas *once = blank(50, 50, 1), *twice = blank(50, 50, 1);
    const double path[] = { 5, 5, 45, 40, 5, 5 };
    canvas_curve(once, path, 2, 1.5, 0x204080);
    canvas_curve(twice, path, 3, 1.5, 0x204080);
    check(memcmp(once->pixels, twice->pixels, 2500) == 0);
}

TEST(canvas_shapes_may_leave_the_canvas_or_be_no_numbers) {
    struct canvas *canvas = blank(20, 20, 2);
    const double path[] = { 1, 1, (double)NAN, 4, 5, 5, (double)INFINITY, 3 };
    canvas_line(canvas, -1e9, -1e9, -5, 1e9, 3, 0x000000);
    canvas_disc(canvas, 1e300, 5, 3, 0x000000);
    canvas_disc(canvas, (double)NAN, 5, 3, 0x000000);
    canvas_disc(canvas, -50, -50, 10, 0x000000);
    canvas_curve(canvas, path, 4, 1, 0x000000);
    canvas_curve(canvas, path, 0, 1, 0x000000);
    check_int(inked(canvas), 0);
    canvas_line(canvas, -1e6, 10, 1e6, 10, 2, 0x000000);
    check_int(inked(canvas), 40 * 4);
    canvas_disc(canvas, 10, 10, 1e4, 0x000000);
    check_int(inked(canvas), 40 * 40);
}

/* What was shaped before for another picture is the same; at another scale it is not. */
TEST(canvas_remembers_texts_between_pictures) {
    struct canvas_style style = { .size = 12, .colour = 0x000000 };
    struct canvas *one = blank(60, 20, 2), *two = blank(60, 20, 2), *small = blank(60, 20, 1);
    canvas_write(one, &style, 3, 3, "once more");
    canvas_write(two, &style, 3, 3, "once more");
    canvas_write(small, &style, 3, 3, "once more");
    check(memcmp(one->pixels, two->pixels, (size_t)(one->width * one->height)) == 0);
    check(inked(small) > 0 && inked(small) * 2 < inked(one));
}

/* More texts than are kept: the first ones are shaped anew. */
TEST(canvas_bears_many_texts) {
    struct canvas_style style = { .size = 60, .colour = 0x000000 };
    int64_t first = 0;
    for (int i = 0; i < 400; i++) {
        struct canvas *canvas = blank(400, 80, 1);
        canvas_write(canvas, &style, 3, 3, arena_printf(check_arena(), "text %d", i % 390));
        first = i == 0 ? inked(canvas) : first;
        check(i != 390 || inked(canvas) == first);
    }
}

TEST(canvas_darkens_what_arrives) {
    struct canvas *canvas = blank(40, 20, 1);
    canvas_darken(canvas);
    canvas_rect(canvas, 2, 2, 5, 5, COLOUR_QUIET);
    struct canvas_style style = { .size = 22, .colour = 0xffffff, .on = true };
    canvas_rect(canvas, 10, 0, 30, 20, 0xffffff);
    canvas_write(canvas, &style, 12, -4, "MI");
    check_int(canvas->palette[canvas->pixels[0]], colour_dark(COLOUR_PAPER));
    check_int(canvas->palette[canvas->pixels[3 * 40 + 3]], colour_dark(COLOUR_QUIET));
    double lightest = 0; /* white letters on what was white */
    for (int64_t i = 0; i < 800; i++) {
        lightest = fmax(lightest, colour_luminance(canvas->palette[canvas->pixels[i]]));
    }
    check(lightest > 0.9);
}

/* By hand: 3 x 2 cells of 1.5 pixels at 1, 1 end at 2.5, 4 and 5.5, so that edges fall on whole
 * pixels; the middle one of the first row is clear. */
TEST(canvas_cells_leave_no_seams) {
    struct canvas *canvas = blank(7, 5, 2);
    const unsigned char levels[] = { 0, CANVAS_CLEAR, 1, 1, 0, 1 };
    const uint32_t colours[] = { 0x112233, 0x445566 };
    canvas_rect(canvas, 0, 0, 7, 5, 0x777777);
    canvas_cells(canvas, &(struct canvas_cells){ 1, 1, 1.5, 1.5, 3, 2, levels, colours, 2 });
    for (int64_t y = 0; y < 10; y++) {
        for (int64_t x = 0; x < 14; x++) {
            bool inside = x >= 2 && x < 11 && y >= 2 && y < 8;
            unsigned char level = inside ? levels[(y - 2) / 3 * 3 + (x - 2) / 3] : CANVAS_CLEAR;
            uint32_t wanted = level == CANVAS_CLEAR ? 0x777777 : colours[level];
            check_int(canvas->palette[canvas->pixels[y * 14 + x]], wanted);
        }
    }
    canvas_cells(canvas, &(struct canvas_cells){ -3, 4, 5, 5, 3, 2, levels, colours, 2 });
}

/* One device pixel where these are coarse, about half a CSS pixel where they are fine. */
TEST(canvas_hairline_is_whole_pixels) {
    check_near(canvas_hairline(blank(1, 1, 1)), 1, 1e-9);
    check_near(canvas_hairline(blank(1, 1, 2)), 0.5, 1e-9);
    check_near(canvas_hairline(blank(1, 1, 6.25)), 3 / 6.25, 1e-9);
    check_near(canvas_hairline(blank(1, 1, 0.5)), 2, 1e-9);
}

TEST(canvas_halo_is_paper_round_the_letters) {
    struct canvas_style style = { .size = 20, .halo = true };
    struct canvas *canvas = blank(40, 30, 2), *bare = blank(40, 30, 2);
    canvas_rect(canvas, 0, 0, 40, 30, 0x336699);
    canvas_write(canvas, &style, 5, 2, "H");
    style.halo = false;
    canvas_write(bare, &style, 5, 2, "H");
    int64_t paper = 0, black = 0, letters = 0;
    for (int64_t i = 0; i < canvas->width * canvas->height; i++) {
        paper += canvas->palette[canvas->pixels[i]] == COLOUR_PAPER;
        black += canvas->palette[canvas->pixels[i]] == 0;
        letters += bare->palette[bare->pixels[i]] == 0;
    }
    check(paper > 100);
    check_int(black, letters);
}

/* Letters stand in the same places at every scale, so that a picture has one layout. */
TEST(canvas_measures_the_same_at_every_scale) {
    static const double scales[] = { 0.5, 1, 2, 3.125, 6.25 };
    struct canvas_style style = { .size = 11 };
    struct canvas_size two = canvas_measure(blank(1, 1, 2), &style, "attention of the cat 猫");
    for (int i = 0; i < 5; i++) {
        struct canvas_size size =
            canvas_measure(blank(1, 1, scales[i]), &style, "attention of the cat 猫");
        check_near(size.width, two.width, 0.05);
        check_near(size.height, two.height, 0.05);
    }
}
