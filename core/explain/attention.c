#include "core/explain/attention.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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
    bool *rests;         /* [size] */
    struct tensor *out;  /* [layers, heads, size, size] of those asked for */
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
    if (!config_fits(model->config, encoding->count)) {
        return err_set(err, ERR_TEXT,
                       "the text has %lld tokens, but the model reads at most %lld: shorten it",
                       (long long)encoding->count, (long long)model->config->context);
    }
    return 0;
}

/* Special tokens and the first place: where heads put the weight that they have no use for. */
static void mark_rests(struct look *look) {
    look->rests = arena_array(look->arena, look->size, sizeof *look->rests);
    for (int64_t i = 0; i < look->size; i++) {
        int64_t token = look->words ? look->words->begin[i] : i;
        look->rests[i] = i == 0 || look->encoding->tokens[token].special;
    }
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
    } else {
        look->labels = pieces_labels(look->arena, tokenizer, look->encoding, text);
    }
    mark_rests(look);
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

/* Copies what is asked for of one layer's heads; the rest is never kept. */
static void look_take(void *arg, enum site site, int64_t layer, const struct tensor *value) {
    const struct look *look = arg;
    const struct attention_request *request = look->request;
    int64_t n = look->size, t = look->tokens;
    (void)site; /* the pattern is all that the pass keeps */
    for (int64_t l = 0; l < request->layer_count; l++) {
        float *to = look->out->data + l * request->head_count * n * n;
        for (int64_t h = 0; request->layers[l] == layer && h < request->head_count; h++) {
            const float *head = value->data + request->heads[h] * t * t;
            if (look->words) {
                attention_join(head, t, look->words, to + h * n * n);
            } else {
                memcpy(to + h * n * n, head, (size_t)(n * n) * sizeof *to);
            }
        }
    }
}

