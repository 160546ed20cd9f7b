/* Qwen 2 and 2.5: Llama with biases for queries, keys and values, and upper layers that may see
 * a window (Yang et al. 2024, arXiv:2407.10671). From Hugging Face folders and GGUF files. */

#include "core/model/decoder.h"

static int open(struct arena *arena, struct model *model, struct err *err) {
    struct decoder how = { .qkv_biased = true };
    struct transformer *qwen = decoder_open(arena, model, &how, err);
    if (!qwen || decoder_upper_windows(model->config, &qwen->stack, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

const struct arch qwen2_arch = {
    .name = "qwen2",
    .summary = "Qwen 2 and 2.5, from Hugging Face folders and GGUF",
    .causal = true,
    .sites = transformer_sites,
    .form = { .context_of = 32768,
              .kv_heads_of = 32,
              .eps_name = "rms_norm_eps",
              .eps_gguf = "attention.layer_norm_rms_epsilon",
              .eps = 1e-6,
              .act = "silu",
              .parts = DECODER_PARTS,
              .parts_gguf = DECODER_PARTS_GGUF,
              .settings = "use_sliding_window max_window_layers" },
    .open = open,
    .forward = transformer_forward,
};
