#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/capture.h"

static struct arena *arena;
static struct err err;

static const char *folder_of(const char *config) {
    const char *folder = check_folder(arena);
    FILE *out = fopen(file_join(arena, folder, "config.json"), "we");
    check(out && fputs(config, out) >= 0 && fclose(out) == 0);
    char *whole =
        realpath(check_fixture(arena, "golden/data/models/t5/model.safetensors"), NULL);
    check(whole && symlink(whole, file_join(arena, folder, "model.safetensors")) == 0);
    free(whole);
    return folder;
}

#define SIZES                                                                  \
    "\"d_model\":48,\"d_kv\":12,\"d_ff\":96,\"num_layers\":2,\"num_heads\":4," \
    "\"vocab_size\":904"
#define TABLE "\"relative_attention_num_buckets\":8,\"relative_attention_max_distance\":16"
#define T5    "{\"model_type\":\"t5\"," SIZES "," TABLE

static struct model *opened(const char *config) {
    arena = check_arena();
    err = (struct err){ 0 };
    return model_open(arena, folder_of(config), &err);
}

static void refused(const char *config, enum err_kind kind, const char *part) {
    check(!opened(config));
    check_int(err.kind, kind);
    check_text(err.text, part);
}

TEST(t5_refuses_what_it_cannot_compute) {
    refused(T5 ",\"feed_forward_proj\":\"gated-maxout\"}", ERR_UNSUPPORTED, "gated-maxout");
    refused(T5 ",\"num_key_value_heads\":2}", ERR_UNSUPPORTED, "2 key-value heads for 4");
    refused(T5 ",\"dense_act_fn\":\"maxout\"}", ERR_UNSUPPORTED, "maxout");
    refused(T5 ",\"is_gated_act\":true}", ERR_FORMAT, "wi_0");
    refused(T5 ",\"is_encoder_decoder\":false}", ERR_UNSUPPORTED,
            "is_encoder_decoder is false");
    refused(T5 ",\"feed_forward_proj\":7}", ERR_FORMAT, "feed_forward_proj is 7");
    refused(T5 ",\"architectures\":[\"T5ForTokenClassification\"]}", ERR_UNSUPPORTED,
            "T5ForTokenClassification");
    refused("{\"model_type\":\"t5\"," SIZES
            ",\"relative_attention_num_buckets\":8,\"relative_attention_max_distance\":4}",
            ERR_FORMAT, "more than 4");
    refused("{\"model_type\":\"t5\"," SIZES ",\"relative_attention_num_buckets\":3}",
            ERR_FORMAT, "from 4");
    refused("{\"model_type\":\"umt5\"," SIZES "}", ERR_UNSUPPORTED, "nearest is t5");
}

TEST(t5_refuses_sizes_that_do_not_fit) {
    refused("{\"model_type\":\"t5\"," SIZES "}", ERR_FORMAT, "relative_attention_bias");
    refused(T5 ",\"num_decoder_layers\":1}", ERR_FORMAT, "decoder.block.1");
    refused(T5 ",\"num_decoder_layers\":3}", ERR_FORMAT, "decoder.block.2");
    refused(T5 ",\"num_decoder_layers\":9999}", ERR_FORMAT, "9999 layers are asked for");
    refused(T5 ",\"feed_forward_proj\":\"gated-gelu\"}", ERR_FORMAT, "wi_0");
    refused(T5 ",\"decoder_start_token_id\":\"x\"}", ERR_FORMAT, "decoder_start_token_id");
}

static double difference(const struct tensor *seen, const struct tensor *wanted) {
    double most = 0;
    if (!check(seen && wanted) || !check_int(seen->rank, wanted->rank) ||
        !check(memcmp(seen->shape, wanted->shape, (size_t)seen->rank * sizeof(int64_t)) == 0)) {
        return 1e9;
    }
    for (int64_t i = 0; i < tensor_count(seen); i++) {
        double d = (double)seen->data[i] - (double)wanted->data[i];
        most = d > most ? d : -d > most ? -d : most;
    }
    return most;
}

static struct weights *truth_of(void) {
    return weights_open(
        arena, check_fixture(arena, "golden/data/models/t5/expected.safetensors"), &err);
}

static const int32_t decoder_ids[] = { 0, 3, 2, 402, 27, 722, 69, 52, 8 };
static const int32_t labels[] = { 3, 2, 402, 27, 722, 69, 52, 8, 1 };

