#ifndef KERNEL_RELAY_RELAY_H
#define KERNEL_RELAY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

/* relay: what supervisor (front) and worker say to each other, as frames of core/base/pipe over
 * one socket pair whose worker end is RELAY_FD. The worker is this same program, started as
 * `cutaway worker`, in a process group of its own.
 *
 * An interrupt is SIGINT from the front to the worker, sent only while a request runs there.
 * The front writes the next request after the signal, and the worker clears its stop flag when
 * it reads a request, so a late interrupt cannot hit the next cell. */

enum { RELAY_FD = 3 };

enum relay_kind {
    /* front -> worker */
    RELAY_RESTORE =
        1,         /* session_state text; sent first, once (may be empty). Answered by NAMES. */
    RELAY_EXECUTE, /* struct relay_execute, then code, then expressions as "name\0text\0"... */

    /* worker -> front */
    RELAY_STREAM = 16, /* u8 1: stdout, 2: stderr; then text */
    RELAY_MESSAGE,     /* iopub message: type, NUL, then its content as JSON */
    RELAY_NAMES,       /* session_names text; whenever it changed, before DONE */
    RELAY_STATE,       /* session_state text; whenever it changed, before DONE */
    RELAY_DONE, /* u8 status (RELAY_OK, RELAY_ERROR); then the execute_reply's content as JSON
                 */
};

/* Who says what. MESSAGE types are display_data, update_display_data, execute_result and
 * clear_output alone; the front drops others. The `error` message is the front's: it takes
 * ename, evalue and traceback from a DONE with RELAY_ERROR. In a silent cell the front drops
 * STREAM and MESSAGE. A STREAM between cells (complaints of a restore) is shown with the next
 * cell. */

enum { RELAY_OK = 0, RELAY_ERROR = 1 };

struct relay_execute {
    int64_t count; /* execution_count to report */
    uint64_t code_length;
    uint32_t expressions; /* user_expressions that follow the code */
    uint8_t silent;
    uint8_t spare[3];
};

/* Splits an EXECUTE frame. Returns 0, or -1 if it is malformed. `code` is a terminated copy in
 * the arena (head->code_length long: it may hold NULs); names and texts are arrays in the arena
 * of head->expressions strings that point into `bytes`. */
int relay_execute_read(struct arena *arena, const char *bytes, size_t length,
                       struct relay_execute *head, const char **code, const char ***names,
                       const char ***texts);

/* Appends what relay_execute_read reads. Sets head's code_length from `length`; the caller has
 * set the rest. An inner NUL ends a name or text. */
void relay_execute_write(struct buf *out, struct relay_execute head, const char *code,
                         size_t length, const char *const *names, const char *const *texts);

#endif
