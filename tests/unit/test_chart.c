#include "core/draw/chart.h"

#include <math.h>
#include <string.h>

#include "core/draw/hover.h"
#include "tests/check.h"

TEST(chart_span_leaves_out_what_is_not_finite) {
    struct chart_span span = chart_span((const float[]){ NAN, 3, -2, INFINITY }, 4);
    check(span.low == -2 && span.high == 3 && span.finite == 2);
    span = chart_span((const float[]){ NAN }, 1);
    check(span.low == 0 && span.high == 0 && span.finite == 0);
}

TEST(chart_measure_names_units_once) {
    struct arena *arena = check_arena();
    check_same(chart_measure(arena, "en", "surprisal", "bits"), "surprisal (bits)");
    check_same(chart_measure(arena, "en", "probability", "probability"), "probability");
    check_same(chart_measure(arena, "zh", "probability", ""), "概率");
}

TEST(chart_hover_columns_keep_titles_below_their_budget) {
    for (int64_t n = 1; n < 1000; n *= 3) {
        check(chart_hover_columns(n) >= 6 && chart_hover_columns(n) <= 60);
    }
    check(400 * (6 * chart_hover_columns(400) + 130) <= HOVER_BYTES);
}

TEST(chart_keys_break_their_lines) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct canvas *probe = canvas_new(arena, 1, 1, 2, &err);
    const struct chart_key keys[] = { { 0, "a group" }, { 0, "another group" }, { 0, "猫" } };
    check(chart_keys_height(probe, keys, 1, 500) == 0);
    double one = chart_keys_height(probe, keys, 3, 500);
    check(one > 10 && chart_keys_height(probe, keys, 3, 120) > 1.5 * one);
}
