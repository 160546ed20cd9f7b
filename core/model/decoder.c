#include "core/model/decoder.h"

#include <math.h>
#include <string.h>

#include "core/model/gguf.h"

enum { WINDOW_MOST = 1 << 26 /* tokens */ };

/* What the parts are called; blocks are BLOCKS<number>.<part>. Norms before a part stand at
 * another name where there are norms after it, too. */
struct names {
    const char *words, *norm, *head, *blocks;
    const char *attention_norm, *mlp_norm;
    const char *after_attention, *before_mlp, *after_mlp; /* of a sandwich */
    const char *query, *key, *value, *output, *query_norm, *key_norm;
    const char *gate, *up, *down;
};

#define HUGGING_FACE(prefix, head_name)                                                        \
    {                                                                                          \
        .words = prefix "embed_tokens", .norm = prefix "norm", .head = head_name,              \
        .blocks = prefix "layers.", .attention_norm = "input_layernorm",                       \
        .mlp_norm = "post_attention_layernorm", .after_attention = "post_attention_layernorm", \
        .before_mlp = "pre_feedforward_layernorm", .after_mlp = "post_feedforward_layernorm",  \
        .query = "self_attn.q_proj", .key = "self_attn.k_proj", .value = "self_attn.v_proj",   \
        .output = "self_attn.o_proj", .query_norm = "self_attn.q_norm",                        \
        .key_norm = "self_attn.k_norm", .gate = "mlp.gate_proj", .up = "mlp.up_proj",          \
        .down = "mlp.down_proj"                                                                \
    }

/* Whole models, bare ones, and the text half of those that also see pictures. */
static const struct names of_folders[] = {
    HUGGING_FACE("model.", "lm_head"),
    HUGGING_FACE("", "lm_head"),
    HUGGING_FACE("language_model.model.", "language_model.lm_head"),
    HUGGING_FACE("model.language_model.", "lm_head"),
};

static const struct names of_gguf = { .words = "token_embd",
                                      .norm = "output_norm",
                                      .head = "output",
                                      .blocks = "blk.",
                                      .attention_norm = "attn_norm",
                                      .mlp_norm = "ffn_norm",
                                      .after_attention = "post_attention_norm",
                                      .before_mlp = "ffn_norm",
                                      .after_mlp = "post_ffw_norm",
                                      .query = "attn_q",
                                      .key = "attn_k",
                                      .value = "attn_v",
                                      .output = "attn_output",
                                      .query_norm = "attn_q_norm",
                                      .key_norm = "attn_k_norm",
                                      .gate = "ffn_gate",
                                      .up = "ffn_up",
                                      .down = "ffn_down" };

/* All that is looked at while weights are found. */
struct finder {
    struct parts parts;
    const struct config *config;
    const struct decoder *how;
    const struct names *names;
    const char *at; /* the block: "model.layers.3" */
};

static const struct names *names_of(struct parts *parts, const struct config *config) {
    enum { FORMS = sizeof of_folders / sizeof *of_folders };
    for (int i = 0; !config->gguf && i < FORMS; i++) {
        if (parts_has(parts, "%s.weight", of_folders[i].words)) {
            return &of_folders[i];
        }
    }
    return config->gguf ? &of_gguf : &of_folders[0];
}

static struct op_dense dense(struct finder *f, int64_t rows, int64_t columns, bool biased,
                             const char *name) {
    if (f->config->gguf) {
        return parts_dense(&f->parts, rows, columns, biased, "%s.%s", f->at, name);
    }
    struct op_dense dense = { .weight = parts_matrix(&f->parts, rows, columns, "%s.%s.weight",
                                                     f->at, name) };
    dense.bias = biased ? parts_vector(&f->parts, rows, "%s.%s.bias", f->at, name) : NULL;
    return dense;
}

