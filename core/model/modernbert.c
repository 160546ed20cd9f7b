/* ModernBERT: an encoder with norms before each part, a gated feed-forward and rotary
 * positions; some of its blocks see the whole text, the others a window, each kind with its own
 * base (Warner et al. 2024, arXiv:2412.13663). With or without the prefix "model.". */

#include <string.h>

#include "core/model/transformer.h"

enum { WHOLE, WINDOW }; /* the two kinds of blocks, and their ropes */

static const char *const prefixes[] = { "model.", "", NULL };
static const char *const kinds[] = { "full_attention", "sliding_attention" };

/* What config.json says beside what all have. */
struct settings {
    bool attention_bias, mlp_bias, norm_bias, classifier_bias, decoder_bias;
    int64_t window; /* how far a block with a window sees to either side */
    bool mean;      /* a classifier reads the mean of all tokens */
    enum simd_act head_act;
};

/* ---- settings ---- */

static int pooling_read(const struct config *c, struct settings *settings, struct err *err) {
    const char *pooling = "cls";
    if (config_text(c, "classifier_pooling", NULL, &pooling, err) < 0) {
        return -1;
    }
    settings->mean = strcmp(pooling, "mean") == 0;
    if (!settings->mean && strcmp(pooling, "cls") != 0) {
        char quoted[60];
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: classifier_pooling is %s; known are \"cls\" and \"mean\"", c->file,
                       err_quote(quoted, sizeof quoted, pooling, strlen(pooling)));
    }
    return 0;
}

static int settings_read(const struct config *c, struct settings *settings, struct err *err) {
    const char *act = "gelu";
    int64_t seen = 128;
    *settings = (struct settings){ .decoder_bias = true };
    if (config_classic(c, err) < 0 ||
        config_flag(c, "attention_bias", NULL, &settings->attention_bias, err) < 0 ||
        config_flag(c, "mlp_bias", NULL, &settings->mlp_bias, err) < 0 ||
        config_flag(c, "norm_bias", NULL, &settings->norm_bias, err) < 0 ||
        config_flag(c, "classifier_bias", NULL, &settings->classifier_bias, err) < 0 ||
        config_flag(c, "decoder_bias", NULL, &settings->decoder_bias, err) < 0 ||
        config_whole(c, "local_attention", NULL, 0, 1 << 26, &seen, err) < 0 ||
        config_text(c, "classifier_activation", NULL, &act, err) < 0) {
        return -1;
    }
    settings->window = seen / 2; /* or as newer files say it */
    if (config_whole(c, "sliding_window", NULL, 0, 1 << 26, &settings->window, err) < 0) {
        return -1;
    }
    return pooling_read(c, settings, err) < 0 || parts_act(act, &settings->head_act, err) < 0
               ? -1
               : 0;
}

/* Which kind a block is, by "layer_types" or, in older files, by its number. */
static int kinds_read(const struct config *c, int *kind, struct err *err) {
    const struct json *list = json_at(c->json, "layer_types");
    int64_t every = 3;
    if (config_whole(c, "global_attn_every_n_layers", NULL, 1, 10000, &every, err) < 0) {
        return -1;
    }
    for (int64_t l = 0; l < c->layers; l++) {
        kind[l] = l % every ? WINDOW : WHOLE;
    }
    if (!list || list->kind == JSON_NULL) {
        return 0;
    }
    if (list->kind != JSON_ARRAY || (int64_t)list->count != c->layers) {
        return err_set(err, ERR_FORMAT,
                       "%s: layer_types is not a list of %lld names, one a layer", c->file,
                       (long long)c->layers);
    }
    const struct json *name = list->first;
    for (int64_t l = 0; l < c->layers; l++, name = name->next) {
        bool text = name->kind == JSON_STRING;
        kind[l] = text && json_is(name->text, kinds[WINDOW]) ? WINDOW : WHOLE;
        if (!text || !json_is(name->text, kinds[kind[l]])) {
            return err_set(err, ERR_UNSUPPORTED,
                           "%s: layer_types names for block %lld neither \"%s\" nor \"%s\"",
                           c->file, (long long)l, kinds[WHOLE], kinds[WINDOW]);
        }
    }
    return 0;
}

/* They stand in rope_parameters, for each kind of block, or in older files their bases beside
 * all else; a local base that is null there is the global one. */
static int ropes_read(const struct config *c, struct rope *ropes, struct err *err) {
    struct rope_place places[] = { { kinds[WHOLE], "global_rope_theta", true, 160000 },
                                   { kinds[WINDOW], "local_rope_theta", true, 10000 } };
    const struct json *local = json_at(c->json, places[WINDOW].base);
    for (int i = WHOLE; i <= WINDOW; i++) {
        if (i == WINDOW && local && local->kind == JSON_NULL) {
            places[WINDOW].usual = ropes[WHOLE].base;
        }
        if (rope_read(c, &places[i], &ropes[i], err) < 0) {
            return -1;
        }
        if (ropes[i].width != c->head_width || c->head_width % 2) {
            return err_set(err, ERR_UNSUPPORTED,
                           "%s: rotary positions turn %lld of a head's %lld numbers; in "
                           "ModernBERT all, an even count, are turned",
                           c->file, (long long)ropes[i].width, (long long)c->head_width);
        }
    }
    return 0;
}

