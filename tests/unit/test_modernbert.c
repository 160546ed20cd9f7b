#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/remake.h"

#define MODERN                                                                          \
    "{\"model_type\":\"modernbert\",\"max_position_embeddings\":64,\"hidden_size\":48," \
    "\"num_hidden_layers\":4,\"num_attention_heads\":4,\"intermediate_size\":64,"       \
    "\"vocab_size\":481,\"architectures\":"
#define WORDS "[\"ModernBertForMaskedLM\"]"
#define CLASSES \
    "[\"ModernBertForSequenceClassification\"],\"id2label\":{\"0\":\"a\",\"1\":\"b\"}"

enum { C = 48, T = 8, H = 4 };
static const int32_t ids[T] = { 1, 17, 300, 41, 5, 77, 9, 2 };

static void check_windows(const struct trace *trace, int64_t layer, int64_t window) {
    const struct tensor *pattern = trace ? trace_at(trace, SITE_ATTENTION, layer) : NULL;
    for (int64_t i = 0; pattern && i < tensor_count(pattern); i++) {
        bool seen = llabs((long long)(i % T - i / T % T)) <= window;
        check(seen ? pattern->data[i] > 0 : pattern->data[i] == 0);
    }
    check(pattern != NULL);
}

/* Half of local_attention to either side, rounded down; every third block sees all. */
TEST(modernbert_sees_a_window) {
    struct remake *modern = remake_new(check_arena(), "modernbert");
    const struct trace *trace =
        remake_run(modern, MODERN WORDS ",\"local_attention\":5}", ids, T);
    static const int64_t windows[] = { T, 2, 2, T };
    for (int64_t l = 0; l < 4; l++) {
        check_windows(trace, l, windows[l]);
    }
    trace = remake_run(modern,
                       MODERN WORDS ",\"local_attention\":0,\"layer_types\":"
                                    "[\"sliding_attention\",\"full_attention\","
                                    "\"sliding_attention\",\"full_attention\"]}",
                       ids, T);
    for (int64_t l = 0; l < 4; l++) {
        check_windows(trace, l, l % 2 ? T : 0);
    }
}

/* What newer files call the half of local_attention goes before it. */
TEST(modernbert_takes_the_window_by_its_other_name) {
    const struct trace *trace =
        remake_run(remake_new(check_arena(), "modernbert"),
                   MODERN WORDS ",\"local_attention\":6,\"sliding_window\":1}", ids, T);
    check_windows(trace, 1, 1);
}

/* Both kinds of blocks are scaled from the context that the file says, not from the one that
 * scaling makes of it. */
TEST(modernbert_scales_from_the_context_as_it_was) {
    struct remake *modern = remake_new(check_arena(), "modernbert");
    const struct trace *silent = remake_run(
        modern, MODERN WORDS ",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":8}}", ids,
        T);
    const struct trace *said =
        remake_run(modern,
                   MODERN WORDS ",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":8,"
                                "\"original_max_position_embeddings\":64}}",
                   ids, T);
    remake_same(silent, said, SITE_LOGITS, 0);
}

TEST(modernbert_says_bases_in_two_ways) {
    struct remake *modern = remake_new(check_arena(), "modernbert");
    const struct trace *old = remake_run(
        modern, MODERN WORDS ",\"global_rope_theta\":300,\"local_rope_theta\":77}", ids, T);
    const struct trace *new =
        remake_run(modern,
                   MODERN WORDS ",\"rope_parameters\":{\"full_attention\":{\"rope_type\":"
                                "\"default\",\"rope_theta\":300},\"sliding_attention\":"
                                "{\"rope_type\":\"default\",\"rope_theta\":77}}}",
                   ids, T);
    remake_same(old, new, SITE_LOGITS, 0);
    remake_differs(old, remake_run(modern, MODERN WORDS "}", ids, T), SITE_LOGITS, 0);
    remake_same(
        remake_run(modern, MODERN WORDS ",\"global_rope_theta\":77,\"local_rope_theta\":null}",
                   ids, T),
        remake_run(modern, MODERN WORDS ",\"global_rope_theta\":77,\"local_rope_theta\":77}",
                   ids, T),
        SITE_LOGITS, 0);
}