/* `at` NULL: the name is whole. */
static struct op_norm norm(struct finder *f, int64_t n, const char *at, const char *name) {
    const struct tensor *gain =
        parts_vector(&f->parts, n, "%s%s%s.weight", at ? at : "", at ? "." : "", name);
    struct op_norm norm = { .gain = gain, .rms = true, .eps = f->config->eps };
    if (gain && f->how->from_one && !f->config->gguf) {
        struct tensor *more = tensor_new(f->parts.arena, 1, &n);
        for (int64_t i = 0; i < n; i++) {
            more->data[i] = 1 + gain->data[i];
        }
        more->name = gain->name; /* its gradient is that of the file's tensor */
        norm.gain = more;
    }
    return norm;
}

static struct attention_part attention_find(struct finder *f) {
    const struct config *c = f->config;
    const struct decoder *how = f->how;
    const struct names *names = f->names;
    int64_t queries = c->heads * c->head_width, keys = c->kv_heads * c->head_width;
    struct attention_part part = {
        .query = dense(f, queries, c->width, how->qkv_biased, names->query),
        .key = dense(f, keys, c->width, how->qkv_biased, names->key),
        .value = dense(f, keys, c->width, how->qkv_biased, names->value),
        .output = dense(f, c->width, queries, how->output_biased, names->output),
    };
    if (how->head_norms) {
        part.query_norm = norm(f, c->head_width, f->at, names->query_norm);
        part.key_norm = norm(f, c->head_width, f->at, names->key_norm);
    }
    return part;
}

static void block_find(struct finder *f, int64_t layer, struct block *block) {
    const struct config *c = f->config;
    const struct names *names = f->names;
    bool sandwich = f->how->sandwich, biased = f->how->mlp_biased;
    f->at = arena_printf(f->parts.arena, "%s%lld", names->blocks, (long long)layer);
    *block = (struct block){
        .before_attention = norm(f, c->width, f->at, names->attention_norm),
        .attention = attention_find(f),
        .before_mlp = norm(f, c->width, f->at, sandwich ? names->before_mlp : names->mlp_norm),
        .gate = dense(f, c->inner, c->width, biased, names->gate),
        .up = dense(f, c->inner, c->width, biased, names->up),
        .down = dense(f, c->width, c->inner, biased, names->down),
        .left = -1,
        .right = -1,
    };
    if (sandwich) {
        block->after_attention = norm(f, c->width, f->at, names->after_attention);
        block->after_mlp = norm(f, c->width, f->at, names->after_mlp);
    }
}

/* A bare network has no head; a file's own head counts even where the configuration says that
 * it is the embedding, as in transformers 5. */
static void head_find(struct finder *f, const struct model *model, struct transformer *t) {
    const struct config *c = f->config;
    if (c->labels > 0) {
        t->head = transformer_score(&f->parts, c, c->width);
    } else if (strcmp(model->task, "causal-lm") == 0) {
        bool own = parts_has(&f->parts, "%s.weight", f->names->head);
        t->head.output.weight = own || !c->tied ? parts_matrix(&f->parts, c->vocab, c->width,
                                                               "%s.weight", f->names->head)
                                                : t->stack.words;
    }
}

/* ---- what GGUF may ask for ---- */

/* Keys that llama.cpp's readers, or other architectures', heed and nothing here computes, with
 * the value (beside 0) that says nothing. */
static const struct {
    const char *key;
    double nothing;
} odd_keys[] = {
    { ".expert_count", 0 },
    { ".expert_used_count", 0 },
    { ".expert_shared_count", 0 },
    { ".use_parallel_residual", 0 },
    { ".logit_scale", 1 },
    { ".residual_scale", 1 },
    { ".embedding_scale", 1 },
    { ".attn_logit_softcapping", 0 },
    { ".router_logit_softcapping", 0 },
    { ".activation_sparsity_scale", 0 },
    { ".altup.num_inputs", 0 },
    { ".embedding_length_per_layer_input", 0 },
    { ".n_deepstack_layers", 0 },
    { ".nextn_predict_layers", 0 },
    { ".leading_dense_block_count", 0 },
    { ".full_attention_interval", 0 },
    { ".swin_norm", 0 },
    { ".attention.max_alibi_bias", 0 },
    { ".attention.clamp_kqv", 0 },
    { ".attention.output_scale", 1 },
    { ".attention.temperature_length", 0 },
    { ".attention.temperature_scale", 0 },
    { ".attention.shared_kv_layers", 0 },
    { ".attention.q_lora_rank", 0 },
    { ".attention.kv_lora_rank", 0 },
    { ".rope.dimension_sections", 0 },
    { ".rope.scaling.alpha", 0 },
    { ".rope.scaling.yarn_log_multiplier", 0 },
    { ".rope.scaling.yarn_ext_factor", 1 },
};

