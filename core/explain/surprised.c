#include "core/explain/surprised.h"

#include <math.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/text/label.h"
#include "core/text/pieces.h"
#include "core/text/words.h"

enum { NAMED = 3, HEAD_BYTES = 48, CURVE_UNITS = 150 };

static bool is_zh(const char *language) {
    return language && strncmp(language, "zh", 2) == 0;
}

/* ---- by token, word and line ---- */

/* A text cut one way. */
struct level {
    int64_t count;
    const char **labels;
    float *bits;      /* NaN where nothing counts */
    float *span;      /* [count, 2] bytes of the text */
    int64_t *counted; /* tokens of each that count */
};

static struct level level_new(struct arena *arena, int64_t count) {
    struct level level = { .count = count,
                           .labels = arena_array(arena, count, sizeof(char *)),
                           .bits = arena_array(arena, count, sizeof(float)),
                           .span = arena_array(arena, 2 * count, sizeof(float)),
                           .counted = arena_array(arena, count, sizeof(int64_t)) };
    return level;
}

/* Sums the tokens begin .. end into place i of the level. */
static void level_set(struct level *level, int64_t i, const struct surprisal *of, int64_t begin,
                      int64_t end) {
    double nats = 0;
    level->counted[i] = 0;
    for (int64_t t = begin; t < end; t++) {
        nats += of->nats[t];
        level->counted[i] += of->counted[t];
    }
    level->bits[i] = level->counted[i] > 0 ? (float)surprisal_bits(nats) : NAN;
}

static void level_span(struct level *level, int64_t i, int64_t begin, int64_t end) {
    level->span[2 * i] = (float)begin;
    level->span[2 * i + 1] = (float)end;
}

static struct level by_token(struct arena *arena, const struct model *model,
                             const struct surprisal *of) {
    struct level level = level_new(arena, of->known);
    const char **labels = pieces_labels(arena, model->tokenizer, of->encoding, of->text);
    for (int64_t t = 0; t < of->known; t++) {
        const struct token *token = &of->encoding->tokens[t];
        level.labels[t] = labels[t];
        level_set(&level, t, of, t, t + 1);
        level_span(&level, t, token->begin, token->end);
    }
    return level;
}

static struct level by_word(struct arena *arena, const struct model *model,
                            const struct surprisal *of) {
    const struct words *words =
        words_of(arena, model->tokenizer, of->encoding, of->text, of->length);
    const struct token *tokens = of->encoding->tokens;
    int64_t count = of->known > 0 ? words->of[of->known - 1] + 1 : 0;
    struct level level = level_new(arena, count);
    for (int64_t w = 0; w < count; w++) {
        level.labels[w] = words->labels[w];
        level_set(&level, w, of, words->begin[w], words->end[w]);
        level_span(&level, w, tokens[words->begin[w]].begin, tokens[words->end[w] - 1].end);
    }
    return level;
}

const char *surprised_head(struct arena *arena, const char *text, size_t length) {
    size_t n = length < HEAD_BYTES ? length : HEAD_BYTES;
    n -= n < length ? utf8_tail(text, n) : 0;
    const char *shown = arena_text(arena, text, n);
    return n < length ? arena_printf(arena, "%s…", shown) : shown;
}

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!memchr(" \t\r\n", text[i], 4)) {
            return false;
        }
    }
    return true;
}

