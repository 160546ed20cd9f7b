/* NEON: 32 registers of four lanes. */
#include <arm_neon.h>

#define LANES                 4
#define TILE                  12
#define MULTIPLY_ADD(a, b, c) vfmaq_f32((c), (a), (b))

#include "core/tensor/simd_lanes.h"

const struct simd simd_neon = SIMD_TABLE(CPU_NEON);
