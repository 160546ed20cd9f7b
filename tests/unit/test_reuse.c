#include "tests/check.h"
#include "tests/fixture.h"

#include <string.h>

#include "core/base/catch.h"
#include "core/model/capture.h"
#include "core/model/model.h"
#include "tests/remake.h"

/* Shortcuts give the same bytes as the full run: resuming at a layer, a prefix that texts
 * share, only the wanted logits, a batch in place of single runs, embeddings in place of ids.
 * On every fixture that can do it. */

static const char *const models[] = { "gpt2",   "bert_mlm", "distilbert",    "roberta",
                                      "llama2", "llama3",   "llama_smollm2", "mistral",
                                      "qwen2",  "qwen3",    "gemma3",        "gpt_neox",
                                      "opt",    "phi",      "modernbert" };
enum { MODELS = sizeof models / sizeof *models, T = 12 };
static const int32_t ids[T] = { 12, 17, 300, 41, 5, 6, 77, 13, 21, 9, 100, 4 };

static struct trace *ran(const struct model *model, struct pass *pass) {
    struct err err = { 0 };
    struct trace *trace = model_run(model, pass, &err);
    if (!check(trace != NULL)) {
        check_same(err.text, "");
    }
    return trace;
}

static struct pass pass_of(struct arena *arena, int64_t begin, int64_t tokens) {
    struct pass pass = { .arena = arena, .batch = 1, .tokens = tokens, .ids = ids + begin };
    pass.keep[SITE_EMBED] = pass.keep[SITE_RESIDUAL] = pass.keep[SITE_ATTENTION] = true;
    pass.keep[SITE_FINAL] = pass.keep[SITE_LOGITS] = true;
    return pass;
}

static void check_bytes(const float *a, const float *b, int64_t n) {
    check(memcmp(a, b, (size_t)n * sizeof *a) == 0);
}

/* The rows first .. first + n of a full run's value [1, T, width] against all of another's. */
static void check_rows(const struct tensor *full, int64_t first, const struct tensor *part) {
    int64_t width = full->shape[2];
    check_bytes(full->data + first * width, part->data, tensor_count(part));
}

TEST(reuse_resumes_at_every_layer) {
    for (int m = 0; m < MODELS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        struct pass pass = pass_of(arena, 0, T);
        struct trace *full = ran(model, &pass);
        for (int64_t l = 0; l <= model->config->layers; l++) {
            struct pass again = pass_of(arena, 0, T);
            again.stream = trace_at(full, SITE_RESIDUAL, l);
            again.from = l;
            struct trace *rest = ran(model, &again);
            const struct tensor *logits = trace_at(full, SITE_LOGITS, 0);
            check_bytes(logits->data, trace_at(rest, SITE_LOGITS, 0)->data,
                        tensor_count(logits));
            check(!trace_at(rest, SITE_EMBED, 0));
            check(l == 0 || !trace_at(rest, SITE_RESIDUAL, l - 1));
        }
    }
}

/* The pattern of the rows after a prefix: [1, H, n, T] within [1, H, T, T]. */
static void check_pattern(const struct tensor *full, int64_t first, const struct tensor *part) {
    for (int64_t h = 0; h < full->shape[1]; h++) {
        check_bytes(full->data + (h * T + first) * T, part->data + h * (T - first) * T,
                    (T - first) * T);
    }
}

static void check_prefix(const struct model *model, int64_t first) {
    struct arena *arena = check_arena();
    struct pass all = pass_of(arena, 0, T), begin = pass_of(arena, 0, first);
    struct trace *full = ran(model, &all);
    begin.prefix = prefix_new(arena, model, T);
    begin.extend = true;
    check_rows(trace_at(full, SITE_LOGITS, 0), 0, trace_at(ran(model, &begin), SITE_LOGITS, 0));
    check_int(begin.prefix->tokens, first);
    for (int64_t batch = 1; batch <= 3; batch += 2) { /* texts share the prefix */
        struct pass rest = pass_of(arena, first, T - first);
        int32_t *many = arena_array(arena, batch * rest.tokens, sizeof *many);
        for (int64_t i = 0; i < batch * rest.tokens; i++) {
            many[i] = i < rest.tokens ? 3 : ids[first + i % rest.tokens];
            many[i] = batch == 1 ? ids[first + i] : many[i];
        }
        rest.ids = many;
        rest.batch = batch;
        rest.prefix = begin.prefix;
        struct trace *end = ran(model, &rest);
        for (int site = 0; site < SITE_COUNT; site++) {
            for (int64_t l = 0; trace_at(end, (enum site)site, l); l++) {
                struct tensor last = *trace_at(end, (enum site)site, l);
                int64_t size = tensor_count(&last) / batch;
                last.data += (batch - 1) * size;
                last.shape[0] = 1;
                const struct tensor *whole = trace_at(full, (enum site)site, l);
                if (site == SITE_ATTENTION) {
                    check_pattern(whole, first, &last);
                } else {
                    check_rows(whole, first, &last);
                }
            }
        }
    }
}

