#ifndef CORE_BASE_CPU_H
#define CORE_BASE_CPU_H

#include <stdbool.h>

/* cpu: what this machine can do. */

enum cpu_isa { CPU_GENERIC, CPU_NEON, CPU_AVX2, CPU_AVX512 };

/* The widest instruction set that both the machine and this build have; the environment
 * variable CUTAWAY_ISA (generic, neon, avx2, avx512) forces a lower one. Asked once. */
enum cpu_isa cpu_isa(void);

/* Whether this machine can run that table (for tests that walk all of them). */
int cpu_runs(enum cpu_isa isa);

/* Whether bytes are multiplied faster than floats here: AVX-512 with VNNI, and not forced
 * lower. */
bool cpu_multiplies_bytes(void);

const char *cpu_name(enum cpu_isa isa);

/* Threads to use: CUTAWAY_THREADS, else the processors this process may run on, limited by the
 * cgroup's quota. */
int cpu_threads(void);

#endif
