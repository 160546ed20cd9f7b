#include "kernel/front/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "core/base/jsonwrite.h"
#include "kernel/front/known.h"
#include "kernel/front/minder.h"

enum {
    PROCESSES = 2,        /* this one and the worker */
    STRETCHES_MOST = 1024 /* files of models that are looked for, however many it tells of */
};

struct usage {
    int64_t at;              /* ms, when the numbers below were read */
    pid_t pids[PROCESSES];   /* whose */
    int64_t took[PROCESSES]; /* ticks of processor time */
    int64_t busy, all;       /* ticks of all the machine's processors */
};

struct usage *usage_new(struct arena *arena) {
    struct usage *usage = arena_alloc(arena, sizeof *usage);
    usage->at = front_now();
    return usage;
}

/* /proc/NAME, or /proc/PID/NAME; "" if it cannot be read. */
static const char *proc_read(struct arena *arena, pid_t pid, const char *name) {
    enum { STEP = 64 * 1024 };
    const char *path = pid ? arena_printf(arena, "/proc/%d/%s", (int)pid, name)
                           : arena_printf(arena, "/proc/%s", name);
    struct buf *out = buf_new(arena);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : 1;
    while (n > 0) {
        size_t before = out->length;
        n = read(fd, buf_more(out, STEP), STEP);
        out->length = before + (n > 0 ? (size_t)n : 0);
        out->data[out->length] = '\0';
    }
    if (fd >= 0) {
        close(fd);
    }
    return out->data;
}

static const char *next_line(const char *at) {
    at += strcspn(at, "\n");
    return *at ? at + 1 : at;
}

/* "MemTotal:  16 kB" of such lines, in bytes; -1: there is none of that name. */
static int64_t bytes_of(const char *text, const char *name) {
    size_t length = strlen(name);
    for (; *text; text = next_line(text)) {
        if (strncmp(text, name, length) == 0 && text[length] == ':') {
            return strtoll(text + length + 1, NULL, 10) * 1024;
        }
    }
    return -1;
}

int64_t usage_memory(const char *smaps, struct usage_stretch *stretches, int64_t count) {
    struct usage_stretch *here = NULL;
    int64_t sum = 0;
    for (; *smaps; smaps = next_line(smaps)) {
        char *end;
        uint64_t begin = strtoull(smaps, &end, 16);
        if (end != smaps && *end == '-') { /* "7f00-7fff r--p ...": a map begins */
            here = NULL;
            for (int64_t i = 0; i < count; i++) {
                bool within = begin >= stretches[i].begin && begin < stretches[i].end;
                here = within ? &stretches[i] : here;
            }
        } else if (strncmp(smaps, "Pss:", 4) == 0) {
            sum += strtoll(smaps + 4, NULL, 10) * 1024;
        } else if (here && strncmp(smaps, "Rss:", 4) == 0) {
            here->resident += strtoll(smaps + 4, NULL, 10) * 1024;
        }
    }
    return sum;
}

/* ---- processor time ---- */

/* Ticks that a process has taken: the 14th and 15th word of its stat. */
static int64_t ticks_of(struct arena *arena, pid_t pid) {
    const char *stat = proc_read(arena, pid, "stat");
    const char *at = strrchr(stat, ')'); /* its name may hold anything */
    long long user = 0, kernel = 0;
    if (at) {
        sscanf(at, ") %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld %lld", &user, &kernel);
    }
    return user + kernel;
}

/* Percent of one processor since the last time; of a process that is new, since it began. */
static double percent_taken(struct usage *usage, struct arena *arena, const pid_t *pids,
                            int64_t now) {
    int64_t sum = 0;
    for (int i = 0; i < PROCESSES; i++) {
        int64_t took = pids[i] > 0 ? ticks_of(arena, pids[i]) : 0;
        sum += took - (usage->pids[i] == pids[i] ? usage->took[i] : 0);
        usage->pids[i] = pids[i];
        usage->took[i] = took;
    }
    double seconds = (double)(now > usage->at ? now - usage->at : 1) / 1e3;
    usage->at = now;
    return 100.0 * (double)sum / (double)sysconf(_SC_CLK_TCK) / seconds;
}

/* Of the whole machine, since the last time; negative the first time. */
static double percent_busy(struct usage *usage, struct arena *arena) {
    enum { KINDS = 8 }; /* user nice system idle iowait irq softirq steal */
    const char *at = proc_read(arena, 0, "stat");
    int64_t all = 0, rest = 0;
    at += strcspn(at, " ");
    for (int i = 0; i < KINDS; i++) {
        char *end;
        int64_t ticks = strtoll(at, &end, 10);
        at = end;
        all += ticks;
        rest += i == 3 || i == 4 ? ticks : 0;
    }
    bool first = usage->all == 0;
    double since = (double)(all - usage->all), busy = (double)(all - rest - usage->busy);
    usage->all = all;
    usage->busy = all - rest;
    return first || since <= 0 ? -1 : 100 * busy / since;
}