TEST(reuse_shares_a_prefix) {
    for (int m = 0; m < MODELS; m++) {
        const struct model *model = fixture_model(models[m]);
        if (model->arch->causal) {
            check_prefix(model, 1);
            check_prefix(model, 7);
            check_prefix(model, 11);
        }
    }
}

/* A decoder's text in pieces behind one source, of which the encoder is run once. */
static void check_decoder_prefix(const struct model *model, int64_t piece) {
    enum { SOURCE = 9 };
    struct arena *arena = check_arena();
    struct prefix *prefix = prefix_new(arena, model, T);
    struct pass all = pass_of(arena, 0, SOURCE);
    all.keep[SITE_DECODER_RESIDUAL] = all.keep[SITE_CROSS_ATTENTION] = true;
    all.keep[SITE_DECODER_ATTENTION] = true;
    all.decoder_ids = ids;
    all.decoder_tokens = T;
    struct pass some = all;
    struct trace *full = ran(model, &all);
    some.prefix = prefix;
    some.extend = true;
    for (int64_t at = 0; at < T; at += piece) {
        some.decoder_ids = ids + at;
        some.decoder_tokens = at + piece < T ? piece : T - at;
        struct trace *part = ran(model, &some);
        check((trace_at(part, SITE_RESIDUAL, 0) != NULL) == (at == 0));
        check_rows(trace_at(full, SITE_LOGITS, 0), at, trace_at(part, SITE_LOGITS, 0));
        for (int64_t l = 0; l < model->config->decoder_layers; l++) {
            const struct tensor *whole = trace_at(full, SITE_CROSS_ATTENTION, l);
            const struct tensor *seen = trace_at(part, SITE_CROSS_ATTENTION, l);
            for (int64_t h = 0; h < whole->shape[1]; h++) {
                check_bytes(whole->data + (h * T + at) * SOURCE,
                            seen->data + h * seen->shape[2] * SOURCE, seen->shape[2] * SOURCE);
            }
            check_rows(trace_at(full, SITE_DECODER_RESIDUAL, l + 1), at,
                       trace_at(part, SITE_DECODER_RESIDUAL, l + 1));
            if (at + piece >= T) {
                check_pattern(trace_at(full, SITE_DECODER_ATTENTION, l), at,
                              trace_at(part, SITE_DECODER_ATTENTION, l));
            }
        }
    }
    check_int(prefix->tokens, T);
}

TEST(reuse_goes_on_behind_a_source) {
    const struct model *model = fixture_model("t5");
    check_decoder_prefix(model, 1);
    check_decoder_prefix(model, 5);
    check_decoder_prefix(model, T);
}

static const char *const recurrents[] = { "rnn_lm", "gru_lm", "lstm_lm" };

TEST(reuse_goes_on_from_a_state) {
    for (int m = 0; m < 3; m++) {
        const struct model *model = fixture_model(recurrents[m]);
        for (int64_t piece = 1; piece <= T; piece += 3) {
            struct arena *arena = check_arena();
            struct pass all = { .arena = arena, .batch = 1, .tokens = T, .ids = ids };
            all.keep[SITE_OUTPUT] = all.keep[SITE_CELL] = all.keep[SITE_LOGITS] = true;
            struct pass some = all;
            struct trace *full = ran(model, &all);
            some.prefix = prefix_new(arena, model, T);
            some.extend = true;
            for (int64_t at = 0; at < T; at += piece) {
                some.ids = ids + at;
                some.tokens = at + piece < T ? piece : T - at;
                struct trace *part = ran(model, &some);
                for (int site = 0; site < SITE_COUNT; site++) {
                    for (int64_t l = 0; trace_at(full, (enum site)site, l); l++) {
                        check_rows(trace_at(full, (enum site)site, l), at,
                                   trace_at(part, (enum site)site, l));
                    }
                }
            }
        }
    }
}

