#ifndef CORE_EXPLAIN_READING_H
#define CORE_EXPLAIN_READING_H

#include "core/model/model.h"

/* reading: a text as a model that predicts gets it, and the places where it predicts.
 *
 *     causal           the next token, after the last one (an end token that the tokenizer
 *                      would add is left out: nothing follows it)
 *     masked           every mask token ("[MASK]", "<mask>")
 *     classifier       the text as a whole
 *     encoder-decoder  the next token of the decoder, which has read its start token and what
 *                      stands behind ">>" in the text
 */

struct reading {
    int64_t count;
    int32_t *ids; /* [count] */
    int64_t decoder_count;
    int32_t *decoder_ids; /* [decoder_count]; encoder-decoder only */
    int64_t place_count;
    int64_t *places; /* [place_count] rows of logits; a classifier's one place is 0 */
};

/* ERR_UNSUPPORTED, in one sentence, if the model has no head that predicts words or classes. */
int reading_check(const struct model *model, const char *handle, struct err *err);

bool reading_classifies(const struct model *model);

/* `special`: whether the tokenizer adds its own tokens; false for texts that hold them already
 * (a chat's). ERR_TEXT: empty, no mask for a masked model, no UTF-8. */
struct reading *reading_of(struct arena *arena, const struct model *model, const char *text,
                           size_t length, bool special, struct err *err);

/* A copy of a text, cut to about 60 bytes, for sentences. */
const char *reading_quote(struct arena *arena, const char *text, size_t length);

#endif
