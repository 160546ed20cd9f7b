/* Llama: a decoder with RMS norms before each part, rotary positions, grouped-query attention
 * and a gated feed-forward (Touvron et al. 2023, arXiv:2302.13971). From Hugging Face folders
 * (with or without the prefix "model.") and GGUF files, whose query and key rows are permuted
 * so that rotary pairs are neighbours. */

#include <math.h>
#include <string.h>

#include "core/model/gguf.h"
#include "core/model/model.h"
#include "core/model/parts.h"

struct block {
    const float *attention_norm, *mlp_norm;
    struct dense query, key, value, output;
    struct dense gate, up, down;
};

struct llama {
    const struct tensor *words, *head; /* head NULL: the bare network */
    const float *norm;
    struct block *blocks;
    enum simd_act act;
    bool adjacent; /* rotary pairs are neighbours */
};

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
    block->attention_norm =
        parts_vector(parts, c->width, "%s.%s.weight", at, names->attention_norm);
    block->mlp_norm = parts_vector(parts, c->width, "%s.%s.weight", at, names->mlp_norm);
    block->query = parts_dense(parts, queries, c->width, false, "%s.%s", at, names->query);
    block->key = parts_dense(parts, keys, c->width, false, "%s.%s", at, names->key);
    block->value = parts_dense(parts, keys, c->width, false, "%s.%s", at, names->value);
    block->output = parts_dense(parts, c->width, queries, false, "%s.%s", at, names->output);
    block->gate = parts_dense(parts, c->inner, c->width, false, "%s.%s", at, names->gate);
    block->up = parts_dense(parts, c->inner, c->width, false, "%s.%s", at, names->up);
    block->down = parts_dense(parts, c->width, c->inner, false, "%s.%s", at, names->down);
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
                      struct llama *llama) {
    const struct config *c = model->config;
    if (strcmp(model->task, "causal-lm") != 0) {
        return;
    }
    bool own = parts_has(parts, "%s.weight", names->head);
    llama->head = own || !c->tied
                      ? parts_matrix(parts, c->vocab, c->width, "%s.weight", names->head)
                      : llama->words;
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct llama *llama = arena_alloc(arena, sizeof *llama);
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (settings_check(model, err) < 0 || parts_act(c->activation, &llama->act, err) < 0) {
        return err_pass(err);
    }
    const struct names *names = &of_gguf;
    if (!model->weights->gguf) {
        names = parts_has(&parts, "model.embed_tokens.weight") ? &prefixed : &bare;
    }
    llama->adjacent = model->weights->gguf != NULL;
    llama->words = parts_matrix(&parts, c->vocab, c->width, "%s.weight", names->words);
    llama->norm = parts_vector(&parts, c->width, "%s.weight", names->norm);
    llama->blocks = arena_array(arena, c->layers, sizeof *llama->blocks);
    for (int64_t l = 0; l < c->layers; l++) {
        block_find(&parts, c, names, l, &llama->blocks[l]);
    }
    parts_none(&parts, c->layers, "%s%lld.%s.weight", names->blocks, (long long)c->layers,
               names->down);
    head_find(&parts, model, names, llama);
    model->parts = llama;
    return parts.failed ? err_pass(err) : 0;
}

/* ---- forward; tensors are [B T, ...] ---- */

