#include "core/explain/predict.h"

#include <math.h>
#include <string.h>

#include "tests/check.h"
#include "tests/fixture.h"

static struct prediction *read(struct arena *arena, const struct model *model, const char *text,
                               struct predict_request request, struct err *err) {
    *err = (struct err){ 0 };
    return predict_read(arena, model, "it", text, strlen(text), &request, NULL, err);
}

/* PyTorch's ten most probable tokens after the first case's text. */
TEST(predict_equals_the_reference) {
    static const char *const names[] = { "gpt2",   "llama2", "llama3",   "llama_smollm2",
                                         "qwen2",  "qwen3",  "gemma3",   "mistral",
                                         "opt",    "phi",    "gpt_neox", "rnn_lm",
                                         "gru_lm", "lstm_lm" };
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(names[m]);
        const struct weights *truth = weights_open(
            arena,
            check_fixture(
                arena,
                arena_printf(arena, "golden/data/models/%s/expected.safetensors", names[m])),
            &(struct err){ 0 });
        struct err err;
        struct prediction *one = read(arena, model, "The model reads one token.",
                                      (struct predict_request){ .top = 10 }, &err);
        if (!check(one && truth && one->place_count == 1)) {
            continue;
        }
        const struct tensor *probabilities = weights_at(truth, "en.top10_probs");
        const struct tensor *ids = weights_at(truth, "en.top10_ids");
        if (!check(ids && probabilities && one->places[0].count == 10)) {
            continue;
        }
        for (int i = 0; i < 10; i++) {
            const struct predict_one *top = &one->places[0].top[i];
            check_near(top->probability, probabilities->data[i], 1e-4);
            check_int(top->rank, i + 1);
            check(top->id == ((const int32_t *)ids->bytes)[i] ||
                  (i > 0 &&
                   fabs((double)(probabilities->data[i - 1] - probabilities->data[i])) < 1e-6));
        }
    }
}

/* The softmax of PyTorch's logits. */
TEST(predict_of_classes_equals_the_reference) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("bert_cls");
    const char *path = "golden/data/models/bert_cls/expected.safetensors";
    const struct weights *truth =
        weights_open(arena, check_fixture(arena, path), &(struct err){ 0 });
    const struct tensor *logits = truth ? weights_at(truth, "en.logits") : NULL;
    struct err err;
    struct prediction *one = read(arena, model, "The model reads one token.",
                                  (struct predict_request){ .top = 3 }, &err);
    if (!check(one && logits && one->places[0].count == 3)) {
        return;
    }
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        sum += exp((double)logits->data[i]);
    }
    for (int i = 0; i < 3; i++) {
        const struct predict_one *top = &one->places[0].top[i];
        check_near(top->probability, exp((double)logits->data[top->id]) / sum, 1e-5);
    }
}

/* One score that is infinite makes every probability meaningless. */
TEST(predict_refuses_infinite_scores) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("phi");
    struct tensor *bias =
        (struct tensor *)(uintptr_t)weights_at(model->weights, "lm_head.bias");
    struct predict_request request = { .top = 3 };
    struct err err;
    if (check(bias != NULL)) {
        bias->data = memcpy(arena_raw(arena, tensor_bytes(bias)), bias->data,
                            (size_t)tensor_bytes(bias));
        bias->data[7] = INFINITY;
        check(!read(arena, model, "The model reads", request, &err) && err.kind == ERR_FORMAT);
        check_text(err.text, "lm_head.bias has infinity, first at place 7 of [");
    }
}

/* p/q = exp(difference of the logits); the foil's rank counts all that are before it. */
TEST(predict_contrasts_target_and_foil) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct err err;
    struct predict_request request = { .top = 3, .target = "auto", .foil = "#400" };
    struct prediction *one = read(arena, model, "The model reads", request, &err);
    if (!check(one != NULL)) {
        return;
    }
    const struct predict_place *place = &one->places[0];
    check(place->asks && place->contrasts && place->target.rank == 1 && place->foil.id == 400);
    check_near(place->target.probability / place->foil.probability,
               exp(place->target.logit - place->foil.logit), 1e-6);
    struct prediction *all =
        read(arena, model, "The model reads", (struct predict_request){ .top = 100000 }, &err);
    double sum = 0;
    for (int64_t i = 0; i < all->places[0].count; i++) {
        sum += all->places[0].top[i].probability;
    }
    check_near(sum, 1, 1e-9);
    check_int(all->places[0].count, model->config->vocab);
    check_int(all->places[0].top[place->foil.rank - 1].id, 400);

    const struct result *bars = predict_bars(arena, one, NULL, &request);
    check_same(bars->kind, "bars");
    check_int(bars->series[0].axes[0].count, 4); /* three and the foil */
    check_text(bars->series[0].names[3], "(rank ");
    check_text(bars->finding, "log odds +");
}

