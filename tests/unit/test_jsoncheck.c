/* jsoncheck: JSON and what only looks like it. */
#include <string.h>

#include "core/base/jsoncheck.h"
#include "tests/check.h"

static bool checks(const char *bytes, size_t length) {
    return jsoncheck_object(check_guarded(check_arena(), bytes, length), length);
}

TEST(jsoncheck_takes_json) {
    static const char *const good[] = {
        "{}",
        " {\r\n\t} ",
        "{\"a\":{},\"b\":[],\"c\":[[{\"\":[]}],{}]}",
        "{\"a\" : [ 1 , -0 , 0.5 , 10e5 , 1E-7 , 2.25e+10 ] , \"a\" : "
        "123456789012345678901234567890 }",
        "{\"a\":[true,false,null]}",
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00Ef\\ud83d\",\"\\u0000\":\"猫🐱\x7f\"}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        check(checks(good[i], strlen(good[i])));
    }
}

TEST(jsoncheck_refuses_what_is_none) {
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "[]",
        "\"a\"",
        "null",
        "{",
        "}",
        "{}}",
        "{} {}",
        "{}x",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\":[1,]}",
        "{\"a\":[,]}",
        "{\"a\":[1}",
        "{\"a\":[1]]",
        "{\"a\":[1",
        "{\"a\":{\"b\":1]}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":0x1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":tru}",
        "{\"a\":truer}",
        "{\"a\":nul",
        "{\"a\":\"",
        "{\"a\":\"\\",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u123",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xe7\x8c\"}",
        "{\"\xff\":1}",
        "{'a':1}",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!check(!checks(bad[i], strlen(bad[i])))) {
            check_same(bad[i], "");
        }
    }
    check(!checks("{\"a\":\"\0\"}", 9) && !checks("{\"a\":\0}", 7) && !checks("{}\0", 3));
    check(!checks("{\"a\":\"\\\0\"}", 10) && !checks("{\"a\":\"\\u\0000\"}", 12));
}

/* Wherever what is odd stands in a text that is looked at 64 bytes at a time. */
TEST(jsoncheck_looks_at_every_byte) {
    static const char odd[][3] = { "\n", "\xff", "\\x", "\"x" };
    for (int at = 0; at < 200; at += 3) {
        char text[256] = "{\"a\":\"";
        memset(text + 6, 'x', 210);
        strcpy(text + 216, "\"}");
        check(checks(text, 218));
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            char broken[256];
            strcpy(broken, text);
            memcpy(broken + 6 + at, odd[i], strlen(odd[i]));
            check(!checks(broken, 218));
        }
        memcpy(text + 6 + at, "\\\"", 2);
        check(checks(text, 218));
        for (size_t cut = 0; cut < 218; cut += 31) {
            check(!checks(text, cut));
        }
    }
}

TEST(jsoncheck_has_a_depth) {
    for (int more = 0; more < 2; more++) {
        int depth = JSONCHECK_DEPTH - 1 + more; /* besides the object itself */
        char text[2 * JSONCHECK_DEPTH + 20] = "{\"a\":";
        memset(text + 5, '[', (size_t)depth);
        memset(text + 5 + depth, ']', (size_t)depth);
        strcpy(text + 5 + 2 * depth, "}");
        check(checks(text, strlen(text)) == !more);
    }
}
