#ifndef CORE_EXPLAIN_PREDICT_H
#define CORE_EXPLAIN_PREDICT_H

#include "core/explain/reading.h"
#include "core/explain/target.h"
#include "core/result/result.h"

/* predict: what a model expects at the places where it predicts: the next token, every masked
 * one, or the class (core/explain/reading.h).
 *
 *     probability of i = exp(logit_i) / sum_j exp(logit_j)        (softmax, in float64)
 *     log odds of a against b = logit_a - logit_b = ln(p_a / p_b) in nats
 *
 * A probability is the model's own, not how often it is right (Guo and others 2017,
 * arXiv:1706.04599). */

struct predict_request {
    int64_t top;          /* how many of the most probable */
    const char *target;   /* as core/explain/target.h reads it; NULL: none is asked about */
    const char *foil;     /* --vs; NULL: none */
    const char *language; /* "zh"; else English */
};

/* One token or class. */
struct predict_one {
    int64_t id, rank; /* rank: 1 is the most probable */
    double logit, probability;
};

/* One place. */
struct predict_place {
    int64_t count, known;    /* known: up to two more than asked for */
    struct predict_one *top; /* [known], most probable first */
    bool asks, contrasts;    /* whether there is a target, a foil */
    struct predict_one target, foil;
};

/* What a model says of one text. */
struct prediction {
    const struct model *model;
    const char *handle, *text;
    size_t length;
    int64_t tokens, place_count;
    struct predict_place *places; /* [place_count] */
    const char *note;             /* how target and foil were understood; "" */
    double seconds;
};

/* Runs the model on the text. With `like`, a prediction of the same text by another model, the
 * tokens told are that one's (`top` and the rest), with this model's numbers. ERR_TEXT and
 * ERR_OPTION as reading_of and target_find; ERR_FORMAT where the model gives NaN. */
struct prediction *predict_read(struct arena *arena, const struct model *model,
                                const char *handle, const char *text, size_t length,
                                const struct predict_request *request,
                                const struct prediction *like, struct err *err);

/* Whether two models' tokens (or classes) are the same, so that one can be asked for the
 * other's. */
bool predict_alike(const struct model *a, const struct model *b);

/* One text as bars: "probability" [places, n] (names: tokens), "logit", "rank" and "id" of the
 * same shape; with target and foil these join the bars where they are not among them. `other`,
 * read with `like` this one, or NULL: its probabilities as "other". */
struct result *predict_bars(struct arena *arena, const struct prediction *prediction,
                            const struct prediction *other,
                            const struct predict_request *request);

/* Several texts, a row each (of masked models one for each mask): "choices", "probability"
 * [rows, n]; with a target a "table" of its numbers. */
struct result *predict_rows(struct arena *arena, struct prediction *const *predictions,
                            int64_t count, const struct predict_request *request);

#endif
