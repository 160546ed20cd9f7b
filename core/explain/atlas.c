#include "core/explain/atlas.h"

#include <math.h>
#include <string.h>

#include "core/base/now.h"
#include "core/explain/neighbours.h"
#include "core/explain/pca.h"
#include "core/explain/quality.h"
#include "core/explain/tsne.h"
#include "core/explain/umap.h"

static bool is_chinese(const struct atlas_request *request) {
    return request->language && strncmp(request->language, "zh", 2) == 0;
}

static enum atlas_method method_of(const struct atlas_request *request, int64_t n) {
    return request->method != ATLAS_AUTO ? request->method
           : n <= ATLAS_FEW              ? ATLAS_PCA
                                         : ATLAS_TSNE;
}

const char *atlas_method(const struct atlas_request *request, int64_t n) {
    static const char *const names[] = {
        [ATLAS_PCA] = "PCA", [ATLAS_TSNE] = "t-SNE", [ATLAS_UMAP] = "UMAP"
    };
    return names[method_of(request, n)];
}

int64_t atlas_steps(const struct atlas_request *request, int64_t n) {
    switch (method_of(request, n)) {
    case ATLAS_TSNE:
        return request->steps ? request->steps : TSNE_STEPS;
    case ATLAS_UMAP:
        return request->steps ? request->steps : umap_epochs(n);
    default:
        return 0;
    }
}

/* ---- the three ways ---- */

/* A layout and what there is to tell of it. */
struct drawn {
    struct tensor *points;
    double cost;  /* t-SNE: KL in nats */
    double share; /* PCA: of the variance */
    double perplexity;
    int64_t done, asked; /* steps */
    bool unmeasured;     /* the interrupt came after them */
    const char **names;  /* [dims] of the axes */
};

/* "component 1 (19 %)", "t-SNE 1" */
static const char **axis_names(struct arena *arena, const struct atlas_request *request,
                               int64_t n, const float *ratio, int64_t have) {
    const char **names = arena_array(arena, request->dims, sizeof *names);
    for (int64_t d = 0; d < request->dims; d++) {
        names[d] =
            ratio && d < have
                ? arena_printf(arena,
                               is_chinese(request) ? "主成分 %lld（%.0f%%）"
                                                   : "component %lld (%.0f %%)",
                               (long long)d + 1, 100 * (double)ratio[d])
                : arena_printf(arena, "%s %lld", atlas_method(request, n), (long long)d + 1);
    }
    return names;
}

static int by_pca(struct arena *arena, const struct tensor *x,
                  const struct atlas_request *request, struct drawn *drawn, struct err *err) {
    int64_t n = x->shape[0], k = request->dims;
    int64_t most = n < x->shape[1] ? n : x->shape[1];
    const struct pca *found = pca(arena, x, k < most ? k : most, err);
    if (!found) {
        return err_pass(err);
    }
    int64_t have = found->transformed->shape[1];
    drawn->points = tensor_new(arena, 2, (int64_t[]){ n, k });
    for (int64_t i = 0; i < n * have; i++) {
        drawn->points->data[i / have * k + i % have] = found->transformed->data[i];
    }
    for (int64_t d = 0; d < have; d++) {
        drawn->share += (double)found->ratio->data[d];
    }
    drawn->names = axis_names(arena, request, n, found->ratio->data, have);
    return 0;
}

static int by_tsne(struct arena *arena, const struct tensor *x,
                   const struct atlas_request *request, struct drawn *drawn, struct err *err) {
    int64_t steps = atlas_steps(request, x->shape[0]), third = steps / 3 > 0 ? steps / 3 : 1;
    struct tsne how = { .dims = request->dims,
                        .perplexity = request->perplexity,
                        .early = third < TSNE_EARLY ? third : TSNE_EARLY,
                        .progress = request->progress };
    how.iterations = steps - how.early > 0 ? steps - how.early : 1;
    const struct map *map = tsne(arena, x, &how, err);
    if (!map) {
        return err_pass(err);
    }
    *drawn = (struct drawn){
        .points = map->points, .cost = map->cost, .done = map->iterations, .asked = map->asked
    };
    drawn->perplexity =
        request->perplexity > 0 ? request->perplexity : tsne_perplexity(x->shape[0]);
    return 0;
}

static int by_umap(struct arena *arena, const struct tensor *x,
                   const struct atlas_request *request, struct drawn *drawn, struct err *err) {
    struct umap how = { .dims = request->dims,
                        .neighbours = request->neighbours,
                        .min_dist = request->min_dist,
                        .epochs = request->steps,
                        .seed = request->seed,
                        .progress = request->progress };
    const struct map *map = umap(arena, x, &how, err);
    if (!map) {
        return err_pass(err);
    }
    *drawn =
        (struct drawn){ .points = map->points, .done = map->iterations, .asked = map->asked };
    return 0;
}

/* ---- what it says ---- */

