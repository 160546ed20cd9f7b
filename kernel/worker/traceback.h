#ifndef KERNEL_WORKER_TRACEBACK_H
#define KERNEL_WORKER_TRACEBACK_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* traceback: a failed cell, as people read it: the class and the sentence, then the offending
 * line with a mark under what is meant. Coloured with ANSI escapes, readable without them:
 *
 *     BadOption: --layer 12 is out of range: there are 6, 0 to 5, or -6 to -1 counted from the
 * end 1 | %%attention --layer 12 |                     ^^
 *
 * Lines are parted by '\n'. In Chinese if `zh`, where the error has a sentence in it. Names of
 * C functions show only when CUTAWAY_DEBUG is set. */
const char *traceback(struct arena *arena, const struct err *err, bool zh, const char *code,
                      size_t length);

#endif
