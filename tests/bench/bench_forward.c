/* bench_forward [PATTERN...]: forward passes through MiniLM and SmolLM2 (found as users find
 * them), one JSON line each. All attentions and hidden states are kept; "logits" rows compute
 * logits at every position too. "first" rows are what a new process pays: opening the model and
 * one pass.
 *
 * limit_share is the least time this machine could need, divided by the time taken: the
 * multiplications at the rate of products that stay in the first-level cache, or the weights at
 * the rate of reading memory once, whichever is longer. Both rates are measured when the
 * program starts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/pool.h"
#include "core/model/model.h"
#include "core/tensor/simd.h"

struct machine {
    double flops, bytes; /* a second */
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- the machine's limits ---- */

enum { TURNS = 400, DEPTH = 128, AREA = 256 << 20 };

static void multiply_run(void *arg, int64_t begin, int64_t end) {
    static float x[16 * DEPTH], panel[32 * DEPTH];
    float y[16 * 32];
    (void)arg;
    for (int64_t i = begin; i < end; i++) {
        simd()->multiply(simd()->rows, DEPTH, x, DEPTH, panel, simd()->columns, y, 32, false,
                         NULL, 0);
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
        puts(""); /* never: the area holds equal bytes; without a use nothing would be read */
    }
}

static struct machine machine_measure(void) {
    struct machine machine = { 0 };
    int64_t tiles = (int64_t)TURNS * pool_threads();
    double flops = 2.0 * simd()->rows * simd()->columns * DEPTH * (double)tiles;
    uint64_t *area =
        mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(area, 1, AREA);
    for (int i = 0; i < 9; i++) {
        double begin = now();
        pool_for(tiles, 50, multiply_run, NULL);
        double rate = flops / (now() - begin);
        machine.flops = rate > machine.flops ? rate : machine.flops;
        begin = now();
        pool_for(AREA / 8, 1 << 17, read_run, area);
        rate = AREA / (now() - begin);
        machine.bytes = rate > machine.bytes ? rate : machine.bytes;
    }
    munmap(area, AREA);
    return machine;
}

/* ---- passes ---- */

struct work {
    const char *path;
    int64_t tokens;
    bool logits;
};

static void pass_once(const struct model *model, const struct work *work) {
    struct err err = { 0 };
    struct arena *arena = arena_new();
    int32_t *ids = arena_array(arena, work->tokens, sizeof *ids);
    for (int64_t i = 0; i < work->tokens; i++) {
        ids[i] = (int32_t)(1000 + i * 7919 % 19000);
    }
    struct pass pass = { .arena = arena, .batch = 1, .tokens = work->tokens, .ids = ids };
    pass.keep[SITE_RESIDUAL] = pass.keep[SITE_ATTENTION] = pass.keep[SITE_FINAL] = true;
    pass.keep[SITE_LOGITS] = work->logits;
    if (!model_run(model, &pass, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    arena_free(arena);
}

static struct model *opened(struct arena *arena, const char *path) {
    struct err err = { 0 };
    struct model *model = model_open(arena, path, &err);
    if (!model) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return model;
}

/* Multiplications and additions of one pass, and the bytes of weights that it reads. */
static void cost(const struct model *model, const struct work *work, double *flops,
                 double *bytes) {
    const struct config *c = model->config;
    double t = (double)work->tokens;
    *flops = (double)(c->layers * 4 * c->width) * t * t; /* scores and mixing */
    *bytes = 0;
    for (int64_t i = 0; i < model->weights->count; i++) {
        const struct tensor *w = &model->weights->tensors[i];
        bool head = w->rank == 2 && w->shape[0] == c->vocab;
        bool table = w->rank == 2 && strstr(w->name, "embed") && !head;
        if (w->rank == 2 && !table && !strstr(w->name, "pooler") && (!head || work->logits)) {
            *flops += 2 * t * (double)tensor_count(w);
            *bytes += (double)tensor_bytes(w);
        }
    }
}

static void row(const char *name, const struct work *work, const struct model *model,
                const struct machine *machine, double *times, int n) {
    double flops, bytes;
    cost(model, work, &flops, &bytes);
    qsort(times, (size_t)n, sizeof *times, by_size);
    double by_sums = flops / machine->flops, by_bytes = bytes / machine->bytes;
    printf("{\"name\": \"%s\", \"median_s\": %.6f, \"min_s\": %.6f, \"runs\": %d, \"threads\": "
           "%d, "
           "\"isa\": \"%s\", \"gflops\": %.1f, \"limit_share\": %.3f}\n",
           name, times[n / 2], times[0], n, pool_threads(), cpu_name(simd()->isa),
           flops / times[0] / 1e9, (by_sums > by_bytes ? by_sums : by_bytes) / times[0]);
    fflush(stdout);
}

enum { MOST = 40, ENOUGH_S = 2 };

static void bench_again(const char *name, const struct work *work,
                        const struct machine *machine) {
    double times[MOST];
    int n = 0;
    struct arena *arena = arena_new();
    struct model *model = opened(arena, work->path);
    pass_once(model, work);
    for (double spent = 0; n < MOST && (n < 5 || spent < ENOUGH_S); spent += times[n++]) {
        double begin = now();
        pass_once(model, work);
        times[n] = now() - begin;
    }
    row(name, work, model, machine, times, n);
    arena_free(arena);
}

/* Each time in a new process, whose pool and maps are new too. */
static void bench_first(const char *name, const struct work *work,
                        const struct machine *machine) {
    enum { TIMES = 9 };
    double *times = mmap(NULL, sizeof(double) * TIMES, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < TIMES; i++) {
        pid_t child = fork();
        if (child == 0) {
            double begin = now();
            pass_once(opened(arena_new(), work->path), work);
            times[i] = now() - begin;
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    struct arena *arena = arena_new();
    row(name, work, opened(arena, work->path), machine, times, TIMES);
    arena_free(arena);
    munmap(times, sizeof(double) * TIMES);
}

static bool asked(const char *name, int count, char **patterns) {
    for (int i = 0; i < count; i++) {
        if (strstr(name, patterns[i])) {
            return true;
        }
    }
    return count == 0;
}

/* First-use rows run before this process has a thread: a fork would not have the pool's. */
static void bench(const char *model, bool first, const struct machine *machine, int count,
                  char **patterns) {
    static const int64_t lengths[] = { 16, 128, 512 };
    struct arena *arena = arena_new();
    struct err err = { 0 };
    const char *path = find_model(arena, model, &err);
    if (!path) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    for (int i = 0; i < (first ? 1 : 6); i++) {
        struct work work = { .path = path, .tokens = lengths[i % 3], .logits = i >= 3 };
        const char *kind = first ? "first" : work.logits ? "logits" : "forward";
        char name[80];
        snprintf(name, sizeof name, "%s.%s.%lld", kind, model, (long long)work.tokens);
        if (!asked(name, count, patterns) || (work.logits && strcmp(model, "minilm") == 0)) {
            continue;
        }
        (first ? bench_first : bench_again)(name, &work, machine);
    }
    arena_free(arena);
}

/* The limits, from a process of its own. */
static struct machine machine_apart(void) {
    struct machine *machine =
        mmap(NULL, sizeof *machine, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        *machine = machine_measure();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return *machine;
}

int main(int argc, char **argv) {
    struct machine machine = machine_apart();
    static const char *const models[] = { "minilm", "smollm2" };
    for (int first = 1; first >= 0; first--) {
        for (int i = 0; i < 2; i++) {
            bench(models[i], first, &machine, argc - 1, argv + 1);
        }
    }
    return 0;
}
