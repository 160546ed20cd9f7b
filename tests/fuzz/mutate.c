#include "tests/fuzz/mutate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/model/config.h"
#include "core/model/gguf.h"
#include "core/model/safetensors.h"
#include "tests/check.h"

enum { FIELDS_MOST = 128, CHANGES_MOST = 4 };

/* A good file and where its numbers stand. */
struct seed {
    struct buf *bytes;
    struct field {
        size_t at;
        int size; /* bytes; little endian */
    } fields[FIELDS_MOST];
    int count;
};

static uint64_t state;

/* splitmix64 */
static uint64_t next(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(size_t n) {
    return n ? (size_t)(next() % n) : 0;
}

/* ---- the good files ---- */

static void put(struct seed *seed, uint64_t value, int size) {
    if (seed->count < FIELDS_MOST) {
        seed->fields[seed->count++] = (struct field){ seed->bytes->length, size };
    }
    for (int i = 0; i < size; i++) {
        buf_char(seed->bytes, (char)(value >> (8 * i) & 0xff));
    }
}

static void put_text(struct seed *seed, const char *text) {
    put(seed, strlen(text), 8);
    buf_text(seed->bytes, text);
}

static void put_key(struct seed *seed, const char *key, uint64_t kind) {
    put_text(seed, key);
    put(seed, kind, 4);
}

static void safetensors(struct seed *seed) {
    const char *header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"a.weight\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]},"
        "\"none\":{\"dtype\":\"I64\",\"shape\":[0,7],\"data_offsets\":[32,32]},"
        "\"c\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[32,33]}}   ";
    put(seed, strlen(header), 8);
    buf_text(seed->bytes, header);
    memset(buf_more(seed->bytes, 33), 1, 33);
}

static void gguf(struct seed *seed) {
    buf_text(seed->bytes, "GGUF");
    put(seed, 3, 4);
    put(seed, 3, 8);
    put(seed, 6, 8);
    put_key(seed, "general.architecture", 8);
    put_text(seed, "llama");
    put_key(seed, "llama.block_count", 4);
    put(seed, 2, 4);
    put_key(seed, "general.alignment", 4);
    put(seed, 32, 4);
    put_key(seed, "tokenizer.ggml.tokens", 9);
    put(seed, 8, 4);
    put(seed, 3, 8);
    put_text(seed, "a");
    put_text(seed, "");
    put_text(seed, "bc");
    put_key(seed, "tokenizer.ggml.scores", 9);
    put(seed, 6, 4);
    put(seed, 3, 8);
    for (int i = 0; i < 3; i++) {
        put(seed, 0x3f800000, 4);
    }
    put_key(seed, "flag", 7);
    put(seed, 1, 1);
    static const struct {
        const char *name;
        uint64_t rank, sizes[2], type, offset;
    } tensors[] = { { "w", 2, { 32, 2 }, 3, 0 },
                    { "b", 1, { 4 }, 0, 64 },
                    { "h", 1, { 2 }, 1, 96 } };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        put_text(seed, tensors[i].name);
        put(seed, tensors[i].rank, 4);
        for (uint64_t k = 0; k < tensors[i].rank; k++) {
            put(seed, tensors[i].sizes[k], 8);
        }
        put(seed, tensors[i].type, 4);
        put(seed, tensors[i].offset, 8);
    }
    while (seed->bytes->length % 32) {
        buf_char(seed->bytes, 0);
    }
    memset(buf_more(seed->bytes, 128), 1, 128);
}

static void config(struct seed *seed) {
    buf_text(seed->bytes,
             "{\"architectures\":[\"BertForSequenceClassification\"],\"model_type\":\"bert\","
             "\"hidden_size\":48,\"num_hidden_layers\":3,\"num_attention_heads\":4,"
             "\"intermediate_size\":96,\"max_position_embeddings\":32,\"type_vocab_size\":2,"
             "\"hidden_act\":\"gelu\",\"layer_norm_eps\":1e-12,\"vocab_size\":640,"
             "\"pad_token_id\":0,\"eos_token_id\":[3,4],\"bos_token_id\":null,"
             "\"tie_word_embeddings\":true,\"num_key_value_heads\":2,\"head_dim\":12,"
             "\"rope_parameters\":{\"rope_theta\":10000.0,\"rope_type\":\"default\"},"
             "\"id2label\":{\"0\":\"no\",\"1\":\"yes\"}}");
}

