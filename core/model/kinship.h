#ifndef CORE_MODEL_KINSHIP_H
#define CORE_MODEL_KINSHIP_H

#include "core/base/jsontree.h"
#include "core/model/weights.h"

/* kinship: which known architecture an unknown one is nearest to, and in what it differs.
 *
 * Compared are the names of the parts of its blocks (tensors), the settings that config.json
 * has beyond those that all have, and its own name. */

/* "the nearest is mistral; differs: it has block_sparse_moe.gate (experts), ... and 2 more; it
 * lacks mlp.down_proj, ...; it asks for num_local_experts (experts), ...": in the arena, at
 * most 500 bytes; "none that is known resembles it". `json` NULL: a GGUF file. */
const char *kinship_tell(struct arena *arena, const char *type, const struct json *json,
                         const struct weights *weights);

#endif
