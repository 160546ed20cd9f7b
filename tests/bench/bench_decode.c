/* bench_decode [PATTERN...]: SmolLM2 (found as users find it) reads a prompt and writes on, the
 * most probable token every time, its ten most probable alternatives told at each; one JSON
 * line each.
 *
 *     load.smollm2      opening it
 *     prompt.smollm2.T  reading T tokens, up to the logits of the next one
 *     decode.smollm2.T  seconds for each of 127 further tokens after T
 *
 * decode's gb_s is the weights' bytes that a token needs, by the second; peak_gb_s what this
 * machine reads at most, measured when the program starts. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/model/step.h"
#include "core/tensor/largest.h"
#include "core/tensor/logsumexp.h"
#include "core/tensor/simd.h"
#include "tests/bench/clock.h"

enum { NEW = 127, TOP = 10, TURNS = 7, AREA = 256 << 20 };

static struct model *opened(struct arena *arena) {
    struct err err = { 0 };
    const char *path = find_model(arena, "smollm2", &err);
    struct model *model = path ? model_open(arena, path, &err) : NULL;
    if (!model) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return model;
}

static const float *logits_of(struct step *step, int64_t *n) {
    struct err err = { 0 };
    const float *logits = step_logits(step, n, &err);
    if (!logits) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return logits;
}

/* The most probable token, after the shares of all of the ten. */
static int32_t chosen(const float *logits, int64_t n) {
    int32_t places[TOP];
    double all = logsumexp(logits, n), sum = 0;
    largest(logits, n, TOP, places);
    for (int i = 0; i < TOP; i++) {
        sum += exp((double)logits[places[i]] - all);
    }
    return sum > 0 ? places[0] : 0;
}

/* Seconds for the prompt and for each further token. */
static void turn(const struct model *model, int64_t tokens, double *prompt, double *each) {
    struct arena *arena = arena_new();
    int32_t *ids = arena_array(arena, tokens, sizeof *ids), start = 0;
    for (int64_t i = 0; i < tokens; i++) {
        ids[i] = (int32_t)(1000 + i * 7919 % 19000);
    }
    struct step *step = step_new(arena, model, ids, tokens, &start, 1, NEW);
    int64_t n;
    double begin = clock_now();
    const float *logits = logits_of(step, &n);
    *prompt = clock_now() - begin;
    begin = clock_now();
    for (int i = 0; i < NEW; i++) {
        step_take(step, chosen(logits, n));
        logits = logits_of(step, &n);
    }
    *each = (clock_now() - begin) / NEW;
    arena_free(arena);
}

/* tokens: that one time is for; 0: none. */
static void row(const char *name, double *times, double tokens, double bytes, double peak) {
    qsort(times, TURNS, sizeof *times, clock_order);
    printf("{\"name\": \"%s\", \"median_s\": %.6f, \"min_s\": %.6f, \"runs\": %d, \"threads\": "
           "%d, \"isa\": \"%s\"",
           name, times[TURNS / 2], times[0], TURNS, pool_threads(), cpu_name(simd()->isa));
    if (tokens > 0) {
        printf(", \"tokens_per_s\": %.1f, \"gb_s\": %.1f, \"peak_gb_s\": %.1f",
               tokens / times[0], bytes / times[0] / 1e9, peak / 1e9);
    }
    puts("}");
    fflush(stdout);
}

static void load(double *times) {
    for (int t = 0; t < TURNS; t++) {
        struct arena *arena = arena_new();
        double begin = clock_now();
        opened(arena);
        times[t] = clock_now() - begin;
        arena_free(arena);
    }
}

static void read_run(void *arg, int64_t begin, int64_t end) {
    const uint64_t *words = arg;
    uint64_t sum[8] = { 0 };
    for (int64_t i = begin; i < end; i += 8) {
        for (int j = 0; j < 8; j++) {
            sum[j] += words[i + j];
        }
    }
    if (sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7] == 1) {
        puts(""); /* never: without a use nothing would be read */
    }
}

/* Bytes a second of reading memory once. */
static double peak_measure(void) {
    struct arena *arena = arena_new();
    uint64_t *area = arena_raw(arena, AREA);
    double best = 0;
    memset(area, 1, AREA);
    for (int i = 0; i < TURNS; i++) {
        double begin = clock_now();
        pool_for(AREA / 8, 1 << 17, read_run, area);
        double rate = AREA / (clock_now() - begin);
        best = rate > best ? rate : best;
    }
    arena_free(arena);
    return best;
}

/* The weights' bytes. */
static double bytes_of(const struct model *model) {
    double bytes = 0;
    for (int64_t i = 0; i < model->weights->count; i++) {
        bytes += (double)tensor_bytes(&model->weights->tensors[i]);
    }
    return bytes;
}

static bool asked(const char *name, int count, char **patterns) {
    for (int i = 0; i < count; i++) {
        if (strstr(name, patterns[i])) {
            return true;
        }
    }
    return count == 0;
}

int main(int argc, char **argv) {
    static const int64_t lengths[] = { 32, 512 };
    struct arena *arena = arena_new();
    const struct model *model = opened(arena);
    double peak = peak_measure(), bytes = bytes_of(model), loads[TURNS];
    if (asked("load.smollm2", argc - 1, argv + 1)) {
        load(loads);
        row("load.smollm2", loads, 0, 0, peak);
    }
    for (int i = 0; i < 2; i++) {
        char prompt[40], decode[40];
        double prompts[TURNS], decodes[TURNS];
        snprintf(prompt, sizeof prompt, "prompt.smollm2.%d", (int)lengths[i]);
        snprintf(decode, sizeof decode, "decode.smollm2.%d", (int)lengths[i]);
        if (!asked(prompt, argc - 1, argv + 1) && !asked(decode, argc - 1, argv + 1)) {
            continue;
        }
        for (int t = 0; t < TURNS; t++) {
            turn(model, lengths[i], &prompts[t], &decodes[t]);
        }
        row(prompt, prompts, (double)lengths[i], bytes, peak);
        row(decode, decodes, 1, bytes, peak);
    }
    arena_free(arena);
    return 0;
}
