#ifndef CORE_DRAW_SHRINK_H
#define CORE_DRAW_SHRINK_H

#include <stddef.h>

#include "core/base/buf.h"

/* shrink: bytes compressed to a zlib stream (RFC 1950, RFC 1951), made for drawn pictures,
 * whose bytes are mostly runs: a run is found by comparing words, other repeats by one look at
 * the four places where the next four bytes stood last. Each 32,768 tokens have Huffman codes
 * of their own. What it works with is freed when it is done, or with the arena where an
 * interrupt ends it. ARCHITECTURE.md has its time and size beside a library's. */
void shrink(struct arena *arena, struct buf *out, const unsigned char *bytes, size_t n);

#endif
