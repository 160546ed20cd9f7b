#include <string.h>

#include "core/explain/site_info.h"
#include "core/result/column.h"
#include "tests/check.h"
#include "tests/fixture.h"

static struct result *ask(const struct model *model, const char *name, struct err *err) {
    *err = (struct err){ 0 };
    return site_info(check_arena(), model, "m", name, "en", err);
}

static void check_rows(const struct result *result, int64_t n, const char *first) {
    if (check(result)) {
        check_int(result->series[0].axes[0].count, n);
        check_same(result->series[0].axes[0].labels[0], first);
    }
}

TEST(site_info_finds_what_makes_a_site) {
    struct err err;
    const struct model *model = fixture_model("bert_mlm");
    const struct result *result = ask(model, "blocks.1.attn.hook_q", &err);
    check_rows(result, 2, "bert.encoder.layer.1.attention.self.query.weight");
    check_text(result->finding, "queries");
    check_rows(ask(model, "blocks.1.hook_resid_pre", &err), 8,
               "bert.encoder.layer.0.attention.output.dense.weight");
    check_rows(ask(model, "blocks.0.hook_resid_post", &err), 8,
               "bert.encoder.layer.0.attention.output.dense.weight");
    check_rows(ask(model, "blocks.0.hook_resid_pre", &err), 5,
               "bert.embeddings.word_embeddings.weight");
    /* No norm of its own follows the last block. */
    check_rows(ask(model, "ln_final.hook_normalized", &err), 8,
               "bert.encoder.layer.2.attention.output.dense.weight");
    check_rows(ask(model, "logits", &err), 6, "cls.predictions.transform.dense.weight");
}

TEST(site_info_says_shapes_with_the_models_numbers) {
    struct err err;
    const struct model *llama = fixture_model("llama_smollm2");
    const struct config *c = llama->config;
    struct arena *arena = check_arena();
    check_text(ask(llama, "blocks.0.attn.hook_k", &err)->finding,
               arena_printf(arena, "[B, T, %lld × %lld]", (long long)c->kv_heads,
                            (long long)c->head_width));
    check_text(ask(llama, "blocks.2.attn.hook_pattern", &err)->finding,
               arena_printf(arena, "[B, %lld, T, T]", (long long)c->heads));
    check_text(ask(llama, "blocks.0.mlp.hook_post", &err)->finding,
               arena_printf(arena, "[B, T, %lld]", (long long)c->inner));
    const struct model *t5 = fixture_model("t5");
    check_text(ask(t5, "decoder.1.cross_attn.hook_pattern", &err)->finding, "[B, 4, U, T]");
    const struct model *lstm = fixture_model("lstm_lm");
    check_text(ask(lstm, "layers.1.hook_cell", &err)->finding, "memory");
}

TEST(site_info_takes_tensors_and_blocks) {
    struct err err;
    const struct model *gguf = fixture_open("gguf/llama/model.gguf");
    check_rows(ask(gguf, "blk.1.attn_q.weight", &err), 1, "blk.1.attn_q.weight");
    check_rows(ask(gguf, "blocks.1", &err), 9, "blk.1.attn_norm.weight");
    check_rows(ask(gguf, "blk.1", &err), 9, "blk.1.attn_norm.weight");
    check_rows(ask(gguf, "token_embd", &err), 1, "token_embd.weight");
    check_text(ask(gguf, "blocks.1", &err)->finding, "blocks.1: 9 tensors, ");
    check_text(ask(gguf, "blk.1.attn_q", &err)->finding, "blk.1.attn_q: attention query, ");
}

TEST(site_info_names_the_nearest) {
    struct err err;
    const struct model *model = fixture_model("bert_mlm");
    check(!ask(model, "blocks.1.atn.hook_q", &err));
    check(err.kind == ERR_OPTION);
    check_text(err.text, "did you mean blocks.1.attn.hook_q");
    check(!ask(model, "intermediate", &err));
    check_text(err.text, "bert.encoder.layer.0.intermediate.dense");
    check(!ask(model, "blocks.3.attn.hook_q", &err)); /* there are 3 */
    check_text(err.text, "blocks.3.attn.hook_q is no part of this model, which has blocks.0 to "
                         "blocks.2");
    check(!ask(model, "blocks.99", &err));
    check_text(err.text, "blocks.0 to blocks.2");
    check(!ask(model, "", &err));
    check(!ask(model, "\xff\xfe", &err));
    check_text(err.text, "is no part");
    const struct model *bare = fixture_model("llama_smollm2");
    check(!ask(bare, "decoder.0.attn.hook_q", &err));
}

TEST(site_info_shows_some_names_where_none_is_near) {
    struct err err;
    check(!ask(fixture_model("llama_smollm2"), "zzzzzz", &err));
    check_text(err.text, "parts are, among others, hook_embed, blocks.0.hook_resid_pre, ");
}
