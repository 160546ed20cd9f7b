#include <math.h>
#include <string.h>

#include "tests/chart_sample.h"
#include "tests/check.h"

static const char *tokens[] = { " Paris", "巴黎", "\n" };

static struct result *three(struct arena *arena) {
    struct result *result = chart_sample(arena, "bars", 1);
    struct series *series = chart_sample_series(arena, result, 0, "probability", 0, 3,
                                                (const float[]){ 0.625F, 0.125F, 1e-7F });
    series->names = tokens;
    return result;
}

TEST(bars_tell_names_and_values) {
    struct arena *arena = check_arena();
    struct bundle *bundle = chart_sample_draw(arena, three(arena), "en");
    check_same(bundle->mime, "application/vnd.cutaway.bars.v1+json");
    check_text(bundle->html, "title=\"·Paris: 0.625\"");
    check_text(bundle->html, "title=\"巴黎: 0.125\"");
    check_text(bundle->html, "title=\"↵: 10⁻⁷\"");
    check_text(bundle->alt,
               "Bar chart, A chart: 3 bars, probability from 10⁻⁷ to 0.625; It is so.");
    check_text(bundle->text, "0.625");
    check_text(bundle->json, "\"shape\":[1,3]");
    bundle = chart_sample_draw(arena, three(arena), "zh");
    check_text(bundle->alt, "条形图");
    check_text(bundle->alt, "概率从 10⁻⁷ 到 0.625");
}

TEST(bars_of_axis_labels_and_of_numbers) {
    struct arena *arena = check_arena();
    struct result *result = three(arena);
    result->series[0].names = NULL;
    check_text(chart_sample_draw(arena, result, "en")->html, "title=\"2: 10⁻⁷\"");
    result->series[0].axes[0].labels = tokens;
    check_text(chart_sample_draw(arena, result, "en")->html, "title=\"巴黎: 0.125\"");
}

TEST(bars_beside_another_model) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "bars", 2);
    static const char *texts[] = { "one", "two" };
    struct series *series = chart_sample_series(arena, result, 0, "probability", 2, 2,
                                                (const float[]){ 0.5F, 0.25F, 0.75F, 0.125F });
    chart_sample_series(arena, result, 1, "other", 2, 2,
                        (const float[]){ 0.4F, 0.3F, 0.7F, 0 });
    series->axes[0].labels = texts;
    result_note(arena, result, "this", "f32");
    result_note(arena, result, "other", "q4");
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_text(bundle->html, "title=\"0: 0.5 / 0.4\"");
    check_text(bundle->html, "title=\"1: 0.125 / 0\"");
    check_text(bundle->json, "\"keys\":[\"f32\",\"q4\"]");
    check_text(bundle->json, "\"panels\":[\"one\",\"two\"]");
}

TEST(bars_bear_any_value) {
    struct arena *arena = check_arena();
    static const float odd[] = { NAN, INFINITY, -INFINITY, -2, 0, 3e38F, 1e-45F };
    for (int64_t n = 1; n <= 7; n++) {
        struct result *result = chart_sample(arena, "bars", 1);
        chart_sample_series(arena, result, 0, "value", 0, n, odd)->is_signed = n % 2;
        struct bundle *bundle = chart_sample_draw(arena, result, "en");
        check_text(bundle->html, "title=\"0: NaN\"");
    }
}

/* A logarithmic scale takes room below; with a negative value there is none. */
TEST(bars_on_a_logarithmic_scale) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "bars", 1);
    struct series *series = chart_sample_series(arena, result, 0, "norm", 0, 4,
                                                (const float[]){ 1e-8F, 1, 0, 100 });
    struct bundle *plain = chart_sample_draw(arena, result, "en");
    series->log = true;
    struct bundle *scaled = chart_sample_draw(arena, result, "en");
    check(scaled->height > plain->height + 10);
    check_text(scaled->json, "\"log\":true");
    series->values->data[2] = -1;
    check_text(chart_sample_draw(arena, result, "en")->json, "\"log\":false");
}

TEST(bars_that_are_many_end_with_a_note) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "bars", 1);
    static const char *quotes[200];
    for (int i = 0; i < 200; i++) {
        quotes[i] = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"";
    }
    chart_sample_series(arena, result, 0, "value", 200, 200, NULL)->names = NULL;
    result->series[0].axes[1].labels = quotes;
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_text(bundle->json, "the first 1440 of 40000 bars");
    int64_t titles = chart_sample_count(bundle->html, "title=");
    check_int(titles, 1440);
    check(strlen(bundle->html) - bundle->png_length * 4 / 3 < 150000);
}

/* The picture has the first 60; the JSON 2,000, to be scrolled through, with longer names. */
TEST(bars_that_are_many_are_sent) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "bars", 2);
    chart_sample_series(arena, result, 0, "value", 0, 3000, NULL);
    struct series *other = chart_sample_series(arena, result, 1, "other", 0, 3000, NULL);
    const char **names = arena_array(arena, 3000, sizeof *names);
    for (int64_t i = 0; i < 3000; i++) {
        names[i] = arena_printf(arena, "the bar of the number %lld of 3000", (long long)i);
    }
    result->series[0].names = names;
    other->values->data[1999] = 7;
    const char *json = chart_sample_draw(arena, result, "en")->json;
    check_text(json, "the first 60 of 3000 bars");
    check_text(json, "\"the bar of the number 1999 of 3000\"],");
    check_text(json, "\"shape\":[1,2000]");
    check_text(json, "AAAA4EA=\""); /* 7 as a little endian float, the last of "other" */
}

TEST(bars_refuse_what_they_cannot_draw) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "bars", 0);
    check_text(chart_sample_refused(arena, result), "no numbers to draw");
    result = chart_sample(arena, "bars", 1);
    struct series *series = chart_sample_series(arena, result, 0, "value", 0, 3, NULL);
    series->values = tensor_new(arena, 3, (int64_t[]){ 1, 1, 1 });
    check_text(chart_sample_refused(arena, result), "[n] or [panels, n], and value is F32");
}
