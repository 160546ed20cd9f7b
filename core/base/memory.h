#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* memory: what this process may take, so that a command that wants too much ends with a
 * sentence and not with the whole process killed. */

/* How many bytes the arenas of a worker may hold: three quarters of the least of the machine's
 * memory, the cgroup's limit (v2 and v1) and MEM_LIMIT (bytes; JupyterHub sets it).
 * CUTAWAY_MEMORY (megabytes) overrides it. Mapped model files do not count: the system can drop
 * their pages. */
int64_t memory_budget(void);

/* Bytes that can still be had now, pages of files that the system would drop included: the
 * least of the machine's available memory and what is left to each cgroup that this process is
 * in. INT64_MAX if nothing says it. Takes some tens of microseconds. */
int64_t memory_free(void);

/* Of the file maps that hold any of these pieces: their length, and how much of it lies in this
 * process' memory now, in bytes. Pieces stand in order of their places and do not overlap.
 * False where the system does not tell (there is no /proc/self/smaps). */
struct file_piece;
struct memory_mapped {
    int64_t mapped, resident;
};
bool memory_mapped(const struct file_piece *pieces, int64_t n, struct memory_mapped *told);

#endif
