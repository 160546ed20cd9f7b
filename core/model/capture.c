#include "core/model/capture.h"

#include <math.h>
#include <string.h>

#include "core/model/step.h"
#include "core/tensor/largest.h"
#include "core/tensor/logsumexp.h"
#include "core/tensor/safetensors_write.h"

enum { TOP = 10, NO_LABEL = -100 };

/* ---- the list ---- */

struct capture *capture_new(struct arena *arena) {
    struct capture *capture = arena_alloc(arena, sizeof *capture);
    capture->arena = arena;
    return capture;
}

void capture_add(struct capture *capture, const char *prefix, const char *name,
                 struct tensor *tensor) {
    if (capture->count == capture->room) {
        const struct tensor **before = capture->tensors;
        capture->room = capture->room ? 2 * capture->room : 64;
        capture->tensors = arena_array(capture->arena, capture->room, sizeof *before);
        if (before) {
            memcpy(capture->tensors, before, (size_t)capture->count * sizeof *before);
        }
    }
    tensor->name =
        arena_printf(capture->arena, "%s%s%s", prefix ? prefix : "", prefix ? "." : "", name);
    capture->tensors[capture->count++] = tensor;
}

void capture_ints(struct capture *capture, const char *prefix, const char *name,
                  const int32_t *values, int64_t n) {
    struct tensor *tensor = tensor_new_of(capture->arena, DTYPE_I32, 1, &n);
    if (n > 0) {
        memcpy(tensor->bytes, values, (size_t)n * sizeof *values);
    }
    capture_add(capture, prefix, name, tensor);
}

const struct tensor *capture_at(const struct capture *capture, const char *name) {
    for (int64_t i = 0; i < capture->count; i++) {
        if (strcmp(capture->tensors[i]->name, name) == 0) {
            return capture->tensors[i];
        }
    }
    return NULL;
}

int capture_write(const struct capture *capture, const char *path, struct err *err) {
    return safetensors_write(path, capture->tensors, capture->count, err);
}

/* ---- values of all layers in one tensor ---- */

/* [B, n, ...] of n layers' [B, ...]; without the first dimension where `one` input was run. */
static struct tensor *stack(struct arena *arena, const struct trace *trace, enum site site,
                            int64_t n, bool one) {
    const struct tensor *first = trace_at(trace, site, 0);
    int64_t shape[TENSOR_RANK] = { trace->batch, n };
    memcpy(shape + 2, first->shape + 1, (size_t)(first->rank - 1) * sizeof *shape);
    struct tensor *all = one ? tensor_new(arena, first->rank, shape + 1)
                             : tensor_new(arena, first->rank + 1, shape);
    int64_t size = tensor_count(first) / trace->batch;
    for (int64_t b = 0; b < trace->batch; b++) {
        for (int64_t l = 0; l < n; l++) {
            memcpy(all->data + (b * n + l) * size, trace_at(trace, site, l)->data + b * size,
                   (size_t)size * sizeof(float));
        }
    }
    return all;
}

/* The value of a site that has only one; without the first dimension where `one` input was run.
 */
static struct tensor *single(struct arena *arena, const struct trace *trace, enum site site,
                             bool one) {
    const struct tensor *value = trace_at(trace, site, 0);
    struct tensor *copy = tensor_new(arena, value->rank - one, value->shape + one);
    memcpy(copy->data, value->data, (size_t)tensor_bytes(copy));
    return copy;
}

/* Layers of which the trace has a value. */
static int64_t layers_of(const struct trace *trace, enum site site) {
    int64_t n = 0;
    while (trace_at(trace, site, n)) {
        n++;
    }
    return n;
}

/* What is taken in of a run, and its name. */
struct state {
    enum site site;
    const char *name;
    bool layered; /* a value for each layer */
};

static const struct state of_one_stack[] = {
    { SITE_EMBED, "embeddings", false },
    { SITE_RESIDUAL, "hidden_states", true },
    { SITE_FINAL, "last_hidden_state", false },
    { SITE_ATTENTION, "attentions", true },
    { SITE_OUTPUT, "layer_outputs", true },
    { SITE_CELL, "cell_states", true },
    { SITE_COUNT, NULL, false },
};
static const struct state of_two_stacks[] = {
    { SITE_EMBED, "embeddings", false },
    { SITE_RESIDUAL, "encoder_hidden_states", true },
    { SITE_FINAL, "encoder_last_hidden_state", false },
    { SITE_ATTENTION, "encoder_attentions", true },
    { SITE_DECODER_RESIDUAL, "decoder_hidden_states", true },
    { SITE_DECODER_FINAL, "decoder_last_hidden_state", false },
    { SITE_DECODER_ATTENTION, "decoder_attentions", true },
    { SITE_CROSS_ATTENTION, "cross_attentions", true },
    { SITE_COUNT, NULL, false },
};

