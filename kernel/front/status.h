#ifndef KERNEL_FRONT_STATUS_H
#define KERNEL_FRONT_STATUS_H

#include "kernel/front/front.h"

/* status: busy and idle round every request.
 *
 * Clients take the newest status for the kernel's, whoever's it is. So when another request has
 * been answered while a cell runs, its idle is followed by the cell's busy, said again; else
 * the kernel would look idle, and be culled, in the middle of a computation. */

void status_starting(struct front *front);
void status_busy(struct front *front, const struct message *parent);
void status_idle(struct front *front, const struct message *parent);

#endif