static struct tensor *attend(const struct model *model, struct pass *pass, int64_t layer,
                             const struct op_rope_angles *angles, const struct tensor *x) {
    const struct llama *llama = model->parts;
    const struct config *c = model->config;
    const struct block *block = &llama->blocks[layer];
    struct tape *tape = pass->tape;
    struct op_attention how = { .batch = pass->batch,
                                .tokens = pass->tokens,
                                .heads = c->heads,
                                .groups = c->kv_heads,
                                .width = c->head_width,
                                .scale = 1.0F / sqrtf((float)c->head_width),
                                .causal = true,
                                .mask = pass->mask };
    struct simd_finish none = { 0 };
    struct tensor *normed = op_norm_rms(tape, x, block->attention_norm, c->eps);
    struct tensor *q = op_rope(tape, parts_run(tape, &block->query, normed, none), angles);
    struct tensor *k = op_rope(tape, parts_run(tape, &block->key, normed, none), angles);
    struct tensor *v = parts_run(tape, &block->value, normed, none);
    struct tensor *pattern =
        visit_place(pass, SITE_ATTENTION, layer, 4,
                    (int64_t[]){ pass->batch, c->heads, pass->tokens, pass->tokens });
    struct tensor *mixed = op_attention(tape, q, k, v, &how, pattern);
    if (pattern) {
        visit(pass, SITE_ATTENTION, layer, pattern);
    }
    return parts_run(tape, &block->output, mixed, (struct simd_finish){ .residual = x->data });
}

static struct tensor *feed(const struct model *model, struct pass *pass, int64_t layer,
                           const struct tensor *x) {
    const struct llama *llama = model->parts;
    const struct block *block = &llama->blocks[layer];
    struct tape *tape = pass->tape;
    struct tensor *normed = op_norm_rms(tape, x, block->mlp_norm, model->config->eps);
    struct tensor *up = parts_run(tape, &block->up, normed, (struct simd_finish){ 0 });
    struct tensor *gated =
        parts_run(tape, &block->gate, normed,
                  (struct simd_finish){ .act = llama->act, .factor = up->data });
    return parts_run(tape, &block->down, gated, (struct simd_finish){ .residual = x->data });
}

static void end(const struct model *model, struct pass *pass, const struct tensor *stream) {
    const struct llama *llama = model->parts;
    const struct config *c = model->config;
    if (!visit_wants(pass, SITE_FINAL) && !visit_wants(pass, SITE_LOGITS)) {
        return;
    }
    struct tensor *last = op_norm_rms(pass->tape, stream, llama->norm, c->eps);
    visit_rows(pass, SITE_FINAL, 0, last);
    if (llama->head && visit_wants(pass, SITE_LOGITS)) {
        struct tensor *logits = visit_place(pass, SITE_LOGITS, 0, 3,
                                            (int64_t[]){ pass->batch, pass->tokens, c->vocab });
        op_linear(pass->tape, last, llama->head, NULL, logits);
        visit(pass, SITE_LOGITS, 0, logits);
    }
}

static int forward(const struct model *model, struct pass *pass, struct err *err) {
    const struct llama *llama = model->parts;
    const struct config *c = model->config;
    struct tape *tape = pass->tape;
    struct op_rope_angles *angles =
        op_rope_angles(tape, pass->tokens, c->head_width, c->rope_base, llama->adjacent);
    struct tensor *stream = op_embed(tape, llama->words, pass->ids, pass->batch * pass->tokens);
    visit_rows(pass, SITE_EMBED, 0, stream);
    for (int64_t l = 0; l < c->layers; l++) {
        visit_rows(pass, SITE_RESIDUAL, l, stream);
        struct arena_mark mark = arena_mark(tape->arena);
        struct tensor *next = feed(model, pass, l, attend(model, pass, l, angles, stream));
        memcpy(stream->data, next->data, (size_t)tensor_bytes(stream));
        arena_rewind(tape->arena, mark);
    }
    visit_rows(pass, SITE_RESIDUAL, c->layers, stream);
    end(model, pass, stream);
    (void)err; /* nothing here can fail: open has checked it */
    return 0;
}

static const enum site sites[] = { SITE_EMBED, SITE_RESIDUAL, SITE_ATTENTION,
                                   SITE_FINAL, SITE_LOGITS,   SITE_COUNT };

const struct arch llama_arch = {
    .name = "llama",
    .summary = "Llama and its kin (SmolLM2), from Hugging Face folders and GGUF",
    .causal = true,
    .sites = sites,
    .open = open,
    .forward = forward,
};
