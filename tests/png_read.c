#include "tests/png_read.h"

#include <string.h>
#include <zlib.h>

#include "core/base/buf.h"

static uint32_t big(const unsigned char *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void read_chunk(struct png_read *png, const unsigned char *name, uint32_t length,
                       struct buf *data, struct buf *texts) {
    const unsigned char *content = name + 4;
    if (memcmp(name, "IHDR", 4) == 0) {
        png->width = big(content);
        png->height = big(content + 4);
        png->bits = content[8];
        png->type = content[9];
    } else if (memcmp(name, "PLTE", 4) == 0) {
        png->colours = (int)length / 3;
        for (int i = 0; i < png->colours; i++) {
            png->palette[i] = big(content + 3 * i) >> 8;
        }
    } else if (memcmp(name, "pHYs", 4) == 0) {
        png->per_metre = big(content);
    } else if (memcmp(name, "IDAT", 4) == 0) {
        buf_add(data, content, length);
    } else if (memcmp(name + 1, "TXt", 3) == 0) {
        buf_add(texts, content, length);
        buf_char(texts, '\n');
    }
}

/* Rows of packed places, each after its filter byte. */
static unsigned char *unpack(struct arena *arena, const struct png_read *png,
                             const struct buf *data) {
    int64_t row = (png->width * png->bits + 7) / 8 + 1;
    uLongf length = (uLongf)(row * png->height);
    unsigned char *packed = arena_alloc(arena, length);
    if (uncompress(packed, &length, (const Bytef *)data->data, data->length) != Z_OK ||
        length != (uLongf)(row * png->height)) {
        return NULL;
    }
    unsigned char *places = arena_array(arena, png->height, (size_t)png->width);
    for (int64_t y = 0; y < png->height; y++) {
        unsigned char *line = packed + y * row;
        if (line[0] != 0 && (line[0] != 2 || y == 0)) {
            return NULL;
        }
        for (int64_t i = 1; line[0] == 2 && i < row; i++) { /* "up": a difference */
            line[i] = (unsigned char)(line[i] + line[i - row]);
        }
        for (int64_t x = 0; x < png->width; x++) {
            int64_t bit = x * png->bits;
            int shift = 8 - png->bits - (int)(bit % 8);
            places[y * png->width + x] =
                packed[y * row + 1 + bit / 8] >> shift & ((1 << png->bits) - 1);
        }
    }
    return places;
}

struct png_read *png_read(struct arena *arena, const unsigned char *bytes, size_t length) {
    struct png_read *png = arena_alloc(arena, sizeof *png);
    struct buf *data = buf_new(arena), *texts = buf_new(arena);
    if (length < 8 || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) != 0) {
        return NULL;
    }
    for (size_t at = 8; at + 12 <= length;) {
        uint32_t n = big(bytes + at);
        if (n > length - at - 12 ||
            big(bytes + at + 8 + n) != crc32(0, bytes + at + 4, n + 4)) {
            return NULL;
        }
        read_chunk(png, bytes + at + 4, n, data, texts);
        at += 12 + n;
    }
    for (size_t i = 0; i < texts->length; i++) { /* parts of a text end with NULs */
        texts->data[i] = texts->data[i] ? texts->data[i] : '|';
    }
    png->texts = texts->data;
    png->places = png->type == 3 ? unpack(arena, png, data) : NULL;
    return png->places ? png : NULL;
}

uint32_t png_pixel(const struct png_read *png, int64_t x, int64_t y) {
    return png->palette[png->places[y * png->width + x]];
}
