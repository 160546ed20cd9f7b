#include "core/explain/gradients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/pool.h"
#include "core/explain/question.h"
#include "core/model/newborn.h"
#include "tests/check.h"

static struct arena *arena;
static struct err err;

static const struct model *opened(const char *name) {
    arena = check_arena();
    err = (struct err){ 0 };
    const char *path = arena_printf(arena, "golden/data/models/%s", name);
    const struct model *model = model_open(arena, check_fixture(arena, path), &err);
    check_same(err.text, "");
    return model;
}

static struct gradients of(const struct model *model, const char *const *texts, int64_t count,
                           const char *target) {
    struct example_text *list = arena_array(arena, count, sizeof *list);
    struct gradients all = { 0 };
    int64_t bad;
    for (int64_t i = 0; i < count; i++) {
        list[i] = (struct example_text){ texts[i], strlen(texts[i]) };
    }
    struct gradients_request request = {
        .texts = list, .count = count, .target = target, .bins = 50, .by_tensor = true
    };
    if (gradients(arena, model, "m", &request, &all, &bad, &err) == 0) {
        check_same(err.text, "");
    }
    return all;
}

static double norm_of(const struct gradients *all, const char *tensor) {
    const struct series *norms = result_at(all->histogram, "norm");
    for (int64_t i = 0; i < norms->axes[0].count; i++) {
        if (strcmp(norms->axes[0].labels[i], tensor) == 0) {
            return (double)norms->values->data[i];
        }
    }
    check_same(tensor, "a tensor with a gradient");
    return 0;
}

/* PyTorch's norms of every parameter's gradient, of the fixtures' first text. */
static void as_pytorch(const char *name, const char *text, const char *const *parameters,
                       int64_t n) {
    const struct model *model = opened(name);
    const struct gradients all = of(model, &text, 1, NULL);
    const char *path = arena_printf(arena, "golden/data/models/%s/expected.safetensors", name);
    const struct weights *expected = weights_open(arena, check_fixture(arena, path), &err);
    const struct tensor *norms = expected ? weights_at(expected, "en.grad_norms") : NULL;
    if (!check(all.histogram && norms && tensor_count(norms) == n)) {
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        double wanted = (double)norms->data[i];
        check_near(norm_of(&all, parameters[i]), wanted, 2e-4 * wanted + 1e-7);
    }
}

TEST(gradients_are_pytorchs) {
    static const char *const parameters[] = {
        "decoder.bias",     "decoder.weight",   "embedding.weight", "rnn.bias_hh_l0",
        "rnn.bias_hh_l1",   "rnn.bias_ih_l0",   "rnn.bias_ih_l1",   "rnn.weight_hh_l0",
        "rnn.weight_hh_l1", "rnn.weight_ih_l0", "rnn.weight_ih_l1"
    };
    as_pytorch("rnn_lm", "The model reads one token.", parameters, 11);
    as_pytorch("lstm_lm", "The model reads one token.", parameters, 11);
    as_pytorch("gru_lm", "The model reads one token.", parameters, 11);
}

/* Two texts together: the gradient of the mean over all their tokens, so by hand the mean of
 * both gradients by their numbers of tokens, here of one bias. */
TEST(gradients_of_several_texts_are_of_one_mean) {
    const char *const texts[] = { "The model reads one token.", "one two" };
    const struct model *model = opened("lstm_lm");
    const struct gradients both = of(model, texts, 2, NULL);
    const struct gradients same =
        of(model, (const char *const[]){ texts[0], texts[0] }, 2, NULL);
    const struct gradients once = of(model, texts, 1, NULL);
    double one = norm_of(&once, "rnn.weight_hh_l1");
    check_near(norm_of(&same, "rnn.weight_hh_l1") / one, 1, 1e-5);
    check(fabs(norm_of(&both, "rnn.weight_hh_l1") / one - 1) > 1e-3);
    check_text(both.histogram->finding, "mean over 6 scored tokens of 2 texts");
}

