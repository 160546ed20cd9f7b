/* NEON: 32 registers of four lanes. */
#include <arm_neon.h>

#define LANES                 4
#define TILE                  12
#define MULTIPLY_ADD(a, b, c) vfmaq_f32((c), (a), (b))
#define HALVES(p)             vcvt_f32_f16(vld1_f16((const float16_t *)(p)))
#define HALF(half)            vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half))), 0)
#define OCTETS(p)     \
    (ints) vmovl_s16( \
        vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vld1_dup_u32((const uint32_t *)(p))))))

#include "core/tensor/simd_lanes.h"

const struct simd simd_neon = SIMD_TABLE(CPU_NEON);
