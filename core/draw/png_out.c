#include "core/draw/png_out.h"

#include <math.h>
#include <png.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/draw/shrink.h"

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
    if (canvas->clear) {
        png_set_tRNS(png, info, (png_const_bytep) "", 1, NULL);
    }
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
    png_write_info(png, info);
}

/* Pixels of a row side by side in as few bytes as the palette allows. */
static void pack(unsigned char *to, const unsigned char *pixels, int64_t width, int bits) {
    if (bits == 8) {
        memcpy(to, pixels, (size_t)width);
        return;
    }
    int64_t each = 8 / bits;
    memset(to, 0, (size_t)((width + each - 1) / each));
    for (int64_t i = 0; i < width; i++) {
        to[i / each] |= (unsigned char)(pixels[i] << (8 - bits - i % each * bits));
    }
}

static uint64_t word_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

typedef signed char lanes __attribute__((vector_size(16)));

static lanes lanes_at(const unsigned char *bytes) {
    lanes values;
    memcpy(&values, bytes, sizeof values);
    return values;
}

/* How often neighbours differ, which is about what the row will cost: sixteen at a time, as
 * often as a byte can count. */
static int64_t changes(const unsigned char *row, int64_t n) {
    int64_t sum = 0, i = 1;
    while (i + 16 <= n) {
        lanes counts = { 0 };
        for (int k = 0; k < 127 && i + 16 <= n; k++, i += 16) {
            counts -= lanes_at(row + i) != lanes_at(row + i - 1); /* true is -1 */
        }
        for (int lane = 0; lane < 16; lane++) {
            sum += counts[lane];
        }
    }
    for (; i < n; i++) {
        sum += row[i] != row[i - 1];
    }
    return sum;
}

/* Byte by byte, eight at a time: the highest bits are subtracted by themselves, so that none
 * borrows from its neighbour. */
static void subtract(unsigned char *to, const unsigned char *a, const unsigned char *b,
                     int64_t n) {
    const uint64_t high = 0x8080808080808080;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t x = word_at(a + i), y = word_at(b + i);
        uint64_t word = ((x | high) - (y & ~high)) ^ ((x ^ ~y) & high);
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < n; i++) {
        to[i] = (unsigned char)(a[i] - b[i]);
    }
}

/* The bytes that are compressed: each row behind a byte that says whether it is as it is or the
 * difference to the row above. A row like the one above it, of which pictures are full, costs
 * next to nothing as its difference; in others that is taken which changes less often. */
static unsigned char *filtered(struct arena *arena, const struct canvas *canvas,
                               int64_t *length) {
    int bits = bits_for(canvas->colours);
    int64_t stride = (canvas->width * bits + 7) / 8;
    unsigned char *bytes = arena_array(arena, canvas->height, (size_t)(stride + 1));
    unsigned char *above = arena_alloc(arena, (size_t)stride);
    unsigned char *here = arena_alloc(arena, (size_t)stride);
    for (int64_t row = 0; row < canvas->height; row++) {
        const unsigned char *pixels = canvas->pixels + row * canvas->width;
        unsigned char *to = bytes + row * (stride + 1);
        if (row % 256 == 0) {
            stop_check();
        }
        if (row > 0 && memcmp(pixels, pixels - canvas->width, (size_t)canvas->width) == 0) {
            to[0] = PNG_FILTER_VALUE_UP;
            continue;
        }
        pack(here, pixels, canvas->width, bits);
        subtract(to + 1, here, above, stride);
        to[0] = PNG_FILTER_VALUE_UP;
        if (changes(here, stride) <= changes(to + 1, stride)) {
            to[0] = PNG_FILTER_VALUE_NONE;
            memcpy(to + 1, here, (size_t)stride);
        }
        unsigned char *swap = above;
        above = here;
        here = swap;
    }
    *length = canvas->height * (stride + 1);
    return bytes;
}

struct png_bytes png_out(const struct canvas *canvas, const struct png_note *texts, int count,
                         struct err *err) {
    struct buf *out = buf_new(canvas->arena), *data = buf_new(canvas->arena);
    int64_t length;
    const unsigned char *bytes = filtered(canvas->arena, canvas, &length);
    shrink(canvas->arena, data, bytes, (size_t)length);
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
    png_write_chunk(png, (png_const_bytep) "IDAT", (png_const_bytep)data->data, data->length);
    png_write_chunk(png, (png_const_bytep) "IEND", NULL, 0);
    png_destroy_write_struct(&png, &info);
    return (struct png_bytes){ (const unsigned char *)out->data, out->length };
}
