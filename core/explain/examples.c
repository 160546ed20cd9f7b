#include "core/explain/examples.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/random.h"
#include "core/explain/question.h"
#include "core/explain/target.h"
#include "core/text/pieces.h"

enum { LOGITS = 1 << 26 /* floats of a batch's logits */, TOKENS = 8192 };

/* One text on its way into a batch. */
struct one {
    const struct encoding *encoding, *target; /* target NULL: none */
    int32_t label;                            /* a classifier's */
    int64_t mask_at;                          /* place of a typed mask; -1: none */
    const char *bytes;
};

struct reading {
    struct arena *arena;
    const struct model *model;
    const struct examples_request *request;
    bool classifies, decodes, masks; /* by the model's task */
    int32_t mask;
    struct one *texts;
};

/* ---- what the model is trained on ---- */

static int32_t mask_of(const struct model *model) {
    static const char *const spellings[] = { "[MASK]", "<mask>" };
    int32_t id = -1;
    for (size_t i = 0; i < 2 && id < 0; i++) {
        id = tokenizer_id(model->tokenizer, spellings[i]);
    }
    return id;
}

static int task_read(struct reading *reading, struct err *err) {
    const struct model *model = reading->model;
    if (model_reads_text(model, err) < 0) {
        return err_pass(err);
    }
    reading->classifies = strcmp(model->task, "classification") == 0;
    reading->decodes = strcmp(model->task, "seq2seq-lm") == 0;
    reading->masks = strcmp(model->task, "masked-lm") == 0;
    if (!reading->classifies && !reading->decodes && !reading->masks &&
        strcmp(model->task, "causal-lm") != 0) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "this model (%s, %s) has no head, so there is no loss and no logit whose "
            "gradient could be taken: load one with a head (a causal or masked "
            "language model, a classifier), such as %%model new lstm",
            model->arch->name, model->task);
    }
    reading->mask = reading->masks ? mask_of(model) : -1;
    return 0;
}

static int class_find(const struct config *config, const char *word) {
    char *end;
    long number = strtol(word, &end, 10);
    for (int64_t i = 0; config->label_names && i < config->labels; i++) {
        if (strcmp(config->label_names[i], word) == 0) {
            return (int)i;
        }
    }
    return *word && *end == '\0' && number >= 0 && number < config->labels ? (int)number : -1;
}

static int class_refuse(struct arena *arena, const struct config *config, const char *word,
                        struct err *err) {
    char quoted[60];
    const char *names = "";
    for (int64_t i = 0; config->label_names && i < config->labels && i < 6; i++) {
        names = arena_printf(arena, "%s%s%s", names, i ? ", " : ": ", config->label_names[i]);
    }
    return err_set(err, ERR_TEXT,
                   "there is no class %s: this model has %lld classes, 0 to %lld%.200s",
                   err_quote(quoted, sizeof quoted, word, strlen(word)),
                   (long long)config->labels, (long long)config->labels - 1, names);
}

int64_t examples_target(struct arena *arena, const struct model *model, const char *word,
                        struct err *err) {
    struct target target;
    char quoted[60];
    int class =
        strcmp(model->task, "classification") == 0 ? class_find(model->config, word) : -1;
    if (class >= 0) {
        return class;
    }
    if (target_find(arena, model, word, &target, err) < 0) {
        return err_pass(err);
    }
    if (target.count == 0) {
        return err_set(err, ERR_OPTION,
                       "a gradient is of one token or class that is named, or #ID (%%%%predict "
                       "shows the most probable)");
    }
    if (target.pieces > 1) {
        return err_set(err, ERR_OPTION,
                       "%s is %lld tokens of this model; a target is one: take its first "
                       "part, or #ID (%%%%tokens shows both)",
                       err_quote(quoted, sizeof quoted, word, strlen(word)),
                       (long long)target.pieces);
    }
    return target.ids[0];
}

/* ---- one text ---- */

/* "left >> right": where the sign is; NULL: not there. */
static const char *sign_in(const struct example_text *text) {
    return memmem(text->bytes, text->length, ">>", 2);
}

static size_t trimmed(const char *bytes, size_t length) {
    while (length > 0 && (bytes[length - 1] == ' ' || bytes[length - 1] == '\t')) {
        length--;
    }
    return length;
}

