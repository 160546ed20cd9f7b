#include "core/explain/umap.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/base/random.h"
#include "core/explain/pca.h"

enum {
    NEIGHBOURS = 15,
    EVERY = 50,     /* steps from call to call of the progress */
    PUSHES = 5,     /* for every pull */
    HALVINGS = 64,  /* of the bandwidth's range at most */
    PLACES = 300,   /* where the curve is fitted */
    FITTINGS = 200, /* steps of that at most */
    POINTS = 64,    /* for a task */
    FEW = 10000     /* points whose layout takes more steps */
};

static const double EXTENT = 10;   /* of the first layout along its longest axis */
#define FARTHEST 4.0F              /* that one pull or push moves along an axis */
static const double APART = 1e-3;  /* keeps pushes finite */
static const double NARROW = 1e-3; /* bandwidth at least, of the mean distance */

/* ---- the curve ---- */

/* Squared misses of 1 / (1 + a d^2b), and the normal equations of one step. */
struct fit {
    double cost, aa, ab, bb, ga, gb;
};

static struct fit fit_at(double min_dist, double a, double b) {
    struct fit f = { 0 };
    for (int i = 1; i < PLACES; i++) { /* at 0 both are 1 */
        double d = 3.0 * i / (PLACES - 1);
        double wanted = d < min_dist ? 1 : exp(-(d - min_dist));
        double t = pow(d, 2 * b), q = 1 / (1 + a * t), miss = q - wanted;
        double by_a = -q * q * t, by_b = -q * q * a * t * 2 * log(d);
        f.cost += miss * miss;
        f.aa += by_a * by_a;
        f.ab += by_a * by_b;
        f.bb += by_b * by_b;
        f.ga += by_a * miss;
        f.gb += by_b * miss;
    }
    return f;
}

/* Gauss and Newton's method, damped as Levenberg and Marquardt do. */
void umap_curve(double min_dist, double *a, double *b) {
    *a = *b = 1;
    struct fit here = fit_at(min_dist, *a, *b);
    double damping = 1e-3;
    for (int step = 0; step < FITTINGS && damping < 1e12; step++) {
        double aa = here.aa * (1 + damping), bb = here.bb * (1 + damping);
        double det = aa * bb - here.ab * here.ab;
        double to_a = fmax(1e-6, *a - (bb * here.ga - here.ab * here.gb) / det);
        double to_b = fmax(1e-6, *b - (aa * here.gb - here.ab * here.ga) / det);
        struct fit there = fit_at(min_dist, to_a, to_b);
        if (there.cost < here.cost) {
            here = there;
            *a = to_a;
            *b = to_b;
            damping /= 10;
        } else {
            damping *= 10;
        }
    }
}

/* ---- the graph ---- */

/* The directed weights of one point to its k nearest, in place of the distances. */
static void weigh(const float *distances, int64_t k, double mean, float *weights) {
    int64_t first = 0;
    while (first < k && distances[first] <= 0) {
        first++; /* copies of the point */
    }
    double near = first < k ? (double)distances[first] : 0;
    double wanted = log2((double)k + 1), low = 0, high = INFINITY, width = 1, own = 0;
    for (int step = 0; step < HALVINGS; step++) {
        double sum = 0;
        for (int64_t i = 0; i < k; i++) {
            double over = (double)distances[i] - near;
            sum += over > 0 ? exp(-over / width) : 1;
        }
        if (fabs(sum - wanted) < 1e-5) {
            break;
        }
        *(sum > wanted ? &high : &low) = width;
        width = isinf(high) ? 2 * width : (low + high) / 2;
    }
    for (int64_t i = 0; i < k; i++) {
        own += (double)distances[i] / (double)k;
    }
    width = fmax(width, NARROW * (near > 0 ? own : mean));
    for (int64_t i = 0; i < k; i++) {
        double over = (double)distances[i] - near;
        weights[i] = over > 0 ? (float)exp(-over / width) : 1;
    }
}

struct weighing {
    const struct neighbours *of;
    double mean; /* of all distances */
    float *weights;
};