/* A key's number, a flag's too; NAN for anything else. False if there is no such key. */
static bool key_number(const struct config *c, const char *key, double *value) {
    int64_t whole;
    bool flag;
    const char *name = arena_printf(c->arena, "%s%s", c->gguf_type, key);
    if (!gguf_kind(c->gguf, name)) {
        return false;
    }
    *value = NAN;
    if (gguf_int(c->gguf, name, &whole)) {
        *value = (double)whole;
    } else if (gguf_bool(c->gguf, name, &flag)) {
        *value = flag;
    } else {
        gguf_float(c->gguf, name, value);
    }
    return true;
}

static int key_refuse(const struct config *c, const char *key, double value, struct err *err) {
    return err_set(err, ERR_UNSUPPORTED, "%s: %s%s is %g, which is not known here for %s",
                   c->file, c->gguf_type, key, value, c->type);
}

/* Keys that may only repeat what the network has, or be 0, which says nothing. */
static int same_check(const struct config *c, const char *key, double wanted, struct err *err) {
    double value;
    if (key_number(c, key, &value) && value != 0 && !(fabs(value - wanted) <= 1e-5 * wanted)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: %s%s is %g; only %g can be computed for this %s", c->file,
                       c->gguf_type, key, value, wanted, c->type);
    }
    return 0;
}

static int keys_check(const struct config *c, const struct decoder *how, struct err *err) {
    double value, width = (double)c->head_width;
    if (!key_number(c, ".attention.layer_norm_rms_epsilon", &value)) {
        return err_set(err, ERR_FORMAT,
                       "%s: %s.attention.layer_norm_rms_epsilon is missing; it differs from "
                       "model to model, so it cannot be guessed",
                       c->file, c->gguf_type);
    }
    for (size_t i = 0; i < sizeof odd_keys / sizeof *odd_keys; i++) {
        bool read = how->capped && strcmp(odd_keys[i].key, ".attn_logit_softcapping") == 0;
        if (!read && key_number(c, odd_keys[i].key, &value) && value != 0 &&
            value != odd_keys[i].nothing) {
            return key_refuse(c, odd_keys[i].key, value, err);
        }
    }
    if (key_number(c, ".attention.causal", &value) && value == 0) {
        return key_refuse(c, ".attention.causal", value, err);
    }
    if (same_check(c, ".attention.scale", 1 / sqrt(width), err) < 0 ||
        same_check(c, ".attention.value_length", width, err) < 0 ||
        same_check(c, ".attention.key_length_swa", width, err) < 0 ||
        same_check(c, ".attention.value_length_swa", width, err) < 0 ||
        same_check(c, ".rope.dimension_count_swa", (double)c->rope.width, err) < 0) {
        return -1;
    }
    return 0;
}

