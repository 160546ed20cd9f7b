/* Bugs that were published of readers of model files, each as a whole small file that is in
 * order but for that one thing. Numbers are of cve.org; GH: a pull request or issue on GitHub.
 * What concerns the format alone is in test_gguf.c and test_safetensors.c. */
#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/model/model.h"
#include "tests/fuzz/forge_gguf.h"

static struct arena *arena;
static struct err err;

/* ---- a GGUF model of one block ---- */

enum { WIDTH = 32, HEADS = 4, INNER = 32, ROWS = 12, TOKENS = 6, ABSENT = -1 };

/* What its file says; a test changes one of them. */
static struct said {
    int64_t blocks, heads, kv_heads, width, inner, context, vocab, key_length, rope, alignment;
    enum forge_kind blocks_kind, heads_kind, scores_kind, types_kind, tokens_kind;
    float eps, base;
    int64_t rows, tokens, types, scores, bos;
    const char *model, *merge, *token, *template;
    int type; /* of the embedding */
    int64_t rank;
} said;

static void say_all(void) {
    said = (struct said){ .blocks = 1,
                          .heads = HEADS,
                          .kv_heads = 2,
                          .width = WIDTH,
                          .inner = INNER,
                          .context = 16,
                          .vocab = ROWS,
                          .key_length = WIDTH / HEADS,
                          .rope = WIDTH / HEADS,
                          .alignment = ABSENT,
                          .blocks_kind = FORGE_U32,
                          .heads_kind = FORGE_U32,
                          .scores_kind = FORGE_F32,
                          .types_kind = FORGE_I32,
                          .tokens_kind = FORGE_STRING,
                          .eps = 1e-5F,
                          .base = 1e4F,
                          .rows = ROWS,
                          .tokens = TOKENS,
                          .types = TOKENS,
                          .scores = TOKENS,
                          .bos = 0,
                          .model = "gpt2",
                          .merge = "a b",
                          .template = "{{ ''.__class__.__mro__[1].__subclasses__() }}",
                          .rank = 2 };
    arena = check_arena();
}

/* A number as the kind that is asked for. */
static void put_number(struct forge_gguf *g, const char *key, enum forge_kind kind,
                       int64_t value) {
    if (kind == FORGE_STRING) {
        forge_gguf_string(g, key, "1");
    } else if (kind == FORGE_ARRAY) {
        forge_gguf_array(g, key, FORGE_U32, 1);
        forge_gguf_number(g, (uint64_t)value, 4);
    } else if (kind == FORGE_F32) {
        forge_gguf_f32(g, key, (float)value + 0.5F);
    } else if (value != ABSENT) {
        forge_gguf_key(g, key, kind);
        forge_gguf_number(g, (uint64_t)value, kind == FORGE_BOOL ? 1 : 4);
    }
}

static void put_keys(struct forge_gguf *g) {
    forge_gguf_string(g, "general.architecture", "llama");
    put_number(g, "llama.block_count", said.blocks_kind, said.blocks);
    put_number(g, "llama.attention.head_count", said.heads_kind, said.heads);
    put_number(g, "llama.attention.head_count_kv", FORGE_U32, said.kv_heads);
    put_number(g, "llama.embedding_length", FORGE_U32, said.width);
    put_number(g, "llama.feed_forward_length", FORGE_U32, said.inner);
    put_number(g, "llama.context_length", FORGE_U32, said.context);
    put_number(g, "llama.vocab_size", FORGE_U32, said.vocab);
    put_number(g, "llama.attention.key_length", FORGE_U32, said.key_length);
    put_number(g, "llama.rope.dimension_count", FORGE_U32, said.rope);
    put_number(g, "general.alignment", FORGE_U32, said.alignment);
    if (said.eps != 0) { /* 0: left out */
        forge_gguf_f32(g, "llama.attention.layer_norm_rms_epsilon", said.eps);
    }
    forge_gguf_f32(g, "llama.rope.freq_base", said.base);
}

