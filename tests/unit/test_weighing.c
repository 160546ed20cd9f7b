#include "core/explain/weighing.h"

#include <math.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/check.h"

static struct arena *arena;
static struct err err;

static const struct model *opened(const char *path) {
    const struct model *model = model_open(arena, check_fixture(arena, path), &err);
    check_same(err.text, "");
    return model;
}

static void begin(void) {
    arena = check_arena();
    err = (struct err){ 0 };
}

static struct weighing of(const struct model *model, const struct model *twin, bool by_tensor) {
    struct weighing_request request = {
        .bins = 50, .by_tensor = by_tensor, .twin = twin, .twin_handle = "exact"
    };
    struct weighing all = { 0 };
    if (weighing(arena, model, "m", &request, &all, &err) == 0) {
        check_same(err.text, "");
    }
    return all;
}

/* The model of a fixture with a change to its numbers, in a folder of its own. */
static const struct model *changed(const struct model *model,
                                   void (*change)(struct tensor *tensor)) {
    const struct weights *w = model->weights;
    const struct tensor **list = arena_array(arena, w->count, sizeof *list);
    const char *folder = check_folder(arena);
    for (int64_t i = 0; i < w->count; i++) {
        struct tensor *copy = tensor_new(arena, w->tensors[i].rank, w->tensors[i].shape);
        copy->name = w->tensors[i].name;
        memcpy(copy->data, w->tensors[i].data, (size_t)tensor_bytes(copy));
        change(copy);
        list[i] = copy;
    }
    const struct file *config =
        file_map(arena, file_join(arena, model->path, "config.json"), &err);
    check(config && file_write(file_join(arena, folder, "config.json"), config->bytes,
                               (size_t)config->size, &err) == 0);
    check(safetensors_write(file_join(arena, folder, "model.safetensors"), list, w->count,
                            &err) == 0);
    return model_open(arena, folder, &err);
}

static double value(const struct result *result, const char *series, const char *tensor) {
    const struct series *s = result_at(result, series);
    for (int64_t i = 0; s && i < s->axes[0].count; i++) {
        if (strcmp(s->axes[0].labels[i], tensor) == 0) {
            return (double)s->values->data[i];
        }
    }
    check_same(tensor, "a row of the result");
    return 0;
}

/* Each number counted again, in the plain way. */
TEST(weighing_measures_every_tensor) {
    begin();
    const struct model *model = opened("golden/data/models/lstm_lm");
    const struct weighing all = of(model, NULL, true);
    for (int64_t i = 0; i < model->weights->count; i++) {
        const struct tensor *t = &model->weights->tensors[i];
        double squares = 0, most = 0;
        for (int64_t k = 0; k < tensor_count(t); k++) {
            double x = (double)t->data[k];
            squares += x * x;
            most = fabs(x) > most ? fabs(x) : most;
        }
        check_near(value(all.histogram, "norm", t->name), sqrt(squares), 1e-6 * sqrt(squares));
        check_near(value(all.histogram, "largest", t->name), most, 0);
    }
    check(!all.cost);
    check_text(all.histogram->finding, "is NaN or infinite");
    check_int(of(model, NULL, false).norms->series[0].values->shape[0], 4);
}

static void scale_one(struct tensor *tensor) {
    if (strcmp(tensor->name, "decoder.weight") == 0) {
        for (int64_t i = 0; i < tensor_count(tensor); i++) {
            tensor->data[i] *= 1.01F;
        }
        tensor->data[2 * tensor->shape[1] + 33] += 100;
    }
}

/* All weights of one tensor 1 % off is 40 dB, but for the one block that lost more. */
TEST(weighing_compares_with_a_twin) {
    begin();
    const struct model *exact = opened("golden/data/models/lstm_lm");
    const struct weighing all = of(changed(exact, scale_one), exact, true);
    check_same(all.cost->kind, "table");
    check_same(all.cost->series[0].axes[0].labels[0], "decoder.weight"); /* the worst */
    check(isinf(value(all.cost, "snr", "embedding.weight")));
    check_near(value(all.cost, "error", "embedding.weight"), 0, 0);
    check_near(value(all.cost, "bits", "decoder.weight"), 32, 0);
    check_near(value(all.cost, "row", "decoder.weight"), 2, 0);
    check_near(value(all.cost, "column", "decoder.weight"), 32, 0);
    const struct tensor *t = weights_at(exact->weights, "decoder.weight");
    double signal = 0, noise = 0;
    for (int64_t i = 0; i < tensor_count(t); i++) {
        double b = (double)t->data[i];
        double a = (double)(t->data[i] * 1.01F) + (i == 2 * t->shape[1] + 33 ? 100 : 0);
        signal += b * b;
        noise += (a - b) * (a - b);
    }
    check_near(value(all.cost, "snr", "decoder.weight"), 10 * log10(signal / noise), 1e-3);
    check_near(value(all.cost, "error", "decoder.weight"), sqrt(noise / signal), 1e-4);
}

