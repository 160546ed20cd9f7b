#include "core/explain/generate.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/now.h"
#include "core/explain/broken.h"
#include "core/model/step.h"
#include "core/tensor/largest.h"
#include "core/tensor/logsumexp.h"
#include "core/text/pieces.h"

enum { TAIL = 6, LATE = 8 }; /* tokens: of the prompt for what joins it; without a character */

int generate_check(const struct model *model, const char *handle, struct err *err) {
    if (reading_check(model, handle, err) < 0) {
        return -1;
    }
    if (strcmp(model->task, "causal-lm") != 0 && strcmp(model->task, "seq2seq-lm") != 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s (%s, %s) reads whole texts and writes none: %%%%predict shows what "
                       "it guesses",
                       handle, model->arch->name, model->task);
    }
    return 0;
}

/* ---- the text as it grows ---- */

struct writing {
    struct arena *arena;   /* of the text */
    struct arena *scratch; /* of a token */
    const struct tokenizer *tokenizer;
    const struct generate_request *request;
    int32_t *ids; /* the end of the prompt, then what is written */
    int64_t count;
    int64_t from,
        read;         /* ids whose text is known: how from .. read end says how read goes on */
    struct buf *text; /* all that is written */
    size_t told;      /* bytes that were handed on */
};

static void close_arena(void *what) {
    arena_free(what);
}

static struct writing *writing_new(struct arena *arena, const struct model *model,
                                   const struct reading *reading,
                                   const struct generate_request *request) {
    struct writing *w = arena_alloc(arena, sizeof *w);
    bool decodes = reading->decoder_count > 0;
    const int32_t *ids = decodes ? reading->decoder_ids : reading->ids;
    int64_t n = decodes ? reading->decoder_count : reading->count;
    int64_t tail = n < TAIL ? n : TAIL;
    *w = (struct writing){ .arena = arena,
                           .scratch = arena_new(),
                           .tokenizer = model->tokenizer,
                           .request = request,
                           .count = tail,
                           .read = tail,
                           .text = buf_new(arena) };
    arena_defer(arena, close_arena, w->scratch);
    w->ids = arena_array(arena, tail + request->most, sizeof *w->ids);
    memcpy(w->ids, ids + n - tail, (size_t)tail * sizeof *ids);
    return w;
}

/* Hands on what is certain: not the beginning of a stop text. Returns whether the stop text has
 * come, which ends the text before it. */
static bool hand_on(struct writing *w, bool last) {
    const char *stop = w->request->stop;
    struct buf *text = w->text;
    size_t hold = 0, n = stop ? strlen(stop) : 0;
    const char *found =
        n > 0 ? memmem(text->data + w->told, text->length - w->told, stop, n) : NULL;
    if (found) {
        text->length = (size_t)(found - text->data);
        text->data[text->length] = '\0';
    }
    for (size_t k = n > 0 ? n - 1 : 0; k > 0 && !found && !last && hold == 0; k--) {
        bool fits = text->length - w->told >= k;
        hold = fits && memcmp(text->data + text->length - k, stop, k) == 0 ? k : 0;
    }
    size_t upto = text->length - hold;
    if (upto > w->told && w->request->write) {
        w->request->write(w->request->write_arg, text->data + w->told, upto - w->told);
    }
    w->told = upto > w->told ? upto : w->told;
    return found != NULL;
}

static bool ends_whole(const char *text, size_t length) {
    return length < 3 || memcmp(text + length - 3, "\xEF\xBF\xBD", 3) != 0;
}

/* Adds the text of the tokens that are not read yet, if they end with a whole character (or
 * have been waiting for one too long): what they add to the text of those before. */
