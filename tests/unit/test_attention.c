#include <math.h>
#include <string.h>

#include "core/explain/attention.h"
#include "core/model/weights.h"
#include "tests/check.h"
#include "tests/fixture.h"

/* Three tokens, the first two one word. By hand: to a word the sum, from a word the mean. */
TEST(attention_joins_tokens_to_words) {
    const float tokens[9] = { .5F, .3F, .2F, /**/ .1F, .1F, .8F, /**/ .25F, .5F, .25F };
    const struct words words = { .count = 2,
                                 .begin = (int64_t[]){ 0, 2 },
                                 .end = (int64_t[]){ 2, 3 } };
    float joined[4];
    attention_join(tokens, &words, &words, joined);
    check_near(joined[0], (.5 + .3 + .1 + .1) / 2, 1e-7);
    check_near(joined[1], (.2 + .8) / 2, 1e-7);
    check_near(joined[2], .75, 1e-7);
    check_near(joined[3], .25, 1e-7);
}

TEST(attention_pattern_takes_the_rows_that_have_the_place) {
    const float head[9] = { .1F, .6F, .3F, /**/ .7F, .1F, .2F, /**/ .4F, .5F, .1F };
    check_near(attention_pattern(head, 3, ATTENTION_PREVIOUS), (.7 + .5) / 2, 1e-7);
    check_near(attention_pattern(head, 3, ATTENTION_NEXT), (.6 + .2) / 2, 1e-7);
    check_near(attention_pattern(head, 3, ATTENTION_SELF), (.1 + .1) / 2, 1e-7);
    check_near(attention_pattern(head, 3, ATTENTION_FIRST), (.7 + .4) / 2, 1e-7);
    check_near(attention_pattern(head, 1, ATTENTION_PREVIOUS), 0, 0);
}

static struct attention_request every_of(const struct model *model, bool words) {
    static const int64_t numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    return (struct attention_request){ .layers = numbers,
                                       .heads = numbers,
                                       .layer_count = model->config->layers,
                                       .head_count = model->config->heads,
                                       .words = words };
}

static struct result *look(const struct model *model, const char *text,
                           const struct attention_request *request, struct err *err) {
    *err = (struct err){ 0 };
    return attention(check_arena(), model, "m", text, strlen(text), request, err);
}

TEST(attention_equals_pytorch) {
    struct err err;
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    const struct weights *golden = weights_open(
        arena, check_fixture(arena, "golden/data/models/llama_smollm2/expected.safetensors"),
        &err);
    const struct tensor *wanted = golden ? weights_at(golden, "repeat.attentions") : NULL;
    const int64_t layers[] = { 0, 2 }, heads[] = { 1, 5 };
    const struct attention_request request = {
        .layers = layers, .heads = heads, .layer_count = 2, .head_count = 2, .language = "en"
    };
    const struct result *result = look(model, "one two one two one two", &request, &err);
    if (!check(wanted && result)) {
        return;
    }
    const struct series *series = &result->series[0];
    int64_t n = series->axes[2].count;
    check_int(n, wanted->shape[2]);
    check_same(series->axes[0].labels[1], "2");
    check_same(series->axes[1].labels[1], "5");
    for (int64_t i = 0; i < 4; i++) {
        const float *one = wanted->data + (layers[i / 2] * 6 + heads[i % 2]) * n * n;
        for (int64_t j = 0; j < n * n; j++) {
            check_near(series->values->data[i * n * n + j], one[j], 1e-4);
        }
    }
}

TEST(attention_between_words_sums_to_one) {
    struct err err;
    const struct model *model = fixture_model("llama_smollm2");
    const struct attention_request request = every_of(model, true);
    const struct result *result = look(model, "Untranslatable 猫 words", &request, &err);
    if (!check(result)) {
        return;
    }
    const struct series *series = &result->series[0];
    int64_t n = series->axes[2].count;
    check_int(n, 3);
    check_same(series->axes[2].labels[0], "Untranslatable");
    check_same(series->axes[2].labels[1], "猫");
    for (int64_t row = 0; row < tensor_count(series->values) / n; row++) {
        double sum = 0;
        for (int64_t k = 0; k < n; k++) {
            sum += (double)series->values->data[row * n + k];
        }
        check_near(sum, 1, 1e-5);
    }
    check_same(result->notes[0].value, "word");
    check_text(result->finding, "of its weight to the first word, Untranslatable, and ");
    check(!strstr(result->finding, "after")); /* a causal model cannot look ahead */
}

