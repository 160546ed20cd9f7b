/* BERT: an encoder whose norms come after the residual sums (Devlin et al. 2018,
 * arXiv:1810.04805). BertModel, BertForMaskedLM, BertForSequenceClassification; with or without
 * the prefix "bert."; norms named weight and bias or, in old files, gamma and beta. */

#include <string.h>

#include "core/model/bert_stack.h"

static const char *const prefixes[] = { "bert.", "", NULL };

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
        bert->head = (struct transformer_head){
            .hidden =
                parts_dense(parts, c->width, c->width, true, "cls.predictions.transform.dense"),
            .act = bert->stack.act,
            .norm = parts_norm(parts, c->width, false, c->eps,
                               "cls.predictions.transform.LayerNorm"),
            .output = bert_stack_decoder(parts, c, &bert->stack, "cls.predictions"),
        };
    }
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *bert = transformer_new(arena, c);
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (bert_stack_check(c, err) < 0 || parts_act(c->activation, &bert->stack.act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "embeddings.word_embeddings.weight");
    bert_stack_find(&parts, c, prefix, &bert->stack);
    head_find(&parts, model, prefix, bert);
    model->parts = bert;
    return parts.failed ? err_pass(err) : 0;
}

const struct arch bert_arch = {
    .name = "bert",
    .summary = "BERT encoders, with their masked-word and classifier heads",
    .sites = transformer_sites,
    .form = { .context_of = 512,
              .types = 2,
              .has_pad = true,
              .eps = 1e-12,
              .tied = true,
              .parts = "attention.self.query attention.self.key attention.self.value "
                       "attention.output.dense attention.output.LayerNorm intermediate.dense "
                       "output.dense output.LayerNorm",
              .settings = "cls_token_id position_embedding_type classifier_dropout" },
    .open = open,
    .forward = transformer_forward,
};