static void put_tokenizer(struct forge_gguf *g) {
    static const char *const tokens[TOKENS] = { "a", "b", "ab", "c", "\xc4\xa0", "<s>" };
    static const int sizes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 8 };
    forge_gguf_string(g, "tokenizer.ggml.model", said.model);
    forge_gguf_string(g, "tokenizer.ggml.pre", "gpt-2");
    forge_gguf_array(g, "tokenizer.ggml.tokens", said.tokens_kind, said.tokens);
    for (int64_t i = 0; i < said.tokens; i++) {
        const char *token = i == 3 && said.token ? said.token : i < TOKENS ? tokens[i] : "more";
        if (said.tokens_kind == FORGE_STRING) {
            forge_gguf_text(g, token, strlen(token));
        } else {
            forge_gguf_number(g, 1, 4);
        }
    }
    forge_gguf_array(g, "tokenizer.ggml.token_type", said.types_kind, said.types);
    for (int64_t i = 0; i < said.types; i++) {
        forge_gguf_number(g, 1, sizes[said.types_kind]);
    }
    forge_gguf_array(g, "tokenizer.ggml.scores", said.scores_kind, said.scores);
    for (int64_t i = 0; i < said.scores; i++) {
        forge_gguf_number(g, 0, sizes[said.scores_kind]);
    }
    forge_gguf_array(g, "tokenizer.ggml.merges", FORGE_STRING, 1);
    forge_gguf_text(g, said.merge, strlen(said.merge));
    put_number(g, "tokenizer.ggml.bos_token_id", FORGE_U32, said.bos);
    forge_gguf_flag(g, "tokenizer.ggml.add_bos_token", true);
    forge_gguf_string(g, "tokenizer.chat_template", said.template);
}

static void put_matrix(struct forge_gguf *g, const char *name, int64_t rows, int64_t columns) {
    forge_gguf_tensor(g, name, 2, (int64_t[]){ rows, columns }, 0, 4 * rows * columns);
}

static void put_tensors(struct forge_gguf *g) {
    int64_t keys = 2 * WIDTH / HEADS;
    forge_gguf_tensor(g, "token_embd.weight", (int)said.rank,
                      (int64_t[]){ said.rows, WIDTH, 1, 1, 1 }, said.type, 4 * ROWS * WIDTH);
    forge_gguf_tensor(g, "output_norm.weight", 1, (int64_t[]){ WIDTH }, 0, 4 * WIDTH);
    forge_gguf_tensor(g, "blk.0.attn_norm.weight", 1, (int64_t[]){ WIDTH }, 0, 4 * WIDTH);
    forge_gguf_tensor(g, "blk.0.ffn_norm.weight", 1, (int64_t[]){ WIDTH }, 0, 4 * WIDTH);
    put_matrix(g, "blk.0.attn_q.weight", WIDTH, WIDTH);
    put_matrix(g, "blk.0.attn_k.weight", keys, WIDTH);
    put_matrix(g, "blk.0.attn_v.weight", keys, WIDTH);
    put_matrix(g, "blk.0.attn_output.weight", WIDTH, WIDTH);
    put_matrix(g, "blk.0.ffn_gate.weight", INNER, WIDTH);
    put_matrix(g, "blk.0.ffn_up.weight", INNER, WIDTH);
    put_matrix(g, "blk.0.ffn_down.weight", WIDTH, INNER);
}

static struct forge_gguf *made(void) {
    struct forge_gguf *g = forge_gguf_new(arena);
    put_keys(g);
    put_tokenizer(g);
    put_tensors(g);
    return g;
}

/* ---- opening it ---- */

