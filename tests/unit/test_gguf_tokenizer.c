#include "tests/check.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/model/gguf.h"
#include "core/text/tokenizer.h"

enum { U8 = 0, U32 = 4, I32 = 5, F32 = 6, STRING = 8, ARRAY = 9, TOKENS = 3 };

static struct buf *out;
static struct err err;

static void put(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) {
        buf_char(out, (char)(value >> (8 * i) & 0xff));
    }
}

static void put_text(const char *text) {
    put(strlen(text), 8);
    buf_text(out, text);
}

static void key(const char *name, uint64_t kind) {
    put_text(name);
    put(kind, 4);
}

/* An array of n zeros. */
static void zeros(const char *name, uint64_t of, int bytes, int n) {
    key(name, ARRAY);
    put(of, 4);
    put((uint64_t)n, 8);
    memset(buf_more(out, (size_t)(bytes * n)), 0, (size_t)(bytes * n));
}

/* A file that says its model and, if `tokens`, three tokens; `more` keys follow. */
static void begin(bool tokens, uint64_t more) {
    out = buf_new(check_arena());
    buf_text(out, "GGUF");
    put(3, 4);
    put(0, 8);
    put(1 + tokens + more, 8);
    key("tokenizer.ggml.model", STRING);
    put_text("gpt2");
    if (tokens) {
        key("tokenizer.ggml.tokens", ARRAY);
        put(STRING, 4);
        put(TOKENS, 8);
        put_text("a");
        put_text("b");
        put_text("ab");
    }
}

static void refused(const char *part, const char *other) {
    struct arena *arena = check_arena();
    struct file file = { check_guarded(arena, out->data, out->length), (int64_t)out->length,
                         "x.gguf", 0 };
    struct tensor *tensors;
    int64_t count;
    err = (struct err){ 0 };
    struct gguf *gguf = gguf_read(arena, &file, &tensors, &count, &err);
    if (!check(gguf != NULL)) {
        return;
    }
    check(!gguf_tokenizer(arena, gguf, "x.gguf", &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "x.gguf: tokenizer.ggml.");
    check_text(err.text, part);
    check_text(err.text, other);
}

/* The count was checked, the type not: four times too far was read from a u8 array. */
TEST(gguf_tokenizer_refuses_arrays_of_another_type) {
    begin(true, 1);
    zeros("tokenizer.ggml.scores", U8, 1, TOKENS);
    refused("scores is no array of f32", "x.gguf");
    begin(true, 1);
    zeros("tokenizer.ggml.token_type", F32, 4, TOKENS);
    refused("token_type is no array of i32", "x.gguf");
    begin(true, 1);
    zeros("tokenizer.ggml.merges", I32, 4, TOKENS);
    refused("merges is no array of strings", "x.gguf");
    begin(false, 1);
    zeros("tokenizer.ggml.tokens", I32, 4, TOKENS);
    refused("tokens is array", "strings");
    begin(false, 0);
    refused("tokens is missing", "strings");
}

TEST(gguf_tokenizer_refuses_arrays_of_another_length) {
    begin(true, 1);
    zeros("tokenizer.ggml.scores", F32, 4, TOKENS - 1);
    refused("scores has 2 elements", "3 tokens");
    begin(true, 1);
    zeros("tokenizer.ggml.token_type", I32, 4, TOKENS + 1);
    refused("token_type has 4 elements", "3 tokens");
}

TEST(gguf_tokenizer_refuses_ids_that_are_no_token) {
    begin(true, 1);
    key("tokenizer.ggml.bos_token_id", U32);
    put(TOKENS, 4);
    refused("bos_token_id is no id", "3 tokens");
    begin(true, 1);
    key("tokenizer.ggml.eos_token_id", I32);
    put(0xffffffff, 4);
    refused("eos_token_id is no id", "3 tokens");
    begin(true, 1);
    key("tokenizer.ggml.unknown_token_id", STRING);
    put_text("1");
    refused("unknown_token_id is no id", "3 tokens");
}

TEST(gguf_without_a_tokenizer_has_none) {
    struct arena *arena = check_arena();
    err = (struct err){ 0 };
    struct file *file =
        file_map(arena, check_fixture(arena, "golden/data/gguf/blocks/blocks.gguf"), &err);
    struct tensor *tensors;
    int64_t count;
    struct gguf *gguf = file ? gguf_read(arena, file, &tensors, &count, &err) : NULL;
    check(gguf && !gguf_tokenizer(arena, gguf, "blocks.gguf", &err));
    check_int(err.kind, ERR_NONE);
}
