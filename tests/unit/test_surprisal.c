#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/explain/broken.h"
#include "core/explain/surprisal.h"
#include "core/tensor/logsumexp.h"
#include "tests/check.h"
#include "tests/fixture.h"
#include "tests/remake.h"

static const struct surprisal_request usual = { 0 };

static const char *config_of(const char *name) {
    struct err err = { 0 };
    const char *path = arena_printf(check_arena(), "golden/data/models/%s/config.json", name);
    const struct file *file = file_map(check_arena(), check_fixture(check_arena(), path), &err);
    return file ? arena_text(check_arena(), (const char *)file->bytes, (size_t)file->size) : "";
}

static struct surprisal *read_text(const struct model *model, const char *text,
                                   struct surprisal_request request, struct err *err) {
    *err = (struct err){ 0 };
    return model ? surprisal(check_arena(), model, text, strlen(text), &request, err) : NULL;
}

/* Closed form: with word vectors of 0, which are the head too, every token of V is as likely
 * as any other. */
TEST(surprisal_of_a_uniform_model_is_log_v) {
    struct err err = { 0 };
    struct remake *remake = remake_new(check_arena(), "gpt2");
    remake_fill(remake_own(remake, "wte.weight"), 0);
    const struct model *model = remake_open(remake, config_of("gpt2"), &err);
    const int32_t ids[] = { 3, 8, 5, 9, 2 };
    const struct surprisal *of =
        model ? surprisal_of_ids(check_arena(), model, ids, 5, &usual, &err) : NULL;
    if (!check(of != NULL)) {
        return;
    }
    double vocab = (double)model->config->vocab;
    check_int(of->count, 4);
    check_near(surprisal_bits(of->nats[3]), log2(vocab), 1e-12);
    check_near(surprisal_perplexity(of->total, of->count), vocab, 1e-9);
    check(!of->counted[0] && of->counted[1]);
}

TEST(surprisal_measures) {
    check_near(surprisal_bits(log(8)), 3, 1e-15);
    check_near(surprisal_perplexity(3 * log(7), 3), 7, 1e-14);
    check_near(surprisal_bits_per_byte(6 * log(2), 4), 1.5, 1e-15);
    check(isnan(surprisal_perplexity(0, 0)));
}

TEST(surprisal_equals_pytorch) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    const struct weights *golden = weights_open(
        arena, check_fixture(arena, "golden/data/models/llama_smollm2/expected.safetensors"),
        &err);
    const struct tensor *wanted = golden ? weights_at(golden, "repeat.token_nll") : NULL;
    const struct surprisal *of = read_text(model, "one two one two one two", usual, &err);
    if (!check(wanted && of)) {
        return;
    }
    check_int(of->count, wanted->shape[0]);
    for (int64_t i = 0; i < of->count; i++) {
        check_near(of->nats[i + 1], wanted->data[i], 1e-4);
    }
}

/* What windows are, spelled out: each is a text of its own, of which the tokens that none has
 * reached before count. */
TEST(surprisal_reads_long_texts_by_windows) {
    struct err err = { 0 };
    const struct model *model = fixture_model("gpt2");
    enum { TOKENS = 50, WINDOW = 16, STRIDE = 7 };
    int32_t ids[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
        ids[i] = 3 + i * 37 % 400;
    }
    const struct surprisal_request windows = { .window = WINDOW, .stride = STRIDE };
    const struct surprisal *of =
        model ? surprisal_of_ids(check_arena(), model, ids, TOKENS, &windows, &err) : NULL;
    if (!check(of != NULL)) {
        return;
    }
    double total = 0;
    for (int begin = 0, known = 0; known < TOKENS; begin += STRIDE) {
        int end = begin + WINDOW < TOKENS ? begin + WINDOW : TOKENS;
        const struct surprisal *part =
            surprisal_of_ids(check_arena(), model, ids + begin, end - begin, &usual, &err);
        for (int t = known > begin ? known : begin + 1; t < end; t++) {
            check(of->nats[t] == part->nats[t - begin]); /* the same to the bit */
            total += part->nats[t - begin];
        }
        known = end;
    }
    check_int(of->count, TOKENS - 1);
    check_near(of->total, total, 1e-9);
    check_int(of->known, TOKENS);
}