static void weigh_some(void *arg, int64_t begin, int64_t end) {
    const struct weighing *w = arg;
    for (int64_t i = begin; i < end; i++) {
        weigh(w->of->distances + i * w->of->k, w->of->k, w->mean, w->weights + i * w->of->k);
    }
}

static float *directed(struct arena *arena, const struct neighbours *of) {
    struct weighing w = { .of = of,
                          .weights = arena_array(arena, of->n * of->k, sizeof(float)) };
    for (int64_t i = 0; i < of->n * of->k; i++) {
        w.mean += (double)of->distances[i] / (double)(of->n * of->k);
    }
    pool_for(of->n, POINTS, weigh_some, &w);
    stop_check();
    return w.weights;
}

/* An edge from i to `id`, with the weight that i gives it (`out`) or gets from it (`in`). */
struct edge {
    int32_t id;
    float out, in;
};

static void add_edges(struct edge *edges, int64_t *filled, const struct neighbours *of,
                      const float *weights) {
    for (int64_t e = 0; e < of->n * of->k; e++) {
        int32_t i = (int32_t)(e / of->k), j = of->ids[e];
        edges[filled[i]++] = (struct edge){ .id = j, .out = weights[e] };
        edges[filled[j]++] = (struct edge){ .id = i, .in = weights[e] };
    }
}

/* Sorts a row's edges, a few dozen, by their id; a hub's many too, as they come nearly so. */
static void sort_edges(struct edge *edges, int64_t n) {
    for (int64_t gap = n / 2; gap > 0; gap /= 2) {
        for (int64_t i = gap; i < n; i++) {
            struct edge item = edges[i];
            int64_t at = i;
            for (; at >= gap && edges[at - gap].id > item.id; at -= gap) {
                edges[at] = edges[at - gap];
            }
            edges[at] = item;
        }
    }
}

/* One row's edges, joined where both sides have one, behind those of the rows before. */
static void join_row(struct umap_graph *graph, int64_t row, const struct edge *edges,
                     int64_t n) {
    int64_t at = graph->begin[row];
    for (int64_t e = 0; e < n;) {
        float out = 0, in = 0;
        int32_t id = edges[e].id;
        for (; e < n && edges[e].id == id; e++) {
            out += edges[e].out;
            in += edges[e].in;
        }
        graph->ids[at] = id;
        graph->weights[at++] = out + in - out * in;
    }
    graph->begin[row + 1] = at;
}

struct umap_graph *umap_graph(struct arena *arena, const struct neighbours *of) {
    int64_t n = of->n, most = 2 * n * of->k;
    struct umap_graph *graph = arena_alloc(arena, sizeof *graph);
    *graph = (struct umap_graph){ n, arena_array(arena, n + 1, sizeof(int64_t)),
                                  arena_array(arena, most, sizeof(int32_t)),
                                  arena_array(arena, most, sizeof(float)) };
    struct arena_mark mark = arena_mark(arena);
    const float *weights = directed(arena, of);
    int64_t *filled = arena_array(arena, n + 1, sizeof *filled);
    struct edge *edges = arena_array(arena, most, sizeof *edges);
    for (int64_t e = 0; e < n * of->k; e++) {
        filled[of->ids[e] + 1]++;
    }
    for (int64_t i = 0; i < n; i++) { /* where each row begins; then where it is filled to */
        filled[i + 1] += filled[i] + of->k;
    }
    add_edges(edges, filled, of, weights);
    for (int64_t i = 0, begin = 0; i < n; begin = filled[i++]) {
        sort_edges(edges + begin, filled[i] - begin);
        join_row(graph, i, edges + begin, filled[i] - begin);
    }
    arena_rewind(arena, mark);
    return graph;
}

/* ---- the layout ---- */

/* Four points at a time: the same sums whatever vectors the machine has. */
enum { LANES = 4 };

typedef float quad __attribute__((vector_size(16)));
typedef int32_t whole __attribute__((vector_size(16)));

struct layout {
    const struct umap_graph *graph;
    struct random random;
    int dims;
    int64_t epoch;
    float rate;
    const float *pulls, *pushes; /* [FORCES][2], see forces_new */
    uint32_t *shares;            /* of each edge: of the largest weight, times 2^32, less 1 */
    const float *from;           /* [n, dims] */
    float *to;
};

