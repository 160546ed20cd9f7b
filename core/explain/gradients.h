#ifndef CORE_EXPLAIN_GRADIENTS_H
#define CORE_EXPLAIN_GRADIENTS_H

#include "core/explain/examples.h"
#include "core/result/result.h"

/* gradients: how the gradients of a loss (or of a logit) lie over a network's parameters, its
 * layers and, in a recurrent one, its time; and whether they vanish or explode.
 *
 * The loss is the mean cross-entropy over all scored tokens of all texts together, in nats;
 * a logit is the mean over the texts. Several texts give the gradient of that mean exactly:
 * padded into one batch, or batch after batch with their sums, before anything is counted.
 * Each parameter's gradient is counted as the backward pass hands it over.
 *
 *     histogram  core/explain/spread.h: counts of log10 |g| by layer or by tensor
 *     norms      "bars": "norm" [layers], L2 norm of the gradient of a layer's parameters;
 *                "rms" [layers], the same for one parameter: norm / sqrt(parameters); NaN
 *                where one of its gradients is NaN or infinite
 *     flow       "lines", logarithmic. Recurrent: "gradient" [layers, steps], the norm of
 *                d loss_T / d h_t (of an LSTM d c_t, its cell), loss_T the loss of the last
 *                scored token alone, t from the first step to the one that it is read at; of
 *                several texts, each by its own loss and their last steps together, the root
 *                of the mean square over those that go back so far.
 *                Else "gradient" [stacks, layers + 1]: the norm of d loss / d residual stream
 *                at the input of each block, and at the end
 *     units      "bars": "share" [n] of units that are never active (feed-forward neurons with
 *                relu, gelu, silu: never above 0; with a gate: always below a thousandth of
 *                the layer's largest), or of a recurrent layer's gates and states that are
 *                saturated (a sigmoid below .01 or above .99, a tanh beyond .99; a relu at 0);
 *                "units" [n]
 *
 * The verdict (core/explain/verdict.h) is of the flow through time where there is time (of the
 * last layer; of the one that explodes most, if one does), else of "rms" over the blocks. */

struct gradients_request {
    const struct example_text *texts;
    int64_t count;
    const char *target; /* token or class whose logit it is; NULL: the loss */
    uint64_t seed;      /* for masks */
    int64_t bins;
    bool by_tensor;
    const char *language; /* "zh"; else English */
};

struct gradients {
    struct result *histogram, *norms, *flow, *units; /* units NULL: it has none such */
};

/* The results are in `arena`. *bad: the text that is at fault (-1: none; with ERR_OPTION the
 * target is). ERR_UNSUPPORTED for a model without a head; ERR_TEXT as examples_read, and where
 * no token can be scored. */
int gradients(struct arena *arena, const struct model *model, const char *handle,
              const struct gradients_request *request, struct gradients *results, int64_t *bad,
              struct err *err);

#endif
