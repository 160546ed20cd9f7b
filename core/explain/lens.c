#include "core/explain/lens.h"

#include <string.h>

int lens_check(const struct model *model, struct err *err) {
    bool words = strcmp(model->task, "causal-lm") == 0 || strcmp(model->task, "masked-lm") == 0;
    return words && model_has(model, SITE_RESIDUAL)
               ? 0
               : err_set(err, ERR_UNSUPPORTED,
                         "the lens reads a residual stream through a head of words, and this "
                         "model (%s, %s) has not both",
                         model->arch->name, model->task);
}

struct tensor *lens(struct arena *arena, const struct model *model, const float *states,
                    int64_t tokens, struct err *err) {
    const struct config *config = model->config;
    if (lens_check(model, err) < 0) {
        return NULL;
    }
    struct tensor stream = { .dtype = DTYPE_F32,
                             .rank = 3,
                             .shape = { 1, tokens, config->width },
                             .bytes = (void *)(uintptr_t)states };
    struct pass pass = { .arena = arena,
                         .batch = 1,
                         .tokens = tokens,
                         .ids = arena_array(arena, tokens, sizeof(int32_t)),
                         .stream = &stream,
                         .from = config->layers };
    pass.keep[SITE_LOGITS] = true;
    const struct trace *trace = model_run(model, &pass, err);
    if (!trace) {
        err_pass(err);
        return NULL;
    }
    struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    logits->rank = 2;
    logits->shape[0] = tokens;
    logits->shape[1] = logits->shape[2];
    return logits;
}