/* ---- what is told ---- */

static void pair_int(struct jsonwrite *w, const char *key, int64_t value) {
    json_key(w, key);
    json_int(w, value);
}

static void pair_tenths(struct jsonwrite *w, const char *key, double value) {
    json_key(w, key);
    json_double(w, (double)(int64_t)(value * 10 + 0.5) / 10);
}

static void write_machine(struct jsonwrite *w, struct arena *arena) {
    static const struct {
        const char *key, *name;
    } parts[] = {
        { "free", "MemFree" },    { "active", "Active" }, { "inactive", "Inactive" },
        { "buffers", "Buffers" }, { "shared", "Shmem" },  { "slab", "Slab" },
    };
    const char *text = proc_read(arena, 0, "meminfo");
    int64_t total = bytes_of(text, "MemTotal"), left = bytes_of(text, "MemAvailable");
    if (total <= 0 || left < 0) {
        return;
    }
    json_key(w, "host_virtual_memory");
    json_open(w, '{');
    pair_int(w, "total", total);
    pair_int(w, "available", left);
    pair_tenths(w, "percent", 100 * (double)(total - left) / (double)total);
    pair_int(w, "used", total - left);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        pair_int(w, parts[i].key, bytes_of(text, parts[i].name));
    }
    pair_int(w, "cached", bytes_of(text, "Cached") + bytes_of(text, "SReclaimable"));
    json_close(w, '}');
}

struct usage_stretch *usage_stretches(struct arena *arena, const json_t *models,
                                      int64_t *count) {
    struct usage_stretch *list = arena_array(arena, STRETCHES_MOST, sizeof *list);
    size_t i, k;
    json_t *model, *map;
    *count = 0;
    json_array_foreach(models, i, model) {
        json_array_foreach(json_object_get(model, "maps"), k, map) {
            uint64_t begin = (uint64_t)json_integer_value(json_array_get(map, 0));
            uint64_t length = (uint64_t)json_integer_value(json_array_get(map, 1));
            if (*count < STRETCHES_MOST) {
                list[(*count)++] = (struct usage_stretch){ begin, begin + length, 0 };
            }
        }
    }
    return list;
}

static void write_models(struct jsonwrite *w, const json_t *models,
                         const struct usage_stretch *stretches, int64_t count) {
    size_t i;
    int64_t at = 0;
    json_t *model;
    json_key(w, "models");
    json_open(w, '[');
    json_array_foreach(models, i, model) {
        const char *name = json_string_value(json_object_get(model, "handle"));
        const char *path = json_string_value(json_object_get(model, "path"));
        int64_t resident = 0;
        size_t maps = json_array_size(json_object_get(model, "maps"));
        for (size_t k = 0; k < maps && at < count; k++) {
            resident += stretches[at++].resident;
        }
        json_open(w, '{');
        json_pair(w, "name", name);
        json_pair(w, "path", path);
        pair_int(w, "mapped", json_integer_value(json_object_get(model, "mapped")));
        pair_int(w, "resident", resident);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_memory(struct jsonwrite *w, struct front *front, struct arena *arena,
                         const pid_t *pids) {
    int64_t count;
    const json_t *models = known_models(front->known);
    struct usage_stretch *stretches = usage_stretches(arena, models, &count);
    pid_t computes = pids[1] > 0 ? pids[1] : pids[0];
    int64_t memory = usage_memory(proc_read(arena, computes, "smaps"), stretches, count);
    if (computes != pids[0]) {
        memory += usage_memory(proc_read(arena, pids[0], "smaps_rollup"), NULL, 0);
    }
    if (memory > 0) {
        pair_int(w, "kernel_memory", memory);
    }
    write_models(w, models, stretches, count);
}

void usage_answer(struct front *front, struct message *request) {
    struct arena *arena = request->arena;
    struct jsonwrite w = { .out = buf_new(arena) };
    const pid_t pids[PROCESSES] = { getpid(), minder_pid(front->minder) };
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    json_open(&w, '{');
    json_pair(&w, "status", "ok");
    json_pair(&w, "hostname", host);
    pair_int(&w, "pid", getpid());
    pair_tenths(&w, "kernel_cpu", percent_taken(front->usage, arena, pids, front_now()));
    double busy = percent_busy(front->usage, arena);
    if (busy >= 0) {
        pair_tenths(&w, "host_cpu_percent", busy);
    }
    pair_int(&w, "cpu_count", sysconf(_SC_NPROCESSORS_ONLN));
    write_machine(&w, arena);
    write_memory(&w, front, arena, pids);
    json_close(&w, '}');
    front_reply(front, request, "usage_reply", w.out);
}
