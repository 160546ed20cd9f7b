/* glob: what each sign of a pattern takes. */
#include <string.h>

#include "kernel/front/glob.h"
#include "tests/check.h"

static bool takes(const char *pattern, const char *text) {
    return glob_fits(pattern, strlen(pattern), text, strlen(text));
}

TEST(glob_takes_whole_texts) {
    check(takes("", "") && takes("a", "a") && takes("*", "") && takes("**", "any\ntext"));
    check(!takes("", "a") && !takes("a", "") && !takes("a", "ab") && !takes("b", "ab"));
    check(takes("a*", "a") && takes("*b", "ab") && takes("*a*b*", "xaxbx"));
    check(!takes("*a*b", "ba") && takes("*ab", "aab") && takes("*aab", "aaaab"));
    check(takes("a?c", "abc") && !takes("a?c", "ac") && takes("??", "猫猫") &&
          !takes("?", "猫猫"));
    check(takes("猫*门", "猫坐在门") && !takes("猫", "狗"));
}

TEST(glob_takes_brackets) {
    check(takes("[abc]", "b") && !takes("[abc]", "d") && takes("[a-c]", "b"));
    check(takes("[^a-c]", "d") && !takes("[^a-c]", "a") && takes("x[]]", "x]"));
    check(takes("[^]]", "a") && !takes("[^]]", "]") && takes("[a-]", "-") &&
          takes("[a-]", "a"));
    check(takes("[一-丁]", "丁") && !takes("[一-丁]", "猫") && takes("*[猫狗]*", "一只狗。"));
    check(takes("[*]", "*") && !takes("[*]", "a") && takes("[?]x", "?x"));
    check(!takes("[", "[") && !takes("[a", "a") && !takes("[]", "]") && !takes("[^", "x"));
    check(takes("]", "]") && takes("a-b", "a-b"));
}

TEST(glob_takes_bytes_that_are_no_characters) {
    check(takes("?", "\xff") && takes("\xff", "\xff") && !takes("\xff", "\xfe"));
    check(takes("*\xe7*", "a\xe7z") && !takes("?", "\xe7\x8c"));
    check(glob_fits("a\0b", 3, "a\0b", 3) && !glob_fits("a\0b", 3, "a\0c", 3));
}

/* Patterns that go back to every star take time that doubles with each of them. */
TEST(glob_is_quick_with_many_stars) {
    enum { LONG = 20000 };
    char *text = arena_alloc(check_arena(), LONG + 1);
    memset(text, 'a', LONG);
    check(!takes("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
    check(takes("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", text));
}
