/* T5: an encoder and a decoder with RMS norms before each part, a bias of attention scores by
 * distance in place of positions, and no scaling of the scores (Raffel et al. 2019,
 * arXiv:1910.10683). T5ForConditionalGeneration, T5Model, T5EncoderModel and, of one build with
 * them but for the scaling of the head, mT5 (Xue et al. 2020, arXiv:2010.11934). T5 v1.1 and
 * Flan gate their feed-forward part.
 *
 * As transformers 5 reads files: each stack has its own word embeddings only if the file has
 * them beside the shared ones, and the head is the shared embeddings unless the file has
 * another one. */

#include <math.h>
#include <string.h>

#include "core/model/transformer.h"

/* What only T5's configuration says. */
struct settings {
    int64_t buckets, distance;
    bool gated, scaled;
    enum simd_act act;
};

/* "relu", "gated-gelu": what the feed-forward part does. */
static int act_find(const struct config *c, const char *kind, struct settings *settings,
                    struct err *err) {
    const char *name = c->activation;
    struct err why = { 0 };
    char quoted[60];
    if (strcmp(kind, "mt5") == 0) { /* where mT5's file is silent, it is gated */
        name = "gated-gelu";
        if (config_text(c, "feed_forward_proj", NULL, &name, err) < 0) {
            return -1;
        }
    }
    settings->gated = strncmp(name, "gated-", 6) == 0;
    const char *act = settings->gated ? name + 6 : name;
    act = strcmp(name, "gated-gelu") == 0 ? "gelu_new" : act; /* as its authors computed it */
    if (parts_act(act, &settings->act, &why) < 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: feed_forward_proj is \"%s\"; an activation that is known here, or "
                       "gated- and one, is wanted, as \"relu\" and \"gated-gelu\"",
                       c->file, err_quote(quoted, sizeof quoted, name, strlen(name)));
    }
    return 0;
}

/* Files say once more what follows from feed_forward_proj; that counts, as in transformers. */
static int act_again(const struct config *c, struct settings *settings, struct err *err) {
    const char *act = NULL;
    if (config_text(c, "dense_act_fn", NULL, &act, err) < 0 ||
        config_flag(c, "is_gated_act", NULL, &settings->gated, err) < 0) {
        return -1;
    }
    return act ? parts_act(act, &settings->act, err) : 0;
}

/* Distances up to a quarter (in an encoder) or half of the buckets have their own one; the rest
 * share the others up to the longest, which must be longer. */
static int distances_check(const struct config *c, bool decodes, struct settings *settings,
                           struct err *err) {
    if (config_whole(c, "relative_attention_num_buckets", NULL, 4, 1 << 16, &settings->buckets,
                     err) < 0 ||
        config_whole(c, "relative_attention_max_distance", NULL, 1, 1 << 26,
                     &settings->distance, err) < 0) {
        return -1;
    }
    int64_t own = settings->buckets / (decodes ? 2 : 4);
    if (settings->distance <= own) {
        return err_set(err, ERR_FORMAT,
                       "%s: relative_attention_max_distance is %lld; with %lld buckets it must "
                       "be more than %lld",
                       c->file, (long long)settings->distance, (long long)settings->buckets,
                       (long long)own);
    }
    return 0;
}

static int settings_read(const struct model *model, struct settings *settings,
                         struct err *err) {
    const struct config *c = model->config;
    const char *kind = "t5";
    *settings = (struct settings){ .buckets = 32, .distance = 128, .scaled = c->tied };
    if (!c->json) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: T5 is read from Hugging Face folders, not from GGUF", model->path);
    }
    if (c->kv_heads != c->heads) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: %lld key-value heads for %lld heads; in T5 each head has its own",
                       c->file, (long long)c->kv_heads, (long long)c->heads);
    }
    if (config_text(c, "model_type", NULL, &kind, err) < 0 ||
        config_flag(c, "scale_decoder_outputs", NULL, &settings->scaled, err) < 0) {
        return -1;
    }
    settings->scaled = settings->scaled && strcmp(kind, "mt5") != 0;
    bool decodes = strcmp(model->task, "encoder") != 0;
    if (act_find(c, kind, settings, err) < 0 || act_again(c, settings, err) < 0 ||
        (decodes && config_only(c, "is_encoder_decoder", true, err) < 0)) {
        return -1;
    }
    return distances_check(c, decodes, settings, err);
}

