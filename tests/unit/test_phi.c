#include <string.h>

#include "tests/check.h"
#include "tests/remake.h"

#define PHI                                                                      \
    "{\"model_type\":\"phi\",\"architectures\":[\"PhiForCausalLM\"],"            \
    "\"max_position_embeddings\":32,\"hidden_size\":48,\"num_hidden_layers\":2," \
    "\"intermediate_size\":96,\"vocab_size\":512,\"num_attention_heads\":3"

enum { C = 48, D = 16, T = 6 };
static const int32_t ids[T] = { 12, 17, 300, 41, 5, 77 };

/* Queries and keys whose norms make zeros of them look everywhere alike. */
TEST(phi_norms_queries_and_keys) {
    struct remake *phi = remake_new(check_arena(), "phi");
    for (long long l = 0; l < 2; l++) {
        for (int i = 0; i < 4; i++) {
            remake_add(phi, D, 0, "model.layers.%lld.self_attn.%c_layernorm.%s", l,
                       i / 2 ? 'k' : 'q', i % 2 ? "weight" : "bias");
        }
    }
    const struct trace *trace = remake_run(phi, PHI ",\"qk_layernorm\":true}", ids, T);
    const struct tensor *pattern = trace ? trace_at(trace, SITE_ATTENTION, 1) : NULL;
    for (int64_t i = 0; pattern && i < tensor_count(pattern); i++) {
        int64_t key = i % T, query = i / T % T;
        check_near(pattern->data[i], key <= query ? 1.0 / (double)(query + 1) : 0, 1e-6);
    }
    check(pattern != NULL);
}

/* One head of keys and values for all is the same head three times. */
TEST(phi_shares_keys_and_values) {
    struct arena *arena = check_arena();
    struct remake *one = remake_new(arena, "phi"), *three = remake_new(arena, "phi");
    static const char *const shared[] = { "k_proj", "v_proj" };
    for (int i = 0; i < 4; i++) {
        const char *at =
            arena_printf(arena, "model.layers.%d.self_attn.%s", i / 2, shared[i % 2]);
        struct tensor *weight = remake_own(three, "%s.weight", at);
        struct tensor *bias = remake_own(three, "%s.bias", at);
        memcpy(remake_add(one, D, C, "%s.weight", at)->data, weight->data,
               D * C * sizeof(float));
        memcpy(remake_add(one, D, 0, "%s.bias", at)->data, bias->data, D * sizeof(float));
        for (int h = 1; h < 3; h++) {
            memcpy(weight->data + h * D * C, weight->data, D * C * sizeof(float));
            memcpy(bias->data + h * D, bias->data, D * sizeof(float));
        }
    }
    remake_same(remake_run(one, PHI ",\"num_key_value_heads\":1}", ids, T),
                remake_run(three, PHI "}", ids, T), SITE_LOGITS, 0);
}

TEST(phi_ties_its_head_but_for_the_bias) {
    struct arena *arena = check_arena();
    struct remake *tied = remake_new(arena, "phi"), *copied = remake_new(arena, "phi");
    struct tensor *words = remake_own(copied, "model.embed_tokens.weight");
    memcpy(remake_own(copied, "lm_head.weight")->data, words->data,
           (size_t)tensor_bytes(words));
    remake_drop(tied, "lm_head.weight");
    remake_same(remake_run(tied, PHI ",\"tie_word_embeddings\":true}", ids, T),
                remake_run(copied, PHI "}", ids, T), SITE_LOGITS, 0);
}

TEST(phi_refuses_what_it_does_not_compute) {
    remake_refused("phi", PHI ",\"partial_rotary_factor\":0.2}", ERR_UNSUPPORTED,
                   "turn 3 of a head's 16 numbers", "even");
    remake_refused("phi", PHI ",\"qk_layernorm\":true}", ERR_FORMAT, "q_layernorm.weight", "");
    remake_refused("phi", PHI ",\"num_key_value_heads\":2}", ERR_FORMAT, "3", "2");
    remake_refused("phi", PHI ",\"tie_word_embeddings\":true,\"hidden_act\":\"x\"}",
                   ERR_UNSUPPORTED, "activation x", "gelu");
}
