#include "kernel/worker/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
