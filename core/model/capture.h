#ifndef CORE_MODEL_CAPTURE_H
#define CORE_MODEL_CAPTURE_H

#include "core/model/model.h"

/* capture: what runs of a model give, as named tensors for a file, so that other programs can
 * check or use them. For an input NAME (T tokens, L blocks, A heads, C width, V vocabulary):
 *
 *     NAME.input_ids          [T]
 *     NAME.embeddings         [T, C]        the word embedding alone
 *     NAME.hidden_states      [L+1, T, C]   input of block 0, then the output of every block,
 *                                           before the final norm
 *     NAME.last_hidden_state  [T, C]        what the head gets
 *     NAME.attentions         [L, A, T, T]  query, then key; masked places are 0
 *     NAME.logits             [T, V]        of a classifier [classes]
 *     NAME.token_nll          [n]           -log p of each label, in nats, where there are
 * several NAME.loss               [1]           their mean NAME.top10_ids, top10_probs [10] at
 * one position, most probable first NAME.greedy_ids         [n]           most probable
 * continuation
 *
 * or, looking at every position of a large vocabulary, in place of logits and the top 10 of one
 * position: NAME.last_logits [V], top10_ids and top10_logits [T, 10], logsumexp [T]. */

struct capture {
    struct arena *arena;
    int64_t count, room;
    const struct tensor **tensors; /* [count], each with its name */
};

struct capture *capture_new(struct arena *arena);

/* Names the tensor PREFIX.NAME (NAME if prefix is NULL) and takes it in. */
void capture_add(struct capture *capture, const char *prefix, const char *name,
                 struct tensor *tensor);
void capture_ints(struct capture *capture, const char *prefix, const char *name,
                  const int32_t *values, int64_t n);

/* The tensor taken in under that name; NULL if there is none. */
const struct tensor *capture_at(const struct capture *capture, const char *name);

int capture_write(const struct capture *capture, const char *path, struct err *err);

struct capture_input {
    const char *name;
    const int32_t *ids;    /* [tokens] */
    int64_t tokens;        /* 0: only input_ids are taken in */
    const int32_t *labels; /* masked-lm: [tokens], -100: none; classification: [1]; NULL: none.
                              A causal model's labels are its own next tokens. */
    int64_t position;      /* of the top 10; CAPTURE_EVERY: of all */
    int64_t greedy;        /* tokens to continue with; 0: none */
};

enum { CAPTURE_EVERY = -1 };

/* Runs the model on one input and takes in what it gives. */
int capture_run(struct capture *capture, const struct model *model,
                const struct capture_input *input, struct err *err);

/* Runs the model once on `batch` inputs padded on the right to `tokens`; mask [batch, tokens]
 * is 1 at tokens. Takes in batch.input_ids, attention_mask, embeddings, hidden_states [B, L+1,
 * T, C], last_hidden_state, attentions [B, L, A, T, T] and logits. */
int capture_batch(struct capture *capture, const struct model *model, int64_t batch,
                  int64_t tokens, const int32_t *ids, const uint8_t *mask, struct err *err);

#endif