static bool writing_grow(struct writing *w, bool last) {
    struct arena_mark mark = arena_mark(w->scratch);
    size_t before, after;
    const char *known = tokenizer_decode(w->scratch, w->tokenizer, w->ids + w->from,
                                         w->read - w->from, true, &before);
    const char *all = tokenizer_decode(w->scratch, w->tokenizer, w->ids + w->from,
                                       w->count - w->from, true, &after);
    if (ends_whole(all, after) || w->count - w->read >= LATE || last) {
        bool joins = after >= before && memcmp(known, all, before) == 0;
        if (!joins) { /* a decoder that changed what it had said: the new tokens by themselves
                       */
            all = tokenizer_decode(w->scratch, w->tokenizer, w->ids + w->read,
                                   w->count - w->read, true, &after);
            before = 0;
        }
        while (last && after > before && !ends_whole(all, after)) {
            after -= 3; /* the beginning of a character whose end was not written */
        }
        buf_add(w->text, all + before, after - before);
        w->from = after > before ? w->read : w->from;
        w->read = w->count;
    }
    arena_rewind(w->scratch, mark);
    return hand_on(w, last);
}

/* ---- the steps ---- */

struct steps {
    int64_t count, most, top;
    float *probabilities; /* [most, top] */
    int32_t *ids;         /* [most, top] */
    float *chosen;        /* [most] place in the row */
    float *probability;   /* [most] of the chosen */
    int32_t *taken;       /* [most] */
};

static struct steps steps_new(struct arena *arena, int64_t most, int64_t top) {
    struct steps steps = { .most = most, .top = top };
    steps.probabilities = arena_array(arena, most * top, sizeof(float));
    steps.ids = arena_array(arena, most * top, sizeof(int32_t));
    steps.chosen = arena_array(arena, most, sizeof(float));
    steps.probability = arena_array(arena, most, sizeof(float));
    steps.taken = arena_array(arena, most, sizeof(int32_t));
    return steps;
}

/* `all` is logsumexp of the logits. */
static void steps_add(struct steps *steps, const float *logits, int64_t n, double all,
                      int32_t id) {
    int64_t at = steps->count++;
    int32_t *ids = steps->ids + at * steps->top;
    float *row = steps->probabilities + at * steps->top;
    int64_t found = largest(logits, n, steps->top, ids);
    steps->chosen[at] = -1;
    steps->taken[at] = id;
    steps->probability[at] = (float)exp((double)logits[id] - all);
    for (int64_t i = 0; i < found; i++) {
        row[i] = (float)exp((double)logits[ids[i]] - all);
        steps->chosen[at] = ids[i] == id ? (float)i : steps->chosen[at];
    }
}

/* NULL without an error at an interrupt, which ends here, so that what is written stays. */
static const float *logits_or_halt(struct step *step, int64_t *n, struct err *err) {
    struct catch here;
    const float *volatile logits = NULL;
    if (setjmp(catch_set(&here)->place) == 0) {
        stop_check();
        logits = step_logits(step, n, err);
    } else if (here.err.kind != ERR_STOP) {
        catch_throw(here.err.kind, "%s", here.err.text);
    }
    catch_end(&here);
    return logits;
}

/* ---- where a model stops by itself ---- */

