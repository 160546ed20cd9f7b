#ifndef KERNEL_WIRE_HEARTBEAT_H
#define KERNEL_WIRE_HEARTBEAT_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* heartbeat: sends back every byte that comes, in a thread of its own, so that it beats
 * whatever the kernel does. */

struct heartbeat;

/* Takes over the bound socket. NULL if there can be no thread. */
struct heartbeat *heartbeat_start(struct arena *arena, void *socket, struct err *err);

/* Waits for the thread's end, which the end of the socket's context brings. */
void heartbeat_join(struct heartbeat *heartbeat);

#endif
