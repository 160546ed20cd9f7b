/* bench_forward [PATTERN...]: forward passes through MiniLM, the shape of GPT-2 and SmolLM2
 * (found as users find them; a model that is not there is named and left out), one JSON line
 * each.
 *
 *     forward.MODEL.T   one text of T tokens; all attentions, hidden states and logits are kept
 *     last.MODEL.T      the same, but logits at the last token only
 *     embed.minilm.32x128  32 texts of 128 tokens; the mean of each one's last hidden state
 *     first.MODEL.T     what a new process pays: opening the model and one pass without logits
 *
 * peak_gflops and peak_gb_s are what this machine could do, measured when the program starts:
 * products that stay in the first-level cache, and reading memory once. limit_share is the
 * least time the pass could take (its multiplications at that rate or its weights at that,
 * whichever is longer) divided by the time taken. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/pool.h"
#include "core/model/model.h"
#include "core/tensor/simd.h"
#include "tests/bench/clock.h"

struct machine {
    double flops, bytes; /* a second */
};

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
        double begin = clock_now();
        pool_for(tiles, 50, multiply_run, NULL);
        double rate = flops / (clock_now() - begin);
        machine.flops = rate > machine.flops ? rate : machine.flops;
        begin = clock_now();
        pool_for(AREA / 8, 1 << 17, read_run, area);
        rate = AREA / (clock_now() - begin);
        machine.bytes = rate > machine.bytes ? rate : machine.bytes;
    }
    munmap(area, AREA);
    return machine;
}

/* ---- passes ---- */

enum kind { FIRST, FORWARD, LAST, EMBED };

struct work {
    const char *path;
    enum kind kind;
    int64_t batch, tokens;
};

/* The mean of each text's rows of [B, T, C], as sentence embeddings have it. */
static void texts_mean(struct arena *arena, const struct work *work,
                       const struct tensor *states) {
    int64_t width = states->shape[states->rank - 1];
    struct tensor *means = tensor_new(arena, 2, (int64_t[]){ work->batch, width });
    for (int64_t i = 0; i < work->batch * work->tokens; i++) {
        simd()->axpy(means->data + i / work->tokens * width, 1.0F / (float)work->tokens,
                     states->data + i * width, width);
    }
}

static void pass_once(const struct model *model, const struct work *work) {
    struct err err = { 0 };
    struct arena *arena = arena_new();
    int64_t n = work->batch * work->tokens, last = work->tokens - 1;
    int32_t *ids = arena_array(arena, n, sizeof *ids);
    for (int64_t i = 0; i < n; i++) {
        ids[i] = (int32_t)(1000 + i * 7919 % 19000);
    }
    struct pass pass = {
        .arena = arena, .batch = work->batch, .tokens = work->tokens, .ids = ids
    };
    pass.keep[SITE_RESIDUAL] = pass.keep[SITE_ATTENTION] = work->kind != EMBED;
    pass.keep[SITE_FINAL] = true;
    pass.keep[SITE_LOGITS] =
        model_has(model, SITE_LOGITS) && (work->kind == FORWARD || work->kind == LAST);
    if (work->kind == LAST) {
        pass.wanted_rows = &last;
        pass.wanted = 1;
    }
    struct trace *trace = model_run(model, &pass, &err);
    if (!trace) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    if (work->kind == EMBED) {
        texts_mean(arena, work, trace_at(trace, SITE_FINAL, 0));
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
    double t = (double)work->tokens, rows = (double)work->batch * t;
    *flops = (double)(c->layers * 4 * c->width) * t * rows; /* scores and mixing */
    *bytes = 0;
    for (int64_t i = 0; i < model->weights->count; i++) {
        const struct tensor *w = &model->weights->tensors[i];
        bool head = w->rank == 2 && w->shape[0] == c->vocab && strcmp(c->type, "bert") != 0;
        bool table = strstr(w->name, "embed") || strstr(w->name, "wpe");
        if (w->rank != 2 || strstr(w->name, "pooler") || (table && !head)) {
            continue;
        }
        double used = !head || work->kind == FORWARD ? rows : work->kind == LAST ? 1 : 0;
        *flops += 2 * used * (double)tensor_count(w);
        *bytes += used > 0 ? (double)tensor_bytes(w) : 0;
    }
}

static void row(const char *name, const struct work *work, const struct model *model,
                const struct machine *machine, double *times, int n) {
    double flops, bytes;
    cost(model, work, &flops, &bytes);
    qsort(times, (size_t)n, sizeof *times, clock_order);
    double by_sums = flops / machine->flops, by_bytes = bytes / machine->bytes;
    printf("{\"name\": \"%s\", \"median_s\": %.6f, \"min_s\": %.6f, \"runs\": %d, \"threads\": "
           "%d, \"isa\": \"%s\", \"gflops\": %.1f, \"peak_gflops\": %.1f, \"peak_gb_s\": %.1f, "
           "\"limit_share\": %.3f}\n",
           name, times[n / 2], times[0], n, pool_threads(), cpu_name(simd()->isa),
           flops / times[0] / 1e9, machine->flops / 1e9, machine->bytes / 1e9,
           (by_sums > by_bytes ? by_sums : by_bytes) / times[0]);
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
        double begin = clock_now();
        pass_once(model, work);
        times[n] = clock_now() - begin;
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
            double begin = clock_now();
            pass_once(opened(arena_new(), work->path), work);
            times[i] = clock_now() - begin;
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

static void bench(const char *name, const struct work *work, const struct machine *machine) {
    (work->kind == FIRST ? bench_first : bench_again)(name, work, machine);
}

/* All rows of a model, of which `count` patterns (0: all) pick. First-use rows run before this
 * process has a thread: a fork would not have the pool's. */
static void bench_model(const char *model, bool first, const struct machine *machine, int count,
                        char **patterns) {
    static const char *const kinds[] = { "first", "forward", "last" };
    static const int64_t lengths[] = { 16, 128, 512 };
    struct arena *arena = arena_new();
    struct err err = { 0 };
    const char *path = find_model(arena, model, &err);
    bool scores = path && strcmp(model, "minilm") != 0;
    if (!path && first) {
        fprintf(stderr, "%s\n", err.text);
    }
    for (int i = 0; path && i < (first ? 1 : scores ? 6 : 3); i++) {
        struct work work = { path, first ? FIRST : i < 3 ? FORWARD : LAST, 1, lengths[i % 3] };
        char name[80];
        snprintf(name, sizeof name, "%s.%s.%lld", kinds[work.kind], model,
                 (long long)work.tokens);
        if (asked(name, count, patterns)) {
            bench(name, &work, machine);
        }
    }
    struct work embed = { path, EMBED, 32, 128 };
    if (path && !first && !scores && asked("embed.minilm.32x128", count, patterns)) {
        bench("embed.minilm.32x128", &embed, machine);
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
    static const char *const models[] = { "minilm", "gpt2", "smollm2" };
    for (int first = 1; first >= 0; first--) {
        for (int i = 0; i < 3; i++) {
            bench_model(models[i], first, &machine, argc - 1, argv + 1);
        }
    }
    return 0;
}
