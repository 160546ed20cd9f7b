#ifndef KERNEL_DOCTOR_MACHINE_H
#define KERNEL_DOCTOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

/* doctor_machine: what the machine and its libraries offer. */

/* Ports: 127.0.0.1 takes connections; ::1 as well, which is not needed. A proxy named in the
 * environment changes nothing, as ZeroMQ knows none. */
bool doctor_machine_network(struct arena *arena, struct buf *out);

bool doctor_machine_libraries(struct arena *arena, struct buf *out); /* libzmq */
bool doctor_machine_processor(struct arena *arena, struct buf *out); /* instruction sets */
bool doctor_machine_memory(struct arena *arena, struct buf *out);    /* budget, free */
bool doctor_machine_files(struct arena *arena, struct buf *out);     /* how many may be open */
bool doctor_machine_pictures(struct arena *arena, struct buf *out);  /* libraries, fonts */
bool doctor_machine_sandbox(struct arena *arena, struct buf *out);   /* of the worker */
bool doctor_machine_clock(struct arena *arena, struct buf *out);

/* What is said of a libzmq, of instruction sets (bits 1 << enum cpu_isa; `asked` is
 * CUTAWAY_ISA or NULL), of bytes, of how many files may be open, and of a clock that shows
 * `now` where the program was written at `built` (seconds since 1970), and that went back
 * between two looks by `back` ns. */
bool doctor_machine_say_zmq(struct buf *out, const int version[3], bool curve);
bool doctor_machine_say_isa(struct buf *out, unsigned sets, const char *asked);
bool doctor_machine_say_memory(struct buf *out, int64_t budget, int64_t room);
bool doctor_machine_say_files(struct buf *out, int64_t most);
bool doctor_machine_say_clock(struct buf *out, int64_t now, int64_t built, int64_t back);

#endif