/* The part after the sign: a class, or the target's tokens. */
static int right_read(const struct reading *reading, struct one *one, const char *right,
                      size_t length, struct err *err) {
    while (length > 0 && *right == ' ') {
        right++;
        length--;
    }
    length = trimmed(right, length);
    const char *word = arena_text(reading->arena, right, length);
    if (reading->classifies) {
        one->label = class_find(reading->model->config, word);
        return one->label >= 0
                   ? 0
                   : class_refuse(reading->arena, reading->model->config, word, err);
    }
    one->target = tokenizer_encode(reading->arena, reading->model->tokenizer, right, length,
                                   NULL, 0, true, err);
    return one->target ? 0 : err_pass(err);
}

static int one_read(const struct reading *reading, int64_t index, struct err *err) {
    const struct example_text *text = &reading->request->texts[index];
    struct one *one = &reading->texts[index];
    const char *sign = reading->classifies || reading->decodes ? sign_in(text) : NULL;
    size_t length = sign ? trimmed(text->bytes, (size_t)(sign - text->bytes)) : text->length;
    *one = (struct one){ .label = QUESTION_NONE, .mask_at = -1, .bytes = text->bytes };
    one->encoding = tokenizer_encode(reading->arena, reading->model->tokenizer, text->bytes,
                                     length, NULL, 0, true, err);
    if (!one->encoding) {
        return err_pass(err);
    }
    if (sign && right_read(reading, one, sign + 2,
                           text->length - (size_t)(sign + 2 - text->bytes), err) < 0) {
        return err_pass(err);
    }
    if (one->encoding->count == 0) {
        return err_set(err, ERR_TEXT, "this text has no tokens: write some words");
    }
    if (!config_fits(reading->model->config, one->encoding->count)) {
        return err_set(err, ERR_TEXT,
                       "the text has %lld tokens and this model reads at most %lld; shorten it",
                       (long long)one->encoding->count,
                       (long long)reading->model->config->context);
    }
    if (reading->decodes && !one->target) {
        return err_set(err, ERR_TEXT,
                       "this model turns one text into another: write source >> target");
    }
    for (int64_t t = 0; reading->masks && t < one->encoding->count; t++) {
        one->mask_at = one->encoding->tokens[t].id == reading->mask ? t : one->mask_at;
    }
    if (reading->masks && reading->request->target && one->mask_at < 0) {
        return err_set(err, ERR_TEXT,
                       "--target is read where the text has its mask: write %s in it",
                       tokenizer_spelling(reading->model->tokenizer, reading->mask));
    }
    return 0;
}

/* ---- batches ---- */

/* Masks some of a text's tokens, whose ids become labels. */
static void mask_some(const struct reading *reading, const struct one *one, int64_t index,
                      int32_t *ids, int32_t *labels) {
    struct random all = random_new(reading->request->seed);
    struct random mine = random_split(&all, (uint64_t)index);
    int64_t whole = 0, seen = 0;
    for (int64_t t = 0; t < one->encoding->count; t++) {
        whole += !one->encoding->tokens[t].special;
    }
    int64_t sure = whole > 0 ? (int64_t)random_below(&mine, (uint64_t)whole) : -1;
    for (int64_t t = 0; t < one->encoding->count; t++) {
        if (!one->encoding->tokens[t].special && (random_unit(&mine) < 0.15 || seen == sure)) {
            labels[t] = ids[t];
            ids[t] = reading->mask;
        }
        seen += !one->encoding->tokens[t].special;
    }
}

static void decoder_fill(const struct reading *reading, const struct one *one,
                         struct examples *to, int64_t b) {
    int32_t *ids = to->decoder_ids + b * to->decoder_tokens, *labels = to->labels;
    labels += b * to->decoder_tokens;
    ids[0] = (int32_t)reading->model->config->decoder_start;
    for (int64_t t = 0; t < one->target->count; t++) {
        labels[t] = one->target->tokens[t].id;
        if (t + 1 < to->decoder_tokens) {
            ids[t + 1] = labels[t];
        }
    }
    to->at[b] = b * to->decoder_tokens + (one->target->count > 0 ? one->target->count - 1 : 0);
}

