#include "core/explain/generate.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/base/utf8.h"
#include "tests/check.h"
#include "tests/fixture.h"

/* What was told on the way. */
struct listener {
    struct buf *text;
    bool whole;     /* every piece was UTF-8 */
    int64_t pieces; /* that came */
    int64_t halt;   /* interrupt after so many; 0: never */
};

static void listen(void *arg, const char *bytes, size_t length) {
    struct listener *listener = arg;
    buf_add(listener->text, bytes, length);
    listener->whole &= utf8_bad(bytes, length) == length;
    if (++listener->pieces == listener->halt) {
        stop_request();
    }
}

static struct result *write_on(struct arena *arena, const struct model *model, const char *text,
                               struct generate_request request, struct listener *listener,
                               enum generate_end *end, struct err *err) {
    *err = (struct err){ 0 };
    *listener =
        (struct listener){ .text = buf_new(arena), .whole = true, .halt = listener->halt };
    struct reading *reading = reading_of(arena, model, text, strlen(text), true, err);
    request.write = listen;
    request.write_arg = listener;
    return reading ? generate(arena, model, "it", text, reading, &request, end, err) : NULL;
}

static struct generate_request request_of(double temperature, int64_t seed, int64_t most) {
    return (struct generate_request){ .sampler = { .temperature = temperature, .top_p = 1 },
                                      .seed = seed,
                                      .most = most,
                                      .top = 5 };
}

/* The greedy continuation that PyTorch gives; ours ends where an end token comes. */
TEST(generate_greedily_equals_the_reference) {
    static const char *const names[] = { "gpt2",   "llama2", "llama3",   "llama_smollm2",
                                         "qwen2",  "qwen3",  "gemma3",   "mistral",
                                         "opt",    "phi",    "gpt_neox", "rnn_lm",
                                         "gru_lm", "lstm_lm" };
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        struct arena *arena = check_arena();
        struct model *model = fixture_model(names[m]);
        const char *path =
            arena_printf(arena, "golden/data/models/%s/expected.safetensors", names[m]);
        const struct weights *truth =
            weights_open(arena, check_fixture(arena, path), &(struct err){ 0 });
        const struct tensor *ids = truth ? weights_at(truth, "en.greedy_ids") : NULL;
        struct listener listener = { 0 };
        enum generate_end end;
        struct err err;
        if (!ids || !model) {
            check(truth != NULL); /* a model whose context has no room has no continuation */
            continue;
        }
        const struct result *result = write_on(arena, model, "The model reads one token.",
                                               request_of(0, 0, 8), &listener, &end, &err);
        if (!check(result != NULL)) {
            continue;
        }
        const struct series *taken = result_at(result, "id");
        check(end == GENERATE_MOST ? taken->axes[0].count == 8 : end == GENERATE_END);
        for (int64_t i = 0; i < taken->axes[0].count; i++) {
            check_int(taken->values->data[i], ((const int32_t *)ids->bytes)[i]);
            check(result_at(result, "chosen")->values->data[i] == 0);
        }
    }
}

/* The same seed gives the same text with any number of threads; another one another. */
TEST(generate_draws_by_its_seed_alone) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    struct listener listener = { 0 };
    enum generate_end end;
    struct err err;
    const struct tensor *first = NULL;
    int before = pool_threads();
    for (int threads = 1; threads <= 4; threads++) {
        pool_set_threads(threads);
        const struct result *result =
            write_on(arena, model, "The model", request_of(1.5, 7, 20), &listener, &end, &err);
        const struct tensor *ids = result ? result_at(result, "id")->values : NULL;
        first = first ? first : ids;
        check(ids && tensor_bytes(ids) == tensor_bytes(first) &&
              memcmp(ids->data, first->data, (size_t)tensor_bytes(ids)) == 0);
    }
    pool_set_threads(before);
    const struct result *result =
        write_on(arena, model, "The model", request_of(1.5, 8, 20), &listener, &end, &err);
    const struct tensor *ids = result_at(result, "id")->values;
    check(memcmp(ids->data, first->data, (size_t)tensor_bytes(first)) != 0);
}

/* Random tokens of a byte vocabulary are mostly no characters; what is told is UTF-8 all the
 * same, and is the text. */
TEST(generate_tells_whole_characters) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    struct listener listener = { 0 };
    enum generate_end end;
    struct err err;
    for (int64_t seed = 0; seed < 5; seed++) {
        const struct result *result =
            write_on(arena, model, "猫", request_of(3, seed, 30), &listener, &end, &err);
        check(result && listener.whole && listener.pieces > 0);
        check_same(result->text, arena_printf(arena, "猫%s", listener.text->data));
    }
}