/* A result made by hand: layer 0 looks at the token before, layer 3 at the first. */
static struct result *by_hand(void) {
    static const float values[18] = { 1,        0,   0,   1,   0,   0, 0,   1,   0,
                                      /**/ .5F, .2F, .3F, .9F, .1F, 0, .8F, .1F, .1F };
    static const char *labels[] = { "a", "b", "c" }, *layers[] = { "0", "3" };
    struct result *result = result_new(check_arena(), "headgrid", 1);
    struct series *series = &result->series[0];
    series->name = "attention";
    series->values = tensor_new(check_arena(), 4, (int64_t[]){ 2, 1, 3, 3 });
    memcpy(series->values->data, values, sizeof values);
    series->axes[0] = (struct axis){ "layer", 2, layers };
    series->axes[1] = (struct axis){ "head", 1, NULL };
    series->axes[2] = (struct axis){ "query", 3, labels };
    series->axes[3] = (struct axis){ "key", 3, labels };
    result->model = "m";
    return result;
}

TEST(attention_narrow_says_what_is_left) {
    const int64_t zero[] = { 0 }, one[] = { 1 }, both[] = { 0, 1 };
    const struct attention_request last = {
        .layers = one, .heads = zero, .layer_count = 1, .head_count = 1, .language = "en"
    };
    const struct result *whole = by_hand();
    const struct result *part = attention_narrow(check_arena(), whole, &last);
    check_same(part->title, "Attention of m, layer 3, head 0");
    check_same(part->kind, "heatmap");
    check_same(part->finding,
               "The strongest links between different tokens are c → b (0.10); on average a "
               "token gives 85% of its weight to the first token, a, and 10% to itself.");
    check_near(part->series[0].values->data[3], .9, 1e-7);

    const struct attention_request all = {
        .layers = both, .heads = zero, .layer_count = 2, .head_count = 1, .language = "en"
    };
    part = attention_narrow(check_arena(), whole, &all);
    check_same(part->title, "Attention of m, 2 layers, head 0");
    check_text(part->finding,
               "Layer 0 head 0 looks at the token before (mean weight 1.00); on average a "
               "token gives 67% of its weight to the first token, a, and 5% to itself.");
    check_int(whole->series[0].axes[0].count, 2); /* as it was */
}

/* Of layers 0 and 3 the scores .25 and .5: the second is left. */
TEST(attention_narrow_takes_the_scores_along) {
    const int64_t zero[] = { 0 }, one[] = { 1 };
    const struct attention_request last = {
        .layers = one, .heads = zero, .layer_count = 1, .head_count = 1, .language = "en"
    };
    struct result *whole = by_hand();
    struct series both[2] = { whole->series[0], whole->series[0] };
    both[1].name = "entropy";
    both[1].values = tensor_new(check_arena(), 2, (int64_t[]){ 2, 1 });
    both[1].values->data[0] = .25F;
    both[1].values->data[1] = .5F;
    whole->series = both;
    whole->count = 2;
    const struct result *part = attention_narrow(check_arena(), whole, &last);
    const struct series *entropy = result_at(part, "entropy");
    check_int(tensor_count(entropy->values), 1);
    check_near(entropy->values->data[0], .5, 0);
    check_same(entropy->axes[0].labels[0], "3");
    check_int(tensor_count(part->series[0].values), 9);
}

TEST(attention_says_where_numbers_end) {
    const int64_t zero[] = { 0 }, both[] = { 0, 1 };
    const struct attention_request all = {
        .layers = both, .heads = zero, .layer_count = 2, .head_count = 1, .language = "en"
    };
    const struct result *whole = by_hand();
    whole->series[0].values->data[9 + 4] = NAN;
    check_text(attention_narrow(check_arena(), whole, &all)->finding,
               "NaN instead of weights in 1 of 2 heads, first in layer 3 head 0: ");
}

TEST(attention_says_it_in_chinese) {
    const int64_t zero[] = { 0 }, both[] = { 0, 1 };
    const struct attention_request one = {
        .layers = both + 1, .heads = zero, .layer_count = 1, .head_count = 1, .language = "zh"
    };
    const struct result *part = attention_narrow(check_arena(), by_hand(), &one);
    check_same(part->title, "m 的注意力，第 3 层，第 0 头");
    check_same(part->finding,
               "不同词元之间最强的联系是 c → b（0.10）；平均而言，一个词元把 85% "
               "的权重给了首个词元“a”，10% 留给自己。");
    check_text(part->caption, "每行之和为 1");

    const struct attention_request all = {
        .layers = both, .heads = zero, .layer_count = 2, .head_count = 1, .language = "zh"
    };
    part = attention_narrow(check_arena(), by_hand(), &all);
    check_same(part->title, "m 的注意力，其中 2 层，第 0 头");
    check_text(part->finding, "第 0 层第 0 头主要看前一个词元（平均权重 1.00）；");
}

