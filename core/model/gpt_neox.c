/* GPT-NeoX (Pythia): a decoder whose attention and feed-forward read the same stream, one layer
 * for queries, keys and values head by head, and rotary positions of a part of each head (Black
 * et al. 2022, arXiv:2204.06745). With or without the prefix "gpt_neox."; masks and frequencies
 * that old files hold are passed over. */

#include <string.h>

#include "core/model/transformer.h"

static const char *const prefixes[] = { "gpt_neox.", "", NULL };

/* What config.json says beside what all have. */
struct settings {
    bool parallel, biased;
};

static int settings_read(const struct config *c, struct settings *settings, struct rope *rope,
                         struct err *err) {
    *settings = (struct settings){ .parallel = true, .biased = true };
    return config_classic(c, err) < 0 ||
                   config_flag(c, "use_parallel_residual", NULL, &settings->parallel, err) <
                       0 ||
                   config_flag(c, "attention_bias", NULL, &settings->biased, err) < 0 ||
                   config_rope_part(c, "rotary_emb_base", "rotary_pct", 0.25, rope, err) < 0
               ? -1
               : 0;
}

static struct op_dense dense_find(struct parts *parts, bool biased, int64_t rows,
                                  int64_t columns, const char *name) {
    parts_agree(parts, biased, "attention_bias", "%s.bias", name);
    return parts_dense(parts, rows, columns, biased, "%s", name);
}

/* The rows of each head: its queries, its keys, its values. */
static struct attention_part attention_find(struct parts *parts, const struct config *c,
                                            bool biased, const char *name) {
    int64_t width = c->width, head = c->head_width;
    const char *all = arena_printf(parts->arena, "%s.query_key_value", name);
    const char *output = arena_printf(parts->arena, "%s.dense", name);
    return (struct attention_part){
        .query = dense_find(parts, biased, 3 * width, width, all),
        .at = { { .first = 0, .apart = 3 * head },
                { .first = head, .apart = 3 * head },
                { .first = 2 * head, .apart = 3 * head } },
        .output = dense_find(parts, biased, width, width, output),
    };
}

static void block_find(struct parts *parts, const struct config *c, bool biased,
                       const char *name, struct block *block) {
    int64_t width = c->width;
    const char *attention = arena_printf(parts->arena, "%s.attention", name);
    *block = (struct block){
        .before_attention = parts_norm(parts, width, false, c->eps, "%s.input_layernorm", name),
        .attention = attention_find(parts, c, biased, attention),
        .before_mlp =
            parts_norm(parts, width, false, c->eps, "%s.post_attention_layernorm", name),
        .up = parts_dense(parts, c->inner, width, true, "%s.mlp.dense_h_to_4h", name),
        .down = parts_dense(parts, width, c->inner, true, "%s.mlp.dense_4h_to_h", name),
        .left = -1,
        .right = -1,
    };
}

/* The head is called "embed_out", in newer files "lm_head". */
static void head_find(struct parts *parts, const struct model *model,
                      struct transformer *neox) {
    const struct config *c = model->config;
    if (strcmp(model->task, "classification") == 0) {
        neox->head = transformer_score(parts, c, c->width);
    } else if (strcmp(model->task, "causal-lm") == 0) {
        const char *name = parts_has(parts, "lm_head.weight") ? "lm_head" : "embed_out";
        bool own = parts_has(parts, "%s.weight", name) || !c->tied;
        neox->head.output.weight =
            own ? parts_matrix(parts, c->vocab, c->width, "%s.weight", name)
                : neox->stack.words;
    }
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *neox = transformer_new(arena, c);
    struct stack *stack = &neox->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    struct settings settings;
    if (settings_read(c, &settings, &stack->ropes[0], err) < 0 ||
        parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "embed_in.weight");
    stack->causal = true;
    stack->order = settings.parallel ? BLOCK_PARALLEL : BLOCK_PRE;
    stack->words = parts_matrix(&parts, c->vocab, c->width, "%sembed_in.weight", prefix);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *name = arena_printf(arena, "%slayers.%lld", prefix, (long long)l);
        block_find(&parts, c, settings.biased, name, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%slayers.%lld.input_layernorm.weight", prefix,
               (long long)c->layers);
    stack->final = parts_norm(&parts, c->width, false, c->eps, "%sfinal_layer_norm", prefix);
    head_find(&parts, model, neox);
    model->parts = neox;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch gpt_neox_arch = {
    .name = "gpt_neox",
    .summary = "GPT-NeoX and Pythia decoders",
    .causal = true,
    .sites = transformer_parallel_sites,
    .form = { .context_of = 2048,
              .parts = "input_layernorm attention.query_key_value attention.dense "
                       "post_attention_layernorm mlp.dense_h_to_4h mlp.dense_4h_to_h",
              .settings = "rotary_pct rotary_emb_base use_parallel_residual" },
    .open = open,
    .forward = transformer_forward,
};
