#ifndef KERNEL_FRONT_HISTORY_FILE_H
#define KERNEL_FRONT_HISTORY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

/* history_file: cells in an SQLite file that several kernels write at once.
 *
 *     session  number, start
 *     cell     session, line, input, output
 *
 * What comes in lies in memory first and is moved to the file in one transaction; where that
 * cannot be (a lock, a full disk, a file that may only be read) it stays there, can be read all
 * the same, and is moved later. On a disk of this machine the file is in WAL mode, so readers
 * and one writer do not wait for each other; WAL does not work over a network, so there a
 * rollback journal is used. A damaged file is moved aside and a new one begun; a file that was
 * moved or deleted meanwhile is begun anew too.
 *
 * Everything here may wait for disks and for other kernels, so a thread of its own calls it
 * (history.h); it takes no memory from arenas. */

struct history_file;

/* What is asked for. */
enum history_access { HISTORY_TAIL, HISTORY_RANGE, HISTORY_SEARCH };

struct history_query {
    enum history_access access;
    bool output;         /* pairs of input and output */
    bool unique;         /* SEARCH: each text once, where it came last */
    int64_t n;           /* TAIL, SEARCH: the newest n */
    int64_t session;     /* RANGE: 0 is this session, -1 the one before, 5 number five */
    int64_t start, stop; /* RANGE: lines start..stop-1 */
    const char *pattern; /* SEARCH: a glob, see glob.h */
};

/* Rows newest first, at most 10,000 and 8 MB; from malloc. */
struct history_row {
    int64_t session, line;
    char *input, *output; /* output NULL: none */
    size_t input_length, output_length;
};

struct history_rows {
    struct history_row *rows;
    int64_t count;
    size_t bytes;
};

void history_rows_free(struct history_rows *rows);

/* Nothing is opened yet. `path` NULL: memory alone. `say` is told, once each, what keeps the
 * file from being used and what became of a damaged one. NULL where there is no memory. */
struct history_file *history_file_new(const char *path, void (*say)(const char *sentence));

void history_file_add(struct history_file *file, int64_t line, const char *input,
                      size_t length);
void history_file_output(struct history_file *file, int64_t line, const char *output,
                         size_t length);

/* Moves what lies in memory to the file; waits at most wait_ms for a lock. Returns the
 * milliseconds after which to try again, 0 where nothing is left to do. */
int64_t history_file_save(struct history_file *file, int wait_ms);

void history_file_read(struct history_file *file, const struct history_query *query,
                       struct history_rows *rows);

void history_file_close(struct history_file *file);

/* Whether a file system of this type (statfs's f_type) may lie on another machine. */
bool history_file_is_far(long type);

/* What is wrong with the file at `path`, which is there: -1 with a sentence that names it and
 * says what to do. For `cutaway doctor`; waits up to a second for a lock. */
int history_file_look(const char *path, struct err *err);

#endif
