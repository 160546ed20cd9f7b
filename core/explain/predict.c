#include "core/explain/predict.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/guard.h"
#include "core/base/now.h"
#include "core/explain/broken.h"
#include "core/tensor/largest.h"
#include "core/tensor/logsumexp.h"

/* ---- reading ---- */

static struct predict_one one_of(const float *logits, int64_t n, double all, int64_t id) {
    struct predict_one one = { .id = id, .rank = 1, .logit = (double)logits[id] };
    one.probability = exp(one.logit - all);
    for (int64_t i = 0; i < n; i++) { /* of equal ones the first stands before */
        one.rank += logits[i] > logits[id] || (logits[i] == logits[id] && i < id);
    }
    return one;
}

/* The words that were asked about, as tokens. */
struct asked {
    bool asks, contrasts;
    struct target target, foil;
};

static void place_read(struct arena *arena, struct predict_place *place, const float *logits,
                       int64_t n, const struct asked *asked, int64_t top) {
    double all = logsumexp(logits, n);
    int32_t *ids = arena_array(arena, top + 2, sizeof *ids);
    place->known = largest(logits, n, top + 2, ids);
    place->count = place->known < top ? place->known : top;
    place->top = arena_array(arena, place->known, sizeof *place->top);
    for (int64_t i = 0; i < place->known; i++) {
        place->top[i] =
            (struct predict_one){ .id = ids[i],
                                  .rank = i + 1,
                                  .logit = (double)logits[ids[i]],
                                  .probability = exp((double)logits[ids[i]] - all) };
    }
    place->asks = asked->asks;
    place->contrasts = asked->contrasts;
    if (place->asks) {
        place->target = one_of(logits, n, all, target_choose(&asked->target, logits, n));
    }
    if (place->contrasts) {
        place->foil = one_of(logits, n, all, target_choose(&asked->foil, logits, n));
    }
}

static void place_like(struct arena *arena, struct predict_place *place, const float *logits,
                       int64_t n, const struct predict_place *like) {
    double all = logsumexp(logits, n);
    *place = *like;
    place->top = arena_array(arena, like->known, sizeof *place->top);
    for (int64_t i = 0; i < like->known; i++) {
        place->top[i] = one_of(logits, n, all, like->top[i].id);
    }
    place->target = one_of(logits, n, all, like->target.id);
    place->foil = one_of(logits, n, all, like->foil.id);
}

static int read_asked(struct arena *arena, const struct model *model,
                      const struct predict_request *request, struct asked *asked,
                      struct err *err) {
    *asked =
        (struct asked){ .asks = request->target != NULL, .contrasts = request->foil != NULL };
    if (asked->contrasts && !asked->asks) { /* against what is most probable */
        asked->asks = true;
        asked->target = (struct target){ .pieces = 1 };
    } else if (asked->asks &&
               target_find(arena, model, request->target, &asked->target, err) < 0) {
        return err_pass(err);
    }
    return asked->contrasts && target_find(arena, model, request->foil, &asked->foil, err) < 0
               ? err_pass(err)
               : 0;
}

static const struct tensor *logits_of(struct arena *arena, const struct model *model,
                                      const struct reading *reading, struct err *err) {
    struct pass pass = { .arena = arena,
                         .batch = 1,
                         .tokens = reading->count,
                         .ids = reading->ids,
                         .decoder_tokens = reading->decoder_count,
                         .decoder_ids = reading->decoder_ids };
    if (!reading_classifies(model)) {
        pass.wanted_rows = reading->places;
        pass.wanted = reading->place_count;
    }
    pass.keep[SITE_LOGITS] = true;
    struct trace *trace = model_run(model, &pass, err);
    return trace ? trace_at(trace, SITE_LOGITS, 0) : NULL;
}

static const char *notes_of(struct arena *arena, const struct model *model,
                            const struct asked *asked, const struct predict_place *place,
                            bool zh) {
    const char *note =
        asked->asks ? target_note(arena, model, &asked->target, place->target.id, zh) : "";
    const char *more =
        asked->contrasts ? target_note(arena, model, &asked->foil, place->foil.id, zh) : "";
    return arena_printf(arena, "%s%s%s", note, *note && *more ? " " : "", more);
}

static bool is_chinese(const char *language) {
    return language && strncmp(language, "zh", 2) == 0;
}

