#ifndef KERNEL_FRONT_COMM_H
#define KERNEL_FRONT_COMM_H

#include "kernel/front/front.h"

/* comm: Jupyter's channels between widgets and kernel. Cutaway has no target of its own, so
 * every comm that a client opens is closed at once, as the protocol asks for unknown targets.
 */

void comm_info(struct front *front, struct message *request);
void comm_open(struct front *front, struct message *request);
void comm_other(struct front *front, struct message *request); /* comm_msg, comm_close */

#endif