TEST(surprisal_of_windows_side_by_side_leaves_their_first_tokens_out) {
    struct err err = { 0 };
    const struct model *model = fixture_model("gpt2");
    const int32_t ids[] = { 5, 9, 12, 7, 5, 3, 8, 20 };
    const struct surprisal_request apart = { .window = 4, .stride = 4 };
    const struct surprisal *of =
        model ? surprisal_of_ids(check_arena(), model, ids, 8, &apart, &err) : NULL;
    check(of && of->count == 6 && !of->counted[0] && !of->counted[4] && of->counted[5]);
}

/* Each token of its own is masked in turn; [CLS] and [SEP] are not. */
TEST(surprisal_of_a_masked_model_masks_one_token_at_a_time) {
    struct err err = { 0 };
    const struct model *model = fixture_model("bert_mlm");
    const struct surprisal *of = read_text(model, "the cat sat on the mat", usual, &err);
    if (!check(of != NULL)) {
        return;
    }
    const struct encoding *encoding = of->encoding;
    int64_t n = encoding->count;
    int32_t mask = tokenizer_id(model->tokenizer, "[MASK]");
    check_int(of->count, n - 2);
    check(of->masked && !of->counted[0] && !of->counted[n - 1]);
    for (int64_t t = 1; t + 1 < n; t++) {
        int32_t *ids = arena_array(check_arena(), n, sizeof *ids);
        for (int64_t i = 0; i < n; i++) {
            ids[i] = i == t ? mask : encoding->tokens[i].id;
        }
        struct pass pass = { .arena = check_arena(), .batch = 1, .tokens = n, .ids = ids };
        pass.keep[SITE_LOGITS] = true;
        const struct trace *trace = model_run(model, &pass, &err);
        const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
        int64_t vocab = logits->shape[2];
        const float *row = logits->data + t * vocab;
        check_near(of->nats[t], logsumexp(row, vocab) - (double)row[encoding->tokens[t].id],
                   1e-9);
    }
}

TEST(surprisal_counts_the_first_token_behind_bos) {
    struct err err;
    const struct model *model = fixture_model("gpt2");
    const struct surprisal_request bos = { .bos = true };
    const struct surprisal *plain = read_text(model, "one two", usual, &err);
    const struct surprisal *more = read_text(model, "one two", bos, &err);
    if (check(plain && more)) {
        check_int(more->encoding->count, plain->encoding->count + 1);
        check_int(more->count, plain->count + 1);
        check(more->bos && more->encoding->tokens[0].special);
        check_int(more->encoding->tokens[0].id, model->config->bos);
        check_int(more->bytes, 7);
    }
}

TEST(surprisal_refuses_what_has_no_answer) {
    struct err err;
    const struct model *gpt2 = fixture_model("gpt2"), *bert = fixture_model("bert_mlm");
    check(!read_text(fixture_model("bert_cls"), "a b", usual, &err));
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "(bert, classification) gives no probabilities");
    check(!read_text(fixture_model("t5"), "a b", usual, &err));
    check_text(err.text, "(t5, seq2seq-lm)");

    check(!read_text(gpt2, "", usual, &err));
    check_int(err.kind, ERR_TEXT);
    check_text(err.text, "no token to be surprised at");
    check(!read_text(bert, " ", usual, &err));
    check_text(err.text, "no token to be surprised at");
    check(!read_text(gpt2, "a", usual, &err));
    check_text(err.text, "one token, and a first token has nothing before it");
    check_text(err.text, "or add --bos");
    check(read_text(gpt2, "a", (struct surprisal_request){ .bos = true }, &err) != NULL);

    check(!read_text(gpt2, "a b", (struct surprisal_request){ .window = 100000 }, &err));
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "a window of 100000 tokens is more than this model reads at once");
    check(
        !read_text(gpt2, "a b", (struct surprisal_request){ .window = 4, .stride = 5 }, &err));
    check_text(err.text, "a stride of 5 leaves out");
    check(!read_text(gpt2, "a b", (struct surprisal_request){ .window = 1 }, &err));
    check_text(err.text, "a window of 1 token has nothing before it");
    char *longer = arena_alloc(check_arena(), 4001);
    for (int i = 0; i < 2000; i++) {
        memcpy(longer + 2 * (int64_t)i, "a ", 2);
    }
    check(!read_text(bert, longer, usual, &err));
    check_int(err.kind, ERR_TEXT);
    check_text(err.text, "a masked model reads all at once");
}

