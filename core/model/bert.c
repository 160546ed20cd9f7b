/* BERT: an encoder whose norms come after the residual sums (Devlin et al. 2018,
 * arXiv:1810.04805). BertModel, BertForMaskedLM, BertForSequenceClassification; with or without
 * the prefix "bert."; norms named weight and bias or, in old files, gamma and beta. */

#include <math.h>
#include <string.h>

#include "core/model/model.h"
#include "core/model/parts.h"

struct norm {
    const float *gain, *bias;
};

struct block {
    struct dense query, key, value, output;
    struct norm attended;
    struct dense wide, narrow;
    struct norm ended;
};

struct bert {
    const struct tensor *words, *positions, *types;
    struct norm embedded;
    struct block *blocks;
    enum simd_act act;
    struct dense pooler, classifier; /* classification */
    struct dense transform, decoder; /* masked-lm */
    struct norm transformed;
};

static struct norm norm_find(struct parts *parts, int64_t width, const char *name) {
    struct norm norm;
    bool old = parts_has(parts, "%s.gamma", name);
    norm.gain = parts_vector(parts, width, "%s.%s", name, old ? "gamma" : "weight");
    norm.bias = parts_vector(parts, width, "%s.%s", name, old ? "beta" : "bias");
    return norm;
}

static void block_find(struct parts *parts, const struct config *c, const char *name,
                       struct block *block) {
    struct arena *arena = parts->arena;
    block->query =
        parts_dense(parts, c->width, c->width, true, "%s.attention.self.query", name);
    block->key = parts_dense(parts, c->width, c->width, true, "%s.attention.self.key", name);
    block->value =
        parts_dense(parts, c->width, c->width, true, "%s.attention.self.value", name);
    block->output =
        parts_dense(parts, c->width, c->width, true, "%s.attention.output.dense", name);
    block->attended =
        norm_find(parts, c->width, arena_printf(arena, "%s.attention.output.LayerNorm", name));
    block->wide = parts_dense(parts, c->inner, c->width, true, "%s.intermediate.dense", name);
    block->narrow = parts_dense(parts, c->width, c->inner, true, "%s.output.dense", name);
    block->ended = norm_find(parts, c->width, arena_printf(arena, "%s.output.LayerNorm", name));
}

static void masked_lm_find(struct parts *parts, const struct config *c, struct bert *bert) {
    bert->transform =
        parts_dense(parts, c->width, c->width, true, "cls.predictions.transform.dense");
    bert->transformed = norm_find(parts, c->width, "cls.predictions.transform.LayerNorm");
    bool own = parts_has(parts, "cls.predictions.decoder.weight") || !c->tied;
    bert->decoder.weight =
        own ? parts_matrix(parts, c->vocab, c->width, "cls.predictions.decoder.weight")
            : bert->words;
    /* The two names mean one vector where the head is tied; else the decoder's own counts. */
    bool decoders = parts_has(parts, "cls.predictions.decoder.bias") &&
                    (!c->tied || !parts_has(parts, "cls.predictions.bias"));
    bert->decoder.bias =
        parts_vector(parts, c->vocab, "cls.predictions.%s", decoders ? "decoder.bias" : "bias");
}

static void heads_find(struct parts *parts, const struct model *model, const char *prefix,
                       struct bert *bert) {
    const struct config *c = model->config;
    if (strcmp(model->task, "classification") == 0) {
        bert->pooler = parts_dense(parts, c->width, c->width, true, "%spooler.dense", prefix);
        bert->classifier = parts_dense(parts, c->labels, c->width, true, "classifier");
    } else if (strcmp(model->task, "masked-lm") == 0) {
        masked_lm_find(parts, c, bert);
    }
}

