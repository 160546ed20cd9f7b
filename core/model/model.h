#ifndef CORE_MODEL_MODEL_H
#define CORE_MODEL_MODEL_H

#include <stdbool.h>

#include "core/model/config.h"
#include "core/model/endings.h"
#include "core/model/weights.h"
#include "core/tensor/tensor.h"
#include "core/text/chat.h"
#include "core/text/tokenizer.h"

/* model: weights, their meaning and a tokenizer; pass: one forward run; trace: what it kept.
 *
 * An architecture is one file with one table entry (ARCHES in core/files.am); all transformers
 * share one forward run (core/model/transformer.h). A forward run says visit(pass, SITE_...,
 * layer, tensor) where a value is born; keeping values, gradients, progress and interrupts hang
 * on that line. */

/* Named places in a network. Users see TransformerLens' names (site_name). */
enum site {
    SITE_EMBED,    /* [B, T, C] the word embedding alone */
    SITE_RESIDUAL, /* [B, T, C] residual stream: index l is the input of block l, index L the
                      last block's output, before any final norm */
    SITE_QUERY,    /* [B, T, H D] queries, keys and values as attention uses them (turned, */
    SITE_KEY,      /* normed); keys and values [B, T, groups D] */
    SITE_VALUE,
    SITE_ATTENTION, /* [B, H, T, S] attention pattern: probabilities, query then key (S is T,
                       or with a prefix more); masked places are exactly 0 */
    SITE_MIXED,     /* [B, T, H D] values mixed by the pattern, head by head ("z") */
    SITE_ATTENTION_OUT, /* [B, T, C] what attention adds to the stream */
    SITE_MIDDLE,        /* [B, T, C] residual stream between attention and feed-forward */
    SITE_NEURONS,       /* [B, T, F] feed-forward neurons, after their act (and gate) */
    SITE_MLP_OUT,       /* [B, T, C] what the feed-forward part adds to the stream */
    SITE_FINAL,         /* [B, T, C] what the head gets: after the final norm */
    SITE_LOGITS, /* [B, T, V], or [n, V] of wanted rows; a classifier's are [B, classes] */

    /* The decoder of an encoder-decoder: the same places in the same order. Its U tokens stand
     * for T above; SITE_LOGITS is the decoder's own. */
    SITE_DECODER,
    SITE_DECODER_EMBED = SITE_DECODER,
    SITE_DECODER_RESIDUAL,
    SITE_DECODER_QUERY,
    SITE_DECODER_KEY,
    SITE_DECODER_VALUE,
    SITE_DECODER_ATTENTION, /* [B, H, U, U] */
    SITE_DECODER_MIXED,
    SITE_DECODER_ATTENTION_OUT,
    SITE_DECODER_MIDDLE, /* between cross-attention and feed-forward */
    SITE_DECODER_NEURONS,
    SITE_DECODER_MLP_OUT,
    SITE_DECODER_FINAL,
    SITE_CROSS_ATTENTION, /* [B, H, U, T] */

    SITE_OUTPUT, /* [B, T, H] recurrent: what layer l gives at every token */
    SITE_CELL,   /* [B, T, H] LSTM: its cell states */
    SITE_COUNT
};

/* "blocks.3.attn.hook_pattern"; in the arena. */
const char *site_name(struct arena *arena, enum site site, int64_t layer);

struct model;
struct pass;
struct tape;
struct transformer;

struct arch {
    const char *name;       /* "bert": as config.json and GGUF call it */
    const char *summary;    /* one line for people */
    bool causal;            /* a token sees only what is before it */
    const enum site *sites; /* ends with SITE_COUNT */
    struct config_form form;
    /* Finds and checks every weight and keeps what forward needs in model->parts. */
    int (*open)(struct arena *arena, struct model *model, struct err *err);
    int (*forward)(const struct model *model, struct pass *pass, struct err *err);
    /* The word embeddings; NULL for transformers, which all have them in one place. */
    const struct tensor *(*words)(const struct model *model);
};

