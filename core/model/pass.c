#include <string.h>

#include "core/base/catch.h"
#include "core/base/checked.h"
#include "core/base/guard.h"
#include "core/model/need.h"
#include "core/model/recording.h"
#include "core/model/transformer.h"
#include "core/tensor/op.h"

/* ---- what the caller gives, checked here once, so that no operation has to ---- */

static int check_ids(const int32_t *ids, int64_t n, int64_t tokens, int64_t vocab,
                     struct err *err) {
    for (int64_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= vocab) {
            return err_set(
                err, ERR_TEXT,
                "token id %d at position %lld is not in the vocabulary of %lld tokens",
                (int)ids[i], (long long)(i % tokens), (long long)vocab);
        }
    }
    return 0;
}

static int check_types(const struct config *config, const struct pass *pass, int64_t n,
                       struct err *err) {
    int64_t types = config->types > 0 ? config->types : 1; /* 0 also means: all are alike */
    for (int64_t i = 0; pass->types && i < n; i++) {
        if (pass->types[i] < 0 || pass->types[i] >= types) {
            return err_set(err, ERR_TEXT, "token type %d at position %lld; this model has %lld",
                           (int)pass->types[i], (long long)(i % pass->tokens),
                           (long long)types);
        }
    }
    return 0;
}

static int check_tokens(const struct config *config, int64_t tokens, struct err *err) {
    if (!config_fits(config, tokens)) {
        return err_set(err, ERR_TEXT,
                       "the text has %lld tokens and this model reads at most %lld; shorten it",
                       (long long)tokens, (long long)config->context);
    }
    return 0;
}

/* Whether a prefix can stand before many texts, and gradients go through it: it is keys and
 * values of the one stack. */
static bool has_shared_prefix(const struct model *model) {
    return model->arch->forward == transformer_forward && !model_decodes(model);
}

static int check_prefix(const struct model *model, const struct pass *pass, struct err *err) {
    const struct prefix *prefix = pass->prefix;
    if (!prefix) {
        return 0;
    }
    if (!model_takes_prefix(model)) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "a prefix needs a model that reads forwards and whose rotary positions do not "
            "depend on the length of the text, which this %s is not",
            model->arch->name);
    }
    int64_t tokens = model_decodes(model) ? pass->decoder_tokens : pass->tokens;
    if (tokens < 1) {
        return err_set(err, ERR_SHAPE,
                       "a prefix of this %s is its decoder's text, of which there is none",
                       model->arch->name);
    }
    if (pass->extend && (pass->batch != 1 || prefix->room - prefix->tokens < tokens)) {
        return err_set(
            err, ERR_SHAPE,
            "%lld texts of %lld tokens cannot join a prefix of %lld tokens with room "
            "for %lld; one text that fits can",
            (long long)pass->batch, (long long)tokens, (long long)prefix->tokens,
            (long long)prefix->room);
    }
    if (!has_shared_prefix(model) && (pass->batch != 1 || pass->record)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "a prefix of this %s is one text's own, and goes on without gradients",
                       model->arch->name);
    }
    return check_tokens(model->config, prefix->tokens + tokens, err);
}

/* Values that stand in for computed ones: [B, T, width]; a width of -1 is any. */
static int check_given(const struct pass *pass, const struct tensor *given, int64_t width,
                       const char *what, struct err *err) {
    char text[100];
    if (given &&
        (given->dtype != DTYPE_F32 || given->rank != 3 || given->shape[0] != pass->batch ||
         given->shape[1] != pass->tokens || (width >= 0 && given->shape[2] != width))) {
        return err_set(err, ERR_SHAPE, "the %s given are %s; [%lld, %lld, %lld] is wanted",
                       what, tensor_shape_text(given, text), (long long)pass->batch,
                       (long long)pass->tokens, (long long)width);
    }
    return 0;
}

static int check_rows(const struct pass *pass, struct err *err) {
    int64_t tokens = pass->decoder_tokens > 0 ? pass->decoder_tokens : pass->tokens;
    for (int64_t i = 0; i < pass->wanted; i++) {
        if (pass->wanted_rows[i] < 0 || pass->wanted_rows[i] >= pass->batch * tokens) {
            return err_set(err, ERR_SHAPE,
                           "the logits of row %lld are wanted; there are %lld rows",
                           (long long)pass->wanted_rows[i], (long long)(pass->batch * tokens));
        }
    }
    return 0;
}

