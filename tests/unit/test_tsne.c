#include "core/explain/tsne.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/base/random.h"
#include "core/explain/quality.h"
#include "tests/check.h"

/* Points about `groups` centres, which are far from each other; point i is of group i mod
 * groups. */
static struct tensor *groups_of(struct arena *arena, int64_t n, int64_t width, int groups) {
    struct random random = random_new(11);
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ n, width });
    for (int64_t i = 0; i < n * width; i++) {
        bool axis = i % width == i / width % groups;
        x->data[i] = (float)(random_normal(&random) + (axis ? 20 : 0));
    }
    return x;
}

static struct affinities *affinities_of(struct arena *arena, const struct tensor *x, int64_t k,
                                        double perplexity) {
    struct err err;
    struct neighbours *near = neighbours_of(arena, x, k, NEIGHBOURS_EUCLIDEAN, &err);
    return tsne_affinities(arena, near, perplexity);
}

/* Corners of a simplex are all as far from each other: p is the same for all pairs. */
TEST(affinities_of_equal_distances_are_equal) {
    struct arena *arena = check_arena();
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ 6, 6 });
    for (int i = 0; i < 6; i++) {
        x->data[i * 7] = 1;
    }
    struct affinities *p = affinities_of(arena, x, 5, 1.5);
    for (int64_t e = p->begin[2]; e < p->begin[2] + 5; e++) {
        check_near(p->p[e], 1.0 / 30, 1e-8);
    }
    check(p->begin[3] - p->begin[2] == 8 && p->p[p->begin[3] - 1] == 0); /* filled to 4 */
}

TEST(affinities_are_symmetric_and_sum_to_one) {
    struct arena *arena = check_arena();
    struct tensor *x = groups_of(arena, 200, 5, 4);
    struct err err;
    struct neighbours *near = neighbours_of(arena, x, 199, NEIGHBOURS_EUCLIDEAN, &err);
    struct affinities *p = tsne_affinities(arena, near, 20);
    double sum = 0;
    int64_t wrong = 0;
    for (int64_t i = 0; i < 200; i++) {
        for (int64_t e = p->begin[i]; e < p->begin[i + 1]; e++) {
            sum += (double)p->p[e];
            wrong += p->ids[e] == i && p->p[e] != 0;
            for (int64_t f = p->begin[p->ids[e]]; f < p->begin[p->ids[e] + 1]; f++) {
                wrong += p->ids[f] == i && p->ids[e] != i && p->p[e] != p->p[f];
            }
        }
    }
    check_near(sum, 1, 1e-6);
    check_int(wrong, 0);
    /* Two points with one neighbour each and one that is nobody's: p(j|i) is 1. */
    struct tensor *line = tensor_new(arena, 2, (int64_t[]){ 3, 1 });
    memcpy(line->data, (float[]){ 0, 1, 3 }, 3 * sizeof(float));
    p = affinities_of(arena, line, 1, 1);
    check_near(p->p[p->begin[0]], 2.0 / 6, 1e-7);
    check_near(p->p[p->begin[2]], 1.0 / 6, 1e-7);
}

/* p = 1/2, 1/2 of two points at any distance: q is the same, KL is 0. */
TEST(cost_of_a_perfect_map_is_zero) {
    struct arena *arena = check_arena();
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ 2, 1 });
    x->data[1] = 1;
    float gradient[4];
    struct affinities *p = affinities_of(arena, x, 1, 1);
    check_near(tsne_cost(arena, p, (float[]){ 0, 0, 3, 4 }, 2, gradient), 0, 1e-7);
    check_near(gradient[2], 0, 1e-7);
}

