#include <string.h>

#include "core/base/catch.h"
#include "core/base/checked.h"
#include "core/model/model.h"
#include "core/tensor/op.h"

/* TransformerLens' names; %lld is the layer. */
static const char *const names[SITE_COUNT] = {
    [SITE_EMBED] = "hook_embed",
    [SITE_RESIDUAL] = "blocks.%lld.hook_resid_pre",
    [SITE_QUERY] = "blocks.%lld.attn.hook_q",
    [SITE_KEY] = "blocks.%lld.attn.hook_k",
    [SITE_VALUE] = "blocks.%lld.attn.hook_v",
    [SITE_ATTENTION] = "blocks.%lld.attn.hook_pattern",
    [SITE_MIXED] = "blocks.%lld.attn.hook_z",
    [SITE_ATTENTION_OUT] = "blocks.%lld.hook_attn_out",
    [SITE_MIDDLE] = "blocks.%lld.hook_resid_mid",
    [SITE_NEURONS] = "blocks.%lld.mlp.hook_post",
    [SITE_MLP_OUT] = "blocks.%lld.hook_mlp_out",
    [SITE_FINAL] = "ln_final.hook_normalized",
    [SITE_LOGITS] = "logits",
    [SITE_DECODER_EMBED] = "decoder.hook_embed",
    [SITE_DECODER_RESIDUAL] = "decoder.%lld.hook_resid_pre",
    [SITE_DECODER_QUERY] = "decoder.%lld.attn.hook_q",
    [SITE_DECODER_KEY] = "decoder.%lld.attn.hook_k",
    [SITE_DECODER_VALUE] = "decoder.%lld.attn.hook_v",
    [SITE_DECODER_ATTENTION] = "decoder.%lld.attn.hook_pattern",
    [SITE_DECODER_MIXED] = "decoder.%lld.attn.hook_z",
    [SITE_DECODER_ATTENTION_OUT] = "decoder.%lld.hook_attn_out",
    [SITE_DECODER_MIDDLE] = "decoder.%lld.hook_resid_mid",
    [SITE_DECODER_NEURONS] = "decoder.%lld.mlp.hook_post",
    [SITE_DECODER_MLP_OUT] = "decoder.%lld.hook_mlp_out",
    [SITE_DECODER_FINAL] = "decoder.ln_final.hook_normalized",
    [SITE_CROSS_ATTENTION] = "decoder.%lld.cross_attn.hook_pattern",
    [SITE_OUTPUT] = "layers.%lld.hook_output",
    [SITE_CELL] = "layers.%lld.hook_cell",
};

const char *site_name(struct arena *arena, enum site site, int64_t layer) {
    const char *name = names[site], *layers = strstr(name, "%lld");
    if (!layers) {
        return name;
    }
    return arena_printf(arena, "%.*s%lld%s", (int)(layers - name), name, (long long)layer,
                        layers + strlen("%lld"));
}

/* The site in the stack that is running. */
static enum site site_here(const struct pass *pass, enum site site) {
    return site < SITE_LOGITS ? (enum site)(site + pass->stack) : site;
}

struct tensor *trace_at(const struct trace *trace, enum site site, int64_t layer) {
    struct tensor **values = trace->values[site];
    return values && layer >= 0 && layer <= trace->layers ? values[layer] : NULL;
}

struct tensor *trace_gradient(const struct trace *trace, enum site site, int64_t layer) {
    struct tensor **values = trace->gradients[site];
    return values && layer >= 0 && layer <= trace->layers ? values[layer] : NULL;
}

bool model_has(const struct model *model, enum site site) {
    const enum site *s = model->arch->sites;
    while (*s != site && *s != SITE_COUNT) {
        s++;
    }
    return *s == site;
}

bool visit_wants(const struct pass *pass, enum site site) {
    return pass->keep[site_here(pass, site)];
}

struct tensor *visit_place(struct pass *pass, enum site site, int64_t layer, int rank,
                           const int64_t *shape) {
    site = site_here(pass, site);
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
    bool stream = site == SITE_RESIDUAL;
    site = site_here(pass, site);
    if (pass->keep[site] && pass->take) {
        pass->take(pass->take_arg, site, layer, value);
    } else if (pass->keep[site]) {
        const struct tensor *kept = trace_at(pass->trace, site, layer);
        if (!kept) {
            struct tape keeper = { .arena = pass->arena };
            kept = pass->trace->values[site][layer] =
                tape_tensor(&keeper, value->rank, value->shape);
        }
        if (kept->bytes != value->bytes) {
            memcpy(kept->bytes, value->bytes, (size_t)tensor_bytes(value));
        }
    }
    stop_check();
    if (stream && pass->progress) {
        pass->progress(pass->progress_arg, layer, pass->trace->layers);
    }
}

void visit_rows(struct pass *pass, enum site site, int64_t layer, const struct tensor *value) {
    struct tensor by_text = *value;
    by_text.rank = 3;
    by_text.shape[0] = pass->batch;
    by_text.shape[1] = value->shape[0] / pass->batch;
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
    if (!config_fits(config, pass->tokens)) {
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
    int64_t layers = model->config->layers > model->config->decoder_layers
                         ? model->config->layers
                         : model->config->decoder_layers;
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
    pass->tape = tape_new(*scratch, op_attention_room(pass->tokens, pass->tokens,
                                                      model->config->head_width, false));
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
