#ifndef KERNEL_FRONT_LOOP_H
#define KERNEL_FRONT_LOOP_H

#include "core/base/err.h"
#include "kernel/front/threaded.h"

/* loop: the kernel process. `cutaway kernel -f CONNECTION_FILE` listens at once, starts the
 * worker beside that, and ends with its parent, by a shutdown_request, or by SIGTERM. SIGINT
 * interrupts the running cell and is harmless when none runs. argv[0] is the subcommand.
 * With --single-process the worker is `serve` in a thread. Returns the exit status. */
int kernel_main(int argc, char **argv, threaded_serve *serve);

/* Its parts, without the turns between: what listens and answers begins by a connection file,
 * and ends with all that waits. -1 with the reason. */
struct front;
int loop_open(struct front *front, const char *path, struct err *err);
void loop_close(struct front *front);

#endif
