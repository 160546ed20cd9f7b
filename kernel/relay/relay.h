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

enum {
    RELAY_FD = 3,
    RELAY_KEEP_FD = 4 /* a file of no name, the same for every worker
                       * (kernel/session/journal.h); may be missing */
};

enum relay_kind {
    /* front -> worker */
    RELAY_RESTORE =
        1,         /* session_state text; sent first, once (may be empty). Answered by NAMES. */
    RELAY_EXECUTE, /* struct relay_execute, then code, then expressions as "name\0text\0"... */
    RELAY_SET,     /* u64 ticket, then "name\0value\0": a setting. Answered by SETTLED. */
    RELAY_TILE,    /* struct relay_tile, then "result\0series\0". Answered by TILED. */
    RELAY_ANSWER,  /* u8 relay_answered, then the answer's text, or why there is none */
    RELAY_GRANT,   /* before all others, once: what lies outside of the usual places and a cell
                      names, "rPATH\0" to be read or "wPATH\0" to be written too. */

    /* worker -> front */
    RELAY_STREAM = 16, /* u8 1: stdout, 2: stderr; then text */
    RELAY_MESSAGE,     /* iopub message: type, NUL, then its content as JSON */
    RELAY_NAMES,       /* session_names text; whenever it changed, before DONE */
    RELAY_STATE,       /* session_state text; whenever it changed, before DONE */
    RELAY_STATUS,      /* overview_state JSON; whenever it changed, before DONE or SETTLED */
    RELAY_SITES,       /* overview_sites JSON; whenever models came or went */
    RELAY_PROGRESS,    /* struct relay_progress, then what is done; no text: it is done */
    RELAY_SETTLED,     /* u64 ticket */
    RELAY_TILED,       /* struct relay_tiled, then float32 numbers, or why there are none */
    RELAY_INPUT, /* u8 1: not to be seen while it is typed; then what is asked. Answered by
                    ANSWER. */
    RELAY_DONE,  /* u8 status (RELAY_OK, RELAY_ERROR); then the execute_reply's content as JSON
                  */
};

/* A cell runs from EXECUTE to DONE; SET and TILE may come while it does and are answered after
 * it, in the order in which they came. A ticket is the front's and comes back unchanged.
 *
 * Who says what. MESSAGE types are display_data, update_display_data, execute_result and
 * clear_output alone; the front drops others. The `error` message is the front's: it takes
 * ename, evalue and traceback from a DONE with RELAY_ERROR. In a silent cell the front drops
 * STREAM and MESSAGE. A STREAM between cells (complaints of a restore) is shown with the next
 * cell. */

enum { RELAY_OK = 0, RELAY_ERROR = 1 };

/* A cell that may ask (`asks`) waits for the ANSWER of each INPUT: text of the reader, an end
 * of file, or a sentence that says why nothing comes. An interrupted cell waits no more; an
 * ANSWER that was under way then is read before the next EXECUTE, and dropped. */
enum relay_answered { RELAY_TEXT = 0, RELAY_END = 1, RELAY_REFUSED = 2 };

struct relay_execute {
    int64_t count; /* execution_count to report */
    uint64_t code_length;
    uint32_t expressions; /* user_expressions that follow the code */
    uint8_t silent;
    uint8_t asks; /* the front end can be asked for input */
    uint8_t spare[2];
};

enum { RELAY_RANK = 5 };

struct relay_tile {
    uint64_t ticket;
    uint32_t places; /* how many axes are fixed, 0..RELAY_RANK */
    uint32_t spare;
    int64_t at[RELAY_RANK];
};

struct relay_tiled {
    uint64_t ticket;
    uint32_t good; /* 0: a sentence follows */
    uint32_t rank; /* of what is left, 0..RELAY_RANK */
    int64_t shape[RELAY_RANK];
};

struct relay_progress {
    int64_t done, total; /* total 0: not known */
    double left;         /* seconds; negative: not known */
};

/* Splits an EXECUTE frame. Returns 0, or -1 if it is malformed. `code` is a terminated copy in
 * the arena (head->code_length long: it may hold NULs); names and texts are arrays in the arena
 * of head->expressions strings that point into `bytes`. */
int relay_execute_read(struct arena *arena, const char *bytes, size_t length,
                       struct relay_execute *head, const char **code, const char ***names,
                       const char ***texts);

/* Splits a TILED frame. Returns 0, or -1 if it is malformed: no shape, other bytes than the
 * shape says, or a sentence that no struct err holds. `rest` is what follows the head, of
 * `*rest_length` bytes. */
int relay_tiled_read(const char *bytes, size_t length, struct relay_tiled *head,
                     const char **rest, size_t *rest_length);

/* The two strings of a SET or TILE frame, behind a head of `head` bytes; -1 if it is malformed.
 * They point into `bytes`. */
int relay_pair_read(const char *bytes, size_t length, size_t head, const char *pair[2]);

/* Appends what relay_execute_read reads. Sets head's code_length from `length`; the caller has
 * set the rest. An inner NUL ends a name or text. */
void relay_execute_write(struct buf *out, struct relay_execute head, const char *code,
                         size_t length, const char *const *names, const char *const *texts);

#endif
