/* AVX2 with FMA and F16C: 16 registers of eight lanes. */
#include <immintrin.h>

#define LANES                 8
#define TILE                  6
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps((a), (b), (c))
#define HALVES(p)             _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#define HALF(half)            _cvtsh_ss(half)
#define OCTETS(p)             (ints) _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p)))

#include "core/tensor/simd_lanes.h"

const struct simd simd_avx2 = SIMD_TABLE(CPU_AVX2);