static void interrupt(void *arg, int64_t done, int64_t of) {
    (void)arg, (void)done, (void)of;
    stop_request();
}

/* A run that is interrupted when it has computed its first layer leaves the prefix as it was.
 */
TEST(reuse_loses_nothing_by_an_interrupt) {
    for (int m = 0; m < 4; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(m < 3 ? recurrents[m] : "t5");
        struct prefix *prefix = prefix_new(arena, model, T);
        struct pass pass = { .arena = arena, .batch = 1, .tokens = 4, .ids = ids };
        pass.decoder_ids = m < 3 ? NULL : ids;
        pass.decoder_tokens = m < 3 ? 0 : 4;
        pass.keep[SITE_LOGITS] = true;
        struct pass all = pass, rest;
        all.tokens += m < 3 ? 3 : 0;
        all.decoder_tokens += m < 3 ? 0 : 3;
        pass.prefix = prefix;
        pass.extend = true;
        ran(model, &pass);
        rest = pass;
        rest.ids = m < 3 ? ids + 4 : ids;
        rest.tokens = m < 3 ? 3 : 4;
        rest.decoder_ids = m < 3 ? NULL : ids + 4;
        rest.decoder_tokens = m < 3 ? 0 : 3;
        struct pass broken = rest;
        broken.progress = interrupt;
        struct catch here;
        if (setjmp(catch_set(&here)->place) == 0) {
            ran(model, &broken);
            check(!"the run was interrupted");
        }
        catch_end(&here);
        stop_clear();
        check_int(prefix->tokens, 4);
        check_rows(trace_at(ran(model, &all), SITE_LOGITS, 0), 4,
                   trace_at(ran(model, &rest), SITE_LOGITS, 0));
    }
}

TEST(reuse_keeps_one_texts_prefix_to_itself) {
    for (int m = 0; m < 2; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(m ? "t5" : "lstm_lm");
        struct err err = { 0 };
        struct pass pass = { .arena = arena, .batch = 2, .tokens = 3, .ids = ids };
        pass.decoder_ids = m ? ids : NULL;
        pass.decoder_tokens = m ? 2 : 0;
        pass.prefix = prefix_new(arena, model, T);
        check(!model_run(model, &pass, &err));
        check_text(err.text, "one text's own");
        pass.batch = 1;
        pass.record = true;
        check(!model_run(model, &pass, &err));
        check_text(err.text, "without gradients");
        pass.record = false;
        pass.extend = true;
        pass.prefix->room = 1;
        check(!model_run(model, &pass, &err));
        check_text(err.text, "with room for 1");
        pass.decoder_tokens = 0;
        check(!m || !model_run(model, &pass, &err));
        check_text(err.text, m ? "its decoder's text, of which there is none" : "room for 1");
    }
}

/* Where only logits are kept, the last block goes on with their rows alone. */
TEST(reuse_computes_wanted_logits_only) {
    static const int64_t rows[] = { 11, 0, 5, 5 };
    for (int m = 0; m < MODELS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        struct pass all = pass_of(arena, 0, T);
        const struct tensor *full = trace_at(ran(model, &all), SITE_LOGITS, 0);
        for (int kept = 0; kept < 2; kept++) {
            struct pass some = pass_of(arena, 0, T);
            memset(some.keep, kept, sizeof some.keep);
            some.keep[SITE_LOGITS] = true;
            some.wanted_rows = rows;
            some.wanted = 4;
            const struct tensor *logits = trace_at(ran(model, &some), SITE_LOGITS, 0);
            check(logits->rank == 2 && logits->shape[0] == 4);
            for (int i = 0; i < 4; i++) {
                check_bytes(full->data + rows[i] * full->shape[2],
                            logits->data + i * full->shape[2], full->shape[2]);
            }
        }
    }
}

