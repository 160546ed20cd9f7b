#ifndef KERNEL_WORKER_RUN_CELL_H
#define KERNEL_WORKER_RUN_CELL_H

#include "kernel/session/reply.h"
#include "kernel/session/session.h"

/* run_cell: one cell from its text to its reply; the one catch point of commands.
 *
 * All lines are checked before the first one runs, so that a slip of the pen in the last line
 * costs nothing. The first failure ends the cell; the session is as the lines before it left
 * it. */

struct run_request {
    const char *code;
    size_t length;
    int64_t count; /* execution count */
    bool silent;
    uint32_t expressions; /* user_expressions: names and texts */
    const char *const *names, *const *texts;
};

struct run_outcome {
    struct err err;        /* kind ERR_NONE: all went well */
    const char *evalue;    /* of a failure: its sentence in the session's language */
    const char *traceback; /* of a failure: coloured lines, parted by '\n' */
    const char *content;   /* of execute_reply, as JSON */
};

/* Returns 0, or -1 after a failure. What the outcome points to is in `arena`. */
int run_cell(struct arena *arena, struct session *session, const struct reply_sink *sink,
             const struct run_request *request, struct run_outcome *outcome);

#endif