/* Spellings of tokens with which a turn ends. */
static bool ends_turn(const struct tokenizer *tokenizer, int32_t id) {
    static const char *const ends[] = { "<|im_end|>",      "<|eot_id|>",
                                        "<end_of_turn>",   "<|end|>",
                                        "<|endoftext|>",   "</s>",
                                        "<|end_of_text|>", "<|END_OF_TURN_TOKEN|>",
                                        "<|eom_id|>",      "<|end_of_turn|>" };
    const char *spelling = tokenizer_spelling(tokenizer, id);
    for (size_t i = 0; spelling && i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(spelling, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends_text(const struct model *model, const struct generate_request *request,
                      int32_t id) {
    return endings_hold(model->endings, id) ||
           (request->turn && ends_turn(model->tokenizer, id)) ||
           (request->turn && model->chat && *model->chat->end &&
            id == tokenizer_id(model->tokenizer, model->chat->end));
}

/* Tokens that the context still has room for, at most `most`. */
static int64_t room_for(const struct model *model, int64_t read, int64_t most) {
    int64_t context = model->config->context;
    int64_t left = context > 0 && !model_decodes(model) ? context - read + 1 : most;
    return left < most ? left : most;
}

/* ---- words ---- */

static bool is_chinese(const char *language) {
    return language && strncmp(language, "zh", 2) == 0;
}

static const char *ending(struct arena *arena, const struct model *model, enum generate_end end,
                          const struct generate_request *request, bool zh) {
    switch (end) {
    case GENERATE_END:
        return zh ? "它自己结束了文本。" : "It ended the text itself.";
    case GENERATE_STOP:
        return zh ? "遇到了 --stop 的文本。" : "The text of --stop came.";
    case GENERATE_FULL:
        return arena_printf(
            arena, zh ? "上下文已满（%lld 个词元）。" : "Its context of %lld tokens is full.",
            (long long)model->config->context);
    case GENERATE_HALT:
        return zh ? "已被中断。" : "It was interrupted.";
    default:
        return arena_printf(arena,
                            zh ? "到 --max %lld 为止。" : "It was stopped at --max %lld.",
                            (long long)request->most);
    }
}

static const char *quoted(struct arena *arena, const char *label) {
    char shown[44];
    return arena_copy(arena, err_quote(shown, sizeof shown, label, strlen(label)));
}

/* `labels` of the tokens taken. */
static const char *finding(struct arena *arena, const char *handle, const struct steps *steps,
                           const char **labels, double rate, const char *why, bool zh) {
    int64_t least = 0, most = 0, other = 0;
    for (int64_t i = 0; i < steps->count; i++) {
        least = steps->probability[i] < steps->probability[least] ? i : least;
        most = steps->probability[i] > steps->probability[most] ? i : most;
        other += steps->chosen[i] != 0;
    }
    return arena_printf(
        arena,
        zh ? "%s 写了 %lld 个词元（每秒 %.0f 个），其中 %lld 个不是最可能的。最有把握的是 "
             "%s（%.2f），最没把握的是 %s（%.2f）。%s"
           : "%s wrote %lld tokens (%.0f a second), %lld of them not the most probable. It was "
             "surest about %s (%.2f), least sure about %s (%.2f). %s",
        handle, (long long)steps->count, rate, (long long)other, quoted(arena, labels[most]),
        (double)steps->probability[most], quoted(arena, labels[least]),
        (double)steps->probability[least], why);
}

static const char *drawn(struct arena *arena, const struct sampler *sampler) {
    if (sampler->temperature <= 0) {
        return "greedy";
    }
    struct buf *said = buf_new(arena);
    buf_printf(said, "temperature %g", sampler->temperature);
    if (sampler->top_k > 0) {
        buf_printf(said, ", top-k %lld", (long long)sampler->top_k);
    }
    if (sampler->top_p < 1) {
        buf_printf(said, ", top-p %g", sampler->top_p);
    }
    return said->data;
}

/* ---- the result ---- */

static struct series *column(struct arena *arena, struct result *result, int at,
                             const char *name, struct axis steps) {
    struct series *series = &result->series[at];
    *series = (struct series){ .name = name, .unit = "" };
    series->values = tensor_new(arena, 1, &steps.count);
    series->axes[0] = steps;
    return series;
}

static struct result *result_of(struct arena *arena, const struct model *model,
                                const struct steps *steps) {
    struct result *result = result_new(arena, "choices", 4);
    struct axis rows = { .name = "step", .count = steps->count },
                places = { .name = "rank", .count = steps->top };
    rows.labels = arena_array(arena, steps->count, sizeof *rows.labels);
    const char **names = arena_array(arena, steps->count * steps->top, sizeof *names);
    pieces_written(arena, model->tokenizer, steps->taken, steps->count, steps->ids, steps->top,
                   rows.labels, names);
    struct series *series = &result->series[0];
    *series = (struct series){ .name = "probability", .unit = "probability", .high = 1 };
    series->values = tensor_new(arena, 2, (int64_t[]){ steps->count, steps->top });
    for (int64_t i = 0; i < steps->count * steps->top; i++) {
        series->values->data[i] = steps->probabilities[i];
    }
    struct series *chosen = column(arena, result, 1, "chosen", rows);
    struct series *probability = column(arena, result, 2, "chosen probability", rows);
    struct series *ids = column(arena, result, 3, "id", rows);
    for (int64_t i = 0; i < steps->count; i++) {
        chosen->values->data[i] = steps->chosen[i];
        probability->values->data[i] = steps->probability[i];
        ids->values->data[i] = (float)steps->taken[i];
    }
    probability->unit = "probability";
    probability->high = 1;
    series->names = names;
    series->axes[0] = rows;
    series->axes[1] = places;
    return result;
}

static struct result *told(struct arena *arena, const struct model *model, const char *handle,
                           const char *text, const struct steps *steps,
                           const struct generate_request *request, enum generate_end end,
                           const char *written, double seconds) {
    bool zh = is_chinese(request->language);
    struct result *result = result_of(arena, model, steps);
    result->title = arena_printf(
        arena, zh ? "%s 写的，以及它本可以写的" : "What %s wrote, and what else it might have",
        handle);
    result->finding =
        finding(arena, handle, steps, result->series[0].axes[0].labels,
                (double)steps->count / seconds, ending(arena, model, end, request, zh), zh);
    result->caption =
        zh ? "一列是一步：写下的词元，以及模型自己（温度 1）认为最可能的词元。␣ 表示空格。"
           : "A column is a step: the token written, and those that the model itself "
             "(temperature "
             "1) found most probable. ␣ is a blank.";
    result->text = arena_printf(arena, "%s%s", text, written);
    result->model = arena_copy(arena, handle);
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = drawn(arena, &request->sampler);
    result->dtype = arena_copy(arena, model->dtype);
    result->seed = request->sampler.temperature > 0 ? request->seed : -1;
    result->seconds = seconds;
    return result;
}

/* Takes one step; false where writing ends, with the reason in *end. */
static bool write_one(struct step *step, const struct model *model,
                      const struct generate_request *request, struct random *random,
                      struct sampler_room *room, struct steps *steps, struct writing *writing,
                      enum generate_end *end, struct err *err) {
    int64_t n;
    const float *logits = logits_or_halt(step, &n, err);
    double all = logits ? logsumexp(logits, n) : (double)NAN;
    if (!isfinite(all)) {
        *end = GENERATE_HALT;
        if (logits) {
            broken_refuse(writing->arena, model, err);
        }
        return false;
    }
    int64_t id = sampler_draw(&request->sampler, random, logits, n, room);
    steps_add(steps, logits, n, all, (int32_t)id);
    if (ends_text(model, request, (int32_t)id)) {
        *end = GENERATE_END;
        return false;
    }
    step_take(step, (int32_t)id);
    writing->ids[writing->count++] = (int32_t)id;
    if (writing_grow(writing, false)) {
        *end = GENERATE_STOP;
        return false;
    }
    return true;
}

struct result *generate(struct arena *arena, const struct model *model, const char *handle,
                        const char *text, const struct reading *reading,
                        const struct generate_request *request, enum generate_end *end,
                        struct err *err) {
    double began = now_seconds();
    int64_t most = room_for(model, reading->count, request->most);
    if (most < 1) {
        err_set(err, ERR_TEXT,
                "the text has %lld tokens and this model reads at most %lld: shorten it",
                (long long)reading->count, (long long)model->config->context);
        return NULL;
    }
    int64_t vocab = model->config->vocab;
    struct steps steps = steps_new(arena, most, request->top < vocab ? request->top : vocab);
    struct writing *writing = writing_new(arena, model, reading, request);
    struct random random = random_new((uint64_t)request->seed);
    struct sampler_room *room = sampler_room_new(arena, vocab);
    struct step *step = step_new(arena, model, reading->ids, reading->count,
                                 reading->decoder_ids, reading->decoder_count, most);
    *end = most < request->most ? GENERATE_FULL : GENERATE_MOST;
    while (steps.count < most &&
           write_one(step, model, request, &random, room, &steps, writing, end, err)) {
    }
    if (*end != GENERATE_HALT) {
        stop_hold(); /* an interrupt from now on must not cost what is written */
    }
    if (*end != GENERATE_STOP && writing_grow(writing, true) && *end != GENERATE_HALT) {
        *end = GENERATE_STOP;
    }
    if (err->kind != ERR_NONE) {
        err_pass(err);
        return NULL;
    }
    if (steps.count == 0) {
        stop_check(); /* halted before the first token: there is nothing to keep */
    }
    struct result *result = told(arena, model, handle, text, &steps, request, *end,
                                 writing->text->data, now_seconds() - began);
    stop_release();
    return result;
}
