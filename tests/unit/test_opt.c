#include <math.h>
#include <string.h>

#include "core/explain/embedding.h"
#include "core/explain/site_info.h"
#include "tests/check.h"
#include "tests/fixture.h"
#include "tests/remake.h"

#define OPT                                                                      \
    "{\"model_type\":\"opt\",\"architectures\":[\"OPTForCausalLM\"],"            \
    "\"max_position_embeddings\":32,\"hidden_size\":48,\"num_hidden_layers\":2," \
    "\"num_attention_heads\":4,\"ffn_dim\":96,\"vocab_size\":480"

enum { C = 48, T = 6, V = 480, NARROW = 20 };
static const int32_t ids[T] = { 2, 17, 300, 41, 5, 77 };

/* A norm without parameters is one whose gain is 1 and whose bias is 0. */
TEST(opt_norms_without_parameters) {
    struct arena *arena = check_arena();
    struct remake *plain = remake_new(arena, "opt"), *ones = remake_new(arena, "opt");
    for (int64_t i = 0; i < ones->count; i++) {
        const char *name = ones->tensors[i]->name;
        if (strstr(name, "layer_norm.")) {
            remake_fill(remake_own(ones, "%s", name), strstr(name, "weight") ? 1 : 0);
        }
    }
    remake_drop(plain, "layer_norm");
    remake_same(remake_run(plain, OPT ",\"layer_norm_elementwise_affine\":false}", ids, T),
                remake_run(ones, OPT "}", ids, T), SITE_LOGITS, 0);
}

TEST(opt_layers_without_bias) {
    struct arena *arena = check_arena();
    struct remake *plain = remake_new(arena, "opt"), *zeros = remake_new(arena, "opt");
    static const char *const layers[] = { "q_proj.bias",   "k_proj.bias", "v_proj.bias",
                                          "out_proj.bias", "fc1.bias",    "fc2.bias" };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        remake_drop(plain, layers[i]);
    }
    for (int64_t i = 0; i < zeros->count; i++) {
        const char *name = zeros->tensors[i]->name;
        if (strstr(name, "_proj.bias") || strstr(name, "fc1.bias") ||
            strstr(name, "fc2.bias")) {
            remake_fill(remake_own(zeros, "%s", name), 0);
        }
    }
    remake_same(remake_run(plain, OPT ",\"enable_bias\":false}", ids, T),
                remake_run(zeros, OPT "}", ids, T), SITE_LOGITS, 0);
}

/* With norms after each part, without parameters, every token's state has mean 0 and variance
 * 1, and the head reads it as it is. */
TEST(opt_norms_after_each_part) {
    struct remake *opt = remake_new(check_arena(), "opt");
    remake_drop(opt, "layer_norm");
    const struct trace *trace = remake_run(opt,
                                           OPT ",\"do_layer_norm_before\":false,"
                                               "\"layer_norm_elementwise_affine\":false}",
                                           ids, T);
    for (int64_t t = 0; trace && t < T; t++) {
        const float *state = trace_at(trace, SITE_RESIDUAL, 2)->data + t * C;
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < C; i++) {
            sum += (double)state[i];
            squares += (double)state[i] * (double)state[i];
        }
        check_near(sum / C, 0, 1e-6);
        check_near(squares / C, 1, 1e-4);
        check(memcmp(state, trace_at(trace, SITE_FINAL, 0)->data + t * C, C * sizeof *state) ==
              0);
    }
}

TEST(opt_without_its_final_norm) {
    struct remake *opt = remake_new(check_arena(), "opt");
    const struct trace *trace =
        remake_run(opt, OPT ",\"_remove_final_layer_norm\":true}", ids, T);
    if (trace) {
        check(memcmp(trace_at(trace, SITE_RESIDUAL, 2)->data,
                     trace_at(trace, SITE_FINAL, 0)->data, T * C * sizeof(float)) == 0);
    }
}

static float number(int64_t i) {
    return (float)sin((double)i * 0.7 + 0.3) * 0.4F;
}

