#ifndef KERNEL_FRONT_INSPECT_H
#define KERNEL_FRONT_INSPECT_H

#include <stddef.h>

#include "core/base/arena.h"

/* inspect: what Shift-Tab shows: help on the command of the line at the cursor, the option at
 * the cursor first. Made from the command table alone. */

struct inspection {
    const char *text;     /* text/plain */
    const char *markdown; /* text/markdown */
};

/* NULL if no command stands in that line. `cursor` in bytes, `language` "en" or "zh". */
struct inspection *inspect_at(struct arena *arena, const char *code, size_t length,
                              size_t cursor, const char *language);

struct front;
struct message;
void inspect_answer(struct front *front, struct message *request);

#endif
