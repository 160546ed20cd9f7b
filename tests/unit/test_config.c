#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/model/model.h"
#include "core/tensor/safetensors_write.h"

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
    check(c->context == 2048 && c->eps == 1e-6 && !c->tied && c->rope.base == 10000);
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
    check(c->eps == 1e-5 && c->rope.base == 5e5);
    check(c->bos == 1 && c->eos == 2 && c->pad == -1);
}

/* A recurrent network takes none of these, and no memory for them. */
TEST(config_leaves_what_a_recurrent_network_has_not) {
    struct config *c = read_json(
        "{\"model_type\":\"lstm_lm\",\"hidden_size\":48,\"num_layers\":3,\"vocab_size\":640,"
        "\"num_attention_heads\":6,\"num_key_value_heads\":4,\"head_dim\":1000001,"
        "\"intermediate_size\":1000001,\"max_position_embeddings\":2}");
    check(c && c->layers == 3 && c->width == 48 && c->vocab == 640);
    check(c && c->heads == 0 && c->kv_heads == 0 && c->head_width == 0 && c->inner == 0);
    check(c && config_fits(c, 1000));
}

TEST(config_reads_rope_parameters) {
    struct config *c =
        read_json(LLAMA ",\"rope_parameters\":{\"rope_theta\":1e6,\"rope_type\":\"default\"}}");
    check(c && c->rope.base == 1e6);
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
    refused(LLAMA ",\"rope_theta\":0}", ERR_FORMAT, "rope_theta is 0", "1e-06");
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

TEST(config_takes_theta_from_the_rope_parameters_first) {
    struct config *c =
        read_json(LLAMA ",\"rope_theta\":99,\"rope_parameters\":{\"rope_theta\":5e5}}");
    check(c && c->rope.base == 5e5);
    c = read_json(LLAMA ",\"rope_theta\":99,\"rope_parameters\":{\"rope_type\":\"default\"}}");
    check(c && c->rope.base == 99);
}

TEST(config_refuses_values_of_another_kind) {
    refused(LLAMA ",\"rope_parameters\":[1]}", ERR_FORMAT, "rope_parameters is a list",
            "object");
    refused(LLAMA ",\"rope_scaling\":\"linear\"}", ERR_FORMAT, "rope_scaling is", "object");
    refused(BERT ",\"hidden_act\":7}", ERR_FORMAT, "hidden_act is 7", "name");
    refused(LLAMA ",\"tie_word_embeddings\":1}", ERR_FORMAT, "tie_word_embeddings is 1",
            "true");
    check(read_json(LLAMA ",\"rope_scaling\":null,\"hidden_act\":null}") != NULL);
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
    check(model && model_reads_text(model, &err) < 0);
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "no tokenizer.json");

    json = "{\"model_type\":\"bert\",\"hidden_size\":96,\"num_hidden_layers\":3,\"num_"
           "attention_heads\":6,"
           "\"intermediate_size\":96,\"vocab_size\":640}";
    file_write(file_join(arena, folder, "config.json"), json, strlen(json), &err);
    check(!model_open(arena, folder, &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "[640, 48]");
    check_text(err.text, "[640, 96]");
}

/* ---- files that differ from a fixture in one thing ---- */

static struct weights *fixture_weights(const char *fixture) {
    arena = check_arena();
    err = (struct err){ 0 };
    return weights_open(arena, check_fixture(arena, fixture), &err);
}

/* The weights but `without`, and up to two more, under this config.json. */
static struct model *changed(const struct weights *weights, const char *without,
                             const struct tensor *more, int64_t more_count, const char *json) {
    const struct tensor **list = arena_array(arena, weights->count + more_count, sizeof *list);
    const char *folder = check_folder(arena);
    int64_t n = 0;
    for (int64_t i = 0; i < weights->count; i++) {
        if (!without || strcmp(weights->tensors[i].name, without) != 0) {
            list[n++] = &weights->tensors[i];
        }
    }
    for (int64_t i = 0; i < more_count; i++) {
        list[n++] = &more[i];
    }
    check(safetensors_write(file_join(arena, folder, "model.safetensors"), list, n, &err) == 0);
    write_text(file_join(arena, folder, "config.json"), json);
    return model_open(arena, folder, &err);
}

#define BERT_MLM                                                                           \
    "{\"model_type\":\"bert\",\"architectures\":[\"BertForMaskedLM\"],\"hidden_size\":48," \
    "\"num_hidden_layers\":3,\"num_attention_heads\":4,\"intermediate_size\":96,"          \
    "\"vocab_size\":640,\"max_position_embeddings\":32"
#define SMALL_LLAMA                                                          \
    "\"model_type\":\"llama\",\"hidden_size\":48,\"num_attention_heads\":6," \
    "\"num_key_value_heads\":2,\"intermediate_size\":96,\"vocab_size\":512," \
    "\"max_position_embeddings\":32,\"rope_theta\":1e5,\"tie_word_embeddings\":true"

static const float *logits_of(const struct model *model) {
    static const int32_t ids[] = { 2, 17, 3 };
    struct pass pass = { .arena = arena, .batch = 1, .tokens = 3, .ids = ids };
    pass.keep[SITE_LOGITS] = true;
    const struct trace *trace = model ? model_run(model, &pass, &err) : NULL;
    const struct tensor *logits = trace ? trace_at(trace, SITE_LOGITS, 0) : NULL;
    return logits ? logits->data : NULL;
}

/* The decoder's own bias is the one that counts where the head is not tied. */
TEST(bert_adds_the_bias_of_an_untied_head) {
    struct weights *weights = fixture_weights("golden/data/models/bert_mlm");
    const float *tied = logits_of(changed(weights, NULL, NULL, 0, BERT_MLM "}"));
    struct tensor *bias = tensor_new(arena, 1, (int64_t[]){ 640 });
    const struct tensor *old = weights_at(weights, "cls.predictions.bias");
    const struct tensor *words = weights_at(weights, "bert.embeddings.word_embeddings.weight");
    if (!check(tied && old && words)) {
        return;
    }
    for (int i = 0; i < 640; i++) {
        bias->data[i] = old->data[i] + 1;
    }
    struct tensor more[] = { *words, *bias };
    more[0].name = "cls.predictions.decoder.weight";
    more[1].name = "cls.predictions.decoder.bias";
    const char *json = BERT_MLM ",\"tie_word_embeddings\":false}";
    const float *own = logits_of(changed(weights, NULL, more, 2, json));
    for (int i = 0; own && i < 3 * 640; i++) {
        check_near(own[i], (double)tied[i] + 1, 1e-5);
    }
    check(own && !changed(weights, NULL, NULL, 0, json));
    check_text(err.text, "cls.predictions.decoder.weight is missing");
}

/* An empty table of token types would be read behind its end. */
TEST(bert_refuses_no_token_types) {
    struct weights *weights = fixture_weights("golden/data/models/bert_mlm");
    const char *name = "bert.embeddings.token_type_embeddings.weight";
    struct tensor *none = tensor_new(arena, 2, (int64_t[]){ 0, 48 });
    none->name = name;
    check(!changed(weights, name, none, 1, BERT_MLM ",\"type_vocab_size\":0}"));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "type_vocab_size is 0");
}

