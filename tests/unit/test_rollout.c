#include <string.h>

#include "core/explain/rollout.h"
#include "tests/check.h"

/* By hand: token 1 looks half at token 0, in both layers. A = [1 0; 1/4 3/4] and R = A A. */
TEST(rollout_multiplies_layers) {
    struct err err;
    struct tensor *attention = tensor_new(check_arena(), 4, (int64_t[]){ 2, 1, 2, 2 });
    memcpy(attention->data, (float[]){ 1, 0, .5F, .5F, 1, 0, .5F, .5F }, 8 * sizeof(float));
    const struct tensor *r = rollout(check_arena(), attention, ROLLOUT_MEAN, &err);
    if (!check(r && r->rank == 3 && r->shape[0] == 2)) {
        return;
    }
    check_near(r->data[2], 1.0 / 4, 1e-7);
    check_near(r->data[3], 3.0 / 4, 1e-7);
    check_near(r->data[6], 7.0 / 16, 1e-7);
    check_near(r->data[7], 9.0 / 16, 1e-7);
}

/* By hand: heads [1 0; 1 0] and [1 0; 0 1]. Mean [1 0; 1/2 1/2]; maximum [1 0; 1 1], whose
 * second row becomes [1/2 1/2] too; of [1 0; .8 .2] and [1 0; .4 .6] the maximum is .8, .6. */
TEST(rollout_fuses_heads) {
    struct err err;
    struct tensor *attention = tensor_new(check_arena(), 4, (int64_t[]){ 1, 2, 2, 2 });
    memcpy(attention->data, (float[]){ 1, 0, .8F, .2F, 1, 0, .4F, .6F }, 8 * sizeof(float));
    const struct tensor *mean = rollout(check_arena(), attention, ROLLOUT_MEAN, &err);
    const struct tensor *most = rollout(check_arena(), attention, ROLLOUT_MAX, &err);
    check_near(mean->data[2], .6 / 2, 1e-7);
    check_near(mean->data[3], .4 / 2 + .5, 1e-7);
    check_near(most->data[2], .8 / 1.4 / 2, 1e-7);
    check_near(most->data[3], .6 / 1.4 / 2 + .5, 1e-7);
}

TEST(rollout_keeps_a_row_that_looks_nowhere) {
    struct err err;
    struct tensor *attention = tensor_new(check_arena(), 4, (int64_t[]){ 1, 1, 2, 2 });
    attention->data[0] = 1;
    const struct tensor *r = rollout(check_arena(), attention, ROLLOUT_MEAN, &err);
    check_near(r->data[2], 0, 0);
    check_near(r->data[3], 1, 0);
}

TEST(rollout_refuses_other_shapes) {
    struct err err;
    struct arena *arena = check_arena();
    check(!rollout(arena, tensor_new(arena, 2, (int64_t[]){ 3, 3 }), ROLLOUT_MEAN, &err));
    check(err.kind == ERR_SHAPE);
    check_text(err.text, "rank 2");
    check(!rollout(arena, tensor_new(arena, 4, (int64_t[]){ 1, 1, 3, 2 }), ROLLOUT_MEAN, &err));
    check_text(err.text, "[1, 1, 3, 2]");
}
