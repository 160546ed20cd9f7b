/* Llama: a decoder with RMS norms before each part, rotary positions, grouped-query attention
 * and a gated feed-forward (Touvron et al. 2023, arXiv:2302.13971). From Hugging Face folders
 * (with or without the prefix "model.") and GGUF files, whose query and key rows are permuted
 * so that rotary pairs are neighbours. */

#include <math.h>
#include <string.h>

#include "core/model/gguf.h"
#include "core/model/transformer.h"

/* What the parts are called; blocks are BLOCKS<number>.<part>. */
struct names {
    const char *words, *norm, *head, *blocks;
    const char *attention_norm, *mlp_norm;
    const char *query, *key, *value, *output, *gate, *up, *down;
};

#define HUGGING_FACE(prefix)                                                                  \
    {                                                                                         \
        .words = prefix "embed_tokens", .norm = prefix "norm", .head = "lm_head",             \
        .blocks = prefix "layers.", .attention_norm = "input_layernorm",                      \
        .mlp_norm = "post_attention_layernorm", .query = "self_attn.q_proj",                  \
        .key = "self_attn.k_proj", .value = "self_attn.v_proj", .output = "self_attn.o_proj", \
        .gate = "mlp.gate_proj", .up = "mlp.up_proj", .down = "mlp.down_proj"                 \
    }

static const struct names prefixed = HUGGING_FACE("model.");
static const struct names bare = HUGGING_FACE("");
static const struct names of_gguf = { .words = "token_embd",
                                      .norm = "output_norm",
                                      .head = "output",
                                      .blocks = "blk.",
                                      .attention_norm = "attn_norm",
                                      .mlp_norm = "ffn_norm",
                                      .query = "attn_q",
                                      .key = "attn_k",
                                      .value = "attn_v",
                                      .output = "attn_output",
                                      .gate = "ffn_gate",
                                      .up = "ffn_up",
                                      .down = "ffn_down" };

static void block_find(struct parts *parts, const struct config *c, const struct names *names,
                       int64_t layer, struct block *block) {
    const char *at = arena_printf(parts->arena, "%s%lld", names->blocks, (long long)layer);
    int64_t queries = c->heads * c->head_width, keys = c->kv_heads * c->head_width;
    *block = (struct block){
        .before_attention =
            parts_norm(parts, c->width, true, c->eps, "%s.%s", at, names->attention_norm),
        .before_mlp = parts_norm(parts, c->width, true, c->eps, "%s.%s", at, names->mlp_norm),
        .attention = {
            .query = parts_dense(parts, queries, c->width, false, "%s.%s", at, names->query),
            .key = parts_dense(parts, keys, c->width, false, "%s.%s", at, names->key),
            .value = parts_dense(parts, keys, c->width, false, "%s.%s", at, names->value),
            .output = parts_dense(parts, c->width, queries, false, "%s.%s", at, names->output),
        },
        .gate = parts_dense(parts, c->inner, c->width, false, "%s.%s", at, names->gate),
        .up = parts_dense(parts, c->inner, c->width, false, "%s.%s", at, names->up),
        .down = parts_dense(parts, c->width, c->inner, false, "%s.%s", at, names->down),
        .left = -1,
        .right = -1,
    };
}

static int scaling_refuse(const struct model *model, const char *kind, size_t length,
                          struct err *err) {
    char quoted[60];
    return err_set(
        err, ERR_UNSUPPORTED,
        "%s: rotary positions are scaled (%s), which is not known here; only unscaled "
        "ones are",
        model->path, err_quote(quoted, sizeof quoted, kind, length));
}

/* Scaled rotary positions would give plausible, wrong numbers, so they are refused. */
static int scaling_check(const struct model *model, struct err *err) {
    static const char *const places[] = { "rope_scaling", "rope_parameters" };
    const struct config *c = model->config;
    const char *kind;
    int64_t length;
    for (int i = 0; c->json && i < 2; i++) {
        const struct json *rope = json_at(c->json, places[i]);
        kind = json_text_at(rope, "rope_type", json_text_at(rope, "type", "default"));
        if (strcmp(kind, "default") != 0) {
            return scaling_refuse(model, kind, strlen(kind), err);
        }
    }
    const struct gguf *gguf = model->weights->gguf;
    if (gguf && gguf_string(gguf, "llama.rope.scaling.type", &kind, &length) &&
        !(length == 4 && memcmp(kind, "none", 4) == 0)) {
        return scaling_refuse(model, kind, (size_t)length, err);
    }
    if (gguf && weights_at(model->weights, "rope_freqs.weight")) {
        return scaling_refuse(model, "rope_freqs", strlen("rope_freqs"), err);
    }
    return 0;
}

