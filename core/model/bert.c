/* BERT: an encoder whose norms come after the residual sums (Devlin et al. 2018,
 * arXiv:1810.04805). BertModel, BertForMaskedLM, BertForSequenceClassification; with or without
 * the prefix "bert."; norms named weight and bias or, in old files, gamma and beta. */

#include <math.h>
#include <string.h>

#include "core/model/transformer.h"

static void block_find(struct parts *parts, const struct config *c, const char *name,
                       struct block *block) {
    int64_t width = c->width;
    *block = (struct block){
        .attention = {
            .query = parts_dense(parts, width, width, true, "%s.attention.self.query", name),
            .key = parts_dense(parts, width, width, true, "%s.attention.self.key", name),
            .value = parts_dense(parts, width, width, true, "%s.attention.self.value", name),
            .output = parts_dense(parts, width, width, true, "%s.attention.output.dense", name),
        },
        .after_attention = parts_norm(parts, width, false, c->eps,
                                      "%s.attention.output.LayerNorm", name),
        .up = parts_dense(parts, c->inner, width, true, "%s.intermediate.dense", name),
        .down = parts_dense(parts, width, c->inner, true, "%s.output.dense", name),
        .after_mlp = parts_norm(parts, width, false, c->eps, "%s.output.LayerNorm", name),
        .rope = -1,
        .left = -1,
        .right = -1,
    };
}

static void masked_lm_find(struct parts *parts, const struct config *c,
                           struct transformer *bert) {
    struct transformer_head *head = &bert->head;
    head->hidden =
        parts_dense(parts, c->width, c->width, true, "cls.predictions.transform.dense");
    head->norm =
        parts_norm(parts, c->width, false, c->eps, "cls.predictions.transform.LayerNorm");
    head->act = bert->stack.act;
    bool own = parts_has(parts, "cls.predictions.decoder.weight") || !c->tied;
    head->output.weight =
        own ? parts_matrix(parts, c->vocab, c->width, "cls.predictions.decoder.weight")
            : bert->stack.words;
    /* The two names mean one vector where the head is tied; else the decoder's own counts. */
    bool decoders = parts_has(parts, "cls.predictions.decoder.bias") &&
                    (!c->tied || !parts_has(parts, "cls.predictions.bias"));
    head->output.bias =
        parts_vector(parts, c->vocab, "cls.predictions.%s", decoders ? "decoder.bias" : "bias");
}

static void head_find(struct parts *parts, const struct model *model, const char *prefix,
                      struct transformer *bert) {
    const struct config *c = model->config;
    if (strcmp(model->task, "classification") == 0) {
        bert->head = (struct transformer_head){
            .hidden = parts_dense(parts, c->width, c->width, true, "%spooler.dense", prefix),
            .act = SIMD_TANH,
            .output = parts_dense(parts, c->labels, c->width, true, "classifier"),
            .classifies = true,
        };
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
    if (c->types < 1) {
        return err_set(err, ERR_FORMAT, "%s: type_vocab_size is 0; a BERT has at least 1",
                       model->path);
    }
    return 0;
}

static void embeddings_find(struct parts *parts, const struct config *c, const char *prefix,
                            struct stack *stack) {
    stack->words =
        parts_matrix(parts, c->vocab, c->width, "%sembeddings.word_embeddings.weight", prefix);
    stack->positions = parts_matrix(parts, c->context, c->width,
                                    "%sembeddings.position_embeddings.weight", prefix);
    stack->types = parts_matrix(parts, c->types, c->width,
                                "%sembeddings.token_type_embeddings.weight", prefix);
    stack->embedded =
        parts_norm(parts, c->width, false, c->eps, "%sembeddings.LayerNorm", prefix);
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *bert = transformer_new(arena, c);
    struct stack *stack = &bert->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (settings_check(model, err) < 0 || parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    bool prefixed = parts_has(&parts, "bert.embeddings.word_embeddings.weight");
    const char *prefix = prefixed ? "bert." : "";
    stack->order = BLOCK_POST;
    embeddings_find(&parts, c, prefix, stack);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *name = arena_printf(arena, "%sencoder.layer.%lld", prefix, (long long)l);
        block_find(&parts, c, name, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%sencoder.layer.%lld.output.dense.weight", prefix,
               (long long)c->layers);
    head_find(&parts, model, prefix, bert);
    model->parts = bert;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch bert_arch = {
    .name = "bert",
    .summary = "BERT encoders, with their masked-word and classifier heads",
    .sites = transformer_sites,
    .form = { .context_of = 512, .types = 2, .has_pad = true, .eps = 1e-12, .tied = true },
    .open = open,
    .forward = transformer_forward,
};
