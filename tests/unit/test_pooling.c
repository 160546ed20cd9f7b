#include "core/draw/pooling.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "tests/check.h"

/* By hand: blocks of 2 x 2 of a 3 x 3 matrix, the last ones cut. */
TEST(pooling_keeps_the_largest_of_each_block) {
    static const float from[] = { 1, 2, 3, 4, 5, 6, 7, 9, 8 };
    struct pooling *p = pooling_new(check_arena(), from, 1, 3, 3, false, 2);
    check_int(p->rows, 2);
    check_int(p->columns, 2);
    check(memcmp(p->values, (float[]){ 5, 6, 9, 8 }, 16) == 0);
    check_int(p->best[0].row, 1);
    check_int(p->best[0].column, 2);
    check_int(p->best[1].row, 2);
    check_int(p->best[1].column, 1);
    check_near(p->best[1].value, 9, 0);
}

TEST(pooling_of_signed_values_keeps_the_largest_magnitude) {
    static const float from[] = { 1, -2, 0.5F, -0.25F };
    struct pooling *p = pooling_new(check_arena(), from, 1, 2, 2, true, 2);
    check_near(p->values[0], -2, 0);
    check_near(p->best[0].value, -2, 0);
    check_near(pooling_new(check_arena(), from, 1, 2, 2, false, 2)->values[0], 1, 0);
}

/* Rows may be left out then, so there must be no picture of them. */
TEST(pooling_is_no_result_once_interrupted) {
    static const float from[4] = { 1, 2, 3, 4 };
    struct catch here;
    stop_request();
    if (setjmp(catch_set(&here)->place) == 0) {
        pooling_new(check_arena(), from, 1, 2, 2, false, 2);
        check(!"pooling went on");
    }
    catch_end(&here);
    stop_clear();
    check_int(here.err.kind, ERR_STOP);
}

TEST(pooling_block_one_borrows) {
    static const float from[] = { 3, 1, 2, 4 };
    struct pooling *p = pooling_new(check_arena(), from, 2, 1, 2, false, 1);
    check(p->values == from);
    check_int(p->best[0].column, 0);
    check_int(p->best[1].column, 1);
}

static float *noise(struct arena *arena, int64_t n) {
    float *values = arena_array(arena, n, sizeof *values);
    uint64_t state = 1;
    for (int64_t i = 0; i < n; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        values[i] = (float)(int32_t)(state >> 32) / 2147483648.0F;
    }
    return values;
}

/* The same maximum, looked for cell by cell; sizes that fill no register and no chunk. */
static void compare(bool is_signed, int64_t rows, int64_t columns, int64_t block) {
    struct arena *arena = check_arena();
    float *from = noise(arena, 3 * rows * columns);
    struct pooling *p = pooling_new(arena, from, 3, rows, columns, is_signed, block);
    bool same = true;
    for (int64_t i = 0; i < 3 * p->rows * p->columns; i++) {
        int64_t panel = i / (p->rows * p->columns), r0 = i / p->columns % p->rows * block;
        float most = -INFINITY, value = 0;
        for (int64_t r = r0; r < r0 + block && r < rows; r++) {
            for (int64_t c = i % p->columns * block;
                 c < (i % p->columns + 1) * block && c < columns; c++) {
                float v = from[(panel * rows + r) * columns + c];
                float size = is_signed ? fabsf(v) : v;
                value = size > most ? v : value;
                most = size > most ? size : most;
            }
        }
        same &= p->values[i] == value;
    }
    check(same);
    for (int64_t i = 0; i < 3 * p->rows; i++) {
        const struct pooling_best *best = &p->best[i];
        int64_t panel = i / p->rows;
        check(from[(panel * rows + best->row) * columns + best->column] == best->value);
        check(best->row / block == i % p->rows);
        for (int64_t c = 0; c < p->columns; c++) {
            float v = p->values[i * p->columns + c];
            check(is_signed ? fabsf(v) <= fabsf(best->value) : v <= best->value);
        }
    }
}

TEST(pooling_equals_the_plain_loop) {
    compare(false, 37, 41, 3);
    compare(true, 37, 41, 3);
    compare(false, 9, 1203, 7);
    compare(true, 9, 1203, 600);
    compare(false, 1, 1, 5);
}

static bool same_best(const struct pooling *a, const struct pooling *b) {
    for (int64_t i = 0; i < a->panels * a->rows; i++) {
        if (a->best[i].row != b->best[i].row || a->best[i].column != b->best[i].column ||
            a->best[i].value != b->best[i].value) {
            return false;
        }
    }
    return a->rows == b->rows;
}

TEST(pooling_again_equals_pooling_once) {
    struct arena *arena = check_arena();
    float *from = noise(arena, 2 * 50 * 60);
    struct pooling *fine = pooling_new(arena, from, 2, 50, 60, false, 2);
    struct pooling *twice = pooling_again(arena, fine, 3);
    struct pooling *once = pooling_new(arena, from, 2, 50, 60, false, 6);
    check_int(twice->row_block, 6);
    check_int(twice->rows, once->rows);
    check(memcmp(twice->values, once->values, (size_t)(2 * once->rows * once->columns) * 4) ==
          0);
    check(same_best(twice, once));
}

TEST(pooling_lets_a_nan_be_seen) {
    struct arena *arena = check_arena();
    float *from = noise(arena, 8 * 20);
    from[3 * 20 + 9] = NAN;
    struct pooling *p = pooling_new(arena, from, 1, 8, 20, false, 4);
    for (int64_t i = 0; i < p->rows * p->columns; i++) {
        check(isnan(p->values[i]) == (i == 2));
    }
    check(!isnan(p->best[0].value));
}

TEST(pooling_gives_the_same_bytes_for_any_number_of_threads) {
    struct arena *arena = check_arena();
    int threads = pool_threads();
    float *from = noise(arena, 4 * 300 * 300);
    struct pooling *one = pooling_new(arena, from, 4, 300, 300, true, 7);
    for (int n = 1; n <= 4; n++) {
        pool_set_threads(n);
        struct pooling *p = pooling_new(arena, from, 4, 300, 300, true, 7);
        check(memcmp(p->values, one->values, (size_t)(4 * p->rows * p->columns) * 4) == 0);
        check(same_best(p, one));
    }
    pool_set_threads(threads);
}
