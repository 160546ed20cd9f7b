#include <string.h>

#include "tests/check.h"
#include "tests/remake.h"

#define GPT2                                                                                \
    "{\"model_type\":\"gpt2\",\"n_positions\":32,\"n_embd\":48,\"n_layer\":3,\"n_head\":4," \
    "\"vocab_size\":512,\"architectures\":"
#define WORDS "[\"GPT2LMHeadModel\"]"

enum { C = 48, T = 6 };
static const int32_t ids[T] = { 12, 17, 300, 41, 5, 5 };

/* Multiplies the queries of block l: the first third of c_attn's columns. */
static void queries_scale(struct remake *gpt2, int64_t l, float factor) {
    struct tensor *weight = remake_own(gpt2, "h.%lld.attn.c_attn.weight", (long long)l);
    struct tensor *bias = remake_own(gpt2, "h.%lld.attn.c_attn.bias", (long long)l);
    for (int64_t i = 0; i < tensor_count(weight); i++) {
        weight->data[i] *= i % (3 * C) < C ? factor : 1;
    }
    for (int64_t i = 0; i < C; i++) {
        bias->data[i] *= factor;
    }
}

TEST(gpt2_divides_scores_by_the_block_if_the_file_says_so) {
    struct arena *arena = check_arena();
    struct remake *plain = remake_new(arena, "gpt2"), *scaled = remake_new(arena, "gpt2");
    queries_scale(scaled, 1, 1.0F / 2);
    queries_scale(scaled, 2, 1.0F / 3);
    const struct trace *said =
        remake_run(plain, GPT2 WORDS ",\"scale_attn_by_inverse_layer_idx\":true}", ids, T);
    remake_same(said, remake_run(scaled, GPT2 WORDS "}", ids, T), SITE_LOGITS, 0);
    remake_differs(said, remake_run(plain, GPT2 WORDS "}", ids, T), SITE_LOGITS, 0);
}

TEST(gpt2_leaves_scores_unscaled_if_the_file_says_so) {
    struct arena *arena = check_arena();
    struct remake *plain = remake_new(arena, "gpt2"), *scaled = remake_new(arena, "gpt2");
    for (int64_t l = 0; l < 3; l++) {
        queries_scale(scaled, l, 3.46410162F); /* sqrt(12), a head's width */
    }
    remake_same(remake_run(plain, GPT2 WORDS ",\"scale_attn_weights\":false}", ids, T),
                remake_run(scaled, GPT2 WORDS "}", ids, T), SITE_LOGITS, 0);
}

/* The head copies the first three numbers of the state that it reads. */
static void check_class(const struct remake *gpt2, const char *config, const int32_t *text,
                        int64_t row) {
    const struct trace *trace = remake_run(gpt2, config, text, T);
    const struct tensor *logits = trace ? trace_at(trace, SITE_LOGITS, 0) : NULL;
    if (!check(logits && logits->rank == 2 && logits->shape[1] == 3)) {
        return;
    }
    for (int64_t i = 0; i < 3; i++) {
        check_near(logits->data[i], trace_at(trace, SITE_FINAL, 0)->data[row * C + i], 1e-5);
    }
}

TEST(gpt2_classifies_by_the_last_token_that_is_no_padding) {
    struct remake *gpt2 = remake_new(check_arena(), "gpt2");
    struct tensor *score = remake_add(gpt2, 3, C, "score.weight");
    for (int64_t i = 0; i < 3; i++) {
        score->data[i * C + i] = 1;
    }
#define CLASSES                                                                             \
    GPT2 "[\"GPT2ForSequenceClassification\"],\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":" \
         "\"c\"}"
    static const int32_t all[T] = { 5, 5, 5, 5, 5, 5 };
    check_class(gpt2, CLASSES "}", ids, T - 1);
    check_class(gpt2, CLASSES ",\"pad_token_id\":5}", ids, T - 3);
    check_class(gpt2, CLASSES ",\"pad_token_id\":5}", all, 0);
}

/* The fixture holds the masks of old files, which are no parameters; its head is tied. */
TEST(gpt2_counts_parameters) {
    struct remake *gpt2 = remake_new(check_arena(), "gpt2");
    struct tensor *head = remake_add(gpt2, 512, C, "lm_head.weight");
    struct err err;
    remake_fill(head, 1);
    struct model *model = remake_open(gpt2, GPT2 WORDS "}", &err);
    if (check(model != NULL)) {
        check_int(model->parameters, 512 * C + 32 * C + 2 * C +
                                         3 * (4 * C + 4 * C * C + 4 * C + 8 * C * C + 5 * C));
    }
}

TEST(gpt2_refuses_what_it_does_not_compute) {
    remake_refused("gpt2", GPT2 WORDS ",\"add_cross_attention\":true}", ERR_UNSUPPORTED,
                   "add_cross_attention is true", "gpt2");
    remake_refused("gpt2", GPT2 WORDS ",\"scale_attn_weights\":1}", ERR_FORMAT,
                   "scale_attn_weights is 1", "true or false");
    remake_refused("gpt2", GPT2 WORDS ",\"num_key_value_heads\":2}", ERR_UNSUPPORTED,
                   "2 key-value heads for 4 heads", "gpt2");
    remake_refused("gpt2", GPT2 WORDS ",\"head_dim\":16}", ERR_UNSUPPORTED,
                   "4 heads of 16 numbers", "width of 48");
    remake_refused("gpt2", GPT2 WORDS ",\"activation_function\":\"mish\"}", ERR_UNSUPPORTED,
                   "activation mish", "gelu_new");
    remake_refused("gpt2", GPT2 WORDS ",\"n_inner\":100}", ERR_FORMAT, "mlp.c_fc.weight",
                   "100");
    remake_refused("gpt2", GPT2 WORDS ",\"tie_word_embeddings\":false}", ERR_FORMAT,
                   "lm_head.weight", "");
}