/* By the class that config.json names, or else by what the file has. */
static const char *task_of(const struct model *model, struct err *err) {
    const char *class_name = model->config->class_name;
    bool decoder = weights_at(model->weights, "decoder.final_layer_norm.weight") != NULL;
    char quoted[80];
    if (strstr(class_name, "EncoderModel") || (!*class_name && !decoder)) {
        return "encoder";
    }
    if (!*class_name || strstr(class_name, "ForConditionalGeneration") ||
        strstr(class_name, "WithLMHead")) {
        return "seq2seq-lm";
    }
    if (strcmp(class_name, "T5Model") == 0 || strcmp(class_name, "MT5Model") == 0) {
        return "encoder-decoder";
    }
    err_set(err, ERR_UNSUPPORTED,
            "%s: the class is %s; known are T5ForConditionalGeneration, T5Model and "
            "T5EncoderModel",
            model->path, err_quote(quoted, sizeof quoted, class_name, strlen(class_name)));
    return NULL;
}

static struct attention_part attention_find(struct parts *parts, const struct config *c,
                                            const char *name) {
    int64_t heads = c->heads * c->head_width;
    return (struct attention_part){
        .query = parts_dense(parts, heads, c->width, false, "%s.q", name),
        .key = parts_dense(parts, heads, c->width, false, "%s.k", name),
        .value = parts_dense(parts, heads, c->width, false, "%s.v", name),
        .output = parts_dense(parts, c->width, heads, false, "%s.o", name),
    };
}

static void feed_find(struct parts *parts, const struct config *c, bool gated, const char *name,
                      struct block *block) {
    const char *up = gated ? "wi_1" : "wi";
    if (gated) {
        block->gate =
            parts_dense(parts, c->inner, c->width, false, "%s.DenseReluDense.wi_0", name);
    }
    block->up = parts_dense(parts, c->inner, c->width, false, "%s.DenseReluDense.%s", name, up);
    block->down = parts_dense(parts, c->width, c->inner, false, "%s.DenseReluDense.wo", name);
    block->before_mlp = parts_norm(parts, c->width, true, c->eps, "%s.layer_norm", name);
}

static void block_find(struct parts *parts, const struct config *c, bool gated, bool decodes,
                       const char *name, struct block *block) {
    const char *layer = arena_printf(parts->arena, "%s.layer.0", name);
    const char *across = arena_printf(parts->arena, "%s.layer.1", name);
    *block = (struct block){ .rope = -1, .left = -1, .right = -1 };
    block->before_attention = parts_norm(parts, c->width, true, c->eps, "%s.layer_norm", layer);
    block->attention =
        attention_find(parts, c, arena_printf(parts->arena, "%s.SelfAttention", layer));
    if (decodes) {
        block->before_cross =
            parts_norm(parts, c->width, true, c->eps, "%s.layer_norm", across);
        block->cross =
            attention_find(parts, c, arena_printf(parts->arena, "%s.EncDecAttention", across));
    }
    feed_find(parts, c, gated, arena_printf(parts->arena, "%s.layer.%d", name, decodes ? 2 : 1),
              block);
}

/* The first of these tables that the file has; if it has none, the last is missing. */
static const struct tensor *table_find(struct parts *parts, const struct config *c,
                                       const char *const names[4]) {
    int i = 0;
    while (i < 3 && !parts_has(parts, "%s.weight", names[i])) {
        i++;
    }
    return parts_matrix(parts, c->vocab, c->width, "%s.weight",
                        parts_has(parts, "%s.weight", names[i]) ? names[i] : "shared");
}

/* One table of distances serves all blocks; a file with more of them is another model (umT5).
 */
static void distances_find(struct parts *parts, const struct config *c, const char *name,
                           struct stack *stack) {
    stack->distances =
        parts_table(parts, stack->buckets, c->heads,
                    "%s.block.0.layer.0.SelfAttention.relative_attention_bias.weight", name);
    if (!parts->failed &&
        parts_has(parts, "%s.block.1.layer.0.SelfAttention.relative_attention_bias.weight",
                  name)) {
        err_set(parts->err, ERR_UNSUPPORTED,
                "%s: each block has its own bias by distance, as in umT5, which is not known "
                "here; in T5 the first block's serves all",
                parts->weights->path);
        parts->failed = true;
    }
}

static void stack_find(struct parts *parts, const struct config *c, bool gated,
                       const char *name, struct stack *stack) {
    for (int64_t l = 0; l < stack->layers; l++) {
        block_find(parts, c, gated, stack->causal,
                   arena_printf(parts->arena, "%s.block.%lld", name, (long long)l),
                   &stack->blocks[l]);
    }
    parts_none(parts, stack->layers, "%s.block.%lld.layer.0.SelfAttention.q.weight", name,
               (long long)stack->layers);
    stack->final = parts_norm(parts, c->width, true, c->eps, "%s.final_layer_norm", name);
    distances_find(parts, c, name, stack);
}

