#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/text/pipeline.h"
#include "core/text/tokenizer.h"

/* tokenizer_make: the tokenizer that a GGUF file describes by arrays. What tokenizer.json says
 * in sections follows here from the model's name, as llama.cpp has it. */

enum { NORMAL = 1, UNKNOWN, CONTROL, USER, UNUSED, BYTE }; /* token types of GGUF */

/* What is made so far. */
struct making {
    struct arena *arena;
    struct tokenizer *tokenizer;
    const struct tokenizer_parts *parts;
    const char *file;
};

static int32_t type_of(const struct tokenizer_parts *parts, int64_t id) {
    return parts->types ? parts->types[id] : NORMAL;
}

/* A section as tokenizer.json would have it; these are well formed. */
static const struct json *section(const struct making *m, const char *json) {
    return json_parse(m->arena, json, strlen(json), m->file, NULL);
}

/* ---- merges ---- */

static const struct vocab_word *word_at(const struct vocab *vocab, const char *bytes,
                                        size_t n) {
    int32_t id = vocab_find(vocab, bytes, n);
    return id < 0 ? NULL : &vocab->words[id];
}

static int read_merges(struct making *m, struct err *err) {
    struct bpe *bpe = &m->tokenizer->bpe;
    const struct tokenizer_parts *parts = m->parts;
    char *spelled = arena_raw(m->arena, (size_t)bpe->vocab->longest + 8);
    bpe_reserve(m->arena, bpe, parts->merge_count);
    for (int64_t i = 0; i < parts->merge_count; i++) {
        if (i % 4096 == 0) {
            stop_check();
        }
        const char *bytes = parts->merges[i].bytes;
        size_t length = parts->merges[i].length;
        /* A side may itself begin with a blank only if it is nothing but that; none does. */
        const char *blank = length ? memchr(bytes + 1, ' ', length - 1) : NULL;
        size_t n = blank ? (size_t)(blank - bytes) : 0;
        const struct vocab_word *left = blank ? word_at(bpe->vocab, bytes, n) : NULL;
        const struct vocab_word *right =
            blank ? word_at(bpe->vocab, blank + 1, length - n - 1) : NULL;
        if (!left || !right) {
            char shown[80];
            return err_set(err, ERR_FORMAT,
                           "%s: tokenizer.ggml.merges: number %lld, %s, is not two tokens of "
                           "tokenizer.ggml.tokens",
                           m->file, (long long)i,
                           err_quote(shown, sizeof shown, bytes, length));
        }
        if (bpe_add(bpe, left, right, (int32_t)i, spelled, m->file, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

/* ---- the vocabulary ---- */

/* BERT's words begin with U+2581 in GGUF and its continuations with nothing; tokenizer.json has
 * nothing and "##". */
static void spell_bert(struct making *m, struct vocab_word *word, int32_t type) {
    if (type != NORMAL) {
        return;
    }
    if (word->length >= 3 && memcmp(word->bytes, "\u2581", 3) == 0) {
        word->bytes += 3;
        word->length -= 3;
        return;
    }
    char *spelled = arena_raw(m->arena, word->length + 3);
    memcpy(spelled, "##", 2);
    memcpy(spelled + 2, word->bytes, word->length);
    word->bytes = spelled;
    word->length += 2;
}

static struct vocab *make_vocab(struct making *m, bool bert, struct err *err) {
    const struct tokenizer_parts *parts = m->parts;
    struct vocab_word *words = arena_array(m->arena, parts->count, sizeof *words);
    for (int64_t i = 0; i < parts->count; i++) {
        if (i % 4096 == 0) {
            stop_check();
        }
        if (parts->pieces[i].length > UINT16_MAX) {
            err_set(err, ERR_FORMAT, "%s: token %lld has %zu bytes; at most %d are read",
                    m->file, (long long)i, parts->pieces[i].length, UINT16_MAX);
            return NULL;
        }
        words[i] = (struct vocab_word){ parts->pieces[i].bytes,
                                        (uint32_t)parts->pieces[i].length, (int32_t)i };
        if (bert) {
            spell_bert(m, &words[i], type_of(parts, i));
        }
    }
    return vocab_new(m->arena, words, parts->count, VOCAB_LENIENT, m->file, err);
}

/* Control and user tokens, and the unknown one, are looked for in the text as they are. */
static bool is_added(const struct tokenizer_parts *parts, int64_t id) {
    int32_t type = type_of(parts, id);
    return type == CONTROL || type == USER || type == UNKNOWN;
}

static struct added_token *make_added(const struct making *m, int64_t *count) {
    const struct tokenizer_parts *parts = m->parts;
    int64_t most = 0;
    for (int64_t i = 0; i < parts->count; i++) {
        most += is_added(parts, i);
    }
    struct added_token *added = arena_array(m->arena, most, sizeof *added);
    *count = 0;
    for (int64_t i = 0; most && i < parts->count; i++) {
        const struct vocab_word *word = &m->tokenizer->vocab->words[i];
        if (is_added(parts, i) && word->length > 0) {
            added[(*count)++] = (struct added_token){
                .bytes = word->bytes,
                .length = word->length,
                .id = (int32_t)i,
                .special = type_of(parts, i) != USER,
            };
        }
    }
    return added;
}

/* ---- gpt2: byte-level BPE ---- */

static bool is_one_of(const char *name, const char *const *names) {
    while (*names && strcmp(name, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

/* Those whose whole pieces are one token where the vocabulary has them. */
static const char *const ignore_merges[] = { "llama3",    "llama-v3", "llama-bpe", "falcon3",
                                             "falcon-h1", "pixtral",  "midm-2.0",  "lfm2",
                                             "tekken",    NULL };

/* Those whose tokenizer.json composes characters first, which GGUF does not say. */
static const char *const compose[] = { "qwen2", "qwen35", "olmo", "mpt", NULL };

static int make_gpt2(struct making *m, struct err *err) {
    struct tokenizer *tokenizer = m->tokenizer;
    tokenizer->model = PIPELINE_BPE;
    tokenizer->bpe = (struct bpe){ .vocab = tokenizer->vocab,
                                   .prefix = "",
                                   .suffix = "",
                                   .ignore_merges = is_one_of(m->parts->pre, ignore_merges),
                                   .unknown = BPE_DROP };
    tokenizer->splitter = split_named(m->arena, m->parts->pre, m->file, err);
    if (!tokenizer->splitter) {
        return err_pass(err);
    }
    if (is_one_of(m->parts->pre, compose)) {
        tokenizer->normalizer =
            normalize_read(m->arena, section(m, "{\"type\":\"NFC\"}"), m->file, err);
    }
    pipeline_bytes(tokenizer);
    tokenizer->decoder = decode_bytes(m->arena);
    return read_merges(m, err);
}

/* ---- llama: SentencePiece's BPE ---- */

struct scored {
    float score;
    int32_t id;
};

static int by_score(const void *left, const void *right) {
    const struct scored *a = left, *b = right;
    return a->score != b->score ? (a->score < b->score) - (a->score > b->score)
                                : (a->id > b->id) - (a->id < b->id);
}

/* The higher the score the sooner; equal scores are equal ranks. What is no text is never made
 * of other tokens. */
static const int32_t *ranks_of(const struct making *m) {
    const struct tokenizer_parts *parts = m->parts;
    int32_t *ranks = arena_array(m->arena, parts->count, sizeof *ranks);
    struct scored *order = arena_array(m->arena, parts->count, sizeof *order);
    for (int64_t i = 0; i < parts->count; i++) {
        if (i % 4096 == 0) {
            stop_check();
        }
        order[i] = (struct scored){ parts->scores[i], (int32_t)i };
    }
    qsort(order, (size_t)parts->count, sizeof *order, by_score);
    int32_t rank = 0;
    for (int64_t i = 0; i < parts->count; i++) {
        int32_t type = type_of(parts, order[i].id);
        bool text = type == NORMAL || type == USER || type == UNUSED;
        rank += i > 0 && order[i].score < order[i - 1].score;
        ranks[order[i].id] = text ? rank : INT32_MAX;
    }
    return ranks;
}

/* Blanks to marks and back. */
#define MARKS "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\u2581\"}"
#define BLANKS                                                                            \
    "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":" \
    "\"\u2581\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}"

/* Where the file asks for a blank before a text, it stands before every text, one that begins
 * with a blank too, and again after a special token: so SentencePiece, whose model the file
 * holds, and llama.cpp. Mistral's tokenizer.json says prepend_scheme "first", which GGUF
 * cannot: transformers has one mark less there. */
static int make_llama(struct making *m, struct err *err) {
    struct tokenizer *tokenizer = m->tokenizer;
    tokenizer->model = PIPELINE_BPE;
    tokenizer->bpe =
        (struct bpe){ .vocab = tokenizer->vocab,
                      .prefix = "",
                      .suffix = "",
                      .byte_fallback = true,
                      .unknown = m->parts->unknown >= 0 ? m->parts->unknown : BPE_DROP,
                      .ranks = ranks_of(m) };
    bpe_reserve(m->arena, &tokenizer->bpe, 0);
    bpe_bytes(&tokenizer->bpe);
    tokenizer->parts = bpe_parts_at_marks(&tokenizer->bpe);
    bool prefix = m->parts->add_space_prefix;
    tokenizer->normalizer = normalize_read(
        m->arena,
        section(m, prefix ? "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\","
                            "\"prepend\":\"\u2581\"}," MARKS "]}"
                          : MARKS),
        m->file, err);
    tokenizer->decoder = decode_read(
        m->arena,
        section(m, prefix ? BLANKS ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,"
                                   "\"stop\":0}]}"
                          : BLANKS "]}"),
        m->file, err);
    return tokenizer->normalizer && tokenizer->decoder ? 0 : err_pass(err);
}

/* ---- t5: Unigram ---- */

static int make_t5(struct making *m, struct err *err) {
    struct tokenizer *tokenizer = m->tokenizer;
    const struct tokenizer_parts *parts = m->parts;
    double *scores = arena_array(m->arena, parts->count, sizeof *scores);
    bool *ignored = arena_array(m->arena, parts->count, sizeof *ignored);
    for (int64_t i = 0; i < parts->count; i++) {
        int32_t type = type_of(parts, i);
        scores[i] = (double)parts->scores[i];
        ignored[i] = type != NORMAL && type != USER && type != UNUSED;
    }
    tokenizer->model = PIPELINE_UNIGRAM;
    tokenizer->unigram = (struct unigram){ .vocab = tokenizer->vocab,
                                           .scores = scores,
                                           .unknown = parts->unknown,
                                           .byte_fallback = true };
    unigram_build(m->arena, &tokenizer->unigram, ignored);
    const struct charsmap *map = NULL;
    if (parts->charsmap_size > 0) {
        map = charsmap_of(m->arena, parts->charsmap, parts->charsmap_size, m->file, err);
        if (!map) {
            return err_pass(err);
        }
    }
    tokenizer->normalizer =
        normalize_sentencepiece(m->arena, map, parts->remove_blanks, m->file, err);
    const char *scheme = parts->add_space_prefix
                             ? "{\"type\":\"Metaspace\",\"prepend_scheme\":\"always\","
                               "\"replacement\":\"\u2581\"}"
                             : "{\"type\":\"Metaspace\",\"prepend_scheme\":\"never\","
                               "\"replacement\":\"\u2581\"}";
    tokenizer->splitter = split_read(m->arena, section(m, scheme), m->file, err);
    tokenizer->decoder = decode_read(m->arena, section(m, scheme), m->file, err);
    return tokenizer->normalizer && tokenizer->splitter && tokenizer->decoder ? 0
                                                                              : err_pass(err);
}

/* ---- bert: WordPiece ---- */

/* A vocabulary that has capitals is one of a model that sees them. */
static bool has_capitals(const struct making *m) {
    for (int64_t i = 0; i < m->parts->count; i++) {
        const struct vocab_word *word = &m->tokenizer->vocab->words[i];
        for (uint32_t k = 0; k < word->length && type_of(m->parts, i) == NORMAL; k++) {
            if (word->bytes[k] >= 'A' && word->bytes[k] <= 'Z') {
                return true;
            }
        }
    }
    return false;
}

static int make_bert(struct making *m, struct err *err) {
    struct tokenizer *tokenizer = m->tokenizer;
    int32_t unknown = m->parts->unknown;
    tokenizer->model = PIPELINE_WORDPIECE;
    tokenizer->wordpiece =
        (struct wordpiece){ .vocab = tokenizer->vocab,
                            .prefix = "##",
                            .unknown = unknown >= 0 ? unknown
                                                    : vocab_find(tokenizer->vocab, "[UNK]", 5),
                            .most = 100 };
    tokenizer->splitter = split_bert(m->arena);
    tokenizer->normalizer = normalize_read(
        m->arena,
        section(m, has_capitals(m) ? "{\"type\":\"BertNormalizer\",\"lowercase\":false}"
                                   : "{\"type\":\"BertNormalizer\",\"lowercase\":true}"),
        m->file, err);
    tokenizer->decoder =
        decode_read(m->arena, section(m, "{\"type\":\"WordPiece\"}"), m->file, err);
    return tokenizer->normalizer && tokenizer->decoder ? 0 : err_pass(err);
}

/* ---- all ---- */

static const struct maker {
    const char *model;
    int (*make)(struct making *m, struct err *err);
    bool scored; /* needs tokenizer.ggml.scores */
} makers[] = {
    { "gpt2", make_gpt2, false },
    { "llama", make_llama, true },
    { "t5", make_t5, true },
    { "bert", make_bert, false },
};

static const struct maker *maker_of(const struct tokenizer_parts *parts, const char *file,
                                    struct err *err) {
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        if (strcmp(parts->model, makers[i].model) == 0) {
            return &makers[i];
        }
    }
    char shown[60];
    err_set(err, ERR_UNSUPPORTED,
            "%s: tokenizer.ggml.model %s is not known; known are gpt2 (byte-level BPE), llama "
            "(SentencePiece), t5 (Unigram) and bert (WordPiece)",
            file, err_quote(shown, sizeof shown, parts->model, strlen(parts->model)));
    return NULL;
}

static int check_counts(const struct tokenizer_parts *parts, bool scored, const char *file,
                        struct err *err) {
    if (parts->count < 1 || parts->count > VOCAB_IDS) {
        return err_set(err, ERR_FORMAT,
                       "%s: tokenizer.ggml.tokens has %lld tokens; 1 to %d are read", file,
                       (long long)parts->count, VOCAB_IDS);
    }
    if (parts->merge_count < 0 || parts->merge_count > VOCAB_IDS) {
        return err_set(err, ERR_FORMAT,
                       "%s: tokenizer.ggml.merges has %lld merges; up to %d are read", file,
                       (long long)parts->merge_count, VOCAB_IDS);
    }
    if (scored && !parts->scores) {
        return err_set(
            err, ERR_FORMAT,
            "%s: tokenizer.ggml.scores is missing, without which the model %s cannot "
            "be used",
            file, parts->model);
    }
    for (int64_t i = 0; scored && i < parts->count; i++) {
        if (isnan(parts->scores[i])) {
            return err_set(err, ERR_FORMAT,
                           "%s: the score of token %lld in tokenizer.ggml.scores is NaN, which "
                           "is in no order with the others",
                           file, (long long)i);
        }
    }
    int32_t most = parts->bos > parts->eos ? parts->bos : parts->eos;
    if (most >= parts->count || parts->unknown >= parts->count) {
        return err_set(err, ERR_FORMAT,
                       "%s: the id of the first, last or unknown token is %d; there are %lld "
                       "tokens",
                       file, most >= parts->count ? most : parts->unknown,
                       (long long)parts->count);
    }
    return 0;
}

struct tokenizer *tokenizer_make(struct arena *arena, const struct tokenizer_parts *parts,
                                 const char *file, struct err *err) {
    struct tokenizer *tokenizer = arena_alloc(arena, sizeof *tokenizer);
    struct making m = { arena, tokenizer, parts, file };
    const struct maker *maker = maker_of(parts, file, err);
    if (!maker || check_counts(parts, maker->scored, file, err) < 0) {
        return NULL;
    }
    tokenizer->vocab = make_vocab(&m, maker->make == make_bert, err);
    if (!tokenizer->vocab || maker->make(&m, err) < 0) {
        err_pass(err);
        return NULL;
    }
    int32_t begin = parts->add_bos ? parts->bos : -1, end = parts->add_eos ? parts->eos : -1;
    tokenizer->post = maker->make == make_bert
                          ? post_bert(arena, begin, end)
                          : post_around(arena, begin, end, maker->make == make_gpt2);
    int64_t count;
    struct added_token *added = make_added(&m, &count);
    if (pipeline_finish(arena, tokenizer, added, count, file, err) < 0) {
        err_pass(err);
        return NULL;
    }
    return tokenizer;
}
