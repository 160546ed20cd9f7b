#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/draw/cells.h"
#include "core/draw/colour.h"
#include "core/draw/figure_drawn.h"
#include "core/draw/picture.h"
#include "tests/check.h"
#include "tests/png_read.h"
#include "tests/sample.h"

static struct bundle *bundle_of(const struct result *result,
                                const struct picture_options *options) {
    struct err err = { 0 };
    struct bundle *bundle = picture_bundle(check_arena(), "heatmap", result, options, &err);
    check_same(err.text, "");
    return bundle;
}

/* The corner of every cell, which no number covers, has the colour of its value. */
static void check_cells(const struct result *result, double scale) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct picture_options options = { .scale = scale };
    struct figure *figure = picture_find("heatmap")->draw(arena, result, &options, &err);
    struct figure_drawn *drawn = figure_drawn_pixels(arena, figure, scale, &err);
    struct bundle *bundle = bundle_of(result, &options);
    struct png_read *png = png_read(arena, bundle->png, bundle->png_length);
    check(png != NULL);
    check_int(png->width, (int64_t)ceil((double)bundle->width * scale));
    check_int(png->height, (int64_t)ceil((double)bundle->height * scale));
    const struct cells *cells = cells_of(figure);
    const struct cells_layout *l = &cells->layout;
    struct colour_scale colours;
    colour_scale_init(&colours, COLOUR_CUTAWAY, cells->low, cells->high, cells->is_signed,
                      l->annotated ? 45 : 129);
    int64_t n = cells->columns.count;
    for (int64_t i = 0; i < n * n; i++) {
        double corner = l->cell >= 12 ? 1.5 : 0;
        double x = drawn->page.x + l->left + l->cell * (double)(i % n) + corner;
        double y = drawn->page.y + l->top + l->cell * (double)(i / n) + corner;
        uint32_t wanted = colour_of(&colours, (double)cells->values[i]);
        if (!check(png_pixel(png, canvas_edge(drawn->canvas, x),
                             canvas_edge(drawn->canvas, y)) == wanted)) {
            return;
        }
    }
}

TEST(heatmap_cells_have_the_colours_of_their_values) {
    struct arena *arena = check_arena();
    check_cells(sample_attention(arena, 0, 0, 16, sample_english, 16), 2);
    check_cells(sample_attention(arena, 0, 0, 5, sample_english, 16), 1);
    check_cells(sample_attention(arena, 0, 0, 8, sample_chinese, 8), 3);
    check_cells(sample_attention(arena, 0, 0, 100, NULL, 0), 1.5);
}

TEST(heatmap_of_signed_values_is_white_at_zero) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 0, 0, 3, NULL, 0);
    struct series *series = &result->series[0];
    memcpy(series->values->data, (float[]){ -3, 0, 3, 0, 0, 0, 1, -1, 0 }, 9 * sizeof(float));
    series->is_signed = true;
    series->high = 0;
    struct err err = { 0 };
    struct picture_options options = { 0 };
    struct figure *figure = picture_find("heatmap")->draw(arena, result, &options, &err);
    check_near(cells_of(figure)->low, -3, 0);
    check_near(cells_of(figure)->high, 3, 0);
    check_cells(result, 2);
}

TEST(heatmap_scale_ends_at_a_round_number) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 0, 0, 2, NULL, 0);
    struct picture_options options = { 0 };
    struct err err = { 0 };
    static const double most[] = { 0.23, 0.61, 0.97, 1 }, high[] = { 0.25, 0.8, 1, 1 };
    for (int i = 0; i < 4; i++) {
        memcpy(result->series[0].values->data, (float[]){ 0, 0, 0, (float)most[i] }, 16);
        struct figure *figure = picture_find("heatmap")->draw(arena, result, &options, &err);
        check_near(cells_of(figure)->low, 0, 0);
        check_near(cells_of(figure)->high, high[i], 1e-9);
    }
}

TEST(heatmap_shows_values_that_are_not_numbers) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 0, 0, 4, NULL, 0);
    result->series[0].values->data[5] = NAN;
    result->series[0].values->data[6] = INFINITY;
    check_cells(result, 2);
    memset(result->series[0].values->data, 0, 16 * sizeof(float)); /* no range at all */
    check_cells(result, 2);
}

