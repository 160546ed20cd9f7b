#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/chart_sample.h"
#include "tests/check.h"

TEST(lines_tell_every_point) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "lines", 1);
    static const char *tokens[] = { "The", " cat", "猫" }, *names[] = { "minilm", "smollm2" };
    struct series *series = chart_sample_series(arena, result, 0, "surprisal", 2, 3,
                                                (const float[]){ 1, 2.5F, 3, 4, 5, NAN });
    series->unit = "bits";
    series->axes[0].labels = names;
    series->axes[1].labels = tokens;
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_text(bundle->html, "title=\"·cat: minilm 2.5, smollm2 5\"");
    check_text(bundle->html, "title=\"猫: minilm 3, smollm2 NaN\"");
    check_text(bundle->alt, "lines 2, points 3, surprisal (bits) from 1 to 5");
    check_text(bundle->json, "not finite are gaps: 1");
    check_text(bundle->text, "smollm2");
    check_text(chart_sample_draw(arena, result, "zh")->alt, "折线图");
}

/* The first token has no surprisal: nothing is missing. */
TEST(lines_may_begin_late) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "lines", 1);
    chart_sample_series(arena, result, 0, "surprisal", 2, 3,
                        (const float[]){ NAN, 2.5F, 3, NAN, 5, 4 });
    check_text(chart_sample_draw(arena, result, "en")->json, "\"note\":\"\"");
    result->series[0].values->data[2] = INFINITY;
    check_text(chart_sample_draw(arena, result, "en")->json, "not finite are gaps: 1");
}

TEST(lines_of_one_tell_what_stands_out) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "lines", 1);
    float values[30] = { 0 };
    values[17] = 9;
    values[3] = 7;
    chart_sample_series(arena, result, 0, "norm", 0, 30, values);
    const char *text = chart_sample_draw(arena, result, "en")->text;
    check(strstr(text, "17") && strstr(text, "17") < strstr(text, "7\n"));
}

TEST(lines_on_a_logarithmic_scale_leave_zeros_out) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "lines", 2);
    struct series *series = chart_sample_series(arena, result, 0, "norm", 0, 4,
                                                (const float[]){ 1e-8F, 0, -1, 1e8F });
    chart_sample_series(arena, result, 1, "x", 0, 4, (const float[]){ 1, 10, 100, 1000 })->log =
        true;
    series->log = true;
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_text(bundle->json, "zero, negative or not finite are gaps: 2");
    check_text(bundle->json, "\"xLog\":true");
    check_text(bundle->html, "title=\"1,000: 10⁸\"");
}

TEST(lines_bear_any_value_and_length) {
    struct arena *arena = check_arena();
    static const float odd[] = { NAN, INFINITY, -INFINITY, 3e38F, -3e38F, 0 };
    for (int64_t n = 1; n <= 6; n++) {
        struct result *result = chart_sample(arena, "lines", 2);
        chart_sample_series(arena, result, 0, "value", 0, n, odd)->log = n % 2;
        chart_sample_series(arena, result, 1, "x", 0, n, odd);
        chart_sample_draw(arena, result, "en");
    }
}

TEST(lines_that_are_long_stay_bounded) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "lines", 1);
    chart_sample_series(arena, result, 0, "loss", 20, 30000, NULL)->values->data[5] = 1;
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check(strlen(bundle->json) < 500000 && strlen(bundle->html) < 300000);
    check_text(bundle->json, "\"points\":30000");
    check_text(bundle->json, "\"colours\":[\"#f9fbf6\",");
}

/* Strips lie side by side, each over its own point, up to the last one. */
TEST(lines_strips_meet_halfway) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "lines", 2);
    chart_sample_series(arena, result, 0, "loss", 0, 4, (const float[]){ 1, 2, 3, 4 });
    chart_sample_series(arena, result, 1, "x", 0, 4, (const float[]){ 0, 1, 10, 100 });
    const char *at = chart_sample_draw(arena, result, "en")->html;
    double end = 0, left = 0, width = 0;
    for (int i = 0; i < 4; i++, end = left + width) {
        at = strstr(at, "<i style=\"position:absolute;left:");
        if (!check(at &&
                   sscanf(at, "<i style=\"position:absolute;left:%lfpx;top:%*fpx;width:%lf",
                          &left, &width) == 2)) {
            return;
        }
        check(i == 0 || fabs(left - end) < 0.01);
        at++;
    }
    struct result *longer = chart_sample(arena, "lines", 1);
    chart_sample_series(arena, longer, 0, "loss", 0, 399, NULL);
    check_text(chart_sample_draw(arena, longer, "en")->html, "title=\"398: 0\"");
}

TEST(lines_that_are_many_end_with_a_note) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "lines", 1);
    chart_sample_series(arena, result, 0, "loss", 1000, 3, NULL);
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_text(bundle->json, "the first 200 of 1000 lines");
    check_text(bundle->alt, "lines 200,");
}