/* A layer's cost is that of its tensors together. */
TEST(weighing_compares_layers) {
    begin();
    const struct model *exact = opened("golden/data/models/lstm_lm");
    const struct result *cost = of(changed(exact, scale_one), exact, false).cost;
    check_int(cost->count, 4);
    check_int(cost->series[0].axes[0].count, 4);
    check_same(cost->series[0].axes[0].labels[0], "embeddings");
    check(isinf(value(cost, "snr", "layer 1")));
    check_near(value(cost, "bits", "layer 1"), 32, 0);
    double signal = 0, noise = 0;
    const char *const head[] = { "decoder.weight", "decoder.bias" };
    for (int k = 0; k < 2; k++) {
        const struct tensor *t = weights_at(exact->weights, head[k]);
        for (int64_t i = 0; i < tensor_count(t); i++) {
            double b = (double)t->data[i], a = (double)(t->data[i] * 1.01F);
            a += k == 0 && i == 2 * t->shape[1] + 33 ? 100 : 0;
            signal += b * b;
            noise += k == 0 ? (a - b) * (a - b) : 0;
        }
    }
    check_near(value(cost, "snr", "head"), 10 * log10(signal / noise), 1e-3);
}

static void one_percent(struct tensor *tensor) {
    for (int64_t i = 0; i < tensor_count(tensor); i++) {
        tensor->data[i] *= 1.01F;
    }
}

TEST(weighing_gives_decibels) {
    begin();
    const struct model *exact = opened("golden/data/models/gru_lm");
    const struct weighing all = of(changed(exact, one_percent), exact, true);
    check_near(value(all.cost, "snr", "decoder.weight"), 40, 0.01);
    check_near(value(all.cost, "error", "rnn.weight_hh_l1"), 0.01, 1e-5);
    check_text(all.cost->finding, "40.0 dB");
}

static void break_one(struct tensor *tensor) {
    if (strcmp(tensor->name, "rnn.bias_hh_l1") == 0) {
        tensor->data[3] = NAN;
    }
}

TEST(weighing_names_broken_tensors) {
    begin();
    const struct model *model = changed(opened("golden/data/models/rnn_lm"), break_one);
    const struct weighing all = of(model, NULL, false);
    check_text(all.histogram->finding, "rnn.bias_hh_l1");
    check_text(all.histogram->finding, "1 of them NaN");
}

TEST(weighing_reads_quantised_weights) {
    begin();
    const struct model *model = opened("golden/data/gguf/llama/model.gguf");
    const struct weighing all = of(model, model, true);
    check(all.histogram && all.cost);
    check(isinf((double)all.cost->series[0].values->data[0])); /* beside itself */
    check(value(all.histogram, "rms", "token_embd.weight") > 0);
}

TEST(weighing_refuses_a_stranger) {
    begin();
    const struct model *lstm = opened("golden/data/models/lstm_lm");
    check(!of(lstm, opened("golden/data/models/gpt2"), true).histogram);
    check_int(err.kind, ERR_SHAPE);
    check_text(err.text, "exact has no tensor");
}

/* A head of 4 rows, as llama.cpp's converter turns it: 0 1 2 3 becomes 0 2 1 3. */
TEST(weighing_turns_the_rows_of_heads) {
    const int64_t hf_of_gguf[] = { 0, 2, 1, 3, 4, 6, 5, 7 };
    for (int64_t r = 0; r < 8; r++) {
        check_int(weighing_row(r, 4, false), hf_of_gguf[r]);
    }
    for (int64_t r = 0; r < 60; r++) {
        check_int(weighing_row(weighing_row(r, 6, false), 6, true), r);
    }
}

TEST(weighing_knows_both_namings) {
    begin();
    const struct model *hf = opened("golden/data/models/llama_smollm2");
    const struct model *gguf = opened("golden/data/gguf/llama/model.gguf");
    bool turned;
    const struct tensor *q =
        weighing_twin(hf, "model.layers.0.self_attn.q_proj.weight", gguf, &turned);
    check(q && turned);
    check_same(q ? q->name : "", "blk.0.attn_q.weight");
    q = weighing_twin(gguf, "blk.1.ffn_norm.weight", hf, &turned);
    check_same(q ? q->name : "", "model.layers.1.post_attention_layernorm.weight");
    check(!turned);
    q = weighing_twin(gguf, "token_embd.weight", hf, &turned);
    check_same(q ? q->name : "", "model.embed_tokens.weight");
    check(!weighing_twin(gguf, "no.such", hf, &turned));
}

/* Nothing is told of what is no number, and all of the rest. */
TEST(weighing_leaves_broken_numbers_out_of_the_cost) {
    begin();
    const struct model *model = opened("golden/data/models/lstm_lm");
    const struct weighing all = of(changed(model, break_one), model, true);
    check_text(all.cost->finding, "Every weight of m is that of exact");
    check_text(all.cost->finding, "numbers that are NaN or infinite in either are left out");
    const struct series *error = result_at(all.cost, "error");
    for (int64_t i = 0; i < error->axes[0].count; i++) {
        check(error->values->data[i] == 0);
    }
}

static void make_zero(struct tensor *tensor) {
    memset(tensor->data, 0, (size_t)tensor_bytes(tensor));
}

TEST(weighing_says_a_hundred_per_cent) {
    begin();
    const struct model *model = opened("golden/data/models/lstm_lm");
    const struct weighing all = of(changed(model, make_zero), model, true);
    check_text(all.histogram->finding, "100 % are exactly 0");
    check_text(all.cost->finding, "(relative error 100 %)");
}
