#include <stdio.h>
#include <stdlib.h>

#include "core/base/cpu.h"
#include "core/base/pool.h"
#include "core/draw/picture.h"
#include "tests/bench/clock.h"
#include "tests/sample.h"

/* bench_draw: how long a whole bundle (PNG, HTML, text, JSON) takes, fonts already open. */

enum { REPEATS = 15 };

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int bench(const char *name, int64_t layers, int64_t heads, int64_t tokens) {
    double seconds[REPEATS];
    struct arena *arena = arena_new();
    struct result *result = sample_attention(arena, layers, heads, tokens, sample_english, 16);
    struct err err = { 0 };
    for (int i = -1; i < REPEATS; i++) { /* once more, to open the fonts */
        struct arena *cell = arena_new();
        double begin = clock_now();
        struct bundle *bundle = picture_bundle(cell, NULL, result, NULL, &err);
        if (!bundle) {
            fprintf(stderr, "bench_draw: %s\n", err.text);
            return 1;
        }
        seconds[i < 0 ? 0 : i] = clock_now() - begin;
        arena_free(cell);
    }
    qsort(seconds, REPEATS, sizeof *seconds, ascending);
    printf("{\"name\": \"%s\", \"median_s\": %.6f, \"min_s\": %.6f, \"threads\": %d, \"isa\": "
           "\"%s\"}\n",
           name, seconds[REPEATS / 2], seconds[0], pool_threads(), cpu_name(cpu_isa()));
    arena_free(arena);
    return 0;
}

int main(void) {
    return bench("draw heat map 16 x 16, annotated", 0, 0, 16) ||
           bench("draw heat map 128 x 128", 0, 0, 128) ||
           bench("draw 144 heads of 16 tokens", 12, 12, 16) ||
           bench("draw 270 heads of 16 tokens", 30, 9, 16);
}