/* left [n, k], right [k, m] or, `across`, [m, k]. */
static void multiply(struct tensor *out, const struct tensor *left, const struct tensor *right,
                     bool across) {
    int64_t k = left->shape[1], m = out->shape[1];
    for (int64_t i = 0; i < tensor_count(out); i++) {
        double sum = 0;
        for (int64_t j = 0; j < k; j++) {
            sum += (double)left->data[i / m * k + j] *
                   (double)right->data[across ? i % m * k + j : j * m + i % m];
        }
        out->data[i] = (float)sum;
    }
}

/* Narrow words W, a way in I and a way out O are wide words W I^T and a head W O. */
TEST(opt_words_narrower_than_the_stream) {
    struct arena *arena = check_arena();
    struct remake *narrow = remake_new(arena, "opt"), *wide = remake_new(arena, "opt");
    struct tensor *words = remake_add(narrow, V, NARROW, "model.decoder.embed_tokens.weight");
    struct tensor *in = remake_add(narrow, C, NARROW, "model.decoder.project_in.weight");
    struct tensor *out = remake_add(narrow, NARROW, C, "model.decoder.project_out.weight");
    for (int64_t i = 0; i < tensor_count(words); i++) {
        words->data[i] = number(i);
    }
    for (int64_t i = 0; i < tensor_count(in); i++) {
        in->data[i] = number(3 * i + 1);
        out->data[i] = number(5 * i + 2);
    }
    multiply(remake_add(wide, V, C, "model.decoder.embed_tokens.weight"), words, in, true);
    multiply(remake_add(wide, V, C, "lm_head.weight"), words, out, false);
    const struct trace *a = remake_run(narrow, OPT ",\"word_embed_proj_dim\":20}", ids, T);
    const struct trace *b = remake_run(wide, OPT ",\"tie_word_embeddings\":false}", ids, T);
    remake_same(a, b, SITE_RESIDUAL, 0);
    remake_same(a, b, SITE_LOGITS, 0);
    check(a && trace_at(a, SITE_EMBED, 0)->shape[2] == NARROW);
    check(a && trace_at(a, SITE_FINAL, 0)->shape[2] == NARROW);
}

/* Vectors of texts are as wide as what the head gets, be that narrower or wider than the
 * stream. */
TEST(opt_vectors_are_as_wide_as_the_words) {
    static const int64_t widths[] = { NARROW, 60 };
    for (int w = 0; w < 2; w++) {
        struct arena *arena = check_arena();
        struct remake *opt = remake_new(arena, "opt");
        int64_t e = widths[w];
        struct tensor *made[] = {
            remake_add(opt, V, e, "model.decoder.embed_tokens.weight"),
            remake_add(opt, C, e, "model.decoder.project_in.weight"),
            remake_add(opt, e, C, "model.decoder.project_out.weight"),
        };
        for (int64_t i = 0; i < V * e; i++) {
            made[0]->data[i] = number(i);
            made[1 + i % 2]->data[i / 2 % (C * e)] = number(3 * i + 1);
        }
        struct err err = { 0 };
        const char *config = arena_printf(arena, OPT ",\"word_embed_proj_dim\":%d}", (int)e);
        struct model *model = remake_open(opt, config, &err);
        if (!check(model != NULL)) {
            return;
        }
        model->tokenizer = fixture_model("opt")->tokenizer;
        check_int(model_final_width(model), e);
        struct embedding_text text = { "The model reads", 15 };
        struct embedding_reading how = { .layer = EMBEDDING_LAST, .pool = EMBEDDING_END };
        const struct embedding *last = embedding_texts(arena, model, &text, 1, &how, &err);
        const struct embedding *all = embedding_states(arena, model, &text, 1, &how, &err);
        check(last && all && last->vectors->shape[1] == e && all->vectors->shape[1] == e);
        check_near(
            embedding_cosine(last->vectors->data, all->vectors->data + (all->n - 1) * e, e), 1,
            1e-6);
        check_text(
            site_info(arena, model, "m", "ln_final.hook_normalized", "en", &err)->finding,
            arena_printf(arena, "[B, T, %d]", (int)e));
    }
}