/* What GGUF may say of a network that this file does not compute: llama.cpp's readers heed
 * these keys, so passing over one would give plausible, wrong numbers. */
static int keys_check(const struct model *model, struct err *err) {
    static const struct {
        const char *key;
        double most; /* 0 up to this value say nothing */
    } keys[] = {
        { "llama.rope.scale_linear", 1 },   { "llama.rope.scaling.factor", 1 },
        { "llama.expert_count", 0 },        { "llama.attention.scale", 0 },
        { "llama.attention.clamp_kqv", 0 }, { "llama.attention.sliding_window", 0 },
        { "llama.logit_scale", 0 },         { "llama.residual_scale", 0 },
        { "llama.embedding_scale", 0 },
    };
    const struct gguf *gguf = model->weights->gguf;
    bool causal = true;
    for (size_t i = 0; gguf && i < sizeof keys / sizeof *keys; i++) {
        double value = NAN;
        int64_t whole;
        if (gguf_int(gguf, keys[i].key, &whole)) {
            value = (double)whole;
        } else {
            gguf_float(gguf, keys[i].key, &value);
        }
        if (gguf_kind(gguf, keys[i].key) && value != 0 && value != keys[i].most) {
            return err_set(err, ERR_UNSUPPORTED, "%s: %s is %g, which is not known here",
                           model->path, keys[i].key, value);
        }
    }
    if (gguf && gguf_bool(gguf, "llama.attention.causal", &causal) && !causal) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: llama.attention.causal is false; only causal attention is known",
                       model->path);
    }
    return 0;
}

static int settings_check(const struct model *model, struct err *err) {
    const struct config *c = model->config;
    int64_t turned = c->head_width;
    if (model->weights->gguf) {
        gguf_int(model->weights->gguf, "llama.rope.dimension_count", &turned);
    }
    if (turned != c->head_width || c->head_width % 2) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: %lld of a head's %lld numbers are turned by rotary positions; all, an "
            "even count, is what is known",
            model->path, (long long)turned, (long long)c->head_width);
    }
    if (c->kv_heads < 1 || c->heads % c->kv_heads) {
        return err_set(err, ERR_FORMAT,
                       "%s: %lld heads do not share %lld key-value heads evenly", model->path,
                       (long long)c->heads, (long long)c->kv_heads);
    }
    return scaling_check(model, err) < 0 ? -1 : keys_check(model, err);
}

/* Only a language model has a head of words: a bare network has none, nor has one with a
 * classifier, whose own head is not computed here. */
static void head_find(struct parts *parts, const struct model *model, const struct names *names,
                      struct transformer *llama) {
    const struct config *c = model->config;
    if (strcmp(model->task, "causal-lm") != 0) {
        return;
    }
    bool own = parts_has(parts, "%s.weight", names->head);
    llama->head.output.weight =
        own || !c->tied ? parts_matrix(parts, c->vocab, c->width, "%s.weight", names->head)
                        : llama->stack.words;
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *llama = transformer_new(arena, c);
    struct stack *stack = &llama->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (settings_check(model, err) < 0 || parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const struct names *names = &of_gguf;
    if (!model->weights->gguf) {
        names = parts_has(&parts, "model.embed_tokens.weight") ? &prefixed : &bare;
    }
    stack->causal = true;
    stack->ropes[0] = c->rope;
    stack->ropes[0].adjacent = model->weights->gguf != NULL;
    stack->words = parts_matrix(&parts, c->vocab, c->width, "%s.weight", names->words);
    stack->final = parts_norm(&parts, c->width, true, c->eps, "%s", names->norm);
    for (int64_t l = 0; l < c->layers; l++) {
        block_find(&parts, c, names, l, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%s%lld.%s.weight", names->blocks, (long long)c->layers,
               names->down);
    head_find(&parts, model, names, llama);
    model->parts = llama;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch llama_arch = {
    .name = "llama",
    .summary = "Llama and its kin (SmolLM2), from Hugging Face folders and GGUF",
    .causal = true,
    .sites = transformer_sites,
    .form = { .context_of = 2048,
              .eps_name = "rms_norm_eps",
              .eps_gguf = "attention.layer_norm_rms_epsilon",
              .eps = 1e-6,
              .act = "silu" },
    .open = open,
    .forward = transformer_forward,
};
