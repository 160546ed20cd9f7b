#ifndef KERNEL_WIRE_PARCEL_H
#define KERNEL_WIRE_PARCEL_H

#include <stdatomic.h>

#include "kernel/wire/frames.h"

/* parcel: the last frame of a message to all, in memory that says when it is no longer needed.
 *
 * A message to subscribers lies in libzmq's queues until each of them has taken it or is gone.
 * Its last frame is sent as a parcel: what the whole message costs is added to a backlog, and
 * taken off again when libzmq lets go of the frame, in whatever thread that happens. */

/* Sends the frame and adds `cost` bytes to the backlog, which must outlive the socket's
 * context. With `base` the frame lies in that block from malloc, which then belongs to the
 * socket; else it is copied. Memory that is not to be had is thrown before anything is sent. */
struct parcel;
struct parcel *parcel_new(struct frame frame, void *base, long long cost,
                          atomic_llong *backlog);
/* `socket` NULL: it is not sent after all. */
void parcel_send(struct parcel *parcel, void *socket);

#endif
