#ifndef CORE_MODEL_DECODER_H
#define CORE_MODEL_DECODER_H

#include "core/model/transformer.h"

/* decoder: what Llama and its kin share: RMS norms before each part, rotary positions,
 * grouped-query attention, a gated feed-forward, and how Hugging Face folders and GGUF files
 * name all that. An architecture's file says in what it differs, and then sets scales, ropes
 * and windows of the struct transformer that it gets. */

/* For struct config_form: what the parts of their blocks are called. */
#define DECODER_PARTS                                                                      \
    "input_layernorm self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.o_proj " \
    "post_attention_layernorm mlp.gate_proj mlp.up_proj mlp.down_proj"
#define DECODER_HEAD_NORMS " self_attn.q_norm self_attn.k_norm"
#define DECODER_SANDWICH   " pre_feedforward_layernorm post_feedforward_layernorm"
#define DECODER_PARTS_GGUF \
    "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down"
#define DECODER_HEAD_NORMS_GGUF " attn_q_norm attn_k_norm"
#define DECODER_SANDWICH_GGUF   " post_attention_norm post_ffw_norm"

/* In what the kin differ. Biases that a Hugging Face folder's configuration rules out are not
 * read even if they are there; in GGUF they count where they are, as in llama.cpp. */
struct decoder {
    bool qkv_biased, output_biased, mlp_biased;
    bool head_norms; /* queries and keys are normed head by head (Qwen3, Gemma 3) */
    bool sandwich;   /* what a part gives is normed, too, before it joins the stream (Gemma) */
    bool capped;     /* scores of attention may have a cap (Gemma 2) */
    bool two_ropes;  /* the architecture reads those of its layers itself (Gemma 3) */
    bool from_one;   /* a Hugging Face folder's gains lack 1 (Gemma); GGUF's do not */
    bool adjacent;   /* rotary pairs are neighbours in GGUF, whose q and k rows are permuted */
    bool factors;    /* GGUF may have a rope_freqs.weight */
};

/* Finds all weights and heads (of words, or a classifier's "score"); model->parts is what is
 * returned: every block sees all and is turned by config->rope. NULL with what is missing, or
 * what the file asks for and nothing here computes, by name. */
struct transformer *decoder_open(struct arena *arena, struct model *model,
                                 const struct decoder *how, struct err *err);

/* The configuration's layer_types into slides [layers]: whether a block sees a window only. 1
 * if it has them, 0 if not, -1 for another length or a kind of layer that is not known. */
int decoder_slides(const struct config *config, bool *slides, struct err *err);

/* sliding_window: how many keys a query sees, its own included. `usual` if the file is silent,
 * 0 if it says null, or GGUF 0: there is no window. */
int decoder_window_said(const struct config *config, int64_t usual, int64_t *window,
                        struct err *err);

/* Gives that window to the blocks that slide; ERR_FORMAT if one does and it is 0. */
int decoder_window(const struct config *config, struct stack *stack, const bool *slides,
                   int64_t window, struct err *err);

/* Qwen 2 and 3: use_sliding_window, sliding_window, max_window_layers, layer_types. */
int decoder_upper_windows(const struct config *config, struct stack *stack, struct err *err);

#endif