TEST(gradients_are_the_same_for_any_number_of_threads) {
    const char *text = "The model reads one token.";
    const struct model *model = opened("gpt2");
    int threads = pool_threads();
    pool_set_threads(1);
    const struct gradients one = of(model, &text, 1, NULL);
    pool_set_threads(5);
    const struct gradients many = of(model, &text, 1, NULL);
    pool_set_threads(threads);
    for (int64_t i = 0; i < one.histogram->count; i++) {
        const struct tensor *a = one.histogram->series[i].values;
        const struct tensor *b = many.histogram->series[i].values;
        check(memcmp(a->data, b->data, (size_t)tensor_bytes(a)) == 0);
    }
    check_same(one.histogram->finding, many.histogram->finding);
    check_int(one.flow->series[0].values->shape[1], model->config->layers + 1);
    check(one.units && strcmp(one.units->kind, "bars") == 0);
}

/* The histogram holds every number once. */
TEST(gradients_histogram_counts_all_parameters) {
    const char *text = "The model reads one token.";
    const struct model *model = opened("lstm_lm");
    const struct gradients all = of(model, &text, 1, NULL);
    const struct series *counts = result_at(all.histogram, "counts");
    const struct series *zeros = result_at(all.histogram, "zeros");
    const struct series *size = result_at(all.histogram, "size");
    double parameters = 0;
    for (int64_t r = 0; r < counts->axes[0].count; r++) {
        double sum = (double)zeros->values->data[r];
        for (int64_t b = 0; b < 50; b++) {
            sum += (double)counts->values->data[r * 50 + b];
        }
        check_near(sum, size->values->data[r], 0);
        parameters += sum;
    }
    check_near(parameters, (double)model->parameters, 0);
}

/* ---- through time ---- */

static const char *cache(void) {
    const char *folder = check_folder(arena);
    setenv("XDG_CACHE_HOME", folder, 1);
    return folder;
}

static const struct model *newborn(enum op_recurrence kind, double gain) {
    struct newborn what = {
        .kind = kind, .layers = 2, .hidden = 48, .gain = gain, .memory = 200, .seed = 1
    };
    const char *folder = newborn_write(arena, &what, &err);
    return folder ? model_open(arena, folder, &err) : NULL;
}

static const char *const line = "It was the best of times, it was the worst of times.";

TEST(gradients_tell_vanishing_from_exploding) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    const struct gradients deep = of(newborn(OP_RNN_TANH, 0.5), &line, 1, NULL);
    check_text(deep.histogram->finding, "Vanishing through time");
    const struct gradients wild = of(newborn(OP_RNN_TANH, 5), &line, 1, NULL);
    check_text(wild.histogram->finding, "Exploding through time");
    const struct gradients well = of(newborn(OP_LSTM, 1), &line, 1, NULL);
    check_text(well.histogram->finding, "Healthy through time");
    check_int(well.flow->series[0].values->shape[0], 2);
    check_int(well.flow->series[0].values->shape[1], (int64_t)strlen(line) - 1);
    check_int(well.units->series[0].values->shape[0], 8); /* four gates of two layers */
    const char *short_text = "It was";
    const struct gradients brief = of(newborn(OP_LSTM, 1), &short_text, 1, NULL);
    check_text(brief.histogram->finding, "5 steps are too few to tell");
}

/* Two texts, their last steps together: the mean of their squares, where both are. */
TEST(gradients_flow_of_texts_ends_together) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    const struct model *model = newborn(OP_GRU, 1);
    const char *const texts[] = { "hello world", "abc" };
    const struct gradients a = of(model, texts, 1, NULL), b = of(model, texts + 1, 1, NULL);
    const struct gradients both = of(model, texts, 2, NULL);
    const float *x = a.flow->series[0].values->data, *y = b.flow->series[0].values->data;
    const float *z = both.flow->series[0].values->data;
    for (int d = 0; d < 10; d++) {
        double with = d < 2 ? (double)y[1 - d] : 0;
        double squares = (double)x[9 - d] * (double)x[9 - d] + with * with;
        double wanted = sqrt(squares / (d < 2 ? 2 : 1));
        check_near(z[9 - d], wanted, 1e-5 * wanted);
    }
}

