#ifndef KERNEL_WIRE_MULTIPART_H
#define KERNEL_WIRE_MULTIPART_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "kernel/wire/frames.h"

/* multipart: the frames of one message, off a socket and on to it. */

/* Takes all frames of one message off the socket and copies them into the arena, as long as
 * they are not too many and all together not too large; else the rest is dropped and *cut.
 * Returns their number, 0 if no message is there. One that there is no memory for is dropped
 * whole, and this ends by ERR_MEMORY. */
int multipart_take(struct arena *arena, void *socket, struct frame frames[FRAMES_MOST],
                   bool *cut);

/* Sends frames that more will follow. -1: the first is the identity of somebody who is not
 * there, and the socket is one that says so; nothing was sent. */
int multipart_begin(void *socket, const struct frame *frames, int count);

#endif
