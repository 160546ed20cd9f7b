#include "core/explain/attention.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/base/now.h"
#include "core/explain/headscores.h"
#include "core/text/pieces.h"

/* One of the texts, as rows or columns of the result. */
struct side {
    struct encoding *encoding;
    struct words *words; /* NULL: tokens are shown */
    int64_t size;        /* tokens or words */
    const char **labels; /* [size] */
};

/* A text on its way through the model. */
struct look {
    struct arena *arena;
    const struct model *model;
    const struct attention_request *request;
    struct side source, target;   /* the decoder's text, or nothing */
    const struct side *from, *to; /* rows and columns */
    bool *rests;                  /* [size] of columns; of cross-attention NULL */
    struct tensor *out;           /* [layers, heads, rows, columns] of those asked for */
};

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
    const struct side *to = look->to;
    look->rests = arena_array(look->arena, to->size, sizeof *look->rests);
    for (int64_t i = 0; i < to->size; i++) {
        int64_t token = to->words ? to->words->begin[i] : i;
        look->rests[i] = i == 0 || to->encoding->tokens[token].special;
    }
}

static void side_label(struct look *look, struct side *side, const char *text, size_t length) {
    const struct tokenizer *tokenizer = look->model->tokenizer;
    side->size = side->encoding->count;
    if (look->request->words) {
        side->words = words_of(look->arena, tokenizer, side->encoding, text, length);
        side->size = side->words->count;
        side->labels = side->words->labels;
    } else {
        side->labels = pieces_labels(look->arena, tokenizer, side->encoding, text);
    }
}

/* What the decoder reads: its start token and the target without special tokens. */
static int target_begin(struct look *look, struct err *err) {
    const struct attention_request *request = look->request;
    const char *text = request->target ? request->target : "";
    size_t length = request->target ? request->target_length : 0;
    struct encoding *text_alone = tokenizer_encode(look->arena, look->model->tokenizer, text,
                                                   length, NULL, 0, false, err);
    if (!text_alone) {
        return err_pass(err);
    }
    struct encoding *whole = arena_alloc(look->arena, sizeof *whole);
    whole->count = text_alone->count + 1;
    whole->tokens = arena_array(look->arena, whole->count, sizeof *whole->tokens);
    whole->tokens[0] =
        (struct token){ .id = (int32_t)look->model->config->decoder_start, .special = true };
    memcpy(whole->tokens + 1, text_alone->tokens,
           (size_t)text_alone->count * sizeof *whole->tokens);
    look->target.encoding = whole;
    side_label(look, &look->target, text, length);
    return 0;
}

/* Tokenises and fills what does not need the model run. */
static int look_begin(struct look *look, const char *text, size_t length, struct err *err) {
    const struct tokenizer *tokenizer = look->model->tokenizer;
    if (model_reads_text(look->model, err) < 0) {
        return -1;
    }
    enum attention_of of = look->request->of;
    struct side *source = &look->source;
    source->encoding =
        tokenizer_encode(look->arena, tokenizer, text, length, NULL, 0, true, err);
    if (!source->encoding || check_text(look->model, source->encoding, err) < 0) {
        return err_pass(err);
    }
    side_label(look, source, text, length);
    if (of != ATTENTION_OF_TEXT && target_begin(look, err) < 0) {
        return -1;
    }
    look->from = of == ATTENTION_OF_TEXT ? source : &look->target;
    look->to = of == ATTENTION_OF_DECODER ? &look->target : source;
    if (of != ATTENTION_OF_CROSS) {
        mark_rests(look);
    }
    return 0;
}

void attention_join(const float *tokens, const struct words *from, const struct words *to,
                    float *joined) {
    int64_t columns = to->end[to->count - 1];
    for (int64_t a = 0; a < from->count; a++) {
        for (int64_t b = 0; b < to->count; b++) {
            double sum = 0;
            for (int64_t q = from->begin[a]; q < from->end[a]; q++) {
                for (int64_t k = to->begin[b]; k < to->end[b]; k++) {
                    sum += (double)tokens[q * columns + k];
                }
            }
            joined[a * to->count + b] = (float)(sum / (double)(from->end[a] - from->begin[a]));
        }
    }
}