static void text_fill(const struct reading *reading, int64_t index, struct examples *to,
                      int64_t b) {
    const struct one *one = &reading->texts[index];
    int64_t n = one->encoding->count, first = b * to->tokens;
    for (int64_t t = 0; t < n; t++) {
        to->ids[first + t] = one->encoding->tokens[t].id;
        to->types[first + t] = one->encoding->tokens[t].type;
        to->mask[first + t] = 1;
    }
    to->lengths[b] = n;
    if (reading->classifies) {
        to->labels[b] = one->label;
        to->at[b] = b;
    } else if (reading->decodes) {
        decoder_fill(reading, one, to, b);
    } else {
        for (int64_t t = 0; !reading->masks && t + 1 < n; t++) {
            to->labels[first + t] = to->ids[first + t + 1];
        }
        to->at[b] = first + (one->mask_at >= 0 ? one->mask_at : n - 1);
        if (reading->masks && one->mask_at < 0 && reading->mask >= 0) {
            mask_some(reading, one, index, to->ids + first, to->labels + first);
        }
    }
}

static struct examples batch_make(const struct reading *reading, int64_t begin, int64_t end) {
    struct arena *arena = reading->arena;
    struct examples to = { .batch = end - begin };
    for (int64_t i = begin; i < end; i++) {
        const struct one *one = &reading->texts[i];
        to.tokens = one->encoding->count > to.tokens ? one->encoding->count : to.tokens;
        int64_t target = one->target && reading->decodes ? one->target->count : 0;
        target += reading->decodes && target == 0;
        to.decoder_tokens = target > to.decoder_tokens ? target : to.decoder_tokens;
    }
    to.rows = reading->classifies ? to.batch
              : reading->decodes  ? to.batch * to.decoder_tokens
                                  : to.batch * to.tokens;
    to.ids = arena_array(arena, to.batch * to.tokens, sizeof *to.ids);
    to.types = arena_array(arena, to.batch * to.tokens, sizeof *to.types);
    to.mask = arena_array(arena, to.batch * to.tokens, sizeof *to.mask);
    to.decoder_ids =
        arena_array(arena, to.batch * to.decoder_tokens + 1, sizeof *to.decoder_ids);
    to.labels = arena_array(arena, to.rows, sizeof *to.labels);
    to.at = arena_array(arena, to.batch, sizeof *to.at);
    to.lengths = arena_array(arena, to.batch, sizeof *to.lengths);
    for (int64_t r = 0; r < to.rows; r++) {
        to.labels[r] = QUESTION_NONE;
    }
    for (int64_t b = 0; b < to.batch; b++) {
        text_fill(reading, begin + b, &to, b);
    }
    for (int64_t r = 0; r < to.rows; r++) {
        to.scored += to.labels[r] != QUESTION_NONE;
    }
    to.pieces = pieces_labels(arena, reading->model->tokenizer, reading->texts[begin].encoding,
                              reading->texts[begin].bytes);
    return to;
}

/* How many texts from `begin` on go together. */
static int64_t batch_end(const struct reading *reading, int64_t begin) {
    int64_t longest = 0, end = begin, vocab = reading->model->config->vocab;
    int64_t width = reading->classifies ? 1 : vocab;
    while (end < reading->request->count) {
        const struct one *one = &reading->texts[end];
        int64_t n = one->encoding->count;
        n = one->target && one->target->count > n ? one->target->count : n;
        n = n > longest ? n : longest;
        if (end > begin &&
            (n * (end - begin + 1) > TOKENS || n * (end - begin + 1) > LOGITS / width)) {
            break;
        }
        longest = n;
        end++;
    }
    return end;
}

struct examples *examples_read(struct arena *arena, const struct model *model,
                               const struct examples_request *request, int64_t *count,
                               int64_t *bad, struct err *err) {
    struct reading reading = { .arena = arena, .model = model, .request = request };
    *count = 0;
    *bad = -1;
    if (task_read(&reading, err) < 0) {
        return NULL;
    }
    reading.texts = arena_array(arena, request->count, sizeof *reading.texts);
    for (int64_t i = 0; i < request->count; i++) {
        if (one_read(&reading, i, err) < 0) {
            *bad = i;
            return NULL;
        }
    }
    struct examples *all = arena_array(arena, request->count, sizeof *all);
    for (int64_t at = 0; at < request->count; (*count)++) {
        int64_t end = batch_end(&reading, at);
        all[*count] = batch_make(&reading, at, end);
        at = end;
    }
    return all;
}
