#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* memory: what this process may take, so that a command that wants too much ends with a
 * sentence and not with the whole process killed. */

/* What allows no more. */
enum memory_cause {
    MEMORY_MACHINE,
    MEMORY_CONTAINER, /* a control group that this process is in */
    MEMORY_RLIMIT,    /* RLIMIT_AS or RLIMIT_DATA, as this process found them */
    MEMORY_MEM_LIMIT, /* MEM_LIMIT, which JupyterHub sets */
    MEMORY_ASKED,     /* CUTAWAY_MEMORY */
    MEMORY_LIMIT      /* %limit */
};

/* How many bytes the arenas of a worker may hold: three quarters of the least of the machine's
 * memory, the limits of the control groups (v2 and v1) that it is in, RLIMIT_AS, RLIMIT_DATA
 * and MEM_LIMIT (bytes), as more than arenas lies in memory; or CUTAWAY_MEMORY (megabytes), or
 * what memory_limit allows, if that is less. Both variables take a unit, too ("4GB"). Mapped
 * model files do not count: the system can drop their pages. */
int64_t memory_budget(void);

/* What the last memory_budget found to be the least; and, for the end of a sentence about too
 * little memory, how to have more: "" where nothing can be said. */
enum memory_cause memory_cause(void);
const char *memory_advice(void);

/* "4GB", "4 GB", "500mb", "1.5 GiB" as bytes; -1 if it is no such thing. */
int64_t memory_bytes(const char *text);

/* Lets the arenas hold no more than `bytes` in all; 0 takes that away. In force at once. */
void memory_limit(int64_t bytes);

/* From here on the system refuses memory somewhat above the budget (RLIMIT_DATA), so that what
 * libraries take beside the arenas cannot end other processes. Not with sanitizers, whose own
 * memory is larger than any machine's. */
void memory_guard(void);

/* The least of the machine's memory and the control groups' limits, in bytes: at which the
 * system ends processes. */
int64_t memory_ceiling(void);

/* How often the system has ended a process for want of memory, in our control group or, where
 * none counts it, on this machine. -1: nothing says it. */
int64_t memory_kills(void);

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
