#include "core/explain/target.h"

#include "tests/check.h"
#include "tests/fixture.h"

TEST(target_is_a_token_with_or_without_its_blank) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct target target;
    struct err err = { 0 };
    int32_t spaced = tokenizer_id(model->tokenizer, "Ġhe"),
            bare = tokenizer_id(model->tokenizer, "he");
    if (!check(spaced >= 0 && bare >= 0)) {
        return;
    }
    check(target_find(arena, model, "he", &target, &err) == 0);
    check(target.count == 2 && target.ids[0] == spaced && target.ids[1] == bare);
    float *logits = arena_array(arena, model->config->vocab, sizeof *logits);
    logits[bare] = 2;
    check_int(target_choose(&target, logits, model->config->vocab), bare);
    logits[spaced] = 3;
    check_int(target_choose(&target, logits, model->config->vocab), spaced);
    check_text(target_note(arena, model, &target, spaced, false), "␣he (#");

    check(target_find(arena, model, " he", &target, &err) == 0);
    check(target.count == 1 && target.ids[0] == spaced);
    check_same(target_note(arena, model, &target, spaced, false), "");
    check(target_find(arena, model, "␣he", &target, &err) == 0);
    check(target.count == 1 && target.ids[0] == spaced);
    check_same(target_label(arena, model, spaced), "␣he");
}

TEST(target_auto_is_the_most_probable) {
    struct arena *arena = check_arena();
    struct target target;
    struct err err = { 0 };
    check(target_find(arena, fixture_model("gpt2"), "auto", &target, &err) == 0);
    check_int(target_choose(&target, (float[]){ 1, 5, 5, 2 }, 4), 1);
}

TEST(target_of_several_tokens_is_its_first) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct target target;
    struct err err = { 0 };
    check(target_find(arena, model, "photosynthesis", &target, &err) == 0);
    check(target.count >= 1 && target.pieces > 1);
    check_text(target_note(arena, model, &target, target.ids[0], false), "tokens; the first");
}

TEST(target_by_number) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct target target;
    struct err err = { 0 };
    check(target_find(arena, model, "#17", &target, &err) == 0 && target.ids[0] == 17);
    static const char *const bad[] = { "#999999999", "#17x", "#99999999999999999999" };
    for (int i = 0; i < 3; i++) {
        check(target_find(arena, model, bad[i], &target, &err) < 0 && err.kind == ERR_OPTION);
        check_text(err.text, "#0 to #");
    }
    check(target_find(arena, model, "", &target, &err) < 0 && err.kind == ERR_OPTION);
}

TEST(target_of_a_classifier_is_a_class) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("bert_cls");
    struct target target;
    struct err err = { 0 };
    const char *name = target_label(arena, model, 1);
    check(target_find(arena, model, name, &target, &err) == 0 && target.ids[0] == 1);
    check(target_find(arena, model, "#0", &target, &err) == 0 && target.ids[0] == 0);
    check(target_find(arena, model, "the", &target, &err) < 0 && err.kind == ERR_OPTION);
    check_text(err.text, name);
}

TEST(target_that_is_no_token) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("bert_mlm");
    struct target target;
    struct err err = { 0 };
    check(target_find(arena, model, "\xF0\x9F\xA6\x91", &target, &err) < 0);
    check_text(err.text, "no token of this vocabulary");
}
