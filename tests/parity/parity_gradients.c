#include "tests/parity/parity_gradients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/explain/capture_gradients.h"

/* The question's rows of logits and what each should say. */
static int32_t *labels_of(struct arena *arena, const struct question *q,
                          const struct capture_input *input, int64_t *rows) {
    bool classifies = strcmp(q->model->task, "classification") == 0;
    *rows = classifies ? 1 : q->decoder_tokens > 0 ? q->decoder_tokens : q->tokens;
    int32_t *labels = arena_array(arena, *rows, sizeof *labels);
    for (int64_t i = 0; i < *rows; i++) {
        labels[i] = input->labels ? input->labels[i] : QUESTION_NONE;
        if (strcmp(q->model->task, "causal-lm") == 0) {
            labels[i] = i + 1 < *rows ? q->ids[i + 1] : QUESTION_NONE;
        }
    }
    return labels;
}

static const char **names_of(struct arena *arena, const struct json *list) {
    const char **names = arena_array(arena, list->count + 1, sizeof *names);
    int64_t n = 0;
    for (const struct json *item = list->first; item; item = item->next) {
        names[n++] = item->text.bytes;
    }
    return names;
}

int parity_gradients_of_case(struct capture *capture, const struct model *model,
                             const struct json *one, const struct capture_input *input,
                             struct err *err) {
    struct question question = { .model = model,
                                 .ids = input->ids,
                                 .tokens = input->tokens,
                                 .decoder_ids = input->decoder_ids,
                                 .decoder_tokens = input->decoder_tokens,
                                 .position =
                                     json_int_at(one, "target_position", input->tokens - 1),
                                 .id = json_int_at(one, "target_id", -1) };
    int32_t baseline = (int32_t)json_int_at(one, "baseline_token", -1);
    const struct json *list = json_at(one, "parameters");
    int64_t rows;
    if (input->tokens == 0 || question.id < 0) {
        return 0;
    }
    if (capture_attributions(capture, input->name, &question, baseline, err) < 0) {
        return -1;
    }
    if (!list || list->kind != JSON_ARRAY) {
        return 0;
    }
    int32_t *labels = labels_of(capture->arena, &question, input, &rows);
    return capture_parameters(capture, input->name, &question, labels,
                              names_of(capture->arena, list), list->count, err);
}

/* Of cos(m, u) with u fixed, of length 1, by m, the mean of T states: by each state
 * (u - cos m / |m|) / (|m| T). */
static void cosine_seed(const struct tensor *last, const float *fixed, struct tensor *seed) {
    int64_t tokens = last->shape[1], width = last->shape[2];
    double *mean = calloc((size_t)width, sizeof *mean), square = 0, dot = 0;
    for (int64_t i = 0; i < tokens * width; i++) {
        mean[i % width] += (double)last->data[i] / (double)tokens;
    }
    for (int64_t i = 0; i < width; i++) {
        square += mean[i] * mean[i];
        dot += mean[i] * (double)fixed[i];
    }
    double length = sqrt(square), cosine = dot / length;
    for (int64_t i = 0; i < tokens * width; i++) {
        double slope = (double)fixed[i % width] - cosine * mean[i % width] / length;
        seed->data[i] = (float)(slope / (length * (double)tokens));
    }
    free(mean);
}

int parity_gradients_of_cosine(struct capture *capture, const struct model *model,
                               const struct capture_input *input, const float *fixed,
                               struct err *err) {
    struct pass pass = { .arena = capture->arena,
                         .batch = 1,
                         .tokens = input->tokens,
                         .ids = input->ids,
                         .record = true };
    pass.keep[SITE_EMBED] = pass.keep[SITE_FINAL] = true;
    struct trace *trace = model_run(model, &pass, err);
    if (!trace) {
        return err_pass(err);
    }
    const struct tensor *last = trace_at(trace, SITE_FINAL, 0);
    int64_t shape[4] = { 1, 1, last->shape[1], last->shape[2] };
    struct tensor *seed = tensor_new(capture->arena, 4, shape);
    cosine_seed(last, fixed, seed);
    struct seed from = { .site = SITE_FINAL, .gradient = seed };
    struct backward ask = { .from = &from, .count = 1, .want = { [SITE_EMBED] = true } };
    if (model_backward(trace, &ask, err) < 0) {
        return err_pass(err);
    }
    struct tensor *gradient = trace_gradient(trace, SITE_EMBED, 0);
    trace_forget(trace);
    gradient->rank = 2; /* [1, 1, T, E] as [T, E] */
    gradient->shape[0] = gradient->shape[2];
    gradient->shape[1] = gradient->shape[3];
    capture_add(capture, input->name, "cosine_grad", gradient);
    return 0;
}
