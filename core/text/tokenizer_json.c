#include <math.h>
#include <string.h>

#include "core/text/pipeline.h"
#include "core/text/tokenizer.h"

/* tokenizer_json: reads tokenizer.json. Vocabulary and merges are streamed, since they are
 * nearly all of the file; the other sections are small and become trees. */

enum { MOST_BYTES = 256 << 20 };

struct reading {
    struct arena *arena;
    const char *file;
    struct jsonread r;
    struct json *normalizer, *pre_tokenizer, *post_processor, *decoder, *added;
    /* the model's */
    const char *type, *unknown, *prefix, *suffix;
    int64_t most;       /* max_input_chars_per_word */
    int64_t unknown_id; /* unk_id; -1: none */
    bool fuse, fallback, ignore_merges, has_model, has_merges, has_prefix;
    struct buf *words;      /* struct vocab_word */
    struct buf *scores;     /* double, of Unigram */
    struct jsonread merges; /* where they begin */
};

/* ---- the model section ---- */

/* Unigram's vocabulary: [["<unk>", 0.0], ...], ids in order. */
static void read_scored(struct reading *reading) {
    struct jsonread *r = &reading->r;
    reading->scores = buf_new(reading->arena);
    int32_t id = 0;
    for (jsonread_array(r); jsonread_item(r); id++) {
        jsonread_array(r);
        if (!jsonread_item(r) || id >= VOCAB_IDS) {
            jsonread_fail(r, "token %d of vocab is not [spelling, score], or one too many", id);
            return;
        }
        struct json_text text = jsonread_string(r, reading->arena);
        struct vocab_word word = { text.bytes, (uint32_t)text.length, id };
        buf_add(reading->words, &word, sizeof word);
        double score = jsonread_item(r) ? jsonread_double(r) : (double)NAN;
        buf_add(reading->scores, &score, sizeof score);
        if (isnan(score) || jsonread_item(r)) {
            jsonread_fail(r, "token %d of vocab is not [spelling, score]", id);
            return;
        }
    }
}

static void read_vocab(struct reading *reading) {
    struct jsonread *r = &reading->r;
    struct json_text key;
    if (reading->words) {
        jsonread_fail(r, "model has two vocabs");
        return;
    }
    reading->words = buf_new(reading->arena);
    if (jsonread_peek(r) == JSON_ARRAY) {
        read_scored(reading);
        return;
    }
    for (jsonread_object(r); jsonread_key(r, reading->arena, &key);) {
        int64_t id = jsonread_int(r);
        if (id < 0 || id >= VOCAB_IDS) {
            char shown[60];
            jsonread_fail(r, "the token %s has the id %lld; ids go from 0 to %d",
                          err_quote(shown, sizeof shown, key.bytes, key.length), (long long)id,
                          VOCAB_IDS - 1);
        }
        struct vocab_word word = { key.bytes, (uint32_t)key.length, (int32_t)id };
        buf_add(reading->words, &word, sizeof word);
    }
}

/* A string, or NULL for null. */
static const char *text_or_null(struct reading *reading) {
    if (jsonread_peek(&reading->r) == JSON_NULL) {
        jsonread_null(&reading->r);
        return NULL;
    }
    return jsonread_text(&reading->r, reading->arena);
}

static int64_t id_or_null(struct reading *reading) {
    if (jsonread_peek(&reading->r) == JSON_NULL) {
        jsonread_null(&reading->r);
        return -1;
    }
    int64_t id = jsonread_int(&reading->r);
    if (id < 0) {
        jsonread_fail(&reading->r, "unk_id is %lld, which is no id", (long long)id);
    }
    return id;
}

static void read_dropout(struct reading *reading) {
    if (jsonread_peek(&reading->r) == JSON_NULL) {
        jsonread_null(&reading->r);
        return;
    }
    double dropout = jsonread_double(&reading->r);
    if (dropout != 0 && !jsonread_failed(&reading->r, NULL)) {
        err_set(&reading->r.err, ERR_UNSUPPORTED,
                "%s: model.dropout is %g; only 0 gives the same tokens every time",
                reading->file, dropout);
    }
}

static bool flag_or_null(struct reading *reading) {
    if (jsonread_peek(&reading->r) == JSON_NULL) {
        jsonread_null(&reading->r);
        return false;
    }
    return jsonread_bool(&reading->r);
}

