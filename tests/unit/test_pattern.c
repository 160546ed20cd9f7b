#include "core/text/pattern.h"

#include <setjmp.h>
#include <string.h>

#include "core/base/catch.h"
#include "tests/check.h"

static struct pattern *read(const char *regex, struct err *err) {
    *err = (struct err){ 0 };
    return pattern_read(check_arena(), regex, strlen(regex), "x", err);
}

/* All matches, parted by |. */
static const char *matches(const char *regex, const char *text) {
    struct err err;
    struct arena *arena = check_arena();
    struct pattern *pattern = read(regex, &err);
    check_same(err.text, "");
    struct pattern_search search;
    struct buf *out = buf_new(arena);
    int64_t begin, end;
    pattern_begin(&search, arena, pattern, text, (int64_t)strlen(text));
    for (int n = 0; pattern_next(&search, &begin, &end); n++) {
        buf_text(out, n ? "|" : "");
        buf_add(out, text + begin, (size_t)(end - begin));
    }
    return out->data;
}

TEST(pattern_finds) {
    check_same(matches("a+", "caaat a"), "aaa|a");
    check_same(matches("a+?", "aa"), "a|a");
    check_same(matches("a{2,3}", "aaaaaa a"), "aaa|aaa");
    check_same(matches("a{,2}b", "aaab b"), "aab|b");
    check_same(matches("(?:ab|a)c", "abc ac"), "abc|ac");
    check_same(matches("a|ab", "ab"), "a"); /* the first alternative, not the longest */
    check_same(matches("(ab)+?c|x", "ababc x"), "ababc|x");
    check_same(matches("[^a-c]+", "abxyc z"), "xy| z");
    check_same(matches("[a[x-z]]+", "axz b"), "axz");
    check_same(matches("[[:punct:]]+", "a,+b"), ",+");
    check_same(matches("\\p{Lu}\\p{^Lu}", "aBc"), "Bc");
    check_same(matches("\\p{Han}+", "ab\u732b\u5750c"), "\u732b\u5750");
    check_same(matches("\\s+(?!\\S)|\\s+", "a   b  "), "  | |  ");
    check_same(matches("(?<=a)b|(?<!\\s)c", "ab b cc"), "b|c");
    check_same(matches("(?i:'s)", "'s 'S '\u017f"), "'s|'S|'\u017f");
    check_same(matches("(?i)\u017f", "a s S \u017f"), "s|S|\u017f");
    check_same(matches("(?i)[\u212a\u03c2]", "k K \u212a \u03c3 \u03a3 \u03c2"),
               "k|K|\u212a|\u03c3|\u03a3|\u03c2");
    check_same(matches("(?i)x|[^S]", "sXz"), "X|z");
    check_same(matches("(?i)i", "i I \u0130 \u0131"), "i|I");
    check_same(matches("(?i)\u0130", "i I \u0130 \u0131"), "\u0130");
    check_same(matches("(?i)\u0131", "i I \u0130 \u0131"), "\u0131");
    check_same(matches("^.|.$", "ab\ncd"), "a|b|c|d");
    check_same(matches("x*", "axx"), "|xx"); /* nothing may be found, too */
    check_same(matches("\\x41\\u0042\\x{43}\\.", "ABC."), "ABC.");
}

/* Possessive loops give nothing back; "{1,3}+" is a loop around a loop in Ruby's syntax. */
TEST(pattern_as_in_ruby) {
    check_same(matches("a++a", "aaa"), "");
    check_same(matches("a?+a", "aa"), "aa");
    check_same(matches("(?>a+)b", "aab"), "aab");
    check_same(matches("\\d{1,3}+", "12345"), "12345");
    check_same(matches("\\d{1,3}", "12345"), "123|45");
}

/* Where words end, as the tokenizers library finds it: joiners part them, small numbers do not.
 */
TEST(pattern_words_as_in_ruby) {
    const char *text = "\u732b\u00b2\u00bf a\u200d0 b\u200cc x\u00bd y\u00b9";
    check_same(matches("\\b\\w", text), "\u732b|a|0|b|c|x|y");
    check_same(matches("\\B\\w", text), "\u00b2|\u00bd|\u00b9");
}

TEST(pattern_refuses) {
    static const char *const regexes[] = { "(a)\\1",
                                           "(a",
                                           "a)",
                                           "[a",
                                           "*a",
                                           "\\p{Nonsense}",
                                           "(?<n>a)",
                                           "[a&&b]",
                                           "(?:a*)*",
                                           "(?<=ab)c",
                                           "a{2000}",
                                           "((((((((((((((((((a",
                                           "(?:(?:ab){90}){90}" };
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        struct err err;
        check(!read(regexes[i], &err));
        check_int(err.kind, ERR_UNSUPPORTED);
        check_text(err.text, "x: the pattern ");
        check_text(err.text, "cannot be read: ");
    }
}

/* Reads within so many bytes, whether it takes the pattern or not. */
static void reads_within(int64_t bytes, const char *regex) {
    struct err err;
    struct catch here;
    volatile bool enough = false;
    arena_budget(arena_held() + bytes);
    if (setjmp(catch_set(&here)->place) == 0) {
        read(regex, &err);
        enough = true;
    }
    catch_end(&here);
    arena_budget(0);
    check(enough);
}

/* The pattern n times; the arena's. */
static const char *times(const char *pattern, int n) {
    struct buf *all = buf_new(check_arena());
    for (int i = 0; i < n; i++) {
        buf_text(all, pattern);
    }
    return all->data;
}

TEST(pattern_takes_no_square_of_memory) {
    reads_within(8 << 20, times("a", 3999));
    reads_within(40 << 20, times("a|", 1999));
    reads_within(8 << 20, "(?:ab){0,1000}(?:cd){0,1000}");
    reads_within(40 << 20, "(?:(?:(?:ab|c){0,30}){0,30}){0,30}");
    reads_within(40 << 20, times("(?:ab){0,1000}|", 200));
    check_same(matches(times("a", 1500), times("a", 1500)), times("a", 1500));
    check_same(matches("(?:ab){0,2}?c|(?:ab){1,3}", "ababc abababab"), "ababc|ababab|ab");
}

/* Runs the pattern over n times "a", which ends with a sentence that holds the part. */
static void gives_up(const char *regex, size_t n, const char *part) {
    struct arena *arena = check_arena();
    struct err err;
    struct pattern *pattern = read(regex, &err);
    char *text = arena_raw(arena, n);
    memset(text, 'a', n);
    struct catch here;
    volatile bool ended = false;
    if (setjmp(catch_set(&here)->place) == 0) {
        struct pattern_search search;
        int64_t begin, end;
        pattern_begin(&search, arena, pattern, text, (int64_t)n);
        check(!pattern_next(&search, &begin, &end));
    } else {
        ended = here.err.kind == ERR_TEXT;
        check_text(here.err.text, part);
    }
    catch_end(&here);
    check(ended);
}

/* "a*b" over a run of a alone tries every beginning and goes to the end each time. */
TEST(pattern_ends_what_takes_the_square_of_the_text) {
    gives_up("a*b", 20000, "the pattern a*b takes more than 10100000 steps on a text of 20000");
}

/* Each character leaves twenty choices behind, none of which is taken. */
TEST(pattern_ends_what_keeps_too_many_choices) {
    const char *regex = arena_printf(check_arena(), "(?:%sa)*", times("b{0}?(?:b|)", 20));
    gives_up(regex, 20000, "choices that wait on a text of 20000 bytes");
}
