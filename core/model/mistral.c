/* Mistral: Llama whose queries see a window of keys (Jiang et al. 2023, arXiv:2310.06825). From
 * Hugging Face folders; GGUF files of it say llama. */

#include "core/model/decoder.h"

/* All layers have the window, or none has. */
static int window_read(const struct config *c, struct stack *stack, struct err *err) {
    bool *slides = arena_array(c->arena, c->layers, sizeof *slides);
    int64_t window;
    int said = decoder_slides(c, slides, err);
    if (said < 0 || decoder_window_said(c, 4096, &window, err) < 0) {
        return -1;
    }
    for (int64_t l = 0; l < c->layers; l++) {
        if (said == 1 && slides[l] != (window > 0)) {
            return err_set(
                err, ERR_UNSUPPORTED,
                "%s: layer_types differ from sliding_window at layer %lld; in %s all "
                "layers have the window, or none has",
                c->file, (long long)l, c->type);
        }
        slides[l] = window > 0;
    }
    return decoder_window(c, stack, slides, window, err);
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    struct transformer *mistral = decoder_open(arena, model, &(struct decoder){ 0 }, err);
    if (!mistral || window_read(model->config, &mistral->stack, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

const struct arch mistral_arch = {
    .name = "mistral",
    .summary = "Mistral, from Hugging Face folders",
    .causal = true,
    .sites = transformer_sites,
    .form = { .context_of = 131072,
              .kv_heads_of = 8,
              .eps_name = "rms_norm_eps",
              .eps_gguf = "attention.layer_norm_rms_epsilon",
              .eps = 1e-6,
              .act = "silu",
              .parts = DECODER_PARTS },
    .open = open,
    .forward = transformer_forward,
};
