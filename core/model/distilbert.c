/* DistilBERT: BERT's encoder without token types, under other names (Sanh et al. 2019,
 * arXiv:1910.01108). DistilBertModel, DistilBertForMaskedLM and
 * DistilBertForSequenceClassification; with or without the prefix "distilbert.". */

#include <string.h>

#include "core/model/transformer.h"

static const char *const prefixes[] = { "distilbert.", "", NULL };
static const double eps = 1e-12; /* no configuration says it */

static void block_find(struct parts *parts, const struct config *c, const char *name,
                       struct block *block) {
    int64_t width = c->width;
    *block = (struct block){
        .attention = {
            .query = parts_dense(parts, width, width, true, "%s.attention.q_lin", name),
            .key = parts_dense(parts, width, width, true, "%s.attention.k_lin", name),
            .value = parts_dense(parts, width, width, true, "%s.attention.v_lin", name),
            .output = parts_dense(parts, width, width, true, "%s.attention.out_lin", name),
        },
        .after_attention = parts_norm(parts, width, false, eps, "%s.sa_layer_norm", name),
        .up = parts_dense(parts, c->inner, width, true, "%s.ffn.lin1", name),
        .down = parts_dense(parts, width, c->inner, true, "%s.ffn.lin2", name),
        .after_mlp = parts_norm(parts, width, false, eps, "%s.output_layer_norm", name),
        .rope = -1,
        .left = -1,
        .right = -1,
    };
}

static void head_find(struct parts *parts, const struct model *model,
                      struct transformer *distilbert) {
    const struct config *c = model->config;
    struct transformer_head *head = &distilbert->head;
    if (strcmp(model->task, "classification") == 0) {
        head->classifies = true;
        head->hidden = parts_dense(parts, c->width, c->width, true, "pre_classifier");
        head->act = SIMD_RELU;
        head->output = parts_dense(parts, c->labels, c->width, true, "classifier");
    } else if (strcmp(model->task, "masked-lm") == 0) {
        bool own = parts_has(parts, "vocab_projector.weight") || !c->tied;
        head->hidden = parts_dense(parts, c->width, c->width, true, "vocab_transform");
        head->act = distilbert->stack.act;
        head->norm = parts_norm(parts, c->width, false, eps, "vocab_layer_norm");
        head->output.weight =
            own ? parts_matrix(parts, c->vocab, c->width, "vocab_projector.weight")
                : distilbert->stack.words;
        head->output.bias = parts_vector(parts, c->vocab, "vocab_projector.bias");
    }
}

static void embeddings_find(struct parts *parts, const struct config *c, const char *prefix,
                            struct stack *stack) {
    stack->words =
        parts_matrix(parts, c->vocab, c->width, "%sembeddings.word_embeddings.weight", prefix);
    stack->positions = parts_matrix(parts, c->context, c->width,
                                    "%sembeddings.position_embeddings.weight", prefix);
    stack->embedded = parts_norm(parts, c->width, false, eps, "%sembeddings.LayerNorm", prefix);
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *distilbert = transformer_new(arena, c);
    struct stack *stack = &distilbert->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (config_classic(c, err) < 0 || config_only(c, "is_decoder", false, err) < 0 ||
        parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "embeddings.word_embeddings.weight");
    stack->order = BLOCK_POST;
    embeddings_find(&parts, c, prefix, stack);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *name =
            arena_printf(arena, "%stransformer.layer.%lld", prefix, (long long)l);
        block_find(&parts, c, name, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%stransformer.layer.%lld.ffn.lin2.weight", prefix,
               (long long)c->layers);
    head_find(&parts, model, distilbert);
    model->parts = distilbert;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch distilbert_arch = {
    .name = "distilbert",
    .summary = "DistilBERT encoders, with their masked-word and classifier heads",
    .sites = transformer_sites,
    .form = { .layers = "n_layers",
              .heads = "n_heads",
              .width = "dim",
              .inner = "hidden_dim",
              .context_of = 512,
              .has_pad = true,
              .act_name = "activation",
              .tied = true,
              .parts = "attention.q_lin attention.k_lin attention.v_lin attention.out_lin "
                       "sa_layer_norm ffn.lin1 ffn.lin2 output_layer_norm",
              .settings = "dim n_layers n_heads hidden_dim activation sinusoidal_pos_embds" },
    .open = open,
    .forward = transformer_forward,
};
