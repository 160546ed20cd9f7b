#ifndef CORE_TENSOR_OP_H
#define CORE_TENSOR_OP_H

#include <stdbool.h>

#include "core/tensor/simd.h"
#include "core/tensor/tape.h"

/* op: the operations that networks are made of, each with its gradient. Rows are tokens: x is
 * [N, C], N = B T.
 *
 * Shapes must fit; whoever opens a model has checked them. Results do not depend on the number
 * of threads, nor a row's on the other rows. While the tape records, what is given to an
 * operation must not change afterwards, but by the operations that say "in place".
 *
 * Parameters are tensors with a name; vectors among them are float32 [n]. */

/* Rows of `table` [V, C], of any weight type, as float32: [n, C]. Ids lie in 0..V-1. The table
 * is a parameter. */
struct tensor *op_embed(struct tape *tape, const struct tensor *table, const int32_t *ids,
                        int64_t n);

/* Rows of x [N, C] by number: [n, C]. */
struct tensor *op_rows(struct tape *tape, const struct tensor *x, const int64_t *rows,
                       int64_t n);

/* The mean of each text's rows, x [B T, C], over those where mask [B, T] is not 0 (NULL: over
 * all): [B, C]. A text without any gets zeros. */
struct tensor *op_mean(struct tape *tape, const struct tensor *x, int64_t batch,
                       const uint8_t *mask);

/* A linear layer's parameters. */
struct op_dense {
    const struct tensor *weight; /* [M, K], of any weight type */
    const struct tensor *bias;   /* [M], NULL: none */
    bool across;                 /* weight is [K, M] (GPT-2's Conv1D) */
};
/* What follows: act(x W^T + bias) * factor + residual; NULL leaves a part out. Both [N, M]. */
struct op_finish {
    enum simd_act act;
    const struct tensor *factor, *residual;
};
/* x [N, K]. `finish` NULL: nothing follows. The result is `out` if that is not NULL. */
struct tensor *op_linear(struct tape *tape, const struct tensor *x,
                         const struct op_dense *dense, const struct op_finish *finish,
                         struct tensor *out);

/* act(x U^T + b) D^T + c + residual, a layer with what comes before it, of which nothing is
 * left: not while the tape records. Same bytes as of two op_linear. op_feeds: whether this can
 * be done with n rows; it is faster then. The result is `out` if that is not NULL. */
bool op_feeds(int64_t n, const struct op_dense *up, const struct op_dense *down);
struct tensor *op_feed(struct tape *tape, const struct tensor *x, const struct op_dense *up,
                       enum simd_act act, const struct op_dense *down,
                       const struct tensor *residual, struct tensor *out);

/* a + b, of one shape; the result is `out` if that is not NULL. */
struct tensor *op_add(struct tape *tape, const struct tensor *a, const struct tensor *b,
                      struct tensor *out);
/* factor * x; cap * tanh(x / cap) (soft-capping). */
struct tensor *op_scale(struct tape *tape, const struct tensor *x, float factor);
struct tensor *op_cap(struct tape *tape, const struct tensor *x, float cap, struct tensor *out);
/* act(x[:, 0..F)) * x[:, F..2F): both halves of a gated layer in one x [N, 2F]. */
struct tensor *op_gate(struct tape *tape, const struct tensor *x, enum simd_act act);

/* Each row normalised.
 *     layer: (x - mean) / sqrt(variance + eps) * gain + bias (Ba et al. 2016, arXiv:1607.06450)
 *     rms:   x / sqrt(mean of squares + eps) * gain (Zhang and Sennrich 2019,
 *            arXiv:1910.07467), + bias if there is one */
struct op_norm {
    const struct tensor *gain, *bias; /* [C]; gain NULL: there is no norm; bias NULL: none */
    bool rms;
    double eps;
};
struct tensor *op_norm(struct tape *tape, const struct tensor *x, const struct op_norm *norm,
                       struct tensor *out);

/* Where heads lie in the rows of x [N, R]: head h is the D numbers from first + h * apart. */
struct op_heads {
    struct tensor *x;
    int64_t first, apart;
};
/* The heads alone: [N, heads D]. */
struct tensor *op_heads_copy(struct tape *tape, struct op_heads from, int64_t heads,
                             int64_t width);
/* Each head normalised by itself with a gain [D]: [N, heads D]. */
struct tensor *op_heads_norm(struct tape *tape, struct op_heads from, int64_t heads,
                             int64_t width, const struct op_norm *norm);

/* Rotary positions (Su et al. 2021, arXiv:2104.09864): pair i of a head's first `width` numbers
 * is turned by position * turns[i], and scaled. The pairs are (i, i + width/2), as Hugging Face
 * has them, or (2i, 2i + 1), as the paper and llama GGUF files have them. */
