#include "core/explain/attention.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/catch.h"
#include "core/text/pieces.h"

/* One text on its way through the model. */
struct look {
    struct arena *arena;
    const struct model *model;
    const struct attention_request *request;
    struct encoding *encoding;
    struct words *words; /* NULL: tokens are shown */
    int64_t tokens;      /* T of the model */
    int64_t size;        /* tokens or words: T of the result */
    const char **labels; /* [size] */
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int check_text(const struct model *model, const struct encoding *encoding,
                      struct err *err) {
    int64_t real = 0;
    for (int64_t i = 0; i < encoding->count; i++) {
        real += !encoding->tokens[i].special;
    }
    if (real == 0) {
        return err_set(err, ERR_TEXT, "the text is empty: write at least one word");
    }
    if (encoding->count > model->config->context) {
        return err_set(err, ERR_TEXT,
                       "the text has %lld tokens, but the model reads at most %lld: shorten it",
                       (long long)encoding->count, (long long)model->config->context);
    }
    return 0;
}

/* Tokenises and fills what does not need the model run. */
static int look_begin(struct look *look, const char *text, size_t length, struct err *err) {
    const struct tokenizer *tokenizer = look->model->tokenizer;
    if (!tokenizer) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the model has no tokenizer beside it, so it cannot read text: put its "
                       "tokenizer.json into its folder");
    }
    look->encoding = tokenizer_encode(look->arena, tokenizer, text, length, NULL, 0, true, err);
    if (!look->encoding || check_text(look->model, look->encoding, err) < 0) {
        return err_pass(err);
    }
    look->tokens = look->size = look->encoding->count;
    if (look->request->words) {
        look->words = words_of(look->arena, tokenizer, look->encoding, text, length);
        look->size = look->words->count;
        look->labels = look->words->labels;
        return 0;
    }
    look->labels = pieces_labels(look->arena, tokenizer, look->encoding, text);
    return 0;
}

void attention_join(const float *tokens, int64_t count, const struct words *words,
                    float *joined) {
    for (int64_t a = 0; a < words->count; a++) {
        for (int64_t b = 0; b < words->count; b++) {
            double sum = 0;
            for (int64_t q = words->begin[a]; q < words->end[a]; q++) {
                for (int64_t k = words->begin[b]; k < words->end[b]; k++) {
                    sum += (double)tokens[q * count + k];
                }
            }
            joined[a * words->count + b] =
                (float)(sum / (double)(words->end[a] - words->begin[a]));
        }
    }
}

static void close_arena(void *what) {
    arena_free(*(struct arena **)what);
}

/* Runs the model in an arena of its own, so that the whole trace is gone before the picture. */
static struct tensor *look_run(struct look *look, struct err *err) {
    const struct attention_request *request = look->request;
    int64_t n = look->size, t = look->tokens;
    struct tensor *out = tensor_new(
        look->arena, 4, (int64_t[]){ request->layer_count, request->head_count, n, n });
    struct arena **scratch = arena_alloc(look->arena, sizeof *scratch);
    arena_defer(look->arena, close_arena, scratch);
    *scratch = arena_new();
    int32_t *ids = arena_array(*scratch, t, sizeof *ids);
    for (int64_t i = 0; i < t; i++) {
        ids[i] = look->encoding->tokens[i].id;
    }
    struct pass pass = { .arena = *scratch, .batch = 1, .tokens = t, .ids = ids };
    pass.keep[SITE_ATTENTION] = true;
    const struct trace *trace = model_run(look->model, &pass, err);
    if (!trace) {
        err_pass(err);
        return NULL;
    }
    float *to = out->data;
    for (int64_t l = 0; l < request->layer_count; l++) {
        const float *layer = trace_at(trace, SITE_ATTENTION, request->layers[l])->data;
        for (int64_t h = 0; h < request->head_count; h++, to += n * n) {
            const float *head = layer + request->heads[h] * t * t;
            if (look->words) {
                attention_join(head, t, look->words, to);
            } else {
                memcpy(to, head, (size_t)(n * n) * sizeof *to);
            }
        }
        stop_check();
    }
    arena_free(*scratch);
    *scratch = NULL;
    return out;
}

double attention_pattern(const float *head, int64_t n, enum attention_kind kind) {
    double sum = 0;
    int64_t begin = kind == ATTENTION_NEXT ? 0 : 1, end = kind == ATTENTION_NEXT ? n - 1 : n;
    for (int64_t q = begin; q < end; q++) {
        int64_t k = kind == ATTENTION_PREVIOUS ? q - 1
                    : kind == ATTENTION_NEXT   ? q + 1
                    : kind == ATTENTION_SELF   ? q
                                               : 0;
        sum += (double)head[q * n + k];
    }
    return end > begin ? sum / (double)(end - begin) : 0;
}

