/* AVX-512 (F, BW, DQ, VL): 32 registers of sixteen lanes. */
#include <immintrin.h>

#define LANES                 16
#define TILE                  12
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps((a), (b), (c))
#define GREATER(a, b)         ((vec)_mm512_max_ps((a), (b)))
#define LOAD_PART(p, n)       ((vec)_mm512_maskz_loadu_ps((__mmask16)((1U << (n)) - 1), (p)))
#define STORE_PART(p, v, n)   _mm512_mask_storeu_ps((p), (__mmask16)((1U << (n)) - 1), (v))
#define HALVES(p)             _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#define HALF(half)            _cvtsh_ss(half)
#define OCTETS(p)             (ints) _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(p)))
#define DOUBLES(p)            (four_doubles) _mm256_cvtps_pd(_mm_loadu_ps(p))

static inline __m512i quads(__m128i a, __m128i b, __m128i c, __m128i d) {
    __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
    __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
#define QUADS(a, b, c, d) quads((__m128i)(a), (__m128i)(b), (__m128i)(c), (__m128i)(d))

#include "core/tensor/simd_lanes.h"

const struct simd simd_avx512 = SIMD_TABLE(CPU_AVX512);
