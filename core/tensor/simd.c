#include "core/tensor/simd.h"

#include <stddef.h>

extern const struct simd simd_generic;
#if defined __x86_64__
extern const struct simd simd_avx2;
extern const struct simd simd_avx512;
#elif defined __aarch64__
extern const struct simd simd_neon;
#endif

const struct simd *simd_table(enum cpu_isa isa) {
    if (!cpu_runs(isa)) {
        return NULL;
    }
    switch (isa) {
#if defined __x86_64__
    case CPU_AVX2:
        return &simd_avx2;
    case CPU_AVX512:
        return &simd_avx512;
#elif defined __aarch64__
    case CPU_NEON:
        return &simd_neon;
#endif
    default:
        return &simd_generic;
    }
}

const struct simd *simd(void) {
    static const struct simd *chosen; /* every thread would choose the same */
    if (!chosen) {
        chosen = simd_table(cpu_isa());
    }
    return chosen;
}
