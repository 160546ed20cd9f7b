#include "core/draw/canvas_pdf.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/draw/canvas_record.h"
#include "tests/check.h"

static struct canvas *blank(void) {
    struct err err = { 0 };
    struct canvas *canvas = canvas_record_new(check_arena(), 300, 100, 2, false, &err);
    check_same(err.text, "");
    return canvas;
}

static struct buf *pdf_of(const struct canvas *canvas) {
    struct err err = { 0 };
    struct buf *pdf = canvas_pdf(canvas, 300, 100, "A title", "什么", &err);
    check_same(err.text, "");
    return pdf;
}

static const char *find(const struct buf *in, const char *what, const char *from) {
    const char *end = in->data + in->length;
    return memmem(from, (size_t)(end - from), what, strlen(what));
}

static int count(const struct buf *in, const char *what) {
    int n = 0;
    for (const char *at = in->data; (at = find(in, what, at)); at += strlen(what)) {
        n++;
    }
    return n;
}

/* All of its compressed streams, opened. */
static struct buf *streams_of(const struct buf *pdf) {
    struct buf *out = buf_new(check_arena());
    enum { ROOM = 4 << 20 };
    unsigned char *room = arena_alloc(check_arena(), ROOM);
    for (const char *at = pdf->data; (at = find(pdf, "stream\n", at));) {
        at += strlen("stream\n");
        uLongf length = ROOM;
        z_stream z = { .next_in = (Bytef *)(uintptr_t)at,
                       .avail_in = (uInt)(pdf->data + pdf->length - at),
                       .next_out = room,
                       .avail_out = ROOM };
        if (inflateInit(&z) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END) {
            length = z.total_out;
            buf_add(out, room, length);
        }
        inflateEnd(&z);
    }
    return out;
}

/* Letters of the fonts are said to be these characters, in the maps that copying reads. */
static bool has_letters(const struct buf *streams, const char *text) {
    bool all = true;
    for (size_t i = 0; i < strlen(text);) {
        uint32_t code = 0;
        int n = utf8_decode(text + i, strlen(text) - i, &code);
        const char *hex = code < 0x10000 ? arena_printf(check_arena(), "<%04x>", code)
                                         : arena_printf(check_arena(), "<%04x%04x>",
                                                        0xd800 + ((code - 0x10000) >> 10),
                                                        0xdc00 + ((code - 0x10000) & 0x3ff));
        all = all && find(streams, hex, streams->data);
        i += (size_t)n;
    }
    return all;
}

TEST(canvas_pdf_keeps_text_that_can_be_searched) {
    struct canvas *canvas = blank();
    struct canvas_style style = { .size = 12, .colour = 0x102030 }, turned = style;
    turned.angle = 45;
    canvas_write(canvas, &style, 10, 10, "Hxj 猫");
    canvas_write(canvas, &turned, 100, 50, "Ωя😀");
    const struct buf *pdf = pdf_of(canvas);
    check(memcmp(pdf->data, "%PDF-1.", 7) == 0);
    check_int(count(pdf, "/Type /Page\n") + count(pdf, "/Type /Page "), 1);
    check(count(pdf, "/FontFile") >= 2); /* the letters travel along */
    check(count(pdf, "/ToUnicode") >= 2);
    const struct buf *streams = streams_of(pdf);
    check(has_letters(streams, "Hxj猫Ωя😀"));
    check(!has_letters(streams, "Q"));
}

/* Title and description, in ASCII or UTF-16; no time of day. */
TEST(canvas_pdf_says_what_it_shows_and_not_when) {
    const struct buf *pdf = pdf_of(blank());
    check(find(pdf, "/Title (A title)", pdf->data) != NULL);
    check(find(pdf, "/Subject <FEFF4EC04E48>", pdf->data) != NULL);
    check(find(pdf, "/Creator (Cutaway)", pdf->data) != NULL);
    check(!find(pdf, "Date", pdf->data));
    check(find(pdf, "/MediaBox [ 0 0 225 75 ]", pdf->data) != NULL); /* in points */
}

