#ifndef CORE_EXPLAIN_CAPTURE_GRADIENTS_H
#define CORE_EXPLAIN_CAPTURE_GRADIENTS_H

#include "core/explain/question.h"
#include "core/model/capture.h"

/* capture_gradients: what gradients of one logit, and of the loss, say about an input NAME, as
 * named tensors (see core/model/capture.h):
 *
 *     NAME.grad_embeddings        [T, E]  d logit / d word embeddings
 *     NAME.saliency               [T, E]  its absolute value (Simonyan et al. 2013,
 *                                         arXiv:1312.6034)
 *     NAME.saliency_l2            [T]     its L2 norm, token by token
 *     NAME.input_x_gradient       [T, E]  embedding times gradient
 *     NAME.input_x_gradient_sum   [T]     its sum, token by token
 *     NAME.ig_gausslegendre_zero  [T, E]  integrated gradients, 20 nodes, from zeros
 *     NAME.ig_trapezoid_pad       [T, E]  the same, Captum's trapezoid, from the embedding of
 *                                         the token `baseline` everywhere (-1: left out)
 */
int capture_attributions(struct capture *capture, const char *name,
                         const struct question *question, int32_t baseline, struct err *err);

/* Of the mean loss over labels (QUESTION_NONE: no label) by the parameters named:
 * NAME.grad_norms [n], L2 norms, and NAME.grad_dots [n], the sum over i of gradient[i] cos(i),
 * i the row-major index; zeros where the loss does not depend on one. `labels` [rows of
 * logits]. */
int capture_parameters(struct capture *capture, const char *name,
                       const struct question *question, const int32_t *labels,
                       const char *const *parameters, int64_t n, struct err *err);

#endif
