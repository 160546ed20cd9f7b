#ifndef CORE_MODEL_STEP_H
#define CORE_MODEL_STEP_H

#include "core/model/model.h"

/* step: a text that a model writes token by token, or is led through.
 *
 * What has been read is kept (struct prefix), so that a token costs one row; the same bytes as
 * a run over the whole text. Models that take no prefix (ropes that depend on the length) are
 * run anew for every token. */

struct step;

/* `ids` [n] is what has been read, at least one token; of an encoder-decoder its source, while
 * the decoder has read `decoder_ids` [decoder_n], at least its start token. At most `room`
 * further tokens will follow. The arena's memory stays the same from token to token. */
struct step *step_new(struct arena *arena, const struct model *model, const int32_t *ids,
                      int64_t n, const int32_t *decoder_ids, int64_t decoder_n, int64_t room);

/* The next token's logits [V], good until the next call; NULL with what model_run refuses:
 * ERR_TEXT where the context is full. */
const float *step_logits(struct step *step, int64_t *count, struct err *err);

/* The text goes on with this token. */
void step_take(struct step *step, int32_t id);

#endif
