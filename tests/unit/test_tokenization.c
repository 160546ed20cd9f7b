#include <string.h>

#include "core/explain/tokenization.h"
#include "core/result/column.h"
#include "tests/check.h"
#include "tests/fixture.h"

static struct result *read(const struct model *model, const char *text, struct err *err) {
    *err = (struct err){ 0 };
    return tokenization(check_arena(), model, "m", text, strlen(text), "en", err);
}

/* As the tokenizers library cuts it. */
TEST(tokenization_has_ids_spans_and_words) {
    struct err err;
    const struct model *model = fixture_model("bert_mlm");
    const struct result *result = read(model, "one two", &err);
    if (!check(result)) {
        return;
    }
    int64_t n = result->series[0].axes[0].count;
    struct encoding *wanted =
        tokenizer_encode(check_arena(), model->tokenizer, "one two", 7, NULL, 0, true, &err);
    check_int(n, wanted->count);
    for (int64_t i = 0; i < n; i++) {
        check_near(result->series[0].values->data[i], wanted->tokens[i].id, 0);
        check_near(result->series[1].values->data[2 * i], wanted->tokens[i].begin, 0);
        check_near(result->series[1].values->data[2 * i + 1], wanted->tokens[i].end, 0);
    }
    check_same(column_text(check_arena(), result, "special", 0), "yes");
    check_same(column_text(check_arena(), result, "word", 1), "one");
    check_text(result->finding, "7 characters (2 words, 7 bytes)");
    check_text(result->finding, "2 of them special");
}

TEST(tokenization_refuses_what_is_no_text) {
    struct err err;
    const struct model *model = fixture_model("llama_smollm2");
    check(!read(model, "", &err));
    check_text(err.text, "no tokens");
    check(!read(model, "a\xff", &err));
    check(err.kind == ERR_TEXT);
    check(!read(fixture_open("gguf/gemma3/model.gguf"), "a", &err));
    check(err.kind == ERR_UNSUPPORTED);
}

TEST(tokenization_compares_tokenizers) {
    struct err err = { 0 };
    static const char text[] = "one two three 猫";
    const struct tokenization_reader readers[] = {
        { fixture_model("bert_mlm"), "bert" },
        { fixture_model("llama_smollm2"), "llama" },
    };
    struct arena *arena = check_arena();
    const struct result *result =
        tokenization_compare(arena, readers, 2, text, strlen(text), "en", &err);
    if (!check(result)) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        const struct series *ids = result_at(result, i ? "id 1" : "id 0");
        double own = (double)(result->series[0].values->data[i] -
                              result_at(result, "special")->values->data[i]);
        check_int(ids->axes[0].count, (int64_t)result->series[0].values->data[i]);
        check_near(result_at(result, "bytes per token")->values->data[i], 17 / own, 1e-6);
        check_near(result_at(result, "tokens per word")->values->data[i], own / 4, 1e-6);
        check_int(result_at(result, i ? "span 1" : "span 0")->axes[0].count,
                  ids->axes[0].count);
    }
    check_text(result->finding, "fewest tokens");
}
