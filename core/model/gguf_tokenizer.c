#include "core/model/gguf.h"

#include <string.h>

#include "core/text/tokenizer.h"

/* The tokenizer in a GGUF file's metadata. Keys: github.com/ggml-org/ggml, docs/gguf.md,
 * "Tokenizer". Texts stay where they are in the map; only their places are noted. */

enum { TOKENS_MOST = 1 << 22 };

static const struct tokenizer_piece *pieces(struct arena *arena, struct gguf_strings *strings,
                                            int64_t n) {
    struct tokenizer_piece *list = arena_array(arena, n, sizeof *list);
    int64_t length;
    for (int64_t i = 0; i < n && gguf_next(strings, &list[i].bytes, &length); i++) {
        list[i].length = (size_t)length;
    }
    return list;
}

static const char *text(struct arena *arena, const struct gguf *gguf, const char *key) {
    const char *bytes;
    int64_t length;
    return gguf_string(gguf, key, &bytes, &length) ? arena_text(arena, bytes, (size_t)length)
                                                   : "";
}

/* An array that goes with the tokens: absent is fine, another kind or length is not. The copy
 * is aligned. */
static int numbers(struct arena *arena, const struct gguf *gguf, const char *file,
                   const char *key, bool floats, int64_t count, const void **copy,
                   struct err *err) {
    const char *kind = gguf_kind(gguf, key);
    const void *at;
    int64_t n;
    if (!kind) {
        return 0;
    }
    if (!(floats ? gguf_array_floats(gguf, key, &at, &n)
                 : gguf_array_ints(gguf, key, &at, &n))) {
        return err_set(err, ERR_FORMAT, "%s: %s is no array of %s", file, key,
                       floats ? "f32" : "i32 or u32");
    }
    if (n != count) {
        return err_set(err, ERR_FORMAT, "%s: %s has %lld elements, but there are %lld tokens",
                       file, key, (long long)n, (long long)count);
    }
    void *bytes = arena_array(arena, n, 4);
    memcpy(bytes, at, (size_t)n * 4);
    *copy = bytes;
    return 0;
}

/* A token's id; -1 if there is none. */
static int token_id(const struct gguf *gguf, const char *file, const char *key, int64_t count,
                    int32_t *id, struct err *err) {
    int64_t value;
    *id = -1;
    if (!gguf_kind(gguf, key)) {
        return 0;
    }
    if (!gguf_int(gguf, key, &value) || value < 0 || value >= count) {
        return err_set(err, ERR_FORMAT, "%s: %s is no id of the %lld tokens", file, key,
                       (long long)count);
    }
    *id = (int32_t)value;
    return 0;
}

/* Tokens and merges. */
static int read_texts(struct arena *arena, const struct gguf *gguf, const char *file,
                      struct tokenizer_parts *parts, struct err *err) {
    struct gguf_strings strings;
    if (!gguf_array_strings(gguf, "tokenizer.ggml.tokens", &strings, &parts->count) ||
        parts->count == 0 || parts->count > TOKENS_MOST) {
        const char *kind = gguf_kind(gguf, "tokenizer.ggml.tokens");
        return err_set(err, ERR_FORMAT,
                       "%s: tokenizer.ggml.tokens is %s; an array of 1 to %d strings is wanted",
                       file, kind ? kind : "missing", TOKENS_MOST);
    }
    parts->pieces = pieces(arena, &strings, parts->count);
    if (!gguf_kind(gguf, "tokenizer.ggml.merges")) {
        return 0;
    }
    if (!gguf_array_strings(gguf, "tokenizer.ggml.merges", &strings, &parts->merge_count)) {
        return err_set(err, ERR_FORMAT, "%s: tokenizer.ggml.merges is no array of strings",
                       file);
    }
    parts->merges = pieces(arena, &strings, parts->merge_count);
    return 0;
}