struct model {
    const struct arch *arch;
    const struct config *config;
    const struct weights *weights;
    const struct tokenizer *tokenizer; /* NULL if the file has none */
    const struct chat *chat; /* NULL: it has no chat template, or one that cannot be used: */
    const char *no_chat;     /* then why, in one sentence; NULL: it has none */
    const struct endings *endings; /* tokens with which it ends what it writes */
    const char *path;
    const char *dtype;  /* what most weights are stored as: "F32", "Q4_1" */
    int64_t parameters; /* numbers in all tensors, tied ones once */
    const char *task;   /* "encoder", "masked-lm", "classification", "causal-lm", "seq2seq-lm",
                           "encoder-decoder" or "decoder": those without a head of words */
    void *parts;        /* the architecture's own; of a transformer struct transformer */
};

/* Opens a folder, .safetensors or .gguf. What is not known says which known one is nearest. */
struct model *model_open(struct arena *arena, const char *path, struct err *err);

/* ERR_UNSUPPORTED, and what to do, if the model came without a tokenizer. */
int model_reads_text(const struct model *model, struct err *err);

/* What a model keeps of a text's first tokens, layer by layer, so that runs that begin with the
 * same tokens need not compute them again.
 *
 * Of an encoder-decoder it is the decoder's text, behind one source: the first run reads both,
 * later ones the decoder's tokens alone. */
struct prefix {
    struct arena *arena;
    int64_t tokens, room; /* P now; at most */
    int64_t runs;         /* that joined it */
    /* [layers] of [room, groups D]; keys are turned to their positions. Of a recurrent model
     * [2, H]: states and (LSTM) cells after the last token, in row `runs` % 2, so that a run
     * that is interrupted leaves them as they were. */
    float **keys, **values;
    struct across {
        struct tensor *key, *value; /* [S, groups D] of the source */
    } * across;                     /* [layers]; NULL without a decoder */
};
/* Whether it goes through a text forwards alone, and turns positions alike in texts of any
 * length. */
bool model_takes_prefix(const struct model *model);
struct prefix *prefix_new(struct arena *arena, const struct model *model, int64_t room);

/* One forward run over B texts padded on the right to T tokens. */
struct pass {
    struct arena *arena;        /* where kept values live: the cell's */
    int64_t batch, tokens;      /* B, T; T at least 1 */
    const int32_t *ids;         /* [B, T] */
    const uint8_t *mask;        /* [B, T] 1: a token, 0: padding; NULL: all are tokens */
    const int32_t *types;       /* [B, T] token types; NULL: all 0 */
    int64_t decoder_tokens;     /* U; encoder-decoder only: 0 runs the encoder alone */
    const int32_t *decoder_ids; /* [B, U] */
    bool keep[SITE_COUNT];      /* sites to keep, at every layer */
    /* NULL: kept values go to the trace. Else each is handed over as it is born and is gone
     * when this returns, so that a run holds one layer at a time; the trace stays empty. */
    void (*take)(void *arg, enum site site, int64_t layer, const struct tensor *value);
    void *take_arg;
    /* Only these rows (b T + t) of the logits, in this order: [wanted, V]. 0: all. Not for
     * classifiers. */
    const int64_t *wanted_rows;
    int64_t wanted;
    /* Starts at block `from` with this residual stream [B, T, C] in place of embeddings
     * (SITE_RESIDUAL at `from` of another run); NULL: at the beginning. */
    const struct tensor *stream;
    int64_t from;
    /* In place of ids: word embeddings [B, T, C] as SITE_EMBED has them (ids are still read
     * where positions depend on them). NULL: the ids' own. */
    const struct tensor *embeddings;
    /* Stands before every text; its tokens count towards the context. NULL: none. With
     * `extend` (B = 1) the run's own tokens join it. Of encoder-decoders and recurrent models
     * for B = 1 and without `record`. */
    struct prefix *prefix;
    bool extend;
    /* Remember what model_backward needs; `budget`: if more bytes would have to be kept, blocks
     * are computed again instead (0: no limit). */
    bool record;
    int64_t budget;
    void (*progress)(void *arg, int64_t done, int64_t of); /* NULL: nobody asks */
    void *progress_arg;

