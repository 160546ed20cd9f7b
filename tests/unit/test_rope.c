#include "tests/check.h"

#include <stdio.h>

#include "core/base/file.h"
#include "core/model/config.h"

static struct arena *arena;
static struct err err;

/* A Llama with heads of 16 numbers, context 64, base 10000 and these further members. */
static const struct config *read_json(const char *members) {
    static const struct weights none;
    arena = check_arena();
    err = (struct err){ 0 };
    char *path = file_join(arena, check_folder(arena), "config.json");
    FILE *out = fopen(path, "we");
    check(out &&
          fprintf(out,
                  "{\"model_type\":\"llama\",\"hidden_size\":64,\"num_hidden_layers\":1,"
                  "\"num_attention_heads\":4,\"intermediate_size\":32,\"vocab_size\":40,"
                  "\"max_position_embeddings\":64%s}",
                  members) > 0 &&
          fclose(out) == 0);
    return config_read(arena, &none, path, &err);
}

/* Frequencies and magnitude of transformers 5.23, modeling_rope_utils, in float32. */
static void turns_are(const char *members, int64_t tokens, const float *wanted,
                      double magnitude) {
    const struct config *c = read_json(members);
    double turns[8];
    if (!check(c && c->rope.width == 16)) {
        return;
    }
    rope_turns(&c->rope, tokens, turns);
    for (int i = 0; i < 8; i++) {
        check_near(turns[i] / (double)wanted[i], 1, 1e-6);
    }
    check_near(c->rope.attention != 0 ? c->rope.attention : 1, magnitude, 1e-12);
}

static void refused(const char *members, enum err_kind kind, const char *part,
                    const char *other) {
    check(!read_json(members));
    check_int(err.kind, kind);
    check_text(err.text, "config.json");
    check_text(err.text, part);
    check_text(err.text, other);
}

static const float plain[] = { 1,     0.316227764F,   0.100000001F,   0.0316227786F,
                               0.01F, 0.00316227786F, 0.00100000005F, 0.000316227786F };

TEST(rope_is_plain_unless_the_file_says_more) {
    turns_are("", 64, plain, 1);
    turns_are(",\"rope_scaling\":null", 64, plain, 1);
    turns_are(",\"rope_scaling\":{}", 64, plain, 1);
    turns_are(",\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":10000}", 64,
              plain, 1);
}

/* By hand: each frequency a fourth. */
TEST(rope_linear_divides_all) {
    static const float wanted[] = { 0.25F,   0.079056941F,    0.025F,   0.00790569466F,
                                    0.0025F, 0.000790569466F, 0.00025F, 7.90569466e-05F };
    turns_are(",\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}", 64, wanted, 1);
}

TEST(rope_dynamic_grows_the_base_beyond_the_context) {
    static const float wanted[] = { 1,
                                    0.283945143F,
                                    0.0806248412F,
                                    0.0228930302F,
                                    0.00650036521F,
                                    0.001845747F,
                                    0.000524090894F,
                                    0.000148813066F };
    static const char said[] = ",\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2}";
    turns_are(said, 100, wanted, 1);
    turns_are(said, 64, plain, 1);
    check_int(read_json(said)->context, 128);
}

TEST(rope_llama3_divides_long_waves) {
    static const float wanted[] = { 1,        0.0958399773F,   0.0125F,   0.00395284733F,
                                    0.00125F, 0.000395284733F, 0.000125F, 3.95284733e-05F };
    turns_are(",\"rope_parameters\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":"
              "1,\"high_freq_factor\":4,\"original_max_position_embeddings\":32}",
              64, wanted, 1);
}

TEST(rope_yarn_divides_what_turns_seldom) {
    static const float wanted[] = { 1,       0.197642356F,    0.025F,   0.00790569466F,
                                    0.0025F, 0.000790569466F, 0.00025F, 7.90569466e-05F };
    static const float sharp[] = { 1,       0.316227764F,    0.1F,     0.0122413188F,
                                   0.0025F, 0.000790569466F, 0.00025F, 7.90569466e-05F };
    turns_are(",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4,"
              "\"original_max_position_embeddings\":32}",
              64, wanted, 1.138629436111989);
    turns_are(",\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4,\"beta_fast\":8,"
              "\"beta_slow\":2,\"truncate\":false,\"mscale\":0.707,\"mscale_all_dim\":1,"
              "\"original_max_position_embeddings\":512}",
              64, sharp, 0.964326914892074);
}

