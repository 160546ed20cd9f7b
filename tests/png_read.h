#ifndef TESTS_PNG_READ_H
#define TESTS_PNG_READ_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

/* png_read: reads palette PNGs with no filter but "up", as ours are, so that tests see the
 * pixels. */

struct png_read {
    int64_t width, height;
    int bits, type; /* of the header; type 3 is palette */
    int colours;
    uint32_t palette[256];
    uint32_t per_metre;    /* of pHYs; 0: absent */
    unsigned char *places; /* [height, width], in the palette */
    const char *texts;     /* all iTXt and tEXt contents, one a line */
};

/* NULL if the bytes are not such a PNG. */
struct png_read *png_read(struct arena *arena, const unsigned char *bytes, size_t length);

/* 0xRRGGBB at device pixel x, y. */
uint32_t png_pixel(const struct png_read *png, int64_t x, int64_t y);

#endif
