#include "core/explain/tokenization.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/result/column.h"
#include "core/text/pieces.h"
#include "core/text/words.h"

/* A text as one model reads it. */
struct reading {
    const struct encoding *encoding;
    const struct words *words;
    const char **labels;
    int64_t special;
};

static int read_text(struct arena *arena, const struct model *model, const char *text,
                     size_t length, struct reading *r, struct err *err) {
    if (model_reads_text(model, err) < 0) {
        return err_pass(err);
    }
    r->encoding = tokenizer_encode(arena, model->tokenizer, text, length, NULL, 0, true, err);
    if (!r->encoding) {
        return err_pass(err);
    }
    if (r->encoding->count == 0) {
        return err_set(err, ERR_TEXT, "%s reads this text as no tokens at all: write a word",
                       model->arch->name);
    }
    r->words = words_of(arena, model->tokenizer, r->encoding, text, length);
    r->labels = pieces_labels(arena, model->tokenizer, r->encoding, text);
    r->special = 0;
    for (int64_t i = 0; i < r->encoding->count; i++) {
        r->special += r->encoding->tokens[i].special;
    }
    return 0;
}

/* Bytes of the text to each token that stands for some of it. */
static double bytes_per_token(const struct reading *r, size_t length) {
    int64_t own = r->encoding->count - r->special;
    return own > 0 ? (double)length / (double)own : 0;
}

static struct series ids_of(struct arena *arena, const struct reading *r, const char *name,
                            const char **labels) {
    int64_t n = r->encoding->count;
    stop_check();
    struct series series = { .name = name,
                             .unit = "id",
                             .values = tensor_new(arena, 1, &n),
                             .axes = { { "token", n, labels } } };
    for (int64_t i = 0; i < n; i++) {
        series.values->data[i] = (float)r->encoding->tokens[i].id;
    }
    return series;
}

static struct series spans_of(struct arena *arena, const struct reading *r, const char *name,
                              const char **labels) {
    static const char *ends[] = { "begin", "end" };
    int64_t n = r->encoding->count;
    struct series series = { .name = name,
                             .unit = "bytes",
                             .values = tensor_new(arena, 2, (int64_t[]){ n, 2 }),
                             .axes = { { "token", n, labels }, { "byte", 2, ends } } };
    for (int64_t i = 0; i < n; i++) {
        if (i % STOP_EVERY == 0) {
            stop_check();
        }
        series.values->data[2 * i] = (float)r->encoding->tokens[i].begin;
        series.values->data[2 * i + 1] = (float)r->encoding->tokens[i].end;
    }
    return series;
}

static void fill_columns(struct arena *arena, const struct tokenizer *tokenizer,
                         const struct reading *r, bool zh, struct result *result) {
    const struct axis axis = { "token", r->encoding->count, r->labels };
    const char **spellings = column_named(arena, result, 2, "spelling", &axis);
    const char **words = column_named(arena, result, 3, "word", &axis);
    const char **special = column_named(arena, result, 4, "special", &axis);
    for (int64_t i = 0; i < axis.count; i++) {
        stop_check();
        const struct token *token = &r->encoding->tokens[i];
        const char *spelling = tokenizer_spelling(tokenizer, token->id);
        spellings[i] = arena_copy(arena, spelling ? spelling : "");
        words[i] = token->special ? "" : r->words->labels[r->words->of[i]];
        special[i] = !token->special ? "" : zh ? "是" : "yes";
        result->series[2].values->data[i] = (float)token->id;
        result->series[3].values->data[i] = (float)r->words->of[i];
        result->series[4].values->data[i] = (float)token->special;
    }
}

