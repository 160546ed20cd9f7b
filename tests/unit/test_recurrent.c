#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/capture.h"

static struct arena *arena;
static struct err err;

/* A folder with that configuration and the weights of a fixture. */
static const char *folder_of(const char *fixture, const char *config) {
    const char *folder = check_folder(arena);
    const char *weights =
        arena_printf(arena, "golden/data/models/%s/model.safetensors", fixture);
    FILE *out = fopen(file_join(arena, folder, "config.json"), "we");
    check(out && fputs(config, out) >= 0 && fclose(out) == 0);
    check_int(
        symlink(check_fixture(arena, weights), file_join(arena, folder, "model.safetensors")),
        0);
    return folder;
}

static void refused(const char *fixture, const char *config, enum err_kind kind,
                    const char *part) {
    arena = check_arena();
    err = (struct err){ 0 };
    check(!model_open(arena, folder_of(fixture, config), &err));
    check_int(err.kind, kind);
    check_text(err.text, part);
}

#define SIZES "\"embedding_size\":32,\"hidden_size\":40,\"vocab_size\":360"
#define LSTM  "{\"model_type\":\"lstm_lm\",\"num_layers\":2," SIZES
#define RNN   "{\"model_type\":\"rnn_lm\",\"num_layers\":2," SIZES

TEST(recurrent_refuses_what_it_cannot_compute) {
    refused("lstm_lm", LSTM ",\"bidirectional\":true}", ERR_UNSUPPORTED, "bidirectional");
    refused("lstm_lm", LSTM ",\"proj_size\":20}", ERR_UNSUPPORTED, "proj_size");
    refused("lstm_lm", LSTM ",\"bidirectional\":1}", ERR_FORMAT, "bidirectional is 1");
    refused("rnn_lm", RNN ",\"nonlinearity\":\"gelu\"}", ERR_UNSUPPORTED, "\"gelu\"");
    refused("rnn_lm", RNN ",\"nonlinearity\":3}", ERR_FORMAT, "nonlinearity");
}

TEST(recurrent_refuses_sizes_that_do_not_fit) {
    refused("lstm_lm", "{\"model_type\":\"lstm_lm\",\"num_layers\":1," SIZES "}", ERR_FORMAT,
            "rnn.weight_ih_l1");
    refused("lstm_lm", "{\"model_type\":\"lstm_lm\",\"num_layers\":3," SIZES "}", ERR_FORMAT,
            "rnn.weight_ih_l2");
    refused("lstm_lm", "{\"model_type\":\"gru_lm\",\"num_layers\":2," SIZES "}", ERR_FORMAT,
            "rnn.weight_ih_l0");
    refused("lstm_lm",
            "{\"model_type\":\"lstm_lm\",\"num_layers\":2,\"embedding_size\":31,"
            "\"hidden_size\":40,\"vocab_size\":360}",
            ERR_FORMAT, "embedding.weight");
    refused("lstm_lm", "{\"model_type\":\"lstm_lm\"," SIZES "}", ERR_FORMAT,
            "num_layers is missing");
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

/* What PyTorch computes of the fixtures' first text. */
TEST(recurrent_computes_what_pytorch_does) {
    static const char *const kinds[] = { "rnn_lm", "lstm_lm", "gru_lm" };
    static const char *const names[] = { "embeddings", "layer_outputs", "logits", "cell_states",
                                         "token_nll" };
    for (int k = 0; k < 3; k++) {
        arena = check_arena();
        const char *at = arena_printf(arena, "golden/data/models/%s", kinds[k]);
        struct model *model = model_open(arena, check_fixture(arena, at), &err);
        at = arena_printf(arena, "%s/expected.safetensors", at);
        struct weights *truth = weights_open(arena, check_fixture(arena, at), &err);
        if (!check(model && truth)) {
            return;
        }
        const struct tensor *ids = weights_at(truth, "en.input_ids");
        struct capture_input input = { .name = "en",
                                       .ids = ids->bytes,
                                       .tokens = ids->shape[0] };
        struct capture *capture = capture_new(arena);
        check_int(capture_run(capture, model, &input, &err), 0);
        for (int i = 0; i < 5; i++) {
            const char *name = arena_printf(arena, "en.%s", names[i]);
            const struct tensor *wanted = weights_at(truth, name);
            check((wanted != NULL) == (i != 3 || k == 1));
            if (wanted) {
                check(difference(capture_at(capture, name), wanted) < 2e-4);
            }
        }
        check(model->config->context == 0 && model->config->heads == 0);
    }
}

/* Wanted rows are the same numbers, embeddings in place of ids too; there is no prefix. */
TEST(recurrent_runs_as_the_pass_asks) {
    arena = check_arena();
    struct model *model =
        model_open(arena, check_fixture(arena, "golden/data/models/gru_lm"), &err);
    const int32_t ids[] = { 5, 6, 7, 8, 9, 10 };
    const int64_t rows[] = { 5, 0 };
    struct pass pass = { .arena = arena, .batch = 2, .tokens = 3, .ids = ids };
    pass.keep[SITE_EMBED] = pass.keep[SITE_LOGITS] = true;
    struct trace *whole = model ? model_run(model, &pass, &err) : NULL;
    if (!check(whole != NULL)) {
        return;
    }
    pass.embeddings = trace_at(whole, SITE_EMBED, 0);
    pass.wanted_rows = rows;
    pass.wanted = 2;
    struct trace *some = model_run(model, &pass, &err);
    const struct tensor *all = trace_at(whole, SITE_LOGITS, 0);
    int64_t vocab = all->shape[2];
    if (check(some && trace_at(some, SITE_LOGITS, 0)->rank == 2)) {
        const float *two = trace_at(some, SITE_LOGITS, 0)->data;
        check(memcmp(two, all->data + 5 * vocab, (size_t)vocab * sizeof(float)) == 0);
        check(memcmp(two + vocab, all->data, (size_t)vocab * sizeof(float)) == 0);
    }
    struct prefix prefix = { 0 };
    pass.prefix = &prefix;
    check(!model_run(model, &pass, &err));
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "one text's own, and goes on without gradients");
}
