#ifndef CORE_DRAW_NIBBLES_H
#define CORE_DRAW_NIBBLES_H

#include "core/base/buf.h"

/* nibbles: bytes most of which are small or 0, such as attention weights as bytes, in half
 * bytes, the upper one first:
 *
 *     0..13      that byte
 *     14, a, b   the byte 16 a + b
 *     15, a, b   16 a + b + 3 zeros
 *
 * The last half byte is 0 where their number is odd. At most one and a half times the bytes. */
struct buf *nibbles(struct arena *arena, const unsigned char *bytes, int64_t n);

#endif
