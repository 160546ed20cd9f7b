#include "core/explain/tsne.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/explain/pca.h"
#include "core/explain/repulsion.h"

typedef repulsion_quad quad;

enum {
    POINTS = 256, /* for a task */
    EDGES = 4,    /* of a point, taken together */
    HALVINGS = 100,
    EVERY = 50
};

/* ---- affinities ---- */

struct search {
    const struct neighbours *neighbours;
    double entropy; /* log perplexity */
    double *p;      /* [n, k] p(j|i) */
};

/* p(j|i) for the precision beta = 1 / 2 s^2; returns their entropy in nats. The nearest one's
 * square is taken off, so that one of the exponentials is 1. */
static double row_fill(const float *distances, int64_t k, double beta, double *p) {
    double sum = 0, mean = 0, first = (double)distances[0] * (double)distances[0];
    for (int64_t j = 0; j < k; j++) {
        double square = (double)distances[j] * (double)distances[j] - first;
        p[j] = exp(-beta * square);
        sum += p[j];
        mean += p[j] * beta * square;
    }
    for (int64_t j = 0; j < k; j++) {
        p[j] /= sum;
    }
    return log(sum) + mean / sum;
}

/* The precision by doubling and halving, then bisection. Where more neighbours lie at the same
 * least distance than the perplexity asks for, they share all: the entropy stays above. */
static void rows_fit(void *arg, int64_t begin, int64_t end) {
    const struct search *s = arg;
    int64_t k = s->neighbours->k;
    for (int64_t i = begin; i < end; i++) {
        const float *distances = s->neighbours->distances + i * k;
        double farthest = (double)distances[k - 1], low = 0, high = INFINITY;
        double beta = farthest > 0 ? 1 / (farthest * farthest) : 1;
        for (int step = 0; step < HALVINGS; step++) {
            double over = row_fill(distances, k, beta, s->p + i * k) - s->entropy;
            if (fabs(over) < 1e-8) {
                break;
            }
            *(over > 0 ? &low : &high) = beta;
            beta = isinf(high) ? beta * 2 : (low + high) / 2;
        }
    }
}

/* The transpose of the neighbours' lists: for each point, who has it among its own. */
static void turn(const struct neighbours *from, const double *p, int64_t *begin, int32_t *ids,
                 double *turned) {
    int64_t n = from->n, k = from->k;
    for (int64_t e = 0; e < n * k; e++) {
        begin[from->ids[e] + 1]++;
    }
    for (int64_t i = 0; i < n; i++) {
        begin[i + 1] += begin[i];
    }
    for (int64_t e = 0; e < n * k; e++) { /* begin[j] moves to where j + 1 begins ... */
        int64_t at = begin[from->ids[e]]++;
        ids[at] = (int32_t)(e / k);
        turned[at] = p[e];
    }
    memmove(begin + 1, begin, (size_t)n * sizeof *begin); /* ... and back */
    begin[0] = 0;
}

struct join {
    const struct neighbours *from;
    const double *p;
    const int64_t *begin; /* of the transpose */
    const int32_t *ids;
    const double *turned;
    double *sums;   /* [n] at hand, by the other point */
    int64_t *marks; /* [n] for whom sums[j] is: i + 1 */
};

static void join_one(struct join *join, struct affinities *out, int64_t i, int32_t j,
                     double p) {
    if (join->marks[j] != i + 1) {
        join->marks[j] = i + 1;
        join->sums[j] = 0;
        out->ids[out->begin[i + 1]++] = j;
    }
    join->sums[j] += p;
}

/* (p(j|i) + p(i|j)) / 2 n of one point: first its own neighbours, then who else has it. */
static void join_row(struct join *join, struct affinities *out, int64_t i) {
    int64_t k = join->from->k;
    out->begin[i + 1] = out->begin[i];
    for (int64_t e = i * k; e < (i + 1) * k; e++) {
        join_one(join, out, i, join->from->ids[e], join->p[e]);
    }
    for (int64_t e = join->begin[i]; e < join->begin[i + 1]; e++) {
        join_one(join, out, i, join->ids[e], join->turned[e]);
    }
    for (int64_t e = out->begin[i]; e < out->begin[i + 1]; e++) {
        out->p[e] = (float)(join->sums[out->ids[e]] / (2 * (double)out->n));
    }
    while (out->begin[i + 1] % EDGES != 0) {
        out->ids[out->begin[i + 1]++] = (int32_t)i;
    }
}

