#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "core/base/file.h"
#include "core/model/model.h"

static struct arena *arena;
static struct err err;

/* Not file_write, which waits for the disk. */
static void write_text(const char *path, const char *content) {
    FILE *out = fopen(path, "we");
    check(out && fputs(content, out) >= 0 && fclose(out) == 0);
}

/* The configuration of these JSON members beside those every one must have. */
static struct config *read_json(const char *members) {
    static const struct weights none;
    arena = check_arena();
    err = (struct err){ 0 };
    char *path = file_join(arena, check_folder(arena), "config.json");
    write_text(path, members);
    return config_read(arena, &none, path, &err);
}

#define SIZES                                                               \
    "\"hidden_size\":48,\"num_hidden_layers\":3,\"num_attention_heads\":6," \
    "\"intermediate_size\":96,\"vocab_size\":640"
#define LLAMA "{\"model_type\":\"llama\"," SIZES
#define BERT  "{\"model_type\":\"bert\"," SIZES

static void refused(const char *members, enum err_kind kind, const char *part,
                    const char *other) {
    check(!read_json(members));
    check_int(err.kind, kind);
    check_text(err.text, "config.json");
    check_text(err.text, part);
    check_text(err.text, other);
}

TEST(config_fills_in_what_bert_leaves_out) {
    struct config *c = read_json(BERT "}");
    if (!check(c != NULL)) {
        return;
    }
    check(c->layers == 3 && c->heads == 6 && c->kv_heads == 6 && c->head_width == 8);
    check(c->width == 48 && c->inner == 96 && c->vocab == 640);
    check(c->context == 512 && c->types == 2 && c->eps == 1e-12 && c->tied && c->pad == 0);
    check_same(c->activation, "gelu");
    check_same(c->class_name, "");
    check(c->labels == 0 && c->bos == -1 && c->eos == -1);
}

TEST(config_fills_in_what_llama_leaves_out) {
    struct config *c = read_json(LLAMA "}");
    if (!check(c != NULL)) {
        return;
    }
    check(c->context == 2048 && c->eps == 1e-6 && !c->tied && c->rope_base == 10000);
    check_same(c->activation, "silu");
}

TEST(config_reads_what_is_said) {
    struct config *c = read_json(
        LLAMA ",\"num_key_value_heads\":2,\"head_dim\":16,\"max_position_embeddings\":32,"
              "\"rms_norm_eps\":1e-5,\"rope_theta\":5e5,\"tie_word_embeddings\":true,"
              "\"bos_token_id\":1,\"eos_token_id\":[2,3],\"pad_token_id\":null}");
    if (!check(c != NULL)) {
        return;
    }
    check(c->kv_heads == 2 && c->head_width == 16 && c->context == 32 && c->tied);
    check(c->eps == 1e-5 && c->rope_base == 5e5);
    check(c->bos == 1 && c->eos == 2 && c->pad == -1);
}

TEST(config_reads_rope_parameters) {
    struct config *c =
        read_json(LLAMA ",\"rope_parameters\":{\"rope_theta\":1e6,\"rope_type\":\"default\"}}");
    check(c && c->rope_base == 1e6);
}

TEST(config_reads_classes) {
    struct config *c =
        read_json(BERT ",\"architectures\":[\"BertForSequenceClassification\"],"
                       "\"id2label\":{\"1\":\"yes\",\"0\":\"no\",\"2\":\"perhaps\"}}");
    if (check(c && c->labels == 3 && c->label_names)) {
        check_same(c->label_names[0], "no");
        check_same(c->label_names[2], "perhaps");
    }
    c = read_json(BERT ",\"architectures\":[\"BertForSequenceClassification\"]}");
    check(c && c->labels == 2 && !c->label_names);
}

TEST(config_names_the_field_and_its_value) {
    refused("{\"model_type\":\"llama\",\"hidden_size\":0}", ERR_FORMAT, "hidden_size is 0",
            "from 1");
    refused(BERT ",\"max_position_embeddings\":-1}", ERR_FORMAT,
            "max_position_embeddings is -1", "from 1");
    refused(BERT ",\"type_vocab_size\":1e12}", ERR_FORMAT, "type_vocab_size is 1e12", "65536");
    refused(BERT ",\"head_dim\":2.5}", ERR_FORMAT, "head_dim is 2.5", "whole number");
    refused(BERT ",\"head_dim\":\"8\"}", ERR_FORMAT, "head_dim is \"8\"", "whole number");
    refused(BERT ",\"head_dim\":[8]}", ERR_FORMAT, "head_dim is a list", "whole number");
    refused(BERT ",\"head_dim\":true}", ERR_FORMAT, "head_dim is true", "whole number");
    refused(BERT ",\"head_dim\":1e400}", ERR_FORMAT, "head_dim is 1e400", "whole number");
    refused(BERT ",\"layer_norm_eps\":-1}", ERR_FORMAT, "layer_norm_eps is -1", "positive");
    refused(LLAMA ",\"rope_theta\":0}", ERR_FORMAT, "rope_theta is 0", "positive");
    refused(LLAMA ",\"bos_token_id\":4e9}", ERR_FORMAT, "bos_token_id is 4e9", "token");
    refused(LLAMA ",\"eos_token_id\":[\"x\"]}", ERR_FORMAT, "eos_token_id is \"x\"", "token");
    refused("{\"model_type\":\"bert\",\"hidden_size\":48}", ERR_FORMAT, "num_hidden_layers",
            "missing");
}