static quad choose(whole where, quad a, quad otherwise) {
    return (quad)(((whole)a & where) | ((whole)otherwise & ~where));
}

static quad clip(quad move) {
    const quad far = { FARTHEST, FARTHEST, FARTHEST, FARTHEST };
    move = choose(move > far, far, move);
    return choose(move < -far, -far, move);
}

/* The places of four points along each axis. */
static inline void gather(const float *from, const int64_t *others, int dims, quad *at) {
    if (dims == 2) { /* a point is one load of 8 bytes */
        typedef int64_t twin __attribute__((vector_size(16)));
        int64_t points[LANES];
        for (int k = 0; k < LANES; k++) {
            memcpy(&points[k], from + others[k] * 2, sizeof *points);
        }
        quad ab = (quad)(twin){ points[0], points[1] };
        quad cd = (quad)(twin){ points[2], points[3] };
        at[0] = __builtin_shuffle(ab, cd, (whole){ 0, 2, 4, 6 });
        at[1] = __builtin_shuffle(ab, cd, (whole){ 1, 3, 5, 7 });
        return;
    }
    for (int d = 0; d < dims; d++) {
        at[d] = (quad){ from[others[0] * dims + d], from[others[1] * dims + d],
                        from[others[2] * dims + d], from[others[3] * dims + d] };
    }
}

enum {
    LOWEST = -20,
    HIGHEST = 20,
    FINE = 64,        /* forces for each power of two */
    COARSE_BITS = 17, /* of a float's mantissa, below those that number them */
    FORCES = (HIGHEST - LOWEST) * FINE
};

/* How far a unit of difference moves two points at squared distances of 2^LOWEST to 2^HIGHEST,
 * and what is added on the way to the next: the lines between them are within 2e-4 of the
 * value, far below what a step's size leaves undecided. */
static float *forces_new(struct arena *arena, double a, double b, bool pull) {
    float *forces = arena_array(arena, FORCES * 2, sizeof *forces);
    double before = 0;
    for (int i = FORCES; i >= 0; i--) {
        double square = ldexp(1 + (double)(i % FINE) / FINE, LOWEST + i / FINE);
        double grown = pow(square, b), tail = 1 + a * grown;
        double here =
            pull ? -4 * a * b * grown / (square * tail) : 2 * b / ((APART + square) * tail);
        if (i < FORCES) {
            forces[2 * i] = (float)here;
            forces[2 * i + 1] = (float)(before - here);
        }
        before = here;
    }
    return forces;
}

static inline quad forces_at(const float *forces, quad square) {
    const quad low = 0x1p-20F + (quad){ 0 }, high = 0x0.ffffffp20F + (quad){ 0 };
    square = choose(square > low, square, low); /* NaN too */
    square = choose(square < high, square, high);
    whole bits = (whole)square, at = (bits >> COARSE_BITS) - (127 + LOWEST) * FINE;
    quad beyond = __builtin_convertvector(bits & ((1 << COARSE_BITS) - 1), quad);
    quad found[2];
    gather(forces, (int64_t[]){ at[0], at[1], at[2], at[3] }, 2, found);
    return found[0] + beyond * (1.0F / (1 << COARSE_BITS)) * found[1];
}

/* act, for a constant number of dims: the loops over them vanish. */
static inline void act_in(const struct layout *l, float *point, const int64_t *others, int n,
                          bool pull, int dims) {
    quad apart = { 0 }, away[3];
    gather(l->from, others, dims, away);
    for (int d = 0; d < dims; d++) {
        away[d] = point[d] - away[d];
        apart += away[d] * away[d];
    }
    const whole lane = { 0, 1, 2, 3 };
    whole works = (apart > 1e-30F) & (lane < n);
    quad force = forces_at(pull ? l->pulls : l->pushes, apart);
    for (int d = 0; d < dims; d++) {
        quad move = choose(works, clip(force * away[d]), (quad){ 0 });
        point[d] += l->rate * ((move[0] + move[1]) + (move[2] + move[3]));
    }
}

