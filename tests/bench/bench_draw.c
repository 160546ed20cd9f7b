#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cpu.h"
#include "core/base/pool.h"
#include "core/draw/picture.h"
#include "core/tensor/bins.h"
#include "tests/bench/clock.h"
#include "tests/sample.h"

/* bench_draw: how long pictures take from numbers to the bytes of a PNG, with the text and the
 * JSON that go beside it, fonts already open. Arguments: parts of names; none: all. */

enum { REPEATS = 31, VALUES = 1000000, POINTS = 30000, BINS = 50 };

static const float *noise; /* [VALUES], about normal */

static const float *make_noise(struct arena *arena) {
    float *values = arena_array(arena, VALUES, sizeof *values);
    uint64_t state = 1;
    for (int64_t i = 0; i < VALUES; i++) {
        for (int k = 0; k < 12; k++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            values[i] += (float)(state >> 40) / (1 << 24);
        }
        values[i] -= 6;
    }
    return values;
}

static struct result *one_map(struct arena *arena) {
    return sample_attention(arena, 0, 0, 16, sample_english, 16);
}

static struct result *large_map(struct arena *arena) {
    return sample_attention(arena, 0, 0, 128, sample_english, 16);
}

static struct result *grid(struct arena *arena) {
    return sample_attention(arena, 12, 12, 16, sample_english, 16);
}

static struct result *large_grid(struct arena *arena) {
    return sample_attention(arena, 30, 9, 16, sample_english, 16);
}

/* Fills series i of a result: [rows, columns], or [rows] where columns is 0; NULL: zeros. */
static float *fill(struct arena *arena, struct result *result, int64_t i, const char *name,
                   int64_t rows, int64_t columns, const float *values) {
    struct series *series = &result->series[i];
    series->name = name;
    series->unit = "";
    series->values = tensor_new(arena, columns ? 2 : 1, (int64_t[]){ rows, columns });
    series->axes[0] = (struct axis){ "place", rows, NULL };
    series->axes[1] = (struct axis){ "axis", columns, NULL };
    if (values) {
        memcpy(series->values->data, values,
               (size_t)tensor_count(series->values) * sizeof *values);
    }
    return series->values->data;
}

static struct result *chart(struct arena *arena, const char *kind, int64_t series) {
    struct result *result = result_new(arena, kind, series);
    result->title = "Numbers about normal";
    result->finding = result->caption = "";
    result->model = "none";
    result->seed = -1;
    return result;
}

static struct result *histogram(struct arena *arena) {
    struct result *result = chart(arena, "histogram", 2);
    float *counts = fill(arena, result, 0, "counts", BINS, 0, NULL);
    float *edges = fill(arena, result, 1, "edges", BINS + 1, 0, NULL);
    struct bins_range range = bins_range(noise, VALUES);
    int64_t whole[BINS] = { 0 };
    bins_linear(noise, VALUES, range.low, range.high, BINS, whole, edges);
    for (int i = 0; i < BINS; i++) {
        counts[i] = (float)whole[i];
    }
    return result;
}

static struct result *scatter(struct arena *arena) {
    struct result *result = chart(arena, "scatter", 1);
    fill(arena, result, 0, "points", POINTS, 2, noise);
    return result;
}

/* What is timed: counting included, where there is something to count. */
static const struct figure_case {
    const char *name;
    struct result *(*make)(struct arena *arena);
    bool made_before; /* attention comes from the model */
} cases[] = {
    { "draw.heatmap.16", one_map, true },      { "draw.heatmap.128", large_map, true },
    { "draw.grid.144", grid, true },           { "draw.grid.270", large_grid, true },
    { "draw.histogram.1M", histogram, false }, { "draw.scatter.30k", scatter, false }
};

static int bench(const struct figure_case *of) {
    double seconds[REPEATS];
    struct arena *arena = arena_new();
    struct result *before = of->made_before ? of->make(arena) : NULL;
    struct err err = { 0 };
    size_t bytes = 0;
    for (int i = -1; i < REPEATS; i++) { /* once more, to open the fonts */
        struct arena *cell = arena_new();
        double begin = clock_now();
        struct result *result = before ? before : of->make(cell);
        struct picture_file *file = picture_file(cell, NULL, result, NULL, PICTURE_PNG, &err);
        if (!file) {
            fprintf(stderr, "bench_draw: %s\n", err.text);
            return 1;
        }
        seconds[i < 0 ? 0 : i] = clock_now() - begin;
        bytes = file->length;
        arena_free(cell);
    }
    qsort(seconds, REPEATS, sizeof *seconds, clock_order);
    printf("{\"name\": \"%s\", \"median_s\": %.6f, \"min_s\": %.6f, \"runs\": %d, \"threads\": "
           "%d, \"isa\": "
           "\"%s\", \"bytes\": %zu}\n",
           of->name, seconds[REPEATS / 2], seconds[0], REPEATS, pool_threads(),
           cpu_name(cpu_isa()), bytes);
    arena_free(arena);
    return 0;
}

static bool wanted(int argc, char **argv, const char *name) {
    bool found = argc == 1;
    for (int i = 1; i < argc; i++) {
        found = found || strstr(name, argv[i]);
    }
    return found;
}

int main(int argc, char **argv) {
    struct arena *arena = arena_new();
    noise = make_noise(arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (wanted(argc, argv, cases[i].name) && bench(&cases[i])) {
            return 1;
        }
    }
    arena_free(arena);
    return 0;
}
