#include "core/draw/png_out.h"

#include <string.h>

#include "tests/check.h"
#include "tests/png_read.h"

static struct canvas *striped(int colours, double scale) {
    struct err err = { 0 };
    struct canvas *canvas = canvas_new(check_arena(), colours * 2, 5, scale, &err);
    for (int i = 0; i < colours; i++) {
        canvas_rect(canvas, i * 2, 0, 2, 5,
                    (uint32_t)(0x010000 * i + 0x000300 * (i % 60) + 0x21));
    }
    return canvas;
}

static struct png_read *round_trip(const struct canvas *canvas, const struct png_note *notes,
                                   int n) {
    struct err err = { 0 };
    struct png_bytes png = png_out(canvas, notes, n, &err);
    check(png.bytes != NULL);
    struct png_read *read = png_read(check_arena(), png.bytes, png.length);
    check(read != NULL);
    return read;
}

TEST(png_out_gives_every_pixel_back) {
    static const int counts[] = { 1, 2, 3, 4, 15, 16, 200 };
    static const int bits[] = { 1, 2, 2, 4, 4, 8, 8 }; /* white is in every palette */
    for (int i = 0; i < 7; i++) {
        struct canvas *canvas = striped(counts[i], 1);
        struct png_read *png = round_trip(canvas, NULL, 0);
        check_int(png->bits, bits[i]);
        check_int(png->width, counts[i] * 2);
        check_int(png->height, 5);
        check(memcmp(png->places, canvas->pixels, (size_t)(png->width * png->height)) == 0);
        check_int(png_pixel(png, png->width - 1, 4),
                  canvas->palette[canvas->pixels[png->width - 1]]);
    }
}

TEST(png_out_says_its_resolution_and_texts) {
    struct png_note notes[] = { { "Description", "猫 looks at the cat" }, { "Source", "" } };
    struct png_read *png = round_trip(striped(3, 2), notes, 2);
    check_int(png->per_metre, 7559); /* 192 dots per inch */
    check_text(png->texts, "Description|");
    check_text(png->texts, "猫 looks at the cat");
    check(strstr(png->texts, "Source") == NULL);
}
