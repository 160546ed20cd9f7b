#ifndef KERNEL_FRONT_THREADED_H
#define KERNEL_FRONT_THREADED_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/err.h"

/* threaded: the worker as a thread of the supervisor's own process, for debuggers, sanitizers
 * and fuzzers, which follow one process well and two badly (`cutaway kernel --single-process`).
 * It speaks the same frames over the same kind of socket, by the same descriptors. What crashes
 * it ends the kernel, it is not shut off from the system, and a cell that does not stop when it
 * is asked to cannot be ended. */

/* The worker's half: serves RELAY_FD until its other end is closed. */
typedef int threaded_serve(void);

struct threaded {
    threaded_serve *serve; /* NULL: the worker is a process */
    pthread_t thread;
    bool runs;
};

/* Keeps the numbers of RELAY_FD and RELAY_KEEP_FD free for the thread: to be called before
 * anything else is opened. */
void threaded_reserve(void);

/* Starts the thread. Both descriptors are copied; `keep` -1: there is no such file. -1 with
 * ERR_IO. */
int threaded_start(struct threaded *threaded, int relay, int keep, struct err *err);

/* As a signal to the process: SIGINT stops the cell, others cannot be had. */
void threaded_signal(const struct threaded *threaded, int signal);

/* Once the other end is closed: stops the cell and waits for the thread's end, at most some
 * seconds. */
void threaded_end(struct threaded *threaded);

#endif
