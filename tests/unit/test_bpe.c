#include "core/text/bpe.h"

#include "core/base/catch.h"
#include "tests/check.h"

/* ---- by hand: a vocabulary of letters and what merges make of them ---- */

static const char *const spellings[] = { "?",  "a",   "b",  "c",    "ab",
                                         "bc", "abc", "aa", "aaaa", "é" };
static const char *const merges[][2] = {
    { "b", "c" }, { "a", "b" }, { "a", "bc" }, { "a", "a" }, { "aa", "aa" }
};

static struct bpe bpe_of(struct arena *arena) {
    struct vocab_word words[10];
    struct err err;
    char spelled[32];
    struct bpe bpe = { .prefix = "", .suffix = "", .unknown = -1 };
    for (int32_t i = 0; i < 10; i++) {
        words[i] = (struct vocab_word){ spellings[i], (uint32_t)strlen(spellings[i]), i };
    }
    bpe.vocab = vocab_new(arena, words, 10, VOCAB_STRICT, "test", &err);
    bpe_reserve(arena, &bpe, 5);
    bpe_bytes(&bpe);
    for (int32_t i = 0; i < 5; i++) {
        const struct vocab_word *sides[2];
        for (int k = 0; k < 2; k++) {
            sides[k] =
                &bpe.vocab->words[vocab_find(bpe.vocab, merges[i][k], strlen(merges[i][k]))];
        }
        check_int(bpe_add(&bpe, sides[0], sides[1], i, spelled, "test", &err), 0);
    }
    return bpe;
}

static struct symbols split(struct arena *arena, const struct bpe *bpe, const char *piece) {
    struct symbols out = { .arena = arena, .buf = buf_new(arena) };
    out.spelled = arena_raw(arena, (size_t)bpe->vocab->longest + 8);
    bpe_split(bpe, &out, piece, (int64_t)strlen(piece));
    return out;
}

static const char *shown(struct arena *arena, const struct bpe *bpe, const char *piece) {
    struct symbols out = split(arena, bpe, piece);
    struct buf *text = buf_new(arena);
    for (int64_t i = 0; i < out.count; i++) {
        const struct symbol *symbol = &symbols_all(&out)[i];
        buf_printf(text, "%s%s:%u-%u", i ? " " : "", bpe->vocab->words[symbol->id].bytes,
                   symbol->begin, symbol->end);
    }
    return text->data;
}

TEST(bpe_joins_by_rank_leftmost_first) {
    struct arena *arena = check_arena();
    struct bpe bpe = bpe_of(arena);
    check_same(shown(arena, &bpe, "abc"), "abc:0-3"); /* bc first, then a bc */
    check_same(shown(arena, &bpe, "aaa"), "aa:0-2 a:2-3");
    check_same(shown(arena, &bpe, "aabb"), "a:0-1 ab:1-3 b:3-4");
    check_same(shown(arena, &bpe, "a"), "a:0-1");
    check_same(shown(arena, &bpe, ""), "");
}

TEST(bpe_of_unknown_characters) {
    struct arena *arena = check_arena();
    struct bpe bpe = bpe_of(arena);
    check_same(shown(arena, &bpe, "axyb"),
               "ab:0-2"); /* left out, and what follows is shifted */
    bpe.unknown = 0;
    check_same(shown(arena, &bpe, "axyb"), "a:0-1 ?:1-2 ?:2-3 b:3-4");
    bpe.fuse_unknown = true;
    check_same(shown(arena, &bpe, "axyéb"), "a:0-1 ?:1-3 é:3-5 b:5-6");
}

TEST(bpe_takes_whole_pieces_if_merges_are_ignored) {
    struct arena *arena = check_arena();
    struct bpe bpe = bpe_of(arena);
    check_same(shown(arena, &bpe, "aaaa"), "aaaa:0-4");
    bpe.mask = 63;
    memset(bpe.pairs, 0xff, 64 * sizeof *bpe.pairs);
    check_same(shown(arena, &bpe, "aaaa"), "a:0-1 a:1-2 a:2-3 a:3-4");
    bpe.ignore_merges = true;
    check_same(shown(arena, &bpe, "aaaa"), "aaaa:0-4");
}

/* The scan of short pieces and the heap of long ones must agree: a long piece whose parts
 * cannot be joined across "é" is what its parts are. */
TEST(bpe_long_pieces_are_as_short_ones) {
    struct arena *arena = check_arena();
    struct bpe bpe = bpe_of(arena);
    uint32_t seed = 1;
    for (int round = 0; round < 200; round++) {
        struct buf *all = buf_new(arena), *wanted = buf_new(arena), *seen = buf_new(arena);
        for (int part = 0; part < 8; part++) {
            char letters[16] = "";
            for (int i = 0; i < 12; i++) {
                seed = seed * 1664525 + 1013904223;
                letters[i] = "abc"[(seed >> 24) % 3];
            }
            struct symbols one = split(arena, &bpe, letters);
            for (int64_t i = 0; i < one.count; i++) {
                buf_printf(wanted, "%s ", bpe.vocab->words[symbols_all(&one)[i].id].bytes);
            }
            buf_text(wanted, "é ");
            buf_printf(all, "%sé", letters);
        }
        struct symbols whole = split(arena, &bpe, all->data);
        for (int64_t i = 0; i < whole.count; i++) {
            buf_printf(seen, "%s ", bpe.vocab->words[symbols_all(&whole)[i].id].bytes);
        }
        check_same(seen->data, wanted->data);
    }
}

TEST(bpe_of_a_long_run) {
    struct arena *arena = check_arena();
    struct bpe bpe = bpe_of(arena);
    char *piece = arena_raw(arena, 400001);
    memset(piece, 'a', 400000);
    piece[400000] = '\0';
    struct symbols out = split(arena, &bpe, piece);
    check_int(out.count, 100000);
    check_int(symbols_all(&out)[99999].begin, 399996);
    check_int(symbols_all(&out)[99999].end, 400000);

    struct catch here;
    stop_request();
    if (setjmp(catch_set(&here)->place) == 0) {
        split(arena, &bpe, piece);
        check(!"an interrupt went unseen");
    }
    catch_end(&here);
    stop_clear();
    check_int(here.err.kind, ERR_STOP);
}

TEST(bpe_byte_alphabet_goes_both_ways) {
    bool seen[512] = { false };
    for (int byte = 0; byte < 256; byte++) {
        uint32_t letter = bpe_letter((unsigned char)byte);
        check(letter > 32 && letter < 512 && !seen[letter]);
        seen[letter] = true;
        check_int(bpe_byte(letter), byte);
    }
    check_int(bpe_letter(' '), 0x120); /* as the published vocabularies spell them */
    check_int(bpe_letter('\n'), 0x10a);
    check_int(bpe_letter(0xad), 0x143);
    check_int(bpe_byte(' '), -1);
    check_int(bpe_byte(0x144), -1);
}