static void read_member(struct reading *reading, struct json_text key) {
    struct jsonread *r = &reading->r;
    if (json_is(key, "type")) {
        reading->type = jsonread_text(r, reading->arena);
    } else if (json_is(key, "vocab")) {
        read_vocab(reading);
    } else if (json_is(key, "merges")) {
        reading->merges = *r; /* read again once the vocabulary is known */
        reading->has_merges = true;
        jsonread_skip(r);
    } else if (json_is(key, "unk_token")) {
        reading->unknown = text_or_null(reading);
    } else if (json_is(key, "unk_id")) {
        reading->unknown_id = id_or_null(reading);
    } else if (json_is(key, "continuing_subword_prefix")) {
        reading->prefix = text_or_null(reading);
        reading->has_prefix = reading->prefix != NULL;
    } else if (json_is(key, "end_of_word_suffix")) {
        reading->suffix = text_or_null(reading);
    } else if (json_is(key, "max_input_chars_per_word")) {
        reading->most = jsonread_int(r);
    } else if (json_is(key, "fuse_unk")) {
        reading->fuse = flag_or_null(reading);
    } else if (json_is(key, "byte_fallback")) {
        reading->fallback = flag_or_null(reading);
    } else if (json_is(key, "ignore_merges")) {
        reading->ignore_merges = flag_or_null(reading);
    } else if (json_is(key, "dropout")) {
        read_dropout(reading);
    } else {
        jsonread_skip(r);
    }
}

static void read_model(struct reading *reading) {
    struct json_text key;
    if (reading->has_model) {
        jsonread_fail(&reading->r, "two models");
    }
    reading->has_model = true;
    for (jsonread_object(&reading->r); jsonread_key(&reading->r, reading->arena, &key);) {
        read_member(reading, key);
    }
}

static int read_sections(struct reading *reading, struct err *err) {
    struct jsonread *r = &reading->r;
    const struct {
        const char *name;
        struct json **tree;
    } trees[] = {
        { "normalizer", &reading->normalizer },
        { "pre_tokenizer", &reading->pre_tokenizer },
        { "post_processor", &reading->post_processor },
        { "decoder", &reading->decoder },
        { "added_tokens", &reading->added },
    };
    struct json_text key;
    for (jsonread_object(r); jsonread_key(r, reading->arena, &key);) {
        struct json **tree = NULL;
        for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
            tree = json_is(key, trees[i].name) ? trees[i].tree : tree;
        }
        if (tree) {
            *tree = json_read(reading->arena, r);
        } else if (json_is(key, "model")) {
            read_model(reading);
        } else {
            jsonread_skip(r);
        }
    }
    jsonread_end(r);
    return jsonread_failed(r, err) ? -1 : 0;
}

/* ---- merges ---- */

/* "left right" or ["left", "right"], as ids. */
static bool read_merge(struct reading *reading, const struct vocab *vocab,
                       const struct vocab_word *sides[2]) {
    struct jsonread *r = &reading->merges;
    struct json_text parts[2] = { 0 };
    int count = 0;
    if (jsonread_peek(r) == JSON_ARRAY) {
        for (jsonread_array(r); jsonread_item(r); count++) {
            struct json_text text = jsonread_string(r, reading->arena);
            parts[count < 2 ? count : 1] = text;
        }
    } else {
        struct json_text text = jsonread_string(r, reading->arena);
        const char *space = memchr(text.bytes, ' ', text.length);
        if (space && !memchr(space + 1, ' ', (size_t)(text.bytes + text.length - space - 1))) {
            parts[0] = (struct json_text){ text.bytes, (size_t)(space - text.bytes) };
            parts[1] = (struct json_text){ space + 1, text.length - parts[0].length - 1 };
            count = 2;
        }
    }
    if (count != 2) {
        jsonread_fail(r, "a merge is not two tokens");
    }
    for (int i = 0; i < 2 && !jsonread_failed(r, NULL); i++) {
        int32_t id = vocab_find(vocab, parts[i].bytes, parts[i].length);
        if (id < 0) {
            char shown[60];
            jsonread_fail(r, "a merge names %s, which is not in vocab",
                          err_quote(shown, sizeof shown, parts[i].bytes, parts[i].length));
            return false;
        }
        sides[i] = &vocab->words[id];
    }
    return !jsonread_failed(r, NULL);
}