/* ---- damage ---- */

static const uint64_t edges[] = {
    0,
    1,
    2,
    5,
    7,
    8,
    12,
    31,
    33,
    255,
    65535,
    65537,
    1000000,
    1000001,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0x2000000000000001,
    0x3fffffffffffffff,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xfffffffffffffff8,
    0xffffffffffffffff,
};

/* A number of the format becomes another. */
static void change_field(struct buf *bytes, const struct seed *seed) {
    const struct field *field = &seed->fields[below((size_t)seed->count)];
    uint64_t value = edges[below(sizeof edges / sizeof *edges)];
    if (seed->count == 0 || field->at + (size_t)field->size > bytes->length) {
        return;
    }
    if (below(3) == 0) {
        value = (uint64_t)(unsigned char)bytes->data[field->at] + below(5) - 2;
    }
    for (int i = 0; i < field->size; i++) {
        bytes->data[field->at + (size_t)i] = (char)(value >> (8 * i) & 0xff);
    }
}

/* Puts `n` bytes of text, which may lie in `bytes` itself, in the place of `length` bytes. */
static void splice(struct buf *bytes, size_t at, size_t length, const char *text, size_t n) {
    size_t rest = bytes->length - at - length;
    struct arena *arena = arena_new();
    char *kept = arena_text(arena, bytes->data + at + length, rest);
    char *put_in = arena_text(arena, text, n);
    bytes->length = at;
    buf_add(bytes, put_in, n);
    buf_add(bytes, kept, rest);
    arena_free(arena);
}

/* The JSON value that begins at or behind a random place becomes something else. */
static void change_json(struct buf *bytes) {
    static const char *const others[] = {
        "-1",
        "0",
        "1",
        "3",
        "1e400",
        "-0.5",
        "4611686018427387904",
        "9223372036854775807",
        "18446744073709551616",
        "null",
        "true",
        "\"x\"",
        "\"\\u0000\"",
        "\"\\u202e\"",
        "[]",
        "{}",
        "[[[[1]]]]",
        "{\"a\":1}",
        "\"F64\"",
        "\"F8_E4M3\"",
        "[0,0]",
        "[1,1,1,1,1,1]",
        "",
        ",",
        "\"\xff\"",
    };
    size_t at = below(bytes->length);
    while (at < bytes->length && !strchr(":[,", bytes->data[at])) {
        at++;
    }
    size_t from = at + (at < bytes->length), end = from;
    while (end < bytes->length && !strchr(",]}", bytes->data[end])) {
        end++;
    }
    const char *other = others[below(sizeof others / sizeof *others)];
    splice(bytes, from, end - from, other, strlen(other));
}

/* A piece of the file is cut out, doubled, or put elsewhere. */
static void move_piece(struct buf *bytes) {
    size_t at = below(bytes->length),
           n = below(bytes->length - at < 40 ? bytes->length - at : 40);
    size_t to = below(bytes->length);
    struct arena *arena = arena_new();
    char *piece = arena_text(arena, bytes->data + at, n);
    if (below(2)) {
        splice(bytes, at, n, "", 0);
        to = to < bytes->length ? to : bytes->length;
    }
    if (below(3)) {
        splice(bytes, to, 0, piece, n);
    }
    arena_free(arena);
}

static void flip(struct buf *bytes) {
    if (bytes->length) {
        bytes->data[below(bytes->length)] ^= (char)(1 << below(8));
    }
}

/* The header length of a safetensors file, made true again so that the change behind it is met.
 */
static void mend_length(struct buf *bytes, size_t data) {
    if (bytes->length >= 8 + data) {
        uint64_t length = bytes->length - 8 - data;
        for (int i = 0; i < 8; i++) {
            bytes->data[i] = (char)(length >> (8 * i) & 0xff);
        }
    }
}

static void damage(struct seed *seed, enum mutate_kind kind) {
    struct buf *bytes = seed->bytes;
    bool json = kind != MUTATE_GGUF, mend = kind == MUTATE_SAFETENSORS && below(4) != 0;
    for (size_t changes = 1 + below(CHANGES_MOST); changes > 0; changes--) {
        switch (below(8)) {
        case 0:
            flip(bytes);
            break;
        case 1:
            move_piece(bytes);
            break;
        case 2:
            bytes->length -= below(8) == 0 ? below(bytes->length) : 0;
            break;
        default:
            json &&below(8) ? change_json(bytes) : change_field(bytes, seed);
        }
    }
    if (mend) {
        mend_length(bytes, 33);
    }
}