/* Lines that tokens begin in; tokens of a blank line go to the one before. */
static struct level by_line(struct arena *arena, const struct surprisal *of) {
    const struct token *tokens = of->encoding->tokens;
    int64_t lines = 1, at = 0, first = 0;
    for (size_t i = 0; i < of->length; i++) {
        lines += of->text[i] == '\n';
    }
    struct level level = level_new(arena, lines);
    level.count = 0;
    for (size_t begin = 0; begin <= of->length && at < of->known;) {
        const char *newline = memchr(of->text + begin, '\n', of->length - begin);
        size_t end = newline ? (size_t)(newline - of->text) + 1 : of->length + 1;
        size_t length = end - 1 - begin;
        bool joins = level.count > 0 && is_blank(of->text + begin, length);
        first = joins ? first : at;
        while (at < of->known && tokens[at].begin < (int64_t)end) {
            at++;
        }
        if (joins) {
            level_set(&level, level.count - 1, of, first, at);
        } else if (at > first) {
            level.labels[level.count] = surprised_head(arena, of->text + begin, length);
            level_set(&level, level.count, of, first, at);
            level_span(&level, level.count++, (int64_t)begin, (int64_t)(begin + length));
        }
        begin = end;
    }
    return level;
}

/* ---- series ---- */

static struct series series_of(struct arena *arena, const char *name, const char *unit,
                               const char *axis, const struct level *level,
                               const float *values) {
    struct series series = { .name = name,
                             .unit = unit,
                             .adds = true,
                             .values = tensor_new(arena, 1, &level->count),
                             .axes = { { axis, level->count, level->labels } } };
    memcpy(series.values->data, values, (size_t)level->count * sizeof *values);
    return series;
}

static struct series span_of(struct arena *arena, const char *axis, const struct level *level) {
    static const char *ends[] = { "begin", "end" };
    struct series series = { .name = "span",
                             .unit = "bytes",
                             .values = tensor_new(arena, 2, (int64_t[]){ level->count, 2 }),
                             .axes = { { axis, level->count, level->labels },
                                       { "end", 2, ends } } };
    memcpy(series.values->data, level->span, (size_t)level->count * 2 * sizeof(float));
    return series;
}

static struct series totals_of(struct arena *arena, const struct surprisal *of) {
    static const char *names[] = { "bits", "tokens", "bytes", "perplexity", "bits per byte" };
    struct series series = { .name = "totals",
                             .unit = "",
                             .values = tensor_new(arena, 1, (int64_t[]){ 5 }),
                             .axes = { { "total", 5, names } } };
    float *data = series.values->data;
    data[0] = (float)surprisal_bits(of->total);
    data[1] = (float)of->count;
    data[2] = (float)of->bytes;
    data[3] = (float)surprisal_perplexity(of->total, of->count);
    data[4] = (float)surprisal_bits_per_byte(of->total, of->bytes);
    return series;
}

static struct series per_token_of(struct arena *arena, const struct level *lines) {
    struct level level = *lines;
    level.bits = arena_array(arena, lines->count, sizeof(float));
    for (int64_t i = 0; i < lines->count; i++) {
        level.bits[i] = lines->bits[i] / (float)lines->counted[i];
    }
    struct series series = series_of(arena, "bits a token", "bits", "line", &level, level.bits);
    series.adds = false;
    return series;
}

/* Of each token the number of its word, and the word. */
static struct series words_told(struct arena *arena, const struct model *model,
                                const struct surprisal *of, const struct level *tokens) {
    const struct words *words =
        words_of(arena, model->tokenizer, of->encoding, of->text, of->length);
    struct series series = { .name = "word",
                             .unit = "",
                             .values = tensor_new(arena, 1, &tokens->count),
                             .names = arena_array(arena, tokens->count, sizeof(char *)),
                             .axes = { { "token", tokens->count, tokens->labels } } };
    for (int64_t t = 0; t < tokens->count; t++) {
        series.values->data[t] = (float)words->of[t];
        series.names[t] = words->labels[words->of[t]];
    }
    return series;
}

/* ---- words around the numbers ---- */

static const char *unit_name(enum surprised_unit unit, bool zh) {
    static const char *const names[] = { "token", "word", "line" };
    static const char *const names_zh[] = { "词元", "词", "行" };
    return zh ? names_zh[unit] : names[unit];
}

/* "3.1", "17", "52,000": a perplexity in three digits. */
static const char *rounded(struct arena *arena, double value) {
    return value < 100 ? arena_printf(arena, "%.3g", value)
                       : arena_printf(arena, "%.0f", value);
}

