#ifndef KERNEL_WIRE_GLEAN_H
#define KERNEL_WIRE_GLEAN_H

#include "core/base/arena.h"
#include "kernel/wire/frames.h"

/* glean: what can be read of a request's header that as a whole cannot be read, so that whoever
 * sent it gets an error reply rather than silence.
 *
 * The bytes are signed, but may be no JSON (NaN, half of it, bytes that are not UTF-8) or JSON
 * that is not taken (a key twice, an integer beyond 64 bits, a hundred levels). Brackets and
 * strings alone are looked at, so nothing else can be in the way: what stands as text behind a
 * header's own six names, at the first level, counts. Of a name that comes twice the last
 * counts, as with JSON.parse and Python's json. Time: one look at each byte. */

enum { GLEAN_MOST = 1024 }; /* bytes of a text that is taken */

/* The header of what was found, "{}" at least, written anew, so that an answer can repeat it to
 * anybody as its parent. */
struct frame glean(struct arena *arena, struct frame header);

#endif
