#ifndef KERNEL_FRONT_HISTORY_H
#define KERNEL_FRONT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* history: the cells that were run, kept across sessions in an SQLite file,
 *
 *     $XDG_DATA_HOME/cutaway/history.sqlite, else $JUPYTER_DATA_DIR/cutaway/...,
 *     else ~/.local/share/cutaway/...
 *
 * readable by its owner alone. Cells are written a moment after they were run, in one
 * transaction; several kernels may share the file. Where it cannot be written the history lives
 * in memory and ends with the kernel; a file that another program holds locked is tried again
 * later. */

struct history;
struct front;
struct message;

/* Where the environment puts the file; NULL without a home. */
const char *history_path(struct arena *arena);

/* `path` NULL: where the environment says. Nothing is opened yet. */
struct history *history_new(struct arena *arena, const char *path);

void history_add(struct history *history, int64_t line, const char *input, size_t length,
                 int64_t now);
void history_output(struct history *history, int64_t line, const char *output);

/* Writes what waits, when it is due. */
int64_t history_due(const struct history *history); /* ms; 0: nothing waits */
void history_tick(struct history *history, int64_t now);
void history_close(struct history *history); /* writes what waits, closes the file */

/* What is wrong with the file at `path`, which is there: -1 with a sentence that names it and
 * says what to do. For `cutaway doctor`; waits up to a second for a lock. */
int history_look(struct arena *arena, const char *path, struct err *err);

/* What is asked for. */
enum history_access { HISTORY_TAIL, HISTORY_RANGE, HISTORY_SEARCH };

struct history_query {
    enum history_access access;
    bool output;         /* pairs of input and output */
    bool unique;         /* SEARCH: each text once, where it came last */
    int64_t n;           /* TAIL, SEARCH: the newest n */
    int64_t session;     /* RANGE: 0 is this session, -1 the one before, 5 number five */
    int64_t start, stop; /* RANGE: lines start..stop-1 */
    const char *pattern; /* SEARCH: a glob */
};

/* Appends `[[session, line, input], ...]`, oldest first; input is [input, output] where wanted.
 */
void history_read(struct history *history, const struct history_query *query, struct buf *out);

void history_answer(struct front *front, struct message *request);

#endif