/* "mat (11.2 bits), sat (8.1)": the places of the largest sums. */
static const char *least_expected(struct arena *arena, const struct level *level, bool zh) {
    int64_t best[NAMED], found = 0;
    for (int64_t i = 0; i < level->count; i++) {
        int64_t at = found;
        while (at > 0 && level->bits[i] > level->bits[best[at - 1]]) {
            at--;
        }
        if (isnan(level->bits[i]) || at == NAMED) {
            continue;
        }
        for (int64_t k = found < NAMED ? found : NAMED - 1; k > at; k--) {
            best[k] = best[k - 1];
        }
        best[at] = i;
        found += found < NAMED;
    }
    const char *said = "";
    for (int64_t i = 0; i < found; i++) {
        char shown[60];
        const char *name = level->labels[best[i]];
        err_quote(shown, sizeof shown, name, strlen(name));
        said = arena_printf(arena, zh ? "%s%s“%s”（%.1f%s）" : "%s%s%s (%.1f%s)", said,
                            i == 0 ? ""
                            : zh   ? "、"
                                   : ", ",
                            shown, (double)level->bits[best[i]],
                            i > 0 ? ""
                            : zh  ? " 比特"
                                  : " bits");
    }
    return said;
}

/* What became of the first token. */
static const char *first_token(struct arena *arena, const struct model *model,
                               const struct surprisal *of, bool zh) {
    const struct token *first = &of->encoding->tokens[0];
    char shown[60];
    const char *name = pieces_labels(arena, model->tokenizer, of->encoding, of->text)[0];
    err_quote(shown, sizeof shown, name, strlen(name));
    if (of->masked) {
        return zh ? "每个词元依次被遮住，由两侧的其余词元来猜。"
                  : "Each token was masked in turn and guessed from all others.";
    }
    if (first->special) {
        return arena_printf(arena,
                            zh ? "第一个词元也计入，它前面是 %s。"
                               : "The first token counts too: %s stands before it.",
                            shown);
    }
    return arena_printf(arena,
                        zh ? "第一个词元 %s 前面什么也没有，不计入。"
                           : "The first token, %s, has nothing before it and does not count.",
                        shown);
}

static const char *finding_of(struct arena *arena, const struct model *model,
                              const struct surprisal *of, const struct level *level,
                              const struct surprised_view *view) {
    bool zh = is_zh(view->language);
    double bits = surprisal_bits(of->total) / (double)of->count;
    const char *perplexity = rounded(arena, surprisal_perplexity(of->total, of->count));
    const char *pseudo = !of->masked ? "" : zh ? "伪" : "pseudo-";
    double per_byte = surprisal_bits_per_byte(of->total, of->bytes);
    const char *tokens = arena_printf(arena,
                                      zh               ? "%lld 个词元"
                                      : of->count == 1 ? "%lld token"
                                                       : "%lld tokens",
                                      (long long)of->count);
    const char *stopped =
        of->known == of->encoding->count
            ? ""
            : arena_printf(arena,
                           zh ? "被中断，读到第 %lld 个词元，共 %lld 个。"
                              : "Interrupted after %lld of %lld tokens. ",
                           (long long)of->known, (long long)of->encoding->count);
    return arena_printf(
        arena,
        zh ? "%s%s 平均每个词元 %.2f 比特（%s，%s困惑度 %s），每字节 %.3f "
             "比特；最意外的%s：%s。%s"
           : "%s%s needs %.2f bits a token (%s, %sperplexity %s) and %.3f bits a byte; least "
             "expected of all %ss: %s. %s",
        stopped, view->handle, bits, tokens, pseudo, perplexity, per_byte,
        unit_name(view->unit, zh), least_expected(arena, level, zh),
        first_token(arena, model, of, zh));
}

