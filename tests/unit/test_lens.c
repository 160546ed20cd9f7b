#include <string.h>

#include "core/explain/lens.h"
#include "tests/check.h"
#include "tests/fixture.h"

/* After the last layer, and for some rows alone, the lens gives the model's own logits. */
static void check_last(const char *name) {
    struct err err = { 0 };
    const struct model *model = fixture_model(name);
    const int32_t ids[] = { 5, 9, 12, 7, 5 };
    struct pass pass = { .arena = check_arena(), .batch = 1, .tokens = 5, .ids = ids };
    pass.keep[SITE_RESIDUAL] = pass.keep[SITE_LOGITS] = true;
    const struct trace *trace = model ? model_run(model, &pass, &err) : NULL;
    if (!check(trace != NULL)) {
        return;
    }
    int64_t width = model->config->width;
    const struct tensor *last = trace_at(trace, SITE_RESIDUAL, model->config->layers);
    const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    const struct tensor *read = lens(check_arena(), model, last->data + 2 * width, 3, &err);
    if (check(read && read->rank == 2 && read->shape[0] == 3)) {
        check(memcmp(read->data, logits->data + 2 * read->shape[1],
                     (size_t)tensor_bytes(read)) == 0);
    }
}

TEST(lens_after_the_last_layer_is_the_model) {
    check_last("gpt2");
    check_last("llama_smollm2");
    check_last("bert_mlm");
    check_last("gemma3");
}

TEST(lens_refuses_models_without_a_head_of_words) {
    struct err err = { 0 };
    const float state[1] = { 0 };
    check(!lens(check_arena(), fixture_model("bert_cls"), state, 1, &err));
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "(bert, classification) has not both");
    check(!lens(check_arena(), fixture_model("lstm_lm"), state, 1, &err));
    check_text(err.text, "(lstm_lm, causal-lm) has not both");
}
