#include "core/base/cpu.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "generic", "neon", "avx2", "avx512" };

const char *cpu_name(enum cpu_isa isa) {
    return names[isa];
}

int cpu_runs(enum cpu_isa isa) {
    if (isa == CPU_GENERIC) {
        return 1;
    }
#if defined __x86_64__
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi2");
    if (isa == CPU_AVX2) {
        return avx2;
    }
    if (isa == CPU_AVX512) {
        return avx2 && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    }
#elif defined __aarch64__
    if (isa == CPU_NEON) {
        return 1;
    }
#endif
    return 0;
}

static enum cpu_isa best(void) {
    const char *forced = getenv("CUTAWAY_ISA");
    for (int isa = CPU_AVX512; isa > CPU_GENERIC; isa--) {
        if (cpu_runs((enum cpu_isa)isa) && (!forced || strcmp(forced, names[isa]) == 0)) {
            return (enum cpu_isa)isa;
        }
    }
    return CPU_GENERIC;
}

enum cpu_isa cpu_isa(void) {
    static int known = -1;
    if (known < 0) {
        known = (int)best();
    }
    return (enum cpu_isa)known;
}

bool cpu_multiplies_bytes(void) {
#if defined __x86_64__
    return cpu_isa() == CPU_AVX512 && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

/* Processors that the control group allows, or CPU_LIMIT, which JupyterHub sets; 0 if neither
 * sets a limit. */
static int quota(void) {
    const char *said = getenv("CPU_LIMIT");
    double allowed = 0, period = 0, most = said ? strtod(said, NULL) : 0;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (f) {
        if (fscanf(f, "%lf %lf", &allowed, &period) != 2) {
            allowed = 0;
        }
        fclose(f);
    }
    if (allowed > 0 && period > 0) {
        most = most > 0 ? fmin(most, allowed / period) : allowed / period;
    }
    return most > 0 && most < 1e6 ? (int)ceil(most) : 0;
}

int cpu_threads(void) {
    const char *wanted = getenv("CUTAWAY_THREADS");
    if (wanted && atoi(wanted) > 0) {
        return atoi(wanted) > 64 ? 64 : atoi(wanted);
    }
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int most = quota();
    n = most > 0 && most < n ? most : n;
    return n > 64 ? 64 : n < 1 ? 1 : n;
}
