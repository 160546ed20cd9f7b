#include "core/explain/integrated.h"

#include <math.h>

#include "core/base/catch.h"
#include "core/base/pool.h"

enum { SHARE = 2048 }; /* numbers of the sum that one task adds to */

/* Zeros of the Legendre polynomial by Newton's iteration; weights 2 / ((1 - x^2) P'(x)^2), both
 * brought from -1..1 to 0..1. */
static void gauss_legendre(int64_t n, double *nodes, double *weights) {
    for (int64_t i = 0; i < n; i++) {
        double x = cos(M_PI * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1;
        for (int round = 0; round < 100; round++) {
            double p = 1, before = 0;
            for (int64_t k = 1; k <= n; k++) {
                double next =
                    ((2 * (double)k - 1) * x * p - ((double)k - 1) * before) / (double)k;
                before = p;
                p = next;
            }
            slope = (double)n * (x * p - before) / (x * x - 1);
            double step = p / slope;
            x -= step;
            if (fabs(step) < 1e-15) {
                break;
            }
        }
        nodes[n - 1 - i] = (1 + x) / 2;
        weights[n - 1 - i] = 1 / ((1 - x * x) * slope * slope);
    }
}

void integrated_nodes(enum integrated_rule rule, int64_t steps, double *nodes,
                      double *weights) {
    if (rule == INTEGRATED_GAUSS_LEGENDRE) {
        gauss_legendre(steps, nodes, weights);
        return;
    }
    for (int64_t i = 0; i < steps; i++) {
        bool end = i == 0 || i == steps - 1;
        nodes[i] = (double)i / (double)(steps - 1);
        weights[i] = (end ? 0.5 : 1) / (double)steps;
    }
}

/* baseline + node * (x - baseline) for each of n nodes: [n, T, E]. */
struct points {
    const struct tensor *x;
    const float *baseline;
    const double *nodes;
    float *all;
};

static void points_run(void *arg, int64_t begin, int64_t end) {
    const struct points *job = arg;
    int64_t size = tensor_count(job->x), width = job->x->shape[2];
    for (int64_t s = begin; s < end; s++) {
        for (int64_t i = 0; i < size; i++) {
            double from = job->baseline ? (double)job->baseline[i % width] : 0;
            double way = (double)job->x->data[i] - from;
            job->all[s * size + i] = (float)(from + job->nodes[s] * way);
        }
    }
}

static struct tensor *points(struct arena *arena, const struct tensor *x, const float *baseline,
                             const double *nodes, int64_t n) {
    struct tensor *all = tensor_raw(arena, 3, (int64_t[]){ n, x->shape[1], x->shape[2] });
    struct points job = { .x = x, .baseline = baseline, .nodes = nodes, .all = all->data };
    pool_for(n, 1, points_run, &job);
    return all;
}

/* What the sum over steps is made of. */
struct work {
    const struct integrated *how;
    const struct tensor *x;
    const double *nodes, *weights;
    double *sum; /* [T E] */
};

/* Steps begin .. begin + n, whose gradients are to join the sum. */
struct adding {
    const struct work *work;
    const float *gradients; /* [n, T E] */
    int64_t begin, n;
};

static void adding_run(void *arg, int64_t first, int64_t end) {
    const struct adding *job = arg;
    int64_t size = tensor_count(job->work->x);
    for (int64_t s = 0; s < job->n; s++) {
        const float *gradient = job->gradients + s * size;
        double weight = job->work->weights[job->begin + s];
        for (int64_t i = first; i < end; i++) {
            job->work->sum[i] += weight * (double)gradient[i];
        }
    }
}

/* Adds the steps begin .. begin + n. */
static int steps_add(struct arena *arena, const struct work *work, int64_t begin, int64_t n,
                     struct err *err) {
    int64_t size = tensor_count(work->x);
    struct tensor *at = points(arena, work->x, work->how->baseline, work->nodes + begin, n);
    struct answers *answers = question_ask(arena, work->how->question, at, 0, err);
    if (!answers) {
        return -1;
    }
    struct adding job = { .work = work, .gradients = answers->gradients->data };
    job.begin = begin;
    job.n = n;
    pool_for(size, SHARE, adding_run, &job);
    stop_check(); /* an interrupt leaves shares out: no sum rather than a wrong one */
    return 0;
}

static int steps_run(struct arena *arena, const struct work *work, struct err *err) {
    int64_t rows = work->how->rows > 0 ? work->how->rows : 512;
    int64_t most = rows / work->x->shape[1] > 0 ? rows / work->x->shape[1] : 1;
    int64_t batches = (work->how->steps + most - 1) / most;
    int64_t each = (work->how->steps + batches - 1) / batches; /* none much smaller */
    for (int64_t begin = 0; begin < work->how->steps; begin += each) {
        int64_t left = work->how->steps - begin;
        struct arena_mark mark = arena_mark(arena);
        if (steps_add(arena, work, begin, left < each ? left : each, err) < 0) {
            return -1;
        }
        arena_rewind(arena, mark);
    }
    return 0;
}

/* f(x) - f(baseline) */
static int difference(struct arena *arena, const struct work *work, double *value,
                      struct err *err) {
    const double ends[2] = { 0, 1 };
    struct tensor *at = points(arena, work->x, work->how->baseline, ends, 2);
    struct answers *answers = question_ask(arena, work->how->question, at, 0, err);
    *value = answers ? answers->values[1] - answers->values[0] : 0;
    return answers ? 0 : -1;
}

struct tensor *integrated_gradients(struct arena *arena, const struct integrated *how,
                                    double *gap, struct err *err) {
    int64_t n = how->steps;
    if (n < 2 || n > INTEGRATED_STEPS_MOST) {
        err_set(err, ERR_OPTION, "%lld steps; 2 to %d are possible", (long long)n,
                INTEGRATED_STEPS_MOST);
        return NULL;
    }
    double *nodes = arena_array(arena, n, sizeof *nodes);
    double *weights = arena_array(arena, n, sizeof *weights), change = 0, total = 0;
    integrated_nodes(how->rule, n, nodes, weights);
    struct tensor *x = question_embeddings(arena, how->question->model, how->question->ids,
                                           how->question->tokens, err);
    if (!x) {
        return NULL;
    }
    int64_t size = tensor_count(x), width = x->shape[2];
    struct work work = { .how = how, .x = x, .nodes = nodes, .weights = weights };
    work.sum = arena_array(arena, size, sizeof *work.sum);
    struct tensor *out = tensor_new(arena, 2, x->shape + 1);
    if (steps_run(arena, &work, err) < 0 ||
        (gap && difference(arena, &work, &change, err) < 0)) {
        return NULL;
    }
    for (int64_t i = 0; i < size; i++) {
        double from = how->baseline ? (double)how->baseline[i % width] : 0;
        double value = ((double)x->data[i] - from) * work.sum[i];
        out->data[i] = (float)value;
        total += value;
    }
    if (gap) {
        *gap = total - change;
    }
    return out;
}
