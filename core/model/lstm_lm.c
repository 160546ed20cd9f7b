/* Language models of long short-term memory (PyTorch's LSTM). */

#include "core/model/recurrent.h"

static const enum site sites[] = { SITE_EMBED, SITE_OUTPUT, SITE_CELL, SITE_LOGITS,
                                   SITE_COUNT };

static int open(struct arena *arena, struct model *model, struct err *err) {
    return recurrent_open(arena, model, OP_LSTM, err);
}

const struct arch lstm_lm_arch = {
    .name = "lstm_lm",
    .summary = "LSTM language models",
    .causal = true,
    .sites = sites,
    .form = RECURRENT_FORM,
    .open = open,
    .forward = recurrent_forward,
    .words = recurrent_words,
};
