/* Language models of simple recurrent layers (PyTorch's RNN). */

#include "core/model/recurrent.h"

static int open(struct arena *arena, struct model *model, struct err *err) {
    return recurrent_open(arena, model, OP_RNN_TANH, err);
}

const struct arch rnn_lm_arch = {
    .name = "rnn_lm",
    .summary = "simple recurrent language models (tanh or relu)",
    .causal = true,
    .sites = recurrent_sites,
    .form = RECURRENT_FORM,
    .open = open,
    .forward = recurrent_forward,
    .words = recurrent_words,
};
