#ifndef CORE_DRAW_POOLING_H
#define CORE_DRAW_POOLING_H

#include <stdbool.h>

#include "core/base/arena.h"

/* pooling: many cells to few: each pool keeps the strongest value of its block (the largest, or
 * of largest magnitude when signed), so that what stands out is still seen. A NaN is the
 * strongest. */

/* The strongest place of one drawn row: of largest value, or magnitude when signed. */
struct pooling_best {
    int64_t row, column; /* before pooling */
    float value;
};

struct pooling {
    int64_t panels, rows, columns;   /* of the pools */
    int64_t row_block, column_block; /* cells of the source that one pool stands for */
    bool is_signed;
    const float *values; /* [panels, rows, columns] */
    const struct pooling_best
        *best; /* [panels, rows]: the strongest cell of the source in each */
};

/* Pools of block x block cells of matrices [panels, rows, columns]. Reads each cell once, with
 * all threads; any number of them gives the same bytes. Block 1 borrows the values. */
struct pooling *pooling_new(struct arena *arena, const float *values, int64_t panels,
                            int64_t rows, int64_t columns, bool is_signed, int64_t block);

/* Pools of factor x factor pools. */
struct pooling *pooling_again(struct arena *arena, const struct pooling *fine, int64_t factor);

#endif