static const char *caption_of(struct arena *arena, const struct surprisal *of,
                              const struct surprised_view *view) {
    bool zh = is_zh(view->language);
    const char *unit = unit_name(view->unit, zh);
    const char *sum = view->unit == SURPRISED_TOKEN ? ""
                      : zh                          ? "（其各词元之和）"
                                                    : " (the sum of its tokens)";
    const char *what = arena_printf(
        arena,
        zh ? "颜色越浓，模型越没料到这个%s：意外度是模型所给概率的 −log2，单位比特%s。"
           : "The stronger its colour, the less the model expected a %s: its surprisal is "
             "−log2 of "
             "the probability that the model gave it, in bits%s. ",
        unit, sum);
    if (of->masked) {
        return arena_printf(
            arena,
            zh ? "%s掩码模型的总和是伪对数似然，不是文本的概率，只能与掩码模型相比。"
               : "%sThe sum of a masked model is a pseudo-log-likelihood, no probability of "
                 "the "
                 "text, and compares with masked models alone.",
            what);
    }
    return arena_printf(
        arena,
        zh ? "%s困惑度以词元计，取决于分词器；要比较分词器不同的模型，只能用每字节比特数。"
           : "%sPerplexity is per token and depends on the tokenizer; only bits a byte "
             "compares "
             "models whose tokenizers differ.",
        what);
}

static void notes_of(struct arena *arena, struct result *result, const struct surprisal *of,
                     enum surprised_unit unit) {
    result_note(arena, result, "unit", unit_name(unit, false));
    if (of->stride > 0 && !of->masked) {
        result_note(arena, result, "window",
                    arena_printf(arena, "%lld", (long long)of->window));
        result_note(arena, result, "stride",
                    arena_printf(arena, "%lld", (long long)of->stride));
    }
    if (of->bos) {
        result_note(arena, result, "BOS", "put in front");
    }
}

static struct result *result_of(struct arena *arena, const char *kind, int64_t series,
                                const struct model *model, const char *handle) {
    struct result *result = result_new(arena, kind, series);
    result->model = arena_copy(arena, handle); /* it may outlive the model */
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->dtype = arena_copy(arena, model->dtype);
    return result;
}

struct result *surprised(struct arena *arena, const struct model *model,
                         const struct surprisal *of, const struct surprised_view *view) {
    static const char *const sums[] = { "surprisal by token", "surprisal by word",
                                        "surprisal by line" };
    static const char *const axes[] = { "token", "word", "line" };
    bool zh = is_zh(view->language);
    struct level levels[] = { by_token(arena, model, of), by_word(arena, model, of),
                              by_line(arena, of) };
    const struct level *shown = &levels[view->unit];
    struct result *result =
        result_of(arena, "tokens", 6 + (view->unit == SURPRISED_TOKEN), model, view->handle);
    const char *axis = axes[view->unit];
    int64_t n = 0;
    result->series[n++] = series_of(arena, "surprisal", "bits", axis, shown, shown->bits);
    result->series[n++] = span_of(arena, axis, shown);
    for (int i = 0; i < 3; i++) {
        if (i != (int)view->unit) {
            result->series[n++] =
                series_of(arena, sums[i], "bits", axes[i], &levels[i], levels[i].bits);
        }
    }
    result->series[n++] = per_token_of(arena, &levels[SURPRISED_LINE]);
    result->series[n++] = totals_of(arena, of);
    if (view->unit == SURPRISED_TOKEN) {
        result->series[n++] = words_told(arena, model, of, &levels[SURPRISED_TOKEN]);
    }
    result->title = arena_printf(arena, zh ? "%s 的意外度，按%s" : "Surprisal of %s, by %s",
                                 view->handle, unit_name(view->unit, zh));
    result->text = arena_text(arena, of->text, of->length);
    result->method = of->masked ? "pseudo-log-likelihood" : "surprisal";
    result->finding = finding_of(arena, model, of, shown, view);
    result->caption = caption_of(arena, of, view);
    result->seconds = view->seconds;
    notes_of(arena, result, of, view->unit);
    return result;
}

/* ---- curves ---- */

