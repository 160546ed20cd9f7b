#ifndef KERNEL_FRONT_HISTORY_H
#define KERNEL_FRONT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

/* history: the cells that were run, kept across sessions in an SQLite file (history_file.h),
 *
 *     $XDG_DATA_HOME/cutaway/history.sqlite, else $JUPYTER_DATA_DIR/cutaway/...,
 *     else ~/.local/share/cutaway/...
 *
 * readable by its owner alone. A thread of its own does all that touches disks, so that a drive
 * that does not answer, or another program's lock, holds up neither cells nor messages: the
 * loop hands cells and questions over, and answers when the thread has. A question that has
 * waited 3 s is answered by an empty list; cells that wait for a drive take 16 MB at most. */

struct history;
struct front;
struct message;

/* Where the environment puts the file; NULL without a home. */
const char *history_path(struct arena *arena);

/* `path` NULL: where the environment says. Nothing is opened, and no thread begun, yet. */
struct history *history_new(struct arena *arena, const char *path);

void history_add(struct history *history, int64_t line, const char *input, size_t length);
void history_output(struct history *history, int64_t line, const char *output);

/* history_request: takes the message, and answers it with its idle when the rows are there. */
void history_ask(struct front *front, struct message *request);

/* For the loop: what to poll for reading (-1: nothing yet), when history_tick is due (ms, 0:
 * not), and answering what can be. */
int history_fd(const struct history *history);
int64_t history_due(const struct history *history);
void history_tick(struct front *front, int64_t now);

/* Waits up to a second until what waits is written. Questions end unanswered. */
void history_close(struct history *history);

#endif