/* Runs the model in an arena of its own, which is gone before the picture. */
static struct tensor *look_run(struct look *look, struct err *err) {
    const struct attention_request *request = look->request;
    int64_t n = look->size, t = look->tokens;
    look->out = tensor_new(look->arena, 4,
                           (int64_t[]){ request->layer_count, request->head_count, n, n });
    struct arena **scratch = arena_alloc(look->arena, sizeof *scratch);
    arena_defer(look->arena, close_arena, scratch);
    *scratch = arena_new();
    int32_t *ids = arena_array(*scratch, t, sizeof *ids);
    for (int64_t i = 0; i < t; i++) {
        ids[i] = look->encoding->tokens[i].id;
    }
    struct pass pass = { .arena = *scratch,
                         .batch = 1,
                         .tokens = t,
                         .ids = ids,
                         .take = look_take,
                         .take_arg = look };
    pass.keep[SITE_ATTENTION] = true;
    if (!model_run(look->model, &pass, err)) {
        err_pass(err);
        return NULL;
    }
    arena_free(*scratch);
    *scratch = NULL;
    return look->out;
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

static const char *unit_zh(const char *unit) {
    return strcmp(unit, "word") == 0 ? "词" : "词元";
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

/* A head that looks mainly where a kind of head does puts at least so much weight there. */
#define PATTERN_LEAST 0.3

/* Adds "layer 4 head 11 at the token before (0.83)", of the strongest head of that kind, if it
 * is strong. */
static const char *add_pattern(struct arena *arena, const char *said,
                               const struct result *result, enum attention_kind kind,
                               const char *what, bool zh) {
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
    if (most < PATTERN_LEAST) {
        return said;
    }
    const char *layer = number_at(arena, &series->axes[0], best / heads);
    const char *head = number_at(arena, &series->axes[1], best % heads);
    if (zh) {
        return arena_printf(arena, "%s%s第 %s 层第 %s 头主要看%s（平均权重 %.2f）", said,
                            *said ? "，" : "", layer, head, what, most);
    }
    return *said ? arena_printf(arena, "%s, layer %s head %s at the %s (%.2f)", said, layer,
                                head, what, most)
                 : arena_printf(arena, "Layer %s head %s looks at the %s (mean weight %.2f)",
                                layer, head, what, most);
}

static bool rests_at(const struct result *result, int64_t place) {
    const bool *rests = result->series[0].rests;
    return rests ? rests[place] : place == 0;
}

enum { NAMED = 3 };

/* "[CLS] and [SEP]", "the first token, The"; from the fourth on they are not named. */
static const char *rest_names(struct arena *arena, const struct result *result, bool zh) {
    const char **labels = result->series[0].axes[3].labels, *names = "";
    int64_t n = size_of(result), count = 0, told = 0;
    for (int64_t i = 0; i < n; i++) {
        count += rests_at(result, i);
    }
    int64_t shown = count < NAMED ? count : NAMED;
    for (int64_t i = 0; i < n && told < shown; i++) {
        if (rests_at(result, i)) {
            char label[44];
            err_quote(label, sizeof label, labels[i], strlen(labels[i]));
            bool last = told + 1 == shown && count <= NAMED;
            names = arena_printf(arena, "%s%s%s", names,
                                 told == 0 ? ""
                                 : zh      ? "、"
                                 : last    ? " and "
                                           : ", ",
                                 label);
            told++;
        }
    }
    if (count == 1) {
        return zh ? arena_printf(arena, "首个%s“%s”", unit_zh(unit_of(result)), names)
                  : arena_printf(arena, "the first %s, %s,", unit_of(result), names);
    }
    return arena_printf(arena,
                        count > NAMED ? zh ? " %s 等" : "%s and others"
                        : zh          ? " %s"
                                      : "%s",
                        names);
}

/* Mean weight that the other places of all heads give to those to rest at, and to themselves.
 */
static void shares(const struct result *result, double *resting, double *self) {
    const struct series *series = &result->series[0];
    int64_t n = size_of(result), rows = 0;
    int64_t heads = series->axes[0].count * series->axes[1].count;
    *resting = *self = 0;
    for (int64_t i = 0; i < heads * n; i++) {
        int64_t row = i % n;
        for (int64_t k = 0; k < n && !rests_at(result, row); k++) {
            *resting += rests_at(result, k) ? (double)series->values->data[i * n + k] : 0;
        }
        if (!rests_at(result, row)) {
            *self += (double)series->values->data[i * n + row];
            rows++;
        }
    }
    *resting = rows ? 100 * *resting / (double)rows : 0;
    *self = rows ? 100 * *self / (double)rows : 0;
}

/* "; on average a token gives 55% of its weight to [CLS] and [SEP] and 9% to itself." */
static const char *where_else(struct arena *arena, const struct result *result, bool zh) {
    double resting, self;
    const char *names = rest_names(arena, result, zh);
    shares(result, &resting, &self);
    if (zh) {
        return arena_printf(arena,
                            "；平均而言，一个%s把 %.0f%% 的权重给了%s，%.0f%% 留给自己。",
                            unit_zh(unit_of(result)), resting, names, self);
    }
    return arena_printf(
        arena, "; on average a %s gives %.0f%% of its weight to %s and %.0f%% to itself.",
        unit_of(result), resting, names, self);
}

static const char *finding_of_many(struct arena *arena, const struct result *result, bool zh) {
    const char *unit = zh ? unit_zh(unit_of(result)) : unit_of(result), *said = "";
    said = add_pattern(arena, said, result, ATTENTION_PREVIOUS,
                       arena_printf(arena, zh ? "前一个%s" : "%s before", unit), zh);
    if (looks_ahead(result)) {
        said = add_pattern(arena, said, result, ATTENTION_NEXT,
                           arena_printf(arena, zh ? "后一个%s" : "%s after", unit), zh);
    }
    said = add_pattern(arena, said, result, ATTENTION_SELF,
                       arena_printf(arena, zh ? "%s自身" : "%s itself", unit), zh);
    if (!*said) {
        said = zh ? "这些头都不以相邻的位置或自身为主"
                  : "None of these heads looks mainly at a neighbour or at itself";
    }
    return arena_printf(arena, "%s%s", said, where_else(arena, result, zh));
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

/* The strongest links between different places that are none to rest at. */
static const char *finding_of_one(struct arena *arena, const struct result *result, bool zh) {
    const float *head = result->series[0].values->data;
    const char **labels = result->series[0].axes[3].labels, *text = "";
    int64_t n = size_of(result), links[LINKS] = { -1, -1, -1 };
    for (int64_t at = 0; at < n * n; at++) {
        int64_t from = at / n, to = at % n;
        if (from != to && head[at] > 0 && !rests_at(result, from) && !rests_at(result, to)) {
            keep_link(head, links, at);
        }
    }
    for (int i = 0; i < LINKS && links[i] >= 0; i++) {
        char from[44], to[44];
        err_quote(from, sizeof from, labels[links[i] / n], strlen(labels[links[i] / n]));
        err_quote(to, sizeof to, labels[links[i] % n], strlen(labels[links[i] % n]));
        text = arena_printf(arena, zh ? "%s%s%s → %s（%.2f）" : "%s%s%s → %s (%.2f)", text,
                            i == 0 ? ""
                            : zh   ? "，"
                                   : ", ",
                            from, to, (double)head[links[i]]);
    }
    const char *unit = zh ? unit_zh(unit_of(result)) : unit_of(result);
    if (links[0] < 0) {
        char *names = arena_copy(arena, rest_names(arena, result, zh));
        size_t end = strlen(names);
        if (end > 0 && names[end - 1] == ',') { /* "the first token, a," goes on; this ends */
            names[end - 1] = '\0';
        }
        text = arena_printf(
            arena, zh ? "没有一个%s在看%s 以外的其他位置" : "No %s looks at another than %s",
            unit, names);
    } else {
        text = arena_printf(arena,
                            zh ? "不同%s之间最强的联系是 %s"
                               : "The strongest links between different %ss are %s",
                            unit, text);
    }
    return arena_printf(arena, "%s%s", text, where_else(arena, result, zh));
}

static bool is_one_head(const struct result *result) {
    return result->series[0].axes[0].count == 1 && result->series[0].axes[1].count == 1;
}

/* "layer 5", "3 layers" or "all 6 layers" */
static const char *chosen(struct arena *arena, const struct axis *axis, bool zh) {
    bool layer = strcmp(axis->name, "layer") == 0;
    if (axis->count == 1) {
        const char *number = number_at(arena, axis, 0);
        return zh ? arena_printf(arena, "第 %s %s", number, layer ? "层" : "头")
                  : arena_printf(arena, "%s %s", axis->name, number);
    }
    return zh ? arena_printf(arena, "%s %lld %s", axis->labels ? "其中" : "全部",
                             (long long)axis->count, layer ? "层" : "个头")
              : arena_printf(arena, "%s%lld %ss", axis->labels ? "" : "all ",
                             (long long)axis->count, axis->name);
}

/* How many heads have weights that are no numbers, and the first of them; NULL: none has. */
static const char *finding_of_broken(struct arena *arena, const struct result *result,
                                     bool zh) {
    const struct axis *axes = result->series[0].axes;
    int64_t n = size_of(result), heads = axes[0].count * axes[1].count, broken = 0, first = 0;
    for (int64_t i = heads - 1; i >= 0; i--) {
        const float *head = result->series[0].values->data + i * n * n;
        int64_t at = 0;
        while (at < n * n && !isnan(head[at])) {
            at++;
        }
        broken += at < n * n;
        first = at < n * n ? i : first;
    }
    const char *layer = number_at(arena, &axes[0], first / axes[1].count);
    const char *head = number_at(arena, &axes[1], first % axes[1].count);
    if (broken == 0) {
        return NULL;
    }
    return arena_printf(
        arena,
        zh ? "%lld 个头（共 %lld 个）的权重不是数（NaN），首先是第 %s 层第 %s 头："
             "模型自身的权重在此处或之前已损坏。"
           : "NaN instead of weights in %lld of %lld heads, first in layer %s "
             "head %s: the model's own weights are broken there or before.",
        (long long)broken, (long long)heads, layer, head);
}

/* Title, finding, caption and the picture that suits. */
static void describe(struct arena *arena, struct result *result, const char *language) {
    const struct axis *axes = result->series[0].axes;
    bool zh = language && strncmp(language, "zh", 2) == 0;
    const char *unit = zh ? unit_zh(unit_of(result)) : unit_of(result);
    result->kind = is_one_head(result) ? "heatmap" : "headgrid";
    result->title =
        arena_printf(arena, zh ? "%s 的注意力，%s，%s" : "Attention of %s, %s, %s",
                     result->model, chosen(arena, &axes[0], zh), chosen(arena, &axes[1], zh));
    result->caption = arena_printf(
        arena,
        zh ? "行：在看的%s；列：被看的%s；每行之和为 1。图中显示的是头从哪里读取信息，"
             "而不是模型为什么这样回答。"
           : "Row: the %s that looks; column: the %s it looks at; each row sums to 1. It shows "
             "where a head reads from, not why the model answers as it does.",
        unit, unit);
    result->finding = finding_of_broken(arena, result, zh);
    if (result->finding) {
        return;
    }
    if (size_of(result) < 2) {
        result->finding = arena_printf(arena,
                                       zh ? "只有一个%s，它只能看自己。"
                                          : "There is one %s, which can only look at itself.",
                                       unit);
    } else if (is_one_head(result)) {
        result->finding = finding_of_one(arena, result, zh);
    } else {
        result->finding = finding_of_many(arena, result, zh);
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
        .rests = look.rests,
    };
    result->text = arena_text(arena, text, length);
    result->model = arena_copy(arena, handle); /* it may outlive the model */
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = "attention pattern";
    result->dtype = arena_copy(arena, model->dtype);
    result_note(arena, result, "unit", request->words ? "word" : "token");
    describe(arena, result, request->language);
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
    describe(arena, result, request->language);
    return result;
}