static struct model *open_bytes(const char *name, const void *bytes, size_t length) {
    const char *path = file_join(arena, check_folder(arena), name);
    err = (struct err){ 0 };
    FILE *file = fopen(path, "wbe");
    check(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
    return model_open(arena, path, &err);
}

static struct model *open_made(const struct forge_gguf *g) {
    struct buf *out = forge_gguf_bytes(g, arena_alloc(arena, (size_t)g->data_size));
    return open_bytes("model.gguf", out->data, out->length);
}

/* Refused, by a sentence that has both parts and names the file, with no memory to speak of. */
static void refused(const char *part, const char *other) {
    struct forge_gguf *g = made();
    struct buf *out = forge_gguf_bytes(g, arena_alloc(arena, (size_t)g->data_size));
    int64_t before = arena_held();
    check(!open_bytes("model.gguf", out->data, out->length));
    check(arena_held() - before < 500000);
    check(err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED);
    check_text(err.text, "model.gguf");
    check_text(err.text, part);
    check_text(err.text, other);
    say_all();
}

TEST(published_the_file_itself_is_in_order) {
    say_all();
    struct model *model = open_made(made());
    if (!check(model && model->tokenizer)) {
        printf("  %s\n", err.text);
        return;
    }
    int32_t ids[] = { 0, 2, 3 };
    struct pass pass = { .arena = arena, .batch = 1, .tokens = 3, .ids = ids };
    pass.keep[SITE_LOGITS] = true;
    check(model_run(model, &pass, &err) != NULL);
}

/* Layers above a parser used what it read as bounds of arrays: block_count (llama.cpp, control
 * vectors), divided by it when it was 0 (CVE-2024-8063, CVE-2025-0312 of Ollama), or made room
 * for as many as it said. */
TEST(published_block_count) {
    say_all();
    said.blocks = 0;
    refused("llama.block_count is 0", "from 1 to");
    said.blocks = 0xffffffff;
    refused("llama.block_count is 4294967295", "from 1 to");
    said.blocks = 9999;
    refused("9999 layers", "only 11 tensors");
    said.blocks = 2;
    refused("blk.1.", "missing");
    said.blocks = ABSENT;
    refused("llama.block_count", "missing");
}

/* A getter that trusted the type asserted or read other bytes (GH ggml-org/llama.cpp 26318,
 * 26690). */
TEST(published_numbers_of_another_type) {
    static const enum forge_kind kinds[] = { FORGE_STRING, FORGE_ARRAY, FORGE_F32, FORGE_BOOL };
    say_all();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        said.blocks_kind = kinds[i];
        refused("llama.block_count is ", "a whole number");
    }
    said.heads_kind = FORGE_ARRAY;
    refused("llama.attention.head_count is ", "a whole number");
    said.heads_kind = FORGE_STRING;
    refused("llama.attention.head_count is ", "a whole number");
}

/* n_embd / n_head and n_head / n_head_kv with a 0, and heads that do not divide. */
TEST(published_heads) {
    say_all();
    said.heads = 0;
    refused("llama.attention.head_count is 0", "from 1");
    said.kv_heads = 0;
    refused("llama.attention.head_count_kv is 0", "from 1");
    said.kv_heads = 3;
    refused("4 attention heads", "3 key-value heads");
    said.kv_heads = 64;
    refused("4 attention heads", "64 key-value heads");
    said.heads = 3;
    said.kv_heads = 3;
    said.key_length = ABSENT;
    refused("width of 32", "3 heads");
    said.key_length = 0;
    refused("llama.attention.key_length is 0", "from 1");
    said.key_length = 0x7fffffff;
    refused("llama.attention.key_length is 2147483647", "from 1");
    said.key_length = said.rope = 16;
    refused("blk.0.attn_q.weight", "[64, 32]");
}

TEST(published_other_sizes) {
    say_all();
    said.width = 0;
    refused("llama.embedding_length is 0", "from 1");
    said.width = 64;
    refused("token_embd.weight", "[12, 64]");
    said.inner = 0x80000000;
    refused("llama.feed_forward_length is 2147483648", "from 1");
    said.inner = 64;
    refused("blk.0.ffn_gate.weight", "[64, 32]");
    said.context = 0;
    refused("llama.context_length is 0", "from 1");
    said.rope = 64;
    refused("rope.dimension_count", "64");
    said.rope = 0;
    refused("rope.dimension_count", "0");
    said.eps = NAN;
    refused("layer_norm_rms_epsilon", "nan");
    said.eps = -1;
    refused("layer_norm_rms_epsilon", "-1");
    said.eps = 0;
    refused("llama.attention.layer_norm_rms_epsilon", "is missing");
    said.base = 0;
    refused("rope.freq_base", "0");
    said.base = INFINITY;
    refused("rope.freq_base", "inf");
}

/* vocab_size without a vocabulary made room for as many tokens as it said (GH
 * ggml-org/llama.cpp 26690), and was taken for the embedding's rows. */
TEST(published_vocabulary) {
    say_all();
    said.vocab = 0;
    refused("llama.vocab_size is 0", "from 1");
    said.vocab = 0x7fffffff;
    refused("llama.vocab_size is 2147483647", "from 1");
    said.vocab = 4000000;
    refused("token_embd.weight", "[4000000, 32]");
    said.tokens = 0;
    said.types = said.scores = 0;
    refused("tokenizer.ggml.tokens", "1 to");
    said.tokens_kind = FORGE_U32;
    refused("tokenizer.ggml.tokens", "strings");
}

/* More tokens than rows: their ids index nothing, but are refused before a row is looked for.
 */
