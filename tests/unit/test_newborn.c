#include "core/model/newborn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/utf8.h"
#include "core/model/model.h"
#include "tests/check.h"

static struct arena *arena;
static struct err err;

/* A cache folder of the test's own. */
static void begin(void) {
    arena = check_arena();
    err = (struct err){ 0 };
    setenv("XDG_CACHE_HOME", check_folder(arena), 1);
}

static struct newborn lstm(void) {
    return (struct newborn){
        .kind = OP_LSTM, .layers = 2, .hidden = 40, .gain = 1, .memory = 50, .seed = 3
    };
}

static const struct model *made(struct newborn what) {
    const char *folder = newborn_write(arena, &what, &err);
    const struct model *model = folder ? model_open(arena, folder, &err) : NULL;
    check_same(err.text, "");
    return model;
}

TEST(newborn_is_an_ordinary_model) {
    begin();
    struct newborn what = lstm();
    const enum op_recurrence kinds[] = { OP_RNN_TANH, OP_RNN_RELU, OP_LSTM, OP_GRU };
    for (int i = 0; i < 4; i++) {
        what.kind = kinds[i];
        const struct model *model = made(what);
        check(model && model->config->layers == 2 && model->config->width == 40);
        check_int(model->config->vocab, 98); /* unknown, line end, tab, 95 of ASCII */
    }
}

TEST(newborn_reads_characters) {
    begin();
    struct newborn what = lstm();
    what.alphabet = "猫坐猫";
    const struct model *model = made(what);
    const char *text = "a b\n猫!<é";
    const struct encoding *e =
        tokenizer_encode(arena, model->tokenizer, text, strlen(text), NULL, 0, true, &err);
    check_int(model->config->vocab, 100);
    check(e && e->count == 8);
    check_same(tokenizer_spelling(model->tokenizer, e->tokens[0].id), "a");
    check_same(tokenizer_spelling(model->tokenizer, e->tokens[1].id), " ");
    check_same(tokenizer_spelling(model->tokenizer, e->tokens[3].id), "\n");
    check_same(tokenizer_spelling(model->tokenizer, e->tokens[4].id), "猫");
    check_same(tokenizer_spelling(model->tokenizer, e->tokens[7].id), "<unk>");
    int32_t ids[5];
    for (int i = 0; i < 5; i++) {
        ids[i] = e->tokens[i].id;
    }
    check_same(tokenizer_decode(arena, model->tokenizer, ids, 5, true, NULL), "a b\n猫");
}

TEST(newborn_of_the_same_seed_is_the_same_folder) {
    begin();
    struct newborn what = lstm();
    const char *one = newborn_write(arena, &what, &err);
    const char *again = newborn_write(arena, &what, &err);
    what.seed = 4;
    const char *other = newborn_write(arena, &what, &err);
    check_same(one, again);
    check(strcmp(one, other) != 0);
    check_text(one, "/cutaway/models/lstm-");
}

static double deviation(const struct tensor *tensor) {
    double squares = 0;
    int64_t n = tensor_count(tensor);
    for (int64_t i = 0; i < n; i++) {
        squares += (double)tensor->data[i] * (double)tensor->data[i];
    }
    return sqrt(squares / (double)n);
}

TEST(newborn_has_the_scales_it_says) {
    begin();
    struct newborn what = lstm();
    what.gain = 3;
    what.hidden = 100;
    const struct model *model = made(what);
    const struct weights *w = model->weights;
    check_near(deviation(weights_at(w, "rnn.weight_hh_l0")), 0.3, 0.006);
    check_near(deviation(weights_at(w, "rnn.weight_ih_l0")), 0.1, 0.002);
    check_near(deviation(weights_at(w, "rnn.weight_ih_l1")), 0.3, 0.006);
    check_near(deviation(weights_at(w, "embedding.weight")), 1, 0.03);
    const float *bias = weights_at(w, "rnn.bias_ih_l1")->data;
    for (int i = 0; i < 100; i++) {
        check(bias[100 + i] >= 0 && bias[100 + i] <= logf(49) + 1e-5F);
        check_near(bias[i], -bias[100 + i], 0);
        check(bias[200 + i] == 0 && bias[300 + i] == 0);
    }
}

static void refused(struct newborn what, const char *part) {
    err = (struct err){ 0 };
    check(!newborn_write(arena, &what, &err));
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, part);
}

TEST(newborn_refuses_what_cannot_be) {
    begin();
    struct newborn what = lstm();
    what.gain = 0;
    refused(what, "the gain is above 0");
    what.gain = (double)NAN;
    refused(what, "the gain is above 0");
    what = lstm();
    what.layers = 0;
    refused(what, "1 to 64 layers, not 0");
    what = lstm();
    what.hidden = 5000;
    refused(what, "1 to 4096 units");
    what.hidden = 4096;
    refused(what, "at most 1024 MB");
    char every[100000], *at = every; /* characters of three bytes */
    for (uint32_t code = 0x4e00; code < 0x4e00 + 32000; code++) {
        at += utf8_encode(at, code);
    }
    *at = '\0';
    what.layers = 1;
    what.kind = OP_RNN_TANH;
    what.alphabet = every;
    refused(what, "1 layers of 4096 units over 32098 characters would be 1186 MB");
    what = lstm();
    what.memory = 1;
    refused(what, "2 to 1000000 steps");
    what = lstm();
    what.alphabet = "\xff";
    refused(what, "not UTF-8");
}

TEST(newborn_says_when_it_cannot_write) {
    begin();
    struct newborn what = lstm();
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    check(!newborn_write(arena, &what, &err));
    check_int(err.kind, ERR_IO);
    check_text(err.text, "cannot make the folder /dev/null");
    unsetenv("XDG_CACHE_HOME");
}