static int check_resumption(const struct model *model, const struct pass *pass,
                            struct err *err) {
    const struct config *config = model->config;
    if (pass->stream && (pass->from < 0 || pass->from > config->layers)) {
        return err_set(err, ERR_SHAPE, "a run cannot resume at block %lld of %lld",
                       (long long)pass->from, (long long)config->layers);
    }
    if (pass->stream && model->arch->forward != transformer_forward) {
        return err_set(err, ERR_UNSUPPORTED, "a run of %s cannot resume at a layer",
                       model->arch->name);
    }
    if (pass->stream && pass->from > 0 && pass->prefix && pass->extend) {
        return err_set(err, ERR_UNSUPPORTED,
                       "a run that resumes at block %lld has no keys of the blocks before, so "
                       "its tokens cannot join a prefix",
                       (long long)pass->from);
    }
    return check_given(pass, pass->stream, config->width, "residual streams", err);
}

static int check(const struct model *model, const struct pass *pass, struct err *err) {
    const struct config *config = model->config;
    int64_t count, more;
    if (pass->tokens < 1 || pass->batch < 1) {
        return err_set(err, ERR_TEXT, "the text has no tokens; at least one is needed");
    }
    if (check_tokens(config, pass->tokens, err) < 0) {
        return -1;
    }
    if (!ck_mul(pass->batch, pass->tokens, &count) ||
        !ck_mul(pass->batch, pass->decoder_tokens, &more)) {
        return err_set(err, ERR_TEXT, "%lld texts are too many", (long long)pass->batch);
    }
    bool good =
        check_ids(pass->ids, count, pass->tokens, config->vocab, err) == 0 &&
        check_ids(pass->decoder_ids, more, pass->decoder_tokens, config->vocab, err) == 0 &&
        check_types(config, pass, count, err) == 0 && check_prefix(model, pass, err) == 0 &&
        check_rows(pass, err) == 0 && check_resumption(model, pass, err) == 0;
    if (!good) {
        return -1;
    }
    const struct tensor *words = model_words(model);
    return check_given(pass, pass->embeddings, words ? words->shape[1] : -1, "embeddings", err);
}

/* ---- the run ---- */

/* Makes room for n times `each` floats in one piece, which the arena keeps and takes next: a
 * page fault for 2 MB is cheaper than 512 for 4 kB. */
static void reserve(struct arena *arena, int64_t n, int64_t each) {
    int64_t floats, bytes;
    struct arena_mark mark = arena_mark(arena);
    if (ck_mul(n, each, &floats) && ck_mul(floats, sizeof(float), &bytes)) {
        arena_raw(arena, (size_t)bytes);
        arena_rewind(arena, mark);
    }
}

/* Scratch for one layer, and what is kept of all of them with a little that lies between.
 * Values that are taken at once are scratch. */
static void reserve_all(struct arena *scratch, const struct pass *pass,
                        const struct config *config) {
    int64_t rows = pass->batch * pass->tokens, layer = 10 * config->width + 2 * config->inner;
    int64_t pattern = pass->keep[SITE_ATTENTION] ? config->heads * pass->tokens : 0;
    int64_t states = pass->keep[SITE_RESIDUAL] ? (config->layers + 1) * config->width : 0;
    if (pass->take) {
        reserve(scratch, rows, layer + pattern);
    } else {
        reserve(scratch, rows, layer);
        reserve(pass->arena, rows, config->layers * pattern + states + config->width);
    }
}

static struct trace *trace_new(const struct model *model, const struct pass *pass) {
    struct trace *trace = arena_alloc(pass->arena, sizeof *trace);
    trace->model = model;
    trace->batch = pass->batch;
    trace->tokens = pass->tokens;
    trace->layers = model->config->layers > model->config->decoder_layers
                        ? model->config->layers
                        : model->config->decoder_layers;
    for (int site = 0; site < SITE_COUNT; site++) {
        if (pass->keep[site]) {
            trace->values[site] =
                arena_array(pass->arena, trace->layers + 1, sizeof(struct tensor *));
        }
    }
    return trace;
}

/* What remembers, and the pass as it will be when blocks run again. */
static struct recording *recording_new(struct pass *pass, struct arena **scratch) {
    struct recording *recording = arena_alloc(pass->arena, sizeof *recording);
    recording->scratch = scratch;
    for (int site = 0; site < SITE_COUNT; site++) {
        if (pass->keep[site]) {
            recording->passed[site] =
                arena_array(pass->arena, pass->trace->layers + 1, sizeof(struct passed));
        }
    }
    pass->trace->recording = recording;
    recording->pass = arena_alloc(pass->arena, sizeof *pass);
    *recording->pass = *pass;
    tape_record(pass->tape);
    return recording;
}

/* Floats that the operations of a block read of one token, about, when it sees `keys`. */
static double block_floats(const struct config *c, int64_t keys) {
    double heads = (double)(c->heads * c->head_width);
    return 4.0 * (double)c->width + 4.0 * heads + 4.0 * (double)c->inner +
           (double)c->heads * (double)keys;
}

