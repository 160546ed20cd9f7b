#include "core/model/step.h"

#include <string.h>

#include "core/base/pool.h"
#include "tests/check.h"
#include "tests/fixture.h"

enum { T = 6, MORE = 5 };

static const int32_t ids[T + MORE] = { 5, 17, 3, 42, 8, 11, 29, 2, 7, 7, 31 };

/* The logits after the first n ids, of a run over all of them. */
static const float *whole(struct arena *arena, const struct model *model, int64_t n) {
    struct err err = { 0 };
    int64_t last = n - 1;
    struct pass pass = {
        .arena = arena, .batch = 1, .tokens = n, .ids = ids, .wanted_rows = &last, .wanted = 1
    };
    if (model_decodes(model)) {
        pass.tokens = T;
        pass.decoder_ids = ids;
        pass.decoder_tokens = n;
    }
    pass.keep[SITE_LOGITS] = true;
    struct trace *trace = model_run(model, &pass, &err);
    return check(trace != NULL) ? trace_at(trace, SITE_LOGITS, 0)->data : NULL;
}

/* Step by step the same bytes as all at once, whatever the model and the threads. */
static void check_steps(const char *name) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model(name);
    int before = pool_threads();
    for (int threads = 1; model && threads <= 3; threads++) {
        struct err err = { 0 };
        int64_t count = 0, first = model_decodes(model) ? 1 : T;
        struct step *step = step_new(arena, model, ids, T, ids, 1, MORE);
        pool_set_threads(threads);
        for (int64_t n = first; n < first + MORE; n++) {
            const float *logits = step_logits(step, &count, &err);
            const float *wanted = whole(arena, model, n);
            check(logits && wanted && count == model->config->vocab &&
                  memcmp(logits, wanted, (size_t)count * sizeof *wanted) == 0);
            step_take(step, ids[n]);
        }
    }
    pool_set_threads(before);
}

TEST(step_by_step_gives_the_bytes_of_the_whole) {
    check_steps("gpt2");
    check_steps("llama_smollm2");
}

TEST(step_goes_on_behind_a_source_or_from_a_state) {
    check_steps("t5");
    check_steps("lstm_lm");
    check_steps("gru_lm");
    check_steps("rnn_lm");
}

TEST(step_says_when_the_context_is_full) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct err err = { 0 };
    if (!model) {
        return;
    }
    int64_t context = model->config->context, count;
    int32_t *many = arena_array(arena, context, sizeof *many);
    struct step *step = step_new(arena, model, many, context, NULL, 0, 1);
    check(step_logits(step, &count, &err) != NULL);
    step_take(step, 1);
    check(!step_logits(step, &count, &err) && err.kind == ERR_TEXT);
}