struct op_rope_angles {
    int64_t tokens, width;  /* T; how many of a head's numbers are turned */
    bool adjacent;          /* pairs (2i, 2i + 1) */
    float *cosines, *sines; /* [T, width/2] */
};
/* For positions first .. first + tokens; turns [width/2] in radians. */
struct op_rope_angles *op_rope_angles(struct tape *tape, int64_t first, int64_t tokens,
                                      int64_t width, const double *turns, double scale,
                                      bool adjacent);
/* Turns each head in place; row r stands at position first + r mod T. */
void op_rope(struct tape *tape, struct op_heads of, int64_t heads,
             const struct op_rope_angles *angles);

/* Scaled dot-product attention: softmax(scale q k^T + bias) v, head by head.
 *
 *     q: B texts of T queries     k, v: B texts of S keys; head h reads group h groups / heads
 *
 * In front of each text's keys may stand a past: P keys and values [P, groups D] that all texts
 * share (and that get no gradient). Then query i has position P + i, key j of all P + S
 * position j; without causal, left, right and distance positions mean nothing. A key is masked
 * where mask says 0, if causal where it comes after the query, and where it is more than `left`
 * before or `right` after it; its probability is exactly 0, and no key or value of it moves
 * the result, NaN and infinity included. A query all of whose keys are masked gets zeros.
 * `pattern` [B, heads, T, P + S] receives the probabilities; with NULL (and no tape that
 * records) they are never all in memory. It has a gradient like any value: the derivative by
 * each probability as if it were free, where keys are masked too. Work is done for keys that
 * queries see. */
struct op_attention {
    int64_t batch, queries, keys; /* B, T, S */
    int64_t heads, groups, width; /* ..., D */
    float scale;                  /* above 0 */
    float cap; /* scores become cap * tanh(score / cap) before bias and masks; 0: they stay */
    bool causal;
    int64_t left, right; /* -1: no limit */
    const uint8_t *mask; /* [B, S], 1: a token; NULL: all are */
    int64_t past;        /* P; 0: none */
    const float *past_keys, *past_values;
    /* bias of a score by distance: table[distance[key - query + P + T - 1], head] for key -
     * query from -(P + T - 1) to S - 1 (T5). NULL: none */
    const struct tensor *table; /* parameter [buckets, heads], float32 */
    const int32_t *distance;    /* [P + T + S - 1] -> bucket */
};
/* Returns [B T, heads D]. */
struct tensor *op_attention(struct tape *tape, struct op_heads q, struct op_heads k,
                            struct op_heads v, const struct op_attention *how,
                            struct tensor *pattern);
/* Floats a thread needs, forward or (recording) backward too. */
int64_t op_attention_room(int64_t queries, int64_t keys, int64_t width, bool recording);

/* A recurrent layer: a state goes through the tokens of each text, from zeros or from what an
 * earlier run left.
 *
 *     h = act(W x + b + U h' + c), act tanh or relu (Elman 1990)
 *     LSTM (Hochreiter and Schmidhuber 1997; Gers et al. 2000): with i, f, g, o the four parts
 *     of W x + b + U h' + c,
 *         cell = sigmoid(f) cell' + sigmoid(i) tanh(g)        h = sigmoid(o) tanh(cell)
 *     GRU (Cho et al. 2014, arXiv:1406.1078, with the reset gate after the product): with r, z,
 *     n the three parts of W x + b and of U h' + c,
 *         n = tanh(n_x + sigmoid(r_x + r_h) n_h), z = sigmoid(z_x + z_h), h = (1 - z) n + z h'
 *
 * The parts and their order are PyTorch's. Padding on the right changes nothing before it. The
 * gradient of an output is that of all that comes of it: of what is made of the layer's output,
 * and of the states of later tokens. */
enum op_recurrence { OP_RNN_TANH, OP_RNN_RELU, OP_LSTM, OP_GRU };
struct op_recurrent {
    enum op_recurrence kind;
    int64_t batch, tokens, width; /* B, T, H */
    struct op_dense input, state; /* W, b: [G H, E]; U, c: [G H, H]; both have a bias or none */
    /* [H] the first state, and an LSTM's first cells, of the one text (B = 1), not while the
     * tape records; NULL: zeros */
    const float *first, *first_cells;
};
/* x [B T, E]. Returns h [B T, H]; an LSTM's cells, [B T, H], go to `cells` if that is not NULL
 * (of the others NULL does). */
struct tensor *op_recurrent(struct tape *tape, const struct tensor *x,
                            const struct op_recurrent *how, struct tensor **cells);

#endif