TEST(reuse_computes_what_a_classifier_reads) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("bert_cls");
    static const uint8_t mask[T] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0 };
    struct pass all = pass_of(arena, 0, 6), few = pass_of(arena, 0, 6);
    all.batch = few.batch = 2;
    all.mask = few.mask = mask;
    memset(few.keep, false, sizeof few.keep);
    few.keep[SITE_LOGITS] = true;
    const struct tensor *full = trace_at(ran(model, &all), SITE_LOGITS, 0);
    check_bytes(full->data, trace_at(ran(model, &few), SITE_LOGITS, 0)->data,
                tensor_count(full));
}

/* The gradient at the words of what two texts' logits say at one token each. */
static const struct tensor *words_gradient(struct arena *arena, const struct model *model,
                                           bool all_look, struct tensor **logits) {
    static const int64_t rows[] = { 4, 6 + 2 };
    static const uint8_t mask[T] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0 };
    struct err err;
    struct pass pass = pass_of(arena, 0, 6);
    pass.batch = 2;
    pass.mask = mask;
    pass.record = true;
    memset(pass.keep, false, sizeof pass.keep);
    pass.keep[SITE_EMBED] = pass.keep[SITE_LOGITS] = true;
    pass.keep[SITE_MIXED] = all_look;
    pass.wanted_rows = rows;
    pass.wanted = strcmp(model->task, "classification") != 0 ? 2 : 0;
    struct trace *trace = ran(model, &pass);
    *logits = trace_at(trace, SITE_LOGITS, 0);
    int64_t shape[] = { 1, 2, (*logits)->shape[1] };
    struct tensor *seed = tensor_new(arena, 3, shape);
    for (int64_t i = 0; i < tensor_count(seed); i++) {
        seed->data[i] = (float)(i % 7 - 3) / 64;
    }
    struct seed from = { .site = SITE_LOGITS, .gradient = seed };
    struct backward ask = { .from = &from, .count = 1, .want = { [SITE_EMBED] = true } };
    check(model_backward(trace, &ask, &err) == 0);
    return trace_gradient(trace, SITE_EMBED, 0);
}

/* Where positions mean nothing to attention, only those rows look at the others in the last
 * block. */
TEST(reuse_lets_only_wanted_rows_look) {
    static const char *const encoders[] = { "bert_cls", "bert_mlm", "distilbert", "roberta" };
    for (size_t m = 0; m < sizeof encoders / sizeof *encoders; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(encoders[m]);
        struct tensor *full, *some;
        const struct tensor *all_look = words_gradient(arena, model, true, &full);
        const struct tensor *few_look = words_gradient(arena, model, false, &some);
        check_bytes(full->data, some->data, tensor_count(full));
        for (int64_t i = 0; i < tensor_count(all_look); i++) {
            check_near(few_look->data[i], all_look->data[i], 1e-5);
        }
    }
}

TEST(reuse_computes_wanted_logits_of_a_decoder) {
    static const int64_t rows[] = { 3, 1 };
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("t5");
    struct pass all = pass_of(arena, 0, T), some = pass_of(arena, 0, T);
    all.decoder_ids = some.decoder_ids = ids + 3;
    all.decoder_tokens = some.decoder_tokens = 5;
    memset(some.keep, false, sizeof some.keep);
    some.keep[SITE_LOGITS] = true;
    some.wanted_rows = rows;
    some.wanted = 2;
    const struct tensor *full = trace_at(ran(model, &all), SITE_LOGITS, 0);
    const struct tensor *logits = trace_at(ran(model, &some), SITE_LOGITS, 0);
    for (int i = 0; i < 2; i++) {
        check_bytes(full->data + rows[i] * full->shape[2], logits->data + i * full->shape[2],
                    full->shape[2]);
    }
}

TEST(reuse_takes_embeddings) {
    for (int m = 0; m < MODELS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        struct pass all = pass_of(arena, 0, T), given = pass_of(arena, 0, T);
        struct trace *full = ran(model, &all);
        given.embeddings = trace_at(full, SITE_EMBED, 0);
        const struct tensor *logits = trace_at(full, SITE_LOGITS, 0);
        check_bytes(logits->data, trace_at(ran(model, &given), SITE_LOGITS, 0)->data,
                    tensor_count(logits));
    }
}

