/* Language models of gated recurrent units (PyTorch's GRU). */

#include "core/model/recurrent.h"

static int open(struct arena *arena, struct model *model, struct err *err) {
    return recurrent_open(arena, model, OP_GRU, err);
}

const struct arch gru_lm_arch = {
    .name = "gru_lm",
    .summary = "GRU language models",
    .causal = true,
    .sites = recurrent_sites,
    .form = RECURRENT_FORM,
    .open = open,
    .forward = recurrent_forward,
    .words = recurrent_words,
};
