/* Gemma 2: Llama with embeddings times sqrt(width), norms before and after each part, scores of
 * attention and of the words bent below a cap, and every other layer local: it sees a window of
 * keys (Gemma Team 2024, arXiv:2408.00118). From Hugging Face folders and GGUF files. */

#include <math.h>

#include "core/model/decoder.h"

enum { LAYERS_OF_27B = 46 };

/* The first layer has the window, the second has not, and so on, unless layer_types says
 * otherwise. */
static int windows_read(const struct config *c, struct stack *stack, struct err *err) {
    bool *slides = arena_array(c->arena, c->layers, sizeof *slides);
    int64_t window;
    int said = decoder_slides(c, slides, err);
    if (said < 0 || decoder_window_said(c, 4096, &window, err) < 0) {
        return -1;
    }
    for (int64_t l = 0; said == 0 && l < c->layers; l++) {
        slides[l] = l % 2 == 0 && window > 0;
    }
    return decoder_window(c, stack, slides, window, err);
}

/* A cap that is null in config.json is none, and one that is not there the usual. */
static int cap_read(const struct config *c, const char *name, const char *gguf, double usual,
                    float *cap, struct err *err) {
    const struct json *said = c->json ? json_at(c->json, name) : NULL;
    double value = said && said->kind == JSON_NULL ? 0 : usual;
    if (config_real(c, name, gguf, 0, 1e9, &value, err) < 0) {
        return -1;
    }
    *cap = (float)value;
    return 0;
}

/* Scores are divided by the root of query_pre_attn_scalar, of which GGUF says nothing: there it
 * is a head's width, but for the largest model, as in llama.cpp. */
static int scales_read(const struct config *c, struct transformer *t, struct err *err) {
    double squared = 256;
    if (c->gguf) {
        squared = (double)(c->layers == LAYERS_OF_27B ? c->width / c->heads : c->head_width);
    }
    if (config_real(c, "query_pre_attn_scalar", NULL, 1e-6, 1e9, &squared, err) < 0) {
        return -1;
    }
    t->stack.scale = (float)(1 / sqrt(squared));
    t->stack.words_scale = (float)sqrt((double)c->width);
    return cap_read(c, "attn_logit_softcapping", ".attn_logit_softcapping", 50, &t->stack.cap,
                    err) < 0
               ? -1
               : cap_read(c, "final_logit_softcapping", ".final_logit_softcapping", 30,
                          &t->head.cap, err);
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct decoder how = { .sandwich = true, .capped = true, .from_one = true };
    if (config_flag(c, "attention_bias", NULL, &how.qkv_biased, err) < 0 ||
        config_only(c, "use_bidirectional_attention", false, err) < 0) {
        return err_pass(err);
    }
    how.output_biased = how.qkv_biased;
    struct transformer *t = decoder_open(arena, model, &how, err);
    if (!t || windows_read(c, &t->stack, err) < 0 || scales_read(c, t, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

const struct arch gemma2_arch = {
    .name = "gemma2",
    .summary = "Gemma 2, from Hugging Face folders and GGUF",
    .causal = true,
    .sites = transformer_sites,
    .form = { .vocab_of = 256000,
              .heads_of = 8,
              .kv_heads_of = 4,
              .head_width_of = 256,
              .context_of = 8192,
              .eps_name = "rms_norm_eps",
              .eps_gguf = "attention.layer_norm_rms_epsilon",
              .eps = 1e-6,
              .act_name = "hidden_activation",
              .act = "gelu_pytorch_tanh",
              .tied = true,
              .parts = DECODER_PARTS DECODER_SANDWICH,
              .parts_gguf = DECODER_PARTS_GGUF DECODER_SANDWICH_GGUF,
              .settings = "query_pre_attn_scalar hidden_activation attn_logit_softcapping "
                          "final_logit_softcapping sliding_window" },
    .open = open,
    .forward = transformer_forward,
};