TEST(predict_fills_every_mask) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("bert_mlm");
    struct err err;
    struct predict_request request = { .top = 4 };
    struct prediction *one = read(arena, model, "the [MASK] reads one [MASK].", request, &err);
    if (!check(one && one->place_count == 2)) {
        return;
    }
    const struct result *bars = predict_bars(arena, one, NULL, &request);
    check(bars->series[0].axes[0].count == 2 && bars->series[0].axes[1].count == 4);
    check_same(bars->series[0].axes[0].labels[1], "mask 2");
    check(!read(arena, model, "no mask", request, &err) && err.kind == ERR_TEXT);
    check_text(err.text, "[MASK]");
}

TEST(predict_names_classes) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("bert_cls");
    struct err err;
    struct predict_request request = { .top = 10, .language = "zh" };
    struct prediction *one = read(arena, model, "the model", request, &err);
    if (!check(one && one->places[0].count == model->config->labels)) {
        return;
    }
    const struct result *bars = predict_bars(arena, one, NULL, &request);
    check_same(bars->series[0].names[0], target_label(arena, model, one->places[0].top[0].id));
    check_text(bars->finding, "类别");
}

TEST(predict_goes_on_where_the_decoder_is) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("t5");
    struct err err;
    struct predict_request request = { .top = 5 };
    struct prediction *start = read(arena, model, "one two", request, &err);
    struct prediction *after = read(arena, model, "one two >> one", request, &err);
    check(start && after && start->tokens == after->tokens &&
          start->places[0].top[0].logit != after->places[0].top[0].logit);
}

TEST(predict_of_several_texts) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct err err;
    struct predict_request request = { .top = 3 };
    struct prediction *both[] = { read(arena, model, "The model", request, &err),
                                  read(arena, model, "One token", request, &err) };
    const struct result *rows = predict_rows(arena, both, 2, &request);
    check_same(rows->kind, "choices");
    check(rows->series[0].axes[0].count == 2 && rows->series[0].axes[1].count == 3);
    check_same(rows->series[0].axes[0].labels[1], "One token");
    check_same(rows->text, "The model\nOne token");

    request.target = "#5";
    request.foil = "#6";
    both[0] = read(arena, model, "The model", request, &err);
    both[1] = read(arena, model, "One token", request, &err);
    rows = predict_rows(arena, both, 2, &request);
    check_same(rows->kind, "table");
    check_near(result_at(rows, "log odds")->values->data[1],
               both[1]->places[0].target.logit - both[1]->places[0].foil.logit, 1e-6);
}

/* Another model of the same tokens is asked for the first one's. */
TEST(predict_beside_another_model) {
    struct arena *arena = check_arena();
    const struct model *a = fixture_model("gpt2"), *other = fixture_model("bert_mlm");
    struct err err;
    struct predict_request request = { .top = 3 };
    struct prediction *one = read(arena, a, "The model", request, &err);
    struct prediction *same =
        predict_read(arena, a, "twin", "The model", 9, &request, one, &err);
    check(predict_alike(a, a) && !predict_alike(a, other));
    const struct result *bars = predict_bars(arena, one, same, &request);
    const struct series *beside = result_at(bars, "other");
    check(beside &&
          memcmp(beside->values->data, bars->series[0].values->data, 3 * sizeof(float)) == 0);
}

TEST(predict_refuses) {
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("gpt2");
    struct err err;
    struct predict_request request = { .top = 3 };
    check(!read(arena, model, "   ", request, &err) || err.kind == ERR_NONE);
    check(!read(arena, model, "", request, &err) && err.kind == ERR_TEXT);
    request.target = "#99999999";
    check(!read(arena, model, "x", request, &err) && err.kind == ERR_OPTION);
    struct model headless = *model;
    headless.task = "decoder";
    request.target = NULL;
    check(!read(arena, &headless, "x", request, &err) && err.kind == ERR_UNSUPPORTED);
    check_text(err.text, "no head");
}