TEST(gradient_is_the_slope_of_the_cost) {
    enum { N = 30 };
    struct arena *arena = check_arena();
    struct affinities *p = affinities_of(arena, groups_of(arena, N, 4, 3), 12, 4);
    for (int dims = 2; dims <= 3; dims++) {
        float y[3 * N], gradient[3 * N];
        struct random random = random_new(2);
        for (int i = 0; i < N * dims; i++) {
            y[i] = (float)random_normal(&random);
        }
        tsne_cost(arena, p, y, dims, gradient);
        for (int i = 0; i < N * dims; i += 7) {
            float here = y[i], step = 1.0F / 256;
            y[i] = here + step;
            double up = tsne_cost(arena, p, y, dims, NULL);
            y[i] = here - step;
            double down = tsne_cost(arena, p, y, dims, NULL);
            y[i] = here;
            check_near(gradient[i], (up - down) / (2 * (double)step), 2e-5);
        }
    }
}

struct told {
    int64_t calls, last, wrong;
    double first, cost;
};

static void listen(void *arg, int64_t iteration, int64_t of, const float *layout, int64_t n,
                   int dims, double cost) {
    struct told *told = arg;
    told->first = told->calls == 0 ? cost : told->first;
    told->wrong += told->calls++ > 0 && iteration <= told->last;
    told->wrong += of != 200 || n != 600 || dims != 2 || !isfinite(layout[n * dims - 1]);
    told->last = iteration;
    told->cost = cost;
}

/* More points than the exact sum is for; the cost is that of all pairs one by one. */
TEST(tsne_keeps_groups_apart_and_tells_how_it_goes) {
    struct arena *arena = check_arena();
    struct err err;
    struct told told = { 0 };
    struct tensor *x = groups_of(arena, 600, 6, 4);
    struct tsne how = { .dims = 2,
                        .early = 60,
                        .iterations = 140,
                        .progress = { .at = listen, .arg = &told, .every = 50 } };
    struct map *map = tsne(arena, x, &how, &err);
    check(told.calls == 5 && told.last == 200 && told.wrong == 0 && told.cost < told.first);
    check(map->iterations == 200 && map->asked == 200 && map->cost == told.cost);
    struct affinities *p = affinities_of(arena, x, 90, 30);
    check_near(tsne_cost(arena, p, map->points->data, 2, NULL), map->cost, 1e-3);
    struct neighbours *near = neighbours_of(arena, map->points, 1, NEIGHBOURS_EUCLIDEAN, &err);
    int64_t astray = 0;
    for (int64_t i = 0; i < 600; i++) {
        astray += (near->ids[i] - i) % 4 != 0;
    }
    check_int(astray, 0);
}

TEST(tsne_is_the_same_for_any_number_of_threads) {
    struct arena *arena = check_arena();
    struct err err;
    int before = pool_threads();
    struct tensor *x = groups_of(arena, 520, 8, 5);
    struct map *first = NULL;
    for (int threads = 1; threads <= 8; threads += 3) {
        pool_set_threads(threads);
        struct tsne how = { .dims = 3, .early = 10, .iterations = 5 };
        struct map *map = tsne(arena, x, &how, &err);
        first = first ? first : map;
        check(map->cost == first->cost);
        check(memcmp(map->points->data, first->points->data, 1560 * sizeof(float)) == 0);
    }
    pool_set_threads(before);
}

static void stop_at_20(void *arg, int64_t iteration, int64_t of, const float *layout, int64_t n,
                       int dims, double cost) {
    (void)of, (void)n, (void)dims;
    *(double *)arg = cost;
    check(isfinite(layout[0]));
    if (iteration == 20) {
        stop_request();
    }
}

TEST(tsne_keeps_what_is_there_when_interrupted) {
    struct arena *arena = check_arena();
    struct err err;
    double cost = 0;
    struct tsne how = { .dims = 2,
                        .progress = { .at = stop_at_20, .arg = &cost, .every = 20 } };
    struct map *map = tsne(arena, groups_of(arena, 600, 6, 4), &how, &err);
    check(stop_wanted());
    stop_clear();
    check(map->asked == 750 && map->iterations < 750 && map->iterations >= 20);
    check(isnan(map->cost) && isfinite(map->points->data[7])); /* 20's is not theirs */
}