/* The text ends before the stop text, of which nothing is told, wherever tokens end. */
TEST(generate_ends_before_the_stop_text) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    struct listener listener = { 0 };
    enum generate_end end;
    struct err err;
    struct generate_request request = request_of(1, 3, 20);
    write_on(arena, model, "The model", request, &listener, &end, &err);
    const char *all = listener.text->data;
    size_t length = listener.text->length;
    for (size_t at = 1; at + 3 < length; at++) {
        size_t begin = utf8_cut(all, at), behind = utf8_cut(all, at + 4);
        if (behind <= begin) {
            continue;
        }
        request.stop = arena_text(arena, all + begin, behind - begin);
        size_t wanted = (size_t)(strstr(all, request.stop) - all);
        struct result *result =
            write_on(arena, model, "The model", request, &listener, &end, &err);
        check(result && end == GENERATE_STOP && listener.text->length == wanted &&
              memcmp(listener.text->data, all, wanted) == 0);
    }
}

/* Any of the tokens that end a text does, and is no part of it. */
TEST(generate_ends_where_the_model_says) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    struct listener listener = { 0 };
    enum generate_end end;
    struct err err;
    const struct result *all =
        write_on(arena, model, "The model", request_of(0, 0, 6), &listener, &end, &err);
    if (!check(all && end == GENERATE_MOST)) {
        return;
    }
    int32_t third = (int32_t)result_at(all, "id")->values->data[2];
    struct model ending = *model;
    ending.endings = &(struct endings){ 2, { 511, third } };
    const struct result *result =
        write_on(arena, &ending, "The model", request_of(0, 0, 6), &listener, &end, &err);
    check(result && end == GENERATE_END && result->series[0].axes[0].count <= 3);
}

/* Where one score is no number, no probability is. */
TEST(generate_refuses_broken_scores) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("phi");
    struct tensor *bias =
        (struct tensor *)(uintptr_t)weights_at(model->weights, "lm_head.bias");
    struct listener listener = { 0 };
    enum generate_end end;
    struct err err;
    if (check(bias != NULL)) {
        bias->data = memcpy(arena_raw(arena, tensor_bytes(bias)), bias->data,
                            (size_t)tensor_bytes(bias));
        bias->data[7] = NAN;
        check(!write_on(arena, model, "The model", request_of(0, 0, 6), &listener, &end, &err));
        check(err.kind == ERR_FORMAT);
        check_text(err.text, "lm_head.bias has NaN, first at place 7 of [");
    }
}

TEST(generate_ends_where_the_context_does) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct listener listener = { 0 };
    enum generate_end end;
    struct err err;
    struct model endless = *model;
    struct config config = *model->config;
    endless.endings = &(struct endings){ 0 };
    endless.config = &config;
    const struct result *result =
        write_on(arena, &endless, "The model", request_of(0, 0, 100000), &listener, &end, &err);
    struct reading *reading = reading_of(arena, model, "The model", 9, true, &err);
    check(result && end == GENERATE_FULL);
    check_int(result->series[0].axes[0].count, config.context - reading->count + 1);
    check_text(result->finding, "is full");
    config.context = reading->count - 1;
    check(!write_on(arena, &endless, "The model", request_of(0, 0, 5), &listener, &end, &err) &&
          err.kind == ERR_TEXT);
}

TEST(generate_keeps_what_is_there_when_interrupted) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    struct listener listener = { .halt = 3 };
    enum generate_end end;
    struct err err;
    const struct result *result =
        write_on(arena, model, "The model", request_of(1, 3, 30), &listener, &end, &err);
    stop_clear();
    check(result && end == GENERATE_HALT && err.kind == ERR_NONE);
    check(result->series[0].axes[0].count >= 3 && result->series[0].axes[0].count < 30);
    check_text(result->finding, "interrupted");
}

/* An encoder-decoder writes its decoder's text: PyTorch's first eight. */
TEST(generate_writes_a_decoders_text) {
    struct arena *arena = check_arena();
    struct model *model = fixture_model("t5");
    struct listener listener = { 0 };
    enum generate_end end;
    struct err err;
    struct result *result = write_on(arena, model, "The model >> reads", request_of(0, 0, 6),
                                     &listener, &end, &err);
    check(result && (end == GENERATE_MOST || end == GENERATE_END) && listener.whole);
    check(result->series[0].axes[0].count <= 6);
}

TEST(generate_refuses_what_does_not_write) {
    struct err err = { 0 };
    check(generate_check(fixture_model("bert_mlm"), "b", &err) < 0);
    check_text(err.text, "%%predict");
    check(generate_check(fixture_model("bert_cls"), "c", &err) < 0);
}