/* Before rooms are made for ten thousand of them. */
TEST(model_open_refuses_more_layers_than_the_file_has_tensors) {
    arena = check_arena();
    err = (struct err){ 0 };
    const char *folder = check_folder(arena);
    struct file *weights = file_map(
        arena, check_fixture(arena, "golden/data/models/bert_mlm/model.safetensors"), &err);
    const char *json = "{\"model_type\":\"bert\",\"hidden_size\":48,\"num_hidden_layers\":9999,"
                       "\"num_attention_heads\":4,\"intermediate_size\":96,\"vocab_size\":640}";
    file_write(file_join(arena, folder, "model.safetensors"), weights->bytes,
               (size_t)weights->size, &err);
    file_write(file_join(arena, folder, "config.json"), json, strlen(json), &err);
    int64_t before = arena_held();
    check(!model_open(arena, folder, &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, folder);
    check_text(err.text, "9999 layers are asked for");
    check(arena_held() - before < 300000);
}

TEST(model_open_refuses_more_layers_than_the_configuration_has) {
    struct weights *weights = fixture_weights("golden/data/models/llama_smollm2");
    check(changed(weights, NULL, NULL, 0, "{" SMALL_LLAMA ",\"num_hidden_layers\":3}") != NULL);
    check(!changed(weights, NULL, NULL, 0, "{" SMALL_LLAMA ",\"num_hidden_layers\":2}"));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "asks for 2 layers");
    check_text(err.text, "layers.2.");
}