/* The pool leaves tasks out once it is asked to stop, so these sums lack points. */
TEST(tsne_interrupted_before_its_first_step_keeps_nothing) {
    struct err err;
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        stop_request();
        tsne(check_arena(), groups_of(check_arena(), 600, 6, 4), &(struct tsne){ .dims = 2 },
             &err);
        check(false);
    }
    catch_end(&here);
    stop_clear();
    check_int(here.err.kind, ERR_STOP);
}

/* Beyond TSNE_EXACT points too the cost is that of all pairs, however wide the layout is. */
TEST(tsne_in_three_dimensions_is_exact) {
    struct arena *arena = check_arena();
    struct err err;
    struct tensor *x = groups_of(arena, 600, 6, 4);
    struct tensor *wide = tensor_new(arena, 2, (int64_t[]){ 600, 3 });
    struct random random = random_new(8);
    for (int64_t i = 0; i < 1800; i++) {
        wide->data[i] = (float)(300 * random_unit(&random));
    }
    struct tsne how = { .dims = 3, .early = 1, .iterations = 1, .rate = 1e-9, .y0 = wide };
    struct map *map = tsne(arena, x, &how, &err);
    struct affinities *p = affinities_of(arena, x, 90, 30);
    check_near(tsne_cost(arena, p, map->points->data, 3, NULL), map->cost, 1e-9);
    x = tensor_new(arena, 2, (int64_t[]){ TSNE_MOST_3D + 1, 1 });
    x->data[0] = 1;
    check(!tsne(arena, x, &(struct tsne){ .dims = 3 }, &err));
    check_text(err.text, "takes 10000 points at most; there are 10001");
}

/* Many copies of each point: their distances are 0, more of them than the perplexity. */
TEST(tsne_of_many_copies_has_a_result) {
    struct arena *arena = check_arena();
    struct err err;
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ 90, 2 });
    for (int64_t i = 0; i < 90; i++) {
        x->data[i * 2] = (float)(i % 3);
    }
    struct map *map = tsne(arena, x, &(struct tsne){ .dims = 2, .perplexity = 5 }, &err);
    check(map && isfinite(map->cost) && map->points->data[0] != map->points->data[2]);
    x = groups_of(arena, 4, 3, 2); /* as few as can be */
    map = tsne(arena, x, &(struct tsne){ .dims = 3 }, &err);
    check(map && isfinite(map->cost));
    x = groups_of(arena, 40, 1, 2); /* fewer dimensions than the map's */
    map = tsne(arena, x, &(struct tsne){ .dims = 3 }, &err);
    check(map && isfinite(map->cost));
}

TEST(tsne_refuses_what_it_cannot_map) {
    struct arena *arena = check_arena();
    struct err err;
    struct tsne how = { .dims = 2 };
    check(!tsne(arena, groups_of(arena, 3, 2, 2), &how, &err) && err.kind == ERR_TEXT);
    check_text(err.text, "t-SNE needs at least 4 points; there are 3");
    check(!tsne(arena, tensor_new(arena, 2, (int64_t[]){ 9, 2 }), &how, &err));
    check_text(err.text, "t-SNE: all 9 points are the same");
    struct tensor *x = groups_of(arena, 20, 3, 2);
    how.perplexity = 30;
    check(!tsne(arena, x, &how, &err) && err.kind == ERR_OPTION);
    check_same(err.text,
               "a perplexity of 30 does not fit 20 points; give 1 to 6.33, a third of "
               "the other points");
    how.perplexity = NAN;
    check(!tsne(arena, x, &how, &err) && err.kind == ERR_OPTION);
    how = (struct tsne){ .dims = 4 };
    check(!tsne(arena, x, &how, &err));
    check_text(err.text, "2 or 3 dimensions, not in 4");
    how = (struct tsne){ .dims = 2, .rate = INFINITY };
    check(!tsne(arena, x, &how, &err) && err.kind == ERR_OPTION);
    how = (struct tsne){ .dims = 2, .y0 = x };
    check(!tsne(arena, x, &how, &err) && err.kind == ERR_SHAPE);
    x->data[4] = NAN;
    check(!tsne(arena, x, &(struct tsne){ .dims = 2 }, &err));
    check_text(err.text, "t-SNE: point 1 has NaN in dimension 1");
}
