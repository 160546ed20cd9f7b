#ifndef CORE_EXPLAIN_LENS_H
#define CORE_EXPLAIN_LENS_H

#include "core/model/model.h"

/* lens: what the model would say if it stopped after a layer: its final norm and its head,
 * applied to the residual stream there (the logit lens).
 *
 *     logits_l = head(norm(h_l))
 *
 * Source: nostalgebraist 2020, "interpreting GPT: the logit lens"; Belrose and others 2023,
 * arXiv:2303.08112, section 2. What is read between layers is the model's own language only
 * where they share one basis: early layers of many models read as nonsense. After the last
 * layer it is what the model says, to the byte.
 *
 *     states   [T, C]  rows of SITE_RESIDUAL at any layer
 *     returns  [T, V]  logits
 *
 * The result is in `arena`. NULL with ERR_UNSUPPORTED where the model has no head of words over
 * one residual stream (encoders alone, classifiers, encoder-decoders, recurrent nets). */
struct tensor *lens(struct arena *arena, const struct model *model, const float *states,
                    int64_t tokens, struct err *err);

/* Refuses such models; -1. */
int lens_check(const struct model *model, struct err *err);

#endif