/* Bytes that recording all of a run keeps, about. A decoder's block looks twice: at its own
 * tokens and, with keys and values of them, at the encoder's. */
static double record_bytes(const struct model *model, const struct pass *pass) {
    const struct config *c = model->config;
    int64_t past = pass->prefix ? pass->prefix->tokens : 0;
    double heads = (double)(c->heads * c->head_width), tokens = (double)pass->tokens;
    double block = tokens * block_floats(c, pass->tokens + past);
    double across =
        (double)pass->decoder_tokens * (block_floats(c, pass->tokens + pass->decoder_tokens) +
                                        2.0 * (double)c->width + 2.0 * heads) +
        tokens * 2.0 * heads;
    across = pass->decoder_tokens > 0 ? across * (double)c->decoder_layers : 0;
    return 4.0 * (double)pass->batch * (block * (double)c->layers + across);
}

/* Whether blocks are to be computed again instead of remembered. */
static bool beyond_budget(const struct model *model, const struct pass *pass) {
    return pass->record && pass->budget > 0 && model->arch->forward == transformer_forward &&
           record_bytes(model, pass) > (double)pass->budget;
}

static double recorded_bytes(const struct model *model, const struct pass *pass) {
    double all = pass->record ? record_bytes(model, pass) : 0;
    return beyond_budget(model, pass) ? (double)pass->budget : all;
}

static struct tape *run_tape(struct arena *scratch, const struct model *model,
                             const struct pass *pass) {
    int64_t queries = pass->tokens > pass->decoder_tokens ? pass->tokens : pass->decoder_tokens;
    int64_t keys = queries + (pass->prefix ? pass->prefix->tokens : 0);
    return tape_new(scratch,
                    op_attention_room(queries, keys, model->config->head_width, pass->record));
}

struct trace *model_run(const struct model *model, struct pass *pass, struct err *err) {
    if (check(model, pass, err) < 0 ||
        need_check(model, pass, recorded_bytes(model, pass), err) < 0) {
        return NULL;
    }
    struct trace *trace = pass->trace = trace_new(model, pass);
    /* The scratch goes when the run ends; when it ends by an interrupt, or recorded, with the
     * pass's arena. */
    struct arena **scratch = guard_arena(pass->arena);
    pass->tape = run_tape(*scratch, model, pass);
    pass->again = beyond_budget(model, pass);
    struct pass *own = pass;
    if (pass->record) {
        own = recording_new(pass, scratch)->pass;
    } else {
        reserve_all(*scratch, pass, model->config);
    }
    int failed = model->arch->forward(model, own, err);
    stop_check(); /* an interrupt may have left out part of the last product */
    pass->tape = NULL;
    if (!pass->record || failed < 0) {
        guard_free(scratch);
    }
    if (failed < 0) {
        err_pass(err);
        return NULL;
    }
    if (pass->prefix && pass->extend) {
        pass->prefix->tokens += pass->decoder_tokens > 0 ? pass->decoder_tokens : pass->tokens;
        pass->prefix->runs++;
    }
    return trace;
}

void trace_forget(struct trace *trace) {
    if (trace->recording) {
        guard_free(trace->recording->scratch);
        trace->recording = NULL;
    }
}

bool model_takes_prefix(const struct model *model) {
    if (model->arch->forward != transformer_forward) {
        return true;
    }
    const struct transformer *transformer = model->parts;
    const struct stack *stack =
        transformer->decoder ? transformer->decoder : &transformer->stack;
    return stack->causal && !rope_stretches(&stack->ropes[0]) &&
           !rope_stretches(&stack->ropes[1]);
}

struct prefix *prefix_new(struct arena *arena, const struct model *model, int64_t room) {
    const struct config *c = model->config;
    struct prefix *prefix = arena_alloc(arena, sizeof *prefix);
    bool recurrent = model->arch->forward != transformer_forward;
    int64_t layers = model_decodes(model) ? c->decoder_layers : c->layers, floats;
    int64_t row = recurrent ? c->width : c->kv_heads * c->head_width;
    if (room < 0 || !ck_mul(recurrent ? 2 : room, row, &floats)) {
        catch_throw(ERR_MEMORY, "a prefix of that many tokens is more than any machine holds");
    }
    *prefix = (struct prefix){ .arena = arena, .room = room };
    prefix->keys = arena_array(arena, layers, sizeof(float *));
    prefix->values = arena_array(arena, layers, sizeof(float *));
    for (int64_t l = 0; l < layers; l++) {
        prefix->keys[l] = arena_array(arena, floats, sizeof(float));
        prefix->values[l] = arena_array(arena, floats, sizeof(float));
    }
    if (model_decodes(model)) {
        prefix->across = arena_array(arena, layers, sizeof *prefix->across);
    }
    return prefix;
}
