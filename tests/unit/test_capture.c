#include "tests/check.h"

#include <string.h>

#include "core/base/file.h"
#include "core/model/capture.h"

static struct arena *arena;
static struct err err;

static struct model *model_of(const char *folder) {
    arena = check_arena();
    err = (struct err){ 0 };
    struct model *model = model_open(
        arena, check_fixture(arena, arena_printf(arena, "golden/data/%s", folder)), &err);
    check(model != NULL);
    return model;
}

/* The largest difference from the fixture's tensor of that name; its shape must be the same. */
static double difference(const struct capture *capture, const struct weights *truth,
                         const char *name) {
    const struct tensor *seen = capture_at(capture, name), *wanted = weights_at(truth, name);
    double most = 0;
    if (!check(seen && wanted) || !check_int(seen->rank, wanted->rank) ||
        !check(memcmp(seen->shape, wanted->shape, (size_t)seen->rank * sizeof(int64_t)) == 0)) {
        return 1e9;
    }
    for (int64_t i = 0; i < tensor_count(seen); i++) {
        double d = seen->dtype == DTYPE_F32
                       ? (double)seen->data[i] - (double)wanted->data[i]
                       : (double)(((int32_t *)seen->bytes)[i] - ((int32_t *)wanted->bytes)[i]);
        most = d > most ? d : -d > most ? -d : most;
    }
    return most;
}

/* Everything without gradients that the fixture has of its case "en". */
TEST(capture_names_what_a_causal_model_gives) {
    struct model *model = model_of("models/llama_smollm2");
    struct weights *truth = weights_open(
        arena, check_fixture(arena, "golden/data/models/llama_smollm2/expected.safetensors"),
        &err);
    if (!check(model && truth)) {
        return;
    }
    const struct tensor *ids = weights_at(truth, "en.input_ids");
    struct capture *capture = capture_new(arena);
    struct capture_input input = { .name = "en",
                                   .ids = ids->bytes,
                                   .tokens = ids->shape[0],
                                   .position = ids->shape[0] - 1,
                                   .greedy = 8 };
    check_int(capture_run(capture, model, &input, &err), 0);
    static const char *const names[] = { "hidden_states", "last_hidden_state", "attentions",
                                         "logits",        "token_nll",         "loss",
                                         "top10_probs",   "embeddings" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_near(difference(capture, truth, arena_printf(arena, "en.%s", names[i])), 0, 2e-4);
    }
    check_near(difference(capture, truth, "en.top10_ids"), 0, 0);
    check_near(difference(capture, truth, "en.greedy_ids"), 0, 0);
}

TEST(capture_of_no_tokens_is_their_list) {
    struct model *model = model_of("models/llama_smollm2");
    struct capture *capture = capture_new(arena);
    struct capture_input input = { .name = "empty" };
    check_int(capture_run(capture, model, &input, &err), 0);
    check_int(capture->count, 1);
    check_int(tensor_count(capture_at(capture, "empty.input_ids")), 0);
}

TEST(capture_passes_on_what_the_model_refuses) {
    struct model *model = model_of("models/llama_smollm2");
    struct capture *capture = capture_new(arena);
    struct capture_input input = { .name = "x", .ids = (int32_t[]){ 100000 }, .tokens = 1 };
    check_int(capture_run(capture, model, &input, &err), -1);
    check_int(err.kind, ERR_TEXT);
    check_text(err.text, "100000");
}

/* Two rows of one text, one padded: the padding changes nothing where tokens are. */
TEST(capture_batch_pads) {
    struct model *model = model_of("models/bert_cls");
    struct capture *capture = capture_new(arena);
    const int32_t ids[] = { 2, 74, 3, 2, 74, 3 }, padded[] = { 2, 74, 3, 0, 2, 74, 3, 0 };
    const uint8_t all[] = { 1, 1, 1, 1, 1, 1 }, some[] = { 1, 1, 1, 0, 1, 1, 1, 0 };
    struct capture_rows close = { .batch = 2, .tokens = 3, .ids = ids, .mask = all };
    struct capture_rows rows = { .batch = 2, .tokens = 4, .ids = padded, .mask = some };
    check_int(capture_batch(capture, model, &close, &err), 0);
    struct tensor first = *capture_at(capture, "batch.logits");
    struct capture *second = capture_new(arena);
    check_int(capture_batch(second, model, &rows, &err), 0);
    const struct tensor *logits = capture_at(second, "batch.logits");
    for (int64_t i = 0; i < tensor_count(&first); i++) {
        check_near(logits->data[i], first.data[i], 1e-5);
    }
    const struct tensor *states = capture_at(second, "batch.hidden_states");
    check(states && states->rank == 4 && states->shape[0] == 2 && states->shape[1] == 3);
    const struct tensor *patterns = capture_at(second, "batch.attentions");
    check(patterns && patterns->rank == 5 && patterns->shape[1] == 2);
}
