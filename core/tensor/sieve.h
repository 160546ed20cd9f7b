#ifndef CORE_TENSOR_SIEVE_H
#define CORE_TENSOR_SIEVE_H

#include <stdint.h>

#include "core/base/arena.h"

/* sieve: which pairs of points may be near each other, by products of whole bytes.
 *
 * Each row a is rounded to bytes, a' = scale * q with |q| <= 127, and what that loses is known:
 *
 *     |a b - a' b'| = |(a - a') b + a' (b - b')| <= |a - a'| |b| + |a'| |b - b'|
 *
 * So the sum q_a q_b, which is exact, bounds a b from above, and a pair whose bound is below a
 * limit is not near, for certain. In MiniLM's word embeddings a row loses 0.7 % of its length,
 * and the bound lets three to four times as many pairs pass as are near. Four such products
 * take the time of one of floats.
 *
 * Nearness of a and b is a b - half_a - half_b, as the caller has chosen the halves. What a sum
 * of floats may round is the caller's: halves a little smaller than |a|^2 / 2 allow for it. */

enum {
    SIEVE_TILE = 12, /* rows that are looked at together */
    SIEVE_PANEL = 32 /* columns; a bit each */
};

struct sieve {
    int64_t n, steps; /* steps: fours of values */
    uint8_t *rows;    /* [n and some, steps * 4] bytes, plus 128 */
    int8_t *panels;   /* [n / 32, steps, 32, 4] bytes */
    int32_t *offsets; /* [n and some] 128 times the sum of a row's bytes */
    float *scales;
    float *lengths; /* at least |a| and |a'| */
    float *losses;  /* at least |a - a'| */
    float *halves;  /* NaN past the end, which is never near */
};

/* Rows row .. row + count (at most SIEVE_TILE) against columns of the same table; both begin
 * at a multiple of SIEVE_PANEL or of SIEVE_TILE behind one. */
struct sieve_look {
    int64_t row, count, column, panels;
    const float *limits;  /* [n and SIEVE_PANEL] the least nearness that each point asks for */
    uint32_t *to_rows;    /* [count, panels] a bit where the row asks for the column ... */
    uint32_t *to_columns; /* ... and where the column asks for the row */
};

/* Of rows [n, width] with halves [n]. NULL where this machine multiplies bytes no faster than
 * floats (it needs AVX-512 VNNI), or where sums would not fit 32 bits. */
struct sieve *sieve_new(struct arena *arena, const float *rows, int64_t n, int64_t width,
                        const float *halves);

/* Returns how many bits are set. */
int64_t sieve_look(const struct sieve *sieve, const struct sieve_look *look);

#endif