struct result *tokenization(struct arena *arena, const struct model *model, const char *handle,
                            const char *text, size_t length, const char *language,
                            struct err *err) {
    struct reading r = { 0 };
    bool zh = language && strncmp(language, "zh", 2) == 0;
    if (read_text(arena, model, text, length, &r, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct result *result = result_new(arena, "tokens", 5);
    result->series[0] = ids_of(arena, &r, "id", r.labels);
    result->series[1] = spans_of(arena, &r, "span", r.labels);
    fill_columns(arena, model->tokenizer, &r, zh, result);
    result->text = arena_text(arena, text, length);
    result->title = arena_printf(arena, zh ? "%s 的词元" : "Tokens of %s", handle);
    result->finding = arena_printf(
        arena,
        zh ? "%s 把 %lld 个字符（%lld 个词，%lld 字节）读成 %lld 个词元，每个词元 %.1f "
             "字节，其中 %lld 个是特殊词元。"
           : "%s reads %lld characters (%lld words, %lld bytes) as %lld tokens, %.1f bytes a "
             "token, %lld of them special.",
        handle, (long long)utf8_count(text, length), (long long)(r.words->count - r.special),
        (long long)length, (long long)r.encoding->count, bytes_per_token(&r, length),
        (long long)r.special);
    result->caption =
        zh ? "一种颜色是一个词，两种深浅交替是词里的词元；灰色小标签是附加的词元。拼写：词表里"
             "的"
             "写法；字节：在文本中的位置；猫₁ 猫₂ 是同一个字的片段。"
           : "A colour is a word, its two shades are tokens in turn; small grey tags are "
             "tokens "
             "that were added. spelling: as the vocabulary has it; bytes: where it stands in "
             "the text; 猫₁ 猫₂ are pieces of one character.";
    result->model = arena_copy(arena, handle);
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = arena_copy(arena, tokenizer_kind(model->tokenizer));
    return result;
}

/* ---- several tokenizers ---- */

enum { SUMMARY = 5 };

static void describe(struct arena *arena, struct result *result,
                     const struct tokenization_reader *readers, const struct reading *all,
                     int64_t count, size_t length, bool zh) {
    int64_t least = 0, most = 0;
    struct buf *handles = buf_new(arena);
    for (int64_t i = 0; i < count; i++) {
        least =
            bytes_per_token(&all[i], length) > bytes_per_token(&all[least], length) ? i : least;
        most =
            bytes_per_token(&all[i], length) < bytes_per_token(&all[most], length) ? i : most;
        buf_printf(handles, "%s%s", i ? zh ? "、" : ", " : "", readers[i].handle);
    }
    result->title = arena_printf(arena, zh ? "%s 的词元" : "Tokens of %s", handles->data);
    result->finding = arena_printf(
        arena,
        zh ? "%lld 字节里，%s 用的词元最少（%lld 个，每个 %.1f 字节），%s 最多（%lld 个，每个 "
             "%.1f 字节），特殊词元不计。"
           : "Of %lld bytes %s makes the fewest tokens (%lld, %.1f bytes each) and %s the most "
             "(%lld, %.1f bytes each), special ones aside.",
        (long long)length, readers[least].handle,
        (long long)(all[least].encoding->count - all[least].special),
        bytes_per_token(&all[least], length), readers[most].handle,
        (long long)(all[most].encoding->count - all[most].special),
        bytes_per_token(&all[most], length));
    result->caption =
        zh ? "上下对齐：同一列是文本的同一处。"
           : "Aligned: what stands below each other is the same place of the text.";
    result->model = arena_copy(arena, handles->data);
    result->method = "tokenizers";
}

struct result *tokenization_compare(struct arena *arena,
                                    const struct tokenization_reader *readers, int64_t count,
                                    const char *text, size_t length, const char *language,
                                    struct err *err) {
    static const char *const names[SUMMARY] = { "tokens", "special", "bytes per token",
                                                "tokens per word", "vocabulary" };
    struct axis axis = { "model", count, arena_array(arena, count, sizeof(char *)) };
    struct reading *all = arena_array(arena, count, sizeof *all);
    struct result *result = result_new(arena, "tracks", SUMMARY + 2 * count);
    float *columns[SUMMARY];
    for (int i = 0; i < SUMMARY; i++) {
        columns[i] = column_new(arena, result, i, names[i], "", &axis);
    }
    for (int64_t i = 0; i < count; i++) {
        struct reading *r = &all[i];
        if (read_text(arena, readers[i].model, text, length, r, err) < 0) {
            err_pass(err);
            return NULL;
        }
        int64_t own = r->encoding->count - r->special, words = r->words->count - r->special;
        axis.labels[i] = arena_copy(arena, readers[i].handle);
        columns[0][i] = (float)r->encoding->count;
        columns[1][i] = (float)r->special;
        columns[2][i] = (float)bytes_per_token(r, length);
        columns[3][i] = words > 0 ? (float)own / (float)words : 0;
        columns[4][i] = (float)tokenizer_size(readers[i].model->tokenizer);
        struct series *series = &result->series[SUMMARY + 2 * i];
        series[0] = ids_of(arena, r, arena_printf(arena, "id %lld", (long long)i), r->labels);
        series[1] =
            spans_of(arena, r, arena_printf(arena, "span %lld", (long long)i), r->labels);
    }
    result->text = arena_text(arena, text, length);
    describe(arena, result, readers, all, count, length,
             language && strncmp(language, "zh", 2) == 0);
    return result;
}
