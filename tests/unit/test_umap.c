#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/base/random.h"
#include "core/explain/quality.h"
#include "core/explain/umap.h"
#include "tests/check.h"

/* What McInnes, Healy and Melville's own program finds for a smallest distance of 0.1. */
TEST(umap_curve_is_the_published_one) {
    double a, b;
    umap_curve(0.1, &a, &b);
    check_near(a, 1.576943, 2e-6);
    check_near(b, 0.895061, 1e-6);
    umap_curve(0, &a, &b);
    check_near(a, 1.932808, 1e-5);
    check_near(b, 0.790495, 1e-6);
}

/* Four points on a line at 0, 1, 3, 7 with 2 neighbours each, worked by hand: the nearest has
 * weight 1; the other exp(-(d - r) / s) with 1 + that = log2 3. */
TEST(umap_graph_of_four_points_by_hand) {
    static int32_t ids[] = { 1, 2, 0, 2, 1, 0, 2, 1 };
    static float distances[] = { 1, 3, 1, 2, 2, 3, 4, 6 };
    const struct neighbours near = { 4, 2, ids, distances };
    const struct umap_graph *graph = umap_graph(check_arena(), &near);
    double w = log2(3) - 1; /* of every second neighbour */
    struct {
        int32_t from, to;
        double weight;
    } wanted[] = { { 0, 1, 1 },             /* 1 and 1 */
                   { 0, 2, w + w - w * w }, /* each the other's second */
                   { 1, 0, 1 },
                   { 1, 2, 1 }, /* w and 1: 1 + w - w */
                   { 1, 3, w }, /* one side only */
                   { 2, 0, w + w - w * w },
                   { 2, 1, 1 },
                   { 2, 3, 1 },
                   { 3, 1, w },
                   { 3, 2, 1 } };
    check_int(graph->begin[4], 10);
    for (int64_t i = 0, e = 0; i < 4; i++) {
        for (; e < graph->begin[i + 1]; e++) {
            check_int(wanted[e].from, i);
            check_int(wanted[e].to, graph->ids[e]);
            check_near((double)graph->weights[e], wanted[e].weight, 2e-5);
        }
    }
}

/* `count` clusters of `each` points in 8 dimensions, far from each other. */
static struct tensor *clusters(struct arena *arena, int64_t count, int64_t each) {
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ count * each, 8 });
    struct random random = random_new(3);
    for (int64_t i = 0; i < count * each * 8; i++) {
        int64_t cluster = i / 8 / each;
        x->data[i] = (float)(random_normal(&random) + (i % 8 == cluster ? 30 : 0));
    }
    return x;
}

static struct map *mapped(const struct tensor *x, int dims, int64_t epochs) {
    struct err err = { 0 };
    const struct umap how = { .dims = dims, .min_dist = -1, .epochs = epochs, .seed = 1 };
    struct map *map = umap(check_arena(), x, &how, &err);
    check_same(err.text, "");
    return map;
}

/* No point is nearer to a point of another cluster than to all of its own. */
TEST(umap_keeps_clusters_apart) {
    enum { COUNT = 4, EACH = 40, N = COUNT * EACH };
    const struct tensor *x = clusters(check_arena(), COUNT, EACH);
    for (int dims = 2; dims <= 3; dims++) {
        const struct map *map = mapped(x, dims, 0);
        struct quality quality;
        struct err err = { 0 };
        int64_t astray = 0;
        check_int(map->iterations, 500);
        check_int(quality_measure(&quality, check_arena(), x, map->points, 10, N, &err), 0);
        check(quality.trustworthiness > 0.95);
        const struct neighbours *near =
            neighbours_of(check_arena(), map->points, 1, NEIGHBOURS_EUCLIDEAN, &err);
        for (int64_t i = 0; i < N; i++) {
            astray += near->ids[i] / EACH != i / EACH;
        }
        check_int(astray, 0);
    }
}

TEST(umap_gives_the_same_bytes_for_any_number_of_threads) {
    const struct tensor *x = clusters(check_arena(), 3, 70);
    int threads = pool_threads();
    pool_set_threads(1);
    const struct map *one = mapped(x, 2, 30);
    for (int n = 2; n <= 8; n += 3) {
        pool_set_threads(n);
        const struct map *again = mapped(x, 2, 30);
        check(memcmp(one->points->data, again->points->data,
                     (size_t)tensor_bytes(one->points)) == 0);
    }
    pool_set_threads(threads);
}

TEST(umap_of_copies_of_points_is_finite) {
    struct tensor *x = clusters(check_arena(), 2, 20);
    for (int64_t i = 0; i < 15; i++) {
        memcpy(x->data + i * 8, x->data, 8 * sizeof *x->data);
    }
    const struct map *map = mapped(x, 2, 100);
    for (int64_t i = 0; i < tensor_count(map->points); i++) {
        check(isfinite(map->points->data[i]));
    }
}

static int64_t told, last;

static void on_step(void *arg, int64_t step, int64_t of, const float *layout, int64_t n,
                    int dims, double cost) {
    (void)arg, (void)layout, (void)of;
    told++;
    last = step;
    check_int(n, 40);
    check_int(dims, 2);
    check(isnan(cost));
    if (step == 60) {
        stop_request();
    }
}

/* Before the first step, every 20, and at the interrupt's step what there is. */
TEST(umap_tells_how_far_it_is_and_keeps_what_it_has) {
    struct err err = { 0 };
    const struct umap how = {
        .dims = 2, .min_dist = -1, .epochs = 100, .progress = { on_step, NULL, 20 }
    };
    told = 0;
    const struct map *map = umap(check_arena(), clusters(check_arena(), 2, 20), &how, &err);
    stop_clear();
    check(map != NULL);
    check_int(told, 4);
    check_int(last, 60);
    check_int(map->iterations, 60);
    check_int(map->asked, 100);
}

TEST(umap_refuses_what_it_cannot_map) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct umap how = { .dims = 2, .min_dist = -1 };
    check(!umap(arena, clusters(arena, 1, 3), &how, &err));
    check_text(err.text, "at least 4 points");
    const struct tensor *x = clusters(arena, 1, 10);
    how.dims = 4;
    check(!umap(arena, x, &how, &err));
    check_text(err.text, "2 or 3 dimensions");
    how = (struct umap){ .dims = 2, .neighbours = 11 };
    check(!umap(arena, x, &how, &err));
    check_text(err.text, "2 to 10 neighbours");
    how = (struct umap){ .dims = 2, .min_dist = 2 };
    check(!umap(arena, x, &how, &err));
    check_text(err.text, "smallest distance");
    struct tensor *odd = clusters(arena, 1, 10);
    odd->data[13] = NAN;
    how = (struct umap){ .dims = 2 };
    check(!umap(arena, odd, &how, &err));
    check_text(err.text, "UMAP: point 1 has NaN in dimension 5");
}