/* A model with a change to its weights, in the folder. */
static const struct model *changed_in(const char *folder, const struct model *model,
                                      void (*change)(struct tensor *tensor)) {
    const struct weights *w = model->weights;
    struct tensor *tensors = arena_array(arena, w->count, sizeof *tensors);
    const struct tensor **list = arena_array(arena, w->count, sizeof *list);
    for (int64_t i = 0; i < w->count; i++) {
        tensors[i] = *tensor_new(arena, w->tensors[i].rank, w->tensors[i].shape);
        tensors[i].name = w->tensors[i].name;
        memcpy(tensors[i].data, w->tensors[i].data, (size_t)tensor_bytes(&tensors[i]));
        change(&tensors[i]);
        list[i] = &tensors[i];
    }
    check(safetensors_write(arena_printf(arena, "%s/model.safetensors", folder), list, w->count,
                            &err) == 0);
    return model_open(arena, folder, &err);
}

/* The same, in place of its file. */
static const struct model *changed(const struct model *model,
                                   void (*change)(struct tensor *tensor)) {
    return changed_in(model->path, model, change);
}

static void make_chain(struct tensor *tensor) {
    for (int64_t k = 0; k < tensor_count(tensor); k++) {
        tensor->data[k] = strstr(tensor->name, "weight_hh")   ? 0.6F
                          : strstr(tensor->name, "weight_ih") ? 1
                          : strstr(tensor->name, "bias")      ? 0
                                                              : 0.1F + 0.01F * (float)k;
    }
}

/* A network with one unit and relu, h_t = w h_(t-1) + u e while it is positive: each step back
 * multiplies by w. Its embedding, made by hand, keeps all sums positive. */
TEST(gradients_of_a_linear_chain_decay_by_its_weight) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    struct newborn what = {
        .kind = OP_RNN_RELU, .layers = 1, .hidden = 1, .gain = 1, .memory = 2, .seed = 1
    };
    const struct model *model = model_open(arena, newborn_write(arena, &what, &err), &err);
    const struct gradients all = of(changed(model, make_chain), &line, 1, NULL);
    const struct tensor *flow = all.flow->series[0].values;
    for (int64_t t = 1; t < flow->shape[1]; t++) {
        check_near(flow->data[t - 1] / flow->data[t], 0.6, 1e-5);
    }
    check_text(all.flow->finding, "multiplies the gradient by 0.6 (fit r² 1.00)");
}

static void break_one(struct tensor *tensor) {
    if (strcmp(tensor->name, "rnn.bias_hh_l1") == 0) {
        tensor->data[3] = NAN;
    }
}

TEST(gradients_name_what_is_broken) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    const struct gradients all = of(changed(newborn(OP_LSTM, 1), break_one), &line, 1, NULL);
    check_text(all.histogram->finding, "broken because the model's own weights are: "
                                       "rnn.bias_hh_l1 (192 numbers, 1 of them NaN)");
    check(all.flow && all.norms && all.units);
}

static void make_deaf(struct tensor *tensor) {
    bool last = strcmp(tensor->name, "model.decoder.final_layer_norm.weight") == 0;
    for (int64_t k = 0; last && k < tensor_count(tensor); k++) {
        tensor->data[k] = 0;
    }
}

/* Behind a norm that multiplies by 0 every gradient is 0, as PyTorch's: zeros that are counted,
 * not tensors that are left out. */
TEST(gradients_that_are_all_zero_are_counted) {
    const struct model *model = opened("opt");
    const char *text = "The model reads one token.", *folder = check_folder(arena);
    static const char *const names[] = { "config.json", "tokenizer.json" };
    for (int i = 0; i < 2; i++) {
        char *full = realpath(file_join(arena, model->path, names[i]), NULL);
        check(full && symlink(full, file_join(arena, folder, names[i])) == 0);
        free(full);
    }
    const struct gradients all = of(changed_in(folder, model, make_deaf), &text, 1, NULL);
    const struct series *zeros = result_at(all.histogram, "zeros");
    const struct series *size = result_at(all.histogram, "size");
    double parameters = 0;
    for (int64_t r = 0; r < size->axes[0].count; r++) {
        bool inside = strstr(size->axes[0].labels[r], ".layers.");
        check(!inside || zeros->values->data[r] == size->values->data[r]);
        parameters += (double)size->values->data[r];
    }
    check_near(parameters, (double)model->parameters, 0);
    check_text(all.histogram->finding, "No gradient arrives at any layer.");
    check_text(all.flow->finding, "no gradient arrives at any layer");
}

