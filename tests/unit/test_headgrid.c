#include <math.h>
#include <string.h>

#include "core/draw/cells.h"
#include "core/draw/colour.h"
#include "core/draw/figure_drawn.h"
#include "core/draw/figure_json.h"
#include "core/draw/matrices.h"
#include "core/draw/picture.h"
#include "tests/check.h"
#include "tests/png_read.h"
#include "tests/sample.h"

static struct bundle *bundle_of(const struct result *result,
                                const struct picture_options *options) {
    struct err err = { 0 };
    struct bundle *bundle = picture_bundle(check_arena(), "headgrid", result, options, &err);
    check_same(err.text, "");
    return bundle;
}

/* Without the heads that go whole. */
static size_t bytes_of(const struct bundle *bundle) {
    const char *whole = strstr(bundle->json, "\"whole\":");
    size_t json = whole ? (size_t)(whole - bundle->json) : strlen(bundle->json);
    check(strlen(bundle->json) - json < MATRICES_STANDING_BYTES + 100000);
    return bundle->png_length * 4 / 3 + strlen(bundle->html) + json + strlen(bundle->text);
}

TEST(headgrid_panels_have_the_colours_of_their_values) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct picture_options options = { .scale = 2 };
    struct result *result = sample_attention(arena, 3, 5, 8, sample_chinese, 8);
    struct figure *figure = picture_find("headgrid")->draw(arena, result, &options, &err);
    struct figure_drawn *drawn = figure_drawn_pixels(arena, figure, 2, &err);
    struct bundle *bundle = bundle_of(result, &options);
    struct png_read *png = png_read(arena, bundle->png, bundle->png_length);
    struct colour_scale colours;
    colour_scale_init(&colours, COLOUR_CUTAWAY, cells_of(figure)->low, cells_of(figure)->high,
                      false, 65);
    for (int64_t i = 0; i < 15 * 64; i++) {
        const struct cells_layout *l = &cells_of(figure)->layout;
        double x = drawn->page.x + cells_layout_panel_x(cells_of(figure), i / 64) +
                   l->cell * ((double)(i % 8) + 0.5);
        double y = drawn->page.y + cells_layout_panel_y(cells_of(figure), i / 64) +
                   l->cell * ((double)(i / 8 % 8) + 0.5);
        float value = result->series[0].values->data[i];
        check_int(png_pixel(png, (int64_t)(2 * x), (int64_t)(2 * y)),
                  colour_of(&colours, (double)value));
    }
}

TEST(headgrid_of_any_model_fits) {
    struct arena *arena = check_arena();
    static const int64_t sizes[][3] = { { 1, 1, 2 },    { 6, 12, 16 }, { 12, 12, 16 },
                                        { 12, 12, 40 }, { 2, 2, 12 },  { 1, 32, 20 },
                                        { 48, 2, 6 },   { 12, 12, 1 } };
    for (int i = 0; i < 8; i++) {
        struct result *result =
            sample_attention(arena, sizes[i][0], sizes[i][1], sizes[i][2], sample_english, 16);
        struct bundle *bundle = bundle_of(result, NULL);
        check_near(bundle->width, 600, 360);
        check_near(bundle->height, 800, 700);
        check(bytes_of(bundle) < 300000);
    }
}

/* 512 tokens, 12 layers of 12 heads. */
TEST(headgrid_of_a_long_text_stays_small) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 12, 12, 512, sample_english, 16);
    struct bundle *bundle = bundle_of(result, NULL);
    check(bytes_of(bundle) < 300000);
    check_text(bundle->json, "each cell the largest of ");
    struct result *word = sample_attention(arena, 12, 12, 200, sample_chinese, 8);
    check(bytes_of(bundle_of(word, NULL)) < 300000);
}

/* Many heads that look in as many ways: weights fall off at random, each row sums to 1. */
static struct result *diffuse(struct arena *arena, int64_t layers, int64_t heads, int64_t n) {
    struct result *result = sample_attention(arena, layers, heads, n, sample_english, 16);
    uint64_t state = 7;
    for (int64_t row = 0; row < layers * heads * n; row++) {
        float *weights = result->series[0].values->data + row * n, sum = 0;
        for (int64_t i = 0; i < n; i++) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            weights[i] = powf((float)(state >> 40) / 16777216.0F, 12);
            sum += weights[i];
        }
        for (int64_t i = 0; i < n; i++) {
            weights[i] /= sum;
        }
    }
    return result;
}

