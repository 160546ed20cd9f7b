/* Gemma 3, the text half: Llama with embeddings times sqrt(width), norms before and after each
 * part, queries and keys normed head by head, and most layers local: they see a window of keys
 * and have a rope of their own (Gemma Team 2025, arXiv:2503.19786). From Hugging Face folders
 * (gemma3_text, or gemma3 with its text_config) and GGUF files.
 *
 * attn_logit_softcapping changes nothing, as in transformers 5.23 and llama.cpp, which read it
 * for Gemma 2 only; final_logit_softcapping counts. */

#include <math.h>
#include <string.h>

#include "core/model/decoder.h"
#include "core/model/gguf.h"

enum { LOCAL = 1, LAYERS_OF_27B = 62 };

static int ropes_read(const struct config *c, struct stack *stack, struct err *err) {
    const struct rope_place whole = { "full_attention", "rope_theta", true, 1e6 };
    const struct rope_place local = { "sliding_attention", "rope_local_base_freq", false, 1e4 };
    struct rope *ropes = stack->ropes;
    if (c->gguf) { /* local layers share the global rope's width, but not its scaling */
        ropes[LOCAL] = (struct rope){ .width = ropes[0].width, .base = 1e4 };
        return config_real(c, NULL, ".rope.freq_base_swa", 1e-6, 1e18, &ropes[LOCAL].base, err);
    }
    if (rope_read(c, &whole, &ropes[0], err) < 0 ||
        rope_read(c, &local, &ropes[LOCAL], err) < 0) {
        return -1;
    }
    if (ropes[0].width != c->head_width || ropes[LOCAL].width != c->head_width) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: partial_rotary_factor is set; whole heads are turned in %s",
                       c->file, c->type);
    }
    return 0;
}

/* GGUF: a flag for each layer. 1 if the file has them. */
static int flags_read(const struct config *c, bool *slides, struct err *err) {
    const char *key =
        arena_printf(c->arena, "%s.attention.sliding_window_pattern", c->gguf_type);
    const unsigned char *flags;
    int64_t n;
    if (!gguf_array_bools(c->gguf, key, &flags, &n)) {
        return 0;
    }
    if (n != c->layers) {
        return err_set(err, ERR_FORMAT,
                       "%s: %s has %lld flags; %lld, one for each layer, are "
                       "wanted",
                       c->file, key, (long long)n, (long long)c->layers);
    }
    for (int64_t l = 0; l < n; l++) {
        slides[l] = flags[l] != 0;
    }
    return 1;
}

/* Every sixth layer, or as many as the pattern says, sees all; the others are local. GGUF
 * without a window has none. */
static int windows_read(const struct config *c, struct stack *stack, struct err *err) {
    bool *slides = arena_array(c->arena, c->layers, sizeof *slides);
    int64_t window, every = 6;
    if (decoder_window_said(c, c->gguf ? 0 : 4096, &window, err) < 0) {
        return -1;
    }
    int said = c->gguf ? flags_read(c, slides, err) : decoder_slides(c, slides, err);
    if (said < 0 || (said == 0 && config_whole(c, "sliding_window_pattern",
                                               ".attention.sliding_window_pattern", 1, 1 << 20,
                                               &every, err) < 0)) {
        return -1;
    }
    for (int64_t l = 0; l < c->layers; l++) {
        slides[l] = said ? slides[l] : (l + 1) % every != 0;
        slides[l] = slides[l] && (window > 0 || !c->gguf);
        stack->blocks[l].rope = slides[l] ? LOCAL : 0;
    }
    return decoder_window(c, stack, slides, window, err);
}

/* Scores are divided by the root of query_pre_attn_scalar; GGUF does not say it, and llama.cpp
 * takes a head's width, but for the largest model. */
static int scales_read(const struct config *c, struct transformer *t, struct err *err) {
    double squared = 256, cap = 0;
    if (c->gguf) {
        squared = (double)(c->layers == LAYERS_OF_27B ? c->width / c->heads : c->head_width);
    }
    if (config_real(c, "query_pre_attn_scalar", NULL, 1e-6, 1e9, &squared, err) < 0 ||
        config_real(c, "final_logit_softcapping", ".final_logit_softcapping", 0, 1e9, &cap,
                    err) < 0) {
        return -1;
    }
    t->stack.scale = (float)(1 / sqrt(squared));
    t->stack.words_scale = (float)sqrt((double)c->width);
    t->head.cap = (float)cap;
    return 0;
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct decoder how = {
        .head_norms = true, .sandwich = true, .two_ropes = true, .from_one = true
    };
    if (strstr(c->class_name, "ForConditionalGeneration")) {
        model->task = "causal-lm"; /* of pictures and text; the text half is read */
    }
    if (config_flag(c, "attention_bias", NULL, &how.qkv_biased, err) < 0 ||
        config_only(c, "use_bidirectional_attention", false, err) < 0) {
        return err_pass(err);
    }
    how.output_biased = how.qkv_biased;
    struct transformer *t = decoder_open(arena, model, &how, err);
    if (!t || ropes_read(c, &t->stack, err) < 0 || windows_read(c, &t->stack, err) < 0 ||
        scales_read(c, t, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

const struct arch gemma3_arch = {
    .name = "gemma3",
    .summary = "Gemma 3 (text), from Hugging Face folders and GGUF",
    .causal = true,
    .sites = transformer_sites,
    .form = { .also = { "gemma3_text" },
              .inside = "text_config",
              .vocab_of = 262208,
              .heads_of = 8,
              .kv_heads_of = 4,
              .head_width_of = 256,
              .context_of = 131072,
              .eps_name = "rms_norm_eps",
              .eps_gguf = "attention.layer_norm_rms_epsilon",
              .eps = 1e-6,
              .act_name = "hidden_activation",
              .act = "gelu_pytorch_tanh",
              .rope_base = 1e6,
              .tied = true,
              .parts = DECODER_PARTS DECODER_HEAD_NORMS DECODER_SANDWICH,
              .parts_gguf = DECODER_PARTS_GGUF DECODER_HEAD_NORMS_GGUF DECODER_SANDWICH_GGUF,
              .settings = "query_pre_attn_scalar hidden_activation rope_local_base_freq "
                          "sliding_window_pattern attn_logit_softcapping "
                          "final_logit_softcapping use_bidirectional_attention" },
    .open = open,
    .forward = transformer_forward,
};
