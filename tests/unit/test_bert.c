#include "tests/check.h"
#include "tests/remake.h"

#define BERT(class)                                                                      \
    "{\"model_type\":\"bert\",\"hidden_size\":48,\"num_hidden_layers\":3,"               \
    "\"num_attention_heads\":4,\"intermediate_size\":96,\"max_position_embeddings\":32," \
    "\"vocab_size\":640,\"architectures\":[\"BertFor" class "\"]"

enum { C = 48, T = 5 };
static const int32_t ids[T] = { 2, 17, 300, 41, 3 };

/* What it was trained with beside words (is this the next sentence?) is passed over. */
TEST(bert_for_pre_training_is_a_masked_language_model) {
    struct arena *arena = check_arena();
    struct remake *words = remake_new(arena, "bert_mlm"), *all = remake_new(arena, "bert_mlm");
    remake_fill(remake_add(all, 2, C, "cls.seq_relationship.weight"), 1);
    remake_fill(remake_add(all, C, C, "bert.pooler.dense.weight"), 1);
    remake_same(remake_run(all, BERT("PreTraining") "}", ids, T),
                remake_run(words, BERT("MaskedLM") "}", ids, T), SITE_LOGITS, 0);
}

TEST(bert_refuses_what_it_does_not_compute) {
    remake_refused("bert_mlm", BERT("MaskedLM") ",\"is_decoder\":true}", ERR_UNSUPPORTED,
                   "is_decoder is true", "bert");
    remake_refused("bert_mlm", BERT("MaskedLM") ",\"num_key_value_heads\":2}", ERR_UNSUPPORTED,
                   "2 key-value heads", "bert");
    remake_refused("bert_mlm",
                   BERT("MaskedLM") ",\"position_embedding_type\":\"relative_key_query\"}",
                   ERR_UNSUPPORTED, "relative_key_query", "absolute");
    remake_refused("bert_mlm", BERT("MaskedLM") ",\"type_vocab_size\":0}", ERR_FORMAT,
                   "type_vocab_size is 0", "at least 1");
    remake_refused("bert_mlm",
                   "{\"model_type\":\"bert\",\"hidden_size\":48,\"num_hidden_layers\":2,"
                   "\"num_attention_heads\":4,\"intermediate_size\":96,\"vocab_size\":640,"
                   "\"max_position_embeddings\":32}",
                   ERR_FORMAT, "asks for 2 layers", "encoder.layer.2");
}
