#ifndef KERNEL_FRONT_GRANTS_H
#define KERNEL_FRONT_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"

/* grants: which files the worker may open, because a cell of the user names them.
 *
 * The worker shuts itself off from all but the usual places (kernel/worker/sandbox.h), for
 * good. So before a cell is sent, its words are looked at: a path that leads out of those
 * places is granted, and the worker is started anew with it. Only cells count, which are
 * signed: what a worker says of itself never widens what the next one may do.
 *
 * A word counts where its command opens files by it (`opens` of struct command): the file or
 * folder itself to be read, with what lies beside it where it is a file of weights that needs
 * more (GGUF does not); the folder that a saved file is to lie in to be written. A link counts
 * as what it leads to; of links in a model's folder those that core/base/linked.h knows. The
 * user's own folder and those above it are no model's: of what lies in them beside weights
 * only the files are read that a loader asks for. What does not exist is left to the command,
 * which says so. The root of all is never granted. */

struct grants;

/* `on`: whether the worker shuts itself off; else nothing is ever to be granted. */
struct grants *grants_new(struct arena *arena, bool on);

/* Looks at a cell's words, by a process apart (core/base/apart.h), as they may name what lies
 * on a drive that does not answer. Returns 1 if something was added: then the worker that runs
 * cannot open it; 0: nothing was, or no worker is shut off; -1: the look took too long, so
 * nothing was. */
int grants_cell(struct grants *grants, const char *code, size_t length);

/* Takes back all of it, from the next worker on: one that is to open a place that does not
 * answer never begins. What is still wanted a cell names again. */
void grants_forget(struct grants *grants);

/* The content of RELAY_GRANT. */
const struct buf *grants_said(const struct grants *grants);

#endif