/* Means of the numbers from..to that count; NAN where none does. */
static float mean_of(const double *sums, const int64_t *counts, int64_t from, int64_t to) {
    int64_t n = counts[to] - counts[from];
    return n > 0 ? (float)((sums[to] - sums[from]) / (double)n) : NAN;
}

/* The curves of n units: each unit's bits, or the mean of `around` about it, and the mean so
 * far. */
static struct tensor *curves_of(struct arena *arena, const float *bits, int64_t n,
                                int64_t around) {
    struct tensor *curves = tensor_new(arena, 2, (int64_t[]){ 2, n });
    double *sums = arena_array(arena, n + 1, sizeof *sums);
    int64_t *counts = arena_array(arena, n + 1, sizeof *counts);
    for (int64_t i = 0; i < n; i++) {
        bool counted = !isnan(bits[i]);
        sums[i + 1] = sums[i] + (counted ? (double)bits[i] : 0);
        counts[i + 1] = counts[i] + counted;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t from = i - around / 2 > 0 ? i - around / 2 : 0;
        int64_t to = i - around / 2 + around < n ? i - around / 2 + around : n;
        curves->data[i] = around == 1 ? bits[i] : mean_of(sums, counts, from, to);
        curves->data[n + i] = mean_of(sums, counts, 0, i + 1);
    }
    return curves;
}

struct result *surprised_curve(struct arena *arena, const struct result *of,
                               const char *language) {
    bool zh = is_zh(language);
    const struct series *from = &of->series[0];
    const float *bits = from->values->data;
    int64_t skip = 0, all = from->axes[0].count;
    while (skip < all - 1 && isnan(bits[skip])) { /* what does not count at the beginning */
        skip++;
    }
    while (all > skip + 1 && isnan(bits[all - 1])) { /* and at the end, such as [SEP] */
        all--;
    }
    int64_t n = all - skip, around = n > CURVE_UNITS ? n / CURVE_UNITS : 1;
    const char **heads = arena_array(arena, 2, sizeof *heads);
    heads[0] = around == 1 ? zh ? "逐个" : "each"
                           : arena_printf(arena, zh ? "前后 %lld 个平均" : "mean of %lld",
                                          (long long)around);
    heads[1] = zh ? "到此为止的平均" : "mean so far";
    struct result *result = arena_alloc(arena, sizeof *result);
    *result = *of;
    result->kind = "lines";
    result->count = 1;
    result->series = arena_alloc(arena, sizeof *result->series);
    result->series[0] = (struct series){
        .name = "surprisal",
        .unit = "bits",
        .values = curves_of(arena, bits + skip, n, around),
        .axes = { { "line", 2, heads },
                  { from->axes[0].name, n,
                    from->axes[0].labels ? from->axes[0].labels + skip : NULL } },
    };
    result->caption =
        zh ? "横轴是文本，从头到尾；一条线是逐处的意外度（文本长时取前后的平均），另一条是读到"
             "此"
             "处为止的平均。尖峰是模型没料到的地方。"
           : "The text runs from left to right: one line is the surprisal at each place (of a "
             "long text the mean around it), the other the mean so far. Peaks stand where the "
             "model expected something else.";
    return result;
}

/* ---- several models on one text ---- */

/* Where a token's own characters begin: behind the blanks that some tokenizers give to it. */
static int64_t begin_of(const struct surprisal *of, const struct token *token) {
    int64_t at = token->begin;
    while (at < (int64_t)of->length && (of->text[at] == ' ' || of->text[at] == '\n' ||
                                        of->text[at] == '\t' || of->text[at] == '\r')) {
        at++;
    }
    return at;
}

