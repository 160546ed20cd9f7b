#include "core/model/newborn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/base/jsonwrite.h"
#include "core/base/places.h"
#include "core/base/random.h"
#include "core/base/utf8.h"
#include "core/tensor/safetensors_write.h"

/* What is being made. Each tensor draws from a stream of its own: another size of one leaves
 * the others' numbers alone. */
struct making {
    struct arena *arena;
    const struct newborn *of;
    int64_t gates, vocab;
    struct random random;
    int64_t count;
    const struct tensor **tensors;
};

static const char *kind_name(enum op_recurrence kind) {
    return kind == OP_LSTM ? "lstm" : kind == OP_GRU ? "gru" : "rnn";
}

static int64_t gates_of(enum op_recurrence kind) {
    return kind == OP_LSTM ? 4 : kind == OP_GRU ? 3 : 1;
}

static int sizes_check(const struct newborn *of, struct err *err) {
    if (of->layers < 1 || of->layers > NEWBORN_LAYERS) {
        return err_set(err, ERR_OPTION, "a new model has 1 to %d layers, not %lld",
                       NEWBORN_LAYERS, (long long)of->layers);
    }
    if (of->hidden < 1 || of->hidden > NEWBORN_HIDDEN) {
        return err_set(err, ERR_OPTION, "a new model has 1 to %d units a layer, not %lld",
                       NEWBORN_HIDDEN, (long long)of->hidden);
    }
    if (!(of->gain > 0) || of->gain > 1000) {
        return err_set(err, ERR_OPTION,
                       "the gain is above 0 and at most 1000, not %g: below 1 a tanh network "
                       "forgets, above it remembers or explodes",
                       of->gain);
    }
    if (of->memory < 2 || of->memory > NEWBORN_MEMORY) {
        return err_set(err, ERR_OPTION, "the memory is 2 to %d steps, not %lld", NEWBORN_MEMORY,
                       (long long)of->memory);
    }
    return 0;
}

/* The matrices of all layers, and the two tables with a row for each of `vocab` characters. */
static int weights_check(const struct newborn *of, int64_t vocab, struct err *err) {
    double matrices = 2.0 * (double)(gates_of(of->kind) * of->layers * of->hidden * of->hidden);
    double tables = 2.0 * (double)vocab * (double)of->hidden;
    double megabytes = (double)sizeof(float) * (matrices + tables) / 1e6;
    if (megabytes > NEWBORN_MEGABYTES) {
        return err_set(err, ERR_OPTION,
                       "%lld layers of %lld units over %lld characters would be %.0f MB of "
                       "weights; a new model has at most %d MB: fewer layers, units or "
                       "characters",
                       (long long)of->layers, (long long)of->hidden, (long long)vocab,
                       megabytes, NEWBORN_MEGABYTES);
    }
    return 0;
}

/* ---- numbers ---- */

static struct tensor *tensor_add(struct making *m, const char *name, int rank,
                                 const int64_t *shape) {
    struct tensor *tensor = tensor_new(m->arena, rank, shape);
    tensor->name = name;
    m->tensors[m->count++] = tensor;
    return tensor;
}

static void matrix_add(struct making *m, const char *name, int64_t rows, int64_t columns,
                       double deviation) {
    struct random mine = random_split(&m->random, (uint64_t)m->count);
    struct tensor *tensor = tensor_add(m, name, 2, (int64_t[]){ rows, columns });
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = r * columns; i < (r + 1) * columns; i++) {
            tensor->data[i] = (float)(deviation * random_normal(&mine));
        }
        stop_check();
    }
}

/* Zeros, but for the gates that keep. */
static void bias_add(struct making *m, const char *name, bool keeps) {
    int64_t h = m->of->hidden;
    struct random mine = random_split(&m->random, (uint64_t)m->count);
    struct tensor *bias = tensor_add(m, name, 1, (int64_t[]){ m->gates * h });
    for (int64_t i = 0; keeps && m->gates > 1 && i < h; i++) {
        double last = 1 + random_unit(&mine) * (double)(m->of->memory - 2);
        bias->data[h + i] = (float)log(last); /* an LSTM's f, a GRU's z: both second */
        if (m->gates == 4) {
            bias->data[i] = (float)-log(last);
        }
    }
}

static void layer_add(struct making *m, int64_t layer) {
    struct arena *arena = m->arena;
    long long l = (long long)layer;
    int64_t h = m->of->hidden;
    double root = sqrt((double)h), gain = m->of->gain;
    matrix_add(m, arena_printf(arena, "rnn.weight_ih_l%lld", l), m->gates * h, h,
               (layer == 0 ? 1 : gain) / root);
    matrix_add(m, arena_printf(arena, "rnn.weight_hh_l%lld", l), m->gates * h, h, gain / root);
    bias_add(m, arena_printf(arena, "rnn.bias_ih_l%lld", l), true);
    bias_add(m, arena_printf(arena, "rnn.bias_hh_l%lld", l), false);
}

static void tensors_make(struct making *m) {
    const struct newborn *of = m->of;
    m->random = random_new(of->seed);
    m->tensors = arena_array(m->arena, 4 * of->layers + 3, sizeof *m->tensors);
    matrix_add(m, "embedding.weight", m->vocab, of->hidden, 1);
    for (int64_t l = 0; l < of->layers; l++) {
        layer_add(m, l);
    }
    matrix_add(m, "decoder.weight", m->vocab, of->hidden, 1 / sqrt((double)of->hidden));
    tensor_add(m, "decoder.bias", 1, &m->vocab);
}

/* ---- words ---- */

