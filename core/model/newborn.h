#ifndef CORE_MODEL_NEWBORN_H
#define CORE_MODEL_NEWBORN_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/tensor/op.h"

/* newborn: a recurrent language model over characters that nobody has trained, so that a lesson
 * can show how gradients go through a network of any depth, width and scale.
 *
 *     embedding            N(0, 1)
 *     decoder              N(0, 1 / H)
 *     recurrent matrices   N(0, gain^2 / H)
 *     input matrices       N(0, 1 / H) of the first layer, N(0, gain^2 / H) of the others
 *     biases               0, but of gates that keep: below
 *
 * The largest eigenvalue of a recurrent matrix is about `gain` (circular law), so a tanh
 * network forgets below 1 and is chaotic far above (Sompolinsky, Crisanti and Sommers 1988;
 * Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063). The gate that keeps, an LSTM's forget
 * gate or a GRU's update gate, has the bias log u, u uniform in [1, memory - 1], and an LSTM's
 * input gate -log u, so that memories last up to `memory` steps (Tallec and Ollivier 2018,
 * arXiv:1804.11188).
 *
 * It is an ordinary model folder: config.json, tokenizer.json (WordLevel, a character a token),
 * model.safetensors. The folder's name is the SHA-256 of what is in it. */

enum {
    NEWBORN_LAYERS = 64,
    NEWBORN_HIDDEN = 4096,
    NEWBORN_MEMORY = 1000000,
    NEWBORN_MEGABYTES = 1024 /* of its weights together */
};

struct newborn {
    enum op_recurrence kind; /* OP_RNN_TANH or _RELU, OP_LSTM, OP_GRU */
    int64_t layers, hidden;
    double gain;
    int64_t memory; /* steps, at least 2; of LSTM and GRU */
    uint64_t seed;
    const char
        *alphabet; /* characters beside a line end, a tab and ASCII 32..126; NULL: none */
};

/* Writes it below the user's cache folder ($XDG_CACHE_HOME or ~/.cache, cutaway/models) and
 * returns the folder. ERR_OPTION for sizes out of bounds, with both; ERR_IO. */
const char *newborn_write(struct arena *arena, const struct newborn *newborn, struct err *err);

/* That cache folder: of models that are made here. NULL with ERR_IO where there is none. */
const char *newborn_cache(struct arena *arena, struct err *err);

#endif