/* The two vectors that are most alike, by cosine; only where all pairs are few. */
static const char *closest(struct arena *arena, const struct embedding *of, bool zh) {
    enum { LABEL = 120 /* bytes of a text that is quoted */ };
    char one[LABEL], other[LABEL];
    int64_t width = of->vectors->shape[1], a = -1, b = -1;
    double most = -2;
    for (int64_t i = 0; i < of->n && of->n <= ATLAS_FEW; i++) {
        for (int64_t j = 0; j < i; j++) {
            double cosine = embedding_cosine(of->vectors->data + i * width,
                                             of->vectors->data + j * width, width);
            if (cosine > most && strcmp(of->labels[i], of->labels[j]) != 0) {
                most = cosine;
                a = j;
                b = i;
            }
        }
    }
    if (a < 0) {
        return "";
    }
    return arena_printf(arena,
                        zh ? "最相近的是‘%s’与‘%s’（余弦 %.2f）。"
                           : " Most alike are ‘%s’ and ‘%s’ (cosine %.2f).",
                        err_quote(one, LABEL, of->labels[a], strlen(of->labels[a])),
                        err_quote(other, LABEL, of->labels[b], strlen(of->labels[b])), most);
}

/* What the method itself measures: ", 41 % of the variance". */
static const char *measured(struct arena *arena, const struct atlas_request *request, int64_t n,
                            const struct drawn *drawn, bool zh) {
    switch (method_of(request, n)) {
    case ATLAS_PCA:
        return arena_printf(arena, zh ? "，含方差的 %.0f%%" : ", %.0f %% of the variance",
                            100 * drawn->share);
    case ATLAS_TSNE:
        return isnan(drawn->cost) /* an interrupted one's */
                   ? ""
                   : arena_printf(arena, zh ? "，KL %.3f" : ", KL %.3f", drawn->cost);
    default:
        return "";
    }
}

static const char *interrupted(struct arena *arena, const struct drawn *drawn, bool zh) {
    return drawn->unmeasured ? zh ? "在衡量保留了多少近邻时被中断。"
                                  : " Interrupted before it was measured what the map keeps."
           : drawn->done == drawn->asked
               ? ""
               : arena_printf(arena,
                              zh ? "在第 %lld 步（共 %lld 步）被中断。"
                                 : " Interrupted at step %lld of %lld.",
                              (long long)drawn->done, (long long)drawn->asked);
}

static const char *finding(struct arena *arena, const struct embedding *of,
                           const struct atlas_request *request, const struct drawn *drawn,
                           const struct quality *quality) {
    bool zh = is_chinese(request);
    const char *own = measured(arena, request, of->n, drawn, zh);
    const char *said =
        !quality ? arena_printf(arena, zh ? "%s：%lld 个%s%s。" : "%s of %lld %s%s.",
                                atlas_method(request, of->n), (long long)of->n,
                                zh ? request->what_zh : request->what, own)
        : zh     ? arena_printf(
                       arena, "%lld 个%s的 %s 图：每点的 %lld 个近邻保留了 %.0f%%，可信度 %.3f%s。",
                       (long long)of->n, request->what_zh, atlas_method(request, of->n),
                       (long long)quality->k, 100 * quality->kept, quality->trustworthiness, own)
             : arena_printf(
                   arena,
                   "%s of %lld %s keeps %.0f %% of each point's %lld nearest neighbours; "
                   "trustworthiness %.3f%s.",
                   atlas_method(request, of->n), (long long)of->n, request->what,
                   100 * quality->kept, (long long)quality->k, quality->trustworthiness, own);
    return arena_printf(arena, "%s%s%s", said, closest(arena, of, zh),
                        interrupted(arena, drawn, zh));
}

static const char *caption(enum atlas_method method, bool zh) {
    if (method == ATLAS_PCA) {
        return zh ? "主成分：点的差异最大的方向。只有图中所占的方差看得见；其余的差异与图垂直。"
                  : "Principal components: the directions in which the points differ most. "
                    "What "
                    "differs beyond their share of the variance cannot be seen here.";
    }
    return zh ? "近处可信，远处不可信：挨着的点在数据里多半也挨着，但各团之间的距离和各团的大小"
                "说明不了什么。"
              : "Near is to be trusted, far is not: points side by side mostly are so in the "
                "data "
                "too, but distances between clusters and their sizes mean little.";
}

/* ---- the result ---- */

static void set_points(struct series *series, const struct embedding *of, struct tensor *points,
                       const char **names) {
    *series = (struct series){ .name = "points",
                               .unit = "",
                               .is_signed = true,
                               .values = points,
                               .axes = { { "point", of->n, of->labels },
                                         { "dimension", points->shape[1], names } } };
}

