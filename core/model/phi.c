/* Phi (1, 1.5, 2): a decoder whose attention and feed-forward read the same normed stream, with
 * rotary positions of a part of each head and biases everywhere (Li et al. 2023,
 * arXiv:2309.05463). With or without the prefix "model.". */

#include <string.h>

#include "core/model/transformer.h"

static const char *const prefixes[] = { "model.", "", NULL };

static struct attention_part attention_find(struct parts *parts, const struct config *c,
                                            bool normed, const char *name) {
    int64_t queries = c->heads * c->head_width, keys = c->kv_heads * c->head_width;
    struct attention_part part = {
        .query = parts_dense(parts, queries, c->width, true, "%s.q_proj", name),
        .key = parts_dense(parts, keys, c->width, true, "%s.k_proj", name),
        .value = parts_dense(parts, keys, c->width, true, "%s.v_proj", name),
        .output = parts_dense(parts, c->width, queries, true, "%s.dense", name),
    };
    parts_agree(parts, normed, "qk_layernorm", "%s.q_layernorm.weight", name);
    if (normed) {
        part.query_norm =
            parts_norm(parts, c->head_width, false, c->eps, "%s.q_layernorm", name);
        part.key_norm = parts_norm(parts, c->head_width, false, c->eps, "%s.k_layernorm", name);
    }
    return part;
}

static void block_find(struct parts *parts, const struct config *c, bool normed,
                       const char *name, struct block *block) {
    int64_t width = c->width;
    const char *attention = arena_printf(parts->arena, "%s.self_attn", name);
    *block = (struct block){
        .before_attention = parts_norm(parts, width, false, c->eps, "%s.input_layernorm", name),
        .attention = attention_find(parts, c, normed, attention),
        .up = parts_dense(parts, c->inner, width, true, "%s.mlp.fc1", name),
        .down = parts_dense(parts, width, c->inner, true, "%s.mlp.fc2", name),
        .left = -1,
        .right = -1,
    };
}

static void head_find(struct parts *parts, const struct model *model, struct transformer *phi) {
    const struct config *c = model->config;
    if (strcmp(model->task, "classification") == 0) {
        phi->head = transformer_score(parts, c, c->width);
    } else if (strcmp(model->task, "causal-lm") == 0) {
        bool own = parts_has(parts, "lm_head.weight") || !c->tied;
        phi->head.output.weight =
            own ? parts_matrix(parts, c->vocab, c->width, "lm_head.weight") : phi->stack.words;
        phi->head.output.bias = parts_vector(parts, c->vocab, "lm_head.bias");
    }
}

static int settings_read(const struct config *c, bool *normed, struct rope *rope,
                         struct err *err) {
    if (!c->json) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: Phi is read from Hugging Face folders, not from GGUF", c->file);
    }
    if (config_flag(c, "qk_layernorm", NULL, normed, err) < 0 ||
        config_rope_part(c, "rope_theta", "partial_rotary_factor", 0.5, rope, err) < 0) {
        return -1;
    }
    if (rope->span % 2) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: rotary positions turn %lld of a head's %lld numbers; in Phi an even "
            "count",
            c->file, (long long)rope->span, (long long)c->head_width);
    }
    return 0;
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *phi = transformer_new(arena, c);
    struct stack *stack = &phi->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    bool normed = false;
    if (settings_read(c, &normed, &stack->ropes[0], err) < 0 ||
        parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "embed_tokens.weight");
    stack->causal = true;
    stack->order = BLOCK_PARALLEL;
    stack->words = parts_matrix(&parts, c->vocab, c->width, "%sembed_tokens.weight", prefix);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *name = arena_printf(arena, "%slayers.%lld", prefix, (long long)l);
        block_find(&parts, c, normed, name, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%slayers.%lld.input_layernorm.weight", prefix,
               (long long)c->layers);
    stack->final = parts_norm(&parts, c->width, false, c->eps, "%sfinal_layernorm", prefix);
    head_find(&parts, model, phi);
    model->parts = phi;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch phi_arch = {
    .name = "phi",
    .summary = "Phi-1, Phi-1.5 and Phi-2 decoders",
    .causal = true,
    .sites = transformer_parallel_sites,
    .form = { .context_of = 2048,
              .act = "gelu_new",
              .parts = "input_layernorm self_attn.q_proj self_attn.k_proj self_attn.v_proj "
                       "self_attn.dense mlp.fc1 mlp.fc2",
              .settings = "qk_layernorm" },
    .open = open,
    .forward = transformer_forward,
};
