#include <math.h>
#include <string.h>

#include "tests/chart_sample.h"
#include "tests/check.h"

static struct result *points(struct arena *arena, int64_t n, int dims, int64_t groups) {
    struct result *result = chart_sample(arena, "scatter", groups ? 2 : 1);
    struct series *series = chart_sample_series(arena, result, 0, "points", n, dims, NULL);
    const char **labels = arena_array(arena, n, sizeof *labels);
    const char **names = arena_array(arena, n, sizeof *names);
    uint32_t state = 5;
    for (int64_t i = 0; i < n * dims; i++) {
        state = state * 1664525U + 1013904223U;
        series->values->data[i] = (float)(state >> 8) / (1 << 24);
    }
    for (int64_t i = 0; i < n; i++) {
        labels[i] = arena_printf(arena, "word %lld", (long long)i);
        names[i] = groups ? arena_printf(arena, "group %lld", (long long)(i % groups)) : "";
    }
    series->axes[0].labels = labels;
    if (groups) {
        struct series *group = chart_sample_series(arena, result, 1, "group", 0, n, NULL);
        group->names = names;
        for (int64_t i = 0; i < n; i++) {
            group->values->data[i] = (float)(i % groups);
        }
    }
    return result;
}

TEST(scatter_tells_each_point) {
    struct arena *arena = check_arena();
    struct result *result = points(arena, 4, 2, 2);
    result->series[0].values->data[2] = 0.25F;
    result->series[0].values->data[3] = -3;
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_same(bundle->mime, "application/vnd.cutaway.scatter.v1+json");
    check_text(bundle->html, "title=\"word 1: 0.25, -3 · group 1\"");
    check_text(bundle->alt,
               "4 points in 2 dimensions, coloured by group: group 0 2, group 1 2");
    check_text(bundle->json, "\"groupNames\":[\"group 0\",\"group 1\"]");
    check_text(bundle->json, "\"shape\":[4,2]");
    check_text(chart_sample_draw(arena, result, "zh")->alt, "散点图");
}

TEST(scatter_in_three_dimensions) {
    struct arena *arena = check_arena();
    struct bundle *bundle = chart_sample_draw(arena, points(arena, 50, 3, 0), "en");
    check_int(chart_sample_count(bundle->html, "title="), 50);
    check_text(bundle->text, "z");
}

TEST(scatter_of_many_is_a_density) {
    struct arena *arena = check_arena();
    struct bundle *bundle = chart_sample_draw(arena, points(arena, 5001, 2, 3), "en");
    check_text(bundle->json, "density of 5,001 points");
    check_text(bundle->json, "\"levels\":{\"encoding\":\"u8\"");
    check(!strstr(bundle->json, "\"points\""));
    check_int(chart_sample_count(bundle->html, "title="), 24 * 24);
    check(strlen(bundle->json) < 260000);
    check_text(bundle->json, "\"low\":[");
    check_text(bundle->json, "\"coordinates\":{\"encoding\":\"u16\",\"shape\":[5001,2]");
    check_text(bundle->json, "\"word 5000\"]");
    check(!strstr(bundle->json, "labelColumns"));
    bundle = chart_sample_draw(arena, points(arena, 5000, 2, 3), "en");
    check_text(bundle->json, "\"points\"");
    check(!strstr(bundle->json, "\"levels\""));
}

/* The JSON of 30,000 words stays below a megabyte: labels are cut, or not sent at all; of more
 * points than are sent some are left out. */
TEST(scatter_of_very_many_stays_small) {
    struct arena *arena = check_arena();
    struct result *result = points(arena, 30000, 2, 3);
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check(strlen(bundle->json) < 800000 && !strstr(bundle->json, "labelColumns"));
    check_text(bundle->json, "\"shape\":[30000,2]");
    const char **labels = result->series[0].axes[0].labels;
    for (int64_t i = 0; i < 30000; i++) {
        labels[i] = "a label that is longer than there is room for";
    }
    bundle = chart_sample_draw(arena, result, "en");
    check(strlen(bundle->json) < 1000000);
    check_text(bundle->json, "\"labelColumns\":11,\"labels\":[\"a label th…\",");
    for (int64_t i = 0; i < 30000; i++) {
        labels[i] = "\x01\x01\x01\x01\x01\x01\x01\x01\x01";
    }
    check(strlen(chart_sample_draw(arena, result, "en")->json) < 1000000);
    bundle = chart_sample_draw(arena, points(arena, 70000, 3, 0), "en");
    check_text(bundle->json, "\"count\":70000");
    check_text(bundle->json, "\"shape\":[35000,3]");
    check(strlen(bundle->json) < 1000000);
}

/* 0, 1 and the middle of -2 .. 6, little endian; what is not finite is 65535. */
TEST(scatter_sends_steps_between_the_ends) {
    struct arena *arena = check_arena();
    struct result *result = points(arena, 5001, 2, 0);
    float *at = result->series[0].values->data;
    for (int64_t i = 0; i < 5001; i++) {
        at[2 * i] = 2;
        at[2 * i + 1] = 0;
    }
    at[0] = -2;
    at[2] = 6;
    at[6] = NAN;
    const char *json = chart_sample_draw(arena, result, "en")->json;
    check_text(json, "\"low\":[-2,0],\"high\":[6,0]");
    check_text(json, "\"base64\":\"AAAAAP7/AAD/fwAA//8AAP9/AAD/fwAA");
}

/* 20 groups: nine have colours of their own, the largest; the others share one. */
TEST(scatter_of_many_groups_colours_the_largest) {
    struct arena *arena = check_arena();
    struct result *result = points(arena, 210, 2, 20);
    for (int64_t i = 0; i < 210; i++) {
        result->series[1].values->data[i] = i < 100 ? 17 : result->series[1].values->data[i];
    }
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_int(chart_sample_count(bundle->json, "\"group "), 9);
    check_text(bundle->json, "\"others\"]");
}

TEST(scatter_bears_any_points) {
    struct arena *arena = check_arena();
    struct result *result = points(arena, 1, 2, 0);
    chart_sample_draw(arena, result, "en");
    result = points(arena, 3, 3, 0);
    memset(result->series[0].values->data, 0, 9 * sizeof(float)); /* identical */
    chart_sample_draw(arena, result, "en");
    result = points(arena, 6, 2, 2);
    result->series[0].values->data[1] = NAN;
    result->series[0].values->data[4] = INFINITY;
    result->series[0].values->data[6] = 3e38F;
    result->series[0].values->data[8] = -3e38F;
    result->series[1].values->data[0] = NAN;
    check_text(chart_sample_draw(arena, result, "en")->json, "2 points are not finite");
    result = points(arena, 2, 2, 0);
    for (int i = 0; i < 4; i++) {
        result->series[0].values->data[i] = NAN;
    }
    check_text(chart_sample_draw(arena, result, "en")->json, "2 points are not finite");
}

TEST(scatter_refuses_other_dimensions) {
    struct arena *arena = check_arena();
    check_text(chart_sample_refused(arena, points(arena, 3, 4, 0)), "2 or 3 dimensions, not 4");
    check_text(chart_sample_refused(arena, points(arena, 3, 1, 0)), "2 or 3 dimensions, not 1");
    struct result *result = points(arena, 3, 2, 0);
    result->series[0].name = "places";
    check_text(chart_sample_refused(arena, result), "no points");
}
