#include "tests/parity/maps.h"

#include "core/explain/pca.h"
#include "core/explain/tsne.h"

static const struct tensor *input_at(struct capture *capture, const char *path,
                                     const char *name, struct err *err) {
    struct weights *weights = weights_open(capture->arena, path, err);
    const struct tensor *tensor = weights ? weights_at(weights, name) : NULL;
    if (weights && !tensor) {
        err_set(err, ERR_FORMAT, "%s has no tensor %s", path, name);
    }
    return tensor;
}

int maps_of_table(struct capture *capture, const char *inputs, const struct json *cases,
                  struct err *err) {
    const struct tensor *x = input_at(capture, inputs, "x", err);
    struct pca *found = x ? pca(capture->arena, x, json_int_at(cases, "pca", 1), err) : NULL;
    if (!found) {
        return err_pass(err);
    }
    capture_add(capture, NULL, "pca_mean", found->mean);
    capture_add(capture, NULL, "pca_components", found->components);
    capture_add(capture, NULL, "pca_explained_variance", found->variance);
    capture_add(capture, NULL, "pca_explained_variance_ratio", found->ratio);
    capture_add(capture, NULL, "pca_transformed", found->transformed);
    return 0;
}

/* p as a whole matrix. */
static struct tensor *whole(struct arena *arena, const struct affinities *p) {
    struct tensor *out = tensor_new(arena, 2, (int64_t[]){ p->n, p->n });
    for (int64_t i = 0; i < p->n; i++) {
        for (int64_t e = p->begin[i]; e < p->begin[i + 1]; e++) {
            out->data[i * p->n + p->ids[e]] += p->p[e];
        }
    }
    return out;
}

int maps_of_tsne(struct capture *capture, const char *inputs, const struct json *cases,
                 struct err *err) {
    struct arena *arena = capture->arena;
    const struct tensor *x = input_at(capture, inputs, "x", err);
    const struct tensor *y0 = x ? input_at(capture, inputs, "y0", err) : NULL;
    double perplexity = (double)json_int_at(cases, "perplexity", 0);
    struct neighbours *near =
        y0 ? neighbours_of(arena, x, x->shape[0] - 1, NEIGHBOURS_EUCLIDEAN, err) : NULL;
    if (!near) {
        return err_pass(err);
    }
    struct affinities *p = tsne_affinities(arena, near, perplexity);
    struct tensor *gradient = tensor_new(arena, 2, y0->shape);
    struct tensor *cost = tensor_new(arena, 1, (int64_t[]){ 1 });
    cost->data[0] = (float)tsne_cost(arena, p, y0->data, 2, gradient->data);
    capture_add(capture, NULL, "p", whole(arena, p));
    capture_add(capture, NULL, "kl_of_y0", cost);
    capture_add(capture, NULL, "gradient_at_y0", gradient);
    for (int dims = 2; dims <= 3; dims++) {
        struct tsne how = { .dims = dims, .perplexity = perplexity };
        struct map *map = tsne(arena, x, &how, err);
        if (!map) {
            return err_pass(err);
        }
        capture_add(capture, NULL, dims == 2 ? "tsne_2d" : "tsne_3d", map->points);
    }
    return 0;
}
