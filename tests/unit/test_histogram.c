#include <math.h>
#include <string.h>

#include "core/draw/colour.h"
#include "tests/chart_sample.h"
#include "tests/check.h"

/* Three bins a row, with zeros and what is bad. */
static struct result *sample(struct arena *arena, int64_t rows) {
    struct result *result = chart_sample(arena, "histogram", 4);
    struct series *counts = chart_sample_series(arena, result, 0, "counts", rows, 3, NULL);
    struct series *edges = chart_sample_series(arena, result, 1, "edges", 0, 4,
                                               (const float[]){ 0.01F, 0.1F, 1, 10 });
    chart_sample_series(arena, result, 2, "zeros", 0, rows, NULL);
    chart_sample_series(arena, result, 3, "bad", 0, rows, NULL);
    edges->log = true;
    edges->unit = "|gradient|";
    for (int64_t i = 0; i < rows * 3; i++) {
        counts->values->data[i] = (float)(i % 3 * 1000 + i / 3);
    }
    result->series[2].values->data[0] = 500;
    return result;
}

TEST(histogram_tells_counts_zeros_and_medians) {
    struct arena *arena = check_arena();
    struct result *result = sample(arena, 1);
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_same(bundle->mime, "application/vnd.cutaway.histogram.v1+json");
    check_text(bundle->html, "title=\"0.1 … 1: 1,000\"");
    check_text(bundle->html, "title=\"1 … 10: 2,000\"");
    check_text(bundle->html, "3,500 values, 500 zeros (14.3 %), median of the others 3.16");
    check_text(bundle->alt, "1 rows of 3 bins, |gradient| from 0.01 to 10");
    check(!strstr(bundle->html, "∞: ") && !strstr(bundle->json, "\"bad\""));
    result->series[3].values->data[0] = 2;
    bundle = chart_sample_draw(arena, result, "zh");
    check_text(bundle->html, "2 NaN/∞");
    check_text(bundle->alt, "直方图");
}

TEST(histogram_of_few_rows_is_plots_of_many_strips) {
    struct arena *arena = check_arena();
    struct bundle *few = chart_sample_draw(arena, sample(arena, 12), "en");
    struct bundle *many = chart_sample_draw(arena, sample(arena, 13), "en");
    check_int(chart_sample_count(few->html, "title="), 12 * 3 + 12);
    check_int(chart_sample_count(many->html, "title="), 13);
    struct bundle *most = chart_sample_draw(arena, sample(arena, 300), "en");
    check_text(most->json, "the first 240 of 300 rows");
    check_text(most->json, "\"shape\":[240,3]");
    check(most->height < 1400);
}

TEST(histogram_beside_another_model) {
    struct arena *arena = check_arena();
    struct result *result = sample(arena, 2);
    result->series[3].name = "counts other";
    result->series[3].values = tensor_new(arena, 2, (int64_t[]){ 2, 3 });
    result->series[3].values->data[1] = 7;
    result_note(arena, result, "other", "q4");
    struct bundle *bundle = chart_sample_draw(arena, result, "en");
    check_text(bundle->html, "title=\"0.1 … 1: 1,000 / 7\"");
    check_text(bundle->json, "\"keys\":[\"this\",\"q4\"]");
}

TEST(histogram_bears_one_bin_and_nothing_counted) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "histogram", 2);
    chart_sample_series(arena, result, 0, "counts", 0, 1, (const float[]){ 5 });
    chart_sample_series(arena, result, 1, "edges", 0, 2, (const float[]){ 3, 3 });
    check_text(chart_sample_draw(arena, result, "en")->html, "3 … 3: 5");
    result->series[0].values->data[0] = 0;
    check_text(chart_sample_draw(arena, result, "en")->html, "0 values, median NaN");
    result->series[0].values->data[0] = INFINITY;
    chart_sample_draw(arena, result, "en");
}

/* 100 rows of 2,000 bins: each four neighbours are sent as one, whose edges are the outer ones.
 */
TEST(histogram_of_very_many_bins_stays_small) {
    struct arena *arena = check_arena();
    struct result *result = chart_sample(arena, "histogram", 2);
    struct series *counts = chart_sample_series(arena, result, 0, "counts", 100, 2000, NULL);
    struct series *edges = chart_sample_series(arena, result, 1, "edges", 0, 2001, NULL);
    for (int64_t i = 0; i <= 2000; i++) {
        edges->values->data[i] = (float)i;
    }
    counts->values->data[0] = counts->values->data[3] = 1;
    counts->values->data[4] = 8;
    const char *json = chart_sample_draw(arena, result, "en")->json;
    check(strlen(json) < 400000);
    check_text(json, "\"joined\":4,\"edges\":{\"encoding\":\"f32\",\"shape\":[501],"
                     "\"base64\":\"AAAAAAAAgEAAAABB");
    check_text(json, "\"shape\":[100,500],\"base64\":\"AAAAQAAAAEEAAAAA");
}

TEST(histogram_refuses_bins_without_edges) {
    struct arena *arena = check_arena();
    struct result *result = sample(arena, 1);
    result->series[1].values->data[2] = 0.05F;
    check_text(chart_sample_refused(arena, result), "edge 2 is 0.05");
    result->series[1].name = "borders";
    check_text(chart_sample_refused(arena, result), "4 \"edges\"");
    result->series[0].name = "heights";
    check_text(chart_sample_refused(arena, result), "no counts");
}