/* ---- weights ---- */

static struct op_norm norm_find(struct parts *parts, const struct config *c, bool biased,
                                const char *at, const char *name) {
    struct op_norm norm = parts_norm(parts, c->width, false, c->eps, "%s%s", at, name);
    parts_agree(parts, biased, "norm_bias", "%s%s.bias", at, name);
    if (biased && !norm.bias) {
        norm.bias = parts_vector(parts, c->width, "%s%s.bias", at, name);
    }
    return norm;
}

static struct op_dense dense_find(struct parts *parts, int64_t rows, int64_t columns,
                                  bool biased, const char *flag, const char *at,
                                  const char *name) {
    parts_agree(parts, biased, flag, "%s%s.bias", at, name);
    return parts_dense(parts, rows, columns, biased, "%s%s", at, name);
}

static void block_find(struct parts *parts, const struct config *c, const struct settings *s,
                       const char *at, int kind, struct block *block) {
    int64_t width = c->width;
    *block = (struct block){
        .attention = {
            .query = dense_find(parts, 3 * width, width, s->attention_bias, "attention_bias", at,
                                "attn.Wqkv"),
            .at = { { .first = 0 }, { .first = width }, { .first = 2 * width } },
            .output = dense_find(parts, width, width, s->attention_bias, "attention_bias", at,
                                 "attn.Wo"),
        },
        .before_mlp = norm_find(parts, c, s->norm_bias, at, "mlp_norm"),
        .gate_and_up =
            dense_find(parts, 2 * c->inner, width, s->mlp_bias, "mlp_bias", at, "mlp.Wi"),
        .down = dense_find(parts, width, c->inner, s->mlp_bias, "mlp_bias", at, "mlp.Wo"),
        .rope = kind,
        .left = kind == WINDOW ? s->window : -1,
        .right = kind == WINDOW ? s->window : -1,
    };
}

static void head_find(struct parts *parts, const struct model *model, const struct settings *s,
                      struct transformer *modern) {
    const struct config *c = model->config;
    struct transformer_head *head = &modern->head;
    bool classifies = strcmp(model->task, "classification") == 0;
    if (!classifies && strcmp(model->task, "masked-lm") != 0) {
        return;
    }
    head->hidden = dense_find(parts, c->width, c->width, s->classifier_bias, "classifier_bias",
                              "head.", "dense");
    head->act = s->head_act;
    head->norm = norm_find(parts, c, s->norm_bias, "head.", "norm");
    if (classifies) {
        head->classifies = true;
        head->place = s->mean ? HEAD_MEAN : HEAD_FIRST;
        head->output = parts_dense(parts, c->labels, c->width, true, "classifier");
        return;
    }
    bool own = parts_has(parts, "decoder.weight") || !c->tied;
    head->output.weight =
        own ? parts_matrix(parts, c->vocab, c->width, "decoder.weight") : modern->stack.words;
    parts_agree(parts, s->decoder_bias, "decoder_bias", "decoder.bias");
    if (s->decoder_bias) {
        head->output.bias = parts_vector(parts, c->vocab, "decoder.bias");
    }
}

static void blocks_find(struct parts *parts, const struct config *c, const struct settings *s,
                        const char *prefix, const int *kind, struct block *blocks) {
    for (int64_t l = 0; l < c->layers; l++) {
        const char *at = arena_printf(parts->arena, "%slayers.%lld.", prefix, (long long)l);
        block_find(parts, c, s, at, kind[l], &blocks[l]);
        if (l > 0) { /* the first reads the embeddings, which are normed already */
            blocks[l].before_attention = norm_find(parts, c, s->norm_bias, at, "attn_norm");
        }
    }
    parts_none(parts, c->layers, "%slayers.%lld.mlp_norm.weight", prefix, (long long)c->layers);
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *modern = transformer_new(arena, c);
    struct stack *stack = &modern->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    struct settings settings;
    int *kind = arena_array(arena, c->layers, sizeof *kind);
    if (settings_read(c, &settings, err) < 0 || kinds_read(c, kind, err) < 0 ||
        ropes_read(c, stack->ropes, err) < 0 ||
        parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "embeddings.tok_embeddings.weight");
    stack->words =
        parts_matrix(&parts, c->vocab, c->width, "%sembeddings.tok_embeddings.weight", prefix);
    stack->embedded = norm_find(&parts, c, settings.norm_bias, prefix, "embeddings.norm");
    blocks_find(&parts, c, &settings, prefix, kind, stack->blocks);
    stack->final = norm_find(&parts, c, settings.norm_bias, prefix, "final_norm");
    head_find(&parts, model, &settings, modern);
    model->parts = modern;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch modernbert_arch = {
    .name = "modernbert",
    .summary = "ModernBERT encoders, with their masked-word and classifier heads",
    .sites = transformer_sites,
    .form = { .context_of = 8192,
              .eps_name = "norm_eps",
              .act_name = "hidden_activation",
              .tied = true,
              .parts = "attn_norm attn.Wqkv attn.Wo mlp_norm mlp.Wi mlp.Wo",
              .settings = "global_attn_every_n_layers local_attention global_rope_theta "
                          "local_rope_theta hidden_activation norm_eps norm_bias mlp_bias "
                          "classifier_pooling deterministic_flash_attn" },
    .open = open,
    .forward = transformer_forward,
};
