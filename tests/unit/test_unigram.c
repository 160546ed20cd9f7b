#include "core/text/unigram.h"

#include "core/text/charsmap.h"
#include "tests/check.h"

static const char *const spellings[] = { "<unk>", "a",   "b",    "c",     "ab",
                                         "bc",    "abc", "aaaa", "<0x78>" };
static const double scores[] = { 0, -1, -2, -3, -2.5, -4, -6, -1.5, -9 };
enum { COUNT = 9 };

static struct unigram unigram_of(struct arena *arena, bool fallback) {
    struct vocab_word words[COUNT];
    struct err err;
    struct unigram unigram = { .scores = scores, .byte_fallback = fallback };
    for (int32_t i = 0; i < COUNT; i++) {
        words[i] = (struct vocab_word){ spellings[i], (uint32_t)strlen(spellings[i]), i };
    }
    unigram.vocab = vocab_new(arena, words, COUNT, VOCAB_LAST, "test", &err);
    unigram_build(arena, &unigram, NULL);
    return unigram;
}

static const char *shown(const struct unigram *unigram, const char *piece) {
    struct arena *arena = check_arena();
    struct symbols out = { .arena = arena, .buf = buf_new(arena) };
    struct buf *text = buf_new(arena);
    if (!unigram_split(unigram, &out, piece, (int64_t)strlen(piece))) {
        return "(unknown)";
    }
    for (int64_t i = 0; i < out.count; i++) {
        const struct symbol *symbol = &symbols_all(&out)[i];
        buf_printf(text, "%s%s:%u-%u", i ? " " : "", spellings[symbol->id], symbol->begin,
                   symbol->end);
    }
    return text->data;
}

/* By hand: "abc" is ab c with -5.5, a bc with -5, abc with -6. */
TEST(unigram_takes_the_best_sum) {
    struct unigram unigram = unigram_of(check_arena(), false);
    check_same(shown(&unigram, "abc"), "a:0-1 bc:1-3");
    check_same(shown(&unigram, "ab"), "ab:0-2");
    check_same(shown(&unigram, "aaaaa"), "a:0-1 aaaa:1-5");
    check_same(shown(&unigram, ""), "");
}

TEST(unigram_of_unknown_characters) {
    struct unigram unigram = unigram_of(check_arena(), false);
    check_same(shown(&unigram, "axyb"), "a:0-1 <unk>:1-3 b:3-4"); /* they are one */
    check_same(shown(&unigram, "\u00e9"), "<unk>:0-2");
    unigram.unknown = -1;
    check_same(shown(&unigram, "ab"), "ab:0-2");
    check_same(shown(&unigram, "x"), "(unknown)");
    unigram = unigram_of(check_arena(), true);
    check_same(shown(&unigram, "axxb"), "a:0-1 <0x78>:1-3 <0x78>:1-3 b:3-4");
    check_same(shown(&unigram, "xy"), "<unk>:0-2"); /* y has no byte */
}

TEST(unigram_of_a_long_run) {
    struct arena *arena = check_arena();
    struct unigram unigram = unigram_of(arena, false);
    enum { N = 1000000 };
    char *piece = arena_raw(arena, N);
    memset(piece, 'a', N);
    struct symbols out = { .arena = arena, .buf = buf_new(arena) };
    check(unigram_split(&unigram, &out, piece, N));
    check_int(out.count, N / 4);
    memset(piece, 'x', N);
    out.count = 0;
    check(unigram_split(&unigram, &out, piece, N));
    check_int(out.count, 1);
}

/* A trie of one rule, "A" -> "bc", by hand: the root's children begin at unit 64, A is unit
 * 64 ^ 65 = 1, has a value, and its own children at 1 ^ 2 = 3, where the value 0 stands. */
static const unsigned char one_rule[] = {
    16,  0,   0, 0,                /* bytes of the trie */
    0,   0,   1, 0,                /* 0: offset 64 << 10 */
    65,  9,   0, 0,                /* 1: label A, a value, offset 2 << 10 */
    0,   0,   0, 0, 0, 0, 0, 0x80, /* 2; 3: value 0 */
    'b', 'c', 0,
};

TEST(charsmap_replaces_and_stays_within) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const void *bytes = check_guarded(arena, one_rule, sizeof one_rule);
    struct charsmap *map = charsmap_of(arena, bytes, sizeof one_rule, "x", &err);
    int64_t length = 0;
    const char *to = map ? charsmap_at(map, "A", 1, &length) : NULL;
    check(to && length == 2 && memcmp(to, "bc", 2) == 0);
    check(map && !charsmap_at(map, "B", 1, &length));
    check(map && !charsmap_at(map, "\xff", 1, &length)); /* beyond the trie */
    check_int(map ? charsmap_longest(map) : 0, 2);
}

TEST(charsmap_refuses) {
    struct arena *arena = check_arena();
    static const struct {
        const char *base64, *says;
    } cases[] = {
        { "", "0 bytes" },
        { "AAAA", "3 bytes" },
        { "*AAA", "not base64" },
        { "/////wAAAAA=", "do not hold a trie of 4294967295" },
        { "BAAAAAAAAAD/", "not UTF-8" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = { 0 };
        check(!charsmap_read(arena, cases[i].base64, strlen(cases[i].base64), "x", &err));
        check_int(err.kind, ERR_FORMAT);
        check_text(err.text, cases[i].says);
    }
}