/* ---- other heads ---- */

TEST(gradients_of_a_masked_model_mask) {
    const struct model *model = opened("bert_mlm");
    const char *text = "The model reads one token.";
    const struct gradients all = of(model, &text, 1, NULL);
    check(all.histogram && all.histogram->seed == 0);
    check(norm_of(&all, model_words(model)->name) > 0);
    check(!of(model, &text, 1, "the").histogram);
    check_text(err.text, "write [MASK] in it");
}

TEST(gradients_of_a_classifier_want_a_class) {
    const struct model *model = opened("bert_cls");
    const char *const texts[] = { "The model reads one token.", "one token >> 1",
                                  "one token >> 99" };
    check(!of(model, texts, 1, NULL).histogram);
    check_text(err.text, "there is no class to lose against");
    err = (struct err){ 0 };
    check(of(model, texts + 1, 1, NULL).histogram);
    check(of(model, texts, 1, "0").histogram);
    check(!of(model, texts + 2, 1, NULL).histogram);
    check_text(err.text, "there is no class 99");
}

/* A loss that is 0 whatever the text is none. */
TEST(gradients_of_one_score_want_a_target) {
    const struct model *model = opened("bert_cls");
    struct model one = *model;
    struct config config = *model->config;
    const char *const text = "one token >> 0";
    config.labels = 1;
    one.config = &config;
    check(!of(&one, &text, 1, NULL).histogram);
    check_text(err.text, "ask for the score's gradient by --target 0");
}

TEST(gradients_of_two_stacks) {
    const struct model *model = opened("t5");
    const char *const texts[] = { "The model reads one token. >> one two", "no target" };
    const struct gradients all = of(model, texts, 1, NULL);
    check(all.flow && all.flow->series[0].values->shape[0] == 2);
    check(!of(model, texts + 1, 1, NULL).histogram);
    check_text(err.text, "write source >> target");
}

TEST(gradients_of_a_logit) {
    const struct model *model = opened("gpt2");
    const char *text = "The model reads one token.";
    const struct gradients all = of(model, &text, 1, "#5");
    check(all.histogram != NULL);
    check_text(all.histogram->finding, "The logit of");
    check(!of(model, &text, 1, "#99999").histogram);
    check_int(err.kind, ERR_OPTION);
    check(!of(model, &text, 1, "the model reads one token").histogram);
    check_text(err.text, "tokens of this model; a target is one");
}

TEST(gradients_refuse_what_has_no_loss) {
    arena = check_arena();
    err = (struct err){ 0 };
    const struct model *model = opened("rnn_lm");
    const char *const texts[] = { "one", "" };
    check(!of(model, texts, 1, NULL).histogram);
    check_text(err.text, "no token of these texts can be scored");
    check(!of(model, texts + 1, 1, NULL).histogram);
    check_text(err.text, "no tokens");
}

/* Of a stack, the verdict is of the layer that explodes most: here the first, while what lies
 * above it only keeps. */
TEST(gradients_that_explode_in_one_layer_explode) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    struct newborn what = {
        .kind = OP_RNN_TANH, .layers = 2, .hidden = 64, .gain = 6, .memory = 2, .seed = 0
    };
    const struct gradients all =
        of(model_open(arena, newborn_write(arena, &what, &err), &err), &line, 1, NULL);
    check_text(all.histogram->finding, "Exploding through time in layer 0: each step back");
    check_text(all.flow->finding, "Exploding through time in layer 0: each step back");
}