static const struct state *states_of(const struct model *model) {
    return model_decodes(model) ? of_two_stacks : of_one_stack;
}

static void add_states(struct capture *capture, const char *prefix, const struct trace *trace,
                       bool one) {
    for (const struct state *state = states_of(trace->model); state->name; state++) {
        int64_t n = layers_of(trace, state->site);
        if (n > 0) {
            capture_add(capture, prefix, state->name,
                        state->layered ? stack(capture->arena, trace, state->site, n, one)
                                       : single(capture->arena, trace, state->site, one));
        }
    }
}

/* ---- logits ---- */

static void add_loss(struct capture *capture, const struct model *model,
                     const struct capture_input *input, const struct tensor *logits) {
    int64_t n = 0, rows = logits->rank == 1 ? 1 : logits->shape[0];
    int64_t width = logits->shape[logits->rank - 1];
    struct tensor *losses = tensor_new(capture->arena, 1, &rows), *mean;
    double sum = 0;
    for (int64_t t = 0; t < rows; t++) {
        int32_t label = input->labels ? input->labels[t] : NO_LABEL;
        if (model->arch->causal && logits->rank == 2) {
            label = t + 1 < rows ? input->ids[t + 1] : NO_LABEL;
        }
        if (label != NO_LABEL) {
            const float *row = logits->data + t * width;
            double nll = logsumexp(row, width) - (double)row[label];
            losses->data[n++] = (float)nll;
            sum += nll;
        }
    }
    if (n > 0) {
        mean = tensor_new(capture->arena, 1, (int64_t[]){ 1 });
        mean->data[0] = (float)(sum / (double)n);
        capture_add(capture, input->name, "loss", mean);
    }
    if (n > 1) {
        losses->shape[0] = n;
        capture_add(capture, input->name, "token_nll", losses);
    }
}

static void add_top(struct capture *capture, const struct capture_input *input,
                    const struct tensor *logits) {
    int64_t width = logits->shape[1], k = width < TOP ? width : TOP;
    const float *row = logits->data + input->position * width;
    struct tensor *probs = tensor_new(capture->arena, 1, &k);
    double all = logsumexp(row, width);
    int32_t ids[TOP];
    largest(row, width, k, ids);
    for (int64_t i = 0; i < k; i++) {
        probs->data[i] = (float)exp((double)row[ids[i]] - all);
    }
    capture_ints(capture, input->name, "top10_ids", ids, k);
    capture_add(capture, input->name, "top10_probs", probs);
}

static void add_top_everywhere(struct capture *capture, const char *name,
                               const struct tensor *logits) {
    struct arena *arena = capture->arena;
    int64_t rows = logits->shape[0], width = logits->shape[1], k = width < TOP ? width : TOP;
    struct tensor *ids = tensor_new_of(arena, DTYPE_I32, 2, (int64_t[]){ rows, k });
    struct tensor *tops = tensor_new(arena, 2, (int64_t[]){ rows, k });
    struct tensor *sums = tensor_new(arena, 1, &rows), *last = tensor_new(arena, 1, &width);
    int32_t *places = ids->bytes;
    for (int64_t t = 0; t < rows; t++) {
        const float *row = logits->data + t * width;
        largest(row, width, k, places + t * k);
        for (int64_t i = 0; i < k; i++) {
            tops->data[t * k + i] = row[places[t * k + i]];
        }
        sums->data[t] = (float)logsumexp(row, width);
    }
    memcpy(last->data, logits->data + (rows - 1) * width, (size_t)width * sizeof(float));
    capture_add(capture, name, "top10_ids", ids);
    capture_add(capture, name, "top10_logits", tops);
    capture_add(capture, name, "logsumexp", sums);
    capture_add(capture, name, "last_logits", last);
}

