/* RoBERTa: BERT's encoder with positions counted from the padding's id on and heads of its own
 * (Liu et al. 2019, arXiv:1907.11692); XLM-RoBERTa and CamemBERT are the same network. With or
 * without the prefix "roberta.". */

#include <string.h>

#include "core/model/bert_stack.h"

static const char *const prefixes[] = { "roberta.", "", NULL };

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
        roberta->head = (struct transformer_head){
            .hidden = parts_dense(parts, c->width, c->width, true, "lm_head.dense"),
            .act = SIMD_GELU, /* whatever the configuration's act is */
            .norm = parts_norm(parts, c->width, false, c->eps, "lm_head.layer_norm"),
            .output = bert_stack_decoder(parts, c, &roberta->stack, "lm_head"),
        };
    }
}

static int settings_check(const struct config *c, struct err *err) {
    if (bert_stack_check(c, err) < 0) {
        return -1;
    }
    if (c->pad < 0 || c->pad > c->context - 2) {
        return err_set(err, ERR_FORMAT,
                       "%s: pad_token_id is %lld; positions count from it on, and there are "
                       "%lld (max_position_embeddings)",
                       c->file, (long long)c->pad, (long long)c->context);
    }
    return 0;
}

/* The first positions are no token's, so that fewer tokens fit than there are positions. */
static void context_shorten(struct arena *arena, struct model *model) {
    struct config *config = arena_alloc(arena, sizeof *config);
    *config = *model->config;
    config->context -= config->pad + 1;
    model->config = config;
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
    bert_stack_find(&parts, c, prefix, stack);
    stack->pad = c->pad;
    stack->first_position = c->pad + 1;
    head_find(&parts, model, roberta);
    context_shorten(arena, model);
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
              .tied = true,
              .parts = "attention.self.query attention.self.key attention.self.value "
                       "attention.output.dense attention.output.LayerNorm intermediate.dense "
                       "output.dense output.LayerNorm",
              .settings = "position_embedding_type classifier_dropout" },
    .open = open,
    .forward = transformer_forward,
};
