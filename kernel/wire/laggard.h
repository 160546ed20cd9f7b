#ifndef KERNEL_WIRE_LAGGARD_H
#define KERNEL_WIRE_LAGGARD_H

#include <stdint.h>

#include "core/base/arena.h"
#include "kernel/wire/connection.h"

/* laggard: a subscriber that takes nothing, because its process is stopped or its machine is
 * gone, while more and more waits for it.
 *
 * libzmq neither tells how much waits for whom nor lets go of anybody, so the system is asked:
 * the connections of iopub are those of our descriptors whose own address is iopub's, and for
 * each of them the system knows how many bytes the other end has not taken yet (SIOCOUTQ) and,
 * for TCP, how many it has (TCP_INFO). Of a unix socket it does not know that, and one that is
 * full each time it is looked at may be read all the same: there it counts whether libzmq has
 * let go of messages meanwhile, which it does when the last one has taken them. Where some wait
 * and the numbers stay the same for a minute, the connection is shut down, and libzmq drops
 * what it kept for it. A subscriber that is alive but slow changes them by reading. */

enum { LAGGARD_MS = 60000, LAGGARD_LOOK_MS = 5000 };

struct laggards;

/* For a connection whose ports are known. */
struct laggards *laggards_new(struct arena *arena, const struct connection *connection);

/* Looks round, at `now` ms, each LAGGARD_LOOK_MS while something waits; `taken` are the bytes
 * that libzmq has let go of so far. Returns how many were cut off. */
int laggards_look(struct laggards *laggards, int64_t now, int64_t taken);

#endif