static int read_merges(struct reading *reading, struct bpe *bpe, struct err *err) {
    struct jsonread *r = &reading->merges, count = *r;
    int64_t most = 0;
    if (!reading->has_merges) {
        bpe_reserve(reading->arena, bpe, 0);
        return 0;
    }
    for (jsonread_array(&count); jsonread_item(&count); most++) {
        jsonread_skip(&count);
    }
    bpe_reserve(reading->arena, bpe, most);
    char *spelled = arena_raw(reading->arena, (size_t)bpe->vocab->longest + 8);
    const struct vocab_word *sides[2];
    int32_t rank = 0;
    for (jsonread_array(r); jsonread_item(r); rank++) {
        if (read_merge(reading, bpe->vocab, sides) &&
            bpe_add(bpe, sides[0], sides[1], rank, spelled, reading->file, err) < 0) {
            return err_pass(err);
        }
    }
    return jsonread_failed(r, err) ? -1 : 0;
}

/* ---- models ---- */

/* Old files leave the type out; then the members tell it. */
static const char *model_type(const struct reading *reading) {
    return reading->type         ? reading->type
           : reading->scores     ? "Unigram"
           : reading->has_merges ? "BPE"
           : reading->has_prefix ? "WordPiece"
                                 : "";
}

/* The id of the unknown token, -1 if it is not in the vocabulary. */
static int32_t find_unknown(const struct reading *reading, const struct tokenizer *tokenizer,
                            const char *otherwise) {
    const char *unknown = reading->unknown ? reading->unknown : otherwise;
    return vocab_find(tokenizer->vocab, unknown, strlen(unknown));
}

static int make_wordpiece(struct reading *reading, struct tokenizer *tokenizer,
                          struct err *err) {
    (void)err;
    split_spell(tokenizer->splitter);
    tokenizer->model = PIPELINE_WORDPIECE;
    tokenizer->wordpiece = (struct wordpiece){
        .vocab = tokenizer->vocab,
        .prefix = reading->prefix ? reading->prefix : "##",
        .most = reading->most,
        .unknown = find_unknown(reading, tokenizer, "[UNK]"),
    };
    return 0;
}

static int make_wordlevel(struct reading *reading, struct tokenizer *tokenizer,
                          struct err *err) {
    (void)err;
    split_spell(tokenizer->splitter);
    tokenizer->model = PIPELINE_WORDLEVEL;
    tokenizer->unknown = find_unknown(reading, tokenizer, "<unk>");
    return 0;
}

static int make_bpe(struct reading *reading, struct tokenizer *tokenizer, struct err *err) {
    struct bpe *bpe = &tokenizer->bpe;
    tokenizer->model = PIPELINE_BPE;
    *bpe = (struct bpe){
        .vocab = tokenizer->vocab,
        .byte_fallback = reading->fallback,
        .fuse_unknown = reading->fuse,
        .ignore_merges = reading->ignore_merges,
        .prefix = reading->prefix ? reading->prefix : "",
        .suffix = reading->suffix ? reading->suffix : "",
        .unknown = BPE_DROP,
    };
    if (reading->unknown) {
        int32_t id = vocab_find(bpe->vocab, reading->unknown, strlen(reading->unknown));
        bpe->unknown = id < 0 ? BPE_LACKS : id;
    }
    pipeline_bytes(tokenizer);
    tokenizer->parts = bpe_parts_at_marks(bpe);
    return read_merges(reading, bpe, err);
}

static int make_unigram(struct reading *reading, struct tokenizer *tokenizer, struct err *err) {
    struct unigram *unigram = &tokenizer->unigram;
    split_spell(tokenizer->splitter);
    tokenizer->model = PIPELINE_UNIGRAM;
    if (reading->unknown_id >= tokenizer->vocab->size) {
        return err_set(err, ERR_FORMAT, "%s: model.unk_id is %lld; there are %lld tokens",
                       reading->file, (long long)reading->unknown_id,
                       (long long)tokenizer->vocab->size);
    }
    *unigram = (struct unigram){
        .vocab = tokenizer->vocab,
        .scores = (void *)reading->scores->data,
        .unknown = (int32_t)reading->unknown_id,
        .byte_fallback = reading->fallback,
    };
    unigram_build(reading->arena, unigram, NULL);
    return 0;
}

