/* bench_open: how long models of seven billion weights take to open: three shards of
 * safetensors in F16, and one GGUF file in Q4_K. The files are sparse, so that what is timed is
 * the reading of headers and the checks, not the disk. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/model.h"
#include "tests/bench/clock.h"
#include "tests/large.h"

enum { REPEATS = 5, SHARDS = 3 };

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int bench(const char *name, const char *path) {
    double seconds[REPEATS];
    struct err err = { 0 };
    for (int i = 0; i < REPEATS; i++) {
        struct arena *arena = arena_new();
        double begin = clock_now();
        if (!model_open(arena, path, &err)) {
            fprintf(stderr, "bench_open: %s\n", err.text);
            return 1;
        }
        seconds[i] = clock_now() - begin;
        arena_free(arena);
    }
    qsort(seconds, REPEATS, sizeof *seconds, ascending);
    printf("{\"name\": \"%s\", \"median_s\": %.6f, \"min_s\": %.6f}\n", name,
           seconds[REPEATS / 2], seconds[0]);
    return 0;
}

static void remove_all(struct arena *arena, const char *folder) {
    for (int s = 1; s <= SHARDS; s++) {
        unlink(arena_printf(arena, "%s/model-%05d-of-%05d.safetensors", folder, s, SHARDS));
    }
    unlink(file_join(arena, folder, "model.safetensors.index.json"));
    unlink(file_join(arena, folder, "config.json"));
    unlink(file_join(arena, folder, "7b.gguf"));
    rmdir(folder);
}

int main(void) {
    struct arena *arena = arena_new();
    char *folder = arena_copy(arena, "/tmp/cutaway-bench-XXXXXX");
    if (!mkdtemp(folder)) {
        perror("mkdtemp");
        return 1;
    }
    const char *gguf = file_join(arena, folder, "7b.gguf");
    large_folder(folder, &large_llama7b, SHARDS);
    large_gguf(gguf, &large_llama7b);
    int failed = bench("open.llama7b.safetensors", folder) || bench("open.llama7b.gguf", gguf);
    remove_all(arena, folder);
    arena_free(arena);
    return failed;
}
