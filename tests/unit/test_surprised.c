#include <math.h>
#include <string.h>

#include "core/explain/surprised.h"
#include "tests/check.h"
#include "tests/fixture.h"

static const struct surprisal *read_text(const struct model *model, const char *text) {
    struct err err = { 0 };
    const struct surprisal_request request = { 0 };
    const struct surprisal *of =
        surprisal(check_arena(), model, text, strlen(text), &request, &err);
    check_same(err.text, "");
    return of;
}

static const char text[] = "The cat sat.\n\nOn Tuesday, 猫 untranslatable";

/* Words and lines have the sums of their tokens, and all three the same total. */
TEST(surprised_sums_words_and_lines) {
    const struct model *model = fixture_model("gpt2");
    const struct surprisal *of = read_text(model, text);
    const struct surprised_view view = { .unit = SURPRISED_WORD, .handle = "m" };
    const struct result *result = surprised(check_arena(), model, of, &view);
    const struct series *words = &result->series[0],
                        *tokens = result_at(result, "surprisal by token"),
                        *lines = result_at(result, "surprisal by line"),
                        *span = result_at(result, "span"),
                        *totals = result_at(result, "totals");
    if (!check(tokens && lines && span && totals)) {
        return;
    }
    const struct series *all[] = { words, tokens, lines };
    for (int k = 0; k < 3; k++) {
        double sum = 0;
        for (int64_t i = 0; i < all[k]->axes[0].count; i++) {
            float bits = all[k]->values->data[i];
            sum += isnan(bits) ? 0 : (double)bits;
        }
        check_near(sum, surprisal_bits(of->total), 1e-3);
    }
    check_int(lines->axes[0].count, 2);
    check_same(lines->axes[0].labels[1], "On Tuesday, 猫 untranslatable");
    check_same(words->axes[0].labels[0], "The");
    int64_t n = words->axes[0].count;
    check_same(words->axes[0].labels[n - 1], "untranslatable");
    check_near(span->values->data[2 * n - 1], strlen(text), 0);
    check_near(totals->values->data[1], of->count, 0);
    check_near(totals->values->data[2], strlen(text), 0);
    check_text(result->finding, "m needs ");
    check_text(result->finding, "The first token, ");
    check_text(result->caption, "only bits a byte compares models");
    check_same(result->kind, "tokens");
}

/* A character may be cut into bytes; its pieces are named by it. */
TEST(surprised_names_a_first_token_that_is_part_of_a_character) {
    const struct model *model = fixture_model("gpt2");
    const struct surprised_view view = { .handle = "m" };
    const struct result *result =
        surprised(check_arena(), model, read_text(model, "猫 sat"), &view);
    check_text(result->finding, "The first token, 猫₁, has nothing before it");
}

TEST(surprised_tells_a_masked_model_from_others) {
    const struct model *model = fixture_model("bert_mlm");
    const struct surprised_view view = { .handle = "m", .language = "zh" };
    const struct result *result =
        surprised(check_arena(), model, read_text(model, "the cat sat"), &view);
    check_same(result->method, "pseudo-log-likelihood");
    check_text(result->finding, "伪困惑度");
    check_text(result->caption, "伪对数似然");
    check(isnan(result->series[0].values->data[0])); /* [CLS] */
    const struct result *curve = surprised_curve(check_arena(), result, "en");
    check_int(curve->series[0].axes[1].count, result->series[0].axes[0].count - 2);
}

TEST(surprised_curve_has_the_mean_so_far) {
    const struct model *model = fixture_model("gpt2");
    const struct surprised_view view = { .handle = "m" };
    const struct result *of =
        surprised(check_arena(), model, read_text(model, "one two three four"), &view);
    const struct result *curve = surprised_curve(check_arena(), of, "en");
    const float *each = of->series[0].values->data, *data = curve->series[0].values->data;
    int64_t n = of->series[0].axes[0].count;
    check_same(curve->kind, "lines");
    check_int(curve->series[0].axes[1].count, n - 1); /* the first token does not count */
    check_near(data[0], each[1], 0);
    check_near(data[n - 1 + 1], (each[1] + each[2]) / 2, 1e-5);
    check_same(curve->series[0].axes[1].labels[0], of->series[0].axes[0].labels[1]);
    check_same(of->kind, "tokens"); /* as it was */
}

