#ifndef CORE_EXPLAIN_SITE_INFO_H
#define CORE_EXPLAIN_SITE_INFO_H

#include "core/model/inventory.h"
#include "core/result/result.h"

/* site_info: one part of a model: what it means, its shape, the tensors that make it and what
 * their numbers are like (core/explain/moments.h).
 *
 * A name is one of
 *     a site         as TransformerLens calls it: blocks.3.attn.hook_q, logits; a block's
 *                    hook_resid_post is the next one's hook_resid_pre
 *     a block        blocks.3 (decoder.3, layers.3): all tensors of it
 *     a tensor       as the file calls it
 *     the beginning  of tensors' names, up to a dot: encoder.layer.3.attention
 *
 *     result "table", all along the axis "tensor" (labels: the file's names)
 *     part, shape, type   names
 *     numbers             how many; mean, deviation, smallest, largest, norm; zeros, not finite
 *
 * A site that no weight makes by itself has the tensors that go into what it is made of.
 * `language` "zh", else English. NULL with ERR_OPTION for a name that is none: the nearest
 * ones, and how to see them all. */
struct result *site_info(struct arena *arena, const struct model *model, const char *handle,
                         const char *name, const char *language, struct err *err);

/* All names of sites, then of tensors; NULL ends them. */
const char **site_info_names(struct arena *arena, const struct model *model);

/* Every site of the model in the order of a run, in the arena. */
struct site_place {
    const char *name;  /* "blocks.3.attn.hook_pattern" */
    const char *site;  /* "attention", "decoder attention" */
    int64_t layer;     /* -1: there is only one */
    const char *shape; /* "12 heads × query × key", "token × 384" */
};
struct site_place *site_places(struct arena *arena, const struct model *model, int64_t *count);

#endif