TEST(published_more_tokens_than_rows) {
    say_all();
    said.tokens = said.types = said.scores = ROWS + 4;
    struct model *model = open_made(made());
    int32_t ids[] = { 0, ROWS + 3 };
    struct pass pass = { .arena = arena, .batch = 1, .tokens = 2, .ids = ids };
    if (model) {
        check(!model_run(model, &pass, &err));
        check_int(err.kind, ERR_TEXT);
        check_text(err.text, "15");
    } else {
        check_text(err.text, "16");
    }
}

/* scores of another type or number were read four times too far (2026); the length of a piece
 * was compared as int32 and copied as size_t (CVE-2025-49847, -52566). */
TEST(published_token_arrays) {
    static char long_token[70001];
    say_all();
    said.scores_kind = FORGE_U8;
    refused("tokenizer.ggml.scores", "f32");
    said.types_kind = FORGE_I8;
    refused("tokenizer.ggml.token_type", "i32");
    said.scores = 2;
    refused("tokenizer.ggml.scores has 2 elements", "6 tokens");
    said.types = 5;
    refused("tokenizer.ggml.token_type has 5 elements", "6 tokens");
    said.bos = 6;
    refused("tokenizer.ggml.bos_token_id", "6 tokens");
    said.bos = 0xffffffff;
    refused("tokenizer.ggml.bos_token_id is 4294967295", "token's id");
    said.merge = "a z";
    refused("tokenizer.ggml.merges", "a z");
    said.merge = "ab";
    refused("tokenizer.ggml.merges", "not two tokens");
    said.merge = "";
    refused("tokenizer.ggml.merges", "not two tokens");
    said.model = "no such";
    refused("tokenizer.ggml.model", "no such");
    memset(long_token, 'x', sizeof long_token - 1);
    said.token = long_token;
    refused("token 3 has 70000 bytes", "at most 65535");
}

/* The template that came with a model was run as Jinja, which is Python (CVE-2024-34359). Here
 * it is a text like any other. */
TEST(published_templates_are_never_run) {
    say_all();
    said.template = "{% for x in range(10**12) %}{% include '/etc/passwd' %}{% endfor %}";
    check(open_made(made()) != NULL);
}

/* A type below 0 indexed the table of types (GH ggml-org/llama.cpp 19856); a shape wrapped the
 * size (GH ggml-org/llama.cpp 18674); six dimensions were written into four (CVE-2024-21802).
 */
TEST(published_tensors) {
    say_all();
    said.type = -1;
    refused("token_embd.weight has the number type 4294967295", "not known");
    said.type = 36;
    refused("token_embd.weight has the number type 36", "not known");
    said.rows = (1LL << 42) + 1;
    refused("token_embd.weight", "do not lie in the file");
    said.rows = (1LL << 59) + 1;
    refused("token_embd.weight", "overflows");
    said.rows = 0;
    refused("token_embd.weight", "size 0");
    said.rank = 5;
    refused("token_embd.weight has 5 dimensions", "at most 4");
    said.rank = 1;
    refused("token_embd.weight has shape", "[12, 32]");
    said.type = 3; /* Q4_1: half the bytes, so the next tensor is not where it was */
    struct model *model = open_made(made());
    check(model || err.kind == ERR_FORMAT);
}

/* No upper bound (GH ggml-org/ggml 1516), 0 divided by (CVE-2025-0317), no power of two. */
TEST(published_alignment) {
    static const int64_t wrong[] = { 0, 1, 3, 48, 1 << 30, 0xffffffff };
    say_all();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        said.alignment = wrong[i];
        refused("general.alignment is", "not a power of two from 8");
    }
}

/* Offsets outside (CVE-2026-7482) and over each other; entries twice or missing. */
TEST(published_tables) {
    static const uint64_t offsets[] = { 1 << 20, 1ULL << 62, 0xffffffffffffffe0,
                                        0x7fffffffffffffe0 };
    say_all();
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct forge_gguf *g = made();
        struct buf *atoms = g->tensors[4].atoms;
        struct forge_atom *last =
            (struct forge_atom *)(void *)(atoms->data + atoms->length) - 1;
        last->value = offsets[i];
        check(!open_made(g));
        check_text(err.text, "blk.0.attn_q.weight");
    }
    struct forge_gguf *g = made();
    g->tensors[5] = g->tensors[4];
    check(!open_made(g));
    check_text(err.text, "blk.0.attn_q.weight");
    g = made();
    g->keys[2] = g->keys[1];
    check(!open_made(g));
    check_text(err.text, "llama.block_count stands twice");
    g = made();
    g->keys[0] = g->keys[1];
    g->keys[1] = g->keys[--g->key_count];
    check(!open_made(g));
    check_int(err.kind, ERR_FORMAT);
}