TEST(config_refuses_layers_that_no_model_has) {
    refused("{\"model_type\":\"bert\",\"num_hidden_layers\":1000000}", ERR_FORMAT,
            "num_hidden_layers is 1000000", "1 to 10000");
    refused("{\"model_type\":\"bert\",\"vocab_size\":99999999999}", ERR_FORMAT,
            "vocab_size is 99999999999", "4194304");
}

TEST(config_refuses_sizes_that_contradict) {
    refused(LLAMA ",\"num_key_value_heads\":4}", ERR_FORMAT, "6 attention heads",
            "4 key-value");
    refused("{\"model_type\":\"bert\",\"hidden_size\":50,\"num_hidden_layers\":3,\"num_"
            "attention_heads\":6,"
            "\"intermediate_size\":96,\"vocab_size\":640}",
            ERR_FORMAT, "width of 50", "6 heads");
}

TEST(config_refuses_positions_it_would_turn_wrongly) {
    refused(LLAMA ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8}}", ERR_UNSUPPORTED,
            "llama3", "scaled");
    refused(LLAMA ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}}", ERR_UNSUPPORTED,
            "linear", "scaled");
}

TEST(config_names_the_nearest_architecture) {
    refused("{\"model_type\":\"lama\"}", ERR_UNSUPPORTED, "\"lama\"", "the nearest is llama");
    check_text(err.text, "known are: ");
    check_text(err.text, "bert");
    refused("{\"model_type\":\"mixtral\"}", ERR_UNSUPPORTED, "\"mixtral\"", "known are: ");
    refused("{\"model_type\":7}", ERR_UNSUPPORTED, "model_type", "is 7");
    refused("{}", ERR_FORMAT, "model_type is missing", "architecture");
}

TEST(config_refuses_what_is_no_object) {
    refused("[]", ERR_FORMAT, "object", "config.json");
    refused("", ERR_FORMAT, "byte 0", "config.json");
    refused("{\"a\":1,\"a\":2}", ERR_FORMAT, "a stands twice", "byte");
    refused("{\"model_type\":\"bert\"", ERR_FORMAT, "missing", "byte");
}

TEST(config_says_that_the_file_is_missing) {
    static const struct weights none;
    arena = check_arena();
    check(
        !config_read(arena, &none, file_join(arena, check_folder(arena), "config.json"), &err));
    check_int(err.kind, ERR_MODEL);
    check_text(err.text, "config.json is missing");
}

TEST(config_reads_gguf) {
    arena = check_arena();
    err = (struct err){ 0 };
    struct weights *w =
        weights_open(arena, check_fixture(arena, "golden/data/gguf/llama/model.gguf"), &err);
    struct config *c = w ? config_read(arena, w, NULL, &err) : NULL;
    if (!check(c != NULL)) {
        return;
    }
    const struct tensor *embedding = weights_at(w, "token_embd.weight");
    check(embedding && c->vocab == embedding->shape[0] && c->width == embedding->shape[1]);
    check(c->head_width * c->heads == c->width && c->heads % c->kv_heads == 0);
    check(!c->json && c->bos >= 0 && c->eos >= 0);
    check_same(c->type, "llama");
}

TEST(model_open_reads_a_folder) {
    arena = check_arena();
    err = (struct err){ 0 };
    struct model *model =
        model_open(arena, check_fixture(arena, "golden/data/models/bert_cls"), &err);
    if (!check(model != NULL)) {
        return;
    }
    check_same(model->task, "classification");
    check_same(model->dtype, "F32");
    check_same(model->arch->name, "bert");
    check(model->tokenizer && tokenizer_size(model->tokenizer) <= model->config->vocab);
    check_int(model->config->labels, 3);
}

TEST(model_open_takes_one_file_with_its_neighbours) {
    arena = check_arena();
    err = (struct err){ 0 };
    struct model *model = model_open(
        arena, check_fixture(arena, "golden/data/models/bert_mlm/model.safetensors"), &err);
    check(model && model->tokenizer);
    check(model && strcmp(model->task, "masked-lm") == 0);
}

TEST(model_open_refuses_weights_that_contradict_the_configuration) {
    arena = check_arena();
    err = (struct err){ 0 };
    const char *folder = check_folder(arena);
    struct file *weights = file_map(
        arena, check_fixture(arena, "golden/data/models/bert_mlm/model.safetensors"), &err);
    if (!check(weights != NULL)) {
        return;
    }
    const char *json = BERT ",\"max_position_embeddings\":32}";
    file_write(file_join(arena, folder, "model.safetensors"), weights->bytes,
               (size_t)weights->size, &err);
    file_write(file_join(arena, folder, "config.json"), json, strlen(json), &err);
    struct model *model = model_open(arena, folder, &err);
    check(model && !model->tokenizer); /* the same sizes, but no tokenizer.json */

    json = "{\"model_type\":\"bert\",\"hidden_size\":96,\"num_hidden_layers\":3,\"num_"
           "attention_heads\":6,"
           "\"intermediate_size\":96,\"vocab_size\":640}";
    file_write(file_join(arena, folder, "config.json"), json, strlen(json), &err);
    check(!model_open(arena, folder, &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "[640, 48]");
    check_text(err.text, "[640, 96]");
}
