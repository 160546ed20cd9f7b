#ifndef CORE_MODEL_CONFIG_H
#define CORE_MODEL_CONFIG_H

#include <stdbool.h>

#include "core/base/jsontree.h"
#include "core/model/rope.h"
#include "core/model/weights.h"

/* config: the hyper-parameters of a model, from config.json or from GGUF metadata, bounded and
 * in one form. What a file does not say has the value that the architecture's reference code
 * gives it. */

enum { ARCH_NAMES = 4 };

/* How the files of an architecture say what all have, and what they may leave out. Names that
 * are NULL are the usual ones; numbers that are 0 have no default. */
struct config_form {
    const char *also[ARCH_NAMES]; /* further model_types and general.architectures */
    /* In config.json, where not num_hidden_layers, num_attention_heads, hidden_size,
     * intermediate_size, max_position_embeddings, num_key_value_heads, head_dim. */
    const char *layers, *heads, *width, *inner, *context, *kv_heads, *head_width;
    bool headless;      /* a recurrent network: no heads, inner size or context (0), whatever
                           the file says of them */
    bool endless;       /* no table of positions: context may be absent (0: no limit) */
    bool decodes;       /* encoder-decoder: num_decoder_layers, if absent as many as layers */
    int64_t inner_by;   /* inner, if absent, as a multiple of width */
    int64_t context_of; /* what context is if absent */
    int64_t vocab_of, heads_of;
    int64_t kv_heads_of;   /* if absent; 0, or where null stands: heads */
    int64_t head_width_of; /* if absent; 0, or in GGUF: width / heads */
    const char *inside; /* the object of config.json that holds all but the classes; if absent,
                           the whole file does */
    int64_t types, pad; /* pad 0 unless it says has_pad */
    bool has_pad;
    const char *eps_name; /* layer_norm_eps */
    const char *eps_gguf; /* attention.layer_norm_epsilon */
    double eps;           /* 1e-5 */
    const char *act_name; /* hidden_act */
    const char *act;      /* "gelu" */
    double rope_base;     /* 10000 */
    bool tied;
    /* For core/model/kinship.h, words between blanks: what the parts of a block are called, in
     * Hugging Face files and in GGUF, and the settings that not all architectures have. */
    const char *parts, *parts_gguf, *settings;
};

struct config {
    const char *type;       /* model_type or general.architecture: "bert", "llama" */
    const char *class_name; /* first of "architectures" ("BertForMaskedLM"), "" if absent */
    int64_t layers, heads, kv_heads, width, inner, vocab;
    int64_t context;          /* tokens of the longest text; 0: there is no limit */
    int64_t context_said;     /* the same as the file says it, before its rope stretches it */
    int64_t decoder_layers;   /* of an encoder-decoder; else 0 */
    int64_t head_width;       /* of one head; width / heads unless the file says otherwise */
    int64_t types;            /* token types (BERT) */
    double eps;               /* of the norms */
    struct rope rope;         /* as the file says, of whole heads; what an architecture turns in
                                 another way it says itself */
    const char *activation;   /* "gelu", "gelu_new", "relu", "silu" ... */
    bool tied;                /* head shares the embedding */
    int64_t bos, eos, pad;    /* token ids, -1: none */
    int64_t decoder_start;    /* the token that an encoder-decoder's decoder begins with */
    int64_t labels;           /* classes; 0: no classifier */
    const char **label_names; /* [labels] or NULL */
    const struct json *json;  /* config.json itself; NULL for GGUF */
    const struct gguf *gguf;  /* or the GGUF file's metadata */
    const char *gguf_type;    /* what GGUF's keys begin with */
    const char *file;         /* the file's path, for messages */
    struct arena *arena;      /* the model's */
};

/* `json_path` is the config.json's path (NULL for GGUF). Sizes out of bounds, missing or of the
 * wrong kind are ERR_FORMAT and name the field and its value. */
struct config *config_read(struct arena *arena, const struct weights *weights,
                           const char *json_path, struct err *err);

/* Whether the model reads texts of that many tokens. */
bool config_fits(const struct config *config, int64_t tokens);

/* What only one architecture has: a value by its name in config.json or in GGUF (a name with
 * '.' in front stands behind the type: ".attention.sliding_window"); NULL where that form has
 * no such value. Absent, or null: *value stays as it is. Of the wrong kind or out of bounds:
 * ERR_FORMAT. Returns -1 then, else 0. */
int config_whole(const struct config *config, const char *json, const char *gguf, int64_t least,
                 int64_t most, int64_t *value, struct err *err);
int config_real(const struct config *config, const char *json, const char *gguf, double least,
                double most, double *value, struct err *err);
int config_flag(const struct config *config, const char *json, const char *gguf, bool *value,
                struct err *err);
/* The text is the file's own. */
int config_text(const struct config *config, const char *json, const char *gguf,
                const char **value, struct err *err);

/* The configuration as it is read from one object of config.json ("rope_parameters"), or of one
 * of its objects if `within` is not NULL; NULL if it has no such object. Its sizes are the
 * whole's. */
struct config *config_inside(const struct config *config, const char *name, const char *within);

/* The file's rope where it turns only a part of each head: the base and the part (0..1) stand
 * in the object of rope parameters, else beside all else as `base_name` and `part_name`, else
 * the part is `part`. */
int config_rope_part(const struct config *config, const char *base_name, const char *part_name,
                     double part, struct rope *rope, struct err *err);

/* ERR_UNSUPPORTED if a flag of config.json, whose default is `known`, is set otherwise. */
int config_only(const struct config *config, const char *json, bool known, struct err *err);

/* ERR_UNSUPPORTED if position_embedding_type is given and not "absolute". */
int config_absolute(const struct config *config, struct err *err);

/* ERR_UNSUPPORTED unless the heads lie side by side in the width and each has its own keys and
 * values, as it is in all but newer networks; and unless the file is a config.json, not GGUF.
 */
int config_classic(const struct config *config, struct err *err);

#endif
