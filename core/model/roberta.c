/* RoBERTa: BERT's encoder with positions counted from the padding's id on and heads of its own
 * (Liu et al. 2019, arXiv:1907.11692); XLM-RoBERTa and CamemBERT are the same network. With or
 * without the prefix "roberta.". */

#include <string.h>

#include "core/model/transformer.h"

static const char *const prefixes[] = { "roberta.", "", NULL };

static void block_find(struct parts *parts, const struct config *c, const char *name,
                       struct block *block) {
    int64_t width = c->width;
    *block = (struct block){
        .attention = {
            .query = parts_dense(parts, width, width, true, "%s.attention.self.query", name),
            .key = parts_dense(parts, width, width, true, "%s.attention.self.key", name),
            .value = parts_dense(parts, width, width, true, "%s.attention.self.value", name),
            .output = parts_dense(parts, width, width, true, "%s.attention.output.dense", name),
        },
        .after_attention = parts_norm(parts, width, false, c->eps,
                                      "%s.attention.output.LayerNorm", name),
        .up = parts_dense(parts, c->inner, width, true, "%s.intermediate.dense", name),
        .down = parts_dense(parts, width, c->inner, true, "%s.output.dense", name),
        .after_mlp = parts_norm(parts, width, false, c->eps, "%s.output.LayerNorm", name),
        .rope = -1,
        .left = -1,
        .right = -1,
    };
}

static void masked_lm_find(struct parts *parts, const struct config *c,
                           struct transformer *roberta) {
    struct transformer_head *head = &roberta->head;
    bool own = parts_has(parts, "lm_head.decoder.weight") || !c->tied;
    /* The two names mean one vector where the head is tied; else the decoder's own counts. */
    bool decoders = parts_has(parts, "lm_head.decoder.bias") &&
                    (!c->tied || !parts_has(parts, "lm_head.bias"));
    head->hidden = parts_dense(parts, c->width, c->width, true, "lm_head.dense");
    head->act = SIMD_GELU; /* whatever the configuration's act is */
    head->norm = parts_norm(parts, c->width, false, c->eps, "lm_head.layer_norm");
    head->output.weight =
        own ? parts_matrix(parts, c->vocab, c->width, "lm_head.decoder.weight")
            : roberta->stack.words;
    head->output.bias =
        parts_vector(parts, c->vocab, "lm_head.%s", decoders ? "decoder.bias" : "bias");
}

static void head_find(struct parts *parts, const struct model *model,
                      struct transformer *roberta) {
    const struct config *c = model->config;
    if (strcmp(model->task, "classification") == 0) {
        roberta->head = (struct transformer_head){
            .hidden = parts_dense(parts, c->width, c->width, true, "classifier.dense"),
            .act = SIMD_TANH,
            .output = parts_dense(parts, c->labels, c->width, true, "classifier.out_proj"),
            .classifies = true,
        };
    } else if (strcmp(model->task, "masked-lm") == 0) {
        masked_lm_find(parts, c, roberta);
    }
}

static void embeddings_find(struct parts *parts, const struct config *c, const char *prefix,
                            struct stack *stack) {
    stack->words =
        parts_matrix(parts, c->vocab, c->width, "%sembeddings.word_embeddings.weight", prefix);
    stack->positions = parts_matrix(parts, c->context, c->width,
                                    "%sembeddings.position_embeddings.weight", prefix);
    stack->types = parts_matrix(parts, c->types, c->width,
                                "%sembeddings.token_type_embeddings.weight", prefix);
    stack->embedded =
        parts_norm(parts, c->width, false, c->eps, "%sembeddings.LayerNorm", prefix);
    stack->pad = c->pad;
    stack->first_position = c->pad + 1;
}

/* What the configuration may ask for that this file does not compute. */
static int settings_check(const struct config *c, struct err *err) {
    const char *positions = "absolute";
    if (config_classic(c, err) < 0 || config_only(c, "is_decoder", false, err) < 0 ||
        config_only(c, "add_cross_attention", false, err) < 0 ||
        config_text(c, "position_embedding_type", NULL, &positions, err) < 0) {
        return -1;
    }
    if (strcmp(positions, "absolute") != 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: position_embedding_type is %s; only \"absolute\" is known", c->file,
                       positions);
    }
    if (c->types < 1) {
        return err_set(err, ERR_FORMAT, "%s: type_vocab_size is 0; a RoBERTa has at least 1",
                       c->file);
    }
    if (c->pad < 0 || c->pad > c->context - 2) {
        return err_set(err, ERR_FORMAT,
                       "%s: pad_token_id is %lld; positions count from it on, and there are "
                       "%lld (max_position_embeddings)",
                       c->file, (long long)c->pad, (long long)c->context);
    }
    return 0;
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *roberta = transformer_new(arena, c);
    struct stack *stack = &roberta->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (settings_check(c, err) < 0 || parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "embeddings.word_embeddings.weight");
    stack->order = BLOCK_POST;
    embeddings_find(&parts, c, prefix, stack);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *name = arena_printf(arena, "%sencoder.layer.%lld", prefix, (long long)l);
        block_find(&parts, c, name, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%sencoder.layer.%lld.output.dense.weight", prefix,
               (long long)c->layers);
    head_find(&parts, model, roberta);
    struct config *own = arena_alloc(arena, sizeof *own);
    *own = *c;
    own->context = c->context - c->pad - 1; /* the first positions are no token's */
    model->config = own;
    model->parts = roberta;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch roberta_arch = {
    .name = "roberta",
    .summary = "RoBERTa, XLM-RoBERTa and CamemBERT, with their heads",
    .sites = transformer_sites,
    .form = { .also = { "xlm-roberta", "camembert" },
              .context_of = 512,
              .types = 2,
              .has_pad = true,
              .pad = 1,
              .eps = 1e-12,
              .tied = true },
    .open = open,
    .forward = transformer_forward,
};
