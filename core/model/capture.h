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
 *     NAME.token_nll          [n]           -log p of each label, in nats, where several
 *     NAME.loss               [1]           their mean
 *     NAME.top10_ids, top10_probs [10]      at one position, most probable first
 *     NAME.greedy_ids         [n]           most probable continuation
 *
 * of an encoder-decoder (U decoder tokens, M blocks of the decoder)
 *
 *     NAME.encoder_hidden_states [L+1, T, C], encoder_last_hidden_state [T, C],
 *     NAME.encoder_attentions [L, A, T, T]
 *     NAME.decoder_hidden_states [M+1, U, C], decoder_last_hidden_state [U, C],
 *     NAME.decoder_attentions [M, A, U, U], cross_attentions [M, A, U, T], logits [U, V]
 *
 * and of a recurrent model, in place of hidden_states, last_hidden_state and attentions
 *
 *     NAME.layer_outputs [L, T, H]; of an LSTM cell_states [L, T, H]
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
    const int32_t *labels; /* masked-lm: [tokens], -100: none; classification: [1]; seq2seq-lm:
                              [decoder_tokens]; NULL: none. A causal model's labels are its own
                              next tokens. */
    const int32_t *decoder_ids; /* [decoder_tokens]; an encoder-decoder without them: its start
                                   token alone */
    int64_t decoder_tokens;
    int64_t position; /* of the top 10; CAPTURE_EVERY: of all */
    int64_t greedy;   /* tokens to continue with; 0: none */
};

enum { CAPTURE_EVERY = -1 };

/* Runs the model on one input and takes in what it gives. */
int capture_run(struct capture *capture, const struct model *model,
                const struct capture_input *input, struct err *err);

/* Several inputs padded on the right; a mask is 1 at tokens. */
struct capture_rows {
    int64_t batch, tokens, decoder_tokens; /* the last 0: there is no decoder */
    const int32_t *ids;                    /* [batch, tokens] */
    const uint8_t *mask;                   /* [batch, tokens] */
    const int32_t *decoder_ids;            /* [batch, decoder_tokens] */
    const uint8_t *decoder_mask;           /* [batch, decoder_tokens]; no run needs it */
};

/* Runs the model once on them all. Takes in what capture_run does but for losses and
 * continuations, under batch, with the batch as first dimension ([B, L+1, T, C]), and
 * attention_mask and decoder_mask. */
int capture_batch(struct capture *capture, const struct model *model,
                  const struct capture_rows *rows, struct err *err);

#endif