TEST(headgrid_of_large_models_stays_small) {
    struct arena *arena = check_arena();
    static const int64_t sizes[][3] = { { 30, 9, 16 },  { 30, 9, 123 },  { 24, 16, 48 },
                                        { 32, 32, 16 }, { 32, 32, 100 }, { 48, 25, 40 },
                                        { 6, 12, 120 }, { 80, 8, 30 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int64_t *size = sizes[i];
        struct arena *own = arena_new();
        struct err err = { 0 };
        struct bundle *bundle = picture_bundle(
            own, "headgrid", diffuse(arena, size[0], size[1], size[2]), NULL, &err);
        check(bundle && bytes_of(bundle) < 300000);
        arena_free(own);
    }
}

/* Numbers that are none go into the JSON as they are, four bytes each. */
TEST(headgrid_with_missing_values_stays_small) {
    struct result *result = diffuse(check_arena(), 12, 12, 90);
    for (int64_t i = 0; i < 144; i++) {
        result->series[0].values->data[i * 90 * 90 + i] = NAN;
    }
    struct bundle *bundle = bundle_of(result, NULL);
    check(bytes_of(bundle) < 300000);
    check_text(bundle->json, "\"encoding\":\"f32\"");
}

/* 18 tokens would be too many bytes in all forms: the picture keeps every token, the JSON
 * pairs. */
TEST(headgrid_json_gives_way_before_the_picture) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct picture_options options = { 0 };
    struct result *result = diffuse(arena, 30, 9, 18);
    for (int64_t i = 0; i < 270 * 18 * 18; i++) {
        float *value = &result->series[0].values->data[i];
        *value = i % 18 > i / 18 % 18 ? 0 : *value; /* causal */
    }
    struct figure *figure = picture_find("headgrid")->draw(arena, result, &options, &err);
    check_int(cells_of(figure)->rows.count, 18);
    check_same(figure->note,
               "each panel: rows query (looks from), columns key (looked at), 18 × 18");
    const char *json = figure_json(arena, figure);
    check_text(json, "\"shape\":[30,9,9,9]");
    check_text(json, "\"source\":18,\"block\":2");
}

TEST(headgrid_of_noise_stays_small) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 12, 12, 130, NULL, 0);
    uint64_t state = 3;
    for (int64_t i = 0; i < 144 * 130 * 130; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        result->series[0].values->data[i] = (float)(state >> 40) / 16777216.0F;
    }
    check_near(bytes_of(bundle_of(result, NULL)), 150000, 150000);
}

TEST(headgrid_table_names_the_strongest_cell_of_each_head) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 2, 2, 3, sample_english, 16);
    float *values = result->series[0].values->data;
    memset(values, 0, 36 * sizeof(float));
    values[0 * 9 + 5] = 0.5F;  /* layer 0 head 0: the -> cat */
    values[3 * 9 + 6] = 0.75F; /* layer 1 head 1: cat -> [CLS] */
    struct picture_options options = { .top = 2 };
    check_same(bundle_of(result, &options)->text,
               "Layer 5 head 1 looks back one token: 0.82 of ‘sat’ goes to ‘cat’.\n"
               "layer  head  query  key    probability\n"
               "1      1     cat    [CLS]         0.75\n"
               "0      0     the    cat           0.50");
}

/* By hand: what goes to the first place or to itself is left out, and the note says so. */
TEST(headgrid_table_tells_the_links_between_others) {
    static const float values[] = { 1, 0, 0, .9F, .1F, 0, .5F, .2F, .3F };
    static const bool rests[] = { true, false, false };
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 1, 1, 3, sample_english, 16);
    memcpy(result->series[0].values->data, values, sizeof values);
    struct bundle *bundle = bundle_of(result, NULL);
    check_text(bundle->text, "0.90");
    check(!strstr(bundle->text, "Strongest links"));

    result->series[0].rests = rests;
    result_note(arena, result, "unit", "token");
    bundle = bundle_of(result, NULL);
    check_text(bundle->text, "Strongest links between different tokens, without the first, ");
    check_text(bundle->text, "0.20");
    check(!strstr(bundle->text, "1.00") && !strstr(bundle->text, "0.90"));
    check_text(bundle->html, "<summary>Strongest links between different tokens, without ");

    const struct picture_options zh = { .language = "zh" };
    check_text(bundle_of(result, &zh)->text, "不同词元之间最强的联系（不计 首个词元 ");
}

TEST(headgrid_alt_and_note_in_both_languages) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 6, 12, 8, sample_chinese, 8);
    check_text(bundle_of(result, NULL)->alt, "Grid of 6 × 12 heat maps (layer × head)");
    struct picture_options chinese = { .language = "zh-CN" };
    check_text(bundle_of(result, &chinese)->alt, "6 × 12 幅热图（层 × 头）");
    check_text(bundle_of(result, &chinese)->json, "每幅小图");
}

TEST(headgrid_refuses_a_single_matrix) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = sample_attention(arena, 0, 0, 4, NULL, 0);
    check(!picture_bundle(arena, "headgrid", result, NULL, &err));
    check(err.kind == ERR_OPTION);
    check_text(err.text, "draw it as heatmap");
}
