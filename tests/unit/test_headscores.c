#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/explain/headscores.h"
#include "tests/check.h"

static struct series weights_of(int64_t heads, int64_t n, const bool *rests) {
    struct tensor *values = tensor_new(check_arena(), 4, (int64_t[]){ 1, heads, n, n });
    return (struct series){ .name = "attention",
                            .values = values,
                            .axes = { { "layer", 1, NULL },
                                      { "head", heads, NULL },
                                      { "query", n, NULL },
                                      { "key", n, NULL } },
                            .rests = rests };
}

static double score_at(const struct series *scores, int64_t count, const char *name,
                       int64_t head) {
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(scores[i].name, name) == 0) {
            return (double)scores[i].values->data[head];
        }
    }
    return -1;
}

/* Of four tokens a b a b: head 0 looks at the token before, head 1 at all alike, head 2 at what
 * followed the token's earlier place (b after a, a after b). */
TEST(headscores_of_heads_that_are_exactly_of_a_kind) {
    static const bool rests[4] = { true, false, false, false };
    static const int32_t same[4] = { 7, 9, 7, 9 };
    struct series attention = weights_of(3, 4, rests), scores[HEADSCORES_MOST];
    float *at = attention.values->data;
    for (int q = 0; q < 4; q++) {
        at[q * 4 + (q > 0 ? q - 1 : 0)] = 1;
        for (int k = 0; k < 4; k++) {
            at[16 + q * 4 + k] = 0.25F;
        }
        at[32 + q * 4 + (q > 1 ? q - 1 : 0)] = 1;
    }
    int64_t count = headscores(check_arena(), &attention, same, scores);
    check_int(count, 6);
    check_same(scores[0].unit, "nats");
    check_near(score_at(scores, count, "entropy", 0), 0, 0);
    check_near(score_at(scores, count, "entropy", 1), log(4), 1e-6);
    check_near(score_at(scores, count, "previous", 0), 1, 0);
    check_near(score_at(scores, count, "previous", 1), 0.25, 0);
    check_near(score_at(scores, count, "next", 1), 0.25, 0);
    check_near(score_at(scores, count, "self", 0), 0, 0);
    check_near(score_at(scores, count, "rests", 0), 1.0 / 3, 1e-7);
    check_near(score_at(scores, count, "rests", 1), 0.25, 0);
    check_near(score_at(scores, count, "induction", 1), 0.25, 0);
    check_near(score_at(scores, count, "induction", 2), 1, 0);
}

/* a a a b: rows 1 and 2 have an earlier a; after the one right before stands the row itself,
 * which is no place to copy from. Row 2 looks .3 at place 1, after place 0. */
TEST(headscores_count_no_token_as_following_itself) {
    static const bool rests[4] = { false };
    static const int32_t same[4] = { 1, 1, 1, 2 };
    struct series attention = weights_of(1, 4, rests), scores[HEADSCORES_MOST];
    attention.values->data[2 * 4 + 1] = 0.3F;
    attention.values->data[2 * 4 + 2] = 0.7F;
    int64_t count = headscores(check_arena(), &attention, same, scores);
    check_near(score_at(scores, count, "induction", 0), 0.3, 1e-7);
}

TEST(headscores_leave_out_what_does_not_apply) {
    static const bool rests[3] = { true, false, false };
    static const int32_t same[3] = { 1, 2, 3 };
    struct series attention = weights_of(1, 3, rests), scores[HEADSCORES_MOST];
    for (int q = 0; q < 3; q++) {
        attention.values->data[q * 3] = 1;
    }
    int64_t count = headscores(check_arena(), &attention, same, scores);
    check_near(score_at(scores, count, "induction", 0), -1, 0); /* no token repeats */
    check_near(score_at(scores, count, "next", 0), -1, 0);      /* causal */
    check_int(count, 4);
    attention.rests = NULL; /* rows and columns are two texts */
    check_int(headscores(check_arena(), &attention, NULL, scores), 1);
    struct series one = weights_of(1, 1, rests);
    one.values->data[0] = 1;
    check_int(headscores(check_arena(), &one, same, scores), 2);
}

TEST(headscores_keep_what_is_not_a_number_and_any_threads_agree) {
    static const bool rests[8] = { true };
    static const int32_t same[8] = { 1, 2, 3, 1, 2, 3, 1, 2 };
    struct series attention = weights_of(5, 8, rests), one[HEADSCORES_MOST],
                  many[HEADSCORES_MOST];
    for (int i = 0; i < 5 * 64; i++) {
        attention.values->data[i] = (float)(i * 37 % 64) / 64;
    }
    attention.values->data[2 * 64 + 9] = NAN;
    int before = pool_threads();
    pool_set_threads(1);
    int64_t count = headscores(check_arena(), &attention, same, one);
    pool_set_threads(4);
    check_int(headscores(check_arena(), &attention, same, many), count);
    pool_set_threads(before);
    for (int64_t i = 0; i < count; i++) {
        check(memcmp(one[i].values->data, many[i].values->data, 5 * sizeof(float)) == 0);
    }
    check(isnan(score_at(one, count, "entropy", 2)));
    check(!isnan(score_at(one, count, "entropy", 1)));
}
