#ifndef KERNEL_DOCTOR_H
#define KERNEL_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

/* doctor: what keeps Cutaway from working here, and how to mend it.
 *
 * A report of one line for each thing looked at, the most important first: what Jupyter would
 * start, ports, folders, the history, models, libraries, processor, memory, fonts, the
 * extension, the clock. A line begins with "ok", with "note" (it works, but not as it might) or
 * with "BAD", and then ends with what to do. Each look is made by a process of its own, so that
 * one that crashes, or waits for a network drive that is gone, is a line too. */

/* `cutaway doctor`. Returns the exit status: 0 all is well, 1 something is to be mended, 2
 * usage. */
int doctor_main(int argc, char **argv);

enum doctor_verdict { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_BAD };

/* Adds a line, without control characters. Returns whether it is not BAD, so that a look can
 * end with it. */
bool doctor_say(struct buf *out, enum doctor_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One look: adds its lines to `out`, and returns whether all is well. */
typedef bool doctor_look(struct arena *arena, struct buf *out);

/* Makes the look in another process. One that has not ended after `seconds`, or that crashed,
 * is a BAD line about `what`. */
bool doctor_apart(struct arena *arena, struct buf *out, const char *what, doctor_look *look,
                  int seconds);

/* What a program writes to stdout, at most 64 KB; argv ends with NULL, its first is a path.
 * NULL where it cannot be started, fails, or takes longer than `seconds`. */
const char *doctor_ask(struct arena *arena, const char *const *argv, int seconds);

/* The program that a name means: a path as it is, else the first on PATH. NULL: none that can
 * be run. */
const char *doctor_program(struct arena *arena, const char *name);

/* The folder that a path lies in. */
char *doctor_parent(struct arena *arena, const char *path);

#endif
