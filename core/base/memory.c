#include "core/base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/cpu.h"
#include "core/base/file.h"

/* A whole number above 0 at the beginning of text; INT64_MAX if there is none ("max"). */
static int64_t number_in(const char *text) {
    char *end;
    errno = 0;
    long long value = text ? strtoll(text, &end, 10) : 0;
    return text && end != text && errno == 0 && value > 0 ? value : INT64_MAX;
}

static int64_t number_of_file(const char *path) {
    char text[64] = "";
    FILE *file = fopen(path, "re");
    if (!file) {
        return INT64_MAX;
    }
    int64_t number = fgets(text, sizeof text, file) ? number_in(text) : INT64_MAX;
    fclose(file);
    return number;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- sizes as people write them ---- */

int64_t memory_bytes(const char *text) {
    static const struct {
        const char *name;
        double bytes;
    } units[] = {
        { "MB", 1e6 }, { "GB", 1e9 },     { "TB", 1e12 },    { "M", 1e6 },      { "G", 1e9 },
        { "T", 1e12 }, { "MiB", 0x1p20 }, { "GiB", 0x1p30 }, { "TiB", 0x1p40 },
    };
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    if (digits == 0 || digits > 12 || end != text + digits) {
        return -1;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcasecmp(end + strspn(end, " "), units[i].name) == 0) {
            return number * units[i].bytes < 1e17 ? llrint(number * units[i].bytes) : -1;
        }
    }
    return -1;
}

/* The size in a variable: a whole number of `unit` bytes, or with a unit of its own; INT64_MAX
 * if there is none. */
static int64_t size_in(const char *text, int64_t unit) {
    int64_t bytes = text ? memory_bytes(text) : -1, number = number_in(text);
    if (bytes > 0) {
        return bytes;
    }
    return number < INT64_MAX / unit ? number * unit : INT64_MAX;
}

/* ---- control groups ---- */

/* The number behind `key` at the beginning of a line; -1 if there is none. */
static int64_t number_behind(const char *path, const char *key) {
    char line[200];
    int64_t number = -1;
    size_t n = strlen(key);
    FILE *file = fopen(path, "re");
    while (file && number < 0 && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, n) == 0) {
            number = strtoll(line + n, NULL, 10);
        }
    }
    if (file) {
        fclose(file);
    }
    return number;
}

/* A file of a folder. */
static const char *in(char path[4400], const char *folder, const char *name) {
    snprintf(path, 4400, "%s/%s", folder, name);
    return path;
}

static int64_t limit_of(const char *folder, bool second) {
    char path[4400];
    return number_of_file(in(path, folder, second ? "memory.max" : "memory.limit_in_bytes"));
}

/* What is left to one cgroup, pages of files that it could drop included. */
static int64_t left_to(const char *folder, bool second) {
    char path[4400];
    int64_t most = limit_of(folder, second);
    int64_t now =
        number_of_file(in(path, folder, second ? "memory.current" : "memory.usage_in_bytes"));
    if (most == INT64_MAX || now == INT64_MAX) {
        return INT64_MAX;
    }
    in(path, folder, "memory.stat");
    int64_t idle = number_behind(path, second ? "inactive_file " : "total_inactive_file ");
    int64_t active = number_behind(path, second ? "active_file " : "total_active_file ");
    int64_t dropped = (idle > 0 ? idle : 0) + (active > 0 ? active : 0);
    int64_t left = most - now + least(dropped, now);
    return left > 0 ? left : 0;
}

/* How often something in it was ended; INT64_MAX: it does not say. */
static int64_t kills_in(const char *folder, bool second) {
    char path[4400];
    int64_t kills = number_behind(
        in(path, folder, second ? "memory.events" : "memory.oom_control"), "oom_kill ");
    return kills < 0 ? INT64_MAX : kills;
}

/* The least of a cgroup and of all that hold it, or what the first of them says that says
 * anything (`first`); `folder` is cut on the way up to `root`. */
static int64_t least_on_the_way(char *folder, size_t root, bool second, bool first,
                                int64_t (*of)(const char *folder, bool second)) {
    int64_t all = INT64_MAX;
    for (;;) {
        all = least(all, of(folder, second));
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < root || (first && all < INT64_MAX)) {
            return all;
        }
        *slash = '\0';
    }
}

/* The same of the cgroups that this process is in, INT64_MAX if they say nothing.
 * /proc/self/cgroup has lines like "0::/user.slice/x" (v2) and "4:memory:/x" (v1). */
static int64_t least_of_cgroups(int64_t (*of)(const char *folder, bool second), bool first) {
    char line[4096], folder[4200];
    int64_t all = INT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        bool second = names && strncmp(names, "::", 2) == 0;
        if (path && (second || strncmp(names, ":memory:", 8) == 0)) {
            const char *root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
            snprintf(folder, sizeof folder, "%s%s", root,
                     strcmp(path + 1, "/") ? path + 1 : "");
            all = least(all, least_on_the_way(folder, strlen(root), second, first, of));
        }
    }
    if (file) {
        fclose(file);
    }
    return all;
}

int64_t memory_kills(void) {
    int64_t kills = least_of_cgroups(kills_in, true);
    return kills < INT64_MAX ? kills : number_behind("/proc/vmstat", "oom_kill ");
}

