/* AVX2 with FMA and F16C: 16 registers of eight lanes. */
#include <immintrin.h>

#define LANES                 8
#define TILE                  6
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps((a), (b), (c))
#define PART(n)               _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), LANE_NUMBERS)
#define LANE_NUMBERS          _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)
#define GREATER(a, b)         ((vec)_mm256_max_ps((a), (b)))
#define LOAD_PART(p, n)       ((vec)_mm256_maskload_ps((p), PART(n)))
#define STORE_PART(p, v, n)   _mm256_maskstore_ps((p), PART(n), (v))
#define HALVES(p)             _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#define HALF(half)            _cvtsh_ss(half)
#define OCTETS(p)             (ints) _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p)))
#define DOUBLES(p)            (four_doubles) _mm256_cvtps_pd(_mm_loadu_ps(p))

#include "core/tensor/simd_lanes.h"

const struct simd simd_avx2 = SIMD_TABLE(CPU_AVX2);