static struct remake *classifier(void) {
    struct remake *modern = remake_new(check_arena(), "modernbert");
    struct tensor *weight = remake_add(modern, 2, C, "classifier.weight");
    for (int64_t i = 0; i < 2 * C; i++) {
        weight->data[i] = (float)(i % 7) - 3;
    }
    remake_add(modern, 2, 0, "classifier.bias");
    return modern;
}

static const struct trace *batch_run(const struct model *model, struct arena *arena,
                                     int64_t batch, int64_t tokens, const int32_t *texts,
                                     const uint8_t *mask) {
    struct err err = { 0 };
    struct pass pass = {
        .arena = arena, .batch = batch, .tokens = tokens, .ids = texts, .mask = mask
    };
    pass.keep[SITE_LOGITS] = true;
    const struct trace *trace = model_run(model, &pass, &err);
    check_same(err.text, "");
    return trace;
}

/* A text of one token is its own mean; padding counts in none. */
TEST(modernbert_classifies_by_the_mean) {
    struct remake *modern = classifier();
    struct err err;
    remake_same(remake_run(modern, MODERN CLASSES ",\"classifier_pooling\":\"mean\"}", ids, 1),
                remake_run(modern, MODERN CLASSES "}", ids, 1), SITE_LOGITS, 0);
    remake_differs(
        remake_run(modern, MODERN CLASSES ",\"classifier_pooling\":\"mean\"}", ids, T),
        remake_run(modern, MODERN CLASSES "}", ids, T), SITE_LOGITS, 0);
    struct model *model =
        remake_open(modern, MODERN CLASSES ",\"classifier_pooling\":\"mean\"}", &err);
    static const int32_t texts[2 * T] = {
        1, 17, 300, 41, 5, 77, 9, 2, 1, 60, 2, 3, 3, 3, 3, 3
    };
    static const uint8_t mask[2 * T] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    if (check(model != NULL)) {
        const struct trace *both = batch_run(model, modern->arena, 2, T, texts, mask);
        const struct trace *one = batch_run(model, modern->arena, 1, 3, texts + T, NULL);
        for (int i = 0; both && one && i < 2; i++) {
            check_near(trace_at(both, SITE_LOGITS, 0)->data[2 + i],
                       trace_at(one, SITE_LOGITS, 0)->data[i], 1e-4);
        }
    }
}

TEST(modernbert_refuses_what_it_does_not_compute) {
    remake_refused("modernbert", MODERN CLASSES ",\"classifier_pooling\":\"max\"}",
                   ERR_UNSUPPORTED, "classifier_pooling is max", "mean");
    remake_refused("modernbert", MODERN WORDS ",\"layer_types\":[\"full_attention\"]}",
                   ERR_FORMAT, "layer_types", "4 names");
    remake_refused("modernbert",
                   MODERN WORDS ",\"layer_types\":[\"full_attention\",\"full_attention\","
                                "\"chunked_attention\",\"full_attention\"]}",
                   ERR_UNSUPPORTED, "block 2", "sliding_attention");
    remake_refused("modernbert", MODERN WORDS ",\"layer_types\":[1,2,3,4]}", ERR_UNSUPPORTED,
                   "block 0", "full_attention");
    remake_refused("modernbert", MODERN WORDS ",\"global_attn_every_n_layers\":0}", ERR_FORMAT,
                   "global_attn_every_n_layers is 0", "from 1");
    remake_refused("modernbert", MODERN WORDS ",\"local_attention\":-1}", ERR_FORMAT,
                   "local_attention is -1", "from 0");
    remake_refused("modernbert", MODERN WORDS ",\"norm_bias\":true}", ERR_FORMAT,
                   "embeddings.norm.bias", "");
    remake_refused("modernbert", MODERN WORDS ",\"decoder_bias\":false}", ERR_FORMAT,
                   "decoder_bias is false", "decoder.bias");
}
