#include "core/explain/verdict.h"

#include <math.h>

#include "tests/check.h"

static struct verdict through(enum verdict_way way, double factor, int64_t n) {
    double norms[100];
    for (int64_t i = 0; i < n; i++) {
        norms[i] = 2 * pow(factor, (double)(n - 1 - i));
    }
    return verdict_of(way, norms, n);
}

/* Thresholds are where the header says. */
TEST(verdict_of_time_is_by_the_factor) {
    check_int(through(VERDICT_TIME, 0.79, 20).kind, VERDICT_VANISHING);
    check_int(through(VERDICT_TIME, 0.81, 20).kind, VERDICT_HEALTHY);
    check_int(through(VERDICT_TIME, 1.24, 20).kind, VERDICT_HEALTHY);
    check_int(through(VERDICT_TIME, 1.26, 20).kind, VERDICT_EXPLODING);
    check_int(through(VERDICT_TIME, 0.5, 7).kind, VERDICT_SHORT);
    struct verdict v = through(VERDICT_TIME, 0.5, 11);
    check_near(v.factor, 0.5, 1e-12);
    check_near(v.ratio, pow(0.5, 10), 1e-12);
    check_near(v.last, 2, 0);
}

TEST(verdict_of_layers_is_by_the_ratio) {
    check_int(through(VERDICT_LAYERS, 0.1, 4).kind, VERDICT_HEALTHY); /* 1/1000 itself */
    check_int(through(VERDICT_LAYERS, 0.099, 4).kind, VERDICT_VANISHING);
    check_int(through(VERDICT_LAYERS, 10.1, 4).kind, VERDICT_EXPLODING);
    check_int(through(VERDICT_LAYERS, 0.001, 2).kind, VERDICT_SHORT);
}

TEST(verdict_of_nothing) {
    double none[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0 }, late[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1 };
    check_int(verdict_of(VERDICT_TIME, none, 9).kind, VERDICT_NOTHING);
    check_int(verdict_of(VERDICT_TIME, late, 9).kind, VERDICT_VANISHING);
    check_near(verdict_of(VERDICT_TIME, late, 9).ratio, 0, 0);
}

TEST(verdict_speaks_both_languages) {
    struct arena *arena = check_arena();
    struct verdict v = through(VERDICT_TIME, 0.5, 11);
    check_text(verdict_text(arena, &v, false),
               "vanishing through time: each step back multiplies "
               "the gradient by 0.5 (fit r² 1.00)");
    check_text(verdict_text(arena, &v, false), "10 steps before");
    check_text(verdict_text(arena, &v, true), "沿时间消失");
    v = through(VERDICT_TIME, 0.5, 3);
    check_text(verdict_text(arena, &v, false), "3 steps are too few");
    v = through(VERDICT_LAYERS, 1, 12);
    check_text(verdict_text(arena, &v, false), "healthy through depth");
}

/* What cannot be counted is no vanishing gradient, and never healthy. */
TEST(verdict_of_broken_norms) {
    struct arena *arena = check_arena();
    double first[] = { NAN, 1, 1, 1, 1, 1, 1, 1, 1 }, all[9], wild[9];
    for (int i = 0; i < 9; i++) {
        all[i] = NAN;
        wild[i] = i == 0 ? (double)INFINITY : pow(4, 9 - i);
    }
    struct verdict v = verdict_of(VERDICT_TIME, first, 9);
    check_int(v.kind, VERDICT_BROKEN);
    check_text(verdict_text(arena, &v, false), "NaN or infinity in 1 of 9 norms");
    v = verdict_of(VERDICT_LAYERS, all, 9);
    check_int(v.kind, VERDICT_BROKEN);
    check_text(verdict_text(arena, &v, true), "9 个范数中有 9 个是 NaN");
    v = verdict_of(VERDICT_LAYERS, wild, 9);
    check_int(v.kind, VERDICT_EXPLODING);
    check_near(v.ratio, 65536, 1e-6);
    check_text(verdict_text(arena, &v, false), "to NaN or infinity at the first");
}

/* A relu at 0 lets nothing through, however well the last steps do. */
TEST(verdict_of_a_way_that_is_shut) {
    double late[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1 };
    struct verdict v = verdict_of(VERDICT_TIME, late, 9);
    v.where = "layer 3";
    check_same(
        verdict_text(check_arena(), &v, false),
        "vanishing through time in layer 3: the norm is 1 at the last step and exactly 0 "
        "at the first, 8 steps before");
    check_text(verdict_text(check_arena(), &v, true), "沿时间消失（layer 3）");
}

/* A norm that fell as far as float32 goes stays there: the line is of what came before. */
TEST(verdict_leaves_what_faded_out) {
    double norms[2000];
    for (int i = 0; i < 2000; i++) {
        norms[i] = fmax(pow(0.9, 1999 - i), 1.6e-43);
    }
    struct verdict v = verdict_of(VERDICT_TIME, norms, 2000);
    check_int(v.kind, VERDICT_VANISHING);
    check_near(v.factor, 0.9, 1e-9);
    check(v.faded && v.ratio == 0);
    check_text(verdict_text(check_arena(), &v, false),
               "0.9 (fit r² 1.00), from a norm of 1 at the last step to 1.6e-43 at the first");
}
