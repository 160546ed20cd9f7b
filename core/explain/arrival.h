#ifndef CORE_EXPLAIN_ARRIVAL_H
#define CORE_EXPLAIN_ARRIVAL_H

#include "core/explain/attention.h"

/* arrival: attention rollout of a text as a result: how much of each token's beginning arrives
 * at each token, if heads only mixed and half of everything went straight on (rollout.h; Abnar
 * and Zuidema 2020, arXiv:2005.00928; heads fused by their mean).
 *
 *     result "rollout" [T, T], axes query, key; rows sum to 1
 *
 * `request` is that of attention: its layers end where the last one does, its heads are not
 * looked at. With words the matrices between words are multiplied. ERR_OPTION for
 * cross-attention, whose layers cannot be multiplied; else as attention. Of memory `arena`
 * keeps the result alone, not the heads that it is made of. */
struct result *arrival(struct arena *arena, const struct model *model, const char *handle,
                       const char *text, size_t length, const struct attention_request *request,
                       struct err *err);

#endif