struct affinities *tsne_affinities(struct arena *arena, const struct neighbours *neighbours,
                                   double perplexity) {
    int64_t n = neighbours->n, edges = n * neighbours->k, most = 2 * edges + n * EDGES;
    struct affinities *out = arena_alloc(arena, sizeof *out);
    *out = (struct affinities){ .n = n,
                                .begin = arena_array(arena, n + 1, sizeof(int64_t)),
                                .ids = arena_array(arena, most, sizeof(int32_t)),
                                .p = arena_array(arena, most, sizeof(float)) };
    struct arena_mark mark = arena_mark(arena);
    struct search search = { neighbours, log(perplexity),
                             arena_array(arena, edges, sizeof(double)) };
    int64_t *begin = arena_array(arena, n + 1, sizeof *begin);
    int32_t *ids = arena_array(arena, edges, sizeof *ids);
    double *turned = arena_array(arena, edges, sizeof *turned);
    struct join join = { neighbours,
                         search.p,
                         begin,
                         ids,
                         turned,
                         arena_array(arena, n, sizeof(double)),
                         arena_array(arena, n, sizeof(int64_t)) };
    pool_for(n, 64, rows_fit, &search);
    stop_check();
    turn(neighbours, search.p, begin, ids, turned);
    for (int64_t i = 0; i < n; i++) {
        join_row(&join, out, i);
    }
    arena_rewind(arena, mark);
    return out;
}

/* ---- attraction ---- */

struct descent {
    const struct affinities *p;
    int64_t n;
    int dims;
    struct repulsion *repulsion;
    quad *y, *attraction, *force, *update, *gains; /* [n] */
    double *costs;                                 /* [tasks] */
};

/* Four points' differences from one, by coordinate, and w = 1 / (1 + distance^2). */
struct four {
    quad x, y, z, w;
};

static inline struct four differences(const quad *points, const int32_t *ids, quad here) {
    typedef int32_t places __attribute__((vector_size(16)));
    quad a = here - points[ids[0]], b = here - points[ids[1]];
    quad c = here - points[ids[2]], d = here - points[ids[3]];
    quad ab = __builtin_shuffle(a, b, (places){ 0, 4, 1, 5 });
    quad cd = __builtin_shuffle(c, d, (places){ 0, 4, 1, 5 });
    quad ab_z = __builtin_shuffle(a, b, (places){ 2, 6, 3, 7 });
    quad cd_z = __builtin_shuffle(c, d, (places){ 2, 6, 3, 7 });
    struct four f = { .x = __builtin_shuffle(ab, cd, (places){ 0, 1, 4, 5 }),
                      .y = __builtin_shuffle(ab, cd, (places){ 2, 3, 6, 7 }),
                      .z = __builtin_shuffle(ab_z, cd_z, (places){ 0, 1, 4, 5 }) };
    f.w = 1.0F / (1.0F + f.x * f.x + f.y * f.y + f.z * f.z);
    return f;
}

static float total(quad v) {
    return (v[0] + v[1]) + (v[2] + v[3]);
}

/* sum_j p_ij w_ij (y_i - y_j) */
static void points_attract(void *arg, int64_t begin, int64_t end) {
    const struct descent *d = arg;
    for (int64_t i = begin; i < end; i++) {
        quad x = { 0 }, y = { 0 }, z = { 0 };
        for (int64_t e = d->p->begin[i]; e < d->p->begin[i + 1]; e += EDGES) {
            struct four f = differences(d->y, d->p->ids + e, d->y[i]);
            quad p;
            memcpy(&p, d->p->p + e, sizeof p);
            p *= f.w;
            x += p * f.x;
            y += p * f.y;
            z += p * f.z;
        }
        d->attraction[i] = (quad){ total(x), total(y), total(z), 0 };
    }
}

/* sum p_ij log(p_ij / w_ij) */
static void points_cost(void *arg, int64_t begin, int64_t end) {
    const struct descent *d = arg;
    double sum = 0;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t e = d->p->begin[i]; e < d->p->begin[i + 1]; e += EDGES) {
            struct four f = differences(d->y, d->p->ids + e, d->y[i]);
            for (int j = 0; j < EDGES; j++) {
                double p = (double)d->p->p[e + j];
                sum += p > 0 ? p * log(p / (double)f.w[j]) : 0;
            }
        }
    }
    d->costs[begin / POINTS] = sum;
}

/* KL in nats of the layout whose Z is known: q = w / Z, and the sum of p is 1. */
static double cost_of(struct descent *d, double z) {
    double sum = 0;
    pool_for(d->n, POINTS, points_cost, d);
    for (int64_t i = 0; i < (d->n + POINTS - 1) / POINTS; i++) {
        sum += d->costs[i];
    }
    return sum + log(z);
}

