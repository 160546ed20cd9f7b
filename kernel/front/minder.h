#ifndef KERNEL_FRONT_MINDER_H
#define KERNEL_FRONT_MINDER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "kernel/front/threaded.h"

/* minder: the worker's life. It starts the worker (this program again, in a process group of
 * its own, gone when we are), carries frames to and from it without ever blocking, and when it
 * dies says of what, so that a new one can be started that comes back to the last state the old
 * one reported.
 *
 * A worker that dies while it restores a state is followed by one that tries again, as the
 * system may have killed it for no fault of its own; the next is given the settings alone, so
 * that a bad model file cannot kill workers for ever. */

struct minder;

enum { MINDER_FDS = 3 }; /* its pipe, its stdout, its stderr */

/* What comes from the worker. `base`: see minder_read. */
struct minder_listener {
    void (*frame)(void *arg, uint32_t kind, const char *bytes, size_t length, void **base);
    void (*text)(void *arg, bool is_error, const char *text,
                 size_t length); /* raw stdout, stderr */
    void (*started)(void *arg);  /* a new one is there, and reads what is sent now */
    void *arg;
};

/* `serve` NULL: each worker is a process; else a thread (kernel/front/threaded.h). */
struct minder *minder_new(struct arena *arena, const struct minder_listener *listener,
                          threaded_serve *serve);

/* Starts a worker if none lives. -1 with ERR_IO if the system gives no process. */
int minder_start(struct minder *minder, struct err *err);

/* Lets the worker finish what it has and end, so that one that may open what is granted (the
 * content of RELAY_GRANT, which must live on) can follow it: what comes then is as after a
 * death, but minder_retiring says that it was asked for. */
void minder_retire(struct minder *minder, const struct buf *granted);
bool minder_retiring(const struct minder *minder);

/* Whether the worker has ended and all it said is read: then call minder_bury. */
bool minder_gone(const struct minder *minder);

/* Fills what to poll for; entries without a descriptor have fd -1 and are left out. Returns
 * their number. */
int minder_poll(const struct minder *minder, struct pollfd fds[MINDER_FDS]);

/* Reads what is there, at most some megabytes, and tells the listener. A frame that fills its
 * buffer alone may be taken over: the listener sets *base to NULL and frees the block later.
 * Returns 1 when the worker is gone: then call minder_bury. */
int minder_read(struct minder *minder);

/* Leaves what it says with it, which makes it wait, or goes on: then call minder_read, as some
 * of it may have been read already. The listener may pause it between two frames. */
void minder_pause(struct minder *minder, bool pause);
bool minder_paused(const struct minder *minder);

/* Queues a frame and sends as much as goes. */
void minder_send(struct minder *minder, uint32_t kind, const void *bytes, size_t length);
void minder_push(struct minder *minder); /* sends more of what is queued */

pid_t minder_pid(const struct minder *minder); /* 0: no worker lives */
void minder_signal(struct minder *minder, int signal);

/* What the next worker comes back to. */
enum minder_hope {
    MINDER_NONE, /* this one died before it had begun, with no model to restore: none should be
                  * started now; the next cell tries again */
    MINDER_BARE, /* the settings alone */
    MINDER_WHOLE,
};

/* Ends the worker if it still lives, and waits for it, but no longer than some seconds: one
 * that waits for a drive that is away cannot be ended, and is left behind. */
enum minder_hope minder_bury(struct minder *minder);

/* The same at the kernel's end, where nobody asks what it died of. */
void minder_close(struct minder *minder);

/* What the last one died of; NULL: it could not be started. */
struct death;
const struct death *minder_death(const struct minder *minder);

/* The worker's last NAMES, "" before the first. */
const char *minder_names(const struct minder *minder);

/* The models and data that the last MINDER_BARE leaves out: "gpt2, news". */
const char *minder_lost(const struct minder *minder);

/* Whether the session speaks Chinese, by its last STATE. */
bool minder_zh(const struct minder *minder);

#endif
