#include "core/explain/gradients.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/base/now.h"
#include "core/explain/gradients_tell.h"
#include "core/explain/question.h"
#include "core/model/recurrent.h"

enum { MEGABYTES = 1024 /* that a recorded run may keep before it computes blocks twice */ };

/* A stack of blocks: the only one, or encoder and decoder. */
struct half {
    enum site shift; /* 0 or SITE_DECODER */
    int64_t layers;
    double *squares; /* [layers + 1] of the gradient at the residual stream */
    float *peaks;    /* [layers, F] greatest value (of gated neurons: magnitude) seen */
    int64_t units;   /* F; 0: not looked at */
};

/* The gradient of one parameter, added up over batches. */
struct sum {
    const char *name;
    struct tensor total;
};

struct run {
    struct arena *arena, *scratch; /* of the results; of all else */
    const struct model *model;
    const struct gradients_request *request;
    struct gradients_about about;
    int64_t target;
    struct examples *batches;
    int64_t count, scored, sums_count, sums_room;
    struct sum *sums;
    struct half halves[2];
    int64_t half_count;
    int64_t steps;  /* recurrent: from a text's first to the one that the loss is read at */
    int64_t lasts;  /* texts that have such a loss */
    double *time;   /* [layers, steps] squares */
    int64_t *reach; /* [steps] texts that go back so far */
    int64_t *saturated, *looked; /* [layers, 4] values beyond, and in all */
};

static bool is_recurrent(const struct run *run) {
    return model_has(run->model, SITE_OUTPUT);
}

/* ---- parameters ---- */

/* Embedding rows whose gradient is exactly 0. */
static int64_t rows_untouched(const struct tensor *gradient) {
    int64_t columns = gradient->shape[1], untouched = 0;
    for (int64_t r = 0; r < gradient->shape[0]; r++) {
        const float *row = gradient->data + r * columns;
        int64_t i = 0;
        while (i < columns && row[i] == 0) {
            i++;
        }
        untouched += i == columns;
    }
    return untouched;
}

static void parameter_count(struct run *run, const char *name, const struct tensor *gradient) {
    const struct tensor *words = model_words(run->model);
    spread_begin(run->about.spread, name);
    spread_part(run->about.spread, gradient->data, tensor_count(gradient));
    spread_end(run->about.spread);
    if (words && words->name && strcmp(words->name, name) == 0) {
        run->about.words = gradient->shape[0];
        run->about.words_untouched = rows_untouched(gradient);
    }
}

static struct sum *sum_at(struct run *run, const char *name, const struct tensor *gradient) {
    for (int64_t i = 0; i < run->sums_count; i++) {
        if (strcmp(run->sums[i].name, name) == 0) {
            return &run->sums[i];
        }
    }
    if (run->sums_count == run->sums_room) {
        struct sum *more = arena_array(run->scratch, 2 * run->sums_room + 64, sizeof *more);
        if (run->sums_count > 0) {
            memcpy(more, run->sums, (size_t)run->sums_count * sizeof *more);
        }
        run->sums = more;
        run->sums_room = 2 * run->sums_room + 64;
    }
    struct sum *sum = &run->sums[run->sums_count++];
    *sum = (struct sum){ .name = name, .total = *gradient };
    sum->total.data = arena_array(run->scratch, tensor_count(gradient), sizeof(float));
    return sum;
}

static void parameter_take(void *arg, const char *name, const struct tensor *gradient) {
    struct run *run = arg;
    if (run->count == 1) {
        parameter_count(run, name, gradient);
        return;
    }
    float *to = sum_at(run, name, gradient)->total.data;
    simd()->add(to, to, gradient->data, tensor_count(gradient));
}

/* ---- where gradients start ---- */

static struct tensor *seed_shaped(struct tensor *seed, const struct tensor *logits) {
    seed->rank = logits->rank + 1;
    memcpy(seed->shape + 1, logits->shape, (size_t)logits->rank * sizeof *seed->shape);
    return seed;
}