static void add_logits(struct capture *capture, const struct model *model,
                       const struct capture_input *input, const struct trace *trace) {
    if (!trace_at(trace, SITE_LOGITS, 0)) {
        return;
    }
    struct tensor *logits = single(capture->arena, trace, SITE_LOGITS, true);
    add_loss(capture, model, input, logits);
    if (logits->rank == 2 && input->position == CAPTURE_EVERY) {
        add_top_everywhere(capture, input->name, logits);
        return;
    }
    if (logits->rank == 2) {
        add_top(capture, input, logits);
    }
    capture_add(capture, input->name, "logits", logits);
}

/* ---- running ---- */

static struct trace *run(struct arena *arena, const struct model *model, struct pass *pass,
                         struct err *err) {
    pass->arena = arena;
    pass->keep[SITE_LOGITS] = true;
    for (const struct state *state = states_of(model); state->name; state++) {
        pass->keep[state->site] = model_has(model, state->site);
    }
    return model_run(model, pass, err);
}

/* Continues the input one most probable token at a time: an encoder-decoder its decoder's
 * tokens. */
static int add_greedy(struct capture *capture, const struct model *model,
                      const struct capture_input *input, struct err *err) {
    struct step *step = step_new(capture->arena, model, input->ids, input->tokens,
                                 input->decoder_ids, 1, input->greedy);
    int32_t *ids = arena_array(capture->arena, input->greedy, sizeof *ids);
    for (int64_t i = 0; i < input->greedy; i++) {
        int64_t n;
        const float *logits = step_logits(step, &n, err);
        if (!logits) {
            return err_pass(err);
        }
        largest(logits, n, 1, &ids[i]);
        step_take(step, ids[i]);
    }
    capture_ints(capture, input->name, "greedy_ids", ids, input->greedy);
    return 0;
}

int capture_run(struct capture *capture, const struct model *model,
                const struct capture_input *input, struct err *err) {
    struct capture_input whole = *input;
    int32_t start = (int32_t)model->config->decoder_start;
    capture_ints(capture, input->name, "input_ids", input->ids, input->tokens);
    if (input->tokens == 0) {
        return 0;
    }
    if (model_decodes(model) && input->decoder_tokens == 0) {
        whole.decoder_ids = &start;
        whole.decoder_tokens = 1;
    }
    struct pass pass = { .batch = 1,
                         .tokens = input->tokens,
                         .ids = input->ids,
                         .decoder_tokens = whole.decoder_tokens,
                         .decoder_ids = whole.decoder_ids };
    struct trace *trace = run(capture->arena, model, &pass, err);
    if (!trace) {
        return err_pass(err);
    }
    add_states(capture, input->name, trace, true);
    add_logits(capture, model, &whole, trace);
    return input->greedy > 0 ? add_greedy(capture, model, &whole, err) : 0;
}

static void add_mask(struct capture *capture, const char *name, const uint8_t *mask,
                     int64_t batch, int64_t tokens) {
    struct tensor *copy =
        tensor_new_of(capture->arena, DTYPE_U8, 2, (int64_t[]){ batch, tokens });
    memcpy(copy->bytes, mask, (size_t)(batch * tokens));
    capture_add(capture, "batch", name, copy);
}

int capture_batch(struct capture *capture, const struct model *model,
                  const struct capture_rows *rows, struct err *err) {
    struct pass pass = { .batch = rows->batch,
                         .tokens = rows->tokens,
                         .ids = rows->ids,
                         .mask = rows->mask,
                         .decoder_tokens = rows->decoder_tokens,
                         .decoder_ids = rows->decoder_ids };
    struct trace *trace = run(capture->arena, model, &pass, err);
    if (!trace) {
        return err_pass(err);
    }
    add_states(capture, "batch", trace, false);
    if (trace_at(trace, SITE_LOGITS, 0)) {
        capture_add(capture, "batch", "logits",
                    single(capture->arena, trace, SITE_LOGITS, false));
    }
    add_mask(capture, "attention_mask", rows->mask, rows->batch, rows->tokens);
    if (rows->decoder_tokens > 0) {
        add_mask(capture, "decoder_mask", rows->decoder_mask, rows->batch,
                 rows->decoder_tokens);
    }
    int64_t shape[] = { rows->batch, rows->tokens };
    struct tensor *given = tensor_new_of(capture->arena, DTYPE_I32, 2, shape);
    memcpy(given->bytes, rows->ids, (size_t)tensor_bytes(given));
    capture_add(capture, "batch", "input_ids", given);
    return 0;
}
