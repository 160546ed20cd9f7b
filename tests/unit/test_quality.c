#include "core/explain/quality.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "tests/check.h"

static struct tensor *line(struct arena *arena, int64_t n, const float *values) {
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ n, 1 });
    memcpy(x->data, values, (size_t)n * sizeof *values);
    return x;
}

TEST(quality_of_a_map_that_keeps_all_is_one) {
    struct arena *arena = check_arena();
    struct err err;
    struct quality q;
    struct tensor *x = line(arena, 8, (float[]){ 0, 1, 3, 6, 10, 15, 21, 28 });
    struct tensor *y = line(arena, 8, (float[]){ 0, 2, 6, 12, 20, 30, 42, 56 });
    check_int(quality_measure(&q, arena, x, y, 2, 0, &err), 0);
    check(q.kept == 1 && q.trustworthiness == 1 && q.continuity == 1 && q.rows == 8);
}

/* Points 0 1 3 7 15, of which the map exchanges the first and the last; k = 1. The nearest in
 * the data are 1 0 1 2 3, in the map 3 4 1 2 1: two are kept. Rank in the data of 0's nearest
 * in the map: 3, two too many; of 1's: 4; of 4's: 3. Rank in the map of 0's nearest in the
 * data: 3; of 1's: 4; of 4's: 3. c = 2 / (5 (10 - 3 - 1)). */
TEST(quality_counts_ranks_as_worked_out_by_hand) {
    struct arena *arena = check_arena();
    struct err err;
    struct quality q;
    struct tensor *x = line(arena, 5, (float[]){ 0, 1, 3, 7, 15 });
    struct tensor *y = line(arena, 5, (float[]){ 15, 1, 3, 7, 0 });
    check_int(quality_measure(&q, arena, x, y, 1, 0, &err), 0);
    check_near(q.kept, 2.0 / 5, 1e-12);
    check_near(q.trustworthiness, 1 - 2.0 / 30 * (2 + 3 + 2), 1e-12);
    check_near(q.continuity, 1 - 2.0 / 30 * (2 + 3 + 2), 1e-12);
}

TEST(quality_interrupted_says_so_and_does_not_throw) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct quality q;
    struct tensor *x = line(arena, 5, (float[]){ 0, 1, 3, 7, 15 });
    stop_request();
    check_int(quality_measure(&q, arena, x, x, 1, 0, &err), -1);
    stop_clear();
    check_int(err.kind, ERR_STOP);
}

TEST(quality_refuses_maps_of_other_points) {
    struct arena *arena = check_arena();
    struct err err;
    struct quality q;
    struct tensor *x = line(arena, 5, (float[]){ 0, 1, 3, 7, 15 });
    struct tensor *y = line(arena, 4, (float[]){ 0, 1, 3, 7 });
    check(quality_measure(&q, arena, x, y, 1, 0, &err) < 0 && err.kind == ERR_SHAPE);
    check_text(err.text, "a map of 4 points is wanted for data of 5");
    check(quality_measure(&q, arena, line(arena, 3, (float[]){ 1, 2, 3 }), y, 1, 0, &err) < 0);
    check_text(err.text, "needs at least 4 points; there are 3");
    check(quality_measure(&q, arena, line(arena, 4, (float[]){ 1, 1, 1, 1 }), y, 1, 0, &err) <
          0);
    check_text(err.text, "all 4 points are the same");
}
