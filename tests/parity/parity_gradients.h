#ifndef TESTS_PARITY_PARITY_GRADIENTS_H
#define TESTS_PARITY_PARITY_GRADIENTS_H

#include "core/base/jsontree.h"
#include "core/explain/question.h"
#include "core/model/capture.h"

/* parity_gradients: what the fixtures ask for beyond a forward run. */

/* Of a case of models/ or gguf/: attributions of its target and gradients of its parameters.
 * `labels` as in cases.json ([n], NULL: none; a causal model's are its own next tokens). */
int parity_gradients_of_case(struct capture *capture, const struct model *model,
                             const struct json *one, const struct capture_input *input,
                             struct err *err);

/* [1, T, E]: gradient of cos(mean of the last states, `fixed`) by the word embeddings, as
 * NAME.cosine_grad [T, E]. `fixed` [C] has length 1. */
int parity_gradients_of_cosine(struct capture *capture, const struct model *model,
                               const struct capture_input *input, const float *fixed,
                               struct err *err);

#endif
