/* bench_gradients [PATTERN...]: gradients through GPT-2's shape and a MiniLM classifier, one
 * JSON line each: all parameters' gradients of a loss, and a histogram of each, saliency,
 * integrated gradients of 50 steps. The models are found as users find them, by the names gpt2
 * and minilm-classifier; what is not there is left out with a line on stderr. Each row runs in
 * a process of its own, whose greatest resident size is peak_mb. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/pool.h"
#include "core/explain/integrated.h"
#include "core/explain/spread.h"
#include "core/tensor/simd.h"
#include "tests/bench/clock.h"

static void give_up(const struct err *err) {
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static int32_t *ids_of(struct arena *arena, int64_t tokens) {
    int32_t *ids = arena_array(arena, tokens, sizeof *ids);
    for (int64_t i = 0; i < tokens; i++) {
        ids[i] = (int32_t)(1000 + i * 7919 % 19000);
    }
    return ids;
}

/* What is done with a parameter's gradient: looked at, and let go. */
static void take(void *arg, const char *name, const struct tensor *gradient) {
    double *sum = arg;
    (void)name;
    *sum += (double)gradient->data[0];
}

/* Or counted into a histogram each, as %%gradients does. */
static void take_spread(void *arg, const char *name, const struct tensor *gradient) {
    struct spread *spread = arg;
    spread_begin(spread, name);
    spread_part(spread, gradient->data, tensor_count(gradient));
    spread_end(spread);
}

static void run_loss(struct arena *arena, const struct model *model, int64_t tokens,
                     struct backward ask) {
    struct err err = { 0 };
    double loss;
    int32_t *ids = ids_of(arena, tokens), *labels = arena_array(arena, tokens, sizeof *labels);
    struct pass pass = { .arena = arena, .batch = 1, .tokens = tokens, .ids = ids };
    pass.record = pass.keep[SITE_LOGITS] = true;
    struct trace *trace = model_run(model, &pass, &err);
    if (!trace) {
        give_up(&err);
    }
    for (int64_t t = 0; t < tokens; t++) {
        labels[t] = t + 1 < tokens ? ids[t + 1] : QUESTION_NONE;
    }
    const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    struct tensor *seed = question_loss(arena, logits, labels, &loss);
    seed->rank = 4;
    memcpy(seed->shape + 1, logits->shape, 3 * sizeof *seed->shape);
    struct seed from = { .site = SITE_LOGITS, .gradient = seed };
    ask.from = &from;
    ask.count = 1;
    if (model_backward(trace, &ask, &err) < 0) {
        give_up(&err);
    }
}

static void run_parameters(struct arena *arena, const struct model *model, int64_t tokens) {
    double sum = 0;
    run_loss(arena, model, tokens, (struct backward){ .parameter = take, .arg = &sum });
}

static void run_histograms(struct arena *arena, const struct model *model, int64_t tokens) {
    struct spread *spread = spread_new(arena, model, "en");
    run_loss(arena, model, tokens,
             (struct backward){ .parameter = take_spread, .arg = spread });
    spread_result(arena, spread, NULL, true, 50, "|g|");
}

static struct question question_of(struct arena *arena, const struct model *model,
                                   int64_t tokens) {
    return (struct question){ .model = model,
                              .ids = ids_of(arena, tokens),
                              .tokens = tokens,
                              .position = tokens - 1,
                              .id = 1 };
}

static void run_saliency(struct arena *arena, const struct model *model, int64_t tokens) {
    struct err err = { 0 };
    struct question question = question_of(arena, model, tokens);
    if (!question_ask(arena, &question, NULL, 0, &err)) {
        give_up(&err);
    }
}

static void run_integrated(struct arena *arena, const struct model *model, int64_t tokens) {
    struct err err = { 0 };
    struct question question = question_of(arena, model, tokens);
    struct integrated how = { .question = &question, .steps = 50 };
    if (!integrated_gradients(arena, &how, NULL, &err)) {
        give_up(&err);
    }
}

struct work {
    const char *name, *model;
    int64_t tokens;
    void (*run)(struct arena *arena, const struct model *model, int64_t tokens);
};

static const struct work works[] = {
    { "gradients.gpt2.128", "gpt2", 128, run_parameters },
    { "histograms.gpt2.128", "gpt2", 128, run_histograms },
    { "saliency.minilm.32", "minilm-classifier", 32, run_saliency },
    { "saliency.gpt2.32", "gpt2", 32, run_saliency },
    { "integrated.minilm.32", "minilm-classifier", 32, run_integrated },
    { "integrated.gpt2.32", "gpt2", 32, run_integrated },
};

enum { MOST = 40, LEAST = 4, ENOUGH_S = 3 };

static void work_time(const struct work *work, const struct model *model) {
    double times[MOST], spent = 0;
    struct rusage usage;
    int n = 0;
    while (n < MOST && (n < LEAST || spent < ENOUGH_S)) {
        double begin = clock_now();
        struct arena *arena = arena_new();
        work->run(arena, model, work->tokens);
        arena_free(arena);
        times[n] = clock_now() - begin;
        spent += times[n++];
    }
    getrusage(RUSAGE_SELF, &usage);
    qsort(times, (size_t)n, sizeof *times, clock_order);
    printf("{\"name\": \"%s\", \"median_s\": %.6f, \"min_s\": %.6f, \"runs\": %d, \"threads\": "
           "%d, \"isa\": \"%s\", \"peak_mb\": %.1f}\n",
           work->name, times[n / 2], times[0], n, pool_threads(), cpu_name(simd()->isa),
           (double)usage.ru_maxrss / 1024);
    fflush(stdout);
}

static bool asked(const char *name, int count, char **patterns) {
    bool any = count == 0;
    for (int i = 0; i < count; i++) {
        any = any || strstr(name, patterns[i]);
    }
    return any;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        struct arena *arena = arena_new();
        struct err err = { 0 };
        const char *path = find_model(arena, works[i].model, &err);
        int status = 0;
        if (!asked(works[i].name, argc - 1, argv + 1)) {
            arena_free(arena);
            continue;
        }
        if (!path) {
            fprintf(stderr, "%s is left out: %s\n", works[i].name, err.text);
        } else if (fork() == 0) {
            struct model *model = model_open(arena, path, &err);
            if (!model) {
                give_up(&err);
            }
            work_time(&works[i], model);
            exit(0);
        }
        while (wait(&status) > 0) {
            failed += status != 0;
        }
        arena_free(arena);
    }
    return failed > 0;
}
