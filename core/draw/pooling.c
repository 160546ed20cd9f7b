#include "core/draw/pooling.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"

enum {
    LANES = 4,      /* cells that are compared side by side */
    CHUNK = 512,    /* columns that are held at a time */
    GRAIN = 1 << 16 /* cells that a thread takes at a time */
};

/* Four cells in a register; the compiler has instructions for these on every machine of ours.
 */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(16)));

/* From finer matrices to pools; `fine` is the source itself or pools of it. */
struct work {
    const struct pooling *to;
    float *values;
    struct pooling_best *best;
    const float *fine;
    const struct pooling_best *fine_best; /* NULL: the source, whose best is to be found */
    int64_t fine_rows, fine_columns;
    int64_t rows_each, columns_each; /* fine cells in a pool */
};

/* What is held stays if it is a NaN, and a new NaN wins. */
static float stronger(float held, float other, bool is_signed) {
    float a = is_signed ? fabsf(held) : held, b = is_signed ? fabsf(other) : other;
    return b <= a || isnan(a) ? held : other;
}

static inline lanes choose(mask yes, lanes a, lanes b) {
    return (lanes)(((mask)a & yes) | ((mask)b & ~yes));
}

/* into[c] = stronger(into[c], row[c]). `bits`: which bits of a number count, all but the sign's
 * when it is magnitude that is compared. */
static void merge(float *into, const float *row, int64_t n, bool is_signed) {
    const mask bits = is_signed ? ~(mask){ 0 } ^ INT32_MIN : ~(mask){ 0 };
    int64_t c = 0;
    for (; c + LANES <= n; c += LANES) {
        lanes held = *(const lanes *)(into + c), other = *(const lanes *)(row + c);
        lanes a = (lanes)((mask)held & bits), b = (lanes)((mask)other & bits);
        *(lanes *)(into + c) = choose((b <= a) | (a != a), held, other);
    }
    for (; c < n; c++) {
        into[c] = stronger(into[c], row[c], is_signed);
    }
}

/* The strongest number of a row; NaNs are passed over. -INFINITY when there is nothing else. */
static float row_strongest(const float *row, int64_t n, bool is_signed) {
    const mask bits = is_signed ? ~(mask){ 0 } ^ INT32_MIN : ~(mask){ 0 };
    lanes most[2] = { { 0 }, { 0 } };
    most[0] = most[1] = most[0] - INFINITY;
    int64_t c = 0;
    for (; c + 2 * LANES <= n; c += 2 * LANES) {
        lanes a = (lanes)((mask) * (const lanes *)(row + c) & bits);
        lanes b = (lanes)((mask) * (const lanes *)(row + c + LANES) & bits);
        most[0] = choose(a > most[0], a, most[0]);
        most[1] = choose(b > most[1], b, most[1]);
    }
    float best = -INFINITY;
    for (; c < n; c++) {
        float value = is_signed ? fabsf(row[c]) : row[c];
        best = value > best ? value : best;
    }
    for (int k = 0; k < 2 * LANES; k++) {
        float value = most[k / LANES][k % LANES];
        best = value > best ? value : best;
    }
    return best;
}

/* The first cell of fine row r that is stronger than all of `best`. */
static void improve(const struct work *work, struct pooling_best *best, const float *row,
                    int64_t r) {
    bool is_signed = work->to->is_signed;
    float most = row_strongest(row, work->fine_columns, is_signed);
    float held = is_signed ? fabsf(best->value) : best->value;
    if (!(most > held) && !isnan(held)) {
        return;
    }
    for (int64_t c = 0; c < work->fine_columns; c++) {
        if ((is_signed ? fabsf(row[c]) : row[c]) == most) {
            *best = (struct pooling_best){ r, c, row[c] };
            return;
        }
    }
}

static void find_best(const struct work *work, int64_t index, int64_t panel, int64_t first,
                      int64_t rows) {
    struct pooling_best best = { first, 0, NAN };
    for (int64_t r = first; r < first + rows; r++) {
        int64_t at = panel * work->fine_rows + r;
        if (!work->fine_best) {
            improve(work, &best, work->fine + at * work->fine_columns, r);
            continue;
        }
        const struct pooling_best *other = &work->fine_best[at];
        bool wins = work->to->is_signed ? fabsf(other->value) > fabsf(best.value)
                                        : other->value > best.value;
        if (wins || r == first) {
            best = *other;
        }
    }
    work->best[index] = best;
}