/* The part's name in a block, if a GGUF file of this architecture has such a part. */
static bool is_part(const struct finder *f, const char *name) {
    const struct names *n = f->names;
    const char *const layers[] = { n->query, n->key, n->value, n->output,
                                   n->gate,  n->up,  n->down };
    const char *const norms[] = { n->attention_norm, n->mlp_norm };
    const char *const head_norms[] = { n->query_norm, n->key_norm };
    const char *const after[] = { n->after_attention, n->after_mlp };
    size_t length = strcspn(name, ".");
    bool bias = strcmp(name + length, ".bias") == 0;
    if (!bias && strcmp(name + length, ".weight") != 0) {
        return false;
    }
#define AMONG(list, when)                                                           \
    for (size_t i = 0; (when) && i < sizeof(list) / sizeof *(list); i++) {          \
        if (strlen((list)[i]) == length && strncmp((list)[i], name, length) == 0) { \
            return true;                                                            \
        }                                                                           \
    }
    AMONG(layers, true)
    AMONG(norms, !bias)
    AMONG(head_norms, !bias && f->how->head_norms)
    AMONG(after, !bias && f->how->sandwich)
#undef AMONG
    return false;
}

/* A tensor that would not be read makes another network; llama.cpp does not open such files
 * either. */
static int tensors_check(const struct finder *f, struct err *err) {
    static const char *const others[] = { "token_embd.weight", "output_norm.weight",
                                          "output.weight" };
    const struct weights *weights = f->parts.weights;
    for (int64_t i = 0; i < weights->count; i++) {
        const char *name = weights->tensors[i].name;
        bool known = f->how->factors && strcmp(name, "rope_freqs.weight") == 0;
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
            known = known || strcmp(name, others[k]) == 0;
        }
        if (!known && strncmp(name, "blk.", 4) == 0) {
            const char *part = name + 4 + strspn(name + 4, "0123456789");
            known = *part == '.' && is_part(f, part + 1);
        }
        if (!known) {
            return err_set(err, ERR_UNSUPPORTED,
                           "%s: the tensor %s is no part of %s as it is known here",
                           weights->path, name, f->config->type);
        }
    }
    return 0;
}

/* ---- opening ---- */

static int settings_check(const struct config *c, const struct decoder *how, struct err *err) {
    if (!how->two_ropes && c->rope.by_layer) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: rope_parameters differ from layer to layer, which is not known here "
            "for %s",
            c->file, c->type);
    }
    if (c->rope.width % 2 || (!c->gguf && c->rope.width != c->head_width)) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: %lld of a head's %lld numbers are turned by rotary positions; %s is "
            "what is known for %s",
            c->file, (long long)c->rope.width, (long long)c->head_width,
            c->gguf ? "an even count" : "all, an even count,", c->type);
    }
    return c->gguf ? keys_check(c, how, err) : 0;
}

static void factors_find(struct finder *f, struct rope *rope) {
    if (f->config->gguf && f->how->factors && parts_has(&f->parts, "rope_freqs.weight")) {
        const struct tensor *factors =
            parts_vector(&f->parts, rope->width / 2, "rope_freqs.weight");
        rope->factors = factors ? factors->data : NULL;
    }
    for (int64_t i = 0; rope->factors && !f->parts.failed && i < rope->width / 2; i++) {
        if (!(rope->factors[i] > 0)) {
            err_set(f->parts.err, ERR_FORMAT,
                    "%s: rope_freqs.weight holds %g; frequencies are divided by it, so it must "
                    "be positive",
                    f->config->file, (double)rope->factors[i]);
            f->parts.failed = true;
        }
    }
}

struct transformer *decoder_open(struct arena *arena, struct model *model,
                                 const struct decoder *how, struct err *err) {
    const struct config *c = model->config;
    struct transformer *t = transformer_new(arena, c);
    struct stack *stack = &t->stack;
    struct finder f = { .parts = { .arena = arena, .weights = model->weights, .err = err },
                        .config = c,
                        .how = how };
    f.names = names_of(&f.parts, c);
    model->parts = t;
    if (settings_check(c, how, err) < 0 || parts_act(c->activation, &stack->act, err) < 0 ||
        (c->gguf && tensors_check(&f, err) < 0)) {
        err_pass(err);
        return NULL;
    }
    stack->causal = true;
    stack->ropes[0] = c->rope;
    stack->ropes[0].adjacent = c->gguf && how->adjacent;
    factors_find(&f, &stack->ropes[0]);
    stack->words = parts_matrix(&f.parts, c->vocab, c->width, "%s.weight", f.names->words);
    stack->final = norm(&f, c->width, NULL, f.names->norm);
    for (int64_t l = 0; l < c->layers; l++) {
        block_find(&f, l, &stack->blocks[l]);
    }
    parts_none(&f.parts, c->layers, "%s%lld.%s.weight", f.names->blocks, (long long)c->layers,
               f.names->down);
    head_find(&f, model, t);
    if (f.parts.failed) {
        err_pass(err);
        return NULL;
    }
    return t;
}

