#ifndef CORE_BASE_APART_H
#define CORE_BASE_APART_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "core/base/buf.h"

/* apart: what may wait for ever, waited for no longer than that.
 *
 * A process that opens a file on a network drive which is away sleeps in the system until the
 * drive comes back: it cannot be interrupted, and even when it is killed it does not end. So
 * whoever must go on looks at files by a process apart, which is left behind if it is late. */

enum { APART_MOST = 1 << 20 }; /* bytes that are read from such a process */

/* Runs `look` in a copy of this process, with a descriptor for what it has to tell, and adds
 * that to `told`. The copy has only the thread that asked, and no other descriptor above 2; its
 * memory is its own. It may fail as a command does (core/base/catch.h).
 *
 * Returns its status as wait tells it; APART_LATE if it was not done within `ms`, or
 * told more than there is room for, and APART_NONE if there could be no process: then errno
 * says why. */
enum { APART_LATE = -1, APART_NONE = -2 };
int apart_look(struct buf *told, int ms, void (*look)(void *arg, int fd), void *arg);

/* The same for a process that is there already, leads a group of its own and has the other end
 * of the pipe `fd`, which is closed. */
int apart_finish(struct buf *told, int ms, pid_t pid, int fd);

/* Waits for a process that has ended or is about to, at most `ms`. false: it is left behind; it
 * goes whenever it can, and is waited for in a later call. */
bool apart_wait(pid_t pid, int ms, int *status, struct rusage *usage);

#endif