/* Folds cells begin .. begin+n-1 of one row into its pools. */
static void fold(const struct work *work, const float *cells, int64_t begin, int64_t n,
                 float *to) {
    bool is_signed = work->to->is_signed;
    int64_t pool = begin / work->columns_each, inside = begin % work->columns_each;
    for (int64_t c = 0; c < n; pool++, inside = 0) {
        int64_t end = c + work->columns_each - inside;
        end = end < n ? end : n;
        float held = inside > 0 ? to[pool] : cells[c];
        for (; c < end; c++) {
            held = stronger(held, cells[c], is_signed);
        }
        to[pool] = held;
    }
}

/* One row of pools. */
static void pool_row(const struct work *work, int64_t index) {
    int64_t panel = index / work->to->rows, first = index % work->to->rows * work->rows_each;
    int64_t rows = work->fine_rows - first;
    rows = rows < work->rows_each ? rows : work->rows_each;
    find_best(work, index, panel, first, rows);
    if (!work->values) {
        return;
    }
    const float *from = work->fine + (panel * work->fine_rows + first) * work->fine_columns;
    float *to = work->values + index * work->to->columns;
    float strongest[CHUNK];
    for (int64_t begin = 0; begin < work->fine_columns; begin += CHUNK) {
        int64_t n = work->fine_columns - begin < CHUNK ? work->fine_columns - begin : CHUNK;
        memcpy(strongest, from + begin, (size_t)n * sizeof(float));
        for (int64_t r = 1; r < rows; r++) {
            merge(strongest, from + r * work->fine_columns + begin, n, work->to->is_signed);
        }
        fold(work, strongest, begin, n, to);
    }
}

static void pool_rows(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        pool_row(arg, i);
    }
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t blocks(int64_t count, int64_t block) {
    return (count + block - 1) / block;
}

/* Fills `to`, whose panels, source sizes and blocks are set. */
static void run(struct arena *arena, struct pooling *to, struct work *work) {
    to->rows = blocks(work->fine_rows, work->rows_each);
    to->columns = blocks(work->fine_columns, work->columns_each);
    work->to = to;
    work->best = arena_array(arena, to->panels * to->rows, sizeof *work->best);
    to->best = work->best;
    to->values = work->fine;
    if (work->rows_each > 1 || work->columns_each > 1) {
        work->values = arena_array(arena, to->panels * to->rows * to->columns, sizeof(float));
        to->values = work->values;
    }
    int64_t grain = 1 + GRAIN / (work->rows_each * work->fine_columns);
    pool_for(to->panels * to->rows, grain, pool_rows, work);
    stop_check(); /* an interrupt leaves rows out: no picture rather than a wrong one */
}

struct pooling *pooling_new(struct arena *arena, const float *values, int64_t panels,
                            int64_t rows, int64_t columns, bool is_signed, int64_t block) {
    struct pooling *to = arena_alloc(arena, sizeof *to);
    to->panels = panels;
    to->row_block = least(block, rows);
    to->column_block = least(block, columns);
    to->is_signed = is_signed;
    struct work work = { .fine = values,
                         .fine_rows = rows,
                         .fine_columns = columns,
                         .rows_each = to->row_block,
                         .columns_each = to->column_block };
    run(arena, to, &work);
    return to;
}

struct pooling *pooling_again(struct arena *arena, const struct pooling *fine, int64_t factor) {
    struct pooling *to = arena_alloc(arena, sizeof *to);
    *to = *fine;
    struct work work = { .fine = fine->values,
                         .fine_best = fine->best,
                         .fine_rows = fine->rows,
                         .fine_columns = fine->columns,
                         .rows_each = least(factor, fine->rows),
                         .columns_each = least(factor, fine->columns) };
    to->row_block = fine->row_block * work.rows_each;
    to->column_block = fine->column_block * work.columns_each;
    run(arena, to, &work);
    return to;
}
