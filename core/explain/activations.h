#ifndef CORE_EXPLAIN_ACTIVATIONS_H
#define CORE_EXPLAIN_ACTIVATIONS_H

#include "core/model/model.h"

/* activations: how large the values inside a network are, by token and layer, and which of its
 * neurons a text excites.
 *
 * Of each vector at a site the L2 norm, and its value of largest magnitude with its dimension.
 * A value is massive as Sun and others 2024, arXiv:2402.17762, section 2 have it: its magnitude
 * is above 100 and at least 1000 times the median magnitude of all values of its layer. A few
 * such values, mostly at the first token, make norms there so large that everything else
 * vanishes beside them unless each layer is measured by its own median.
 *
 * Neurons are the feed-forward part's, after their act (and gate); a recurrent network's are
 * the outputs of its layers. What a neuron does on this text is its value of largest magnitude;
 * how much that stands out is its z-score: its distance from the mean of all values of the
 * layer's neurons over the tokens looked at, in their standard deviations. Without a choice of
 * tokens, special ones and a causal model's first are not looked at for neurons: heads rest
 * there, and the same neurons fire on any text. */

struct activations_neuron {
    int64_t layer, index;
};

struct activations_request {
    enum site site;
    int64_t first, columns;   /* layers of the site: first .. first + columns */
    const int64_t *positions; /* tokens that neurons are looked at; NULL: see above */
    int64_t position_count;
    const int64_t *ranked; /* layers whose neurons are ranked, what is beyond the last means it;
                              NULL: all */
    int64_t ranked_count;
    const struct activations_neuron *neurons; /* whose values are kept */
    int64_t neuron_count;
    bool values; /* keep all values of the site */
};

struct activations {
    const struct model *model;
    const char *text; /* the caller's */
    size_t length;
    const struct encoding *encoding;
    int64_t tokens;
    enum site site;
    int64_t first, columns, width;
    float *norms;       /* [tokens, columns] */
    float *largest;     /* [tokens, columns] the value of largest magnitude */
    int64_t *dimension; /* [tokens, columns] where it stands in the vector */
    float *medians;     /* [columns] median magnitude of all values */
    float *values;      /* [columns, tokens, width], or NULL */

    enum site neuron_site; /* SITE_COUNT: the model has none */
    int64_t layers, inner; /* of neurons */
    bool *looked;          /* [tokens] at which neurons are looked at */
    float *peak;           /* [layers, inner] the value of largest magnitude there */
    int64_t *peak_at;      /* [layers, inner] its token */
    bool *ranked;          /* [layers] whose neurons are ranked; NULL: all */
    double *mean, *sd;     /* [layers] over looked at tokens and all neurons */
    float *strips;         /* [neurons asked for, tokens] */
};

/* A place in the network by its TransformerLens name, "blocks.3.hook_resid_mid", "attn.hook_z",
 * short "resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out", "post" (neurons), "q",
 * "k", "v", "z"; of recurrent nets "output", "cell". NULL or "resid": the residual stream from
 * the first block's input to the last one's output, or a recurrent net's outputs. Sets site,
 * first and columns; *layer is the name's own, -1 if it has none. ERR_OPTION: no such name, or
 * this model has no such place. */
int activations_site(const struct model *model, const char *name,
                     struct activations_request *request, int64_t *layer, struct err *err);

/* The text's tokens; ERR_TEXT if there are none, or more than the model reads. */
struct activations *activations_of(struct arena *arena, const struct model *model,
                                   const char *text, size_t length, struct err *err);

/* Runs the model and fills in the rest. ERR_OPTION: a neuron or a site that is not there. Holds
 * one layer's values at a time beside the result. */
int activations_run(struct arena *arena, struct activations *of,
                    const struct activations_request *request, struct err *err);

/* Whether the largest value of a token in a column is massive. */
bool activations_massive(const struct activations *of, int64_t token, int64_t column);

double activations_z(const struct activations *of, int64_t layer, int64_t index);

/* The `top` neurons of the ranked layers by z-score's magnitude, or by activation's, largest
 * first; of equal ones the first. Returns how many there are. */
int64_t activations_top(const struct activations *of, bool by_z, int64_t top,
                        struct activations_neuron *out);

/* Median of the numbers' magnitudes (of two middle ones their mean); NaN is left out, and none
 * left gives NaN. Time: linear. */
double activations_median(const float *values, int64_t n);

#endif