/* The head of words is not what such a model answers with. */
TEST(llama_gives_no_logits_of_words_for_a_classifier) {
    struct weights *weights = fixture_weights("golden/data/models/llama_smollm2");
    static const struct {
        const char *class_name;
        bool words;
    } classes[] = { { "LlamaForCausalLM", true },
                    { "LlamaForTokenClassification", false },
                    { "LlamaModel", false } };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const char *json =
            arena_printf(arena, "{%s,\"num_hidden_layers\":3,\"architectures\":[\"%s\"]}",
                         SMALL_LLAMA, classes[i].class_name);
        struct model *model = changed(weights, NULL, NULL, 0, json);
        if (check(model != NULL)) {
            check((logits_of(model) != NULL) == classes[i].words);
            check((strcmp(model->task, "causal-lm") == 0) == classes[i].words);
        }
    }
}

/* The GGUF fixture with one more number in its metadata, and a text that keeps the data where
 * they may lie. */
static struct model *gguf_with(const char *key, float value) {
    arena = check_arena();
    err = (struct err){ 0 };
    const struct file *file =
        file_map(arena, check_fixture(arena, "golden/data/gguf/llama/model.gguf"), &err);
    if (!check(file != NULL)) {
        return NULL;
    }
    struct buf *out = buf_new(arena);
    uint64_t length = strlen(key), keys, fill;
    uint32_t f32 = 6, string = 8;
    buf_add(out, file->bytes, 24);
    memcpy(&keys, out->data + 16, 8);
    keys += 2;
    memcpy(out->data + 16, &keys, 8);
    buf_add(out, &length, 8);
    buf_text(out, key);
    buf_add(out, &f32, 4);
    buf_add(out, &value, 4);
    buf_add(out, (uint64_t[]){ 1 }, 8);
    buf_text(out, "z");
    buf_add(out, &string, 4);
    fill = 31 - (out->length + 8 - 24 + 31) % 32;
    buf_add(out, &fill, 8);
    memset(buf_more(out, (size_t)fill), 'z', (size_t)fill);
    buf_add(out, file->bytes + 24, (size_t)file->size - 24);
    const char *path = file_join(arena, check_folder(arena), "x.gguf");
    check(file_write(path, out->data, out->length, &err) == 0);
    return model_open(arena, path, &err);
}

TEST(llama_refuses_what_gguf_says_beyond_the_plain_network) {
    check(gguf_with("llama.rope.scaling.factor", 1) != NULL);
    struct model *scaled = gguf_with("llama.rope.scaling.factor", 4);
    check(scaled && scaled->config->rope.kind == ROPE_LINEAR &&
          scaled->config->rope.factor == 4);
    check(gguf_with("llama.attention.scale", 0) != NULL);
    static const char *const keys[] = { "llama.attention.scale", "llama.expert_count",
                                        "llama.logit_scale", "llama.attention.value_length",
                                        "llama.rope.scaling.yarn_log_multiplier" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        check(!gguf_with(keys[i], 4));
        check_int(err.kind, ERR_UNSUPPORTED);
        check_text(err.text, arena_printf(arena, "%s is 4", keys[i]));
    }
}

#define T5                                                                    \
    "{\"model_type\":\"t5\",\"d_model\":48,\"num_layers\":3,\"num_heads\":4," \
    "\"d_ff\":96,\"vocab_size\":640"

TEST(config_reads_an_encoder_decoder) {
    struct config *c = read_json(T5 ",\"num_decoder_layers\":5,\"decoder_start_token_id\":7,"
                                    "\"feed_forward_proj\":\"gated-gelu\"}");
    if (!check(c != NULL)) {
        return;
    }
    check(c->layers == 3 && c->decoder_layers == 5 && c->heads == 4 && c->width == 48);
    check(c->head_width == 64 && c->inner == 96 && c->context == 0);
    check(c->decoder_start == 7 && c->pad == 0 && c->tied && c->eps == 1e-6);
    check_same(c->activation, "gated-gelu");
    check(config_fits(c, 1 << 20));
    c = read_json(T5 ",\"pad_token_id\":3,\"d_kv\":12,\"num_decoder_layers\":null}");
    check(c && c->decoder_layers == 3 && c->decoder_start == 3 && c->head_width == 12);
    refused(T5 ",\"num_decoder_layers\":0}", ERR_FORMAT, "num_decoder_layers is 0",
            "from 1 to 10000");
}
