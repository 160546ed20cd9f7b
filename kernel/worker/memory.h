#ifndef KERNEL_WORKER_MEMORY_H
#define KERNEL_WORKER_MEMORY_H

#include <stdint.h>

/* memory: how many bytes the arenas of a worker may hold, so that a cell that wants too much
 * ends with a sentence and not with the whole process killed: three quarters of the least of
 * the machine's memory, the cgroup's limit (v2 and v1) and MEM_LIMIT (bytes; JupyterHub sets
 * it). CUTAWAY_MEMORY (megabytes) overrides it. Mapped model files do not count: the system can
 * drop their pages. */
int64_t memory_budget(void);

#endif
