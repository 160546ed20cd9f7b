#include <string.h>

#include "core/text/pipeline.h"
#include "core/text/tokenizer.h"

/* tokenizer_make: the tokenizer that a GGUF file describes by arrays. */

enum { NORMAL = 1, UNKNOWN, CONTROL, USER, UNUSED, BYTE }; /* token types of GGUF */

static const struct vocab_word *word_at(const struct vocab *vocab, const char *bytes,
                                        size_t n) {
    int32_t id = vocab_find(vocab, bytes, n);
    return id < 0 ? NULL : &vocab->words[id];
}

static int read_merges(struct arena *arena, struct bpe *bpe,
                       const struct tokenizer_parts *parts, const char *file, struct err *err) {
    char *spelled = arena_raw(arena, (size_t)bpe->vocab->longest + 8);
    bpe_reserve(arena, bpe, parts->merge_count);
    for (int64_t i = 0; i < parts->merge_count; i++) {
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
                           file, (long long)i, err_quote(shown, sizeof shown, bytes, length));
        }
        if (bpe_add(bpe, left, right, (int32_t)i, spelled, file, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static int check_counts(const struct tokenizer_parts *parts, const char *file,
                        struct err *err) {
    char shown[60];
    if (strcmp(parts->model, "gpt2") != 0) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: tokenizer.ggml.model %s is not known; known is gpt2 (byte-level BPE)", file,
            err_quote(shown, sizeof shown, parts->model, strlen(parts->model)));
    }
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
    return 0;
}

static struct vocab *make_vocab(struct arena *arena, const struct tokenizer_parts *parts,
                                const char *file, struct err *err) {
    struct vocab_word *words = arena_array(arena, parts->count, sizeof *words);
    for (int64_t i = 0; i < parts->count; i++) {
        if (parts->pieces[i].length > UINT16_MAX) {
            err_set(err, ERR_FORMAT, "%s: token %lld has %zu bytes; at most %d are read", file,
                    (long long)i, parts->pieces[i].length, UINT16_MAX);
            return NULL;
        }
        words[i] = (struct vocab_word){ parts->pieces[i].bytes,
                                        (uint32_t)parts->pieces[i].length, (int32_t)i };
    }
    return vocab_new(arena, words, parts->count, VOCAB_LENIENT, file, err);
}

/* Control and user tokens are looked for in the text as they are. */
static struct added_token *make_added(struct arena *arena, const struct vocab *vocab,
                                      const struct tokenizer_parts *parts, int64_t *count) {
    int64_t most = 0;
    for (int64_t i = 0; parts->types && i < parts->count; i++) {
        most += parts->types[i] == CONTROL || parts->types[i] == USER;
    }
    struct added_token *added = arena_array(arena, most, sizeof *added);
    *count = 0;
    for (int64_t i = 0; most && i < parts->count; i++) {
        const struct vocab_word *word = &vocab->words[i];
        int32_t type = parts->types[i];
        if ((type == CONTROL || type == USER) && word->length > 0) {
            added[(*count)++] = (struct added_token){
                .bytes = word->bytes,
                .length = word->length,
                .id = (int32_t)i,
                .special = type == CONTROL,
            };
        }
    }
    return added;
}

struct tokenizer *tokenizer_make(struct arena *arena, const struct tokenizer_parts *parts,
                                 const char *file, struct err *err) {
    struct tokenizer *tokenizer = arena_alloc(arena, sizeof *tokenizer);
    if (check_counts(parts, file, err) < 0) {
        return NULL;
    }
    tokenizer->model = PIPELINE_BPE;
    tokenizer->splitter = split_named(arena, parts->pre, file, err);
    tokenizer->vocab = tokenizer->splitter ? make_vocab(arena, parts, file, err) : NULL;
    if (!tokenizer->vocab) {
        return NULL;
    }
    struct bpe *bpe = &tokenizer->bpe;
    *bpe = (struct bpe){
        .vocab = tokenizer->vocab, .prefix = "", .suffix = "", .unknown = BPE_DROP
    };
    pipeline_bytes(tokenizer);
    int32_t begin = parts->add_bos ? parts->bos : -1, end = parts->add_eos ? parts->eos : -1;
    if (begin >= parts->count || end >= parts->count) {
        err_set(err, ERR_FORMAT,
                "%s: the id of the first or last token is %d; there are %lld tokens", file,
                begin > end ? begin : end, (long long)parts->count);
        return NULL;
    }
    tokenizer->post = post_around(arena, begin, end, true);
    tokenizer->decoder = decode_bytes(arena);
    int64_t count;
    struct added_token *added = make_added(arena, tokenizer->vocab, parts, &count);
    if (read_merges(arena, bpe, parts, file, err) < 0 ||
        pipeline_finish(arena, tokenizer, added, count, file, err) < 0) {
        err_pass(err);
        return NULL;
    }
    return tokenizer;
}
