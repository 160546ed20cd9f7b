#include <math.h>
#include <string.h>

#include "core/model/transformer.h"
#include "tests/check.h"
#include "tests/remake.h"

#define NEOX                                                                     \
    "{\"model_type\":\"gpt_neox\",\"architectures\":[\"GPTNeoXForCausalLM\"],"   \
    "\"max_position_embeddings\":32,\"hidden_size\":64,\"num_hidden_layers\":2," \
    "\"intermediate_size\":128,\"vocab_size\":483,\"num_attention_heads\":"

enum { T = 6 };
static const int32_t ids[T] = { 12, 17, 300, 41, 5, 77 };

static const struct rope *rope_of(const char *config) {
    struct err err;
    struct model *model = remake_open(remake_new(check_arena(), "gpt_neox"), config, &err);
    check_same(err.text, "");
    return model ? &((struct transformer *)model->parts)->stack.ropes[0] : NULL;
}

static void check_rope(const char *config, int64_t width, int64_t span, double base) {
    const struct rope *rope = rope_of(config);
    if (check(rope != NULL)) {
        check_int(rope->width, width);
        check_int(rope->span, span);
        check_near(rope->base, base, 0);
    }
}

TEST(gpt_neox_turns_a_part_of_each_head) {
    check_rope(NEOX "4}", 4, 4, 10000);
    check_rope(NEOX "4,\"rotary_pct\":1,\"rotary_emb_base\":500}", 16, 16, 500);
    check_rope(NEOX "4,\"rotary_pct\":0}", 0, 0, 10000);
    check_rope(NEOX "4,\"rotary_pct\":1,\"rope_parameters\":{\"rope_type\":\"default\","
                    "\"rope_theta\":77,\"partial_rotary_factor\":0.5}}",
               8, 8, 77);
}

/* 3.2 of 16 numbers are 3, an odd count: one number more is turned, by base^(-2i/3). */
TEST(gpt_neox_turns_an_odd_part) {
    const struct rope *rope = rope_of(NEOX "4,\"rotary_pct\":0.2}");
    double turns[2] = { 0 };
    if (check(rope && rope->width == 4 && rope->span == 3)) {
        rope_turns(rope, T, turns);
        check_near(turns[0], 1, 1e-15);
        check_near(turns[1], pow(10000, -2.0 / 3), 1e-15);
    }
}

/* Where attention adds nothing, both orders are one; where it does, they are not. */
TEST(gpt_neox_in_sequence_and_in_parallel) {
    struct arena *arena = check_arena();
    struct remake *neox = remake_new(arena, "gpt_neox"), *mute = remake_new(arena, "gpt_neox");
    for (int64_t l = 0; l < 2; l++) {
        const char *at = arena_printf(arena, "gpt_neox.layers.%lld.attention", (long long)l);
        remake_fill(remake_own(mute, "%s.dense.weight", at), 0);
        remake_fill(remake_own(mute, "%s.dense.bias", at), 0);
    }
#define SEQUENCE "4,\"use_parallel_residual\":false}"
    const struct trace *sequence = remake_run(neox, NEOX SEQUENCE, ids, T);
    remake_same(remake_run(mute, NEOX SEQUENCE, ids, T), remake_run(mute, NEOX "4}", ids, T),
                SITE_LOGITS, 0);
    remake_differs(sequence, remake_run(neox, NEOX "4}", ids, T), SITE_LOGITS, 0);
    for (int64_t i = 0; sequence && i < T * 64; i++) {
        check_near(trace_at(sequence, SITE_RESIDUAL, 1)->data[i],
                   trace_at(sequence, SITE_RESIDUAL, 0)->data[i] +
                       trace_at(sequence, SITE_ATTENTION_OUT, 0)->data[i] +
                       trace_at(sequence, SITE_MLP_OUT, 0)->data[i],
                   1e-5);
    }
}

TEST(gpt_neox_names_its_head_in_two_ways) {
    struct arena *arena = check_arena();
    struct remake *old = remake_new(arena, "gpt_neox"), *new = remake_new(arena, "gpt_neox");
    struct tensor *head = remake_own(new, "embed_out.weight");
    remake_drop(new, "embed_out");
    memcpy(remake_add(new, 483, 64, "lm_head.weight")->data, head->data,
           (size_t)tensor_bytes(head));
    remake_same(remake_run(old, NEOX "4}", ids, T), remake_run(new, NEOX "4}", ids, T),
                SITE_LOGITS, 0);
}

TEST(gpt_neox_refuses_what_does_not_agree) {
    remake_refused("gpt_neox", NEOX "4,\"attention_bias\":false}", ERR_FORMAT,
                   "attention_bias is false", "query_key_value.bias");
    remake_refused("gpt_neox", NEOX "4,\"rotary_pct\":1.5}", ERR_FORMAT, "rotary_pct is 1.5",
                   "from 0 to 1");
    remake_refused("gpt_neox", NEOX "64,\"rotary_pct\":1}", ERR_UNSUPPORTED,
                   "all of a head's 1 numbers", "odd");
    remake_refused("gpt_neox",
                   NEOX "4,\"rotary_pct\":0.125,\"rope_scaling\":{\"type\":\"dynamic\","
                        "\"factor\":2}}",
                   ERR_FORMAT, "dynamic", "turn 2");
    remake_refused("gpt_neox",
                   NEOX "4,\"rope_parameters\":{\"full_attention\":{\"rope_theta\":5}}}",
                   ERR_UNSUPPORTED, "rope_parameters", "gpt_neox");
}
