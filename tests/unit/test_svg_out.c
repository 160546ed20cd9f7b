#include "core/draw/svg_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/draw/canvas_record.h"
#include "tests/check.h"
#include "tests/png_read.h"
#include "tests/xml_read.h"

static struct canvas *blank(void) {
    struct err err = { 0 };
    struct canvas *canvas = canvas_record_new(check_arena(), 300, 100, 2, false, &err);
    check_same(err.text, "");
    return canvas;
}

static const struct xml_read *svg_of(const struct canvas *canvas) {
    struct err err = { 0 };
    const struct svg_words words = { "en", "<a> & \"b\"", "what\x01 it 'shows'" };
    const struct buf *svg = svg_out(canvas, 300, 100, &words, &err);
    const char *why;
    check_same(err.text, "");
    const struct xml_read *read = xml_read(check_arena(), svg->data, svg->length, &why);
    check_same(why, "");
    return read;
}

/* The number of an attribute, the first of that name. */
static double number(const struct xml_read *svg, const char *name) {
    const char *line = arena_printf(check_arena(), "\n%s=", name);
    const char *at = strstr(svg->attributes, line);
    return check(at) ? strtod(at + strlen(line), NULL) : 0;
}

TEST(svg_out_escapes_title_and_description) {
    const struct xml_read *svg = svg_of(blank());
    check_same(svg->title, "<a> & \"b\"");
    check_same(svg->desc, "what␁ it 'shows'");
    check_text(svg->attributes, "viewBox=0 0 300 100\n");
    check_text(svg->attributes, "xml:lang=en\n");
}

/* The line box of 12 pixels stands with its middle at 50, 40; its letters on the base line. */
TEST(svg_out_keeps_text_where_pango_puts_it) {
    struct canvas *canvas = blank();
    struct canvas_style style = { .size = 12, .x = 0.5, .y = 0.5 };
    canvas_write(canvas, &style, 50, 40, "x < y & 猫");
    const struct xml_read *svg = svg_of(canvas);
    struct canvas_size size = canvas_measure(canvas, &style, "x < y & 猫");
    check_same(svg->texts, "x < y & 猫\n");
    check_near(number(svg, "textLength"), size.width, 0.02);
    check_near(number(svg, "font-size"), 12, 1e-9);
    const char *text = strstr(svg->attributes, "textLength");
    double x = 0, y = 0;
    for (const char *at = svg->attributes; at < text; at = strchr(at, '\n') + 1) {
        x = strncmp(at, "x=", 2) == 0 ? strtod(at + 2, NULL) : x;
        y = strncmp(at, "y=", 2) == 0 ? strtod(at + 2, NULL) : y;
    }
    check_near(x, 50 - size.width / 2, 0.02);
    check(y > 40 && y < 40 + size.height / 2);
}

/* Each line of a text that wraps is a text of its own, lower than the one before. */
TEST(svg_out_breaks_lines_as_pixels_do) {
    struct canvas *canvas = blank();
    struct canvas_style style = { .size = 12, .bold = true, .width = 60 };
    canvas_write(canvas, &style, 0, 0, "one two three four");
    const struct xml_read *svg = svg_of(canvas);
    int lines = 0;
    for (const char *at = svg->texts; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    check(lines >= 2);
    check_near(canvas_measure(canvas, &style, "one two three four").height / lines,
               canvas_measure(canvas, &style, "one").height, 0.6);
    check_text(svg->attributes, "font-weight=bold\n");
}

TEST(svg_out_turns_text_and_writes_from_the_right) {
    struct canvas *canvas = blank();
    struct canvas_style style = { .size = 12, .angle = 45 };
    canvas_write(canvas, &style, 7, 8, "قطة");
    canvas_write(canvas, &style, 7, 8, "‍ط‍"); /* as between others */
    const struct xml_read *svg = svg_of(canvas);
    check_text(svg->attributes, "direction=rtl\n");
    check_text(svg->attributes, "text-anchor=middle\n"); /* right whoever heeds direction */
    check(!strstr(svg->attributes, "textLength"));       /* Inkscape draws none with it */
    check_text(svg->attributes, "transform=rotate(-45 7 8)\n");
    check_same(svg->texts, "قطة\n‍ط‍\n");
}

/* Two columns of three; one colour is one path of its cells, what is clear is nothing. */
TEST(svg_out_has_rectangles_for_large_cells) {
    struct canvas *canvas = blank();
    canvas_cells(canvas, &(struct canvas_cells){
                             .x = 10,
                             .y = 20,
                             .width = 15,
                             .height = 15,
                             .columns = 2,
                             .rows = 3,
                             .levels = (const unsigned char[]){ 0, 1, 1, 0, CANVAS_CLEAR, 0 },
                             .colours = (const uint32_t[]){ 0x112233, 0x445566 },
                             .count = 2 });
    const struct xml_read *svg = svg_of(canvas);
    check_text(svg->attributes,
               "d=M10 20h15v15h-15zM25 35h15v15h-15zM25 50h15v15h-15z\nfill=#112233\n");
    check_text(svg->attributes, "d=M25 20h15v15h-15zM10 35h15v15h-15z\nfill=#445566\n");
    check(!strstr(svg->elements, "image"));
}

static int value_of(char c) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static struct buf *from_base64(const char *text) {
    struct buf *out = buf_new(check_arena());
    int bits = 0;
    for (unsigned sum = 0; value_of(*text) >= 0; text++) {
        sum = sum << 6 | (unsigned)value_of(*text);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buf_char(out, (char)(sum >> bits));
        }
    }
    return out;
}