/* ---- what is said about a result; it needs nothing but the result ---- */

static int64_t size_of(const struct result *result) {
    return result->series[0].axes[2].count;
}

static const char *unit_of(const struct result *result) {
    for (int64_t i = 0; i < result->note_count; i++) {
        if (strcmp(result->notes[i].key, "unit") == 0) {
            return result->notes[i].value;
        }
    }
    return "token";
}

/* Whether any place looks ahead; in a causal model those are exactly 0. */
static bool looks_ahead(const struct result *result) {
    int64_t n = size_of(result);
    const float *first_row = result->series[0].values->data;
    for (int64_t k = 1; k < n; k++) {
        if (first_row[k] > 0) {
            return true;
        }
    }
    return false;
}

static const char *number_at(struct arena *arena, const struct axis *axis, int64_t i) {
    return axis->labels ? axis->labels[i] : arena_printf(arena, "%lld", (long long)i);
}

/* "layer 4 head 11" and the mean weight of the head whose pattern of that kind is strongest. */
struct best {
    double value;
    const char *name;
};

static struct best strongest(struct arena *arena, const struct result *result,
                             enum attention_kind kind) {
    const struct series *series = &result->series[0];
    int64_t n = size_of(result), heads = series->axes[1].count, best = 0;
    double most = -1;
    for (int64_t i = 0; i < series->axes[0].count * heads; i++) {
        double value = attention_pattern(series->values->data + i * n * n, n, kind);
        if (value > most) {
            most = value;
            best = i;
        }
    }
    return (struct best){ most,
                          arena_printf(arena, "layer %s head %s",
                                       number_at(arena, &series->axes[0], best / heads),
                                       number_at(arena, &series->axes[1], best % heads)) };
}

static const char *finding_of_many(struct arena *arena, const struct result *result) {
    const char *unit = unit_of(result), *ahead = "";
    struct best first = strongest(arena, result, ATTENTION_FIRST);
    struct best previous = strongest(arena, result, ATTENTION_PREVIOUS);
    struct best self = strongest(arena, result, ATTENTION_SELF);
    if (looks_ahead(result)) {
        struct best next = strongest(arena, result, ATTENTION_NEXT);
        ahead = arena_printf(arena, ", the one after in %s (%.2f)", next.name, next.value);
    }
    return arena_printf(
        arena,
        "The first %s, %s, draws most in %s (mean weight %.2f), the %s before in %s "
        "(%.2f)%s, and the %s itself in %s (%.2f).",
        unit, result->series[0].axes[3].labels[0], first.name, first.value, unit, previous.name,
        previous.value, ahead, unit, self.name, self.value);
}

enum { LINKS = 3 };

/* Inserts a link into the strongest so far, largest first. */
static void keep_link(const float *head, int64_t links[LINKS], int64_t at) {
    for (int i = 0; i < LINKS; i++) {
        if (links[i] < 0 || head[at] > head[links[i]]) {
            for (int j = LINKS - 1; j > i; j--) {
                links[j] = links[j - 1];
            }
            links[i] = at;
            return;
        }
    }
}

/* The strongest links but those to the first place, which many heads use as a place to rest. */
static const char *finding_of_one(struct arena *arena, const struct result *result) {
    const float *head = result->series[0].values->data;
    const char **labels = result->series[0].axes[3].labels;
    int64_t n = size_of(result), links[LINKS] = { -1, -1, -1 };
    char text[LINKS * 120] = "";
    for (int64_t at = 0; at < n * n; at++) {
        if (at % n != 0) {
            keep_link(head, links, at);
        }
    }
    for (int i = 0; i < LINKS && links[i] >= 0; i++) {
        size_t used = strlen(text);
        char from[44], to[44];
        snprintf(
            text + used, sizeof text - used, "%s%s → %s (%.2f)", i ? ", " : "",
            err_quote(from, sizeof from, labels[links[i] / n], strlen(labels[links[i] / n])),
            err_quote(to, sizeof to, labels[links[i] % n], strlen(labels[links[i] % n])),
            (double)head[links[i]]);
    }
    return arena_printf(
        arena,
        "The strongest links are %s; the first %s, %s, gets %.0f %% of the others' "
        "weight.",
        text, unit_of(result), labels[0], attention_pattern(head, n, ATTENTION_FIRST) * 100);
}

static bool is_one_head(const struct result *result) {
    return result->series[0].axes[0].count == 1 && result->series[0].axes[1].count == 1;
}

/* "layer 5", "3 layers" or "all 6 layers" */
static const char *chosen(struct arena *arena, const struct axis *axis) {
    if (axis->count == 1) {
        return arena_printf(arena, "%s %s", axis->name, number_at(arena, axis, 0));
    }
    return arena_printf(arena, "%s%lld %ss", axis->labels ? "" : "all ", (long long)axis->count,
                        axis->name);
}