static struct tensor *seed_of_target(struct run *run, struct arena *arena,
                                     const struct examples *batch,
                                     const struct tensor *logits) {
    int64_t width = logits->shape[logits->rank - 1];
    int64_t shape[] = { 1, tensor_count(logits) / width, width };
    struct tensor *seed = tensor_new(arena, 3, shape);
    for (int64_t b = 0; b < batch->batch; b++) {
        int64_t at = batch->at[b] * width + run->target;
        seed->data[at] = 1.0F / (float)run->request->count;
        run->about.value += (double)logits->data[at] / (double)run->request->count;
    }
    return seed_shaped(seed, logits);
}

/* The mean over `all` labels of all batches: the batch's own mean, by its share, to which *loss
 * is set. */
static struct tensor *seed_of_labels(struct arena *arena, const struct examples *batch,
                                     int64_t all, const struct tensor *logits, double *loss) {
    double share = (double)batch->scored / (double)all;
    struct tensor *seed = question_loss(arena, logits, batch->labels, loss);
    if (!seed) { /* none of this batch's tokens is scored */
        int64_t width = logits->shape[logits->rank - 1];
        seed = tensor_new(arena, 3, (int64_t[]){ 1, tensor_count(logits) / width, width });
        *loss = 0;
    }
    *loss *= share;
    if (batch->scored != all) {
        simd()->scale(seed->data, (float)share, seed->data, tensor_count(seed));
    }
    return seed_shaped(seed, logits);
}

static struct tensor *seed_of_loss(struct run *run, struct arena *arena,
                                   const struct examples *batch, const struct tensor *logits) {
    double loss;
    struct tensor *seed = seed_of_labels(arena, batch, run->scored, logits, &loss);
    run->about.value += loss;
    return seed;
}

/* ---- the flow ---- */

static double squares_of(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

static void stream_take(struct run *run, const struct trace *trace) {
    for (int64_t h = 0; h < run->half_count; h++) {
        struct half *half = &run->halves[h];
        for (int64_t l = 0; l <= half->layers; l++) {
            stop_check();
            const struct tensor *g =
                trace_gradient(trace, (enum site)(SITE_RESIDUAL + half->shift), l);
            half->squares[l] += g ? squares_of(g->data, tensor_count(g)) : 0;
        }
    }
}

/* The row of a text that the last loss, or the target's logit, is read at. */
static int64_t last_row(const struct run *run, const struct examples *batch, int64_t b) {
    int64_t first = b * batch->tokens, t = batch->lengths[b] - 1;
    if (run->target >= 0) {
        return batch->at[b];
    }
    while (t > 0 && batch->labels[first + t] == QUESTION_NONE) {
        t--;
    }
    return first + t;
}

/* The mean over all texts of their last scored token's loss. */
static struct tensor *seed_of_lasts(const struct run *run, struct arena *arena,
                                    const struct examples *batch, const struct tensor *logits) {
    struct examples last = *batch;
    last.scored = 0;
    last.labels = arena_array(arena, batch->rows, sizeof *last.labels);
    for (int64_t r = 0; r < batch->rows; r++) {
        last.labels[r] = QUESTION_NONE;
    }
    for (int64_t b = 0; b < batch->batch; b++) {
        int64_t row = last_row(run, batch, b);
        last.labels[row] = batch->labels[row];
        last.scored += batch->labels[row] != QUESTION_NONE;
    }
    double loss;
    return seed_of_labels(arena, &last, run->lasts, logits, &loss);
}

/* Back through time from each text's last loss alone. */
static int time_take(struct run *run, struct arena *arena, const struct examples *batch,
                     struct trace *trace, struct err *err) {
    enum site site = model_has(run->model, SITE_CELL) ? SITE_CELL : SITE_OUTPUT;
    const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    struct tensor *seed = run->target >= 0 ? seed_of_target(run, arena, batch, logits)
                                           : seed_of_lasts(run, arena, batch, logits);
    struct seed from = { .site = SITE_LOGITS, .gradient = seed };
    struct backward ask = { .from = &from, .count = 1 };
    ask.want[site] = true;
    if (model_backward(trace, &ask, err) < 0) {
        return err_pass(err);
    }
    for (int64_t l = 0; l < run->model->config->layers; l++) {
        const struct tensor *g = trace_gradient(trace, site, l);
        int64_t width = g->shape[g->rank - 1];
        for (int64_t b = 0; b < batch->batch; b++) {
            int64_t row = last_row(run, batch, b), first = b * batch->tokens;
            bool ends = run->target >= 0 || batch->labels[row] != QUESTION_NONE;
            for (int64_t r = first; ends && r <= row; r++) {
                run->reach[run->steps - 1 - (row - r)] += l == 0;
                run->time[l * run->steps + run->steps - 1 - (row - r)] +=
                    squares_of(g->data + r * width, width);
            }
        }
    }
    return 0;
}

/* ---- units ---- */

static void neurons_take(struct run *run, const struct examples *batch,
                         const struct trace *trace) {
    bool gated = run->about.gated;
    for (int64_t h = 0; h < run->half_count; h++) {
        struct half *half = &run->halves[h];
        for (int64_t l = 0; half->units > 0 && l < half->layers; l++) {
            stop_check();
            const struct tensor *x =
                trace_at(trace, (enum site)(SITE_NEURONS + half->shift), l);
            float *peaks = half->peaks + l * half->units;
            for (int64_t r = 0; x && r < tensor_count(x) / half->units; r++) {
                bool there = half->shift ? batch->labels[r] != QUESTION_NONE : batch->mask[r];
                for (int64_t i = 0; there && i < half->units; i++) {
                    float value = x->data[r * half->units + i];
                    value = gated ? fabsf(value) : value;
                    peaks[i] = value > peaks[i] ? value : peaks[i];
                }
            }
        }
    }
}

enum squash { SQUASH_SIGMOID, SQUASH_TANH, SQUASH_RELU };

static int64_t beyond(const float *x, int64_t n, enum squash squash) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        count += squash == SQUASH_SIGMOID ? x[i] < 0.01F || x[i] > 0.99F
                 : squash == SQUASH_TANH  ? fabsf(x[i]) > 0.99F
                                          : x[i] == 0;
    }
    return count;
}