/* Counts up by one, from r, the bytes where reader r's words begin. */
static void mark_words(struct arena *arena, const struct surprised_reader *by, int64_t r,
                       int64_t *marks) {
    const struct surprisal *of = by->of;
    const struct words *words =
        words_of(arena, by->model->tokenizer, of->encoding, of->text, of->length);
    for (int64_t w = 0; w < words->count; w++) {
        const struct token *token = &of->encoding->tokens[words->begin[w]];
        if (!token->special && token->begin < token->end) {
            int64_t at = begin_of(of, token);
            marks[at] = marks[at] == r ? r + 1 : marks[at];
        }
    }
}

/* Pieces of the text between bytes where all readers have a word's beginning, as far as all
 * have read; labels and spans without sums. */
static struct level common(struct arena *arena, const struct surprised_reader *by,
                           int64_t readers) {
    const struct surprisal *of = by[0].of;
    int64_t *marks = arena_array(arena, (int64_t)of->length + 1, sizeof *marks);
    int64_t count = 0, end = (int64_t)of->length;
    for (int64_t r = 0; r < readers; r++) {
        mark_words(arena, &by[r], r, marks);
        end = by[r].of->bytes < end ? by[r].of->bytes : end;
    }
    for (int64_t i = 0; i < end; i++) {
        count += marks[i] >= readers || i == 0;
    }
    struct level level = level_new(arena, count);
    level.count = 0;
    for (int64_t begin = 0; begin < end; level.count++) {
        int64_t to = begin + 1, last;
        while (to < end && marks[to] < readers) {
            to++;
        }
        for (last = to; last > begin + 1 && memchr(" \n\t\r", of->text[last - 1], 4); last--) {
        }
        level.labels[level.count] = label(arena, of->text + begin, (size_t)(last - begin));
        level_span(&level, level.count, begin, last);
        begin = to;
    }
    return level;
}

/* A reader's bits in each piece [pieces]. */
static void sum_pieces(const struct surprised_reader *by, const struct level *pieces,
                       float *bits) {
    const struct surprisal *of = by->of;
    int64_t piece = 0, counted = 0;
    double nats = 0;
    for (int64_t t = 0; t <= of->known; t++) {
        const struct token *token = t < of->known ? &of->encoding->tokens[t] : NULL;
        int64_t begin = token && !token->special ? begin_of(of, token) : 0;
        while (piece < pieces->count &&
               (!token || (piece + 1 < pieces->count &&
                           begin >= (int64_t)pieces->span[2 * (piece + 1)]))) {
            bits[piece++] = counted > 0 ? (float)surprisal_bits(nats) : NAN;
            nats = 0;
            counted = 0;
        }
        if (token && !(token->special && t > 0)) {
            nats += of->nats[t];
            counted += of->counted[t];
        }
    }
}

/* "a 1.12, b 1.31" and who needs fewest. */
static const char *ranking(struct arena *arena, const struct surprised_reader *by,
                           int64_t readers, bool zh) {
    const char *said = "";
    int64_t best = 0;
    for (int64_t r = 0; r < readers; r++) {
        double bits = surprisal_bits_per_byte(by[r].of->total, by[r].of->bytes);
        double least = surprisal_bits_per_byte(by[best].of->total, by[best].of->bytes);
        best = bits < least ? r : best;
        said = arena_printf(arena, "%s%s%s %.3f", said,
                            r == 0 ? ""
                            : zh   ? "，"
                                   : ", ",
                            by[r].handle, bits);
    }
    return arena_printf(arena,
                        zh ? "每字节比特数：%s；%s 最能预料这段文本。"
                           : "Bits a byte: %s; %s expects this text best.",
                        said, by[best].handle);
}

static bool mixes(const struct surprised_reader *by, int64_t readers) {
    for (int64_t r = 1; r < readers; r++) {
        if (by[r].of->masked != by[0].of->masked) {
            return true;
        }
    }
    return false;
}

static bool counts_first(const struct surprisal *of) {
    return of->encoding->tokens[0].special || of->counted[0];
}