/* What the configuration may ask for that this file does not compute. */
static int settings_check(const struct model *model, struct err *err) {
    const struct config *c = model->config;
    if (!c->json) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: BERT is read from Hugging Face folders, not from GGUF",
                       model->path);
    }
    const struct json *kind = json_at(c->json, "position_embedding_type");
    if (kind && kind->kind != JSON_NULL &&
        (kind->kind != JSON_STRING || !json_is(kind->text, "absolute"))) {
        char quoted[60] = "no text";
        if (kind->kind == JSON_STRING) {
            err_quote(quoted, sizeof quoted, kind->text.bytes, kind->text.length);
        }
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: position_embedding_type is %s; only \"absolute\" is known",
                       model->path, quoted);
    }
    const struct json *decoder = json_at(c->json, "is_decoder");
    if (decoder && decoder->kind != JSON_FALSE && decoder->kind != JSON_NULL) {
        return err_set(err, ERR_UNSUPPORTED, "%s: a BERT with is_decoder is not known",
                       model->path);
    }
    if (c->heads * c->head_width != c->width) {
        return err_set(err, ERR_FORMAT, "%s: hidden_size %lld is not a multiple of %lld heads",
                       model->path, (long long)c->width, (long long)c->heads);
    }
    return 0;
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct bert *bert = arena_alloc(arena, sizeof *bert);
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (settings_check(model, err) < 0 || parts_act(c->activation, &bert->act, err) < 0) {
        return err_pass(err);
    }
    if (c->types < 1) {
        return err_set(err, ERR_FORMAT, "%s: type_vocab_size is 0; a BERT has at least 1",
                       model->path);
    }
    bool prefixed = parts_has(&parts, "bert.embeddings.word_embeddings.weight");
    const char *prefix = prefixed ? "bert." : "";
    bert->words =
        parts_matrix(&parts, c->vocab, c->width, "%sembeddings.word_embeddings.weight", prefix);
    bert->positions = parts_matrix(&parts, c->context, c->width,
                                   "%sembeddings.position_embeddings.weight", prefix);
    bert->types = parts_matrix(&parts, c->types, c->width,
                               "%sembeddings.token_type_embeddings.weight", prefix);
    bert->embedded =
        norm_find(&parts, c->width, arena_printf(arena, "%sembeddings.LayerNorm", prefix));
    bert->blocks = arena_array(arena, c->layers, sizeof *bert->blocks);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *name = arena_printf(arena, "%sencoder.layer.%lld", prefix, (long long)l);
        block_find(&parts, c, name, &bert->blocks[l]);
    }
    parts_none(&parts, c->layers, "%sencoder.layer.%lld.output.dense.weight", prefix,
               (long long)c->layers);
    heads_find(&parts, model, prefix, bert);
    model->parts = bert;
    return parts.failed ? err_pass(err) : 0;
}

/* ---- forward; tensors are [B T, ...] ---- */

static struct tensor *normed(struct tape *tape, const struct tensor *x, const struct norm *norm,
                             const struct config *config) {
    return op_norm_layer(tape, x, norm->gain, norm->bias, config->eps);
}

static struct tensor *embed(const struct bert *bert, const struct config *config,
                            struct pass *pass) {
    struct tape *tape = pass->tape;
    int64_t rows = pass->batch * pass->tokens;
    int32_t *places = arena_array(tape->arena, rows, sizeof *places);
    int32_t *no_types = arena_array(tape->arena, rows, sizeof *no_types);
    for (int64_t i = 0; i < rows; i++) {
        places[i] = (int32_t)(i % pass->tokens);
    }
    struct tensor *words = op_embed(tape, bert->words, pass->ids, rows);
    visit_rows(pass, SITE_EMBED, 0, words);
    struct tensor *types =
        op_embed(tape, bert->types, pass->types ? pass->types : no_types, rows);
    struct tensor *positions = op_embed(tape, bert->positions, places, rows);
    struct tensor *sum = op_add(tape, op_add(tape, words, types), positions);
    return normed(tape, sum, &bert->embedded, config);
}

static struct tensor *attend(const struct block *block, const struct config *c,
                             struct pass *pass, int64_t layer, const struct tensor *x) {
    struct tape *tape = pass->tape;
    struct op_attention how = { .batch = pass->batch,
                                .tokens = pass->tokens,
                                .heads = c->heads,
                                .groups = c->heads,
                                .width = c->head_width,
                                .scale = 1.0F / sqrtf((float)c->head_width),
                                .mask = pass->mask };
    struct simd_finish none = { 0 };
    struct tensor *q = parts_run(tape, &block->query, x, none);
    struct tensor *k = parts_run(tape, &block->key, x, none);
    struct tensor *v = parts_run(tape, &block->value, x, none);
    struct tensor *pattern =
        visit_place(pass, SITE_ATTENTION, layer, 4,
                    (int64_t[]){ pass->batch, c->heads, pass->tokens, pass->tokens });
    struct tensor *mixed = op_attention(tape, q, k, v, &how, pattern);
    if (pattern) {
        visit(pass, SITE_ATTENTION, layer, pattern);
    }
    return parts_run(tape, &block->output, mixed, (struct simd_finish){ .residual = x->data });
}