/* Moves `point` by what the first n of four `others` do to it: pull, by the gradient of log q,
 * or push, by that of log(1 - q). Others on the same place give no direction. */
static void act(const struct layout *l, float *point, const int64_t *others, int n, bool pull) {
    if (l->dims == 2) {
        act_in(l, point, others, n, pull, 2);
    } else {
        act_in(l, point, others, n, pull, 3);
    }
}

/* Whether an edge is drawn in this step: in its share of all steps, evenly. */
static bool is_drawn(const struct layout *l, int64_t edge) {
    uint64_t share = (uint64_t)l->shares[edge] + 1, epoch = (uint64_t)l->epoch;
    return (epoch + 1) * share >> 32 != epoch * share >> 32;
}

/* Both ends of an edge have it, and each end moves when either draws it: so a pull counts
 * twice. */
static int64_t pull_point(const struct layout *l, int64_t i, float *point) {
    const struct umap_graph *graph = l->graph;
    int64_t others[LANES] = { 0 }, drawn = 0;
    for (int64_t e = graph->begin[i]; e < graph->begin[i + 1]; e++) {
        if (is_drawn(l, e)) {
            others[drawn++ % LANES] = graph->ids[e];
            if (drawn % LANES == 0) {
                act(l, point, others, LANES, true);
            }
        }
    }
    if (drawn % LANES > 0) {
        act(l, point, others, (int)(drawn % LANES), true);
    }
    return drawn;
}

static void push_point(const struct layout *l, int64_t i, float *point, int64_t pushes) {
    uint64_t n = (uint64_t)l->graph->n, bits = 0;
    struct random mine = random_split(&l->random, (uint64_t)l->epoch * n + (uint64_t)i);
    int64_t others[LANES];
    for (int64_t at = 0; at < pushes; at += LANES) {
        for (int k = 0; k < LANES; k++) {
            bits = k % 2 ? bits >> 32 : random_u64(&mine);
            others[k] = (int64_t)((bits & 0xffffffff) * n >> 32);
        }
        act(l, point, others, (int)(pushes - at < LANES ? pushes - at : LANES), false);
    }
}

static void move_point(const struct layout *l, int64_t i) {
    float point[3];
    memcpy(point, l->from + i * l->dims, (size_t)l->dims * sizeof *point);
    int64_t drawn = pull_point(l, i, point);
    push_point(l, i, point, drawn * PUSHES);
    memcpy(l->to + i * l->dims, point, (size_t)l->dims * sizeof *point);
}

static void move_some(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        move_point(arg, i);
    }
}

/* The principal components, EXTENT wide, and a little noise that parts copies of a point. */
static float *first_layout(struct arena *arena, const struct tensor *x, struct random random,
                           int dims, struct err *err) {
    int64_t n = x->shape[0];
    const struct pca *components = pca(arena, x, dims < x->shape[1] ? dims : x->shape[1], err);
    if (!components) {
        err_pass(err);
        return NULL;
    }
    const struct tensor *points = components->transformed;
    int64_t have = points->shape[1];
    float *layout = arena_array(arena, n * dims, sizeof *layout);
    float most = 0;
    for (int64_t i = 0; i < n * have; i++) {
        most = fmaxf(most, fabsf(points->data[i]));
    }
    for (int64_t i = 0; i < n * dims; i++) {
        float at = i % dims < have ? points->data[i / dims * have + i % dims] / most : 0;
        layout[i] = (float)(EXTENT / 2 * (double)at + 1e-4 * random_normal(&random));
    }
    return layout;
}

static uint32_t *shares_of(struct arena *arena, const struct umap_graph *graph) {
    int64_t edges = graph->begin[graph->n];
    uint32_t *shares = arena_array(arena, edges, sizeof *shares);
    float most = 0;
    for (int64_t e = 0; e < edges; e++) {
        most = fmaxf(most, graph->weights[e]);
    }
    for (int64_t e = 0; e < edges; e++) {
        double share = (double)graph->weights[e] / (double)most;
        shares[e] = (uint32_t)fmax(0, floor(share * 0x1p32) - 1);
    }
    return shares;
}

