/* bench_map [PATTERN...]: maps of MiniLM's word embeddings, one JSON line each: PCA, t-SNE
 * and UMAP of 5,000 and 30,000 tokens, with what the maps keep. The model is found as users
 * find it, by the name minilm. The points and the measures are those of the peers' script: 10
 * neighbours kept by 2,000 points of all, trustworthiness among 5,000 points. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cpu.h"
#include "core/base/pool.h"
#include "core/explain/pca.h"
#include "core/explain/quality.h"
#include "core/explain/tsne.h"
#include "core/explain/umap.h"
#include "core/model/model.h"
#include "tests/bench/clock.h"

enum { MOST = 9, NEAR = 10, KEPT_ROWS = 2000, TRUST_POINTS = 5000 };

static void give_up(const struct err *err) {
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static struct tensor *run_pca(struct arena *arena, const struct tensor *x, double *cost) {
    struct err err = { 0 };
    struct pca *found = pca(arena, x, 2, &err);
    if (!found) {
        give_up(&err);
    }
    *cost = -1;
    return found->transformed;
}

static struct tensor *run_tsne(struct arena *arena, const struct tensor *x, double *cost) {
    struct err err = { 0 };
    struct map *map = tsne(arena, x, &(struct tsne){ .dims = 2 }, &err);
    if (!map) {
        give_up(&err);
    }
    *cost = map->cost;
    return map->points;
}

static struct tensor *run_umap(struct arena *arena, const struct tensor *x, double *cost) {
    struct err err = { 0 };
    struct map *map = umap(arena, x, &(struct umap){ .dims = 2, .min_dist = -1 }, &err);
    if (!map) {
        give_up(&err);
    }
    *cost = -1;
    return map->points;
}

/* Every so many-th row, so that `count` are left. */
static struct tensor *thinned(struct arena *arena, const struct tensor *x, int64_t count) {
    int64_t n = x->shape[0], width = x->shape[1];
    count = count < n ? count : n;
    struct tensor *few = tensor_new(arena, 2, (int64_t[]){ count, width });
    for (int64_t i = 0; i < count; i++) {
        memcpy(few->data + i * width, x->data + i * n / count * width,
               (size_t)width * sizeof(float));
    }
    return few;
}

static void measure(struct arena *arena, const struct tensor *x, const struct tensor *y,
                    double *kept, double *trust) {
    struct err err = { 0 };
    struct quality all, few;
    struct tensor *some = thinned(arena, x, TRUST_POINTS);
    struct tensor *there = thinned(arena, y, TRUST_POINTS);
    if (quality_measure(&all, arena, x, y, NEAR, KEPT_ROWS, &err) < 0 ||
        quality_measure(&few, arena, some, there, NEAR, TRUST_POINTS, &err) < 0) {
        give_up(&err);
    }
    *kept = all.kept;
    *trust = few.trustworthiness;
}

/* Where the peers' script begins: a table's first rows are hardly words. */
static int64_t first_of(int64_t n) {
    return n < 10000 ? 1000 : 0;
}

struct work {
    const char *name;
    int64_t n;
    int runs;
    struct tensor *(*run)(struct arena *arena, const struct tensor *x, double *cost);
};

static const struct work works[] = {
    { "map.pca.5000", 5000, 9, run_pca },   { "map.pca.30000", 30000, 9, run_pca },
    { "map.tsne.5000", 5000, 3, run_tsne }, { "map.tsne.30000", 30000, 1, run_tsne },
    { "map.umap.5000", 5000, 3, run_umap }, { "map.umap.30000", 30000, 1, run_umap },
};

static struct tensor points_of(const struct tensor *table, int64_t first, int64_t n) {
    struct tensor x = { .dtype = DTYPE_F32, .rank = 2, .shape = { n, table->shape[1] } };
    x.data = table->data + first * table->shape[1];
    return x;
}

static void work_time(const struct work *work, const struct tensor *table) {
    double times[MOST], cost = -1, kept = 0, trust = 0;
    struct tensor x = points_of(table, first_of(work->n), work->n);
    for (int i = 0; i < work->runs; i++) {
        struct arena *arena = arena_new();
        double begin = clock_now();
        struct tensor *y = work->run(arena, &x, &cost);
        times[i] = clock_now() - begin;
        if (i == work->runs - 1) {
            measure(arena, &x, y, &kept, &trust);
        }
        arena_free(arena);
    }
    qsort(times, (size_t)work->runs, sizeof *times, clock_order);
    printf("{\"name\": \"%s\", \"median_s\": %.4f, \"min_s\": %.4f, \"runs\": %d, \"threads\": "
           "%d, \"isa\": \"%s\", ",
           work->name, times[work->runs / 2], times[0], work->runs, pool_threads(),
           cpu_name(cpu_isa()));
    if (cost >= 0) {
        printf("\"kl\": %.4f, ", cost);
    }
    printf("\"nn10_kept\": %.4f, \"trustworthiness\": %.4f}\n", kept, trust);
    fflush(stdout);
}

/* KL against the affinities of the true neighbours, over all pairs. */
static double cost_of(struct arena *arena, const struct tensor *x, const struct tensor *y) {
    struct err err = { 0 };
    struct neighbours *near = neighbours_of(arena, x, 90, NEIGHBOURS_EUCLIDEAN, &err);
    if (!near) {
        give_up(&err);
    }
    return tsne_cost(arena, tsne_affinities(arena, near, 30), y->data, 2, NULL);
}

static int judge(const struct tensor *table, int64_t n, const char *path) {
    struct arena *arena = arena_new();
    struct tensor *y = tensor_new(arena, 2, (int64_t[]){ n, 2 });
    FILE *file = fopen(path, "rb");
    bool whole = file && fread(y->data, sizeof(float), (size_t)n * 2, file) == (size_t)n * 2;
    if (file) {
        fclose(file);
    }
    if (whole) {
        double kept, trust;
        struct tensor x = points_of(table, first_of(n), n);
        measure(arena, &x, y, &kept, &trust);
        printf("{\"kl\": %.4f, \"nn10_kept\": %.4f, \"trustworthiness\": %.4f}\n",
               cost_of(arena, &x, y), kept, trust);
    }
    arena_free(arena);
    return whole ? 0 : 1;
}

static bool asked(const char *name, int count, char **patterns) {
    bool any = count == 0;
    for (int i = 0; i < count; i++) {
        any = any || strstr(name, patterns[i]);
    }
    return any;
}

int main(int argc, char **argv) {
    struct arena *arena = arena_new();
    struct err err = { 0 };
    const char *path = find_model(arena, "minilm", &err);
    struct model *model = path ? model_open(arena, path, &err) : NULL;
    if (!model) {
        fprintf(stderr, "maps are left out: %s\n", err.text);
        return 0;
    }
    const struct tensor *table =
        weights_at(model->weights, "embeddings.word_embeddings.weight");
    if (table && argc == 4 && strcmp(argv[1], "--judge") == 0) {
        return judge(table, strtoll(argv[2], NULL, 10), argv[3]);
    }
    for (size_t i = 0; table && i < sizeof works / sizeof *works; i++) {
        if (asked(works[i].name, argc - 1, argv + 1)) {
            work_time(&works[i], table);
        }
    }
    arena_free(arena);
    return 0;
}