static int read_numbers(struct arena *arena, const struct gguf *gguf, const char *file,
                        struct tokenizer_parts *parts, struct err *err) {
    const void *types = NULL, *scores = NULL;
    int64_t n = parts->count;
    if (numbers(arena, gguf, file, "tokenizer.ggml.token_type", false, n, &types, err) < 0 ||
        numbers(arena, gguf, file, "tokenizer.ggml.scores", true, n, &scores, err) < 0 ||
        token_id(gguf, file, "tokenizer.ggml.bos_token_id", n, &parts->bos, err) < 0 ||
        token_id(gguf, file, "tokenizer.ggml.eos_token_id", n, &parts->eos, err) < 0 ||
        token_id(gguf, file, "tokenizer.ggml.unknown_token_id", n, &parts->unknown, err) < 0) {
        return -1;
    }
    parts->types = types;
    parts->scores = scores;
    return 0;
}

static bool is_one_of(const char *name, const char *const *names) {
    while (*names && strcmp(name, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

/* What a file may leave unsaid follows from the kind of tokenizer, as in llama.cpp. */
static int read_options(const struct gguf *gguf, const char *file,
                        struct tokenizer_parts *parts, struct err *err) {
    static const char *const begin[] = { "llama3",    "llama-v3", "llama-bpe", "falcon3",
                                         "falcon-h1", "pixtral",  "midm-2.0",  "lfm2",
                                         "tekken",    NULL };
    bool llama = strcmp(parts->model, "llama") == 0, t5 = strcmp(parts->model, "t5") == 0,
         bert = strcmp(parts->model, "bert") == 0;
    parts->add_bos = llama || bert || (!t5 && is_one_of(parts->pre, begin));
    parts->add_eos = t5 || bert;
    parts->add_space_prefix = llama || t5;
    parts->remove_blanks = t5;
    gguf_bool(gguf, "tokenizer.ggml.add_bos_token", &parts->add_bos);
    gguf_bool(gguf, "tokenizer.ggml.add_eos_token", &parts->add_eos);
    gguf_bool(gguf, "tokenizer.ggml.add_space_prefix", &parts->add_space_prefix);
    gguf_bool(gguf, "tokenizer.ggml.remove_extra_whitespaces", &parts->remove_blanks);
    int64_t size = 0;
    const char *map = "tokenizer.ggml.precompiled_charsmap";
    if (gguf_kind(gguf, map) && !gguf_array_bytes(gguf, map, &parts->charsmap, &size)) {
        return err_set(err, ERR_FORMAT, "%s: %s is no array of u8 or i8", file, map);
    }
    parts->charsmap_size = (size_t)size;
    if (!bert) {
        return 0;
    }
    int32_t cls, sep; /* BERT's files may name its first and last token by what they are */
    if (token_id(gguf, file, "tokenizer.ggml.cls_token_id", parts->count, &cls, err) < 0 ||
        token_id(gguf, file, "tokenizer.ggml.seperator_token_id", parts->count, &sep, err) <
            0) {
        return -1;
    }
    parts->bos = cls >= 0 ? cls : parts->bos;
    parts->eos = sep >= 0 ? sep : parts->eos;
    return 0;
}

struct tokenizer *gguf_tokenizer(struct arena *arena, const struct gguf *gguf, const char *file,
                                 struct err *err) {
    struct tokenizer_parts parts = { 0 };
    if (!gguf_kind(gguf, "tokenizer.ggml.model")) {
        return NULL;
    }
    parts.model = text(arena, gguf, "tokenizer.ggml.model");
    parts.pre = text(arena, gguf, "tokenizer.ggml.pre");
    if (read_texts(arena, gguf, file, &parts, err) < 0 ||
        read_numbers(arena, gguf, file, &parts, err) < 0 ||
        read_options(gguf, file, &parts, err) < 0) {
        return NULL;
    }
    return tokenizer_make(arena, &parts, file, err);
}