/* Pushes and pulls are not felt by both sides alike, so a layout drifts. */
static void centre(struct tensor *points) {
    int64_t n = points->shape[0], dims = points->shape[1];
    for (int64_t d = 0; d < dims; d++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += (double)points->data[i * dims + d];
        }
        for (int64_t i = 0; i < n; i++) {
            points->data[i * dims + d] -= (float)(sum / (double)n);
        }
    }
}

static void tell(const struct map_progress *progress, const struct map *map) {
    if (progress->at) {
        progress->at(progress->arg, map->iterations, map->asked, map->points->data,
                     map->points->shape[0], (int)map->points->shape[1], NAN);
    }
}

/* Steps from map->points on, with `spare` [n, dims] to move to. */
static void improve(struct layout *l, struct map *map, float *spare,
                    const struct map_progress *progress) {
    int64_t every = progress->every > 0 ? progress->every : EVERY, n = l->graph->n;
    for (; map->iterations < map->asked; map->iterations++) {
        if (map->iterations % every == 0) {
            tell(progress, map);
        }
        l->epoch = map->iterations;
        l->rate = 1 - (float)map->iterations / (float)map->asked;
        l->from = map->points->data;
        l->to = spare;
        pool_for(n, POINTS, move_some, l);
        if (stop_wanted()) { /* the step is not whole */
            if (map->iterations == 0) {
                stop_check();
            }
            return;
        }
        memcpy(map->points->data, spare, (size_t)(n * l->dims) * sizeof *spare);
        centre(map->points);
    }
    tell(progress, map);
}

static int check_settings(const struct umap *how, int64_t n, struct err *err) {
    if (how->dims != 2 && how->dims != 3) {
        return err_set(err, ERR_OPTION, "UMAP draws in 2 or 3 dimensions, not %d", how->dims);
    }
    if (how->neighbours < 0 || how->neighbours == 1 || how->neighbours > n) {
        return err_set(err, ERR_OPTION,
                       "UMAP takes 2 to %lld neighbours of %lld points, the point itself "
                       "counted, not %lld",
                       (long long)n, (long long)n, (long long)how->neighbours);
    }
    if (how->min_dist > 1 || isnan(how->min_dist)) {
        return err_set(err, ERR_OPTION, "UMAP's smallest distance is from 0 to 1, not %g",
                       how->min_dist);
    }
    return 0;
}

int64_t umap_epochs(int64_t n) {
    return n <= FEW ? 500 : 200;
}

struct map *umap(struct arena *arena, const struct tensor *x, const struct umap *how,
                 struct err *err) {
    if (map_check(x, 4, "UMAP", err) < 0 || check_settings(how, x->shape[0], err) < 0) {
        err_pass(err);
        return NULL;
    }
    int64_t n = x->shape[0];
    int64_t k = how->neighbours ? how->neighbours : n < NEIGHBOURS ? n : NEIGHBOURS;
    struct map *map = arena_alloc(arena, sizeof *map);
    *map = (struct map){ .points = tensor_new(arena, 2, (int64_t[]){ n, how->dims }),
                         .cost = NAN,
                         .asked = how->epochs ? how->epochs
                                  : n <= FEW  ? 500
                                              : 200 };
    struct arena_mark mark = arena_mark(arena);
    const struct neighbours *near = neighbours_of(arena, x, k - 1, NEIGHBOURS_EUCLIDEAN, err);
    struct layout l = { .dims = how->dims, .random = random_new(how->seed) };
    float *first =
        near ? first_layout(arena, x, random_split(&l.random, UINT64_MAX), how->dims, err)
             : NULL;
    if (!first) {
        err_pass(err);
        return NULL;
    }
    double a, b;
    umap_curve(how->min_dist < 0 ? 0.1 : how->min_dist, &a, &b);
    l.pulls = forces_new(arena, a, b, true);
    l.pushes = forces_new(arena, a, b, false);
    l.graph = umap_graph(arena, near);
    l.shares = shares_of(arena, l.graph);
    memcpy(map->points->data, first, (size_t)(n * how->dims) * sizeof *first);
    improve(&l, map, first, &how->progress);
    arena_rewind(arena, mark);
    return map;
}