    struct trace *trace; /* made by model_run */
    struct tape *tape;   /* made by model_run: scratch; without `record` gone when it returns */
    bool again;          /* blocks are computed again instead of remembered */
    enum site stack;     /* for architectures: 0 or SITE_DECODER, added to the site visited */
};

struct trace {
    const struct model *model;
    int64_t batch, tokens;
    int64_t layers;                        /* of an encoder-decoder those of its longer stack */
    struct tensor **values[SITE_COUNT];    /* [layers + 1] each, NULL where not kept */
    struct tensor **gradients[SITE_COUNT]; /* the same; filled by model_backward */
    struct recording *recording;           /* pass.c's own; NULL: the run did not record */
};

/* Runs the model. Logits are computed only when kept. Checks ids against the vocabulary and T
 * against the context (ERR_TEXT says both numbers). Stops at an interrupt between layers. */
struct trace *model_run(const struct model *model, struct pass *pass, struct err *err);

/* Frees a recording before the pass's arena does; kept values and gradients stay. */
void trace_forget(struct trace *trace);

/* A gradient to start from: that of the target with respect to a visited value. */
struct seed {
    enum site site;
    int64_t layer;
    const struct tensor *gradient; /* [S, shape of the value] */
};

struct backward {
    int64_t seeds;           /* S: targets that go backward together; 0 means 1 */
    const struct seed *from; /* [count]; their gradients add up */
    int64_t count;
    bool want[SITE_COUNT]; /* -> trace->gradients[site][layer], [S, shape of the value] */
    /* NULL, or called with the gradient of every parameter as the file names it, each once,
     * when it is complete; gone when this returns. S = 1. Parameters that the target does not
     * depend on are left out. `asks` NULL: all.
     *
     * It is called where model_backward was, between two steps, when no other thread works: it
     * may use pool_for itself, allocate from arenas of its own, throw, and change the gradient.
     * The numbers lie close together as float32, in the parameter's own shape, and mostly still
     * in a cache. It may not go back through the same trace. */
    void (*parameter)(void *arg, const char *name, const struct tensor *gradient);
    bool (*asks)(void *arg, const char *name);
    void *arg;
};

/* Gradients through a recorded run, by its tape; may be called again with other seeds (which
 * replaces trace->gradients). Seeds and wanted sites are such as the run kept; ERR_SHAPE names
 * one that it did not, or whose gradient has another shape. What the pass pointed to (ids,
 * mask, embeddings, prefix) must still be there. */
int model_backward(struct trace *trace, const struct backward *ask, struct err *err);

/* The kept value, NULL if it was not kept. Layer is 0 for sites that have only one. */
struct tensor *trace_at(const struct trace *trace, enum site site, int64_t layer);
struct tensor *trace_gradient(const struct trace *trace, enum site site, int64_t layer);

/* The table of word embeddings that SITE_EMBED has rows of. */
const struct tensor *model_words(const struct model *model);

/* Numbers in a token's vector at SITE_FINAL: the width, but where OPT goes back from its own to
 * that of the words. */
int64_t model_final_width(const struct model *model);

/* Whether the model is an encoder with a decoder, whose runs take a second text. */
bool model_decodes(const struct model *model);

/* Whether the tensor of the model's file is a parameter that counts, as PyTorch counts them:
 * floats; no masks or frequencies; no head that is the word embedding once more. */
bool model_counts(const struct model *model, const struct tensor *tensor);

/* Whether the architecture has the site. */
bool model_has(const struct model *model, enum site site);

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
