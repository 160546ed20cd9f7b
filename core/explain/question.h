#ifndef CORE_EXPLAIN_QUESTION_H
#define CORE_EXPLAIN_QUESTION_H

#include "core/model/model.h"

/* question: one text and the number that is asked about, so that every method explains the same
 * thing: the score of one token (or class) at one position.
 *
 * Gradients are with respect to the word embeddings (SITE_EMBED; an encoder-decoder's encoder).
 */
enum question_of {
    QUESTION_LOGIT,
    QUESTION_LOGPROB, /* log softmax */
    QUESTION_PROB     /* softmax */
};

struct question {
    const struct model *model;
    const int32_t *ids, *types; /* [tokens]; types NULL: all 0 */
    int64_t tokens;
    const int32_t *decoder_ids; /* [decoder_tokens]; encoder-decoder only */
    int64_t decoder_tokens;
    int64_t position; /* whose logits; a classifier's has none */
    int64_t id;       /* token or class */
    enum question_of of;
};

/* The number, and where its gradient starts: from one row of logits [n]. `gradient` [n] may be
 * NULL. In float64 but for the result. */
double question_value(const struct question *question, const float *logits, int64_t n,
                      float *gradient);

/* What came of running a question's text n times, each with its own word embeddings. */
struct answers {
    struct tensor *embeddings; /* [n, T, E] as they went in */
    struct tensor *gradients;  /* [n, T, E] of the value by them */
    double *values;            /* [n] */
};

/* Runs the text with `embeddings` [n, T, E], in one batch; NULL: with its own (n = 1). `budget`
 * as in struct pass. NULL with ERR_TEXT where position or id are not there, or what model_run
 * refuses. */
struct answers *question_ask(struct arena *arena, const struct question *question,
                             const struct tensor *embeddings, int64_t budget, struct err *err);

/* The word embeddings of n tokens [1, n, E] as SITE_EMBED has them. */
struct tensor *question_embeddings(struct arena *arena, const struct model *model,
                                   const int32_t *ids, int64_t n, struct err *err);

/* Mean cross-entropy in nats of rows of logits [rows, n] whose label is not QUESTION_NONE, and
 * its gradient [1, rows, n], the seed of parameters' gradients. `labels` [rows]. NULL where no
 * row has a label. */
enum { QUESTION_NONE = -100 };
struct tensor *question_loss(struct arena *arena, const struct tensor *logits,
                             const int32_t *labels, double *loss);

#endif
