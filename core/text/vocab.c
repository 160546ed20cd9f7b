#include "core/text/vocab.h"

static int check_ids(const struct vocab_word *words, int64_t count, enum vocab_rule rule,
                     int64_t *size, const char *file, struct err *err) {
    *size = 0;
    for (int64_t i = 0; i < count; i++) {
        if (words[i].id < 0 || words[i].id >= VOCAB_IDS) {
            char shown[80];
            err_quote(shown, sizeof shown, words[i].bytes, words[i].length);
            return err_set(err, ERR_FORMAT,
                           "%s: the token %s has the id %d; ids go from 0 to %d", file, shown,
                           words[i].id, VOCAB_IDS - 1);
        }
        *size = words[i].id >= *size ? words[i].id + 1 : *size;
    }
    if (rule != VOCAB_THIN && *size > 2 * count + 4096) {
        return err_set(err, ERR_FORMAT, "%s: ids go up to %lld but there are only %lld tokens",
                       file, (long long)*size - 1, (long long)count);
    }
    return 0;
}

/* The slot that holds the spelling, or the empty one where it belongs. */
static struct vocab_slot *slot_of(const struct vocab *vocab, const char *bytes, size_t length,
                                  uint32_t hash) {
    for (uint32_t i = hash & vocab->mask;; i = (i + 1) & vocab->mask) {
        struct vocab_slot *slot = &vocab->slots[i];
        if (slot->id < 0) {
            return slot;
        }
        const struct vocab_word *word = &vocab->words[slot->id];
        if (slot->hash == hash && word->length == length &&
            memcmp(word->bytes, bytes, length) == 0) {
            return slot;
        }
    }
}

int32_t vocab_find(const struct vocab *vocab, const char *bytes, size_t length) {
    if (length > vocab->longest) {
        return -1;
    }
    return slot_of(vocab, bytes, length, vocab_hash(bytes, length))->id;
}

static int add(struct vocab *vocab, const struct vocab_word *word, char *copy,
               enum vocab_rule rule, const char *file, struct err *err) {
    struct vocab_word *place = &vocab->words[word->id];
    uint32_t hash = vocab_hash(word->bytes, word->length);
    struct vocab_slot *slot = slot_of(vocab, word->bytes, word->length, hash);
    if (rule != VOCAB_LENIENT && rule != VOCAB_LAST && (slot->id >= 0 || place->bytes)) {
        char shown[80];
        err_quote(shown, sizeof shown, word->bytes, word->length);
        return slot->id >= 0
                   ? err_set(err, ERR_FORMAT, "%s: the token %s stands twice, as %d and as %d",
                             file, shown, slot->id, word->id)
                   : err_set(err, ERR_FORMAT,
                             "%s: the id %d stands twice, the second time for %s", file,
                             word->id, shown);
    }
    memcpy(copy, word->bytes, word->length);
    copy[word->length] = '\0';
    *place = (struct vocab_word){ copy, word->length, word->id };
    if (slot->id < 0 || rule == VOCAB_LAST) {
        *slot = (struct vocab_slot){ hash, word->id };
    }
    return 0;
}

struct vocab *vocab_new(struct arena *arena, const struct vocab_word *words, int64_t count,
                        enum vocab_rule rule, const char *file, struct err *err) {
    struct vocab *vocab = arena_alloc(arena, sizeof *vocab);
    if (check_ids(words, count, rule, &vocab->size, file, err) < 0) {
        return NULL;
    }
    uint32_t room = 64;
    while (room < 2 * (uint64_t)count) {
        room *= 2;
    }
    vocab->mask = room - 1;
    vocab->slots = arena_raw(arena, room * sizeof *vocab->slots);
    memset(vocab->slots, 0xff, room * sizeof *vocab->slots);
    vocab->words = arena_array(arena, vocab->size, sizeof *vocab->words);
    size_t bytes = 1;
    for (int64_t i = 0; i < count; i++) {
        bytes += words[i].length + 1;
        vocab->longest = words[i].length > vocab->longest ? words[i].length : vocab->longest;
    }
    char *copy = arena_raw(arena, bytes);
    for (int64_t i = 0; i < count; i++) {
        if (add(vocab, &words[i], copy, rule, file, err) < 0) {
            return NULL;
        }
        copy += words[i].length + 1;
    }
    for (int64_t i = 0; i < vocab->size; i++) {
        if (!vocab->words[i].bytes) {
            vocab->words[i].id = -1;
        }
    }
    return vocab;
}
