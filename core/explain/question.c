#include "core/explain/question.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/logsumexp.h"
#include "core/tensor/simd.h"

double question_value(const struct question *question, const float *logits, int64_t n,
                      float *gradient) {
    int64_t id = question->id;
    if (question->of == QUESTION_LOGIT) {
        if (gradient) {
            memset(gradient, 0, (size_t)n * sizeof *gradient);
            gradient[id] = 1;
        }
        return (double)logits[id];
    }
    double all = logsumexp(logits, n), logprob = (double)logits[id] - all;
    /* d logprob / d logit i = [i = id] - p_i; of the probability p_id times that */
    double factor = question->of == QUESTION_PROB ? exp(logprob) : 1;
    for (int64_t i = 0; gradient && i < n; i++) {
        gradient[i] = (float)(factor * ((i == id) - exp((double)logits[i] - all)));
    }
    return question->of == QUESTION_PROB ? exp(logprob) : logprob;
}

static bool is_classifier(const struct question *question) {
    return strcmp(question->model->task, "classification") == 0;
}

static int check(const struct question *q, struct err *err) {
    int64_t rows = q->decoder_tokens > 0 ? q->decoder_tokens : q->tokens;
    int64_t ids = is_classifier(q) ? q->model->config->labels : q->model->config->vocab;
    if (q->id < 0 || q->id >= ids) {
        return err_set(err, ERR_TEXT, "%s %lld is asked about; there are %lld",
                       is_classifier(q) ? "class" : "token", (long long)q->id, (long long)ids);
    }
    if (!is_classifier(q) && (q->position < 0 || q->position >= rows)) {
        return err_set(err, ERR_TEXT, "position %lld is asked about; the text has %lld tokens",
                       (long long)q->position, (long long)rows);
    }
    return 0;
}

/* n copies of a list of ids, one behind the other; NULL of NULL. */
static int32_t *repeated(struct arena *arena, const int32_t *ids, int64_t tokens, int64_t n) {
    int32_t *all = ids ? arena_array(arena, n * tokens, sizeof *all) : NULL;
    for (int64_t i = 0; ids && i < n; i++) {
        memcpy(all + i * tokens, ids, (size_t)tokens * sizeof *ids);
    }
    return all;
}

/* The row of each copy that is asked about. */
static int64_t *rows_of(struct arena *arena, const struct question *q, int64_t n) {
    int64_t *rows = arena_array(arena, n, sizeof *rows);
    int64_t tokens = q->decoder_tokens > 0 ? q->decoder_tokens : q->tokens;
    for (int64_t i = 0; i < n; i++) {
        rows[i] = i * tokens + q->position;
    }
    return rows;
}

struct answers *question_ask(struct arena *arena, const struct question *question,
                             const struct tensor *embeddings, int64_t budget, struct err *err) {
    struct answers *answers = arena_alloc(arena, sizeof *answers);
    int64_t n = embeddings ? embeddings->shape[0] : 1;
    if (check(question, err) < 0) {
        return NULL;
    }
    struct pass pass = { .arena = arena,
                         .batch = n,
                         .tokens = question->tokens,
                         .ids = repeated(arena, question->ids, question->tokens, n),
                         .types = repeated(arena, question->types, question->tokens, n),
                         .decoder_tokens = question->decoder_tokens,
                         .decoder_ids = repeated(arena, question->decoder_ids,
                                                 question->decoder_tokens, n),
                         .embeddings = embeddings,
                         .record = true,
                         .budget = budget };
    pass.keep[SITE_EMBED] = pass.keep[SITE_LOGITS] = true;
    if (!is_classifier(question)) {
        pass.wanted_rows = rows_of(arena, question, n);
        pass.wanted = n;
    }
    struct trace *trace = model_run(question->model, &pass, err);
    const struct tensor *logits = trace ? trace_at(trace, SITE_LOGITS, 0) : NULL;
    if (trace && !logits) {
        err_set(err, ERR_UNSUPPORTED, "%s has no head whose logits could be explained",
                question->model->path);
    }
    if (!logits) {
        return NULL;
    }
    int64_t width = logits->shape[1];
    struct tensor *seed = tensor_new(arena, 3, (int64_t[]){ 1, n, width });
    answers->values = arena_array(arena, n, sizeof *answers->values);
    for (int64_t i = 0; i < n; i++) {
        answers->values[i] =
            question_value(question, logits->data + i * width, width, seed->data + i * width);
    }
    struct seed from = { .site = SITE_LOGITS, .gradient = seed };
    struct backward ask = { .from = &from, .count = 1, .want = { [SITE_EMBED] = true } };
    if (model_backward(trace, &ask, err) < 0) {
        return NULL;
    }
    trace_forget(trace);
    answers->embeddings = trace_at(trace, SITE_EMBED, 0);
    struct tensor *gradients = arena_alloc(arena, sizeof *gradients);
    *gradients = *answers->embeddings; /* [1, n, T, E] without its first dimension */
    gradients->bytes = trace_gradient(trace, SITE_EMBED, 0)->bytes;
    answers->gradients = gradients;
    return answers;
}

