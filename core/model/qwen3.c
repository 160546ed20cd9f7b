/* Qwen 3: Llama whose queries and keys are normed head by head before they are turned (Yang et
 * al. 2025, arXiv:2505.09388), and whose upper layers may see a window. From Hugging Face
 * folders and GGUF files. */

#include "core/model/decoder.h"

static int open(struct arena *arena, struct model *model, struct err *err) {
    struct decoder how = { .head_norms = true };
    if (config_flag(model->config, "attention_bias", NULL, &how.qkv_biased, err) < 0) {
        return err_pass(err);
    }
    how.output_biased = how.qkv_biased;
    struct transformer *qwen = decoder_open(arena, model, &how, err);
    if (!qwen || decoder_upper_windows(model->config, &qwen->stack, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

const struct arch qwen3_arch = {
    .name = "qwen3",
    .summary = "Qwen 3, from Hugging Face folders and GGUF",
    .causal = true,
    .sites = transformer_sites,
    .form = { .context_of = 32768,
              .kv_heads_of = 32,
              .head_width_of = 128,
              .eps_name = "rms_norm_eps",
              .eps_gguf = "attention.layer_norm_rms_epsilon",
              .eps = 1e-6,
              .act = "silu",
              .parts = DECODER_PARTS DECODER_HEAD_NORMS,
              .parts_gguf = DECODER_PARTS_GGUF DECODER_HEAD_NORMS_GGUF,
              .settings = "use_sliding_window max_window_layers" },
    .open = open,
    .forward = transformer_forward,
};