TEST(attention_marks_where_heads_rest) {
    struct err err;
    const struct model *bert = fixture_model("bert_mlm");
    const struct attention_request tokens = every_of(bert, false);
    const struct result *result = look(bert, "a b", &tokens, &err);
    check(result && result->series[0].axes[3].count == 4);
    const bool *rests = result->series[0].rests;
    check(rests[0] && !rests[1] && !rests[2] && rests[3]); /* [CLS] a b [SEP] */

    /* A copy for later cells has marks of its own. */
    const struct result *copy = result_copy(check_arena(), result);
    check(copy->series[0].rests != rests && copy->series[0].rests[3]);

    const int64_t zero[] = { 0 };
    const struct attention_request one = {
        .layers = zero, .heads = zero, .layer_count = 1, .head_count = 1, .language = NULL
    };
    result = look(bert, "b", &one, &err);
    check_text(result->finding, "No token looks at another than [CLS] and [SEP]; ");
}

static void check_refused(const char *text, const char *part) {
    struct err err;
    const struct model *model = fixture_model("bert_mlm");
    const struct attention_request request = every_of(model, false);
    check(!look(model, text, &request, &err));
    check_int(err.kind, ERR_TEXT);
    check_text(err.text, part);
}

TEST(attention_refuses_texts_that_cannot_be_read) {
    check_refused("", "empty");
    check_refused(" \xe3\x80\x80", "empty");
    check_refused("a\xff", "UTF-8");
    check_refused("a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h",
                  "the text has 36 tokens, but the model reads at most 32");
}

/* ---- encoder-decoders ---- */

static struct result *look_at_t5(enum attention_of of, const char *target, bool words,
                                 const char *language) {
    struct err err = { 0 };
    const struct model *model = fixture_model("t5");
    struct attention_request request = every_of(model, words);
    request.of = of;
    request.target = target;
    request.target_length = target ? strlen(target) : 0;
    request.language = language;
    struct result *result = look(model, "The model reads one token.", &request, &err);
    check_same(err.text, "");
    return result;
}

/* Rows are the decoder's, columns the source's; the numbers are those of the same run. */
TEST(attention_across_has_rows_of_the_target) {
    struct result *result = look_at_t5(ATTENTION_OF_CROSS, "one", false, "en");
    if (!check(result != NULL)) {
        return;
    }
    const struct series *series = &result->series[0];
    check(series->axes[0].count == 2 && series->axes[1].count == 4);
    check(series->axes[2].count == 2 && series->axes[3].count == 8 && !series->rests);
    check_same(series->axes[2].labels[0], "<pad>");
    check_same(series->axes[3].labels[7], "</s>");
    double sum = 0;
    for (int i = 0; i < 8; i++) {
        sum += (double)series->values->data[i];
    }
    check_near(sum, 1, 1e-5);
    check_text(result->title, "Cross-attention of m");
    check_text(result->finding, "from target to source: ");
    check_text(result->text, "one token. >> one");
    const int64_t one[] = { 1 };
    struct attention_request narrow = {
        .layers = one, .heads = one, .layer_count = 1, .head_count = 1, .language = "zh"
    };
    struct result *part = attention_narrow(check_arena(), result, &narrow);
    check(memcmp(part->series[0].values->data, series->values->data + (1 * 4 + 1) * 16,
                 16 * sizeof(float)) == 0);
    check_text(part->title, "交叉注意力");
}

TEST(attention_of_words_and_of_the_decoder) {
    struct result *words = look_at_t5(ATTENTION_OF_CROSS, "one two three", true, "zh");
    struct result *decoder = look_at_t5(ATTENTION_OF_DECODER, NULL, false, "en");
    struct result *encoder = look_at_t5(ATTENTION_OF_TEXT, NULL, false, NULL);
    if (!check(words && decoder && encoder)) {
        return;
    }
    const struct axis *rows = &words->series[0].axes[2]; /* the start token goes before words */
    check_same(rows->labels[0], "<pad>");
    check_same(rows->labels[rows->count - 1], "three");
    check_same(words->series[0].axes[3].labels[1], "model");
    check_same(words->series[0].axes[3].labels[2], "reads");
    check_int(decoder->series[0].axes[3].count, 1);
    check_near(decoder->series[0].values->data[0], 1, 0);
    check_text(decoder->finding, "one token");
    check_int(encoder->series[0].axes[2].count, 8);
    check_text(encoder->title, "Encoder attention of m");
    check(encoder->series[0].rests[7]);
}

TEST(attention_says_what_a_model_has_not) {
    struct err err = { 0 };
    const struct model *bert = fixture_model("bert_mlm");
    check_int(attention_check(bert, ATTENTION_OF_TEXT, &err), 0);
    check_int(attention_check(bert, ATTENTION_OF_CROSS, &err), -1);
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "one kind of attention");
    const struct model *lstm = fixture_model("lstm_lm");
    check_int(attention_check(lstm, ATTENTION_OF_TEXT, &err), -1);
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "recurrent (lstm_lm)");
}