TEST(surprisal_names_the_tensor_that_is_broken) {
    struct err err = { 0 };
    struct remake *remake = remake_new(check_arena(), "gpt2");
    const int32_t ids[] = { 3, 8, 5 };
    struct tensor *weight = remake_own(remake, "h.1.mlp.c_fc.weight");
    weight->data[2 * weight->shape[1] + 7] = NAN;
    const struct model *model = remake_open(remake, config_of("gpt2"), &err);
    check(model && !surprisal_of_ids(check_arena(), model, ids, 3, &usual, &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "h.1.mlp.c_fc.weight has NaN, first at row 2, column 7 of [");
    check(!broken_weights(check_arena(), fixture_model("gpt2")));
}

struct stopper {
    int64_t calls;
};

static void stop_later(void *arg, int64_t done, int64_t of) {
    struct stopper *stopper = arg;
    (void)of;
    stopper->calls++;
    if (done >= 20) {
        stop_request();
    }
}

/* An interrupt in a later window leaves what the windows before gave. */
TEST(surprisal_keeps_what_was_read_before_an_interrupt) {
    struct err err = { 0 };
    const struct model *model = fixture_model("gpt2");
    int32_t ids[40];
    for (int i = 0; i < 40; i++) {
        ids[i] = 3 + i;
    }
    struct stopper stopper = { 0 };
    struct surprisal_request request = { .window = 8, .stride = 4 };
    const struct surprisal *whole =
        model ? surprisal_of_ids(check_arena(), model, ids, 40, &request, &err) : NULL;
    request.progress = stop_later;
    request.progress_arg = &stopper;
    const struct surprisal *part =
        model ? surprisal_of_ids(check_arena(), model, ids, 40, &request, &err) : NULL;
    if (check(whole && part)) {
        check(stopper.calls > 0 && part->known >= 8 && part->known < 40);
        check_int(part->count, part->known - 1);
        check(part->nats[7] == whole->nats[7]);
        check(!part->counted[part->known] && part->nats[part->known] == 0);
        check(!stop_wanted());
        stop_request(); /* said again, it disturbs nothing that is still to be shown */
        check(!stop_wanted());
    }
    stop_clear();
}

static const struct model *open_long(struct err *err) {
    char *config = (char *)(uintptr_t)config_of("llama_smollm2");
    char *context = strstr(config, "\"max_position_embeddings\": 32,\n");
    if (!check(context != NULL)) {
        return NULL;
    }
    memcpy(context, "\"max_position_embeddings\":9999,", 31);
    return remake_open(remake_new(check_arena(), "llama_smollm2"), config, err);
}

static void stop_beyond_600(void *arg, int64_t done, int64_t of) {
    (void)arg;
    (void)of;
    if (done > 600) {
        stop_request();
    }
}

/* A long window is read in pieces that go on from each other: the numbers of one run, and an
 * interrupt leaves the pieces before it. */
TEST(surprisal_reads_a_long_window_in_pieces) {
    enum { TOKENS = 1300 };
    struct err err = { 0 };
    const struct model *model = open_long(&err);
    int32_t ids[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
        ids[i] = 3 + i * 37 % 400;
    }
    struct pass pass = {
        .arena = check_arena(), .batch = 1, .tokens = TOKENS, .ids = ids, .keep = { 0 }
    };
    pass.keep[SITE_LOGITS] = true;
    const struct trace *trace = model ? model_run(model, &pass, &err) : NULL;
    const struct surprisal *of =
        trace ? surprisal_of_ids(check_arena(), model, ids, TOKENS, &usual, &err) : NULL;
    if (!check(of != NULL)) {
        return;
    }
    check_int(of->stride, 0);
    check_int(of->count, TOKENS - 1);
    int64_t vocab = model->config->vocab;
    const float *logits = trace_at(trace, SITE_LOGITS, 0)->data;
    for (int64_t t = 1; t < TOKENS; t++) {
        const float *row = logits + (t - 1) * vocab;
        check_near(of->nats[t], logsumexp(row, vocab) - (double)row[ids[t]], 1e-9);
    }
    struct surprisal_request request = { .progress = stop_beyond_600 };
    const struct surprisal *part =
        surprisal_of_ids(check_arena(), model, ids, TOKENS, &request, &err);
    if (check(part != NULL)) {
        check(part->known > 512 && part->known < TOKENS);
        check_int(part->count, part->known - 1);
        check(part->nats[512] == of->nats[512]);
    }
    stop_clear();
}
