#include "core/model/template.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/gguf.h"
#include "core/model/model.h"
#include "tests/check.h"
#include "tests/fuzz/forge_gguf.h"

#define CHATML                                                                               \
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + "             \
    "message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{" \
    "{ '<|im_start|>assistant\\n' }}{% endif %}"

/* The same as a JSON string. */
#define CHATML_JSON                                                                         \
    "\"{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\\\n' + "        \
    "message['content'] + '<|im_end|>' + '\\\\n'}}{% endfor %}{% if add_generation_prompt " \
    "%}{{ '<|im_start|>assistant\\\\n' }}{% endif %}\""

#define ZEPHYR                                                                               \
    "{% if message['role'] == 'user' %}{{ '<|user|>\\n' + message['content'] + eos_token }}" \
    "{% elif message['role'] == 'system' %}{{ '<|system|>\\n' + message['content'] + "       \
    "eos_token }}{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\\n'  + "         \
    "message['content'] + eos_token }}{% endif %}{% if loop.last and "                       \
    "add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"

static const char *folder;

static void put(const char *name, const char *text) {
    struct err err = { 0 };
    const char *path = file_join(check_arena(), folder, name);
    check_int(file_write(path, text, strlen(text), &err), 0);
}

/* A small SmolLM2 with that tokenizer_config.json; NULL: without. */
static void lay_out(const char *config) {
    struct arena *arena = check_arena();
    static const char *const names[] = { "config.json", "model.safetensors", "tokenizer.json" };
    folder = check_folder(arena);
    for (int i = 0; i < 3; i++) {
        const char *path = arena_printf(arena, "golden/data/models/llama_smollm2/%s", names[i]);
        char *full = realpath(check_fixture(arena, path), NULL);
        check(full && symlink(full, file_join(arena, folder, names[i])) == 0);
        free(full);
    }
    if (config) {
        put("tokenizer_config.json", config);
    }
}

static const struct model *opened(void) {
    struct err err = { 0 };
    const struct model *model = model_open(check_arena(), folder, &err);
    check_same(err.text, "");
    return model;
}

static const char *said(const struct chat *chat, const char *text) {
    struct err err = { 0 };
    struct chat_message message = { CHAT_USER, text };
    struct chat_options options = { .begin = chat->begin, .end = chat->end, .prompt = true };
    return chat_text(check_arena(), chat->format, &message, 1, &options, &err);
}

static void is_unknown(const char *config, const char *part, const char *other) {
    lay_out(config);
    const struct model *model = opened();
    if (check(model && !model->chat && model->no_chat)) {
        check_text(model->no_chat, part);
        check_text(model->no_chat, other);
    }
}

TEST(template_of_a_folder) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    lay_out("{\"added_tokens_decoder\": {\"0\": {\"content\": \"x\"}}, \"bos_token\": null,\n"
            "\"eos_token\": {\"content\": \"<|im_end|>\", \"special\": true},\n"
            "\"chat_template\": " CHATML_JSON "}");
    const struct model *model = opened();
    if (!check(model && model->chat && !model->no_chat)) {
        return;
    }
    check_same(chat_name(model->chat->format), "ChatML");
    check_same(model->chat->begin, "");
    check_same(model->chat->end, "<|im_end|>");
    const char *text = said(model->chat, "one");
    check_same(text, "<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\n");
    struct encoding *encoding =
        tokenizer_encode(arena, model->tokenizer, text, strlen(text), NULL, 0, true, &err);
    check_int(encoding->tokens[0].id, tokenizer_id(model->tokenizer, "<|im_start|>"));
    check(encoding->tokens[0].added);
}

TEST(template_of_a_folder_without_one) {
    lay_out(NULL);
    const struct model *model = opened();
    check(model && !model->chat && !model->no_chat);
    lay_out("{\"chat_template\": null, \"bos_token\": 3}");
    model = opened();
    check(model && !model->chat && !model->no_chat);
}

TEST(template_called_default) {
    lay_out("{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"{{ 1 }}\"}, "
            "{\"template\": " CHATML_JSON ", \"name\": \"default\", \"more\": [1]}]}");
    const struct model *model = opened();
    check(model && model->chat);
    is_unknown("{\"chat_template\": [{\"name\": \"rag\", \"template\": " CHATML_JSON "}]}",
               "tokenizer_config.json", "\"default\"");
}

/* The file goes before the member, as newer models have it. */
TEST(template_in_a_jinja_file) {
    lay_out("{\"chat_template\": " CHATML_JSON ", \"eos_token\": \"</s>\"}");
    put("chat_template.jinja", ZEPHYR);
    const struct model *model = opened();
    if (check(model && model->chat)) {
        check_same(chat_name(model->chat->format), "Zephyr");
        check_same(said(model->chat, "a"), "<|user|>\na</s>\n<|assistant|>\n");
    }
    lay_out(NULL);
    put("chat_template.jinja", CHATML);
    check((model = opened()) && model->chat);
    put("chat_template.jinja", "{{ 7 * 7 }}");
    check((model = opened()) && !model->chat);
    check_text(model->no_chat, "chat_template.jinja: its chat template is none of those");
}

/* Nothing in these files keeps a model from being opened. */
TEST(template_that_cannot_be_read) {
    is_unknown("{\"chat_template\": \"{{ 7 * 7 }}\"}", "tokenizer_config.json",
               "none of those");
    is_unknown("{\"chat_template\": [\"x\"]}", "tokenizer_config.json", "");
    is_unknown("{\"chat_template\": \"x", "tokenizer_config.json", "");
    is_unknown("[]", "tokenizer_config.json", "");
    enum { MUCH = 1100000 };
    char *much = arena_alloc(check_arena(), MUCH + 1);
    memset(much, 'x', MUCH);
    is_unknown(arena_printf(check_arena(), "{\"chat_template\": \"%s\"}", much),
               "1100000 bytes", "at most 1048576");
}

TEST(template_of_gguf) {
    struct arena *arena = check_arena();
    struct forge_gguf *g = forge_gguf_new(arena);
    static const char *const tokens[] = { "a", "<s>", "</s>" };
    forge_gguf_string(g, "tokenizer.ggml.model", "gpt2");
    forge_gguf_array(g, "tokenizer.ggml.tokens", FORGE_STRING, 3);
    for (int i = 0; i < 3; i++) {
        forge_gguf_text(g, tokens[i], strlen(tokens[i]));
    }
    forge_gguf_string(g, "tokenizer.ggml.pre", "gpt-2");
    forge_gguf_u32(g, "tokenizer.ggml.bos_token_id", 1);
    forge_gguf_u32(g, "tokenizer.ggml.eos_token_id", 2);
    forge_gguf_string(g, "tokenizer.chat_template", ZEPHYR);
    struct buf *out = forge_gguf_bytes(g, "");
    struct file file = { (void *)out->data, (int64_t)out->length, "x.gguf", 0 };
    struct err err = { 0 };
    struct tensor *tensors;
    int64_t count;
    struct gguf *gguf = gguf_read(arena, &file, &tensors, &count, &err);
    struct tokenizer *tokenizer = gguf ? gguf_tokenizer(arena, gguf, "x.gguf", &err) : NULL;
    struct chat *chat = gguf ? template_read(arena, gguf, "x.gguf", tokenizer, &err) : NULL;
    check_same(err.text, "");
    if (check(chat != NULL)) {
        check_same(chat->begin, "<s>");
        check_same(said(chat, "b"), "<|user|>\nb</s>\n<|assistant|>\n");
    }
}