struct tensor *question_embeddings(struct arena *arena, const struct model *model,
                                   const int32_t *ids, int64_t n, struct err *err) {
    struct pass pass = { .arena = arena, .batch = 1, .tokens = n, .ids = ids };
    pass.keep[SITE_EMBED] = true;
    struct trace *trace = model_run(model, &pass, err);
    return trace ? trace_at(trace, SITE_EMBED, 0) : NULL;
}

/* Rows of logits that lose against their labels. */
struct losses {
    const float *logits;
    const int32_t *labels;
    int64_t width, n; /* n: rows with a label */
    float *gradients;
    double *nll; /* [rows] */
};

enum { EIGHT = 8 }; /* of a row side by side, so that no sum waits for its last */

static float row_greatest(const float *row, int64_t n) {
    float some[EIGHT], most = -INFINITY;
    int64_t i = 0;
    for (int j = 0; j < EIGHT; j++) {
        some[j] = most;
    }
    for (; i + EIGHT <= n; i += EIGHT) {
        for (int j = 0; j < EIGHT; j++) {
            some[j] = row[i + j] > some[j] ? row[i + j] : some[j];
        }
    }
    for (int j = 0; j < EIGHT; j++) {
        most = some[j] > most ? some[j] : most;
    }
    for (; i < n; i++) {
        most = row[i] > most ? row[i] : most;
    }
    return most;
}

static double row_total(const float *row, int64_t n) {
    double some[EIGHT] = { 0 }, sum = 0;
    int64_t i = 0;
    for (; i + EIGHT <= n; i += EIGHT) {
        for (int j = 0; j < EIGHT; j++) {
            some[j] += (double)row[i + j];
        }
    }
    for (int j = 0; j < EIGHT; j++) {
        sum += some[j];
    }
    for (; i < n; i++) {
        sum += (double)row[i];
    }
    return sum;
}

/* Each exponential is computed once: the gradient's row holds them until their sum is known. */
static void rows_lose(void *arg, int64_t begin, int64_t end) {
    const struct losses *job = arg;
    for (int64_t r = begin; r < end; r++) {
        const float *row = job->logits + r * job->width;
        float *gradient = job->gradients + r * job->width;
        if (job->labels[r] == QUESTION_NONE) {
            memset(gradient, 0, (size_t)job->width * sizeof *gradient);
            continue;
        }
        float most = row_greatest(row, job->width);
        for (int64_t i = 0; i < job->width; i++) {
            gradient[i] = row[i] - most;
        }
        simd()->exp(gradient, gradient, job->width);
        double sum = row_total(gradient, job->width), share = 1 / (sum * (double)job->n);
        for (int64_t i = 0; i < job->width; i++) {
            gradient[i] = (float)((double)gradient[i] * share);
        }
        int32_t label = job->labels[r];
        double p = exp((double)row[label] - (double)most) / sum;
        gradient[label] = (float)((p - 1) / (double)job->n);
        job->nll[r] = (double)most + log(sum) - (double)row[label];
    }
}

struct tensor *question_loss(struct arena *arena, const struct tensor *logits,
                             const int32_t *labels, double *loss) {
    int64_t width = logits->shape[logits->rank - 1], rows = tensor_count(logits) / width;
    struct tensor *seed = tensor_raw(arena, 3, (int64_t[]){ 1, rows, width });
    struct losses job = {
        .logits = logits->data, .labels = labels, .width = width, .gradients = seed->data
    };
    job.nll = arena_array(arena, rows, sizeof *job.nll);
    for (int64_t r = 0; r < rows; r++) {
        job.n += labels[r] != QUESTION_NONE;
    }
    *loss = 0;
    pool_for(rows, 1, rows_lose, &job);
    for (int64_t r = 0; r < rows && job.n > 0; r++) {
        *loss += job.nll[r] / (double)job.n;
    }
    return job.n > 0 ? seed : NULL;
}