static int make_model(struct reading *reading, struct tokenizer *tokenizer, struct err *err) {
    static const struct {
        const char *type;
        int (*make)(struct reading *reading, struct tokenizer *tokenizer, struct err *err);
    } models[] = {
        { "WordPiece", make_wordpiece },
        { "BPE", make_bpe },
        { "WordLevel", make_wordlevel },
        { "Unigram", make_unigram },
    };
    const char *type = model_type(reading);
    size_t i = 0, n = sizeof models / sizeof *models;
    while (i < n && strcmp(type, models[i].type) != 0) {
        i++;
    }
    if (i == n) {
        char shown[60];
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: the model type %s is not known; known are WordPiece, BPE, WordLevel and "
            "Unigram",
            reading->file, err_quote(shown, sizeof shown, type, strlen(type)));
    }
    if (!reading->words || reading->words->length == 0) {
        return err_set(err, ERR_FORMAT, "%s: model.vocab is missing or empty", reading->file);
    }
    const struct vocab_word *words = (void *)reading->words->data;
    int64_t count = (int64_t)(reading->words->length / sizeof *words);
    if ((models[i].make == make_unigram) != (reading->scores != NULL)) {
        return err_set(err, ERR_FORMAT, "%s: model.vocab is not what the type %s has",
                       reading->file, type);
    }
    tokenizer->vocab =
        vocab_new(reading->arena, words, count, reading->scores ? VOCAB_LAST : VOCAB_STRICT,
                  reading->file, err);
    return tokenizer->vocab ? models[i].make(reading, tokenizer, err) : err_pass(err);
}

/* ---- added tokens ---- */

static int read_added(const struct json *one, struct added_token *token, const char *file,
                      struct err *err) {
    const struct json *content = json_at(one, "content");
    int64_t id = json_int_at(one, "id", -1);
    if (!content || content->kind != JSON_STRING || id < 0 || id >= VOCAB_IDS) {
        return err_set(err, ERR_FORMAT,
                       "%s: added_tokens: each needs a content and an id from 0 to %d", file,
                       VOCAB_IDS - 1);
    }
    bool special = json_bool_at(one, "special", false);
    *token = (struct added_token){
        .bytes = content->text.bytes,
        .length = content->text.length,
        .id = (int32_t)id,
        .special = special,
        .single_word = json_bool_at(one, "single_word", false),
        .lstrip = json_bool_at(one, "lstrip", false),
        .rstrip = json_bool_at(one, "rstrip", false),
        .normalized = json_bool_at(one, "normalized", !special),
    };
    return 0;
}

static int finish(struct reading *reading, struct tokenizer *tokenizer, struct err *err) {
    const struct json *list = reading->added;
    int64_t count = 0;
    if (list && list->kind != JSON_ARRAY && list->kind != JSON_NULL) {
        return err_set(err, ERR_FORMAT, "%s: added_tokens is not a list", reading->file);
    }
    struct added_token *added =
        arena_array(reading->arena, list ? list->count : 0, sizeof *added);
    for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
        if (read_added(one, &added[count], reading->file, err) < 0) {
            return err_pass(err);
        }
        count += added[count].length > 0; /* an empty one can be nowhere */
    }
    return pipeline_finish(reading->arena, tokenizer, added, count, reading->file, err);
}

static int make(struct reading *reading, struct tokenizer *tokenizer, struct err *err) {
    struct arena *arena = reading->arena;
    struct err seen = { 0 };
    if (!reading->has_model) {
        return err_set(err, ERR_FORMAT, "%s: model is missing", reading->file);
    }
    tokenizer->normalizer = normalize_read(arena, reading->normalizer, reading->file, &seen);
    if (!seen.kind) {
        tokenizer->splitter = split_read(arena, reading->pre_tokenizer, reading->file, &seen);
    }
    if (!seen.kind) {
        tokenizer->decoder = decode_read(arena, reading->decoder, reading->file, &seen);
    }
    if (!seen.kind) {
        tokenizer->post = post_read(arena, reading->post_processor, reading->file, &seen);
    }
    if (seen.kind) {
        if (err) {
            *err = seen;
        }
        return err_pass(err);
    }
    if (make_model(reading, tokenizer, err) < 0) {
        return err_pass(err);
    }
    return finish(reading, tokenizer, err);
}

struct tokenizer *tokenizer_read(struct arena *arena, const void *bytes, size_t length,
                                 const char *file, struct err *err) {
    struct reading *reading = arena_alloc(arena, sizeof *reading);
    struct tokenizer *tokenizer = arena_alloc(arena, sizeof *tokenizer);
    reading->arena = arena;
    reading->file = file;
    reading->most = 100;
    reading->unknown_id = -1;
    if (length > MOST_BYTES) {
        err_set(err, ERR_FORMAT, "%s has %zu bytes; a tokenizer has at most %d", file, length,
                MOST_BYTES);
        return NULL;
    }
    jsonread_init(&reading->r, bytes, length, file);
    if (read_sections(reading, err) < 0 || make(reading, tokenizer, err) < 0) {
        err_pass(err);
        return NULL;
    }
    return tokenizer;
}
