#include <math.h>
#include <string.h>

#include "tests/check.h"
#include "tests/remake.h"

#define SIZES                                                                        \
    "\"hidden_size\":48,\"num_hidden_layers\":2,\"num_attention_heads\":4,"          \
    "\"intermediate_size\":96,\"max_position_embeddings\":34,\"type_vocab_size\":1," \
    "\"layer_norm_eps\":1e-5,\"vocab_size\":481"
#define ROBERTA "{\"model_type\":\"roberta\",\"architectures\":[\"RobertaForMaskedLM\"]," SIZES

enum { C = 48, T = 6, PAD = 1 };
static const int32_t ids[T] = { 0, 17, PAD, 41, PAD, 2 };

/* Words say nothing, position p is the one-hot row p: the largest number tells the position.
 * Those of words count from pad + 1 on; padding within a text stands at pad and counts none. */
TEST(roberta_counts_positions_of_words_alone) {
    struct remake *roberta = remake_new(check_arena(), "roberta");
    struct tensor *positions =
        remake_add(roberta, 34, C, "roberta.embeddings.position_embeddings.weight");
    remake_add(roberta, 481, C, "roberta.embeddings.word_embeddings.weight");
    remake_add(roberta, 1, C, "roberta.embeddings.token_type_embeddings.weight");
    remake_fill(remake_own(roberta, "roberta.embeddings.LayerNorm.weight"), 1);
    remake_fill(remake_own(roberta, "roberta.embeddings.LayerNorm.bias"), 0);
    for (int64_t p = 0; p < 34; p++) {
        positions->data[p * C + p] = 1;
    }
    const struct trace *trace = remake_run(roberta, ROBERTA "}", ids, T);
    static const int64_t wanted[T] = { 2, 3, PAD, 4, PAD, 5 };
    for (int64_t t = 0; trace && t < T; t++) {
        const float *row = trace_at(trace, SITE_RESIDUAL, 0)->data + t * C;
        for (int64_t i = 0; i < C; i++) {
            check((row[i] > 1) == (i == wanted[t]));
        }
    }
}

TEST(roberta_has_fewer_places_than_positions) {
    struct arena *arena = check_arena();
    struct remake *roberta = remake_new(arena, "roberta");
    struct err err;
    struct model *model = remake_open(roberta, ROBERTA "}", &err);
    int32_t *text = arena_array(arena, 33, sizeof *text);
    struct pass pass = { .arena = arena, .batch = 1, .tokens = 33, .ids = text };
    if (check(model != NULL)) {
        check_int(model->config->context, 32);
        check(!model_run(model, &pass, &err));
        check_text(err.text, "33 tokens");
        check_text(err.text, "32");
    }
}

TEST(roberta_has_kin) {
    struct arena *arena = check_arena();
    struct remake *roberta = remake_new(arena, "roberta");
    const struct trace *self = remake_run(roberta, ROBERTA "}", ids, T);
    static const char *const kin[] = {
        "{\"model_type\":\"xlm-roberta\",\"architectures\":[\"XLMRobertaForMaskedLM\"]," SIZES
        "}",
        "{\"model_type\":\"camembert\",\"architectures\":[\"CamembertForMaskedLM\"]," SIZES "}",
    };
    for (int i = 0; i < 2; i++) {
        remake_same(remake_run(roberta, kin[i], ids, T), self, SITE_LOGITS, 0);
    }
}

/* Logits are out_proj tanh(dense x): with dense 0 and its bias 1, tanh(1) times a row's sum. */
TEST(roberta_classifies_by_its_first_token) {
    struct remake *roberta = remake_new(check_arena(), "roberta");
    remake_add(roberta, C, C, "classifier.dense.weight");
    remake_fill(remake_add(roberta, C, 0, "classifier.dense.bias"), 1);
    remake_fill(remake_add(roberta, 2, C, "classifier.out_proj.weight"), 0.5F);
    remake_fill(remake_add(roberta, 2, 0, "classifier.out_proj.bias"), 3);
    const struct trace *trace = remake_run(roberta,
                                           "{\"model_type\":\"roberta\",\"architectures\":"
                                           "[\"RobertaForSequenceClassification\"]," SIZES "}",
                                           ids, T);
    for (int i = 0; trace && i < 2; i++) {
        check_near(trace_at(trace, SITE_LOGITS, 0)->data[i], 0.5 * C * tanh(1) + 3, 1e-4);
    }
}

TEST(roberta_refuses_what_it_does_not_compute) {
    remake_refused("roberta", ROBERTA ",\"is_decoder\":true}", ERR_UNSUPPORTED,
                   "is_decoder is true", "roberta");
    remake_refused("roberta", ROBERTA ",\"add_cross_attention\":true}", ERR_UNSUPPORTED,
                   "add_cross_attention is true", "roberta");
    remake_refused("roberta", ROBERTA ",\"position_embedding_type\":\"relative_key\"}",
                   ERR_UNSUPPORTED, "position_embedding_type is \"relative_key\"", "absolute");
    remake_refused("roberta", ROBERTA ",\"pad_token_id\":33}", ERR_FORMAT, "pad_token_id is 33",
                   "34");
    remake_refused("roberta", ROBERTA ",\"pad_token_id\":-2}", ERR_FORMAT, "pad_token_id is -1",
                   "34");
    remake_refused("roberta", ROBERTA ",\"tie_word_embeddings\":false}", ERR_FORMAT,
                   "lm_head.decoder.weight", "");
}
