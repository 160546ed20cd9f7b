#include "core/draw/png_out.h"

#include <math.h>
#include <png.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"

static void take(png_structp png, png_bytep bytes, size_t length) {
    buf_add(png_get_io_ptr(png), bytes, length);
}

static void flush(png_structp png) {
    (void)png; /* the bytes are in memory */
}

static void refuse(png_structp png, png_const_charp why) {
    err_set(png_get_error_ptr(png), ERR_BUG, "libpng cannot write the picture: %s", why);
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp why) {
    (void)png, (void)why;
}

static int bits_for(int colours) {
    return colours <= 2 ? 1 : colours <= 4 ? 2 : colours <= 16 ? 4 : 8;
}

/* The header chunks. */
static void head(png_structp png, png_infop info, const struct canvas *canvas,
                 const struct png_note *texts, int count) {
    png_color palette[256];
    for (int i = 0; i < canvas->colours; i++) {
        uint32_t rgb = canvas->palette[i];
        palette[i] = (png_color){ (png_byte)(rgb >> 16), (png_byte)(rgb >> 8), (png_byte)rgb };
    }
    png_set_IHDR(png, info, (png_uint_32)canvas->width, (png_uint_32)canvas->height,
                 bits_for(canvas->colours), PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png, info, palette, canvas->colours);
    png_uint_32 per_metre = (png_uint_32)lround(96 / 0.0254 * canvas->scale);
    png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
    for (int i = 0; i < count; i++) {
        if (texts[i].value && *texts[i].value) {
            png_text text = { .compression = PNG_ITXT_COMPRESSION_NONE,
                              .key = (png_charp)(uintptr_t)texts[i].key,
                              .text = (png_charp)(uintptr_t)texts[i].value };
            png_set_text(png, info, &text, 1);
        }
    }
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE | PNG_FILTER_UP);
    png_set_compression_level(png, 6);
    png_set_compression_strategy(png,
                                 0); /* zlib's usual one, which libpng leaves for filters */
    png_write_info(png, info);
    png_set_packing(png);
}

/* Cells are strips of equal rows: a row like the one above it is told as such and costs next to
 * nothing. The others are left as they are, since neighbouring places of a palette are no
 * neighbouring numbers. */
static void write_rows(png_structp png, const struct canvas *canvas) {
    for (int64_t row = 0; row < canvas->height; row++) {
        const unsigned char *pixels = canvas->pixels + row * canvas->width;
        if (row > 0) { /* the first must find both ways open, or libpng keeps no row above */
            bool same = memcmp(pixels, pixels - canvas->width, (size_t)canvas->width) == 0;
            png_set_filter(png, PNG_FILTER_TYPE_BASE, same ? PNG_FILTER_UP : PNG_FILTER_NONE);
        }
        png_write_row(png, pixels);
    }
}

struct png_bytes png_out(const struct canvas *canvas, const struct png_note *texts, int count,
                         struct err *err) {
    struct buf *out = buf_new(canvas->arena);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, err, refuse, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        err_set(err, ERR_BUG, "libpng cannot be set up");
        return (struct png_bytes){ 0 };
    }
    if (setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return (struct png_bytes){ 0 };
    }
    png_set_write_fn(png, out, take, flush);
    head(png, info, canvas, texts, count);
    write_rows(png, canvas);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return (struct png_bytes){ (const unsigned char *)out->data, out->length };
}