static void decoder_find(struct parts *parts, const struct model *model,
                         const struct settings *settings, struct transformer *t5) {
    static const char *const words[] = { "decoder.embed_tokens", "shared",
                                         "encoder.embed_tokens", "lm_head" };
    static const char *const head[] = { "lm_head", "shared", "encoder.embed_tokens",
                                        "decoder.embed_tokens" };
    const struct config *c = model->config;
    struct stack *decoder = arena_alloc(parts->arena, sizeof *decoder);
    *decoder = t5->stack;
    decoder->causal = true;
    decoder->layers = c->decoder_layers;
    decoder->blocks = arena_array(parts->arena, decoder->layers, sizeof *decoder->blocks);
    decoder->words = table_find(parts, c, words);
    stack_find(parts, c, settings->gated, "decoder", decoder);
    t5->decoder = decoder;
    if (strcmp(model->task, "seq2seq-lm") == 0) {
        t5->head.output.weight = table_find(parts, c, head);
        t5->head.scale = settings->scaled ? 1.0F / sqrtf((float)c->width) : 0;
    }
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    static const char *const words[] = { "encoder.embed_tokens", "shared",
                                         "decoder.embed_tokens", "lm_head" };
    const struct config *c = model->config;
    struct transformer *t5 = transformer_new(arena, c);
    struct stack *stack = &t5->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    struct settings settings;
    model->task = task_of(model, err);
    if (!model->task || settings_read(model, &settings, err) < 0) {
        return err_pass(err);
    }
    stack->scale = 1;
    stack->act = settings.act;
    stack->buckets = settings.buckets;
    stack->distance_most = settings.distance;
    stack->words = table_find(&parts, c, words);
    stack_find(&parts, c, settings.gated, "encoder", stack);
    if (strcmp(model->task, "encoder") != 0) {
        decoder_find(&parts, model, &settings, t5);
    }
    model->parts = t5;
    return parts.failed ? err_pass(err) : 0;
}

static const enum site sites[] = { SITE_EMBED,
                                   SITE_RESIDUAL,
                                   SITE_QUERY,
                                   SITE_KEY,
                                   SITE_VALUE,
                                   SITE_ATTENTION,
                                   SITE_MIXED,
                                   SITE_ATTENTION_OUT,
                                   SITE_MIDDLE,
                                   SITE_NEURONS,
                                   SITE_MLP_OUT,
                                   SITE_FINAL,
                                   SITE_LOGITS,
                                   SITE_DECODER_EMBED,
                                   SITE_DECODER_RESIDUAL,
                                   SITE_DECODER_QUERY,
                                   SITE_DECODER_KEY,
                                   SITE_DECODER_VALUE,
                                   SITE_DECODER_ATTENTION,
                                   SITE_DECODER_MIXED,
                                   SITE_DECODER_ATTENTION_OUT,
                                   SITE_DECODER_MIDDLE,
                                   SITE_DECODER_NEURONS,
                                   SITE_DECODER_MLP_OUT,
                                   SITE_DECODER_FINAL,
                                   SITE_CROSS_ATTENTION,
                                   SITE_COUNT };

const struct arch t5_arch = {
    .name = "t5",
    .summary = "T5, Flan-T5 and mT5: encoder and decoder, or the encoder alone",
    .sites = sites,
    .form = { .also = { "mt5" },
              .layers = "num_layers",
              .heads = "num_heads",
              .width = "d_model",
              .inner = "d_ff",
              .head_width = "d_kv",
              .head_width_of = 64,
              .endless = true,
              .decodes = true,
              .has_pad = true,
              .eps_name = "layer_norm_epsilon",
              .eps = 1e-6,
              .act_name = "feed_forward_proj",
              .act = "relu",
              .tied = true,
              .parts =
                  "layer.*.SelfAttention.q layer.*.SelfAttention.k layer.*.SelfAttention.v "
                  "layer.*.SelfAttention.o layer.*.SelfAttention.relative_attention_bias "
                  "layer.*.layer_norm layer.*.EncDecAttention.q layer.*.EncDecAttention.k "
                  "layer.*.EncDecAttention.v layer.*.EncDecAttention.o "
                  "layer.*.DenseReluDense.wi layer.*.DenseReluDense.wo",
              .settings = "d_model d_kv d_ff num_layers num_decoder_layers num_heads "
                          "relative_attention_num_buckets relative_attention_max_distance "
                          "feed_forward_proj layer_norm_epsilon" },
    .open = open,
    .forward = transformer_forward,
};