/* ---- reading ---- */

static struct file *guarded(struct arena *arena, const struct buf *bytes) {
    struct file *file = arena_alloc(arena, sizeof *file);
    file->bytes = check_guarded(arena, bytes->data, bytes->length);
    file->size = (int64_t)bytes->length;
    file->path = "mutant";
    return file;
}

/* Reads the first and last byte of every tensor, which must lie in the file or in a copy of it.
 */
static unsigned touch(const struct tensor *tensors, int64_t count) {
    unsigned sum = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t size = tensor_bytes(&tensors[i]);
        const unsigned char *bytes = tensors[i].bytes;
        sum += size > 0 ? (unsigned)bytes[0] + bytes[size - 1] : 0;
        sum += (unsigned)strlen(tensors[i].name);
    }
    return sum;
}

static bool read_gguf(struct arena *arena, const struct file *file, struct err *err) {
    static volatile unsigned seen;
    struct tensor *tensors;
    struct gguf_strings strings;
    int64_t count, n;
    const char *text;
    const void *array;
    struct gguf *meta = gguf_read(arena, file, &tensors, &count, err);
    if (!meta) {
        return false;
    }
    seen += touch(tensors, count);
    if (gguf_array_strings(meta, "tokenizer.ggml.tokens", &strings, &n)) {
        while (gguf_next(&strings, &text, &n)) {
            seen += n > 0 ? (unsigned char)text[n - 1] : 0;
        }
    }
    if (gguf_array_floats(meta, "tokenizer.ggml.scores", &array, &n) && n > 0) {
        seen += ((const unsigned char *)array)[n * 4 - 1];
    }
    return true;
}

static bool read_safetensors(struct arena *arena, const struct file *file, struct err *err) {
    static volatile unsigned seen;
    struct tensor *tensors;
    int64_t count;
    if (safetensors_read(arena, file, &tensors, &count, err) < 0) {
        return false;
    }
    seen += touch(tensors, count);
    return true;
}

/* config_read opens a path, so the bytes go to a file; the JSON reader meets them guarded too.
 */
static bool read_config(struct arena *arena, const char *folder, const struct file *file,
                        struct err *err) {
    static const struct weights none;
    char *path = file_join(arena, folder, "mutant");
    json_parse(arena, file->bytes, (size_t)file->size, "mutant", err);
    *err = (struct err){ 0 };
    unlink(path); /* truncating it instead would wait for the disk */
    FILE *out = fopen(path, "wbe");
    if (!out || fwrite(file->bytes, 1, (size_t)file->size, out) != (size_t)file->size ||
        fclose(out) != 0) {
        return false;
    }
    struct config *read = config_read(arena, &none, path, err);
    return read && read->layers > 0 && read->heads % read->kv_heads == 0 && read->width > 0;
}

const char *mutate_name(enum mutate_kind kind) {
    static const char *const names[] = { "safetensors", "gguf", "config" };
    return names[kind];
}

const char *mutate_try(struct arena *arena, const char *folder, enum mutate_kind kind,
                       uint64_t number) {
    struct err err = { 0 };
    struct seed seed = { .bytes = buf_new(arena) };
    kind == MUTATE_SAFETENSORS ? safetensors(&seed)
    : kind == MUTATE_GGUF      ? gguf(&seed)
                               : config(&seed);
    state = number;
    if (number > 0) {
        damage(&seed, kind);
    }
    struct file *file = guarded(arena, seed.bytes);
    bool good = kind == MUTATE_SAFETENSORS ? read_safetensors(arena, file, &err)
                : kind == MUTATE_GGUF      ? read_gguf(arena, file, &err)
                                           : read_config(arena, folder, file, &err);
    if (good ? err.kind != ERR_NONE : err.kind == ERR_NONE) {
        return good ? "success with an error" : "a refusal without an error";
    }
    if (!good && number == 0) {
        return arena_copy(arena, err.text);
    }
    return good || strstr(err.text, "mutant") ? NULL : "a refusal that does not name the file";
}
