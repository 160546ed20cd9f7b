/* Portable: four lanes of GCC's vectors, which every target has; no fused multiply-add. */
#define LANES                 4
#define TILE                  6
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#include "core/tensor/simd_lanes.h"

const struct simd simd_generic = SIMD_TABLE(CPU_GENERIC);