/* Gates, or the states of a simple layer. */
static void gates_take(struct run *run, struct arena *arena, const struct examples *batch,
                       const struct trace *trace) {
    int64_t width = run->model->config->width, kinds = run->about.gates;
    for (int64_t l = 0; l < run->model->config->layers; l++) {
        stop_check();
        const struct tensor *h = trace_at(trace, SITE_OUTPUT, l);
        const struct tensor *x =
            l > 0 ? trace_at(trace, SITE_OUTPUT, l - 1) : trace_at(trace, SITE_EMBED, 0);
        const struct tensor *gates = recurrent_gates(arena, run->model, l, x, h, batch->tokens);
        const float *from = gates ? gates->data : h->data;
        for (int64_t r = 0; r < batch->batch * batch->tokens; r++) {
            for (int64_t k = 0; batch->mask[r] && k < kinds; k++) {
                enum squash squash = kinds > 1 ? k == 2 ? SQUASH_TANH : SQUASH_SIGMOID
                                     : run->about.rectified ? SQUASH_RELU
                                                            : SQUASH_TANH;
                run->saturated[l * kinds + k] +=
                    beyond(from + (r * kinds + k) * width, width, squash);
                run->looked[l * kinds + k] += width;
            }
        }
    }
}

/* ---- batch after batch ---- */

static void sites_keep(const struct run *run, struct pass *pass) {
    pass->keep[SITE_LOGITS] = true;
    if (is_recurrent(run)) {
        pass->keep[SITE_EMBED] = pass->keep[SITE_OUTPUT] = true;
        pass->keep[SITE_CELL] = model_has(run->model, SITE_CELL);
        return;
    }
    for (int64_t h = 0; h < run->half_count; h++) {
        pass->keep[SITE_RESIDUAL + run->halves[h].shift] = true;
        pass->keep[SITE_NEURONS + run->halves[h].shift] = run->halves[h].units > 0;
    }
}