TEST(rope_long_has_a_list_for_longer_texts) {
    static const char said[] =
        ",\"rope_scaling\":{\"rope_type\":\"longrope\",\"original_max_position_embeddings\":32,"
        "\"short_factor\":[1,1.1,1.2,1.3,1.4,1.5,1.6,1.7],\"long_factor\":[1,2,3,4,5,6,7,8.5]}";
    static const float brief[] = { 1,
                                   0.287479758F,
                                   0.0833333358F,
                                   0.0243252143F,
                                   0.00714285718F,
                                   0.00210818532F,
                                   0.000624999986F,
                                   0.000186016332F };
    static const float longer[] = { 1,
                                    0.158113882F,
                                    0.0333333351F,
                                    0.00790569466F,
                                    0.00200000009F,
                                    0.00052704633F,
                                    0.000142857141F,
                                    3.72032664e-05F };
    turns_are(said, 32, brief, 1.0954451150103321);
    turns_are(said, 33, longer, 1.0954451150103321);
}

TEST(rope_scaling_stands_before_rope_parameters) {
    const struct config *c =
        read_json(",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},\"rope_theta\":7,"
                  "\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":5}");
    check(c && c->rope.kind == ROPE_LINEAR && c->rope.base == 7);
}

TEST(rope_refuses_what_it_does_not_know) {
    refused(",\"rope_scaling\":{\"rope_type\":\"su\"}", ERR_UNSUPPORTED, "\"su\"", "longrope");
    refused(",\"rope_scaling\":{\"type\":\"mrope\"}", ERR_UNSUPPORTED, "mrope", "scaled");
    refused(",\"rope_parameters\":{\"rope_type\":7}", ERR_FORMAT, "rope_type is 7", "text");
}

TEST(rope_refuses_numbers_that_are_missing_or_wrong) {
    refused(",\"rope_scaling\":{\"rope_type\":\"linear\"}", ERR_FORMAT, "factor", "missing");
    refused(",\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":0}", ERR_FORMAT,
            "factor is 0", "wanted");
    refused(",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8}", ERR_FORMAT,
            "low_freq_factor", "missing");
    refused(",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,"
            "\"high_freq_factor\":4}",
            ERR_FORMAT, "high_freq_factor is 4", "larger");
    refused(",\"rope_theta\":1,\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2}",
            ERR_FORMAT, "yarn", "it is 1");
    refused(",\"head_dim\":2,\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2}",
            ERR_FORMAT, "dynamic", "they are 2");
    refused(",\"rope_scaling\":{\"rope_type\":\"longrope\",\"short_factor\":[1,2]}", ERR_FORMAT,
            "short_factor", "8 positive");
    refused(",\"rope_scaling\":{\"rope_type\":\"longrope\",\"short_factor\":[1,2,3,4,5,6,7,0]}",
            ERR_FORMAT, "short_factor", "8 positive");
}

/* What stands beside all else goes before what stands in the rope's own object. */
TEST(rope_takes_the_original_context_from_beside) {
    static const char *const kinds[] = {
        "\"llama3\",\"factor\":4,\"low_freq_factor\":1,\"high_freq_factor\":4",
        "\"yarn\",\"factor\":4",
        "\"longrope\",\"short_factor\":[1,1,1,1,1,1,1,1],\"long_factor\":[2,2,2,2,2,2,2,2]",
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char members[300];
        snprintf(members, sizeof members,
                 ",\"original_max_position_embeddings\":16,\"rope_scaling\":{\"rope_type\":%s,"
                 "\"original_max_position_embeddings\":32}",
                 kinds[i]);
        const struct config *c = read_json(members);
        check(c != NULL);
        check_near(c ? c->rope.original : 0, 16, 0);
    }
}
