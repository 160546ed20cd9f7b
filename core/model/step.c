#include "core/model/step.h"

#include <assert.h>
#include <string.h>

struct step {
    const struct model *model;
    struct arena *arena; /* of one run */
    struct prefix *prefix;
    const int32_t *source; /* of an encoder-decoder, else NULL */
    int64_t source_count;
    int32_t *ids; /* what is written: all that was read, or the decoder's tokens */
    int64_t count, room;
};

static void close_arena(void *what) {
    arena_free(((struct step *)what)->arena);
}

struct step *step_new(struct arena *arena, const struct model *model, const int32_t *ids,
                      int64_t n, const int32_t *decoder_ids, int64_t decoder_n, int64_t room) {
    struct step *step = arena_alloc(arena, sizeof *step);
    bool decodes = model_decodes(model);
    step->model = model;
    step->source = decodes ? ids : NULL;
    step->source_count = n;
    step->count = decodes ? decoder_n : n;
    step->room = step->count + room;
    step->ids = arena_array(arena, step->room, sizeof *step->ids);
    memcpy(step->ids, decodes ? decoder_ids : ids, (size_t)step->count * sizeof *step->ids);
    step->prefix = model_takes_prefix(model) ? prefix_new(arena, model, step->room) : NULL;
    arena_defer(arena, close_arena, step);
    step->arena = arena_new();
    return step;
}

const float *step_logits(struct step *step, int64_t *count, struct err *err) {
    int64_t known = step->prefix ? step->prefix->tokens : 0, last = step->count - known - 1;
    arena_free(step->arena);
    step->arena = arena_new();
    struct pass pass = { .arena = step->arena,
                         .batch = 1,
                         .tokens = step->count - known,
                         .ids = step->ids + known,
                         .wanted_rows = &last,
                         .wanted = 1,
                         .prefix = step->prefix,
                         .extend = step->prefix != NULL };
    if (step->source) {
        pass.ids = step->source;
        pass.tokens = step->source_count;
        pass.decoder_ids = step->ids + known;
        pass.decoder_tokens = step->count - known;
    }
    pass.keep[SITE_LOGITS] = true;
    struct trace *trace = model_run(step->model, &pass, err);
    if (!trace) {
        err_pass(err);
        return NULL;
    }
    const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    *count = tensor_count(logits);
    return logits->data;
}

void step_take(struct step *step, int32_t id) {
    assert(step->count < step->room);
    step->ids[step->count++] = id;
}
