#ifndef CORE_EXPLAIN_GRADIENTS_TELL_H
#define CORE_EXPLAIN_GRADIENTS_TELL_H

#include "core/explain/gradients.h"
#include "core/explain/spread.h"
#include "core/explain/verdict.h"
#include "core/tensor/simd.h"

/* gradients_tell: what gradients.c measured, as results with their words. */

struct gradients_about {
    struct arena *scratch;
    const struct model *model;
    const char *handle;
    const struct gradients_request *request;
    bool zh;
    int64_t target; /* -1: the loss */
    double value;   /* of the loss in nats, or the logit */
    int64_t scored; /* tokens that the loss is a mean of; texts of a logit */
    int64_t tokens; /* of all texts */
    struct spread *spread;
    int64_t words, words_untouched; /* rows of the embedding table, and those never touched */

    /* Through time; a recurrent model's. */
    int64_t steps;
    double *time;                      /* [layers, steps] norms */
    const char **pieces;               /* the first text's tokens */
    int64_t gates;                     /* kinds: LSTM 4, GRU 3, else 1 */
    bool rectified;                    /* simple layers with relu: what is counted is zeros */
    const int64_t *saturated, *looked; /* [layers, gates] */

    /* Through layers: of one stack, or of encoder and decoder. */
    int64_t halves;
    const double *stream[2]; /* [layers + 1] norms */
    const float *peaks[2];   /* [layers, units] */
    int64_t units[2], layers[2];
    enum simd_act act; /* SIMD_NONE: neurons cannot be dead */
    bool gated;
    double seconds;
};

/* What is known before the run. */
void gradients_about_begin(struct gradients_about *about, struct arena *scratch,
                           const struct model *model, const char *handle,
                           const struct gradients_request *request, int64_t target);

void gradients_tell(struct arena *arena, const struct gradients_about *about,
                    struct gradients *results);

#endif
