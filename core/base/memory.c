#include "core/base/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int64_t memory_budget(void) {
    int64_t asked = number_in(getenv("CUTAWAY_MEMORY"));
    if (asked < INT64_MAX >> 20) {
        return asked << 20;
    }
    int64_t most = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    most = least(most, number_of_file("/sys/fs/cgroup/memory.max"));
    most = least(most, number_of_file("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    most = least(most, number_in(getenv("MEM_LIMIT")));
    return most / 4 * 3;
}

/* ---- what is free now ---- */

/* The number behind `key` at the beginning of a line; 0 if there is none. */
static int64_t number_behind(const char *path, const char *key) {
    char line[200];
    int64_t number = 0;
    size_t n = strlen(key);
    FILE *file = fopen(path, "re");
    while (file && number == 0 && fgets(line, sizeof line, file)) {
        number = strncmp(line, key, n) == 0 ? number_in(line + n) : 0;
    }
    if (file) {
        fclose(file);
    }
    return number == INT64_MAX ? 0 : number;
}

/* What is left to one cgroup, pages of files that it could drop included. */
static int64_t left_to(const char *folder, const char *limit, const char *used,
                       const char *files) {
    char path[4400];
    snprintf(path, sizeof path, "%s/%s", folder, limit);
    int64_t most = number_of_file(path);
    snprintf(path, sizeof path, "%s/%s", folder, used);
    int64_t now = number_of_file(path);
    if (most == INT64_MAX || now == INT64_MAX) {
        return INT64_MAX;
    }
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    int64_t dropped =
        number_behind(path, files) +
        number_behind(path, files[0] == 't' ? "total_active_file " : "active_file ");
    int64_t left = most - now + least(dropped, now);
    return left > 0 ? left : 0;
}

/* What is left to a cgroup and to all that hold it; `folder` is cut on the way up to `root`. */
static int64_t left_on_the_way(char *folder, size_t root, bool second) {
    int64_t left = INT64_MAX;
    for (;;) {
        left = least(left,
                     second ? left_to(folder, "memory.max", "memory.current", "inactive_file ")
                            : left_to(folder, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                      "total_inactive_file "));
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < root) {
            return left;
        }
        *slash = '\0';
    }
}

/* /proc/self/cgroup has lines like "0::/user.slice/x" (v2) and "4:memory:/x" (v1). */
static int64_t left_to_cgroups(void) {
    char line[4096], folder[4200];
    int64_t left = INT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        bool second = names && strncmp(names, "::", 2) == 0;
        if (path && (second || strncmp(names, ":memory:", 8) == 0)) {
            const char *root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
            snprintf(folder, sizeof folder, "%s%s", root,
                     strcmp(path + 1, "/") ? path + 1 : "");
            left = least(left, left_on_the_way(folder, strlen(root), second));
        }
    }
    if (file) {
        fclose(file);
    }
    return left;
}

int64_t memory_free(void) {
    int64_t available = number_behind("/proc/meminfo", "MemAvailable:");
    available = available > 0 && available < INT64_MAX >> 10 ? available << 10 : INT64_MAX;
    return least(available, left_to_cgroups());
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