TEST(opt_reads_every_prefix) {
    struct arena *arena = check_arena();
    const struct trace *whole = remake_run(remake_new(arena, "opt"), OPT "}", ids, T);
    for (int cut = 6; cut <= 14; cut += 8) { /* "model.", "model.decoder." */
        struct remake *opt = remake_new(arena, "opt");
        for (int64_t i = 0; i < opt->count; i++) {
            struct tensor *tensor = arena_alloc(arena, sizeof *tensor);
            *tensor = *opt->tensors[i];
            tensor->name += cut;
            opt->tensors[i] = tensor;
        }
        remake_same(remake_run(opt, OPT "}", ids, T), whole, SITE_LOGITS, 0);
    }
}

TEST(opt_refuses_what_does_not_agree) {
    remake_refused("opt", OPT ",\"enable_bias\":false}", ERR_FORMAT, "enable_bias is false",
                   "self_attn.q_proj.bias");
    remake_refused("opt", OPT ",\"layer_norm_elementwise_affine\":false}", ERR_FORMAT,
                   "layer_norm_elementwise_affine is false", "layer_norm.weight");
    remake_refused("opt", OPT ",\"word_embed_proj_dim\":0}", ERR_FORMAT,
                   "word_embed_proj_dim is 0", "from 1");
    remake_refused("opt", OPT ",\"word_embed_proj_dim\":20}", ERR_FORMAT, "embed_tokens.weight",
                   "20");
}

/* A mask hides tokens from the count of positions too: a text is the same wherever it stands.
 */
TEST(opt_positions_count_tokens_alone) {
    enum { PAD = 2, ALL = T + PAD };
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct model *model =
        model_open(arena, check_fixture(arena, "golden/data/models/opt"), &err);
    const struct trace *alone = remake_run(remake_new(arena, "opt"), OPT "}", ids, T);
    int32_t padded[ALL] = { 1, 1 };
    uint8_t mask[ALL] = { 0, 0, 1, 1, 1, 1, 1, 1 };
    memcpy(padded + PAD, ids, sizeof ids);
    struct pass pass = {
        .arena = arena, .batch = 1, .tokens = ALL, .ids = padded, .mask = mask
    };
    pass.keep[SITE_LOGITS] = true;
    struct trace *trace = check(model != NULL) ? model_run(model, &pass, &err) : NULL;
    if (!check(trace && alone)) {
        return;
    }
    const float *left = trace_at(trace, SITE_LOGITS, 0)->data + (int64_t)PAD * V;
    const float *wanted = trace_at(alone, SITE_LOGITS, 0)->data;
    for (int64_t i = 0; i < (int64_t)T * V; i++) {
        check_near(left[i], wanted[i], 1e-3);
    }
}

/* Norms without parameters have no tensor that vouches for their size. */
TEST(opt_makes_no_norms_of_a_width_that_no_tensor_has) {
    struct err err = { 0 };
    struct remake *opt = remake_new(check_arena(), "opt");
    int64_t before = arena_held();
    check(!remake_open(opt,
                       "{\"model_type\":\"opt\",\"hidden_size\":1048576,"
                       "\"num_hidden_layers\":9,\"num_attention_heads\":4,\"ffn_dim\":96,"
                       "\"vocab_size\":480,\"layer_norm_elementwise_affine\":false}",
                       &err));
    check_text(err.text, "embed_tokens.weight");
    check(arena_held() - before < 1000000);
}

/* Decoders that were made to see the whole text are other networks. */
TEST(opt_refuses_to_look_ahead) {
    remake_refused("opt", OPT ",\"is_causal\":false}", ERR_UNSUPPORTED, "is_causal is false",
                   "opt");
    struct err err = { 0 };
    check(remake_open(remake_new(check_arena(), "opt"), OPT ",\"is_causal\":true}", &err) !=
          NULL);
}
