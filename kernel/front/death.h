#ifndef KERNEL_FRONT_DEATH_H
#define KERNEL_FRONT_DEATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* death: what a worker died of, in words that say what can be done.
 *
 * SIGKILL alone says little: whoever ends a process by force sends it. For want of memory it
 * was if the system counts one process more that it ended so since the cell began (cgroup, or
 * /proc/vmstat); and most likely if the worker held four fifths of what there is, as programs
 * that watch over memory count nowhere. */

struct death {
    int status;   /* as wait tells it */
    bool stuck;   /* it was killed and has not ended: it waits for a file, and nothing else here
                     is known */
    int64_t peak; /* bytes it held at most */
    int64_t
        kills; /* processes that the system ended for want of memory meanwhile; -1: unknown */
    int64_t ceiling; /* bytes that there are; see memory_ceiling */
};

/* "was killed by SIGSEGV (invalid memory access)"; `zh`: the same in Chinese. */
void death_write(const struct death *death, bool zh, char *why, size_t size);

bool death_by_memory(const struct death *death);

/* What could make a cell take less memory: "a shorter text". */
const char *death_hint(const char *code, size_t length, bool zh);

#endif
