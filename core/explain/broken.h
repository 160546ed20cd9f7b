#ifndef CORE_EXPLAIN_BROKEN_H
#define CORE_EXPLAIN_BROKEN_H

#include "core/model/model.h"

/* broken: which of a model's weights are no numbers.
 *
 * "blocks.3.mlp.w has NaN, first at row 5, column 7 of [64, 32]" for the first tensor of the
 * file that holds NaN or infinity; NULL if all weights are finite. In the arena. Reads all
 * weights, so it is asked when a run gave no numbers. */
const char *broken_weights(struct arena *arena, const struct model *model);

/* The refusal where scores or probabilities are no numbers, with the tensor that is to blame,
 * or that none is: ERR_FORMAT. */
int broken_refuse(struct arena *arena, const struct model *model, struct err *err);

#endif