static void set_groups(struct arena *arena, struct series *series, const struct embedding *of,
                       const struct atlas_request *request) {
    *series = (struct series){ .name = "group",
                               .unit = "",
                               .values = tensor_new(arena, 1, (int64_t[]){ of->n }),
                               .axes = { { "point", of->n, of->labels } },
                               .names = arena_array(arena, of->n, sizeof *series->names) };
    for (int64_t i = 0; i < of->n; i++) {
        series->values->data[i] = (float)request->groups[i];
        series->names[i] = request->group_names[request->groups[i]];
    }
}

static struct result *result_of(struct arena *arena, const struct embedding *of,
                                const struct atlas_request *request, struct tensor *points,
                                const char **names, bool whole) {
    struct result *result = result_new(arena, "scatter", 1 + (request->groups != NULL) + whole);
    int64_t at = 0;
    set_points(&result->series[at++], of, points, names);
    if (request->groups) {
        set_groups(arena, &result->series[at++], of, request);
    }
    if (whole) {
        result->series[at] =
            (struct series){ .name = "vectors",
                             .unit = "",
                             .is_signed = true,
                             .values = of->vectors,
                             .axes = { { "point", of->n, of->labels },
                                       { "component", of->vectors->shape[1], NULL } } };
    }
    bool zh = is_chinese(request);
    const char *method = atlas_method(request, of->n);
    result->title =
        zh ? arena_printf(arena, "%lld 个%s的 %s 图", (long long)of->n, request->what_zh,
                          method)
           : arena_printf(arena, "%s of %lld %s", method, (long long)of->n, request->what);
    result->method = method;
    result->n = of->n;
    return result;
}

struct result *atlas_partial(struct arena *arena, const struct embedding *of,
                             const struct atlas_request *request, const float *layout) {
    struct tensor *points = tensor_new(arena, 2, (int64_t[]){ of->n, request->dims });
    memcpy(points->data, layout, (size_t)tensor_bytes(points));
    const char **names = axis_names(arena, request, of->n, NULL, 0);
    return result_of(arena, of, request, points, names, false);
}

static void add_notes(struct arena *arena, struct result *result,
                      const struct atlas_request *request, const struct drawn *drawn,
                      const struct quality *quality) {
    if (drawn->perplexity > 0) {
        result_note(arena, result, "perplexity", arena_printf(arena, "%g", drawn->perplexity));
    }
    if (drawn->perplexity > 0 && !isnan(drawn->cost)) {
        result_note(arena, result, "KL", arena_printf(arena, "%.4f", drawn->cost));
    }
    if (drawn->asked > 0) {
        result_note(arena, result, "steps",
                    arena_printf(arena, "%lld", (long long)drawn->done));
    }
    if (method_of(request, result->n) == ATLAS_UMAP) {
        result->seed = (int64_t)request->seed;
    }
    if (quality) {
        result_note(arena, result, "kept", arena_printf(arena, "%.4f", quality->kept));
        result_note(arena, result, "trustworthiness",
                    arena_printf(arena, "%.4f", quality->trustworthiness));
    }
}

/* A vector that is no numbers, by the name of its point. */
static int check_numbers(const struct embedding *of, struct err *err) {
    int64_t place = map_odd(of->vectors), width = of->vectors->shape[1];
    if (place < 0) {
        return 0;
    }
    const char *name = of->labels[place / width];
    char shown[80];
    return err_set(err, ERR_TEXT,
                   "the vector of \"%s\" has %s in dimension %lld: the model's weights are "
                   "broken there, or its numbers ran over",
                   err_quote(shown, sizeof shown, name, strlen(name)),
                   isnan(of->vectors->data[place]) ? "NaN" : "infinity",
                   (long long)(place % width));
}

struct result *atlas(struct arena *arena, const struct embedding *of,
                     const struct atlas_request *request, struct err *err) {
    if (check_numbers(of, err) < 0) {
        err_pass(err);
        return NULL;
    }
    double began = now_seconds();
    struct drawn drawn = { 0 };
    enum atlas_method method = method_of(request, of->n);
    int done = method == ATLAS_PCA    ? by_pca(arena, of->vectors, request, &drawn, err)
               : method == ATLAS_TSNE ? by_tsne(arena, of->vectors, request, &drawn, err)
                                      : by_umap(arena, of->vectors, request, &drawn, err);
    if (done < 0) {
        err_pass(err);
        return NULL;
    }
    struct quality measure, *quality = NULL;
    if (of->n > 4 && drawn.done == drawn.asked) {
        int failed =
            quality_measure(&measure, arena, of->vectors, drawn.points, ATLAS_NEAR, 0, err);
        drawn.unmeasured = failed && err->kind == ERR_STOP;
        if (failed && !drawn.unmeasured) {
            err_pass(err);
            return NULL;
        }
        quality = failed ? NULL : &measure;
    }
    struct result *result = result_of(arena, of, request, drawn.points, drawn.names, true);
    result->finding = finding(arena, of, request, &drawn, quality);
    result->caption = caption(method, is_chinese(request));
    add_notes(arena, result, request, &drawn, quality);
    result->seconds = now_seconds() - began;
    return result;
}