TEST(canvas_pdf_is_the_same_again) {
    struct canvas_style style = { .size = 12, .halo = true };
    const struct buf *made[3];
    for (int i = 0; i < 3; i++) {
        struct canvas *canvas = blank();
        canvas_write(canvas, &style, 10, 10, i == 1 ? "others, قطة" : "the cat 猫");
        canvas_line(canvas, 3, 3, 90, 80, 2, 0x00ff00);
        made[i] = pdf_of(canvas);
    }
    check_int(made[0]->length, made[2]->length);
    check(memcmp(made[0]->data, made[2]->data, made[0]->length) == 0);
}

/* Cells too many for rectangles are one image whose pixels keep their edges. */
TEST(canvas_pdf_has_an_image_of_many_cells) {
    struct canvas *canvas = blank();
    unsigned char levels[100 * 40];
    for (int i = 0; i < 100 * 40; i++) {
        levels[i] = (unsigned char)(i % 3);
    }
    canvas_cells(canvas, &(struct canvas_cells){ .width = 2,
                                                 .height = 2,
                                                 .columns = 100,
                                                 .rows = 40,
                                                 .levels = levels,
                                                 .colours = (const uint32_t[]){ 1, 2, 3 },
                                                 .count = 3 });
    const struct buf *pdf = pdf_of(canvas);
    check(count(pdf, "/Subtype /Image") >= 1);
    check_int(count(pdf, "/Interpolate true"), 0);
    check(pdf->length < 20000);
}

/* Among clear ones they are rectangles: an image that lets through has no clean edges. */
TEST(canvas_pdf_has_rectangles_of_cells_among_clear_ones) {
    struct canvas *canvas = blank();
    const unsigned char levels[] = { 0, 0, CANVAS_CLEAR, 1, CANVAS_CLEAR, 0, 0, 0 };
    const uint32_t colours[] = { 0xff0000, 0x0000ff };
    canvas_cells(canvas, &(struct canvas_cells){ 4, 4, 4, 4, 4, 2, levels, colours, 2 });
    const struct buf *pdf = pdf_of(canvas), *streams = streams_of(pdf);
    check_int(count(pdf, "/Subtype /Image"), 0);
    check_int(count(streams, "1 0 0 rg"), 1); /* all of a colour at once */
    check_int(count(streams, "0 0 1 rg"), 1);
}

/* What the memory that is left does not suffice for: thrown on when Cairo has closed its own
 * (the leak checker sees to that). */
static enum err_kind thrown_with(const struct canvas *canvas, int64_t left) {
    struct catch here;
    struct err err = { 0 };
    arena_budget(arena_held() + left);
    if (setjmp(catch_set(&here)->place) == 0) {
        canvas_pdf(canvas, 300, 100, "A title", "what", &err);
    }
    catch_end(&here);
    arena_budget(0);
    check_same(err.text, "");
    return here.err.kind;
}

TEST(canvas_pdf_throws_on_what_writing_throws) {
    struct canvas_style style = { .size = 12 };
    struct canvas *canvas = blank();
    canvas_write(canvas, &style, 10, 10, "Hxj");
    check_int(thrown_with(canvas, 4096), ERR_MEMORY);
    check_int(thrown_with(canvas, 4 << 20), ERR_NONE);
}

TEST(canvas_pdf_throws_on_what_drawing_throws) {
    struct canvas *canvas = blank();
    static unsigned char levels[1000 * 400];
    canvas_cells(canvas, &(struct canvas_cells){ .width = 0.2,
                                                 .height = 0.2,
                                                 .columns = 1000,
                                                 .rows = 400,
                                                 .levels = levels,
                                                 .colours = (const uint32_t[]){ 1 },
                                                 .count = 1 });
    check_int(thrown_with(canvas, 1 << 20), ERR_MEMORY);
}
