#ifndef KERNEL_FRONT_COMM_H
#define KERNEL_FRONT_COMM_H

#include "kernel/front/front.h"

/* comm: Jupyter's channels between front ends and kernel. Ours is the target "cutaway", which
 * the JupyterLab extension opens (lab/src/comm.ts); every other is closed at once, as the
 * protocol asks. A front end asks by comm_msg with data {"id": N, "ask": NAME, ...} and is
 * answered by comm_msg with {"id": N, "ok": true, ...} or {"id": N, "ok": false, "error": "one
 * sentence"}:
 *
 *     state                        -> models, results, settings, running (known.h)
 *     sites  handle                -> sites
 *     set    name, value           -> (as %set; takes effect in the next cell)
 *     tile   result, series, at    -> shape; the numbers as float32 in the first buffer
 *     echo                         -> sizes; the question's own buffers
 *
 * All but tile are answered at once from what the worker has told, also while a cell runs. A
 * tile waits for the running cell, then the worker finds it; its busy and idle come with the
 * answer. If the worker dies the answer is an error.
 *
 * Open comms are told {"event": "state", ...} when a cell begins, when it ends and when the
 * session changed otherwise, and {"event": "progress", "what", "done", "total", "eta"} at most
 * five times a second. There are at most COMM_MOST, as pages that are gone do not close theirs:
 * one more closes the one that was silent longest. */

enum {
    COMM_MOST = 32,
    COMM_ID_MOST = 256,
    COMM_NAME_MOST = 256, /* bytes of a tile's "result" and of its "series" */
    COMM_WAITING_MOST = 64,
    COMM_TILE_MOST = 64 << 10 /* bytes of a message that waits; it has no buffers */
};

struct comms;

struct comms *comm_new(struct arena *arena);
void comm_free(struct comms *comms);

void comm_info(struct front *front, struct message *request);
void comm_open(struct front *front, struct message *request);
void comm_msg(struct front *front, struct message *request);
void comm_close(struct front *front, struct message *request);

/* Whether the message is a question for the worker, which is on its way there: then the message
 * is taken over and answered later. */
bool comm_takes(struct front *front, struct message *message);

/* The worker's answer. `base`: see minder_read. */
void comm_tiled(struct front *front, const char *bytes, size_t length, void **base);

/* The worker is gone: nothing that waits for it is answered any more but by this. */
void comm_died(struct front *front);

/* Tells every open comm. `parent` is the cell that caused it, or NULL. Between cells
 * (`changed`) what would be said twice is not. */
void comm_tell_state(struct front *front, const struct message *parent, bool changed);
void comm_tell_progress(struct front *front);

#endif
