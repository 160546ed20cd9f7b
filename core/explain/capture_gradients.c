#include "core/explain/capture_gradients.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/explain/integrated.h"

enum { STEPS = 20 };

static void add_saliency(struct capture *capture, const char *name,
                         const struct answers *answers) {
    int64_t tokens = answers->embeddings->shape[1], width = answers->embeddings->shape[2];
    const float *x = answers->embeddings->data, *dx = answers->gradients->data;
    struct arena *arena = capture->arena;
    int64_t shape[2] = { tokens, width };
    struct tensor *gradient = tensor_new(arena, 2, shape), *size = tensor_new(arena, 2, shape);
    struct tensor *product = tensor_new(arena, 2, shape), *norms = tensor_new(arena, 1, shape);
    struct tensor *sums = tensor_new(arena, 1, shape);
    for (int64_t t = 0; t < tokens; t++) {
        double squares = 0, sum = 0;
        for (int64_t i = t * width; i < (t + 1) * width; i++) {
            gradient->data[i] = dx[i];
            size->data[i] = fabsf(dx[i]);
            product->data[i] = x[i] * dx[i];
            squares += (double)dx[i] * (double)dx[i];
            sum += (double)x[i] * (double)dx[i];
        }
        norms->data[t] = (float)sqrt(squares);
        sums->data[t] = (float)sum;
    }
    capture_add(capture, name, "grad_embeddings", gradient);
    capture_add(capture, name, "saliency", size);
    capture_add(capture, name, "saliency_l2", norms);
    capture_add(capture, name, "input_x_gradient", product);
    capture_add(capture, name, "input_x_gradient_sum", sums);
}

static int add_integrated(struct capture *capture, const char *name,
                          const struct question *question, enum integrated_rule rule,
                          const float *baseline, struct err *err) {
    struct integrated how = {
        .question = question, .baseline = baseline, .rule = rule, .steps = STEPS
    };
    struct tensor *all = integrated_gradients(capture->arena, &how, NULL, err);
    if (all) {
        capture_add(capture, name, baseline ? "ig_trapezoid_pad" : "ig_gausslegendre_zero",
                    all);
    }
    return all ? 0 : -1;
}

int capture_attributions(struct capture *capture, const char *name,
                         const struct question *question, int32_t baseline, struct err *err) {
    struct arena *arena = capture->arena;
    struct answers *answers = question_ask(arena, question, NULL, 0, err);
    if (!answers) {
        return err_pass(err);
    }
    add_saliency(capture, name, answers);
    if (add_integrated(capture, name, question, INTEGRATED_GAUSS_LEGENDRE, NULL, err) < 0) {
        return err_pass(err);
    }
    if (baseline < 0) {
        return 0;
    }
    struct tensor *token = question_embeddings(arena, question->model, &baseline, 1, err);
    if (!token || add_integrated(capture, name, question, INTEGRATED_CAPTUM_TRAPEZOID,
                                 token->data, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

/* Where the gradients of parameters go. */
struct sums {
    const char *const *names;
    int64_t n;
    struct tensor *norms, *dots;
    bool *seen;
};

static int64_t place_of(const struct sums *sums, const char *name) {
    for (int64_t i = 0; name && i < sums->n; i++) {
        if (strcmp(sums->names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool asks(void *arg, const char *name) {
    return place_of(arg, name) >= 0;
}

static void take(void *arg, const char *name, const struct tensor *gradient) {
    struct sums *sums = arg;
    int64_t place = place_of(sums, name), n = tensor_count(gradient);
    double squares = 0, dot = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = (double)gradient->data[i];
        squares += value * value;
        dot += value * cos((double)i);
    }
    sums->norms->data[place] = (float)sqrt(squares);
    sums->dots->data[place] = (float)dot;
    sums->seen[place] = true;
}

int capture_parameters(struct capture *capture, const char *name,
                       const struct question *question, const int32_t *labels,
                       const char *const *parameters, int64_t n, struct err *err) {
    struct arena *arena = capture->arena;
    struct sums sums = { .names = parameters, .n = n };
    struct pass pass = { .arena = arena,
                         .batch = 1,
                         .tokens = question->tokens,
                         .ids = question->ids,
                         .types = question->types,
                         .decoder_tokens = question->decoder_tokens,
                         .decoder_ids = question->decoder_ids,
                         .record = true };
    double loss;
    pass.keep[SITE_LOGITS] = true;
    struct trace *trace = model_run(question->model, &pass, err);
    const struct tensor *logits = trace ? trace_at(trace, SITE_LOGITS, 0) : NULL;
    struct tensor *seed = logits ? question_loss(arena, logits, labels, &loss) : NULL;
    if (!trace || !seed) {
        return trace ? err_set(err, ERR_TEXT, "the input %s has no label to lose against", name)
                     : err_pass(err);
    }
    seed->rank = logits->rank + 1; /* [1, shape of the logits] */
    memcpy(seed->shape + 1, logits->shape, (size_t)logits->rank * sizeof *seed->shape);
    sums.norms = tensor_new(arena, 1, &n);
    sums.dots = tensor_new(arena, 1, &n);
    sums.seen = arena_array(arena, n, sizeof *sums.seen);
    struct seed from = { .site = SITE_LOGITS, .gradient = seed };
    struct backward ask = {
        .from = &from, .count = 1, .parameter = take, .asks = asks, .arg = &sums
    };
    if (model_backward(trace, &ask, err) < 0) {
        return err_pass(err);
    }
    trace_forget(trace);
    for (int64_t i = 0; i < n; i++) {
        if (!sums.seen[i] && !weights_at(question->model->weights, parameters[i])) {
            return err_set(err, ERR_SHAPE, "%s has no parameter %s", question->model->path,
                           parameters[i]);
        }
    }
    capture_add(capture, name, "grad_norms", sums.norms);
    capture_add(capture, name, "grad_dots", sums.dots);
    return 0;
}