static struct tensor *block_run(const struct model *model, struct pass *pass, int64_t layer,
                                const struct tensor *x) {
    const struct bert *bert = model->parts;
    const struct config *c = model->config;
    const struct block *block = &bert->blocks[layer];
    struct tape *tape = pass->tape;
    struct tensor *attended =
        normed(tape, attend(block, c, pass, layer, x), &block->attended, c);
    struct tensor *wide =
        parts_run(tape, &block->wide, attended, (struct simd_finish){ .act = bert->act });
    struct tensor *sum = parts_run(tape, &block->narrow, wide,
                                   (struct simd_finish){ .residual = attended->data });
    return normed(tape, sum, &block->ended, c);
}

/* Logits of each text's class from its first token. */
static void classify(const struct model *model, struct pass *pass, const struct tensor *x) {
    const struct bert *bert = model->parts;
    struct tape *tape = pass->tape;
    int32_t *firsts = arena_array(tape->arena, pass->batch, sizeof *firsts);
    for (int64_t b = 0; b < pass->batch; b++) {
        firsts[b] = (int32_t)(b * pass->tokens);
    }
    struct tensor *first = op_embed(tape, x, firsts, pass->batch);
    struct tensor *pooled =
        parts_run(tape, &bert->pooler, first, (struct simd_finish){ .act = SIMD_TANH });
    visit(pass, SITE_LOGITS, 0,
          parts_run(tape, &bert->classifier, pooled, (struct simd_finish){ 0 }));
}

static void predict_words(const struct model *model, struct pass *pass,
                          const struct tensor *x) {
    const struct bert *bert = model->parts;
    const struct config *c = model->config;
    struct tape *tape = pass->tape;
    struct tensor *changed =
        parts_run(tape, &bert->transform, x, (struct simd_finish){ .act = bert->act });
    changed = normed(tape, changed, &bert->transformed, c);
    struct tensor *logits = visit_place(pass, SITE_LOGITS, 0, 3,
                                        (int64_t[]){ pass->batch, pass->tokens, c->vocab });
    op_linear(tape, changed, bert->decoder.weight,
              &(struct simd_finish){ .bias = bert->decoder.bias }, logits);
    visit(pass, SITE_LOGITS, 0, logits);
}

static int forward(const struct model *model, struct pass *pass, struct err *err) {
    const struct bert *bert = model->parts;
    struct arena *scratch = pass->tape->arena;
    struct tensor *stream = embed(bert, model->config, pass);
    for (int64_t l = 0; l < model->config->layers; l++) {
        visit_rows(pass, SITE_RESIDUAL, l, stream);
        struct arena_mark mark = arena_mark(scratch);
        struct tensor *next = block_run(model, pass, l, stream);
        memcpy(stream->data, next->data, (size_t)tensor_bytes(stream));
        arena_rewind(scratch, mark);
    }
    visit_rows(pass, SITE_RESIDUAL, model->config->layers, stream);
    visit_rows(pass, SITE_FINAL, 0, stream);
    if (visit_wants(pass, SITE_LOGITS)) {
        if (bert->classifier.weight) {
            classify(model, pass, stream);
        } else if (bert->decoder.weight) {
            predict_words(model, pass, stream);
        }
    }
    (void)err; /* nothing here can fail: open has checked it */
    return 0;
}

static const enum site sites[] = { SITE_EMBED, SITE_RESIDUAL, SITE_ATTENTION,
                                   SITE_FINAL, SITE_LOGITS,   SITE_COUNT };

const struct arch bert_arch = {
    .name = "bert",
    .summary = "BERT encoders, with their masked-word and classifier heads",
    .sites = sites,
    .open = open,
    .forward = forward,
};
