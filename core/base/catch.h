#ifndef CORE_BASE_CATCH_H
#define CORE_BASE_CATCH_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/err.h"

/* catch: the one place where a command ends that cannot go on.
 *
 * Two things end a command at once, wherever it is: memory that is not to be had, and the
 * user's interrupt. Both jump to the catch point that the worker set, which frees the cell's
 * arena (closing what was deferred to it) and replies. Lua's protected call is the precedent.
 *
 *     struct catch here;
 *     if (setjmp(catch_set(&here)->place) == 0) { run the command; } else { err = here.err; }
 *     catch_end(&here);
 *
 * Conditions: only the command's own thread allocates from arenas or calls stop_check; tasks of
 * the pool get their memory handed in and return early when stop_wanted(). */

struct catch {
    jmp_buf place;
    struct err err;
    struct catch *outer;
};

struct catch *catch_set(struct catch *here); /* makes it the innermost; returns it */
void catch_end(struct catch *here);          /* takes it away; harmless after a jump */

/* Ends the command with this error. Without a catch point the program says the error on stderr
 * and exits with 70. */
_Noreturn void catch_throw(enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The interrupt. stop_request is safe in a signal handler. */
void stop_request(void);
void stop_clear(void);
void stop_settle(void); /* it was obeyed, and what there is is still shown: it may be said again
                           until stop_clear without effect */
void stop_hold(void);   /* all is done and only to be shown: one that comes is kept back */
void stop_release(void); /* until here */
bool stop_wanted(void);
void stop_check(void); /* throws ERR_STOP when one is wanted */

/* So many elements, or bytes, of a tight loop go between two looks: less than a millisecond. */
enum { STOP_EVERY = 1 << 16 };

#endif
