#include "core/explain/sampler.h"

#include <math.h>

#include "tests/check.h"

enum { N = 5, DRAWS = 100000 };

static const float logits[N] = { 1, 3, 2, 3, -INFINITY };

/* Draws, and chi-square against exp(logit / temperature) over the tokens that may come. */
static void check_draws(struct sampler sampler, const bool *may, int freedom) {
    struct sampler_room *room = sampler_room_new(check_arena(), N);
    struct random random = random_new(11);
    int64_t counts[N] = { 0 };
    double shares[N], sum = 0, chi = 0;
    for (int i = 0; i < DRAWS; i++) {
        int64_t id = sampler_draw(&sampler, &random, logits, N, room);
        check(id >= 0 && id < N && may[id]);
        counts[id]++;
    }
    for (int i = 0; i < N; i++) {
        shares[i] = may[i] ? exp((double)logits[i] / sampler.temperature) : 0;
        sum += shares[i];
    }
    for (int i = 0; i < N; i++) {
        double wanted = DRAWS * shares[i] / sum;
        chi +=
            may[i] ? ((double)counts[i] - wanted) * ((double)counts[i] - wanted) / wanted : 0;
    }
    check(chi <
          freedom + 4 * sqrt(2.0 * freedom) + 2); /* mean: freedom, variance: twice that */
}

TEST(sampler_draws_what_the_softmax_says) {
    const bool all[N] = { true, true, true, true };
    check_draws((struct sampler){ .temperature = 1, .top_p = 1 }, all, 3);
    check_draws((struct sampler){ .temperature = 0.5, .top_p = 1 }, all, 3);
    check_draws((struct sampler){ .temperature = 4, .top_p = 1 }, all, 3);
    check_draws((struct sampler){ .temperature = 2, .top_k = 4, .top_p = 1 }, all, 3);
}

/* Of equal logits the first counts as the larger. */
TEST(sampler_takes_the_k_largest) {
    const bool first[N] = { false, true }, two[N] = { false, true, false, true },
               three[N] = { false, true, true, true };
    check_draws((struct sampler){ .temperature = 1, .top_k = 1, .top_p = 1 }, first, 0);
    check_draws((struct sampler){ .temperature = 1, .top_k = 2, .top_p = 1 }, two, 1);
    check_draws((struct sampler){ .temperature = 1, .top_k = 3, .top_p = 1 }, three, 2);
}

/* Shares of e^1, e^3, e^2, e^3: .0541, .3995, .1470, .3995. The set's sum reaches top_p with
 * 1 token up to .3995, with 2 up to .7990, with 3 up to .9459. */
TEST(sampler_takes_the_smallest_set_that_is_enough) {
    const bool first[N] = { false, true }, two[N] = { false, true, false, true },
               three[N] = { false, true, true, true }, all[N] = { true, true, true, true };
    check_draws((struct sampler){ .temperature = 1, .top_p = 0 }, first, 0);
    check_draws((struct sampler){ .temperature = 1, .top_p = 0.399 }, first, 0);
    check_draws((struct sampler){ .temperature = 1, .top_p = 0.400 }, two, 1);
    check_draws((struct sampler){ .temperature = 1, .top_p = 0.798 }, two, 1);
    check_draws((struct sampler){ .temperature = 1, .top_p = 0.800 }, three, 2);
    check_draws((struct sampler){ .temperature = 1, .top_p = 0.94 }, three, 2);
    check_draws((struct sampler){ .temperature = 1, .top_p = 0.95 }, all, 3);
}

/* top_p is of what top_k left: of two equal ones half is the first. */
TEST(sampler_applies_k_before_p) {
    const bool first[N] = { false, true }, two[N] = { false, true, false, true };
    check_draws((struct sampler){ .temperature = 1, .top_k = 2, .top_p = 0.49 }, first, 0);
    check_draws((struct sampler){ .temperature = 1, .top_k = 2, .top_p = 0.51 }, two, 1);
}

TEST(sampler_at_temperature_0_is_greedy_and_draws_nothing) {
    struct sampler_room *room = sampler_room_new(check_arena(), N);
    struct random random = random_new(1), before = random;
    struct sampler greedy = { .temperature = 0, .top_p = 1 };
    check_int(sampler_draw(&greedy, &random, logits, N, room), 1);
    check(random_u64(&random) == random_u64(&before));
}

TEST(sampler_refuses_what_has_no_numbers) {
    struct sampler_room *room = sampler_room_new(check_arena(), N);
    struct random random = random_new(1);
    struct sampler sampler = { .temperature = 1, .top_p = 1 };
    const float nothing[2] = { NAN, -INFINITY }, one[3] = { NAN, -5, NAN },
                endless[3] = { 1, INFINITY, INFINITY };
    check_int(sampler_draw(&sampler, &random, nothing, 2, room), -1);
    int64_t low = 0;
    for (int i = 0; i < 100; i++) {
        check_int(sampler_draw(&sampler, &random, one, 3, room), 1);
        int64_t id = sampler_draw(&sampler, &random, endless, 3, room);
        check(id == 1 || id == 2);
        low += id == 1;
    }
    check(low > 25 && low < 75);
}

/* A temperature so low that all but the largest vanish. */
TEST(sampler_near_temperature_0) {
    struct sampler_room *room = sampler_room_new(check_arena(), N);
    struct random random = random_new(1);
    struct sampler sampler = { .temperature = 1e-6, .top_p = 0.9 };
    const float apart[3] = { 1, 2, 1.9F };
    for (int i = 0; i < 100; i++) {
        check_int(sampler_draw(&sampler, &random, apart, 3, room), 1);
    }
}