/* ---- windows ---- */

int decoder_slides(const struct config *c, bool *slides, struct err *err) {
    const struct json *list = c->json ? json_at(c->json, "layer_types") : NULL;
    if (!list || list->kind == JSON_NULL) {
        return 0;
    }
    if (list->kind != JSON_ARRAY || list->count != c->layers) {
        return err_set(err, ERR_FORMAT,
                       "%s: layer_types has %lld entries; a list of %lld, one for each layer, "
                       "is wanted",
                       c->file, (long long)list->count, (long long)c->layers);
    }
    int64_t l = 0;
    for (const struct json *item = list->first; item; item = item->next, l++) {
        const char *kind = item->kind == JSON_STRING ? item->text.bytes : "?";
        slides[l] = strcmp(kind, "sliding_attention") == 0;
        if (!slides[l] && strcmp(kind, "full_attention") != 0) {
            char quoted[40];
            return err_set(err, ERR_UNSUPPORTED,
                           "%s: layer_types has %s at layer %lld; known are full_attention and "
                           "sliding_attention",
                           c->file, err_quote(quoted, sizeof quoted, kind, strlen(kind)),
                           (long long)l);
        }
    }
    return 1;
}

int decoder_window(const struct config *c, struct stack *stack, const bool *slides,
                   int64_t window, struct err *err) {
    for (int64_t l = 0; l < c->layers; l++) {
        if (slides[l] && window == 0) {
            return err_set(err, ERR_FORMAT,
                           "%s: layer %lld is to see a window only, but sliding_window is "
                           "missing or not used",
                           c->file, (long long)l);
        }
        stack->blocks[l].left = slides[l] ? window - 1 : -1;
    }
    return 0;
}

int decoder_window_said(const struct config *c, int64_t usual, int64_t *window,
                        struct err *err) {
    const struct json *said = c->json ? json_at(c->json, "sliding_window") : NULL;
    *window = said && said->kind == JSON_NULL ? 0 : usual;
    return config_whole(c, "sliding_window", ".attention.sliding_window", c->gguf ? 0 : 1,
                        WINDOW_MOST, window, err);
}

/* GGUF may say how wide the window is, but not which layers have it. */
static int no_window(const struct config *c, struct err *err) {
    int64_t window;
    if (decoder_window_said(c, 0, &window, err) < 0) {
        return -1;
    }
    if (window > 0 && window < c->context) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: %s.attention.sliding_window is %lld, but the file does not say of "
                       "which layers; in GGUF only whole texts are known for %s",
                       c->file, c->gguf_type, (long long)window, c->type);
    }
    return 0;
}

int decoder_upper_windows(const struct config *c, struct stack *stack, struct err *err) {
    bool used = false, *slides = arena_array(c->arena, c->layers, sizeof *slides);
    int64_t window = 0, from = 28;
    if (c->gguf) {
        return no_window(c, err);
    }
    if (config_flag(c, "use_sliding_window", NULL, &used, err) < 0 ||
        (used && decoder_window_said(c, 4096, &window, err) < 0) ||
        config_whole(c, "max_window_layers", NULL, 0, 100000, &from, err) < 0) {
        return -1;
    }
    int said = decoder_slides(c, slides, err);
    for (int64_t l = 0; said == 0 && l < c->layers; l++) {
        slides[l] = window > 0 && l >= from;
    }
    return said < 0 ? -1 : decoder_window(c, stack, slides, window, err);
}