static int batch_run(struct run *run, struct arena *arena, const struct examples *batch,
                     struct err *err) {
    struct pass pass = { .arena = arena,
                         .batch = batch->batch,
                         .tokens = batch->tokens,
                         .ids = batch->ids,
                         .mask = batch->mask,
                         .types = run->model->config->types > 0 ? batch->types : NULL,
                         .decoder_tokens = batch->decoder_tokens,
                         .decoder_ids = batch->decoder_ids,
                         .record = true,
                         .budget = (int64_t)MEGABYTES << 20 };
    sites_keep(run, &pass);
    struct trace *trace = model_run(run->model, &pass, err);
    if (!trace) {
        return err_pass(err);
    }
    const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    struct tensor *seed = run->target >= 0 ? seed_of_target(run, arena, batch, logits)
                                           : seed_of_loss(run, arena, batch, logits);
    struct seed from = { .site = SITE_LOGITS, .gradient = seed };
    struct backward ask = {
        .from = &from, .count = 1, .parameter = parameter_take, .arg = run
    };
    for (int64_t h = 0; h < run->half_count; h++) {
        ask.want[SITE_RESIDUAL + run->halves[h].shift] = true;
    }
    if (model_backward(trace, &ask, err) < 0) {
        return err_pass(err);
    }
    stream_take(run, trace);
    neurons_take(run, batch, trace);
    if (is_recurrent(run)) {
        double value = run->about.value;
        gates_take(run, arena, batch, trace);
        if (time_take(run, arena, batch, trace, err) < 0) {
            return err_pass(err);
        }
        run->about.value = value;
    }
    trace_forget(trace);
    return 0;
}

static void halves_begin(struct run *run) {
    const struct model *model = run->model;
    const struct gradients_about *about = &run->about;
    run->half_count = is_recurrent(run) ? 0 : model_decodes(model) ? 2 : 1;
    for (int64_t h = 0; h < run->half_count; h++) {
        struct half *half = &run->halves[h];
        half->shift = h ? SITE_DECODER : (enum site)0;
        half->layers = h ? model->config->decoder_layers : model->config->layers;
        half->squares = arena_array(run->scratch, half->layers + 1, sizeof *half->squares);
        half->units = about->act != SIMD_NONE ? model->config->inner : 0;
        half->peaks =
            arena_array(run->scratch, half->layers * half->units + 1, sizeof *half->peaks);
        for (int64_t i = 0; i < half->layers * half->units; i++) {
            half->peaks[i] = -INFINITY;
        }
    }
}

static void time_begin(struct run *run) {
    int64_t layers = run->model->config->layers;
    for (int64_t i = 0; is_recurrent(run) && i < run->count; i++) {
        for (int64_t b = 0; b < run->batches[i].batch; b++) {
            int64_t row = last_row(run, &run->batches[i], b);
            int64_t steps = row - b * run->batches[i].tokens + 1;
            run->steps = steps > run->steps ? steps : run->steps;
            run->lasts += run->batches[i].labels[row] != QUESTION_NONE;
        }
    }
    run->time = arena_array(run->scratch, layers * run->steps + 1, sizeof *run->time);
    run->reach = arena_array(run->scratch, run->steps + 1, sizeof *run->reach);
    run->saturated = arena_array(run->scratch, layers * 4, sizeof *run->saturated);
    run->looked = arena_array(run->scratch, layers * 4, sizeof *run->looked);
}

/* Of one class alone the probability is always 1, and the loss 0. */
static bool has_one_score(const struct model *model) {
    return strcmp(model->task, "classification") == 0 && model->config->labels == 1;
}

