#ifndef CORE_BASE_POOL_H
#define CORE_BASE_POOL_H

#include <stdint.h>

/* pool: the only way to use threads.
 *
 * pool_for cuts 0..n into chunks of `grain` and runs task(arg, begin, end) for each, on the
 * caller and the pool's threads. Chunks depend on the data alone, never on the number of
 * threads; a task writes only what belongs to its chunk, so any number of threads gives the
 * same bytes. Nested calls run in place. A task must not throw and allocates nothing (its
 * caller may hand in room for each pool_self); when the user has interrupted, chunks not begun
 * yet are left out and the caller finds out by stop_check().
 *
 * Each thread begins with a part of 0..n of its own, the same call after call, so that loops
 * over the same rows find them in their thread's cache; who is done takes from the others'
 * parts.
 *
 * Threads spin for some tens of microseconds after a call, then sleep: layers follow each other
 * without a wake-up, cells do not burn the processor. */

enum { POOL_MOST = 64 }; /* threads */

typedef void pool_task(void *arg, int64_t begin, int64_t end);

void pool_for(int64_t n, int64_t grain, pool_task *task, void *arg);

int pool_threads(void);       /* threads in use, the caller's own included */
int pool_self(void);          /* which of them is asking: the caller is 0, helpers 1, 2, ... */
void pool_set_threads(int n); /* 1..POOL_MOST; for tests and --threads; not during a pool_for */

#endif
