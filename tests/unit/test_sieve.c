#include <math.h>
#include <string.h>

#include "core/base/random.h"
#include "core/tensor/sieve.h"
#include "tests/check.h"

/* On a machine without the instruction there is no sieve, and these tests have nothing to
 * look at; neighbours are then found without it. */

enum { N = 75, PANELS = (N + SIEVE_PANEL - 1) / SIEVE_PANEL, WIDEST = 130 };

/* All against all. */
struct passing {
    float rows[N * WIDEST], halves[N], limits[N + SIEVE_PANEL];
    uint32_t to_rows[N][PANELS], to_columns[N][PANELS];
    int64_t bits;
};

static bool passing_make(struct passing *p, int64_t width) {
    struct sieve *sieve = sieve_new(check_arena(), p->rows, N, width, p->halves);
    p->bits = 0;
    for (int64_t row = 0; sieve && row < N; row += SIEVE_TILE) {
        struct sieve_look look = { .row = row,
                                   .count = N - row < SIEVE_TILE ? N - row : SIEVE_TILE,
                                   .panels = PANELS,
                                   .limits = p->limits,
                                   .to_rows = p->to_rows[row],
                                   .to_columns = p->to_columns[row] };
        p->bits += sieve_look(sieve, &look);
    }
    return sieve != NULL;
}

static double nearness(const struct passing *p, int64_t width, int64_t i, int64_t j) {
    double sum = -(double)p->halves[i] - (double)p->halves[j];
    for (int64_t f = 0; f < width; f++) {
        sum += (double)p->rows[i * width + f] * (double)p->rows[j * width + f];
    }
    return sum;
}

static bool bit(uint32_t words[N][PANELS], int64_t i, int64_t j) {
    return words[i][j / SIEVE_PANEL] >> j % SIEVE_PANEL & 1;
}

/* Points, some of them outliers in one number, some short, some zero; limits that about four
 * others reach. */
static void points_make(struct passing *p, int64_t width, uint64_t seed) {
    struct random random = random_new(seed);
    for (int64_t i = 0; i < N; i++) {
        double square = 0;
        for (int64_t f = 0; f < width; f++) {
            float value = (float)(i % 17 == 3 ? 0 : random_normal(&random));
            value *= i % 11 == 5 ? 1e-3F : i % 13 == 7 && f == 0 ? 20.0F : 1.0F;
            p->rows[i * width + f] = value;
            square += (double)value * (double)value;
        }
        p->halves[i] = (float)(square / 2 * (1 - 1e-4));
    }
    for (int64_t i = 0; i < N; i++) {
        double best[4] = { -INFINITY, -INFINITY, -INFINITY, -INFINITY };
        for (int64_t j = 0; j < N; j++) {
            double here = i == j ? -HUGE_VAL : nearness(p, width, i, j);
            for (int k = 0; k < 4; k++) {
                if (here > best[k]) {
                    double was = best[k];
                    best[k] = here;
                    here = was;
                }
            }
        }
        p->limits[i] = (float)best[3];
    }
}

TEST(sieve_lets_all_pass_that_are_near) {
    static struct passing p;
    const int64_t widths[] = { 1, 3, 4, 7, 64, WIDEST };
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        int64_t missed = 0, bits = 0, width = widths[w];
        points_make(&p, width, w);
        if (!passing_make(&p, width)) {
            return;
        }
        for (int64_t i = 0; i < N; i++) {
            for (int64_t j = 0; j < N; j++) {
                double here = nearness(&p, width, i, j);
                missed += here >= (double)p.limits[i] + 1e-5 && !bit(p.to_rows, i, j);
                missed += here >= (double)p.limits[j] + 1e-5 && !bit(p.to_columns, i, j);
                bits += bit(p.to_rows, i, j) + bit(p.to_columns, i, j);
            }
        }
        check_int(missed, 0);
        check_int(bits, p.bits);
        check(width < 64 || bits < (int64_t)N * N / 2); /* of 2 N N, 5 + 1 in 75 are near */
    }
}

/* What is asked for by everyone is all points, and nothing behind the last one. */
TEST(sieve_ends_where_the_points_end) {
    static struct passing p;
    points_make(&p, 5, 9);
    for (int64_t i = 0; i < N + SIEVE_PANEL; i++) {
        p.limits[i] = -INFINITY;
    }
    if (passing_make(&p, 5)) {
        check_int(p.bits, 2 * (int64_t)N * N);
    }
}

/* Worked out by hand: rows (127, -127) and (1, 127) are bytes as they stand and lose nothing;
 * their product is 127 - 16129 = -16002. */
TEST(sieve_bounds_are_exact_where_nothing_is_lost) {
    static struct passing p;
    memset(&p, 0, sizeof p);
    memcpy(p.rows, (float[]){ 127, -127, 1, 127 }, 4 * sizeof(float));
    for (int step = -1; step <= 1; step++) {
        for (int64_t i = 0; i < N; i++) {
            p.limits[i] = -16002.0F + 0.01F * (float)step;
        }
        if (!passing_make(&p, 2)) {
            return;
        }
        check(bit(p.to_rows, 0, 1) == (step <= 0) && bit(p.to_columns, 0, 1) == (step <= 0));
        check(bit(p.to_rows, 1, 0) == (step <= 0) && bit(p.to_rows, 0, 0));
    }
}

/* By hand: (127, .49 ...) loses all its small numbers, and they are all that it shares with
 * (0, 1 ...): the product 63 * .49 = 30.87 is hidden, and the bound is just as large. */
TEST(sieve_allows_for_what_either_side_loses) {
    static struct passing p;
    memset(&p, 0, sizeof p);
    for (int f = 0; f < 64; f++) {
        p.rows[f] = f == 0 ? 127 : .49F;
        p.rows[64 + f] = f == 0 ? 0 : 1;
    }
    for (int step = -1; step <= 1; step += 2) {
        for (int64_t i = 0; i < N; i++) {
            p.limits[i] = 30.87F + 0.01F * (float)step;
        }
        if (!passing_make(&p, 64)) {
            return;
        }
        check(bit(p.to_rows, 0, 1) == (step < 0));
        check(bit(p.to_rows, 1, 0) == (step < 0));
    }
}

TEST(sieve_takes_no_rows_whose_sums_overflow) {
    static const float one[65537];
    check(!sieve_new(check_arena(), one, 1, 65537, one));
}
