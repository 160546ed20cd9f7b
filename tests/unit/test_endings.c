#include "core/model/endings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/model/gguf.h"
#include "core/model/model.h"
#include "tests/check.h"
#include "tests/fuzz/forge_gguf.h"

/* The endings, as "1 2", of a small GPT-2 with that generation_config.json (NULL: none), whose
 * config.json says 0; or what is refused. */
static const char *ends(const char *generation) {
    struct arena *arena = check_arena();
    static const char *const names[] = { "config.json", "model.safetensors", "tokenizer.json" };
    const char *folder = check_folder(arena);
    struct err err = { 0 };
    for (int i = 0; i < 3; i++) {
        const char *path = arena_printf(arena, "golden/data/models/gpt2/%s", names[i]);
        char *full = realpath(check_fixture(arena, path), NULL);
        check(full && symlink(full, file_join(arena, folder, names[i])) == 0);
        free(full);
    }
    if (generation) {
        const char *path = file_join(arena, folder, "generation_config.json");
        check_int(file_write(path, generation, strlen(generation), &err), 0);
    }
    const struct model *model = model_open(arena, folder, &err);
    struct buf *said = buf_new(arena);
    for (int64_t i = 0; model && i < model->endings->count; i++) {
        buf_printf(said, "%s%d", i ? " " : "", model->endings->ids[i]);
    }
    return model ? said->data : arena_copy(arena, err.text);
}

TEST(endings_of_folders) {
    check_same(ends(NULL), "0");
    check_same(ends("{}"), "0");
    check_same(ends("{\"eos_token_id\": null}"), "0");
    check_same(ends("{\"eos_token_id\": 7}"), "7");
    check_same(ends("{\"eos_token_id\": [7, 0, 7]}"), "7 0");
    check_same(ends("{\"eos_token_id\": []}"), "");
    check_same(ends("{\"eos_token_id\": -1}"), "");
}

TEST(endings_that_are_none_are_refused) {
    check_text(ends("{\"eos_token_id\": \"</s>\"}"), "no token's id");
    check_text(ends("{\"eos_token_id\": [1.5]}"), "no token's id");
    check_text(ends("{\"eos_token_id\": [1e300]}"), "no token's id");
    check_text(ends("{\"eos_token_id\": [[1]]}"), "no token's id");
    check_text(ends("{"), "generation_config.json");
    struct buf *many = buf_new(check_arena());
    for (int i = 0; i < 65; i++) {
        buf_printf(many, "%s%d", i ? "," : "", i);
    }
    const char *list = arena_printf(check_arena(), "{\"eos_token_id\":[%s]}", many->data);
    check_text(ends(list), "65 tokens; at most 64");
}

TEST(endings_of_gguf) {
    struct arena *arena = check_arena();
    struct forge_gguf *g = forge_gguf_new(arena);
    forge_gguf_u32(g, "tokenizer.ggml.eot_token_id", 5);
    forge_gguf_u32(g, "tokenizer.ggml.eom_token_id", 2);
    struct buf *out = forge_gguf_bytes(g, "");
    struct file file = { (void *)out->data, (int64_t)out->length, "x.gguf", 0 };
    struct err err = { 0 };
    struct tensor *tensors;
    int64_t count;
    struct config config = { .eos = 2 };
    config.gguf = gguf_read(arena, &file, &tensors, &count, &err);
    check_same(err.text, "");
    const struct endings *endings = endings_read(arena, &config, "x.gguf", &err);
    check(endings && endings->count == 2 && endings_hold(endings, 2) &&
          endings_hold(endings, 5) && !endings_hold(endings, 0));
}