static void setting(struct jsonwrite *w, const char *key, int64_t value) {
    json_key(w, key);
    json_int(w, value);
}

static struct buf *config_make(const struct making *m) {
    struct buf *out = buf_new(m->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "model_type");
    json_string(&w, arena_printf(m->arena, "%s_lm", kind_name(m->of->kind)));
    setting(&w, "vocab_size", m->vocab);
    setting(&w, "embedding_size", m->of->hidden);
    setting(&w, "hidden_size", m->of->hidden);
    setting(&w, "num_layers", m->of->layers);
    if (m->gates == 1) {
        json_key(&w, "nonlinearity");
        json_string(&w, m->of->kind == OP_RNN_RELU ? "relu" : "tanh");
    }
    json_key(&w, "initial_gain");
    json_double(&w, m->of->gain);
    if (m->gates > 1) {
        setting(&w, "initial_memory", m->of->memory);
    }
    json_key(&w, "initial_seed");
    json_string(&w, arena_printf(m->arena, "%llu", (unsigned long long)m->of->seed));
    json_close(&w, '}');
    buf_char(out, '\n');
    return out;
}

/* Each character once, in order of its first place. */
static void vocab_write(struct making *m, struct jsonwrite *w, const char *characters) {
    const char *end = characters + strlen(characters);
    bool *seen = arena_array(m->arena, 0x110000, sizeof *seen); /* of every code point */
    uint32_t code;
    int n;
    for (const char *at = characters; at < end; at += n) {
        n = utf8_decode(at, (size_t)(end - at), &code);
        if (!seen[code]) {
            seen[code] = true;
            json_key(w, arena_text(m->arena, at, (size_t)n));
            json_int(w, m->vocab++);
        }
    }
}

/* A text's characters are its tokens; those it has none for are <unk>. */
static struct buf *tokenizer_write(struct making *m) {
    static const char before[] =
        "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{\"id\":0,"
        "\"content\":\"<unk>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
        "\"normalized\":false,\"special\":true}],\"normalizer\":null,\"pre_tokenizer\":{"
        "\"type\":"
        "\"Split\",\"pattern\":{\"Regex\":\"[\\\\s\\\\S]\"},\"behavior\":\"Isolated\","
        "\"invert\":"
        "false},\"post_processor\":null,\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"type\":"
        "\"WordLevel\",\"vocab\":";
    char ascii[100] = "\n\t";
    struct buf *out = buf_new(m->arena);
    struct jsonwrite w = { .out = out };
    for (int c = ' '; c <= '~'; c++) {
        ascii[2 + c - ' '] = (char)c;
    }
    buf_text(out, before);
    json_open(&w, '{');
    json_key(&w, "<unk>");
    json_int(&w, m->vocab++);
    vocab_write(m, &w,
                arena_printf(m->arena, "%s%s", ascii, m->of->alphabet ? m->of->alphabet : ""));
    json_close(&w, '}');
    buf_text(out, ",\"unk_token\":\"<unk>\"}}\n");
    return out;
}

/* ---- files ---- */

const char *newborn_cache(struct arena *arena, struct err *err) {
    const char *cache = places_made(arena);
    if (!cache) {
        err_set(err, ERR_IO,
                "there is no cache folder to put the model into: set HOME or "
                "XDG_CACHE_HOME");
    }
    return cache;
}

/* What is in the folder, as its name says. */
static const char *folder_of(const struct making *m, const struct buf *config,
                             const struct buf *tokenizer, struct err *err) {
    struct file_piece *pieces = arena_array(m->arena, m->count + 2, sizeof *pieces);
    char hex[65];
    const char *cache = newborn_cache(m->arena, err);
    pieces[0] = (struct file_piece){ config->data, config->length };
    pieces[1] = (struct file_piece){ tokenizer->data, tokenizer->length };
    for (int64_t i = 0; i < m->count; i++) {
        pieces[2 + i] =
            (struct file_piece){ m->tensors[i]->bytes, (size_t)tensor_bytes(m->tensors[i]) };
    }
    file_sha256(pieces, (int)m->count + 2, hex);
    return cache ? arena_printf(m->arena, "%s/%s-%.16s", cache, kind_name(m->of->kind), hex)
                 : NULL;
}

const char *newborn_write(struct arena *arena, const struct newborn *newborn, struct err *err) {
    struct making making = { .arena = arena, .of = newborn };
    const char *alphabet = newborn->alphabet ? newborn->alphabet : "";
    if (sizes_check(newborn, err) < 0) {
        return NULL;
    }
    if (utf8_bad(alphabet, strlen(alphabet)) < strlen(alphabet)) {
        err_set(err, ERR_OPTION, "the alphabet is not UTF-8");
        return NULL;
    }
    making.gates = gates_of(newborn->kind);
    struct buf *tokenizer = tokenizer_write(&making);
    if (weights_check(newborn, making.vocab, err) < 0) {
        return NULL;
    }
    struct buf *config = config_make(&making);
    tensors_make(&making);
    const char *folder = folder_of(&making, config, tokenizer, err);
    bool good = folder && file_make_folders(arena, folder, err) == 0 &&
                file_write(file_join(arena, folder, "config.json"), config->data,
                           config->length, err) == 0 &&
                file_write(file_join(arena, folder, "tokenizer.json"), tokenizer->data,
                           tokenizer->length, err) == 0 &&
                safetensors_write(file_join(arena, folder, "model.safetensors"), making.tensors,
                                  making.count, err) == 0;
    if (!good) {
        err_pass(err);
        return NULL;
    }
    return folder;
}
