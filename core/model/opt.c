/* OPT: a decoder with learned positions, which begin at row 2, and ReLU (Zhang et al. 2022,
 * arXiv:2205.01068). Its norms stand before each part or (opt-350m) after it; words may be
 * narrower than the stream. The prefix is "model.decoder.", "decoder." or none. */

#include <string.h>

#include "core/model/transformer.h"

enum { FIRST_POSITION = 2 };

static const char *const prefixes[] = { "model.decoder.", "decoder.", "", NULL };
static const double eps = 1e-5; /* no configuration says it */

/* What config.json says beside what all have. */
struct settings {
    bool norm_before, no_final, biased, affine;
    int64_t words_width;
};

static int settings_read(const struct config *c, struct settings *settings, struct err *err) {
    *settings = (struct settings){
        .norm_before = true, .biased = true, .affine = true, .words_width = c->width
    };
    return config_classic(c, err) < 0 ||
                   config_flag(c, "do_layer_norm_before", NULL, &settings->norm_before, err) <
                       0 ||
                   config_flag(c, "_remove_final_layer_norm", NULL, &settings->no_final, err) <
                       0 ||
                   config_flag(c, "enable_bias", NULL, &settings->biased, err) < 0 ||
                   config_flag(c, "layer_norm_elementwise_affine", NULL, &settings->affine,
                               err) < 0 ||
                   config_whole(c, "word_embed_proj_dim", NULL, 1, 1 << 20,
                                &settings->words_width, err) < 0
               ? -1
               : 0;
}

static struct op_norm norm_find(struct parts *parts, const struct settings *settings,
                                int64_t width, const char *at, const char *name) {
    parts_agree(parts, settings->affine, "layer_norm_elementwise_affine", "%s%s.weight", at,
                name);
    return settings->affine ? parts_norm(parts, width, false, eps, "%s%s", at, name)
                            : parts_norm_plain(parts, width, false, eps);
}

static struct op_dense dense_find(struct parts *parts, const struct settings *settings,
                                  int64_t rows, int64_t columns, const char *at,
                                  const char *name) {
    parts_agree(parts, settings->biased, "enable_bias", "%s%s.bias", at, name);
    return parts_dense(parts, rows, columns, settings->biased, "%s%s", at, name);
}

static void block_find(struct parts *parts, const struct config *c,
                       const struct settings *settings, const char *at, struct block *block) {
    int64_t width = c->width;
    struct op_norm first = norm_find(parts, settings, width, at, "self_attn_layer_norm");
    struct op_norm second = norm_find(parts, settings, width, at, "final_layer_norm");
    *block = (struct block){
        .attention = {
            .query = dense_find(parts, settings, width, width, at, "self_attn.q_proj"),
            .key = dense_find(parts, settings, width, width, at, "self_attn.k_proj"),
            .value = dense_find(parts, settings, width, width, at, "self_attn.v_proj"),
            .output = dense_find(parts, settings, width, width, at, "self_attn.out_proj"),
        },
        .up = dense_find(parts, settings, c->inner, width, at, "fc1"),
        .down = dense_find(parts, settings, width, c->inner, at, "fc2"),
        .rope = -1,
        .left = -1,
        .right = -1,
    };
    *(settings->norm_before ? &block->before_attention : &block->after_attention) = first;
    *(settings->norm_before ? &block->before_mlp : &block->after_mlp) = second;
}

static void embeddings_find(struct parts *parts, const struct config *c, const char *prefix,
                            int64_t words_width, struct stack *stack) {
    stack->words = parts_matrix(parts, c->vocab, words_width, "%sembed_tokens.weight", prefix);
    stack->positions = parts_matrix(parts, c->context + FIRST_POSITION, c->width,
                                    "%sembed_positions.weight", prefix);
    stack->first_position = FIRST_POSITION;
    stack->count_mask = true;
    if (words_width != c->width) {
        stack->into = parts_dense(parts, c->width, words_width, false, "%sproject_in", prefix);
        stack->out_of =
            parts_dense(parts, words_width, c->width, false, "%sproject_out", prefix);
    }
}

static void head_find(struct parts *parts, const struct model *model, int64_t words_width,
                      struct transformer *opt) {
    const struct config *c = model->config;
    if (strcmp(model->task, "classification") == 0) {
        opt->head = transformer_score(parts, c, words_width);
    } else if (strcmp(model->task, "causal-lm") == 0) {
        bool own = parts_has(parts, "lm_head.weight") || !c->tied;
        opt->head.output.weight =
            own ? parts_matrix(parts, c->vocab, words_width, "lm_head.weight")
                : opt->stack.words;
    }
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *opt = transformer_new(arena, c);
    struct stack *stack = &opt->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    struct settings settings;
    if (settings_read(c, &settings, err) < 0 ||
        parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "embed_tokens.weight");
    stack->causal = true;
    stack->order = settings.norm_before ? BLOCK_PRE : BLOCK_POST;
    embeddings_find(&parts, c, prefix, settings.words_width, stack);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *at = arena_printf(arena, "%slayers.%lld.", prefix, (long long)l);
        block_find(&parts, c, &settings, at, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%slayers.%lld.fc2.weight", prefix, (long long)c->layers);
    if (settings.norm_before && !settings.no_final) {
        stack->final = norm_find(&parts, &settings, c->width, prefix, "final_layer_norm");
    }
    head_find(&parts, model, settings.words_width, opt);
    model->parts = opt;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch opt_arch = {
    .name = "opt",
    .summary = "OPT decoders of every size",
    .causal = true,
    .sites = transformer_sites,
    .form = { .inner = "ffn_dim",
              .context_of = 2048,
              .has_pad = true,
              .pad = 1,
              .act_name = "activation_function",
              .act = "relu",
              .tied = true,
              .parts = "self_attn_layer_norm self_attn.q_proj self_attn.k_proj "
                       "self_attn.v_proj self_attn.out_proj final_layer_norm fc1 fc2",
              .settings = "ffn_dim word_embed_proj_dim do_layer_norm_before "
                          "activation_function enable_bias layer_norm_elementwise_affine" },
    .open = open,
    .forward = transformer_forward,
};
