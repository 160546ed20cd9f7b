#ifndef KERNEL_WORKER_ASK_H
#define KERNEL_WORKER_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* ask: the reader of the notebook is asked, by way of the supervisor, and the cell waits for
 * the answer. Settings and tiles that are asked for meanwhile are put aside until the cell is
 * done.
 */

struct ask_request;

struct ask {
    struct arena *arena;       /* of the cell that asks */
    struct ask_request *first; /* put aside, oldest first */
};

/* A reply_sink's `ask`; `arg` is the struct ask. An interrupt ends it (stop_check). */
int ask_reader(void *arg, const char *prompt, bool secret, struct buf *answer, struct err *err);

/* Puts a request aside. */
void ask_defer(struct ask *ask, uint32_t kind, const struct buf *frame);

/* Takes the oldest request that was put aside, or the oldest of that kind. false: there is
 * none. */
bool ask_deferred(struct ask *ask, uint32_t *kind, struct buf *into);
bool ask_deferred_as(struct ask *ask, uint32_t kind, struct buf *into);

void ask_free(struct ask *ask);

#endif