/* Cut short anywhere (CVE-2024-39720: after four bytes). */
TEST(published_every_truncation) {
    say_all();
    struct forge_gguf *g = made();
    struct buf *out = forge_gguf_bytes(g, arena_alloc(arena, (size_t)g->data_size));
    size_t head = out->length - (size_t)g->data_size;
    const char *path = file_join(arena, check_folder(arena), "cut.gguf");
    for (size_t n = 0; n < out->length; n += n < head ? 1 : 97) {
        struct arena_mark mark = arena_mark(arena);
        FILE *file = fopen(path, "wbe");
        check(file && fwrite(out->data, 1, n, file) == n && fclose(file) == 0);
        err = (struct err){ 0 };
        check(!model_open(arena, path, &err));
        check(err.kind == ERR_FORMAT && strstr(err.text, "cut.gguf"));
        remove(path);
        arena_rewind(arena, mark);
    }
}

/* ---- config.json and tokenizer.json ---- */

static const char *folder_of(const char *config, const char *tokenizer) {
    struct file *weights = file_map(
        arena, check_fixture(arena, "golden/data/models/bert_mlm/model.safetensors"), &err);
    const char *folder = check_folder(arena);
    file_write(file_join(arena, folder, "model.safetensors"), weights->bytes,
               (size_t)weights->size, &err);
    file_write(file_join(arena, folder, "config.json"), config, strlen(config), &err);
    if (tokenizer) {
        file_write(file_join(arena, folder, "tokenizer.json"), tokenizer, strlen(tokenizer),
                   &err);
    }
    return folder;
}

static void config_refused(const char *member, const char *part) {
    arena = check_arena();
    err = (struct err){ 0 };
    const char *config = arena_printf(
        arena, "{\"model_type\":\"bert\",\"num_hidden_layers\":3,\"intermediate_size\":96,%s}",
        member);
    int64_t before = arena_held();
    check(!model_open(arena, folder_of(config, NULL), &err));
    check(err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED);
    check_text(err.text, "config.json");
    check_text(err.text, part);
    check(arena_held() - before < 500000);
}

TEST(published_configurations) {
    config_refused("\"hidden_size\":48,\"num_attention_heads\":0", "num_attention_heads is 0");
    config_refused("\"hidden_size\":1e308,\"num_attention_heads\":4", "hidden_size is 1e308");
    config_refused("\"hidden_size\":NaN", "byte");
    config_refused("\"hidden_size\":-48,\"num_attention_heads\":4", "hidden_size is -48");
    config_refused("\"hidden_size\":\"48\",\"num_attention_heads\":4", "hidden_size is \"48\"");
    config_refused("\"hidden_size\":[48],\"num_attention_heads\":4", "hidden_size is a list");
    config_refused("\"hidden_size\":48.5,\"num_attention_heads\":4", "hidden_size is 48.5");
    config_refused("\"hidden_size\":48,\"num_attention_heads\":4,\"vocab_size\":2147483648",
                   "vocab_size is 2147483648");
    config_refused("\"hidden_size\":48,\"hidden_size\":96", "stands twice");
}

static void tokenizer_refused(const char *json, const char *part) {
    arena = check_arena();
    err = (struct err){ 0 };
    int64_t before = arena_held();
    check(!tokenizer_read(arena, json, strlen(json), "tokenizer.json", &err));
    check(err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED);
    check_text(err.text, "tokenizer.json");
    check_text(err.text, part);
    check(arena_held() - before < 500000);
}

#define BPE(vocab, merges) \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{" vocab "},\"merges\":[" merges "]}"
#define AB "\"a\":0,\"b\":1,\"ab\":2"

