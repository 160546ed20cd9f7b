#include <math.h>
#include <string.h>

#include "core/explain/moments.h"
#include "tests/check.h"

/* By hand: 0, 1, 3, 4 and a NaN. Mean 2, squares of distances 4 + 1 + 1 + 4. */
TEST(moments_of_a_few_numbers) {
    struct arena *arena = check_arena();
    struct tensor *t = tensor_new(arena, 1, (int64_t[]){ 5 });
    memcpy(t->data, (float[]){ 0, 1, NAN, 3, 4 }, 5 * sizeof(float));
    struct moments m = moments_of(t);
    check_int(m.count, 5);
    check_int(m.zeros, 1);
    check_int(m.bad, 1);
    check_near(m.mean, 2, 0);
    check_near(m.deviation, sqrt(2.5), 1e-15);
    check_near(m.norm, sqrt(26), 1e-14);
    check_near(m.low, 0, 0);
    check_near(m.high, 4, 0);
}

/* 100,001 whole numbers: mean n / 2, variance (n + 1)^2 / 12 - 1 / 12 with n + 1 of them; far
 * from zero, where sums of squares would lose all digits. */
TEST(moments_keep_their_digits) {
    enum { N = 20001 };
    struct arena *arena = check_arena();
    struct tensor *t = tensor_new(arena, 1, (int64_t[]){ N });
    for (int i = 0; i < N; i++) {
        t->data[i] = (float)(16000000 + i);
    }
    struct moments m = moments_of(t);
    check_near(m.mean, 16000000 + (N - 1) / 2.0, 1e-7);
    check_near(m.deviation, sqrt(((double)N * N - 1) / 12), 1e-7);
    check_int(m.zeros, 0);
}

TEST(moments_of_nothing_finite) {
    struct arena *arena = check_arena();
    struct tensor *t = tensor_new(arena, 1, (int64_t[]){ 2 });
    t->data[0] = INFINITY;
    t->data[1] = NAN;
    struct moments m = moments_of(t);
    check_int(m.bad, 2);
    check_near(m.low, 0, 0);
    check_near(m.deviation, 0, 0);
    struct tensor *flags = tensor_new_of(arena, DTYPE_BOOL, 1, (int64_t[]){ 3 });
    check_int(moments_of(flags).count, 3);
}
