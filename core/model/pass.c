#include <string.h>

#include "core/base/catch.h"
#include "core/base/checked.h"
#include "core/model/model.h"
#include "core/tensor/op.h"

const char *site_name(struct arena *arena, enum site site, int64_t layer) {
    switch (site) {
    case SITE_EMBED:
        return "hook_embed";
    case SITE_RESIDUAL:
        return arena_printf(arena, "blocks.%lld.hook_resid_pre", (long long)layer);
    case SITE_ATTENTION:
        return arena_printf(arena, "blocks.%lld.attn.hook_pattern", (long long)layer);
    case SITE_FINAL:
        return "ln_final.hook_normalized";
    default:
        return "logits";
    }
}

struct tensor *trace_at(const struct trace *trace, enum site site, int64_t layer) {
    struct tensor **values = trace->values[site];
    return values && layer >= 0 && layer <= trace->layers ? values[layer] : NULL;
}

bool visit_wants(const struct pass *pass, enum site site) {
    return pass->keep[site];
}

struct tensor *visit_place(struct pass *pass, enum site site, int64_t layer, int rank,
                           const int64_t *shape) {
    if (!pass->keep[site]) {
        return NULL;
    }
    if (pass->take) {
        return tape_tensor(pass->tape, rank, shape);
    }
    struct tape keeper = { .arena = pass->arena };
    struct tensor *tensor = tape_tensor(&keeper, rank, shape);
    pass->trace->values[site][layer] = tensor;
    return tensor;
}

void visit(struct pass *pass, enum site site, int64_t layer, const struct tensor *value) {
    if (pass->keep[site] && pass->take) {
        pass->take(pass->take_arg, site, layer, value);
    } else if (pass->keep[site]) {
        const struct tensor *kept = trace_at(pass->trace, site, layer);
        if (!kept) {
            kept = visit_place(pass, site, layer, value->rank, value->shape);
        }
        if (kept->bytes != value->bytes) {
            memcpy(kept->bytes, value->bytes, (size_t)tensor_bytes(value));
        }
    }
    stop_check();
    if (site == SITE_RESIDUAL && pass->progress) {
        pass->progress(pass->progress_arg, layer, pass->trace->layers);
    }
}

void visit_rows(struct pass *pass, enum site site, int64_t layer, const struct tensor *value) {
    struct tensor by_text = *value;
    by_text.rank = 3;
    by_text.shape[0] = pass->batch;
    by_text.shape[1] = pass->tokens;
    by_text.shape[2] = value->shape[1];
    visit(pass, site, layer, &by_text);
}

/* What the caller gives is checked here once, so that no operation has to. */
static int check(const struct model *model, const struct pass *pass, struct err *err) {
    const struct config *config = model->config;
    int64_t types = config->types > 0 ? config->types : 1; /* 0 also means: all are alike */
    int64_t count;
    if (pass->tokens < 1 || pass->batch < 1) {
        return err_set(err, ERR_TEXT, "the text has no tokens; at least one is needed");
    }
    if (pass->tokens > config->context) {
        return err_set(err, ERR_TEXT,
                       "the text has %lld tokens and this model reads at most %lld; shorten it",
                       (long long)pass->tokens, (long long)config->context);
    }
    if (!ck_mul(pass->batch, pass->tokens, &count)) {
        return err_set(err, ERR_TEXT, "%lld texts are too many", (long long)pass->batch);
    }
    for (int64_t i = 0; i < count; i++) {
        if (pass->ids[i] < 0 || pass->ids[i] >= config->vocab) {
            return err_set(
                err, ERR_TEXT,
                "token id %d at position %lld is not in the vocabulary of %lld tokens",
                (int)pass->ids[i], (long long)(i % pass->tokens), (long long)config->vocab);
        }
        if (pass->types && (pass->types[i] < 0 || pass->types[i] >= types)) {
            return err_set(err, ERR_TEXT, "token type %d at position %lld; this model has %lld",
                           (int)pass->types[i], (long long)(i % pass->tokens),
                           (long long)types);
        }
    }
    return 0;
}

static void scratch_free(void *what) {
    struct arena **scratch = what;
    arena_free(*scratch);
    *scratch = NULL;
}

/* Makes room for n times `each` floats in one piece, which the arena keeps and takes next: a
 * page fault for 2 MB is cheaper than 512 for 4 kB. */
static void reserve(struct arena *arena, int64_t n, int64_t each) {
    int64_t floats, bytes;
    struct arena_mark mark = arena_mark(arena);
    if (ck_mul(n, each, &floats) && ck_mul(floats, sizeof(float), &bytes)) {
        arena_raw(arena, (size_t)bytes);
        arena_rewind(arena, mark);
    }
}

/* Scratch for one layer, and what is kept of all of them with a little that lies between.
 * Values that are taken at once are scratch. */
static void reserve_all(struct arena *scratch, const struct pass *pass,
                        const struct config *config) {
    int64_t rows = pass->batch * pass->tokens, layer = 10 * config->width + 2 * config->inner;
    int64_t pattern = pass->keep[SITE_ATTENTION] ? config->heads * pass->tokens : 0;
    int64_t states = pass->keep[SITE_RESIDUAL] ? (config->layers + 1) * config->width : 0;
    if (pass->take) {
        reserve(scratch, rows, layer + pattern);
    } else {
        reserve(scratch, rows, layer);
        reserve(pass->arena, rows, config->layers * pattern + states + config->width);
    }
}

struct trace *model_run(const struct model *model, struct pass *pass, struct err *err) {
    if (check(model, pass, err) < 0) {
        return NULL;
    }
    int64_t layers = model->config->layers;
    struct trace *trace = arena_alloc(pass->arena, sizeof *trace);
    *trace = (struct trace){
        .model = model, .batch = pass->batch, .tokens = pass->tokens, .layers = layers
    };
    for (int site = 0; site < SITE_COUNT; site++) {
        if (pass->keep[site]) {
            trace->values[site] = arena_array(pass->arena, layers + 1, sizeof(struct tensor *));
        }
    }
    /* The scratch goes when the run ends; when it ends by an interrupt, with the pass's arena.
     */
    struct arena **scratch = arena_alloc(pass->arena, sizeof(struct arena *));
    arena_defer(pass->arena, scratch_free, scratch);
    *scratch = arena_new();
    pass->trace = trace;
    pass->tape = tape_new(*scratch, op_attention_room(pass->tokens, model->config->head_width));
    reserve_all(*scratch, pass, model->config);

    int failed = model->arch->forward(model, pass, err);
    stop_check(); /* an interrupt may have left out part of the last product */
    pass->tape = NULL;
    scratch_free(scratch);
    if (failed < 0) {
        err_pass(err);
        return NULL;
    }
    return trace;
}
