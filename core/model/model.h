#ifndef CORE_MODEL_MODEL_H
#define CORE_MODEL_MODEL_H

#include <stdbool.h>

#include "core/model/config.h"
#include "core/model/weights.h"
#include "core/tensor/tensor.h"
#include "core/text/tokenizer.h"

/* model: weights, their meaning and a tokenizer; pass: one forward run; trace: what it kept.
 *
 * An architecture is one file with one table entry (ARCHES in core/files.am). Its forward
 * function says visit(pass, SITE_..., layer, tensor) where a value is born; keeping values,
 * progress and interrupts hang on that line, and edits and gradients will. */

/* Named places in a network. Users see TransformerLens' names (site_name). */
enum site {
    SITE_EMBED,     /* [B, T, C] the word embedding alone */
    SITE_RESIDUAL,  /* [B, T, C] residual stream: index l is the input of block l, index L the
                       last block's output, before any final norm */
    SITE_ATTENTION, /* [B, H, T, T] attention pattern: probabilities, query then key; masked
                       places are exactly 0 */
    SITE_FINAL,     /* [B, T, C] what the head gets: after the final norm */
    SITE_LOGITS,    /* [B, T, V]; a classifier's are [B, classes] */
    SITE_COUNT
};

/* "blocks.3.attn.hook_pattern"; in the arena. */
const char *site_name(struct arena *arena, enum site site, int64_t layer);

struct model;
struct pass;
struct tape;

struct arch {
    const char *name;       /* "bert": as config.json and GGUF call it */
    const char *summary;    /* one line for people */
    bool causal;            /* a token sees only what is before it */
    const enum site *sites; /* ends with SITE_COUNT */
    /* Finds and checks every weight and keeps what forward needs in model->parts. */
    int (*open)(struct arena *arena, struct model *model, struct err *err);
    int (*forward)(const struct model *model, struct pass *pass, struct err *err);
};

struct model {
    const struct arch *arch;
    const struct config *config;
    const struct weights *weights;
    const struct tokenizer *tokenizer; /* NULL if the file has none */
    const char *path;
    const char *dtype;  /* what most weights are stored as: "F32", "Q4_1" */
    int64_t parameters; /* numbers in all tensors, tied ones once */
    const char *task;   /* "encoder", "masked-lm", "classification", "causal-lm", or "decoder":
                           one   without a head of words */
    void *parts;        /* the architecture's own */
};

/* Opens a folder, .safetensors or .gguf. What is not known says which known one is nearest. */
struct model *model_open(struct arena *arena, const char *path, struct err *err);

/* One forward run over B texts padded on the right to T tokens. */
struct pass {
    struct arena *arena;   /* where kept values live: the cell's */
    int64_t batch, tokens; /* B, T; T at least 1 */
    const int32_t *ids;    /* [B, T] */
    const uint8_t *mask;   /* [B, T] 1: a token, 0: padding; NULL: all are tokens */
    const int32_t *types;  /* [B, T] token types; NULL: all 0 */
    bool keep[SITE_COUNT]; /* sites to keep, at every layer */
    /* NULL: kept values go to the trace. Else each is handed over as it is born and is gone
     * when this returns, so that a run holds one layer at a time; the trace stays empty. */
    void (*take)(void *arg, enum site site, int64_t layer, const struct tensor *value);
    void *take_arg;
    struct trace *trace; /* made by model_run */
    struct tape *tape;   /* made by model_run: scratch, gone when it returns */
    void (*progress)(void *arg, int64_t done, int64_t of); /* NULL: nobody asks */
    void *progress_arg;
};

struct trace {
    const struct model *model;
    int64_t batch, tokens, layers;
    struct tensor **values[SITE_COUNT]; /* [layers + 1] each, NULL where not kept */
};

/* Runs the model. Logits are computed only when kept. Checks ids against the vocabulary and T
 * against the context (ERR_TEXT says both numbers). Stops at an interrupt between layers. */
struct trace *model_run(const struct model *model, struct pass *pass, struct err *err);

/* The kept value, NULL if it was not kept. Layer is 0 for sites that have only one. */
struct tensor *trace_at(const struct trace *trace, enum site site, int64_t layer);

/* For architectures: a value is born. Copies it to the trace if it is wanted; also where the
 * interrupt is looked at and progress is told. */
void visit(struct pass *pass, enum site site, int64_t layer, const struct tensor *value);
/* The same for a value of one row a token, [B T, C], which is kept as [B, T, C]. */
void visit_rows(struct pass *pass, enum site site, int64_t layer, const struct tensor *value);
/* Where a wanted value can be made at once, so that visit need not copy it: the trace's own
 * tensor (scratch, where values are taken), its numbers not set yet. NULL if nobody wants it.
 * Say visit when they are. */
struct tensor *visit_place(struct pass *pass, enum site site, int64_t layer, int rank,
                           const int64_t *shape);
/* Whether the pass wants the site, so that a value nobody wants need not be made. */
bool visit_wants(const struct pass *pass, enum site site);

/* ---- finding models by name (core/model/find.c) ----
 * A name is a folder or a .gguf/.safetensors file (without its ending) in one of: the folders
 * of CUTAWAY_MODELS (':' between them), models/ beside the program,
 * ~/.local/share/cutaway/models (XDG_DATA_HOME), DATADIR/cutaway/models, and the Hugging Face
 * hub's cache ("org/name"; HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME as huggingface_hub reads
 * them). A name in CUTAWAY_MODELS, which the user chose, hides the same name elsewhere; two
 * among the chosen, or two elsewhere, are refused with both paths. */
struct found {
    const char *name, *path;
    const char *where; /* "models folder" or "hub cache" */
};
struct found *find_models(struct arena *arena, int64_t *count);

/* A path as it is (but for ~/) if it names something that exists, else the path of a model of
 * that name. NULL with ERR_MODEL: what was looked for, the nearest name, what there is; for two
 * models of that name both paths. */
const char *find_model(struct arena *arena, const char *name_or_path, struct err *err);

#endif
