/* The inner loop of core/tensor/sieve.h, for AVX-512 with VNNI: an instruction multiplies 64
 * pairs of bytes and adds each four of them to one of 16 sums. */
#include <immintrin.h>
#include <string.h>

#include "core/tensor/sieve.h"

enum { LANES = 16, HALVES = SIEVE_PANEL / LANES };

int64_t simd_vnni(const struct sieve *sieve, const struct sieve_look *look);

/* What one panel's columns are to the tile's rows. */
struct tile {
    __m512i sums[SIEVE_TILE][HALVES];
};

static inline __attribute__((always_inline)) void
multiply(const uint8_t *rows, int64_t steps, const int8_t *panel, struct tile *tile) {
    __m512i sums[SIEVE_TILE][HALVES] = { 0 };
    for (int64_t i = 0; i < steps; i++) {
        __m512i left = _mm512_loadu_si512(panel + i * SIEVE_PANEL * 4);
        __m512i right = _mm512_loadu_si512(panel + i * SIEVE_PANEL * 4 + 64);
#pragma GCC unroll 12
        for (int r = 0; r < SIEVE_TILE; r++) {
            int32_t four;
            memcpy(&four, rows + (r * steps + i) * 4, sizeof four);
            __m512i own = _mm512_set1_epi32(four);
            sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], own, left);
            sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], own, right);
        }
    }
    memcpy(tile->sums, sums, sizeof sums);
}

/* The bits of 16 columns for one row: the upper bound of their nearness against both limits. */
static inline void compare(const struct sieve *sieve, const struct sieve_look *look,
                           int64_t row, int64_t column, __m512i sums, __mmask16 *to_row,
                           __mmask16 *to_column) {
    __m512i exact = _mm512_sub_epi32(sums, _mm512_loadu_si512(sieve->offsets + column));
    __m512 scales = _mm512_mul_ps(_mm512_set1_ps(sieve->scales[row]),
                                  _mm512_loadu_ps(sieve->scales + column));
    __m512 near = _mm512_fmsub_ps(_mm512_cvtepi32_ps(exact), scales,
                                  _mm512_loadu_ps(sieve->halves + column));
    near = _mm512_fmadd_ps(_mm512_set1_ps(sieve->lengths[row]),
                           _mm512_loadu_ps(sieve->losses + column), near);
    near = _mm512_fmadd_ps(_mm512_set1_ps(sieve->losses[row]),
                           _mm512_loadu_ps(sieve->lengths + column), near);
    near = _mm512_sub_ps(near, _mm512_set1_ps(sieve->halves[row]));
    *to_row = _mm512_cmp_ps_mask(near, _mm512_set1_ps(look->limits[row]), _CMP_GE_OQ);
    *to_column = _mm512_cmp_ps_mask(near, _mm512_loadu_ps(look->limits + column), _CMP_GE_OQ);
}

int64_t simd_vnni(const struct sieve *sieve, const struct sieve_look *look) {
    int64_t bits = 0;
    for (int64_t p = 0; p < look->panels; p++) {
        struct tile tile;
        int64_t column = look->column + p * SIEVE_PANEL;
        multiply(sieve->rows + look->row * sieve->steps * 4, sieve->steps,
                 sieve->panels + column * sieve->steps * 4, &tile);
        for (int64_t r = 0; r < look->count; r++) {
            __mmask16 rows[HALVES], columns[HALVES];
            for (int h = 0; h < HALVES; h++) {
                compare(sieve, look, look->row + r, column + h * LANES, tile.sums[r][h],
                        &rows[h], &columns[h]);
            }
            uint32_t to_row = rows[0] | (uint32_t)rows[1] << LANES;
            uint32_t to_column = columns[0] | (uint32_t)columns[1] << LANES;
            look->to_rows[r * look->panels + p] = to_row;
            look->to_columns[r * look->panels + p] = to_column;
            bits += __builtin_popcount(to_row) + __builtin_popcount(to_column);
        }
    }
    return bits;
}