static void make_wild(struct tensor *tensor) {
    for (int64_t k = 0; strstr(tensor->name, "weight") && k < tensor_count(tensor); k++) {
        tensor->data[k] *= 40;
    }
}

/* Overflow is no vanishing. */
TEST(gradients_that_overflow_do_not_vanish) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    struct newborn what = {
        .kind = OP_RNN_RELU, .layers = 3, .hidden = 48, .gain = 1, .memory = 2, .seed = 1
    };
    const struct model *model = model_open(arena, newborn_write(arena, &what, &err), &err);
    const struct gradients all = of(changed(model, make_wild), &line, 1, NULL);
    check_text(all.histogram->finding, "overflowed on the way");
    check(!strstr(all.norms->finding, "anishing") && !strstr(all.flow->finding, "anishing"));
    check(isnan(all.norms->series[0].values->data[1])); /* and not 0 */
}

/* A text as long as half of what a batch may hold, and short ones. */
static const char *long_text(int64_t length) {
    char *text = arena_alloc(arena, (size_t)length + 1);
    for (int64_t i = 0; i < length; i++) {
        text[i] = (char)('a' + i * i % 23);
    }
    return text;
}

static void same_bars(const struct result *a, const struct result *b, double within) {
    for (int64_t i = 0; i < a->series[0].axes[0].count; i++) {
        double wanted = (double)a->series[0].values->data[i];
        check_near(b->series[0].values->data[i], wanted, within * wanted);
    }
}

/* However the texts fall into batches, it is the same mean, and the same flow. */
TEST(gradients_of_several_batches_are_of_one_mean) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    struct newborn what = {
        .kind = OP_GRU, .layers = 2, .hidden = 6, .gain = 1, .memory = 50, .seed = 3
    };
    const struct model *model = model_open(arena, newborn_write(arena, &what, &err), &err);
    const char *big = long_text(4097);
    const char *const twice[] = { big, big }, *const orders[][3] = { { big, "hello", line },
                                                                     { "hello", line, big } };
    const struct gradients once = of(model, twice, 1, NULL), two = of(model, twice, 2, NULL);
    same_bars(once.norms, two.norms, 1e-5); /* two batches of one text each */
    check_text(two.histogram->finding, "mean over 8192 scored tokens of 2 texts");
    const float *x = once.flow->series[0].values->data, *y = two.flow->series[0].values->data;
    for (int64_t t = 4000; t < 4096; t++) { /* as one of them alone */
        check_near(y[t], x[t], 1e-5 * (double)x[t]);
    }
    const struct gradients a = of(model, orders[0], 3, NULL), b = of(model, orders[1], 3, NULL);
    same_bars(a.norms, b.norms, 1e-5); /* 1 and 2; 2 and 1 */
    same_bars(a.units, b.units, 1e-6);
    x = a.flow->series[0].values->data;
    y = b.flow->series[0].values->data;
    for (int64_t t = 4000; t < 4096; t++) {
        check_near(y[t], x[t], 1e-5 * (double)x[t]);
    }
    const struct gradients logit = of(model, orders[0], 3, "a"),
                           other = of(model, orders[1], 3, "a");
    same_bars(logit.norms, other.norms, 1e-5);
}

TEST(gradients_tell_why_a_masked_text_has_no_loss) {
    const struct model *model = opened("bert_mlm");
    const char *text = "The [MASK] reads one token.";
    check(!of(model, &text, 1, NULL).histogram);
    check_text(err.text, "what stands at a mask is not known");
    err = (struct err){ 0 };
    check(of(model, &text, 1, "one").histogram);
}

TEST(gradients_of_a_logit_want_a_token_that_is_there) {
    arena = check_arena();
    err = (struct err){ 0 };
    cache();
    const struct model *model = newborn(OP_LSTM, 1);
    check(!of(model, &line, 1, "\u2603").histogram); /* it would be <unk> */
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "is no token of this vocabulary");
    err = (struct err){ 0 };
    check(!of(model, &line, 1, "auto").histogram);
    check_text(err.text, "one token or class that is named");
}
