#include "core/base/random.h"

#include <math.h>

#include "tests/check.h"

enum { DRAWS = 200000 };

/* The numbers that the authors' own programs give. */
TEST(random_is_xoshiro256_plus_plus_seeded_by_splitmix64) {
    const uint64_t seeded[4] = { 6457827717110365317U, 3203168211198807973U,
                                 9817491932198370423U, 4593380528125082431U };
    struct random random = random_new(1234567);
    for (int i = 0; i < 4; i++) {
        check(random.state[i] == seeded[i]);
    }
    const uint64_t drawn[10] = { 41943041U,
                                 58720359U,
                                 3588806011781223U,
                                 3591011842654386U,
                                 9228616714210784205U,
                                 9973669472204895162U,
                                 14011001112246962877U,
                                 12406186145184390807U,
                                 15849039046786891736U,
                                 10450023813501588000U };
    random = (struct random){ .state = { 1, 2, 3, 4 } };
    for (int i = 0; i < 10; i++) {
        check(random_u64(&random) == drawn[i]);
    }
}

/* Mean 1/2, variance 1/12, and chi-square of 100 boxes: 99 +- 14, so below 150 but for one seed
 * in a thousand. */
TEST(random_unit_is_uniform) {
    struct random random = random_new(1);
    double sum = 0;
    double squares = 0;
    int64_t boxes[100] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        double u = random_unit(&random);
        check(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
        boxes[(int)(u * 100)]++;
    }
    double mean = sum / DRAWS;
    check_near(mean, 0.5, 4 * sqrt(1.0 / 12 / DRAWS));
    check_near(squares / DRAWS - mean * mean, 1.0 / 12, 1e-3);
    double chi = 0;
    for (int i = 0; i < 100; i++) {
        double off = (double)boxes[i] - DRAWS / 100.0;
        chi += off * off / (DRAWS / 100.0);
    }
    check(chi > 55 && chi < 150);
}

/* Moments 0, 1, 0, 3, and the share within one and two deviations. */
TEST(random_normal_is_normal) {
    struct random random = random_new(2);
    double moments[5] = { 0 };
    int64_t within[3] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        double x = random_normal(&random);
        double power = 1;
        for (int k = 1; k <= 4; k++) {
            power *= x;
            moments[k] += power / DRAWS;
        }
        within[1] += fabs(x) < 1;
        within[2] += fabs(x) < 2;
    }
    check_near(moments[1], 0, 0.01);
    check_near(moments[2], 1, 0.015);
    check_near(moments[3], 0, 0.04);
    check_near(moments[4], 3, 0.1);
    check_near((double)within[1] / DRAWS, erf(sqrt(0.5)), 0.005);
    check_near((double)within[2] / DRAWS, erf(sqrt(2)), 0.005);
}

TEST(random_below_favours_nobody) {
    struct random random = random_new(3);
    int64_t counts[7] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        uint64_t k = random_below(&random, 7);
        check(k < 7);
        counts[k]++;
    }
    for (int i = 0; i < 7; i++) {
        check_near(counts[i], DRAWS / 7.0, 5 * sqrt(DRAWS * 6.0 / 49));
    }
    check(random_below(&random, 1) == 0);

    /* 3/4 of all 64-bit numbers: a remainder would give the lower third twice as often. */
    int64_t low = 0;
    for (int i = 0; i < DRAWS; i++) {
        low += random_below(&random, 3ULL << 62) < (1ULL << 62);
    }
    check_near((double)low / DRAWS, 1.0 / 3, 0.006);
}

static double correlation(struct random a, struct random b) {
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        sum += (random_unit(&a) - 0.5) * (random_unit(&b) - 0.5);
    }
    return 12 * sum / DRAWS;
}

/* Correlations of independent streams are 0 +- 1/sqrt(N) = .0022. */
TEST(random_streams_are_independent) {
    struct random all = random_new(4);
    struct random first = random_split(&all, 0);
    check_near(correlation(all, first), 0, 0.009);
    for (uint64_t i = 1; i < 8; i++) {
        check_near(correlation(first, random_split(&all, i)), 0, 0.009);
        check_near(correlation(first, random_split(&first, i - 1)), 0, 0.009);
    }
    struct random neighbour = random_new(5);
    check_near(correlation(random_split(&all, 1), random_split(&neighbour, 0)), 0, 0.009);
    check_near(correlation(random_split(&all, 0), random_split(&neighbour, 0)), 0, 0.009);
}

TEST(random_streams_do_not_depend_on_what_was_drawn) {
    struct random all = random_new(6);
    struct random before = random_split(&all, 9);
    for (int i = 0; i < 11; i++) {
        random_normal(&all);
    }
    struct random after = random_split(&all, 9);
    check(random_u64(&before) == random_u64(&after));
    check(random_normal(&before) == random_normal(&after));
}
