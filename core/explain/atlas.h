#ifndef CORE_EXPLAIN_ATLAS_H
#define CORE_EXPLAIN_ATLAS_H

#include "core/explain/embedding.h"
#include "core/explain/map.h"
#include "core/result/result.h"

/* atlas: vectors as points in two or three dimensions, with what the map keeps and loses.
 *
 * The result (kind "scatter") has "points" [n, dims], "group" [n] where points have groups, and
 * "vectors" [n, C], the numbers that were mapped. Notes tell the settings; the share of the 10
 * nearest neighbours kept, trustworthiness and t-SNE's KL are in the finding and the notes. */

enum atlas_method { ATLAS_AUTO, ATLAS_PCA, ATLAS_TSNE, ATLAS_UMAP };

struct atlas_request {
    enum atlas_method method;   /* ATLAS_AUTO: PCA up to ATLAS_FEW points, then t-SNE */
    int dims;                   /* 2 or 3 */
    double perplexity;          /* t-SNE; 0: what suits the number of points */
    int64_t neighbours;         /* UMAP; 0: 15 */
    double min_dist;            /* UMAP; negative: 0.1 */
    int64_t steps;              /* of t-SNE and UMAP; 0: as each has it */
    uint64_t seed;              /* UMAP */
    const char *what, *what_zh; /* what the points are: "words", "词" */
    const int32_t *groups;      /* [n] each point's group; NULL: none */
    const char *const *group_names;
    const char *language;
    struct map_progress progress;
};

enum { ATLAS_FEW = 50, ATLAS_NEAR = 10 };

/* How many steps the method will take; 0: it takes none (PCA). */
int64_t atlas_steps(const struct atlas_request *request, int64_t n);

/* "t-SNE" */
const char *atlas_method(const struct atlas_request *request, int64_t n);

/* NULL as the methods refuse. Where the user interrupted a layout the result is what there was;
 * its finding says so, and the caller ends with stop_check(). */
struct result *atlas(struct arena *arena, const struct embedding *of,
                     const struct atlas_request *request, struct err *err);

/* A layout [n, dims] under way, to be shown while it converges: points, labels and groups. */
struct result *atlas_partial(struct arena *arena, const struct embedding *of,
                             const struct atlas_request *request, const float *layout);

#endif