/* One huge id made an array of as many (GH qxotic 3). */
TEST(published_tokenizers) {
    tokenizer_refused("{" BPE("\"a\":2147483648", "") "}", "2147483648");
    tokenizer_refused("{" BPE("\"a\":4000000", "") "}", "only 1 tokens");
    tokenizer_refused("{" BPE("\"a\":-1", "") "}", "-1");
    tokenizer_refused("{" BPE("\"a\":0,\"b\":0", "") "}", "stands twice");
    tokenizer_refused("{" BPE("\"a\":0,\"a\":1", "") "}", "stands twice");
    tokenizer_refused("{" BPE(AB, "\"a z\"") "}", "names z");
    tokenizer_refused("{" BPE(AB, "[\"a\",\"b\",\"a\"]") "}", "not two tokens");
    tokenizer_refused("{" BPE(AB, "\"b a\"") "}", "joins b and a");
    tokenizer_refused("{\"added_tokens\":[{\"id\":3000000,\"content\":\"x\"}]," BPE(AB, "") "}",
                      "3000000");
    tokenizer_refused("{\"added_tokens\":[{\"id\":1,\"content\":\"x\"}]," BPE(AB, "") "}",
                      "the id 1");
    tokenizer_refused("{\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"x\",99],"
                      "\"cls\":[\"y\",0]}," BPE(AB, "") "}",
                      "99");
    tokenizer_refused("{\"model\":{\"type\":\"Unigram\",\"unk_id\":7,\"vocab\":[[\"a\",0]]}}",
                      "unk_id is 7");
}

/* A pattern that takes time exponential in the text (GH huggingface/tokenizers 2060). */
TEST(published_patterns_end) {
    static const char *const patterns[] = { "(a+)+$", "(a|aa)+$", "(a*)*b", "(?:a?){50}a{50}" };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        arena = check_arena();
        err = (struct err){ 0 };
        const char *json = arena_printf(
            arena,
            "{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"%s\"},"
            "\"behavior\":\"Isolated\"}," BPE(AB, "") "}",
            patterns[i]);
        struct tokenizer *tokenizer =
            tokenizer_read(arena, json, strlen(json), "tokenizer.json", &err);
        size_t n = 20000;
        char *text = memset(arena_raw(arena, n), 'a', n);
        text[n - 1] = 'b';
        struct catch here;
        if (tokenizer && setjmp(catch_set(&here)->place) == 0) {
            tokenizer_encode(arena, tokenizer, text, n, NULL, 0, false, &err);
            catch_end(&here);
        } else {
            check_int(tokenizer ? here.err.kind : err.kind,
                      tokenizer ? ERR_TEXT : ERR_UNSUPPORTED);
        }
    }
}

static void charsmap_refused(const char *base64, const char *part) {
    const char *json = arena_printf(check_arena(),
                                    "{\"normalizer\":{\"type\":\"Precompiled\","
                                    "\"precompiled_charsmap\":\"%s\"}," BPE(AB, "") "}",
                                    base64);
    tokenizer_refused(json, part);
}

TEST(published_charsmaps) {
    charsmap_refused("?", "not base64");
    charsmap_refused("AAA", "not base64");
    charsmap_refused("AAAAAAAAAAA=", "trie of 0 bytes");
    charsmap_refused("/////wAAAAAAAAAA", "trie of 4294967295 bytes");
    charsmap_refused("BwAAAAAAAAAAAAAAAAAAAA==", "trie of 7 bytes");
    charsmap_refused("BAAAAAAAAAD//w==", "not UTF-8");
}

/* Every unit of the trie leads elsewhere: out of it, to itself, to texts that are not there. */
TEST(published_charsmaps_that_lead_astray) {
    static const char *const maps[] = {
        "BAAAAP////8A",                     /* one unit, children far away */
        "CAAAAAAAAAAAAACAYQA=",             /* the root is its own child */
        "EAAAAACAAQBhCQAAAAAAAP///390aAA=", /* a text beyond all texts */
    };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        arena = check_arena();
        err = (struct err){ 0 };
        const char *json = arena_printf(arena,
                                        "{\"normalizer\":{\"type\":\"Precompiled\","
                                        "\"precompiled_charsmap\":\"%s\"}," BPE(AB, "") "}",
                                        maps[i]);
        struct tokenizer *tokenizer =
            tokenizer_read(arena, json, strlen(json), "tokenizer.json", &err);
        if (!check(tokenizer != NULL)) {
            printf("  %s\n", err.text);
            continue;
        }
        struct encoding *encoding =
            tokenizer_encode(arena, tokenizer, "ab\xc3\xa9 a", 6, NULL, 0, false, &err);
        check(encoding && encoding->count >= 1);
    }
}
