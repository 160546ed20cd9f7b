#include "core/draw/cells.h"
#include "core/draw/figure_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsontree.h"
#include "core/draw/picture.h"
#include "tests/check.h"
#include "tests/sample.h"

static struct json *json_of(const struct result *result) {
    struct err err = { 0 };
    struct bundle *bundle = picture_bundle(check_arena(), NULL, result, NULL, &err);
    check_same(bundle->mime, "application/vnd.cutaway.heatmap.v1+json");
    struct json *tree =
        json_parse(check_arena(), bundle->json, strlen(bundle->json), "json", &err);
    check_same(err.text, "");
    return tree;
}

/* Bytes that base64 stands for. */
static int64_t decoded(struct json_text text) {
    int64_t pad = 0;
    while (pad < 2 && text.length > 0 && text.bytes[text.length - 1 - (size_t)pad] == '=') {
        pad++;
    }
    return (int64_t)text.length / 4 * 3 - pad;
}

static int64_t product(const struct json *shape) {
    int64_t n = 1;
    for (const struct json *at = shape->first; at; at = at->next) {
        n *= atoll(at->text.bytes);
    }
    return n;
}

TEST(figure_json_holds_as_many_values_as_its_shape_says) {
    struct arena *arena = check_arena();
    static const int64_t sizes[][3] = { { 0, 0, 1 },  { 0, 0, 7 },   { 0, 0, 64 },
                                        { 0, 0, 65 }, { 6, 12, 16 }, { 12, 12, 90 } };
    for (int i = 0; i < 6; i++) {
        struct json *tree = json_of(
            sample_attention(arena, sizes[i][0], sizes[i][1], sizes[i][2], sample_chinese, 8));
        struct json *values = json_at(tree, "values");
        int64_t n = product(json_at(values, "shape"));
        bool exact = strcmp(json_text_at(values, "encoding", ""), "f32") == 0;
        check(exact == (n <= CELLS_JSON_EXACT));
        check_int(decoded(json_at(values, "base64")->text), exact ? 4 * n : n);
    }
}

TEST(figure_json_says_texts_axes_and_scale) {
    struct json *tree = json_of(sample_attention(check_arena(), 2, 3, 8, sample_chinese, 8));
    check_same(json_text_at(tree, "schema", ""), "cutaway.heatmap.v1");
    check_same(json_text_at(tree, "title", ""), "Attention of minilm");
    check_text(json_text_at(tree, "alt", ""), "looks back");
    check_int(strlen(json_text_at(tree, "result", "")), 16);
    struct json *axes = json_at(tree, "axes");
    check_int(axes->count, 4);
    check_same(json_text_at(axes->first, "name", ""), "layer");
    struct json *query = axes->first->next->next;
    check_same(json_text_at(query, "title", ""), "query (looks from)");
    check_int(json_int_at(query, "source", 0), 8);
    check_int(json_int_at(query, "block", 0), 1);
    check_int(json_at(query, "labels")->count, 8);
    struct json *scale = json_at(tree, "scale");
    check_near(json_number_at(scale, "low", -1), 0, 0);
    check_near(json_number_at(scale, "high", -1), 1, 0);
    check(!json_bool_at(scale, "signed", true));
    check_int(json_at(scale, "colours")->count, 17);
    check_int(json_at(scale, "colours")->first->text.bytes[0], '#');
}

/* One half of the scale 0..1 is byte 128; all values equal, 4225 of them. */
TEST(figure_json_quantises_to_the_scale) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 0, 0, 65, NULL, 0);
    for (int i = 0; i < 65 * 65; i++) {
        result->series[0].values->data[i] = i == 0 ? 1 : 0.5F;
    }
    struct json_text text = json_at(json_at(json_of(result), "values"), "base64")->text;
    check(strncmp(text.bytes, "/4CAgICA", 8) == 0); /* ff 80 80 80 80 80 */
}

TEST(figure_json_keeps_what_is_not_a_number) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 0, 0, 65, NULL, 0);
    result->series[0].values->data[7] = NAN;
    check_same(json_text_at(json_at(json_of(result), "values"), "encoding", ""), "f32");
}

TEST(figure_json_says_what_the_view_needs) {
    struct arena *arena = check_arena();
    struct result *result = sample_attention(arena, 2, 3, 8, sample_chinese, 8);
    bool rests[8] = { [0] = true, [7] = true };
    result->series[0].rests = rests;
    struct series both[2] = { result->series[0] };
    both[1] = (struct series){ .name = "entropy", .unit = "nats" };
    both[1].values = tensor_new(arena, 2, (int64_t[]){ 2, 3 });
    both[1].axes[0] = both[0].axes[0];
    both[1].axes[1] = both[0].axes[1];
    result->series = both;
    result->count = 2;
    struct json *tree = json_of(result);
    check_same(json_text_at(tree, "series", ""), "attention");
    check_int(json_int_at(tree, "panelAxes", -1), 2);
    check_int(json_at(tree, "rests")->count, 2);
    check_same(json_at(tree, "rests")->first->next->text.bytes, "7");
    const struct json *score = json_at(tree, "scores")->first;
    check_same(json_text_at(score, "name", ""), "entropy");
    check_same(json_text_at(score, "unit", ""), "nats");
    check_int(decoded(json_at(json_at(score, "values"), "base64")->text), 6 * 4);
    check(!json_at(tree, "whole")); /* nothing is pooled */
}

TEST(figure_json_of_a_long_text_has_heads_whole) {
    struct json *tree = json_of(sample_attention(check_arena(), 3, 4, 200, NULL, 0));
    const struct json *whole = json_at(tree, "whole");
    if (!check(whole && whole->count > 0)) {
        return;
    }
    check_int(json_at(whole->first, "at")->count, 2);
    check(json_at(whole->first, "nibbles")->text.length > 100);
    struct json *one = json_of(sample_attention(check_arena(), 0, 0, 700, NULL, 0));
    check_int(json_int_at(one, "panelAxes", -1), 0);
}