/* From one token to as many as a model reads. */
TEST(heatmap_of_any_size_fits) {
    struct arena *arena = check_arena();
    static const int64_t sizes[] = { 1, 2, 17, 33, 64, 128, 512, 700 };
    for (int i = 0; i < 8; i++) {
        struct result *result = sample_attention(arena, 0, 0, sizes[i], sample_english, 16);
        struct bundle *bundle = bundle_of(result, NULL);
        check(bundle->width <= 900 && bundle->height <= 900);
        check(bundle->width >= 300);
        size_t bytes = bundle->png_length * 4 / 3 + strlen(bundle->html) + strlen(bundle->json);
        check(bytes < 300000);
        check(strlen(bundle->text) <= 2048);
    }
}

TEST(heatmap_pools_long_texts_and_says_so) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 0, 0, 700, sample_english, 16);
    struct bundle *bundle = bundle_of(result, NULL);
    check_text(bundle->json, "each cell the largest of ");
    check_text(bundle->json, "\"pooled\":\"max\"");
}

TEST(heatmap_of_several_matrices_draws_them_side_by_side) {
    struct arena *arena = check_arena();
    struct bundle *bundle =
        bundle_of(sample_attention(arena, 2, 2, 6, sample_english, 16), NULL);
    check_text(bundle->json, "\"shape\":[2,2,6,6]");
    check_text(bundle->text, "layer  head  query");
    struct result *three = sample_attention(arena, 1, 3, 6, sample_english, 16);
    struct series *series = &three->series[0];
    series->values->rank = 3;
    for (int i = 0; i < 3; i++) {
        series->values->shape[i] = series->values->shape[i + 1];
        series->axes[i] = series->axes[i + 1];
    }
    check_text(bundle_of(three, NULL)->json, "\"shape\":[1,3,6,6]");
}

TEST(heatmap_says_its_finding_in_the_alt_text) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 0, 0, 6, sample_english, 16);
    struct bundle *bundle = bundle_of(result, NULL);
    check_same(
        bundle->alt,
        "Heat map, Attention of minilm, layer 5 head 1: 6 query rows by 6 key columns, colours "
        "from 0.00 to 1.00; Layer 5 head 1 looks back one token: 0.82 of ‘sat’ goes to ‘cat’.");
    struct picture_options chinese = { .language = "zh" };
    check_text(bundle_of(result, &chinese)->alt, "热图");
    check_text(bundle_of(result, &chinese)->text, "查询");
}

TEST(heatmap_draws_the_same_bytes_for_any_number_of_threads) {
    struct arena *arena = check_arena();
    int threads = pool_threads();
    struct result *result = sample_attention(arena, 0, 0, 600, sample_chinese, 8);
    struct bundle *one = bundle_of(result, NULL);
    for (int n = 1; n <= 4; n++) {
        pool_set_threads(n);
        struct bundle *again = bundle_of(result, NULL);
        check_int(again->png_length, one->png_length);
        check(memcmp(again->png, one->png, one->png_length) == 0);
        check_same(again->html, one->html);
        check_same(again->json, one->json);
        check_same(again->text, one->text);
    }
    pool_set_threads(threads);
}

TEST(heatmap_refuses_what_is_no_matrix) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = sample_attention(arena, 0, 0, 4, NULL, 0);
    result->series[0].values = tensor_new(arena, 1, (int64_t[]){ 4 });
    check(!picture_bundle(arena, "heatmap", result, NULL, &err));
    check(err.kind == ERR_OPTION);
    check_text(err.text, "attention is F32 [4]");
    result->series[0].values = tensor_new(arena, 2, (int64_t[]){ 0, 4 });
    check(!picture_bundle(arena, "heatmap", result, NULL, &err));
    result->count = 0;
    check(!picture_bundle(arena, "heatmap", result, NULL, &err));
    check_text(err.text, "no numbers");
}

TEST(picture_names_those_that_there_are) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = sample_attention(arena, 0, 0, 4, NULL, 0);
    check(!picture_bundle(arena, "piechart", result, NULL, &err));
    check_text(err.text, "piechart");
    check_text(err.text, "headgrid, heatmap");
    check(picture_find("heatmap") && picture_find("headgrid") && !picture_find(""));
    struct picture_options options = { .scale = 100 };
    check(!picture_bundle(arena, NULL, result, &options, &err));
    check_text(err.text, "24 to 2400 dots an inch");
}
