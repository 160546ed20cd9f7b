#include "core/explain/attention.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/catch.h"

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
    look->labels = arena_array(look->arena, look->size, sizeof *look->labels);
    for (int64_t i = 0; i < look->size; i++) {
        look->labels[i] = tokenizer_label(look->arena, tokenizer, look->encoding->tokens[i].id);
    }
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

/* Labels of an axis that shows some of `all` numbers; NULL where it shows each of them. */
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

/* The head whose pattern of that kind is strongest. */
struct best {
    double value;
    int64_t layer, head;
};

static struct best strongest(const struct look *look, const struct tensor *values,
                             enum attention_kind kind) {
    const struct attention_request *request = look->request;
    struct best best = { -1, 0, 0 };
    const float *at = values->data;
    for (int64_t l = 0; l < request->layer_count; l++) {
        for (int64_t h = 0; h < request->head_count; h++, at += look->size * look->size) {
            double value = attention_pattern(at, look->size, kind);
            if (value > best.value) {
                best = (struct best){ value, request->layers[l], request->heads[h] };
            }
        }
    }
    return best;
}

static const char *unit_name(const struct look *look) {
    return look->words ? "word" : "token";
}

static const char *finding_of_many(const struct look *look, const struct tensor *values) {
    const char *unit = unit_name(look);
    if (look->size < 2) {
        return arena_printf(look->arena, "There is one %s, which can only look at itself.",
                            unit);
    }
    struct best first = strongest(look, values, ATTENTION_FIRST);
    struct best previous = strongest(look, values, ATTENTION_PREVIOUS);
    struct best self = strongest(look, values, ATTENTION_SELF);
    struct best next = strongest(look, values, ATTENTION_NEXT);
    const char *ahead = "";
    if (!look->model->arch->causal) {
        ahead =
            arena_printf(look->arena, ", layer %lld head %lld most at the one after it (%.2f)",
                         (long long)next.layer, (long long)next.head, next.value);
    }
    return arena_printf(look->arena,
                        "Layer %lld head %lld looks most of all at the first %s, %s (mean "
                        "weight %.2f), layer %lld "
                        "head %lld most at the %s before its own (%.2f)%s, layer %lld head "
                        "%lld most at its own "
                        "(%.2f).",
                        (long long)first.layer, (long long)first.head, unit, look->labels[0],
                        first.value, (long long)previous.layer, (long long)previous.head, unit,
                        previous.value, ahead, (long long)self.layer, (long long)self.head,
                        self.value);
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

static const char *finding_of_one(const struct look *look, const struct tensor *values) {
    const float *head = values->data;
    int64_t n = look->size, links[LINKS] = { -1, -1, -1 };
    char text[LINKS * 120] = "";
    if (n < 2) {
        return finding_of_many(look, values);
    }
    /* In a causal model the first token can only look at itself, which says nothing. */
    for (int64_t at = look->model->arch->causal ? n : 0; at < n * n; at++) {
        if (at % n != 0) {
            keep_link(head, links, at);
        }
    }
    for (int i = 0; i < LINKS && links[i] >= 0; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.40s → %.40s (%.2f)", i ? ", " : "",
                 look->labels[links[i] / n], look->labels[links[i] % n],
                 (double)head[links[i]]);
    }
    return arena_printf(
        look->arena,
        "The strongest links are %s; %.0f %% of the weight of the other %ss goes to "
        "the first, %s.",
        text, attention_pattern(head, n, ATTENTION_FIRST) * 100, unit_name(look),
        look->labels[0]);
}

/* "layer 5", "layers 0, 3", "all 6 layers" */
static const char *chosen(struct arena *arena, const char *what, const int64_t *list,
                          int64_t count, int64_t all) {
    if (count == 1) {
        return arena_printf(arena, "%s %lld", what, (long long)list[0]);
    }
    return count == all ? arena_printf(arena, "all %lld %ss", (long long)all, what)
                        : arena_printf(arena, "%lld %ss", (long long)count, what);
}

static void describe(struct look *look, struct result *result, const char *handle) {
    const struct attention_request *request = look->request;
    const struct config *config = look->model->config;
    struct arena *arena = look->arena;
    bool one = request->layer_count == 1 && request->head_count == 1;
    result->title = arena_printf(
        arena, "Attention of %s, %s, %s", handle,
        chosen(arena, "layer", request->layers, request->layer_count, config->layers),
        chosen(arena, "head", request->heads, request->head_count, config->heads));
    result->finding = one ? finding_of_one(look, result->series[0].values)
                          : finding_of_many(look, result->series[0].values);
    result->caption = arena_printf(
        arena,
        "Row: the %s that looks; column: the %s it looks at; each row sums to 1. It shows "
        "where a head reads from, not why the model answers as it does.",
        unit_name(look), unit_name(look));
    result->model = handle;
    result->fingerprint = look->model->weights->fingerprint;
    result->method = "attention pattern";
    result->dtype = look->model->dtype;
    result->seed = -1;
    result_note(arena, result, "unit", unit_name(look));
}

struct result *attention(struct arena *arena, const struct model *model, const char *handle,
                         const char *text, size_t length,
                         const struct attention_request *request, struct err *err) {
    struct look look = { .arena = arena, .model = model, .request = request };
    double began = now();
    if (look_begin(&look, text, length, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct tensor *values = look_run(&look, err);
    if (!values) {
        err_pass(err);
        return NULL;
    }
    const struct config *config = model->config;
    bool one = request->layer_count == 1 && request->head_count == 1;
    struct result *result = result_new(arena, one ? "heatmap" : "headgrid", 1);
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
    describe(&look, result, handle);
    result->seconds = now() - began;
    return result;
}