/* Of 450 units each point is the mean of 3: itself, the one before and the one after. */
TEST(surprised_curve_of_a_long_text_is_smooth) {
    struct result *of = result_new(check_arena(), "tokens", 1);
    of->series[0].values = tensor_new(check_arena(), 1, (int64_t[]){ 451 });
    of->series[0].axes[0] = (struct axis){ "token", 451, NULL };
    float *bits = of->series[0].values->data;
    for (int i = 0; i < 451; i++) {
        bits[i] = i == 0 || i == 11 ? NAN : (float)i;
    }
    const struct series *curve = &surprised_curve(check_arena(), of, "en")->series[0];
    check_same(curve->axes[0].labels[0], "mean of 3");
    check_near(curve->values->data[0], 1.5, 1e-6); /* units 1 and 2 */
    check_near(curve->values->data[4], 5, 1e-6);
    check_near(curve->values->data[10], 11, 1e-6); /* units 10 and 12 */
    check_near(curve->values->data[449], 449.5, 1e-4);
    check_near(curve->values->data[450 + 449], (450. * 451 / 2 - 11) / 449, 1e-4);
}

/* Two tokenizers part the text in different places; what is compared is the same letters. */
TEST(surprised_compares_models_word_by_word) {
    const struct model *gpt2 = fixture_model("gpt2"), *llama = fixture_model("llama2");
    const char *said = "The cat sat on the untranslatable mat.";
    const struct surprised_reader by[] = { { gpt2, "a", read_text(gpt2, said) },
                                           { llama, "b", read_text(llama, said) } };
    const struct result *both = surprised_side_by_side(check_arena(), by, 2, "en");
    const struct result *difference = surprised_difference(check_arena(), by, "en");
    const struct tensor *bits = both->series[0].values;
    int64_t n = bits->shape[1];
    check_int(both->series[0].axes[1].count, n);
    check_same(both->series[0].axes[1].labels[1], "cat");
    for (int r = 0; r < 2; r++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            float one = bits->data[r * n + i];
            sum += isnan(one) ? 0 : (double)one;
        }
        check_near(sum, surprisal_bits(by[r].of->total), 1e-3);
    }
    const struct series *signed_bits = &difference->series[0];
    check(signed_bits->is_signed);
    check_near(signed_bits->values->data[2], bits->data[n + 2] - bits->data[2], 1e-5);
    check_text(difference->finding, "Bits a byte: a ");
    check_text(difference->title, "b less a");
    check_text(difference->finding, " a does not count the first token: --bos makes it fair.");

    const struct surprised_reader same[] = { by[0], by[0] };
    const struct result *none = surprised_difference(check_arena(), same, "en");
    check_near(none->series[0].values->data[3], 0, 0);
}

/* By hand: 8 tokens of 1 bit over 4 bytes, 2 tokens of 6 bits over 12. */
TEST(surprised_table_tells_the_total) {
    const struct surprised_row rows[] = { { "first", 8 * log(2), 8, 4, false },
                                          { "second", 12 * log(2), 2, 12, false } };
    const struct result *result = surprised_table(check_arena(), rows, 2, "m", "en");
    check_same(result->kind, "table");
    check_near(result_at(result, "perplexity")->values->data[0], 2, 1e-6);
    check_near(result_at(result, "perplexity")->values->data[1], 64, 1e-4);
    check_near(result_at(result, "bits a byte")->values->data[1], 1, 1e-6);
    check_same(result->series[0].axes[0].labels[1], "second");
    check_same(result->finding, "m over 2 texts: perplexity 4 (10 tokens), 1.250 bits a byte; "
                                "it expects this one least: first (2.000).");
}

TEST(surprised_head_is_cut_between_characters) {
    const char *said = "猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫";
    check_same(surprised_head(check_arena(), "short", 5), "short");
    check_same(surprised_head(check_arena(), said, strlen(said)),
               "猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫…");
}
