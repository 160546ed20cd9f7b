#include "tests/check.h"
#include "tests/remake.h"

#define SIZES                                                                       \
    "\"dim\":48,\"n_layers\":2,\"n_heads\":4,\"hidden_dim\":96,\"vocab_size\":600," \
    "\"max_position_embeddings\":32"
#define DISTILBERT(class) \
    "{\"model_type\":\"distilbert\",\"architectures\":[\"DistilBertFor" class "\"]," SIZES

enum { C = 48, T = 5 };
static const int32_t ids[T] = { 2, 17, 300, 41, 3 };

/* With pre_classifier 0, half its biases 2 and half -5, relu leaves 2s: 24 of them, times 1. */
TEST(distilbert_classifies_through_relu) {
    struct remake *distilbert = remake_new(check_arena(), "distilbert");
    remake_add(distilbert, C, C, "pre_classifier.weight");
    struct tensor *bias = remake_add(distilbert, C, 0, "pre_classifier.bias");
    remake_fill(remake_add(distilbert, 2, C, "classifier.weight"), 1);
    remake_fill(remake_add(distilbert, 2, 0, "classifier.bias"), -8);
    for (int64_t i = 0; i < C; i++) {
        bias->data[i] = i % 2 ? 2 : -5;
    }
    const struct trace *trace =
        remake_run(distilbert, DISTILBERT("SequenceClassification") "}", ids, T);
    for (int i = 0; trace && i < 2; i++) {
        check_near(trace_at(trace, SITE_LOGITS, 0)->data[i], 40, 1e-4);
    }
}

TEST(distilbert_refuses_what_does_not_agree) {
    remake_refused("distilbert", DISTILBERT("MaskedLM") ",\"num_key_value_heads\":1}",
                   ERR_UNSUPPORTED, "1 key-value heads", "distilbert");
    remake_refused("distilbert", DISTILBERT("MaskedLM") ",\"activation\":\"softplus\"}",
                   ERR_UNSUPPORTED, "activation softplus", "gelu");
    remake_refused("distilbert", DISTILBERT("SequenceClassification") "}", ERR_FORMAT,
                   "pre_classifier.weight", "");
}
