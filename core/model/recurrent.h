#ifndef CORE_MODEL_RECURRENT_H
#define CORE_MODEL_RECURRENT_H

#include "core/model/model.h"
#include "core/tensor/op.h"

/* recurrent: language models of stacked recurrent layers: word embedding, layers, a linear
 * decoder to the vocabulary; the first states are zeros. A plain safetensors file with
 * PyTorch's names (embedding.weight; rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0,
 * rnn.bias_hh_l0 and so on for each layer; decoder.weight, decoder.bias) and a config.json that
 * says model_type, vocab_size, embedding_size, hidden_size, num_layers and, of an rnn_lm,
 * nonlinearity ("tanh" or "relu"). Both biases of all layers may be absent, and decoder.bias;
 * decoder.weight where tie_word_embeddings is true. */

/* What model->parts is. */
struct recurrent {
    enum op_recurrence kind;
    const struct tensor *words; /* [V, E] */
    struct recurrent_layer {
        struct op_dense input, state;
    } * layers;
    struct op_dense decoder;
};

/* arch->open of each kind; OP_RNN_TANH stands for either nonlinearity. */
int recurrent_open(struct arena *arena, struct model *model, enum op_recurrence kind,
                   struct err *err);

int recurrent_forward(const struct model *model, struct pass *pass, struct err *err);

const struct tensor *recurrent_words(const struct model *model);

/* The gates of a layer, computed again from what went into it (x [B T, E]) and what came out (h
 * [B T, H]): [B T, G, H], of an LSTM input, forget, cell (tanh) and output gate, of a GRU
 * reset, update and new state (tanh). NULL for a simple recurrent layer, which has none. */
struct tensor *recurrent_gates(struct arena *arena, const struct model *model, int64_t layer,
                               const struct tensor *x, const struct tensor *h, int64_t tokens);

/* What config.json calls things. */
#define RECURRENT_FORM                                       \
    {                                                        \
        .headless = true, .layers = "num_layers",            \
        .settings = "embedding_size num_layers nonlinearity" \
    }

extern const enum site recurrent_sites[];

#endif
