#include "core/explain/arrival.h"

#include <string.h>

#include "core/explain/rollout.h"
#include "tests/check.h"
#include "tests/fixture.h"

static struct result *seen(const char *name, const int64_t *layers, int64_t count, bool words,
                           enum attention_of of, struct err *err) {
    const struct model *model = fixture_model(name);
    const struct attention_request request = {
        .layers = layers, .layer_count = count, .words = words, .of = of, .language = "en"
    };
    const char *text = "one two one two";
    *err = (struct err){ 0 };
    return model ? arrival(check_arena(), model, "m", text, strlen(text), &request, err) : NULL;
}

/* Through one layer: half of itself, and half of the mean of the heads. */
TEST(arrival_of_one_layer_is_by_hand) {
    const int64_t layers[] = { 0 }, heads[] = { 0, 1, 2, 3, 4, 5 };
    struct err err;
    const struct result *result =
        seen("llama_smollm2", layers, 1, false, ATTENTION_OF_TEXT, &err);
    const struct attention_request request = {
        .layers = layers, .heads = heads, .layer_count = 1, .head_count = 6
    };
    const struct result *raw = attention(check_arena(), fixture_model("llama_smollm2"), "m",
                                         "one two one two", 15, &request, &err);
    if (!check(result && raw)) {
        return;
    }
    int64_t n = result->series[0].axes[0].count;
    check_int(n, raw->series[0].axes[2].count);
    for (int64_t i = 0; i < n * n; i++) {
        double mean = 0;
        for (int h = 0; h < 6; h++) {
            mean += (double)raw->series[0].values->data[h * n * n + i] / 6;
        }
        check_near(result->series[0].values->data[i], (mean + (i % (n + 1) == 0)) / 2, 1e-6);
    }
    check_text(result->finding, "Through layer 0 a token keeps on average ");
    check_same(result->kind, "heatmap");
}

TEST(arrival_rows_sum_to_one) {
    const int64_t layers[] = { 0, 1, 2 };
    struct err err;
    const struct result *result =
        seen("llama_smollm2", layers, 3, true, ATTENTION_OF_TEXT, &err);
    if (!check(result)) {
        return;
    }
    int64_t n = result->series[0].axes[0].count;
    check_int(n, 4);
    check_same(result->series[0].axes[1].labels[3], "two");
    for (int64_t row = 0; row < n; row++) {
        double sum = 0;
        for (int64_t k = 0; k < n; k++) {
            sum += (double)result->series[0].values->data[row * n + k];
        }
        check_near(sum, 1, 1e-5);
    }
    check_text(result->title, "Attention rollout of m, layers 0 to 2");
}

TEST(arrival_refuses_two_texts) {
    const int64_t layers[] = { 0 };
    struct err err;
    check(!seen("llama_smollm2", layers, 1, false, ATTENTION_OF_CROSS, &err));
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "take --of encoder or decoder");
}

/* Of 18 heads and what they are multiplied to, the arena keeps the last product. */
TEST(arrival_keeps_the_result_alone) {
    const int64_t layers[] = { 0, 1, 2 };
    const struct attention_request request = {
        .layers = layers, .layer_count = 3, .of = ATTENTION_OF_TEXT, .language = "en"
    };
    const struct model *model = fixture_model("llama_smollm2");
    struct err err = { 0 };
    const char *text = "one two one two one two one two one two one two one two";
    struct arena *arena = arena_new();
    const struct result *result =
        model ? arrival(arena, model, "m", text, strlen(text), &request, &err) : NULL;
    check_same(err.text, "");
    if (check(result)) {
        int64_t n = result->series[0].axes[0].count;
        check(result->series[0].rests && result->series[0].axes[1].labels);
        check(arena_size(arena) < 18 * n * n * (int64_t)sizeof(float));
    }
    arena_free(arena);
}