struct prediction *predict_read(struct arena *arena, const struct model *model,
                                const char *handle, const char *text, size_t length,
                                const struct predict_request *request,
                                const struct prediction *like, struct err *err) {
    double began = now_seconds();
    struct asked asked;
    struct reading *reading = reading_check(model, handle, err) == 0
                                  ? reading_of(arena, model, text, length, true, err)
                                  : NULL;
    if (!reading || read_asked(arena, model, request, &asked, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct arena **scratch = guard_arena(arena); /* of the run, whose logits may be many */
    if (like && like->place_count != reading->place_count) {
        err_set(err, ERR_TEXT, "%s guesses at %lld places of this text, %s at %lld",
                like->handle, (long long)like->place_count, handle,
                (long long)reading->place_count);
        return NULL;
    }
    const struct tensor *logits = logits_of(*scratch, model, reading, err);
    if (!logits) {
        err_pass(err);
        return NULL;
    }
    struct prediction *prediction = arena_alloc(arena, sizeof *prediction);
    *prediction = (struct prediction){ .model = model,
                                       .handle = handle,
                                       .text = text,
                                       .length = length,
                                       .tokens = reading->count,
                                       .place_count = reading->place_count };
    int64_t n = tensor_count(logits) / reading->place_count;
    prediction->places = arena_array(arena, reading->place_count, sizeof(struct predict_place));
    for (int64_t i = 0; i < reading->place_count; i++) {
        const float *row = logits->data + i * n;
        if (!isfinite(logsumexp(row, n))) {
            broken_refuse(arena, model, err);
            return NULL;
        }
        if (like) {
            place_like(arena, &prediction->places[i], row, n, &like->places[i]);
        } else {
            place_read(arena, &prediction->places[i], row, n, &asked, request->top);
        }
    }
    guard_free(scratch);
    prediction->note =
        notes_of(arena, model, &asked, &prediction->places[0], is_chinese(request->language));
    prediction->seconds = now_seconds() - began;
    return prediction;
}

bool predict_alike(const struct model *a, const struct model *b) {
    bool classes = reading_classifies(a);
    if (classes != reading_classifies(b) || strcmp(a->task, b->task) != 0) {
        return false;
    }
    if (classes) {
        return a->config->labels == b->config->labels;
    }
    if (a->config->vocab != b->config->vocab || !a->tokenizer || !b->tokenizer) {
        return false;
    }
    for (int32_t i = 0; i < a->config->vocab; i++) {
        const char *x = tokenizer_spelling(a->tokenizer, i),
                   *y = tokenizer_spelling(b->tokenizer, i);
        if (!x != !y || (x && strcmp(x, y) != 0)) {
            return false;
        }
    }
    return true;
}

/* ---- words ---- */

/* "0.62", "0.0031", "4.1e-07" */
static const char *share(struct arena *arena, double p) {
    return p >= 0.01   ? arena_printf(arena, "%.2f", p)
           : p >= 1e-4 ? arena_printf(arena, "%.4f", p)
                       : arena_printf(arena, "%.1e", p);
}

static const char *label_of(struct arena *arena, const struct model *model, int64_t id) {
    const char *label = target_label(arena, model, id);
    char shown[44];
    return arena_copy(arena, err_quote(shown, sizeof shown, label, strlen(label)));
}

/* "␣Paris (0.62), ␣the (0.05), ␣a (0.03)" */
static const char *leaders(struct arena *arena, const struct prediction *prediction,
                           const struct predict_place *place, bool zh) {
    enum { NAMED = 3 };
    struct buf *said = buf_new(arena);
    for (int64_t i = 0; i < place->count && i < NAMED; i++) {
        buf_printf(said, zh ? "%s%s（%s）" : "%s%s (%s)",
                   i == 0 ? ""
                   : zh   ? "、"
                          : ", ",
                   label_of(arena, prediction->model, place->top[i].id),
                   share(arena, place->top[i].probability));
    }
    return said->data;
}

/* About target and foil at one place. */
static const char *verdict(struct arena *arena, const struct prediction *prediction,
                           const struct predict_place *place, bool zh) {
    const struct predict_one *target = &place->target, *foil = &place->foil;
    const char *said =
        arena_printf(arena,
                     zh ? "%s：概率 %s，第 %lld 位，logit %.3f。"
                        : "%s: probability %s, rank %lld, logit %.3f.",
                     label_of(arena, prediction->model, target->id),
                     share(arena, target->probability), (long long)target->rank, target->logit);
    if (!place->contrasts) {
        return said;
    }
    double odds = target->logit - foil->logit;
    const char *against = label_of(arena, prediction->model, foil->id);
    return arena_printf(arena,
                        zh ? "%s与%s（概率 %s，第 %lld 位）相比：对数几率之差 %+.3f 奈特，"
                             "即概率之比 %.3g。"
                           : "%s Against %s (probability %s, rank %lld): log odds %+.3f nats, "
                             "%.3g times as probable.",
                        said, against, share(arena, foil->probability), (long long)foil->rank,
                        odds, exp(odds));
}

static const char *place_name(struct arena *arena, const struct prediction *prediction,
                              int64_t place, bool zh) {
    if (strcmp(prediction->model->task, "masked-lm") != 0 || prediction->place_count == 1) {
        return "";
    }
    return arena_printf(arena, zh ? "第 %lld 个掩码" : "mask %lld", (long long)place + 1);
}

static const char *finding_of(struct arena *arena, const struct prediction *prediction,
                              bool zh) {
    enum { TOLD = 4 };
    struct buf *said = buf_new(arena);
    bool masked = strcmp(prediction->model->task, "masked-lm") == 0;
    bool classes = reading_classifies(prediction->model);
    buf_printf(said,
               classes ? zh ? "%1$s 给“%2$s”的类别：" : "%1$s classes “%2$s” as "
               : masked ? zh ? "%1$s 在“%2$s”的空缺处猜：" : "%1$s guesses in “%2$s”: "
               : zh ? "%1$s 认为“%2$s”之后是："
                    : "%1$s goes on after “%2$s” with ",
               prediction->handle, reading_quote(arena, prediction->text, prediction->length));
    for (int64_t i = 0; i < prediction->place_count && i < TOLD; i++) {
        const char *name = place_name(arena, prediction, i, zh);
        buf_printf(said, "%s%s%s%s", i ? zh ? "；" : "; " : "", name,
                   *name ? zh ? "：" : ": " : "",
                   leaders(arena, prediction, &prediction->places[i], zh));
    }
    buf_text(said, prediction->place_count > TOLD ? zh ? "……" : " …" : zh ? "。" : ".");
    if (prediction->places[0].asks) {
        buf_printf(said, "%s%s", zh ? "" : " ",
                   verdict(arena, prediction, &prediction->places[0], zh));
    }
    return said->data;
}

static const char *caption_of(struct arena *arena, const struct prediction *prediction,
                              bool zh) {
    const char *note = prediction->note;
    return arena_printf(arena, "%s%s%s",
                        zh ? "概率来自对全部词元（或类别）的 softmax；它是模型自己的把握，"
                             "不是它答对的频率。␣ 表示空格。"
                           : "Probabilities are the softmax over all tokens (or classes): the "
                             "model's own confidence, not how often it is right. ␣ is a blank.",
                        *note && !zh ? " " : "", note);
}

/* ---- results ---- */

static const char *subject(const struct model *model, bool zh) {
    return reading_classifies(model)               ? zh ? "类别" : "Class"
           : strcmp(model->task, "masked-lm") == 0 ? zh ? "被掩盖的词元" : "Masked token"
           : zh                                    ? "下一个词元"
                                                   : "Next token";
}

static struct result *begin(struct arena *arena, const char *kind, int64_t series,
                            const struct prediction *prediction, bool zh) {
    const struct model *model = prediction->model;
    struct result *result = result_new(arena, kind, series);
    result->title = arena_printf(arena, zh ? "%s：%s" : "%s, by %s", subject(model, zh),
                                 prediction->handle);
    result->caption = caption_of(arena, prediction, zh);
    result->text = arena_text(arena, prediction->text, prediction->length);
    result->model = arena_copy(arena, prediction->handle);
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = "softmax";
    result->dtype = arena_copy(arena, model->dtype);
    result->seed = -1;
    result->seconds = prediction->seconds;
    return result;
}

/* A series [rows, n], or [n] of one row. */
static struct series *table(struct arena *arena, struct series *series, const char *name,
                            struct axis rows, struct axis columns) {
    bool one = rows.count == 1;
    int64_t shape[] = { rows.count, columns.count };
    *series = (struct series){ .name = name, .unit = "" };
    series->values = tensor_new(arena, 2 - one, shape + one);
    series->axes[0] = one ? columns : rows;
    series->axes[1] = one ? (struct axis){ 0 } : columns;
    return series;
}

static void as_probability(struct series *series) {
    series->unit = "probability";
    series->low = 0;
    series->high = 1;
}

static bool is_among(const struct predict_one *ones, int64_t n, int64_t id) {
    for (int64_t i = 0; i < n; i++) {
        if (ones[i].id == id) {
            return true;
        }
    }
    return false;
}

/* The top, then target and foil where they are not among it, then, up to `width`, what comes
 * after the top: so all places fill their rows. */
static int64_t ones_of(const struct predict_place *place, int64_t width,
                       struct predict_one *out) {
    const struct predict_one *more[] = { place->asks ? &place->target : NULL,
                                         place->contrasts ? &place->foil : NULL };
    int64_t n = place->count;
    memcpy(out, place->top, (size_t)n * sizeof *out);
    for (int m = 0; m < 2; m++) {
        if (more[m] && !is_among(out, n, more[m]->id)) {
            out[n++] = *more[m];
        }
    }
    for (int64_t i = place->count; i < place->known && n < width; i++) {
        if (!is_among(out, n, place->top[i].id)) {
            out[n++] = place->top[i];
        }
    }
    return n;
}

static int64_t width_of(struct arena *arena, const struct prediction *prediction) {
    int64_t most = 0;
    for (int64_t i = 0; i < prediction->place_count; i++) {
        const struct predict_place *place = &prediction->places[i];
        struct predict_one *ones = arena_array(arena, place->count + 2, sizeof *ones);
        int64_t n = ones_of(place, 0, ones);
        most = n > most ? n : most;
    }
    return most;
}

static const char *bar_name(struct arena *arena, const struct model *model,
                            const struct predict_one *one, int64_t top, bool zh) {
    const char *label = target_label(arena, model, one->id);
    return one->rank <= top ? label
                            : arena_printf(arena, zh ? "%s（第 %lld 位）" : "%s (rank %lld)",
                                           label, (long long)one->rank);
}

static void note_target(struct arena *arena, struct result *result,
                        const struct prediction *prediction) {
    const struct predict_place *place = &prediction->places[0];
    if (place->asks) {
        result_note(arena, result, "target",
                    target_label(arena, prediction->model, place->target.id));
    }
    if (place->contrasts) {
        result_note(arena, result, "vs",
                    target_label(arena, prediction->model, place->foil.id));
    }
}

/* The token whose probability the two models see most differently. */
static const char *difference(struct arena *arena, const struct prediction *a,
                              const struct prediction *b, bool zh) {
    const struct predict_one *one = NULL, *two = NULL;
    for (int64_t p = 0; p < a->place_count; p++) {
        for (int64_t i = 0; i < a->places[p].count; i++) {
            const struct predict_one *x = &a->places[p].top[i], *y = &b->places[p].top[i];
            if (!one || fabs(x->probability - y->probability) >
                            fabs(one->probability - two->probability)) {
                one = x;
                two = y;
            }
        }
    }
    return arena_printf(arena,
                        zh ? "与 %s 差别最大的是 %s：%s 对 %s。"
                           : " It differs most from %s about %s: %s against %s.",
                        b->handle, label_of(arena, a->model, one->id),
                        share(arena, one->probability), share(arena, two->probability));
}

struct result *predict_bars(struct arena *arena, const struct prediction *prediction,
                            const struct prediction *other,
                            const struct predict_request *request) {
    bool zh = is_chinese(request->language);
    int64_t rows = prediction->place_count, n = width_of(arena, prediction);
    struct result *result = begin(arena, "bars", other ? 5 : 4, prediction, zh);
    struct axis panels = { .name = "place", .count = rows },
                bars = { .name = "token", .count = n };
    panels.labels = arena_array(arena, rows, sizeof *panels.labels);
    const char **names = arena_array(arena, rows * n, sizeof *names);
    static const char *const kinds[] = { "probability", "logit", "rank", "id", "other" };
    for (int64_t s = 0; s < result->count; s++) {
        table(arena, &result->series[s], kinds[s], panels, bars)->names = names;
    }
    as_probability(&result->series[0]);
    for (int64_t p = 0; p < rows; p++) {
        const struct predict_place *place = &prediction->places[p];
        struct predict_one *ones = arena_array(arena, place->count + 2, sizeof *ones);
        struct predict_one *others = arena_array(arena, place->count + 2, sizeof *ones);
        ones_of(place, n, ones);
        if (other) {
            ones_of(&other->places[p], n, others);
        }
        panels.labels[p] = place_name(arena, prediction, p, zh);
        for (int64_t i = 0; i < n; i++) {
            double values[] = { ones[i].probability, ones[i].logit, (double)ones[i].rank,
                                (double)ones[i].id, others[i].probability };
            for (int64_t s = 0; s < result->count; s++) {
                result->series[s].values->data[p * n + i] = (float)values[s];
            }
            names[p * n + i] = bar_name(arena, prediction->model, &ones[i], place->count, zh);
        }
    }
    if (other) {
        as_probability(&result->series[4]);
        result_note(arena, result, "this", prediction->handle);
        result_note(arena, result, "other", other->handle);
        result->title =
            arena_printf(arena, zh ? "%s：%s 与 %s" : "%s, by %s and %s",
                         subject(prediction->model, zh), prediction->handle, other->handle);
    }
    note_target(arena, result, prediction);
    result->finding = arena_printf(arena, "%s%s", finding_of(arena, prediction, zh),
                                   other ? difference(arena, prediction, other, zh) : "");
    return result;
}

/* ---- several texts ---- */

/* A row for each place of each text. */
struct row {
    const struct prediction *prediction;
    const struct predict_place *place;
    const char *name;
};

static struct row *rows_of(struct arena *arena, struct prediction *const *predictions,
                           int64_t count, int64_t *n, bool zh) {
    *n = 0;
    for (int64_t i = 0; i < count; i++) {
        *n += predictions[i]->place_count;
    }
    struct row *rows = arena_array(arena, *n, sizeof *rows), *row = rows;
    for (int64_t i = 0; i < count; i++) {
        const struct prediction *one = predictions[i];
        const char *text = reading_quote(arena, one->text, one->length);
        for (int64_t p = 0; p < one->place_count; p++, row++) {
            const char *place = place_name(arena, one, p, zh);
            *row = (struct row){ .prediction = one, .place = &one->places[p] };
            row->name = *place ? arena_printf(arena, "%s · %s", text, place) : text;
        }
    }
    return rows;
}

static void choices_fill(struct arena *arena, struct result *result, const struct row *rows,
                         struct axis texts) {
    struct axis places = { .name = "rank", .count = rows->place->count };
    static const char *const kinds[] = { "probability", "logit", "id" };
    const char **names = arena_array(arena, texts.count * places.count, sizeof *names);
    for (int s = 0; s < 3; s++) {
        struct series *series = &result->series[s];
        int64_t shape[] = { texts.count, places.count };
        *series = (struct series){ .name = kinds[s], .unit = "", .names = names };
        series->values = tensor_new(arena, 2, shape);
        series->axes[0] = texts;
        series->axes[1] = places;
        for (int64_t i = 0; i < texts.count * places.count; i++) {
            const struct row *row = &rows[i / places.count];
            const struct predict_one *one = &row->place->top[i % places.count];
            double values[] = { one->probability, one->logit, (double)one->id };
            series->values->data[i] = (float)values[s];
            names[i] = target_label(arena, row->prediction->model, one->id);
        }
    }
    as_probability(&result->series[0]);
}

/* Columns of numbers about the target; the most probable token is told by its name. */
static void table_fill(struct arena *arena, struct result *result, const struct row *rows,
                       struct axis texts, bool zh) {
    static const char *const heads[] = {
        "most probable", "its probability", "target", "target's probability",
        "rank",          "logit",           "vs",     "vs's probability",
        "log odds"
    };
    static const char *const heads_zh[] = { "最可能",     "其概率",     "目标",
                                            "目标的概率", "位次",       "logit",
                                            "对照",       "对照的概率", "对数几率差" };
    for (int64_t s = 0; s < result->count; s++) {
        struct series *series = &result->series[s];
        *series = (struct series){ .name = (zh ? heads_zh : heads)[s], .unit = "" };
        series->values = tensor_new(arena, 1, &texts.count);
        series->axes[0] = texts;
        series->names = s == 0 || s == 2 || s == 6
                            ? arena_array(arena, texts.count, sizeof *series->names)
                            : NULL;
        for (int64_t i = 0; i < texts.count; i++) {
            const struct predict_place *place = rows[i].place;
            const struct predict_one *top = &place->top[0], *target = &place->target,
                                     *foil = &place->foil;
            double values[] = {
                (double)top->id,     top->probability,     (double)target->id,
                target->probability, (double)target->rank, target->logit,
                (double)foil->id,    foil->probability,    target->logit - foil->logit
            };
            series->values->data[i] = (float)values[s];
            if (series->names) {
                series->names[i] = target_label(arena, rows[i].prediction->model,
                                                s == 0   ? top->id
                                                : s == 2 ? target->id
                                                         : foil->id);
            }
        }
    }
}

/* The text whose target is most and the one whose target is least probable. */
static const char *extremes(struct arena *arena, const struct row *rows, int64_t n, bool zh) {
    int64_t most = 0, least = 0;
    for (int64_t i = 1; i < n; i++) {
        double p = rows[i].place->target.probability;
        most = p > rows[most].place->target.probability ? i : most;
        least = p < rows[least].place->target.probability ? i : least;
    }
    return arena_printf(
        arena,
        zh ? "目标在“%s”之后最可能（%s，第 %lld 位），在“%s”之后最不可能（%s，第 %lld 位）。"
           : "The target is most probable for “%s” (%s, rank %lld), least for “%s” (%s, rank "
             "%lld).",
        rows[most].name, share(arena, rows[most].place->target.probability),
        (long long)rows[most].place->target.rank, rows[least].name,
        share(arena, rows[least].place->target.probability),
        (long long)rows[least].place->target.rank);
}

static const char *sureness(struct arena *arena, const struct row *rows, int64_t n, bool zh) {
    int64_t most = 0, least = 0;
    for (int64_t i = 1; i < n; i++) {
        double p = rows[i].place->top[0].probability;
        most = p > rows[most].place->top[0].probability ? i : most;
        least = p < rows[least].place->top[0].probability ? i : least;
    }
    const struct row *ends[] = { &rows[most], &rows[least] };
    const char *said[2];
    for (int i = 0; i < 2; i++) {
        const struct predict_one *top = &ends[i]->place->top[0];
        said[i] = arena_printf(arena, zh ? "“%s”（%s，%s）" : "“%s” (%s, %s)", ends[i]->name,
                               label_of(arena, ends[i]->prediction->model, top->id),
                               share(arena, top->probability));
    }
    return arena_printf(arena,
                        zh ? "%s 最有把握的是%s，最没把握的是%s。"
                           : "%s is surest about %s, least sure about %s.",
                        rows->prediction->handle, said[0], said[1]);
}

struct result *predict_rows(struct arena *arena, struct prediction *const *predictions,
                            int64_t count, const struct predict_request *request) {
    bool zh = is_chinese(request->language);
    int64_t n;
    const struct row *rows = rows_of(arena, predictions, count, &n, zh);
    const struct predict_place *first = rows->place;
    struct axis texts = { .name = "text", .count = n };
    texts.labels = arena_array(arena, n, sizeof *texts.labels);
    for (int64_t i = 0; i < n; i++) {
        texts.labels[i] = rows[i].name;
    }
    struct result *result = begin(arena, first->asks ? "table" : "choices",
                                  first->contrasts ? 9
                                  : first->asks    ? 6
                                                   : 3,
                                  predictions[0], zh);
    if (first->asks) {
        table_fill(arena, result, rows, texts, zh);
        result->finding = extremes(arena, rows, n, zh);
        note_target(arena, result, predictions[0]);
    } else {
        choices_fill(arena, result, rows, texts);
        result->finding = sureness(arena, rows, n, zh);
    }
    struct buf *text = buf_new(arena);
    result->seconds = 0;
    for (int64_t i = 0; i < count; i++) {
        buf_text(text, i ? "\n" : "");
        buf_add(text, predictions[i]->text, predictions[i]->length);
        result->seconds += predictions[i]->seconds;
    }
    result->text = text->data;
    result->n = count;
    return result;
}