/* Attraction, repulsive force, and Z of the layout. */
static double forces(struct descent *d) {
    pool_for(d->n, POINTS, points_attract, d);
    return d->n <= TSNE_EXACT || d->dims == 3 ? repulsion_exact(d->repulsion, d->y, d->force)
                                              : repulsion_on_grid(d->repulsion, d->y, d->force);
}

static struct descent *descent_new(struct arena *arena, const struct affinities *p, int dims,
                                   const float *y0) {
    struct descent *d = arena_alloc(arena, sizeof *d);
    *d = (struct descent){ .p = p, .n = p->n, .dims = dims };
    quad **arrays[] = { &d->y, &d->attraction, &d->force, &d->update, &d->gains };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i] = arena_array(arena, d->n, sizeof(quad));
    }
    d->costs = arena_array(arena, d->n, sizeof *d->costs);
    d->repulsion = repulsion_new(arena, d->n);
    for (int64_t i = 0; i < d->n * dims; i++) {
        d->y[i / dims][i % dims] = y0[i];
        d->gains[i / dims][i % dims] = 1;
    }
    return d;
}

double tsne_cost(struct arena *arena, const struct affinities *p, const float *y, int dims,
                 float *gradient) {
    struct arena_mark mark = arena_mark(arena);
    struct descent *d = descent_new(arena, p, dims, y);
    pool_for(d->n, POINTS, points_attract, d);
    double z = repulsion_exact(d->repulsion, d->y, d->force), cost = cost_of(d, z);
    for (int64_t i = 0; gradient && i < d->n * dims; i++) {
        int64_t point = i / dims, axis = i % dims;
        gradient[i] = (float)(4 * ((double)d->attraction[point][axis] -
                                   (double)d->force[point][axis] / z));
    }
    arena_rewind(arena, mark);
    return cost;
}

/* ---- descent ---- */

/* How steps are made; as openTSNE's, whose layouts ours are compared with. */
static const float momentum = 0.8F, longest = 5; /* units that a point moves in a step */

/* One step. A gain grows where the last step still leads downhill, and shrinks where not. */
static void step(struct descent *d, double exaggeration, double rate, double z) {
    quad mean = { 0 };
    for (int64_t i = 0; i < d->n; i++) {
        quad gradient = d->attraction[i] * (float)exaggeration - d->force[i] * (float)(1 / z);
        quad update = d->update[i], gain = d->gains[i];
        float length = 0;
        for (int a = 0; a < d->dims; a++) {
            bool downhill = gradient[a] * update[a] <= 0;
            gain[a] = downhill ? gain[a] + 0.2F : gain[a] * 0.8F + 0.01F;
            update[a] = momentum * update[a] - (float)rate * gain[a] * gradient[a];
            length += update[a] * update[a];
        }
        if (length > longest * longest) {
            update *= longest / sqrtf(length);
        }
        d->update[i] = update;
        d->gains[i] = gain;
        d->y[i] += update;
        mean += d->y[i];
    }
    mean /= (float)d->n;
    for (int64_t i = 0; i < d->n; i++) {
        d->y[i] -= mean;
    }
}

static void copy_out(const struct descent *d, float *points) {
    for (int64_t i = 0; i < d->n * d->dims; i++) {
        points[i] = d->y[i / d->dims][i % d->dims];
    }
}

static void tell(struct descent *d, const struct map_progress *to, struct map *map) {
    if (to->at) {
        copy_out(d, map->points->data);
        to->at(to->arg, map->iterations, map->asked, map->points->data, d->n, d->dims,
               map->cost);
    }
}

/* Steps until all are done or the user interrupts, after the last whole one. */
static void descend(struct descent *d, const struct tsne *how, struct map *map) {
    const struct map_progress *to = &how->progress;
    int64_t every = to->every > 0 ? to->every : EVERY;
    double least = 200, n = (double)d->n;
    for (;;) {
        double z = forces(d);
        bool last = map->iterations == map->asked, due = map->iterations % every == 0;
        double cost = (double)NAN;
        if (last || (to->at && due)) {
            cost = cost_of(d, z);
        }
        if (stop_wanted()) { /* forces and cost may lack points */
            if (map->iterations == 0) {
                stop_check();
            }
            map->cost = NAN;
            break;
        }
        map->cost = cost;
        if (last || due) {
            tell(d, to, map);
        }
        if (last) {
            break;
        }
        bool early = map->iterations < how->early;
        if (map->iterations == how->early) { /* another landscape: begin anew */
            memset(d->update, 0, (size_t)d->n * sizeof *d->update);
        }
        double exaggeration = early ? how->exaggeration : 1;
        double rate = how->rate > 0 ? how->rate : fmax(n / exaggeration, least);
        step(d, exaggeration, rate, z);
        map->iterations++;
    }
    copy_out(d, map->points->data);
}