/* Why there is no loss. */
static const char *nothing_scored(const struct model *model) {
    if (strcmp(model->task, "classification") == 0) {
        if (has_one_score(model)) {
            return "this model gives one score, and no classes that a loss could compare: ask "
                   "for the score's gradient by --target 0";
        }
        return "there is no class to lose against: write text >> class, or ask for a class's "
               "logit by --target";
    }
    return strcmp(model->task, "masked-lm") == 0
               ? "no token of these texts can be scored: what stands at a mask is not known; "
                 "write the text without its mask, or ask for a token's logit by --target"
               : "no token of these texts can be scored: the loss needs a token after the "
                 "first; write a longer text";
}

/* What texts and target mean. */
static int begin(struct run *run, int64_t *bad, struct err *err) {
    const struct gradients_request *request = run->request;
    struct examples_request read = { .texts = request->texts,
                                     .count = request->count,
                                     .seed = request->seed,
                                     .target = request->target };
    run->batches = examples_read(run->scratch, run->model, &read, &run->count, bad, err);
    run->target = -1;
    if (!run->batches) {
        return err_pass(err);
    }
    if (request->target) {
        run->target = examples_target(run->scratch, run->model, request->target, err);
        return run->target < 0 ? err_pass(err) : 0;
    }
    for (int64_t i = 0; i < run->count; i++) {
        run->scored += run->batches[i].scored;
    }
    if (run->scored == 0 || has_one_score(run->model)) {
        *bad = 0;
        return err_set(err, ERR_TEXT, "%s", nothing_scored(run->model));
    }
    return 0;
}

/* Norms and shares, from what was added up. */
static void about_end(struct run *run) {
    struct gradients_about *about = &run->about;
    for (int64_t i = 0; i < run->sums_count; i++) {
        parameter_count(run, run->sums[i].name, &run->sums[i].total);
    }
    spread_order(about->spread);
    about->steps = run->steps;
    about->time = run->time;
    double texts = (double)(run->target >= 0 ? run->request->count : run->lasts);
    for (int64_t i = 0; i < run->model->config->layers * run->steps; i++) {
        int64_t reach = run->reach[i % run->steps]; /* each text's own loss, not their mean */
        about->time[i] = reach > 0 ? texts * sqrt(run->time[i] / (double)reach) : 0;
    }
    about->saturated = run->saturated;
    about->looked = run->looked;
    about->halves = run->half_count;
    for (int64_t h = 0; h < run->half_count; h++) {
        struct half *half = &run->halves[h];
        for (int64_t l = 0; l <= half->layers; l++) {
            half->squares[l] = sqrt(half->squares[l]);
        }
        about->stream[h] = half->squares;
        about->peaks[h] = half->peaks;
        about->units[h] = half->units;
        about->layers[h] = half->layers;
    }
    about->scored = run->target >= 0 ? run->request->count : run->scored;
    about->tokens = 0;
    for (int64_t i = 0; i < run->count; i++) {
        for (int64_t b = 0; b < run->batches[i].batch; b++) {
            about->tokens += run->batches[i].lengths[b];
        }
        about->tokens += run->half_count > 1 ? run->batches[i].scored : 0; /* the decoder's */
    }
    about->pieces = run->batches[0].pieces;
}

int gradients(struct arena *arena, const struct model *model, const char *handle,
              const struct gradients_request *request, struct gradients *results, int64_t *bad,
              struct err *err) {
    struct arena **scratch = guard_arena(arena);
    struct run run = {
        .arena = arena, .scratch = *scratch, .model = model, .request = request
    };
    double began = now_seconds();
    *bad = -1;
    int status = begin(&run, bad, err);
    if (status == 0) {
        gradients_about_begin(&run.about, *scratch, model, handle, request, run.target);
        halves_begin(&run);
        time_begin(&run);
    }
    for (int64_t i = 0; status == 0 && i < run.count; i++) {
        struct arena **each = guard_arena(arena);
        status = batch_run(&run, *each, &run.batches[i], err);
        guard_free(each);
    }
    if (status == 0) {
        about_end(&run);
        run.about.seconds = now_seconds() - began;
        gradients_tell(arena, &run.about, results);
    }
    guard_free(scratch);
    return status < 0 ? err_pass(err) : 0;
}
