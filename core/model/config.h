#ifndef CORE_MODEL_CONFIG_H
#define CORE_MODEL_CONFIG_H

#include "core/base/jsontree.h"
#include "core/model/weights.h"

/* config: the hyper-parameters of a model, from config.json or from GGUF metadata, bounded and
 * in one form. What a file does not say has the value that the architecture's reference code
 * gives it. */

struct config {
    const char *type;       /* model_type or general.architecture: "bert", "llama" */
    const char *class_name; /* first of "architectures" ("BertForMaskedLM"), "" if absent */
    int64_t layers, heads, kv_heads, width, inner, vocab, context;
    int64_t head_width; /* of one head; width / heads unless the file says otherwise */
    int64_t types;      /* token types (BERT) */
    double eps;         /* of the norms */
    double rope_base;
    const char *activation;   /* "gelu", "gelu_new", "relu", "silu" ... */
    bool tied;                /* head shares the embedding */
    int64_t bos, eos, pad;    /* token ids, -1: none */
    int64_t labels;           /* classes; 0: no classifier */
    const char **label_names; /* [labels] or NULL */
    const struct json *json;  /* config.json itself; NULL for GGUF */
};

/* `json_path` is the config.json's path (NULL for GGUF). Sizes out of bounds, missing or of the
 * wrong kind are ERR_FORMAT and name the field and its value. */
struct config *config_read(struct arena *arena, const struct weights *weights,
                           const char *json_path, struct err *err);

#endif
