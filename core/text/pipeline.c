#include "core/text/pipeline.h"

#include <string.h>

/* A token that the vocabulary has keeps its id; the ids of the others are theirs alone. */
static int place(const struct tokenizer *tokenizer, struct added_token *token, const char *file,
                 struct err *err) {
    int32_t known = vocab_find(tokenizer->vocab, token->bytes, token->length);
    if (known >= 0) {
        token->id = known;
        return 0;
    }
    if (token->id < tokenizer->vocab->size && tokenizer->vocab->words[token->id].bytes) {
        char shown[60], other[60];
        const struct vocab_word *word = &tokenizer->vocab->words[token->id];
        return err_set(err, ERR_FORMAT,
                       "%s: the added token %s has the id %d, which is %s in vocab", file,
                       err_quote(shown, sizeof shown, token->bytes, token->length), token->id,
                       err_quote(other, sizeof other, word->bytes, word->length));
    }
    return 0;
}

static int add_all(struct arena *arena, struct tokenizer *tokenizer, struct added_token *added,
                   int64_t count, const char *file, struct err *err) {
    struct vocab_word *words = arena_array(arena, count, sizeof *words);
    int64_t size = tokenizer->vocab->size;
    for (int64_t i = 0; i < count; i++) {
        if (added[i].id < 0 || added[i].id >= VOCAB_IDS ||
            added[i].id > tokenizer->vocab->size + 2 * count + 4096) {
            char shown[60];
            return err_set(err, ERR_FORMAT,
                           "%s: the added token %s has the id %d, the vocab has %lld", file,
                           err_quote(shown, sizeof shown, added[i].bytes, added[i].length),
                           added[i].id, (long long)tokenizer->vocab->size);
        }
        if (place(tokenizer, &added[i], file, err) < 0) {
            return err_pass(err);
        }
        size = added[i].id >= size ? added[i].id + 1 : size;
        words[i] =
            (struct vocab_word){ added[i].bytes, (uint32_t)added[i].length, added[i].id };
    }
    tokenizer->size = size;
    /* Thinly spread ids are as they should be here: most added tokens lie behind the
     * vocabulary. */
    tokenizer->added_vocab = vocab_new(arena, words, count, VOCAB_THIN, file, err);
    return tokenizer->added_vocab ? 0 : err_pass(err);
}

/* The ids that the post-processor puts in must be there. */
static int check_post(const struct tokenizer *tokenizer, const char *file, struct err *err) {
    const struct post_template *both[] = { &tokenizer->post->single, &tokenizer->post->pair };
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < both[k]->count; i++) {
            int32_t id = both[k]->items[i].id;
            if (id >= tokenizer->size || (id >= 0 && !tokenizer->words[id].bytes)) {
                return err_set(err, ERR_FORMAT,
                               "%s: the post-processor adds token %d, which does not exist",
                               file, id);
            }
        }
    }
    return 0;
}

/* Added tokens that were normalised are decoded as they were looked for, and are then special
 * only if there is a special token of that spelling. So the tokenizers library has it. */
static void spell_decoded(struct arena *arena, struct tokenizer *tokenizer) {
    const struct added *added = tokenizer->added;
    tokenizer->decoded = arena_array(arena, tokenizer->size, sizeof *tokenizer->decoded);
    memcpy(tokenizer->decoded, tokenizer->words,
           (size_t)tokenizer->size * sizeof *tokenizer->decoded);
    bool *special = arena_array(arena, tokenizer->size, sizeof *special);
    for (int64_t i = 0; i < added->count; i++) {
        special[added->tokens[i].id] = added->tokens[i].special;
    }
    for (int64_t i = 0; i < added->count; i++) {
        const struct run *run = &added->spelled[i];
        struct vocab_word *word = &tokenizer->decoded[added->tokens[i].id];
        bool same =
            run->length == word->length && memcmp(run->text, word->bytes, word->length) == 0;
        if (!same) {
            *word = (struct vocab_word){ arena_text(arena, run->text, (size_t)run->length),
                                         (uint32_t)run->length, word->id };
        }
        int32_t spelled = vocab_find(tokenizer->added_vocab, word->bytes, word->length);
        tokenizer->special[added->tokens[i].id] = spelled >= 0 && special[spelled];
    }
}

int pipeline_finish(struct arena *arena, struct tokenizer *tokenizer, struct added_token *added,
                    int64_t count, const char *file, struct err *err) {
    if (add_all(arena, tokenizer, added, count, file, err) < 0) {
        return err_pass(err);
    }
    tokenizer->words = arena_array(arena, tokenizer->size, sizeof *tokenizer->words);
    tokenizer->special = arena_array(arena, tokenizer->size, sizeof *tokenizer->special);
    for (int64_t i = 0; i < tokenizer->size; i++) {
        tokenizer->words[i].id = -1;
    }
    memcpy(tokenizer->words, tokenizer->vocab->words,
           (size_t)tokenizer->vocab->size * sizeof *tokenizer->words);
    for (int64_t i = 0; i < count; i++) {
        tokenizer->words[added[i].id] = tokenizer->added_vocab->words[added[i].id];
    }
    tokenizer->added = added_new(arena, added, count, tokenizer->normalizer);
    spell_decoded(arena, tokenizer);
    return check_post(tokenizer, file, err);
}

bool pipeline_is_added(const struct tokenizer *tokenizer, int32_t id) {
    const struct vocab *added = tokenizer->added_vocab;
    return id >= 0 && id < added->size && added->words[id].bytes;
}

void pipeline_bytes(struct tokenizer *tokenizer) {
    struct bpe *bpe = &tokenizer->bpe;
    bpe->byte_level =
        split_is_byte_level(tokenizer->splitter) && !split_spells(tokenizer->splitter);
    bpe_bytes(bpe);
    bool all = !*bpe->prefix && !*bpe->suffix;
    for (int byte = 0; byte < 256; byte++) {
        all = all && bpe->bytes[byte] >= 0;
    }
    if (bpe->byte_level && !all) {
        split_spell(tokenizer->splitter);
        bpe->byte_level = false;
        bpe_bytes(bpe);
    }
}
