#include <stdio.h>
#include <string.h>

#include "core/model/inventory.h"
#include "tests/check.h"

static const struct model *open_model(const char *name) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    const struct model *model = model_open(arena, check_fixture(arena, name), &err);
    check_same(err.text, "");
    return model;
}

static int64_t counted(const struct inventory *inventory) {
    int64_t n = 0;
    for (int64_t i = 0; i < inventory->count; i++) {
        n += inventory->items[i].counts ? tensor_count(inventory->items[i].tensor) : 0;
    }
    return n;
}

static const struct item *item_of(const struct inventory *inventory, const char *name) {
    for (int64_t i = 0; i < inventory->count; i++) {
        if (strcmp(inventory->items[i].tensor->name, name) == 0) {
            return &inventory->items[i];
        }
    }
    return NULL;
}

/* sum(p.numel() for p in model.parameters()) of transformers 5.0's classes on the same files;
 * of the recurrent ones, of torch.nn.RNN, LSTM and GRU between Embedding and Linear. */
static const struct {
    const char *name;
    int64_t parameters;
} known[] = {
    { "bert_cls", 39875 },      { "bert_mlm", 92416 }, { "distilbert", 71400 },
    { "gemma3", 101840 },       { "gpt2", 111024 },    { "gpt_neox", 128896 },
    { "gru_lm", 56096 },        { "llama2", 74120 },   { "llama3", 54432 },
    { "llama_smollm2", 84816 }, { "lstm_lm", 51240 },  { "mistral", 110736 },
    { "modernbert", 100081 },   { "opt", 62688 },      { "phi", 87488 },
    { "qwen2", 88176 },         { "qwen3", 55304 },    { "rnn_lm", 32520 },
    { "roberta", 65713 },       { "t5", 136192 },
};

TEST(inventory_counts_as_pytorch_does) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct arena *arena = check_arena();
        const struct model *model =
            open_model(arena_printf(arena, "golden/data/models/%s", known[i].name));
        if (check(model)) {
            struct inventory *inventory = inventory_of(arena, model);
            check_int(counted(inventory), known[i].parameters);
            check_int(model->parameters, known[i].parameters);
        }
    }
}

TEST(inventory_has_every_tensor_of_every_file) {
    const char *const files[] = { "golden/data/models/t5", "golden/data/models/modernbert",
                                  "golden/data/gguf/llama/model.gguf",
                                  "golden/data/gguf/gemma3/model.gguf" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const struct model *model = open_model(files[i]);
        const struct inventory *inventory = model ? inventory_of(check_arena(), model) : NULL;
        int64_t own = 0;
        for (int64_t k = 0; inventory && k < inventory->count; k++) {
            own += !inventory->items[k].tied;
        }
        check_int(own, model ? model->weights->count : 0);
    }
}

TEST(inventory_knows_parts_and_layers) {
    const struct inventory *t5 =
        inventory_of(check_arena(), open_model("golden/data/models/t5"));
    const struct item *item = item_of(t5, "decoder.block.1.layer.1.EncDecAttention.k.weight");
    if (check(item)) {
        check_int(item->part, PART_CROSS_KEY);
        check_int(item->layer, 1);
        check(item->decoder && !item->bias);
    }
    item = item_of(t5, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
    check(item && item->part == PART_DISTANCES && item->layer == -1);

    const struct inventory *gpt2 =
        inventory_of(check_arena(), open_model("golden/data/models/gpt2"));
    const struct item *last = NULL;
    for (int64_t i = 0; i < gpt2->count; i++) {
        last = gpt2->items[i].part == PART_HEAD ? &gpt2->items[i] : last;
    }
    check(last && last->tied && !last->counts); /* the word embeddings again */
}

TEST(inventory_names_its_parts_in_both_languages) {
    for (int part = 0; part < PART_COUNT; part++) {
        check(*part_name((enum part)part, "en") && *part_name((enum part)part, "zh"));
        check(strcmp(part_name((enum part)part, "en"), part_name((enum part)part, "zh")) != 0);
    }
}
