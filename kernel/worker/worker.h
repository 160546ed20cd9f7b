#ifndef KERNEL_WORKER_WORKER_H
#define KERNEL_WORKER_WORKER_H

/* worker: the process that loads models, computes and draws, so that what crashes, runs out of
 * memory or never ends takes only one cell with it. `cutaway worker` is started by the
 * supervisor (kernel/front) and speaks kernel/relay over RELAY_FD. Returns the exit status: 0
 * when the supervisor has closed its end. */
int worker_main(int argc, char **argv);

/* The same in a thread of the supervisor's: serves RELAY_FD and returns the exit status. */
int worker_serve(void);

#endif
