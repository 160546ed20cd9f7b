#include "core/draw/ruler.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/check.h"

/* "0 20 40": all labels. */
static const char *labels(const struct ruler *ruler) {
    char *text = arena_printf(check_arena(), "%s", "");
    for (int i = 0; i < ruler->count; i++) {
        text = arena_printf(check_arena(), "%s%s%s", text, i ? " " : "", ruler->labels[i]);
    }
    return text;
}

static struct ruler ruler(double low, double high, bool log, bool round) {
    struct ruler made;
    ruler_init(check_arena(), &made, low, high, log, round, 300, 50);
    return made;
}

TEST(ruler_has_round_ticks) {
    struct ruler r = ruler(3, 97, false, true);
    check_same(labels(&r), "0 20 40 60 80 100");
    check_near(ruler_at(&r, 50), 150, 1e-9);
    check_near(ruler_at(&r, -10), 0, 0);
    check_near(ruler_at(&r, 1e9), 300, 0);
    check(isnan(ruler_at(&r, (double)NAN)));
    r = ruler(-0.3, 0.32, false, false);
    check_same(labels(&r), "-0.2 0.0 0.2");
    check_near(ruler_at(&r, 0.32), 300, 1e-9);
    r = ruler(0, 12345, false, true);
    check_same(labels(&r), "0 2,500 5,000 7,500 10,000 12,500");
}

TEST(ruler_lifts_a_common_factor) {
    struct ruler r = ruler(0, 3.2e-7, false, true);
    check_same(r.factor, "×10⁻⁷");
    check_same(labels(&r), "0 1 2 3 4");
    r = ruler(-2.5e9, 2.5e9, false, true);
    check_same(r.factor, "×10⁹");
}

TEST(ruler_takes_powers_of_ten) {
    struct ruler r = ruler(1e-12, 1, true, true);
    check_same(labels(&r), "10⁻¹² 10⁻¹⁰ 10⁻⁸ 10⁻⁶ 10⁻⁴ 10⁻² 10⁰");
    check_near(ruler_at(&r, 1e-6), 150, 1e-9);
    check_near(ruler_at(&r, 0), 0, 0);
    check_near(ruler_at(&r, -5), 0, 0);
    r = ruler(1, 100, true, true);
    check_same(labels(&r), "1 2 5 10 20 50 100");
    r = ruler(0.5, 5e4, true, false);
    check_same(labels(&r), "1 10 100 1,000 10,000");
    r = ruler(2.1, 2.3, true, false); /* no power of ten and none of its multiples */
    check(r.count >= 2);
}

TEST(ruler_makes_do_with_any_ends) {
    static const double ends[][2] = { { 0, 0 },
                                      { 5, 5 },
                                      { -1e-300, 1e-300 },
                                      { (double)NAN, (double)NAN },
                                      { (double)INFINITY, 3 },
                                      { -(double)FLT_MAX, (double)FLT_MAX },
                                      { 1e300, 1e-300 },
                                      { 1, 1 + 1e-15 } };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (int how = 0; how < 4; how++) {
            struct ruler r = ruler(ends[i][0], ends[i][1], how & 1, how & 2);
            check(r.low < r.high && r.count >= 1 && r.count <= RULER_TICKS);
            check(isfinite(ruler_at(&r, 1)));
        }
    }
}

TEST(ruler_numbers_have_three_digits) {
    struct arena *arena = check_arena();
    check_same(ruler_number(arena, 0), "0");
    check_same(ruler_number(arena, 0.4249), "0.425");
    check_same(ruler_number(arena, -12.34), "-12.3");
    check_same(ruler_number(arena, 1234.4), "1,234");
    check_same(ruler_number(arena, 3.14e-7), "3.1×10⁻⁷");
    check_same(ruler_number(arena, -2e12), "-2×10¹²");
    check_same(ruler_number(arena, -1e-9), "-10⁻⁹");
    check_same(ruler_number(arena, (double)NAN), "NaN");
    check_same(ruler_number(arena, -(double)INFINITY), "-∞");
    check_same(ruler_count(arena, 0), "0");
    check_same(ruler_count(arena, 999), "999");
    check_same(ruler_count(arena, -1234567), "-1,234,567");
}