/* Llama 3's fixture, but for how its positions are scaled. */
#define LLAMA3(rope)                                                         \
    "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\","    \
    "\"hidden_size\":32,\"num_hidden_layers\":2,\"num_attention_heads\":4,"  \
    "\"num_key_value_heads\":2,\"intermediate_size\":80,\"vocab_size\":512," \
    "\"rms_norm_eps\":1e-5,\"max_position_embeddings\":8,\"rope_scaling\":" rope "}"

static int32_t best_after(const struct model *model, const int32_t *tokens, int64_t n) {
    struct pass pass = pass_of(check_arena(), 0, n);
    pass.ids = tokens;
    const struct tensor *logits = trace_at(ran(model, &pass), SITE_LOGITS, 0);
    const float *row = logits->data + (n - 1) * logits->shape[2];
    int32_t best = 0;
    for (int32_t i = 1; i < logits->shape[2]; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return best;
}

/* Where angles depend on the length of the text, nothing known of its beginning may be used. */
TEST(reuse_takes_no_prefix_of_stretched_positions) {
    enum { GREEDY = 8 };
    struct arena *arena = check_arena();
    const struct remake *llama = remake_new(arena, "llama3");
    struct err err = { 0 };
    struct model *model =
        remake_open(llama, LLAMA3("{\"rope_type\":\"dynamic\",\"factor\":4}"), &err);
    if (!check(model != NULL)) {
        return;
    }
    check(!model_takes_prefix(model));
    struct capture *capture = capture_new(arena);
    struct capture_input input = { .name = "x", .ids = ids, .tokens = T, .greedy = GREEDY };
    check(capture_run(capture, model, &input, &err) == 0);
    const struct tensor *greedy = capture_at(capture, "x.greedy_ids");
    int32_t tokens[T + GREEDY];
    memcpy(tokens, ids, sizeof ids);
    for (int i = T; i < T + GREEDY && check(greedy != NULL); i++) {
        tokens[i] = best_after(model, tokens, i);
        check_int(((const int32_t *)(const void *)greedy->data)[i - T], tokens[i]);
    }
    model = remake_open(llama,
                        LLAMA3("{\"rope_type\":\"longrope\",\"factor\":4,"
                               "\"original_max_position_embeddings\":4,"
                               "\"short_factor\":[1,1,2,3],\"long_factor\":[2,3,4,5]}"),
                        &err);
    check(model && !model_takes_prefix(model));
    model = remake_open(llama, LLAMA3("{\"rope_type\":\"linear\",\"factor\":4}"), &err);
    check(model && model_takes_prefix(model));
}

static void check_refused(const struct model *model, struct pass *pass, const char *part) {
    struct err err = { 0 };
    check(!model_run(model, pass, &err) && strstr(err.text, part));
}

TEST(reuse_refuses_what_does_not_fit) {
    struct arena *arena = check_arena();
    const struct model *llama = fixture_model("llama2"), *bert = fixture_model("bert_mlm");
    struct pass pass = pass_of(arena, 0, T);
    pass.prefix = prefix_new(arena, bert, 4);
    check_refused(bert, &pass, "a prefix needs a model that reads forwards");
    pass.prefix = prefix_new(arena, llama, 4);
    pass.extend = true;
    check_refused(llama, &pass, "cannot join a prefix");
    pass.prefix->tokens = 30; /* of a context of 32 */
    pass.extend = false;
    check_refused(llama, &pass, "reads at most 32");
    pass = pass_of(arena, 0, T);
    pass.wanted_rows = (int64_t[]){ T };
    pass.wanted = 1;
    check_refused(llama, &pass, "row 12 are wanted");
    pass = pass_of(arena, 0, T);
    pass.stream = tensor_new(arena, 3, (int64_t[]){ 1, T, 4 });
    check_refused(llama, &pass, "[1, 12, 4]");
    pass.from = 4;
    check_refused(llama, &pass, "block 4 of 2");
    pass.stream = tensor_new(arena, 3, (int64_t[]){ 1, T, llama->config->width });
    pass.from = 1;
    pass.prefix = prefix_new(arena, llama, T);
    pass.extend = true;
    check_refused(llama, &pass, "resumes at block 1 has no keys of the blocks before");
    pass = pass_of(arena, 0, T);
    pass.embeddings = tensor_new(arena, 2, (int64_t[]){ T, 40 });
    check_refused(llama, &pass, "[12, 40]");
}