/* ---- what may be held ---- */

static int64_t limit;           /* of %limit, 0: none */
static bool guarded;            /* RLIMIT_DATA follows the budget */
static enum memory_cause cause; /* of the last budget */

static int64_t machine(void) {
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

int64_t memory_ceiling(void) {
    return least(machine(), least_of_cgroups(limit_of, false));
}

static int64_t rlimit_of(__rlimit_resource_t resource) {
    struct rlimit found;
    return getrlimit(resource, &found) == 0 && found.rlim_cur < INT64_MAX
               ? (int64_t)found.rlim_cur
               : INT64_MAX;
}

/* As they were before the first of them was set here. */
static int64_t rlimits(void) {
    static int64_t found;
    if (found == 0) {
        found = least(rlimit_of(RLIMIT_AS), rlimit_of(RLIMIT_DATA));
    }
    return found;
}

static void lower(int64_t *most, int64_t to, enum memory_cause by) {
    if (to < *most) {
        *most = to;
        cause = by;
    }
}

int64_t memory_budget(void) {
    int64_t most = machine(), asked = size_in(getenv("CUTAWAY_MEMORY"), 1 << 20);
    cause = MEMORY_MACHINE;
    lower(&most, least_of_cgroups(limit_of, false), MEMORY_CONTAINER);
    lower(&most, rlimits(), MEMORY_RLIMIT);
    lower(&most, size_in(getenv("MEM_LIMIT"), 1), MEMORY_MEM_LIMIT);
    most = most / 4 * 3;
    if (asked < INT64_MAX) {
        most = asked;
        cause = MEMORY_ASKED;
    }
    if (limit > 0) {
        lower(&most, limit, MEMORY_LIMIT);
    }
    return most;
}

enum memory_cause memory_cause(void) {
    return cause;
}

const char *memory_advice(void) {
    static const char *const advice[] = {
        [MEMORY_MACHINE] = "",
        [MEMORY_CONTAINER] = " (three quarters of what this container has)",
        [MEMORY_RLIMIT] = " (three quarters of what ulimit allows)",
        [MEMORY_MEM_LIMIT] = " (three quarters of MEM_LIMIT, which the server sets)",
        [MEMORY_ASKED] = " (as CUTAWAY_MEMORY says)",
        [MEMORY_LIMIT] = " (as %limit says; %limit off lifts it)",
    };
    return advice[cause];
}

/* The soft limit alone, so that it can be raised again. What is there already may stay, be it
 * more than a new %limit. */
static void guard_set(int64_t budget) {
    enum { ROOM = 256 << 20, STACK = 16 << 20 }; /* bytes; a stack is one thread's */
    struct rlimit now;
    int64_t there = number_behind("/proc/self/status", "VmData:");
    there = there > 0 && there < INT64_MAX >> 10 ? there << 10 : 0;
    if (getrlimit(RLIMIT_DATA, &now) == 0) {
        rlim_t wanted =
            (rlim_t)(there > budget ? there : budget) + ROOM + (rlim_t)cpu_threads() * STACK;
        now.rlim_cur = wanted < now.rlim_max ? wanted : now.rlim_max;
        setrlimit(RLIMIT_DATA, &now);
    }
}

void memory_guard(void) {
    guarded = true;
    guard_set(memory_budget());
}

void memory_limit(int64_t bytes) {
    limit = bytes;
    int64_t budget = memory_budget();
    arena_budget(budget);
    if (guarded) {
        guard_set(budget);
    }
}

/* ---- what is free now ---- */

int64_t memory_free(void) {
    int64_t available = number_behind("/proc/meminfo", "MemAvailable:");
    available = available > 0 && available < INT64_MAX >> 10 ? available << 10 : INT64_MAX;
    return least(available, least_of_cgroups(left_to, false));
}

/* ---- what is mapped ---- */

/* Whether begin..end holds a byte of some piece: the last one that begins before its end. */
static bool holds(const struct file_piece *pieces, int64_t n, uintptr_t begin, uintptr_t end) {
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if ((uintptr_t)pieces[middle].bytes < end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && (uintptr_t)pieces[low - 1].bytes + pieces[low - 1].length > begin;
}

/* A map's line is "7f00-7f80 r--p 00000000 08:01 1234 /path", its inode 0 where there is no
 * file behind it; lines like "Rss:  12 kB" follow. */
bool memory_mapped(const struct file_piece *pieces, int64_t n, struct memory_mapped *told) {
    char line[4400];
    bool ours = false;
    *told = (struct memory_mapped){ 0 };
    FILE *file = fopen("/proc/self/smaps", "re");
    while (file && fgets(line, sizeof line, file)) {
        unsigned long begin, end, inode;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &begin, &end, &inode) == 3) {
            ours = inode != 0 && holds(pieces, n, begin, end);
            told->mapped += ours ? (int64_t)(end - begin) : 0;
        } else if (ours && strncmp(line, "Rss:", 4) == 0) {
            int64_t kilobytes = number_in(line + 4);
            told->resident += kilobytes < INT64_MAX >> 10 ? kilobytes << 10 : 0;
        }
    }
    if (file) {
        fclose(file);
    }
    return file != NULL;
}