/* ---- the whole ---- */

double tsne_perplexity(int64_t n) {
    return fmin(30, (double)(n - 1) / 3);
}

static int settings(struct tsne *how, const struct tensor *x, struct err *err) {
    int64_t n = x->shape[0];
    double most = (double)(n - 1) / 3;
    how->perplexity = how->perplexity == 0 ? tsne_perplexity(n) : how->perplexity;
    how->early = how->early == 0 ? TSNE_EARLY : how->early;
    how->iterations = how->iterations == 0 ? TSNE_STEPS - TSNE_EARLY : how->iterations;
    how->exaggeration = how->exaggeration == 0 ? 4 : how->exaggeration;
    if (how->dims != 2 && how->dims != 3) {
        return err_set(err, ERR_OPTION, "t-SNE lays out in 2 or 3 dimensions, not in %d",
                       how->dims);
    }
    if (how->dims == 3 && n > TSNE_MOST_3D) {
        return err_set(err, ERR_TEXT,
                       "t-SNE in 3 dimensions sums over all pairs and takes %d points at most; "
                       "there are %lld: map fewer, or in 2 dimensions, or by UMAP",
                       TSNE_MOST_3D, (long long)n);
    }
    if (!(how->perplexity >= 1 && how->perplexity <= most)) {
        return err_set(err, ERR_OPTION,
                       "a perplexity of %g does not fit %lld points; give 1 to %.4g, a third "
                       "of the other points",
                       how->perplexity, (long long)n, floor(most * 100) / 100);
    }
    if (how->early < 0 || how->iterations < 0 || !(how->exaggeration >= 1) ||
        !(how->rate >= 0) || how->rate > 1e9 || how->exaggeration > 1e6) {
        return err_set(err, ERR_OPTION,
                       "t-SNE cannot take %lld and %lld steps with exaggeration %g and rate %g",
                       (long long)how->early, (long long)how->iterations, how->exaggeration,
                       how->rate);
    }
    if (how->y0 && (how->y0->rank != 2 || how->y0->shape[0] != n ||
                    how->y0->shape[1] != how->dims || map_finite(how->y0, "t-SNE", err) < 0)) {
        return err_set(err, ERR_SHAPE,
                       "t-SNE cannot begin with a layout that is not [%lld, %d]", (long long)n,
                       how->dims);
    }
    return 0;
}

/* The first components, scaled so that the first has a standard deviation of 1e-4. */
static const float *begin_with(struct arena *arena, const struct tensor *x, int dims,
                               struct err *err) {
    int64_t n = x->shape[0], most = n < x->shape[1] ? n : x->shape[1];
    int64_t k = dims < most ? dims : most;
    struct pca *components = pca(arena, x, k, err);
    if (!components) {
        return NULL;
    }
    float *y = arena_array(arena, n * dims, sizeof *y);
    float scale = 1e-4F / sqrtf(components->variance->data[0]);
    for (int64_t i = 0; i < n * k; i++) {
        y[i / k * dims + i % k] = components->transformed->data[i] * scale;
    }
    return y;
}

struct map *tsne(struct arena *arena, const struct tensor *x, const struct tsne *asked,
                 struct err *err) {
    struct tsne how = *asked;
    if (map_check(x, 4, "t-SNE", err) < 0 || settings(&how, x, err) < 0) {
        err_pass(err);
        return NULL;
    }
    int64_t n = x->shape[0], k = (int64_t)ceil(3 * how.perplexity);
    struct map *map = arena_alloc(arena, sizeof *map);
    map->points = tensor_new(arena, 2, (int64_t[]){ n, how.dims });
    map->asked = how.early + how.iterations;
    map->cost = NAN;
    const float *y0 = how.y0 ? how.y0->data : begin_with(arena, x, how.dims, err);
    k = n <= TSNE_ALL || k > n - 1 ? n - 1 : k;
    struct neighbours *near = y0 ? neighbours_of(arena, x, k, NEIGHBOURS_EUCLIDEAN, err) : NULL;
    if (!near) {
        err_pass(err);
        return NULL;
    }
    struct affinities *p = tsne_affinities(arena, near, how.perplexity);
    descend(descent_new(arena, p, how.dims, y0), &how, map);
    return map;
}