/* What transformers computes of the fixture's first text. */
TEST(t5_computes_what_transformers_does) {
    static const char *const names[] = { "embeddings",
                                         "encoder_hidden_states",
                                         "encoder_last_hidden_state",
                                         "encoder_attentions",
                                         "decoder_hidden_states",
                                         "decoder_last_hidden_state",
                                         "decoder_attentions",
                                         "cross_attentions",
                                         "logits",
                                         "loss",
                                         "token_nll",
                                         "top10_probs" };
    struct model *model = opened(T5 "}");
    struct weights *truth = truth_of();
    if (!check(model && truth) || !check_same(model->task, "seq2seq-lm")) {
        return;
    }
    const struct tensor *ids = weights_at(truth, "en.input_ids");
    struct capture_input input = { .name = "en",
                                   .ids = ids->bytes,
                                   .tokens = ids->shape[0],
                                   .decoder_ids = decoder_ids,
                                   .decoder_tokens = 9,
                                   .labels = labels,
                                   .position = 8,
                                   .greedy = 8 };
    struct capture *capture = capture_new(arena);
    check_int(capture_run(capture, model, &input, &err), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = arena_printf(arena, "en.%s", names[i]);
        check(difference(capture_at(capture, name), weights_at(truth, name)) < 3e-4);
    }
    const struct tensor *greedy = capture_at(capture, "en.greedy_ids");
    check(greedy && memcmp(greedy->bytes, weights_at(truth, "en.greedy_ids")->bytes,
                           (size_t)8 * sizeof(int32_t)) == 0);
}

/* Without decoder tokens only the encoder runs, with the same numbers; a T5EncoderModel has
 * nothing else. */
TEST(t5_runs_the_encoder_alone) {
    static const char *const classes[] = { "T5EncoderModel", "T5Model" };
    for (int i = 0; i < 2; i++) {
        struct model *model =
            opened(arena_printf(check_arena(), T5 ",\"architectures\":[\"%s\"]}", classes[i]));
        struct weights *truth = truth_of();
        if (!check(model && truth)) {
            return;
        }
        check_same(model->task, i == 0 ? "encoder" : "encoder-decoder");
        const struct tensor *ids = weights_at(truth, "en.input_ids");
        struct pass pass = {
            .arena = arena, .batch = 1, .tokens = ids->shape[0], .ids = ids->bytes
        };
        memset(pass.keep, true, sizeof pass.keep);
        struct trace *trace = model_run(model, &pass, &err);
        if (!check(trace != NULL)) {
            return;
        }
        struct tensor last = *trace_at(trace, SITE_FINAL, 0);
        last.rank = 2;
        memmove(last.shape, last.shape + 1, 2 * sizeof *last.shape);
        check(difference(&last, weights_at(truth, "en.encoder_last_hidden_state")) < 1e-4);
        check(!trace_at(trace, SITE_LOGITS, 0) && !trace_at(trace, SITE_DECODER_FINAL, 0));
    }
    struct pass pass = { .arena = arena,
                         .batch = 1,
                         .tokens = 1,
                         .ids = labels,
                         .decoder_tokens = 1,
                         .decoder_ids = labels };
    struct model *encoder = opened(T5 ",\"architectures\":[\"T5EncoderModel\"]}");
    pass.arena = arena;
    check(encoder && !model_run(encoder, &pass, &err));
    check_text(err.text, "no decoder");
}

/* A head that is not tied is not scaled: the logits are sqrt(48) times as large. */
TEST(t5_scales_a_tied_head) {
    const float *logits[2];
    int64_t n = 0;
    for (int i = 0; i < 2; i++) {
        struct model *model = opened(i == 0 ? T5 "}" : T5 ",\"tie_word_embeddings\":false}");
        struct pass pass = { .arena = arena,
                             .batch = 1,
                             .tokens = 3,
                             .ids = decoder_ids,
                             .decoder_tokens = 2,
                             .decoder_ids = decoder_ids };
        pass.keep[SITE_LOGITS] = true;
        struct trace *trace = model ? model_run(model, &pass, &err) : NULL;
        if (!check(trace != NULL)) {
            return;
        }
        n = tensor_count(trace_at(trace, SITE_LOGITS, 0));
        logits[i] = trace_at(trace, SITE_LOGITS, 0)->data;
    }
    check_int(n, 2 * 904);
    for (int64_t i = 0; i < n; i++) {
        check_near(logits[1][i], logits[0][i] * sqrtf(48), 1e-3);
    }
}
