#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/model/arch.h"
#include "core/model/kinship.h"

/* What is told of a file with these tensors (NULL-ended) and this config.json. */
static const char *tell(const char *type, const char *json, const char *const *names) {
    struct arena *arena = check_arena();
    struct err err;
    struct weights weights = { 0 };
    struct tensor tensors[16] = { 0 };
    while (names && names[weights.count]) {
        tensors[weights.count].name = names[weights.count];
        weights.count++;
    }
    weights.tensors = tensors;
    const struct json *tree =
        json ? json_parse(arena, json, strlen(json), "config.json", &err) : NULL;
    return kinship_tell(arena, type, tree, &weights);
}

TEST(kinship_compares_parts_and_settings) {
    static const char *const names[] = { "model.embed_tokens.weight",
                                         "model.layers.0.block_sparse_moe.experts.0.w1.weight",
                                         "model.layers.0.block_sparse_moe.experts.1.w1.weight",
                                         "model.layers.0.block_sparse_moe.gate.weight",
                                         "model.layers.0.input_layernorm.weight",
                                         "model.layers.0.post_attention_layernorm.weight",
                                         "model.layers.0.self_attn.k_proj.weight",
                                         "model.layers.0.self_attn.o_proj.weight",
                                         "model.layers.0.self_attn.q_proj.weight",
                                         "model.layers.0.self_attn.v_proj.weight",
                                         "model.layers.1.self_attn.v_proj.weight",
                                         NULL };
    check_same(tell("mixtral",
                    "{\"hidden_size\":8,\"num_local_experts\":8,\"pad_token_id\":0,"
                    "\"router_jitter_noise\":null,\"sliding_window\":4}",
                    names),
               "the nearest is mistral; differs: it has block_sparse_moe.experts.*.w1 "
               "(experts), block_sparse_moe.gate (experts); it lacks mlp.gate_proj, "
               "mlp.up_proj, mlp.down_proj; it asks for num_local_experts (experts)");
}

/* Names of files are cut between characters, so that a message stays UTF-8. */
TEST(kinship_cuts_long_names_between_characters) {
    static const char *const names[] = { "h.0.ln_1.weight",
                                         "h.0.attn.c_attn.weight",
                                         "h.0.attn.c_proj.weight",
                                         "h.0.ln_2.weight",
                                         "h.0.mlp.c_fc.weight",
                                         "h.0.猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫.weight",
                                         NULL };
    const char *text = tell("gpt2x", "{\"猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫\":1}", names);
    check_text(text, "the nearest is gpt2; differs: it has 猫猫");
    check_text(text, "it asks for 猫猫");
    check_int((int64_t)utf8_bad(text, strlen(text)), (int64_t)strlen(text));
}

/* The name alone would say phi. */
TEST(kinship_trusts_parts_more_than_names) {
    static const char *const names[] = { "h.0.ln_1.weight",
                                         "h.0.attn.bias", /* masks, no part of the network */
                                         "h.0.attn.masked_bias",
                                         "h.0.attn.c_attn.weight",
                                         "h.0.attn.c_proj.bias",
                                         "h.0.ln_2.weight",
                                         "h.0.mlp.c_fc.weight",
                                         "h.0.mlp.c_proj.weight",
                                         NULL };
    check_same(tell("phi9", "{\"n_embd\":8,\"n_head\":2,\"n_layer\":1,\"strange\":1}", names),
               "the nearest is gpt2; differs: it asks for strange");
}

TEST(kinship_reads_the_names_of_gguf) {
    static const char *const names[] = {
        "blk.0.attn_k.weight",      "blk.0.attn_q.weight",        "blk.0.attn_v.weight",
        "blk.0.attn_output.weight", "blk.0.ffn_gate_exps.weight", NULL
    };
    const char *told = tell("mystery", NULL, names);
    check_text(told, "the nearest is llama");
    check_text(told, "it has ffn_gate_exps (experts); it lacks attn_norm");
}

TEST(kinship_says_when_nothing_is_near) {
    static const char *const names[] = { "a.b", "3", "", NULL };
    check_same(tell("zzzz", "{\"alpha\":1}", names), "none that is known resembles it");
    check_text(tell("lama", "{}", NULL), "the nearest is llama");
}

/* Names as long as they come, and more of them than are looked at. */
TEST(kinship_stays_short) {
    struct buf *json = buf_new(check_arena());
    buf_text(json, "{");
    for (int i = 0; i < 3000; i++) {
        char member[300];
        snprintf(member, sizeof member, "%s\"n_embd%0*d\":1", i ? "," : "", i % 200, i);
        buf_text(json, member);
    }
    buf_text(json, "}");
    buf_add(json, "", 1);
    char name[256];
    memset(name, 'x', sizeof name - 1);
    memcpy(name, "h.0.", 4);
    name[sizeof name - 1] = '\0';
    const char *told = tell("gpt2x", json->data, (const char *const[]){ name, NULL });
    check_text(told, "the nearest is gpt2");
    check(strlen(told) < 500);
}

TEST(kinship_knows_every_architecture) {
    const struct arch *const *all = arch_all();
    for (int i = 0; all[i]; i++) {
        check(all[i]->form.parts || all[i]->form.settings);
        check_text(tell(all[i]->name, "{}", NULL), all[i]->name);
    }
}