/* Cells of 4 pixels: an image of 2 x 2 pixels each, whose colours are theirs. */
TEST(svg_out_has_an_image_for_small_cells) {
    struct canvas *canvas = blank();
    const unsigned char levels[] = { 0, 1, CANVAS_CLEAR, 1, 0, 0 };
    const uint32_t colours[] = { 0x112233, 0x445566 };
    canvas_cells(canvas, &(struct canvas_cells){ 10, 20, 4, 4, 3, 2, levels, colours, 2 });
    const struct xml_read *svg = svg_of(canvas);
    static const char head[] = "xlink:href=data:image/png;base64,";
    const char *at = strstr(svg->attributes, head);
    check_text(svg->attributes, "x=10\ny=20\nwidth=12\nheight=8\n");
    check_text(svg->attributes, "image-rendering=optimizeSpeed\n");
    if (!check(at)) {
        return;
    }
    const struct buf *png = from_base64(at + strlen(head));
    const struct png_read *read =
        png_read(check_arena(), (const unsigned char *)png->data, png->length);
    if (!check(read && read->width == 6 && read->height == 4)) {
        return;
    }
    for (int i = 0; i < 24; i++) {
        unsigned char level = levels[i / 6 / 2 * 3 + i % 6 / 2];
        if (level == CANVAS_CLEAR) {
            check_int(read->places[i], 0);
        } else {
            check_int(png_pixel(read, i % 6, i / 6), colours[level]);
        }
    }
    check(memmem(png->data, png->length, "tRNS", 4) != NULL); /* place 0 is seen through */
}

TEST(svg_out_draws_shapes) {
    struct canvas *canvas = blank();
    const double path[] = { 1, 2, 3, 4, (double)NAN, 0, 5, 6, 7, 8.25 };
    canvas_curve(canvas, path, 5, 1.5, 0xabcdef);
    canvas_disc(canvas, 9, 10, 2, 0x010203);
    canvas_wedge(canvas, (struct canvas_upright){ 0, 0, 10 },
                 (struct canvas_upright){ 5, 2, 2 }, 0x334455);
    const struct xml_read *svg = svg_of(canvas);
    check_text(svg->attributes, "d=M1 2L3 4M5 6L7 8.25\nfill=none\nstroke=#abcdef\n");
    check_text(svg->attributes, "cx=9\ncy=10\nr=2\nfill=#010203\n");
    check_text(svg->attributes, "d=M0 0L5 2L5 2.5L0 10Z\nfill=#334455\n");
}

TEST(svg_out_writes_rims_below_their_texts) {
    struct canvas *canvas = blank();
    struct canvas_style style = { .size = 12, .colour = 0x123456, .halo = true };
    canvas_write(canvas, &style, 7, 8, "cat");
    const struct xml_read *svg = svg_of(canvas);
    check_same(svg->texts, "cat\ncat\n");
    const char *rim = strstr(svg->attributes, "aria-hidden=true\nstyle=user-select:none\n");
    const char *text = strstr(svg->attributes, "fill=#123456");
    check(rim && text && rim < text);
}