/* Where some readers count the text's first token and others do not. */
static const char *who_counts_first(struct arena *arena, const struct surprised_reader *by,
                                    int64_t readers, bool zh) {
    int64_t some = 0;
    const char *left = "";
    for (int64_t r = 0; r < readers; r++) {
        some += counts_first(by[r].of);
        left = counts_first(by[r].of) ? left : by[r].handle;
    }
    return some == 0 || some == readers
               ? ""
               : arena_printf(arena,
                              zh ? "%s 不计第一个词元：加 --bos 才公平。"
                                 : " %s does not count the first token: --bos makes it fair.",
                              left);
}

static const char *finding_of_all(struct arena *arena, const struct surprised_reader *by,
                                  int64_t readers, bool zh) {
    const char *said = arena_printf(arena, "%s%s", ranking(arena, by, readers, zh),
                                    who_counts_first(arena, by, readers, zh));
    return mixes(by, readers)
               ? arena_printf(arena,
                              zh ? "%s其中有掩码模型，它从两侧猜，与从左到右读的模型不能相比。"
                                 : "%s A masked model guesses from both sides, so it does not "
                                   "compare with one that reads from left to right.",
                              said)
               : said;
}

struct result *surprised_side_by_side(struct arena *arena, const struct surprised_reader *by,
                                      int64_t readers, const char *language) {
    bool zh = is_zh(language);
    const struct level pieces = common(arena, by, readers);
    const char **names = arena_array(arena, readers, sizeof *names), *all = "";
    struct result *result = result_of(arena, "lines", 1, by[0].model, by[0].handle);
    struct tensor *values = tensor_new(arena, 2, (int64_t[]){ readers, pieces.count });
    for (int64_t r = 0; r < readers; r++) {
        names[r] = arena_copy(arena, by[r].handle);
        all = arena_printf(arena, "%s%s%s", all, r ? ", " : "", names[r]);
        sum_pieces(&by[r], &pieces, values->data + r * pieces.count);
    }
    result->series[0] = (struct series){ .name = "surprisal",
                                         .unit = "bits",
                                         .values = values,
                                         .axes = { { "model", readers, names },
                                                   { "word", pieces.count, pieces.labels } } };
    result->model = all;
    result->fingerprint = "";
    result->title = arena_printf(arena, zh ? "%s 的意外度" : "Surprisal of %s", all);
    result->text = arena_text(arena, by[0].of->text, by[0].of->length);
    result->method = "surprisal";
    result->finding = finding_of_all(arena, by, readers, zh);
    result->caption =
        zh ? "每个模型一条线，按各分词器都切开的词相加，所以每一点说的是同一段文字。"
           : "A line for each model, summed over words that all of the tokenizers "
             "part, so that each point stands for the same letters.";
    return result;
}

struct result *surprised_difference(struct arena *arena, const struct surprised_reader by[2],
                                    const char *language) {
    bool zh = is_zh(language);
    struct level pieces = common(arena, by, 2);
    struct result *result = result_of(arena, "tokens", 4, by[0].model, by[0].handle);
    float *bits[2];
    for (int r = 0; r < 2; r++) {
        bits[r] = arena_array(arena, pieces.count, sizeof(float));
        sum_pieces(&by[r], &pieces, bits[r]);
        result->series[2 + r] =
            series_of(arena, arena_copy(arena, by[r].handle), "bits", "word", &pieces, bits[r]);
    }
    for (int64_t i = 0; i < pieces.count; i++) {
        pieces.bits[i] = bits[1][i] - bits[0][i];
    }
    result->series[0] = series_of(arena, "difference", "bits", "word", &pieces, pieces.bits);
    result->series[0].is_signed = true;
    result->series[1] = span_of(arena, "word", &pieces);
    result->model = arena_printf(arena, "%s, %s", by[0].handle, by[1].handle);
    result->fingerprint = "";
    result->title = arena_printf(arena, zh ? "意外度之差：%s 减 %s" : "Surprisal, %s less %s",
                                 by[1].handle, by[0].handle);
    result->text = arena_text(arena, by[0].of->text, by[0].of->length);
    result->method = "surprisal, difference";
    result->finding = finding_of_all(arena, by, 2, zh);
    result->caption = arena_printf(
        arena,
        zh ? "正值：%s 比 %s 更没料到这个词；负值相反。单位比特，按两个分词器都切开的词相加。"
           : "Above 0: %s expected the word less than %s did; below 0: more. In bits, summed "
             "over words that both tokenizers part.",
        by[1].handle, by[0].handle);
    return result;
}

