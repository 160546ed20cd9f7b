#ifndef CORE_EXPLAIN_ANATOMY_H
#define CORE_EXPLAIN_ANATOMY_H

#include "core/model/inventory.h"
#include "core/result/result.h"

/* anatomy: what a model is made of and how large each part is, blocks of one build told once.
 *
 * A row is a part of the network: a layer's weight with its bias, a norm, a table. Blocks whose
 * parts have the same shapes are one section, whatever types their numbers are stored as; the
 * sections stand in the order in which a run reads them, last what no run reads.
 *
 *     result "architecture", all along the axis "part" (labels: "attention query")
 *     parameters  of one copy, counted as PyTorch does (tied ones once, no masks)
 *     copies      how many blocks have the part
 *     bytes       in the file, of all copies
 *     section     0, 1 ...; names: "embeddings", "blocks 0–5"
 *     kind        enum part_kind
 *     shape       names: "384 × 384 + 384"; outermost first, + the bias
 *     type        names: "F32", "Q4_1 × 20, Q6_K × 10"
 *     tied        1 where it is an earlier part again; names say which
 *     tensor      names: as the file calls it, * for the block's number
 *
 * parameters times copies sum up to model->parameters. `language` "zh", else English. */
struct result *anatomy(struct arena *arena, const struct model *model, const char *handle,
                       const char *language);

#endif