/* Title, finding, caption and the picture that suits. */
static void describe(struct arena *arena, struct result *result) {
    const struct axis *axes = result->series[0].axes;
    const char *unit = unit_of(result);
    result->kind = is_one_head(result) ? "heatmap" : "headgrid";
    result->title = arena_printf(arena, "Attention of %s, %s, %s", result->model,
                                 chosen(arena, &axes[0]), chosen(arena, &axes[1]));
    result->caption = arena_printf(arena,
                                   "Row: the %s that looks; column: the %s it looks at; each "
                                   "row sums to 1. It shows where a "
                                   "head reads from, not why the model answers as it does.",
                                   unit, unit);
    if (size_of(result) < 2) {
        result->finding =
            arena_printf(arena, "There is one %s, which can only look at itself.", unit);
    } else if (is_one_head(result)) {
        result->finding = finding_of_one(arena, result);
    } else {
        result->finding = finding_of_many(arena, result);
    }
}

/* Labels of `shown`, each of which is a number below `all`; NULL where all are shown. */
static const char **numbers(struct arena *arena, const int64_t *shown, int64_t count,
                            int64_t all) {
    if (count == all) {
        return NULL;
    }
    const char **labels = arena_array(arena, count, sizeof *labels);
    for (int64_t i = 0; i < count; i++) {
        labels[i] = arena_printf(arena, "%lld", (long long)shown[i]);
    }
    return labels;
}

static bool has_attention(const struct model *model, struct err *err) {
    for (const enum site *site = model->arch->sites; *site != SITE_COUNT; site++) {
        if (*site == SITE_ATTENTION) {
            return true;
        }
    }
    err_set(err, ERR_UNSUPPORTED, "a model of the kind %s has no attention to show",
            model->arch->name);
    return false;
}

struct result *attention(struct arena *arena, const struct model *model, const char *handle,
                         const char *text, size_t length,
                         const struct attention_request *request, struct err *err) {
    struct look look = { .arena = arena, .model = model, .request = request };
    const struct config *config = model->config;
    double began = now();
    if (!has_attention(model, err) || look_begin(&look, text, length, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct tensor *values = look_run(&look, err);
    if (!values) {
        err_pass(err);
        return NULL;
    }
    struct result *result = result_new(arena, "headgrid", 1);
    result->series[0] = (struct series){
        .name = "attention",
        .unit = "probability",
        .high = 1,
        .values = values,
        .axes = { { "layer", request->layer_count,
                    numbers(arena, request->layers, request->layer_count, config->layers) },
                  { "head", request->head_count,
                    numbers(arena, request->heads, request->head_count, config->heads) },
                  { "query", look.size, look.labels },
                  { "key", look.size, look.labels } },
    };
    result->text = arena_text(arena, text, length);
    result->model = arena_copy(arena, handle); /* it may outlive the model */
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = "attention pattern";
    result->dtype = arena_copy(arena, model->dtype);
    result_note(arena, result, "unit", request->words ? "word" : "token");
    describe(arena, result);
    result->seconds = now() - began;
    return result;
}

static const char **some_labels(struct arena *arena, const struct axis *axis,
                                const int64_t *shown, int64_t count) {
    if (!axis->labels) {
        return numbers(arena, shown, count, axis->count);
    }
    const char **labels = arena_array(arena, count, sizeof *labels);
    for (int64_t i = 0; i < count; i++) {
        labels[i] = axis->labels[shown[i]];
    }
    return labels;
}

struct result *attention_narrow(struct arena *arena, const struct result *whole,
                                const struct attention_request *request) {
    const struct series *from = &whole->series[0];
    int64_t n = from->axes[2].count, heads = from->axes[1].count;
    struct result *result = arena_alloc(arena, sizeof *result);
    *result = *whole;
    result->series = arena_alloc(arena, sizeof *result->series);
    result->series[0] = *from;
    struct series *to = &result->series[0];
    to->axes[0].labels =
        some_labels(arena, &from->axes[0], request->layers, request->layer_count);
    to->axes[1].labels =
        some_labels(arena, &from->axes[1], request->heads, request->head_count);
    to->axes[0].count = request->layer_count;
    to->axes[1].count = request->head_count;
    to->values =
        tensor_new(arena, 4, (int64_t[]){ request->layer_count, request->head_count, n, n });
    float *at = to->values->data;
    for (int64_t l = 0; l < request->layer_count; l++) {
        for (int64_t h = 0; h < request->head_count; h++, at += n * n) {
            memcpy(at,
                   from->values->data +
                       (request->layers[l] * heads + request->heads[h]) * n * n,
                   (size_t)(n * n) * sizeof *at);
        }
    }
    describe(arena, result);
    return result;
}
