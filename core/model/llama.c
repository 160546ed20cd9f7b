/* Llama: a decoder with RMS norms before each part, rotary positions, grouped-query attention
 * and a gated feed-forward (Touvron et al. 2023, arXiv:2302.13971). From Hugging Face folders
 * and GGUF files, whose query and key rows are permuted so that rotary pairs are neighbours.
 * GGUF calls Mistral llama, too: then it may have a window. */

#include "core/model/decoder.h"

static int window_read(const struct config *c, struct stack *stack, struct err *err) {
    bool *slides = arena_array(c->arena, c->layers, sizeof *slides);
    int64_t window;
    if (!c->gguf) {
        return 0;
    }
    if (decoder_window_said(c, 0, &window, err) < 0) {
        return -1;
    }
    for (int64_t l = 0; l < c->layers; l++) {
        slides[l] = window > 0;
    }
    return decoder_window(c, stack, slides, window, err);
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct decoder how = { .adjacent = true, .factors = true };
    if (config_flag(c, "attention_bias", NULL, &how.qkv_biased, err) < 0 ||
        config_flag(c, "mlp_bias", NULL, &how.mlp_biased, err) < 0) {
        return err_pass(err);
    }
    how.output_biased = how.qkv_biased;
    struct transformer *llama = decoder_open(arena, model, &how, err);
    if (!llama || window_read(c, &llama->stack, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

const struct arch llama_arch = {
    .name = "llama",
    .summary = "Llama and its kin (SmolLM2), from Hugging Face folders and GGUF",
    .causal = true,
    .sites = transformer_sites,
    .form = { .context_of = 2048,
              .eps_name = "rms_norm_eps",
              .eps_gguf = "attention.layer_norm_rms_epsilon",
              .eps = 1e-6,
              .act = "silu",
              .parts = DECODER_PARTS,
              .parts_gguf = DECODER_PARTS_GGUF },
    .open = open,
    .forward = transformer_forward,
};
