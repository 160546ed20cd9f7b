#ifndef KERNEL_FRONT_USAGE_H
#define KERNEL_FRONT_USAGE_H

#include <stdint.h>

#include "kernel/front/front.h"

/* usage: what the kernel takes of its machine, for usage_request (jupyter-resource-usage shows
 * it): processor time since the request before and memory of both processes, what the machine
 * has, and for each loaded model how much of its files is mapped, and lies in memory now. All
 * of it is read from /proc, also while a cell computes; what cannot be read there is left out.
 *
 *     hostname, pid · kernel_cpu  % of one processor · kernel_memory  bytes, with its share of
 *     pages that processes have in common (Pss) · host_cpu_percent, cpu_count ·
 *     host_virtual_memory {total, available, percent, used, free, active, inactive, buffers,
 *     cached, shared, slab}  bytes · models [{name, path, mapped, resident}]  bytes */

struct usage;

struct usage *usage_new(struct arena *arena);
void usage_answer(struct front *front, struct message *request);

/* Memory as /proc/PID/smaps tells it: returns the sum of the Pss, in bytes, and adds to each
 * stretch of addresses what of the maps that begin in it is resident. */
struct usage_stretch {
    uint64_t begin, end;
    int64_t resident; /* bytes */
};
int64_t usage_memory(const char *smaps, struct usage_stretch *stretches, int64_t count);

/* Where the models' files are mapped, one model behind the other: of `models`, which is what
 * the worker told, [{maps: [[begin, bytes], ...]}, ...], the first 1024 maps. */
struct json_t;
struct usage_stretch *usage_stretches(struct arena *arena, const struct json_t *models,
                                      int64_t *count);

#endif