/* Copies what is asked for of one layer's heads; the rest is never kept. */
static void look_take(void *arg, enum site site, int64_t layer, const struct tensor *value) {
    const struct look *look = arg;
    const struct attention_request *request = look->request;
    const struct side *rows = look->from, *columns = look->to;
    int64_t n = rows->size * columns->size,
            t = rows->encoding->count * columns->encoding->count;
    (void)site; /* the pattern is all that the pass keeps */
    for (int64_t l = 0; l < request->layer_count; l++) {
        float *to = look->out->data + l * request->head_count * n;
        for (int64_t h = 0; request->layers[l] == layer && h < request->head_count; h++) {
            stop_check();
            const float *head = value->data + request->heads[h] * t;
            if (rows->words) {
                attention_join(head, rows->words, columns->words, to + h * n);
            } else {
                memcpy(to + h * n, head, (size_t)n * sizeof *to);
            }
        }
    }
}

static int32_t *ids_of(struct arena *arena, const struct encoding *encoding) {
    int32_t *ids = arena_array(arena, encoding->count, sizeof *ids);
    for (int64_t i = 0; i < encoding->count; i++) {
        ids[i] = encoding->tokens[i].id;
    }
    return ids;
}

/* Runs the model in an arena of its own, which is gone before the picture. */
static struct tensor *look_run(struct look *look, struct err *err) {
    static const enum site sites[] = { [ATTENTION_OF_TEXT] = SITE_ATTENTION,
                                       [ATTENTION_OF_DECODER] = SITE_DECODER_ATTENTION,
                                       [ATTENTION_OF_CROSS] = SITE_CROSS_ATTENTION };
    const struct attention_request *request = look->request;
    look->out = tensor_new(look->arena, 4,
                           (int64_t[]){ request->layer_count, request->head_count,
                                        look->from->size, look->to->size });
    struct arena **scratch = guard_arena(look->arena);
    struct pass pass = { .arena = *scratch,
                         .batch = 1,
                         .tokens = look->source.encoding->count,
                         .ids = ids_of(*scratch, look->source.encoding),
                         .take = look_take,
                         .take_arg = look };
    if (look->target.encoding) {
        pass.decoder_tokens = look->target.encoding->count;
        pass.decoder_ids = ids_of(*scratch, look->target.encoding);
    }
    pass.keep[sites[request->of]] = true;
    if (!model_run(look->model, &pass, err)) {
        err_pass(err);
        return NULL;
    }
    guard_free(scratch);
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

static const char *note_of(const struct result *result, const char *key,
                           const char *otherwise) {
    for (int64_t i = 0; i < result->note_count; i++) {
        if (strcmp(result->notes[i].key, key) == 0) {
            return result->notes[i].value;
        }
    }
    return otherwise;
}

static const char *unit_of(const struct result *result) {
    return note_of(result, "unit", "token");
}

static bool is_cross(const struct result *result) {
    return strcmp(note_of(result, "part", ""), "cross") == 0;
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
        stop_check();
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
        if (row == 0) {
            stop_check();
        }
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
    int64_t n = axes[2].count * axes[3].count;
    int64_t heads = axes[0].count * axes[1].count, broken = 0, first = 0;
    for (int64_t i = heads - 1; i >= 0; i--) {
        const float *head = result->series[0].values->data + i * n;
        int64_t at = 0;
        stop_check();
        while (at < n && !isnan(head[at])) {
            at++;
        }
        broken += at < n;
        first = at < n ? i : first;
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

/* The strongest links of the heads shown, from the target to the source. */
static const char *finding_of_cross(struct arena *arena, const struct result *result, bool zh) {
    const struct series *series = &result->series[0];
    const struct axis *axes = series->axes;
    int64_t columns = axes[3].count, n = axes[2].count * columns, links[LINKS] = { -1, -1, -1 };
    const float *all = series->values->data;
    const char *text = "";
    for (int64_t at = 0; at < axes[0].count * axes[1].count * n; at++) {
        if (all[at] > 0) {
            keep_link(all, links, at);
        }
    }
    for (int i = 0; i < LINKS && links[i] >= 0; i++) {
        int64_t head = links[i] / n, place = links[i] % n;
        char from[44], to[44];
        const char *row = axes[2].labels[place / columns];
        const char *column = axes[3].labels[place % columns];
        err_quote(from, sizeof from, row, strlen(row));
        err_quote(to, sizeof to, column, strlen(column));
        text = arena_printf(arena,
                            zh ? "%s%s%s → %s（第 %s 层第 %s 头，%.2f）"
                               : "%s%s %s → %s (layer %s head %s, %.2f)",
                            text,
                            i == 0 ? ""
                            : zh   ? "、"
                                   : ",",
                            from, to, number_at(arena, &axes[0], head / axes[1].count),
                            number_at(arena, &axes[1], head % axes[1].count),
                            (double)all[links[i]]);
    }
    return arena_printf(arena,
                        zh ? "从目标文本到源文本最强的联系：%s。"
                           : "The strongest links from target to source:%s.",
                        text);
}

static const char *finding_of(struct arena *arena, const struct result *result, bool zh) {
    const char *unit = zh ? unit_zh(unit_of(result)) : unit_of(result);
    const char *broken = finding_of_broken(arena, result, zh);
    if (broken || is_cross(result)) {
        return broken ? broken : finding_of_cross(arena, result, zh);
    }
    if (size_of(result) < 2) {
        return arena_printf(arena,
                            zh ? "只有一个%s，它只能看自己。"
                               : "There is one %s, which can only look at itself.",
                            unit);
    }
    return is_one_head(result) ? finding_of_one(arena, result, zh)
                               : finding_of_many(arena, result, zh);
}

/* "Attention", "Attention in the decoder" ... */
static const char *subject(const struct result *result, bool zh) {
    const char *part = note_of(result, "part", "");
    return strcmp(part, "cross") == 0 ? zh ? "交叉注意力（解码器看编码器）" : "Cross-attention"
           : strcmp(part, "decoder") == 0 ? zh ? "解码器注意力" : "Decoder attention"
           : strcmp(part, "encoder") == 0 ? zh ? "编码器注意力" : "Encoder attention"
           : zh                           ? "注意力"
                                          : "Attention";
}

static const char *caption(struct arena *arena, const struct result *result, bool zh) {
    const char *unit = zh ? unit_zh(unit_of(result)) : unit_of(result);
    if (is_cross(result)) {
        return arena_printf(
            arena,
            zh ? "行：解码器中在看的%s；列：被看的源文本%s；每行之和为 1。图中显示的是头从哪里"
                 "读取信息，而不是模型为什么这样回答。"
               : "Row: the decoder's %s that looks; column: the source's %s it looks at; each "
                 "row sums to 1. It shows where a head reads from, not why the model answers "
                 "as "
                 "it does.",
            unit, unit);
    }
    return arena_printf(
        arena,
        zh ? "行：在看的%s；列：被看的%s；每行之和为 1。图中显示的是头从哪里读取信息，"
             "而不是模型为什么这样回答。"
           : "Row: the %s that looks; column: the %s it looks at; each row sums to 1. It shows "
             "where a head reads from, not why the model answers as it does.",
        unit, unit);
}

/* Title, finding, caption and the picture that suits. */
static void describe(struct arena *arena, struct result *result, const char *language) {
    const struct axis *axes = result->series[0].axes;
    bool zh = language && strncmp(language, "zh", 2) == 0;
    const char *of = subject(result, zh);
    const char *layers = chosen(arena, &axes[0], zh), *heads = chosen(arena, &axes[1], zh);
    result->kind = is_one_head(result) ? "heatmap" : "headgrid";
    result->title =
        zh ? arena_printf(arena, "%s 的%s，%s，%s", result->model, of, layers, heads)
           : arena_printf(arena, "%s of %s, %s, %s", of, result->model, layers, heads);
    result->caption = caption(arena, result, zh);
    result->finding = finding_of(arena, result, zh);
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

int attention_check(const struct model *model, enum attention_of of, struct err *err) {
    if (model_has(model, SITE_OUTPUT)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "this model is recurrent (%s): it carries a state from token to token "
                       "and has no attention; %%%%tokens shows what it reads, and cutaway "
                       "trace writes its states",
                       model->arch->name);
    }
    if (!model_has(model, SITE_ATTENTION)) {
        return err_set(err, ERR_UNSUPPORTED, "a model of the kind %s has no attention to show",
                       model->arch->name);
    }
    if (of != ATTENTION_OF_TEXT && !model_decodes(model)) {
        return err_set(err, ERR_OPTION,
                       "decoder and cross are for models with an encoder and a decoder; this "
                       "one (%s, %s) has one kind of attention, which needs no choice",
                       model->arch->name, model->task);
    }
    return 0;
}

/* What tells an encoder-decoder's kinds of attention apart; other models have one. */
static void note_part(struct arena *arena, struct result *result, const struct look *look) {
    static const char *const parts[] = { [ATTENTION_OF_TEXT] = "encoder",
                                         [ATTENTION_OF_DECODER] = "decoder",
                                         [ATTENTION_OF_CROSS] = "cross" };
    if (model_decodes(look->model)) {
        result_note(arena, result, "part", parts[look->request->of]);
    }
}

static struct series series_of(const struct look *look, struct tensor *values) {
    const struct attention_request *request = look->request;
    const struct config *config = look->model->config;
    int64_t layers = request->of == ATTENTION_OF_TEXT ? config->layers : config->decoder_layers;
    return (struct series){
        .name = "attention",
        .unit = "probability",
        .high = 1,
        .values = values,
        .axes = { { "layer", request->layer_count,
                    numbers(look->arena, request->layers, request->layer_count, layers) },
                  { "head", request->head_count,
                    numbers(look->arena, request->heads, request->head_count, config->heads) },
                  { "query", look->from->size, look->from->labels },
                  { "key", look->to->size, look->to->labels } },
        .rests = look->rests,
    };
}

/* Equal numbers for equal tokens, or words, of the rows. */
static const int32_t *kinds_of(const struct look *look) {
    const struct side *side = look->from;
    if (!side->words) {
        return ids_of(look->arena, side->encoding);
    }
    int32_t *kinds = arena_array(look->arena, side->size, sizeof *kinds);
    for (int64_t i = 0; i < side->size; i++) {
        int64_t first = 0;
        while (strcmp(side->labels[first], side->labels[i]) != 0) {
            first++;
        }
        kinds[i] = (int32_t)first;
    }
    return kinds;
}

/* The weights, then the scores of the heads. */
static void add_series(struct look *look, struct result *result, struct tensor *values) {
    struct series scores[HEADSCORES_MOST];
    struct series whole = series_of(look, values);
    int64_t count = headscores(look->arena, &whole, kinds_of(look), scores);
    result->count = 1 + count;
    result->series = arena_array(look->arena, result->count, sizeof *result->series);
    result->series[0] = whole;
    memcpy(result->series + 1, scores, (size_t)count * sizeof *scores);
}

struct result *attention(struct arena *arena, const struct model *model, const char *handle,
                         const char *text, size_t length,
                         const struct attention_request *request, struct err *err) {
    struct look look = { .arena = arena, .model = model, .request = request };
    double began = now_seconds();
    if (attention_check(model, request->of, err) < 0 ||
        look_begin(&look, text, length, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct tensor *values = look_run(&look, err);
    if (!values) {
        err_pass(err);
        return NULL;
    }
    struct result *result = result_new(arena, "headgrid", 0);
    add_series(&look, result, values);
    result->text = look.target.encoding && request->target_length > 0
                       ? arena_printf(arena, "%.*s >> %.*s", (int)length, text,
                                      (int)request->target_length, request->target)
                       : arena_text(arena, text, length);
    result->model = arena_copy(arena, handle); /* it may outlive the model */
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = "attention pattern";
    result->dtype = arena_copy(arena, model->dtype);
    result_note(arena, result, "unit", request->words ? "word" : "token");
    note_part(arena, result, &look);
    describe(arena, result, request->language);
    result->seconds = now_seconds() - began;
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

/* The heads that are asked for, of a series that begins with layers and heads. */
static struct series narrow_series(struct arena *arena, const struct series *from,
                                   const struct attention_request *request) {
    struct series to = *from;
    int64_t shape[TENSOR_RANK], heads = from->axes[1].count, each = 1;
    for (int i = 2; i < from->values->rank; i++) {
        shape[i] = from->values->shape[i];
        each *= shape[i];
    }
    to.axes[0].labels =
        some_labels(arena, &from->axes[0], request->layers, request->layer_count);
    to.axes[1].labels = some_labels(arena, &from->axes[1], request->heads, request->head_count);
    shape[0] = to.axes[0].count = request->layer_count;
    shape[1] = to.axes[1].count = request->head_count;
    to.values = tensor_new(arena, from->values->rank, shape);
    float *at = to.values->data;
    for (int64_t l = 0; l < request->layer_count; l++) {
        for (int64_t h = 0; h < request->head_count; h++, at += each) {
            int64_t head = request->layers[l] * heads + request->heads[h];
            stop_check();
            memcpy(at, from->values->data + head * each, (size_t)each * sizeof *at);
        }
    }
    return to;
}

struct result *attention_narrow(struct arena *arena, const struct result *whole,
                                const struct attention_request *request) {
    struct result *result = arena_alloc(arena, sizeof *result);
    *result = *whole;
    result->series = arena_array(arena, whole->count, sizeof *result->series);
    for (int64_t i = 0; i < whole->count; i++) {
        result->series[i] = narrow_series(arena, &whole->series[i], request);
    }
    describe(arena, result, request->language);
    return result;
}