/* ---- many texts ---- */

static struct series column(struct arena *arena, const char *name, const char *unit,
                            const char *axis, int64_t count, const char **heads) {
    return (struct series){ .name = name,
                            .unit = unit,
                            .values = tensor_new(arena, 1, &count),
                            .axes = { { axis, count, heads } } };
}

static const char *finding_of_rows(struct arena *arena, const struct surprised_row *rows,
                                   int64_t count, const char *handle, bool zh) {
    double nats = 0, most = -1;
    int64_t tokens = 0, bytes = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) {
        double per_byte = surprisal_bits_per_byte(rows[i].nats, rows[i].bytes);
        nats += rows[i].nats;
        tokens += rows[i].count;
        bytes += rows[i].bytes;
        worst = per_byte > most ? i : worst;
        most = per_byte > most ? per_byte : most;
    }
    char shown[80];
    err_quote(shown, sizeof shown, rows[worst].head, strlen(rows[worst].head));
    return arena_printf(
        arena,
        zh ? "%s 读 %lld 个文本：%s困惑度 %s（%lld 个词元），每字节 %.3f 比特；最意外的是“%s”"
             "（每字节 %.3f）。"
           : "%s over %lld texts: %sperplexity %s (%lld tokens), %.3f bits a byte; it expects "
             "this one least: %s (%.3f).",
        handle, (long long)count,
        !rows[0].masked ? ""
        : zh            ? "伪"
                        : "pseudo-",
        rounded(arena, surprisal_perplexity(nats, tokens)), (long long)tokens,
        surprisal_bits_per_byte(nats, bytes), shown, most);
}

struct result *surprised_table(struct arena *arena, const struct surprised_row *rows,
                               int64_t count, const char *handle, const char *language) {
    bool zh = is_zh(language);
    const char *axis = "text";
    const char **heads = arena_array(arena, count, sizeof *heads);
    struct result *result = result_new(arena, "table", 5);
    struct series *s = result->series;
    s[0] = column(arena, "tokens", "", axis, count, heads);
    s[1] = column(arena, "bits", "bits", axis, count, heads);
    s[2] = column(arena, "bits a token", "bits", axis, count, heads);
    s[3] = column(arena, "perplexity", "", axis, count, heads);
    s[4] = column(arena, "bits a byte", "bits", axis, count, heads);
    for (int64_t i = 0; i < count; i++) {
        const struct surprised_row *row = &rows[i];
        heads[i] = arena_copy(arena, row->head);
        s[0].values->data[i] = (float)row->count;
        s[1].values->data[i] = (float)surprisal_bits(row->nats);
        s[2].values->data[i] = (float)(surprisal_bits(row->nats) / (double)row->count);
        s[3].values->data[i] = (float)surprisal_perplexity(row->nats, row->count);
        s[4].values->data[i] = (float)surprisal_bits_per_byte(row->nats, row->bytes);
    }
    result->model = arena_copy(arena, handle);
    result->method = rows[0].masked ? "pseudo-log-likelihood" : "surprisal";
    result->title =
        arena_printf(arena, zh ? "%s 的意外度，%lld 个文本" : "Surprisal of %s, %lld texts",
                     handle, (long long)count);
    result->finding = finding_of_rows(arena, rows, count, handle, zh);
    result->caption =
        zh ? "困惑度以词元计，取决于分词器；要比较分词器不同的模型，只能用每字节比特数。"
           : "Perplexity is per token and depends on the tokenizer; only bits a byte compares "
             "models whose tokenizers differ.";
    result->n = count;
    return result;
}
