#ifndef TESTS_FUZZ_PRETEND_H
#define TESTS_FUZZ_PRETEND_H

#include <stdbool.h>

#include "kernel/front/front.h"

/* pretend: the supervisor as it is, but for its ends: what it sends to Jupyter is checked here
 * and goes nowhere, and the worker that it starts is this program, which reads and writes the
 * far end of its pipe.
 *
 * The fuzz programs are linked so that libzmq's functions that send, sockets_open, front_log,
 * fork, kill, wait4 and socketpair come here first. */

/* A supervisor with a worker, before its first message; pretend_end frees all of it. */
struct front *pretend_begin(void);
void pretend_end(struct front *front);

/* A request arrives and is answered. `buffers` go with it. */
void pretend_ask(struct front *front, struct frame type, struct frame content,
                 const struct frame *buffers, int buffer_count);

/* The worker does what it was told, and the history answers what it was asked: a cell ends
 * well, or badly if its code has "%%bad" in it; a setting is taken; a tile cannot be had.
 * Whatever is no such request must be well formed too.
 */
void pretend_work(struct front *front);

/* The worker writes these bytes, whatever they are. Returns whether the supervisor gives it up.
 */
bool pretend_write(struct front *front, const char *bytes, size_t length);

/* The same, as one frame. */
bool pretend_frame(struct front *front, uint32_t kind, const char *bytes, size_t length);

/* What was sent since pretend_begin. */
struct pretend_sent {
    int busy, idle, replies, errors; /* errors: on iopub */
    char reply[64];                  /* msg_type of the last reply */
};
const struct pretend_sent *pretend_sent(void);

#endif
