#include "tests/check.h"

#include <string.h>

#include "tests/remake.h"

/* Gemma 3's fixture without its norms of queries and keys. The numbers are transformers'
 * 5.23.0 in float64 on the same weights. */

enum { T = 12 };
static const int32_t ids[T] = { 12, 17, 300, 41, 5, 6, 77, 13, 21, 9, 100, 4 };

#define GEMMA2_FOR(task)                                                                     \
    "{\"architectures\":[\"Gemma2For" task "\"],\"model_type\":\"gemma2\",\"hidden_size\":"  \
    "48,\"num_hidden_layers\":4,\"num_attention_heads\":4,\"num_key_value_heads\":1,"        \
    "\"head_dim\":16,\"intermediate_size\":80,\"max_position_embeddings\":64,\"vocab_size\"" \
    ":502,\"query_pre_attn_scalar\":24"
#define GEMMA2 GEMMA2_FOR("CausalLM")
#define CAPS(attention, words) \
    ",\"attn_logit_softcapping\":" attention ",\"final_logit_softcapping\":" words

static struct remake *gemma2(void) {
    struct remake *remake = remake_new(check_arena(), "gemma3");
    remake_drop(remake, "q_norm");
    remake_drop(remake, "k_norm");
    return remake;
}

static void check_row(const struct trace *trace, enum site site, int64_t layer, int64_t row,
                      const float *wanted, int n) {
    const struct tensor *value = trace_at(trace, site, layer);
    const float *seen = value->data + row * value->shape[value->rank - 1];
    for (int i = 0; i < n; i++) {
        check_near(seen[i], wanted[i], 2e-5);
    }
}

TEST(gemma2_gives_the_numbers_of_transformers) {
    static const float logits[] = { -2.196231F, 3.956833F, -3.288666F,
                                    -2.978271F, 5.396241F, -2.443733F };
    static const float window[T] = { 0,         0,         0,         0,
                                     0,         0,         0.475442F, 0.000638F,
                                     0.005077F, 0.479685F, 0.010504F, 0.028653F };
    static const float whole[T] = { 0.022054F, 0.003845F, 0.014829F, 0.002087F,
                                    0.047854F, 0.034597F, 0.054949F, 0.30435F,
                                    0.011763F, 0.047771F, 0.05989F,  0.396009F };
    const struct trace *trace =
        remake_run(gemma2(), GEMMA2 CAPS("5.0", "8.0") ",\"sliding_window\":6}", ids, T);
    check_row(trace, SITE_LOGITS, 0, T - 1, logits, 6);
    check_row(trace, SITE_ATTENTION, 0, T + T - 1, window, T); /* of head 1 */
    check_row(trace, SITE_ATTENTION, 1, T + T - 1, whole, T);
}

TEST(gemma2_has_no_cap_where_it_is_null) {
    static const float logits[] = { -2.192661F, 4.931346F, -3.256073F,
                                    -3.712235F, 5.871693F, -1.796124F };
    const struct trace *trace =
        remake_run(gemma2(), GEMMA2 CAPS("null", "null") ",\"sliding_window\":6}", ids, T);
    check_row(trace, SITE_LOGITS, 0, T - 1, logits, 6);
}

/* Only the logits of words have a cap. */
TEST(gemma2_classifies_without_a_cap) {
    enum { LABELS = 2, WIDTH = 48 };
    static const float scores[LABELS] = { 1.581622F, 3.163245F };
    struct remake *remake = gemma2();
    struct tensor *score = remake_add(remake, LABELS, WIDTH, "score.weight");
    for (int i = 0; i < LABELS * WIDTH; i++) {
        score->data[i] = 0.25F * (float)((i / WIDTH + 1) * (i % WIDTH % 7 - 3));
    }
    const struct trace *trace = remake_run(remake,
                                           GEMMA2_FOR("SequenceClassification")
                                               CAPS("5.0", "8.0") ",\"sliding_window\":6}",
                                           ids, T);
    check_row(trace, SITE_LOGITS, 0, 0, scores, LABELS);
}

/* What config.json leaves out is as the first Gemma 2 had it. */
TEST(gemma2_knows_what_is_usual) {
    remake_same(
        remake_run(gemma2(), GEMMA2 "}", ids, T),
        remake_run(gemma2(), GEMMA2 CAPS("50", "30") ",\"sliding_window\":4096}", ids, T),
        SITE_LOGITS, 0);
    remake_same(remake_run(gemma2(), GEMMA2 ",\"sliding_window\":null}", ids, T),
                remake_run(gemma2(), GEMMA2 "}", ids, T), SITE_LOGITS, 0);
    remake_same(remake_run(gemma2(), GEMMA2 ",\"sliding_window\":3}", ids, T),
                remake_run(gemma2(),
                           GEMMA2
                           ",\"sliding_window\":3,\"layer_types\":[\"sliding_attention\","
                           "\"full_attention\",\"sliding_attention\",\"full_attention\"]}",
                           ids, T),
                SITE_LOGITS, 0);
}

TEST(gemma2_refuses_what_it_cannot_compute) {
    remake_refused("gemma3", GEMMA2 ",\"use_bidirectional_attention\":true}", ERR_UNSUPPORTED,
                   "use_bidirectional_attention", "config.json");
    remake_refused("gemma3", GEMMA2 CAPS("-1", "8") "}", ERR_FORMAT, "attn_logit_softcapping",
                   "-1");
    remake_refused("gemma3", GEMMA2 ",\"layer_types\":[\"full_attention\"]}", ERR_FORMAT,
                   "layer_types has 1", "4");
}
