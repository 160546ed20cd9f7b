#include "core/text/wordpiece.h"

#include "tests/check.h"

/* A vocabulary of the spellings, ids in their order. */
static struct vocab *vocab_of(struct arena *arena, const char *const *spellings, int64_t n) {
    struct vocab_word *words = arena_array(arena, n, sizeof *words);
    struct err err;
    for (int64_t i = 0; i < n; i++) {
        words[i] =
            (struct vocab_word){ spellings[i], (uint32_t)strlen(spellings[i]), (int32_t)i };
    }
    return vocab_new(arena, words, n, VOCAB_STRICT, "test", &err);
}

/* "id:begin-end" of each piece. */
static const char *split(const char *word, int64_t most) {
    static const char *const spellings[] = { "?",   "un",  "##aff", "##able",
                                             "una", "##f", "é",     "##é" };
    struct arena *arena = check_arena();
    struct wordpiece model = { vocab_of(arena, spellings, 8), "##", 0, most };
    struct symbols out = { .arena = arena, .buf = buf_new(arena) };
    struct buf *text = buf_new(arena);
    out.spelled = arena_raw(arena, (size_t)model.vocab->longest + 8);
    wordpiece_split(&model, &out, word, (int64_t)strlen(word));
    for (int64_t i = 0; i < out.count; i++) {
        const struct symbol *symbol = &symbols_all(&out)[i];
        buf_printf(text, "%s%d:%u-%u", i ? " " : "", symbol->id, symbol->begin, symbol->end);
    }
    return text->data;
}

TEST(wordpiece_takes_the_longest_piece_first) {
    check_same(split("unaffable", 100), "4:0-3 5:3-4 5:4-5 3:5-9"); /* not un ##aff ##able */
    check_same(split("unable", 100),
               "0:0-6"); /* "una" is longer than "un", and "##ble" is none */
    check_same(split("unaff", 100), "4:0-3 5:3-4 5:4-5");
    check_same(split("éé", 100), "6:0-2 7:2-4");
}

TEST(wordpiece_counts_characters_not_bytes) {
    check_same(split("ééé", 3), "6:0-2 7:2-4 7:4-6");
    check_same(split("éééé", 3), "0:0-8");
}

TEST(wordpiece_of_a_long_word_is_linear) {
    struct arena *arena = check_arena();
    char *word = arena_raw(arena, 1000001);
    memset(word, 'f', 1000000);
    memcpy(word, "una", 3);
    word[1000000] = '\0';
    check_same(split(word, 100), "0:0-1000000");
    static const char *const spellings[] = { "?", "una", "##f" };
    struct wordpiece model = { vocab_of(arena, spellings, 3), "##", 0, INT64_MAX };
    struct symbols out = { .arena = arena, .buf = buf_new(arena) };
    out.spelled = arena_raw(arena, (size_t)model.vocab->longest + 8);
    wordpiece_split(&model, &out, word, 1000000);
    check_int(out.count, 1 + 1000000 - 3);
}
