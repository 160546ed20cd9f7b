/* Sites, and what happens where a value is born. */

#include <string.h>

#include "core/base/catch.h"
#include "core/model/recording.h"
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

static bool is_repeat(const struct pass *pass) {
    return pass->trace->recording && pass->trace->recording->ask;
}

/* A visit while going backward: the value is there again, so what is asked of it can be said.
 */
static void visit_again(struct pass *pass, enum site site, int64_t layer,
                        const struct tensor *value) {
    const struct backward *ask = pass->trace->recording->ask;
    struct tensor *gradient = trace_gradient(pass->trace, site, layer);
    if (ask->want[site] && gradient) {
        tape_want(pass->tape, value, gradient->data);
    }
    for (int64_t i = 0; i < ask->count; i++) {
        if (ask->from[i].site == site && ask->from[i].layer == layer) {
            tape_seed(pass->tape, value, ask->from[i].gradient->data);
        }
    }
    stop_check();
}

static void remember(struct pass *pass, enum site site, int64_t layer,
                     const struct tensor *value) {
    struct recording *recording = pass->trace->recording;
    if (recording && recording->passed[site]) {
        recording->passed[site][layer] =
            (struct passed){ .value = *value, .seen = true, .inside = tape_inside(pass->tape) };
    }
}

struct tensor *visit_place(struct pass *pass, enum site site, int64_t layer, int rank,
                           const int64_t *shape) {
    site = site_here(pass, site);
    if (!pass->keep[site]) {
        return NULL;
    }
    if (pass->take || is_repeat(pass)) {
        return tape_tensor(pass->tape, rank, shape);
    }
    struct tape keeper = { .arena = pass->arena };
    struct tensor *tensor = tape_tensor(&keeper, rank, shape);
    pass->trace->values[site][layer] = tensor;
    return tensor;
}

static void keep(struct pass *pass, enum site site, int64_t layer, const struct tensor *value) {
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

void visit(struct pass *pass, enum site site, int64_t layer, const struct tensor *value) {
    bool stream = site == SITE_RESIDUAL;
    site = site_here(pass, site);
    if (is_repeat(pass)) {
        visit_again(pass, site, layer, value);
        return;
    }
    remember(pass, site, layer, value);
    if (pass->keep[site] && pass->take) {
        pass->take(pass->take_arg, site, layer, value);
    } else if (pass->keep[site]) {
        keep(pass, site, layer, value);
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
