#include <string.h>

#include "core/base/jsonread.h"
#include "core/base/jsontree.h"
#include "core/base/jsonwrite.h"
#include "tests/check.h"

static struct json *parse(const char *text, struct err *err) {
    struct arena *arena = check_arena();
    size_t length = strlen(text);
    return json_parse(arena, check_guarded(arena, text, length), length, "x.json", err);
}

TEST(json_tree_reads_and_writes_back) {
    const char *text =
        "{\"a\":[1,2.50,-3e5,true,null],\"b\":{\"c\":\"\\u732b\\ud83d\\ude42\\n\"}}";
    struct err err;
    struct json *tree = parse(text, &err);
    check(tree != NULL);
    check_int(json_at(tree, "a")->count, 5);
    check_same(json_text_at(json_at(tree, "b"), "c", ""), "猫🙂\n");
    struct buf *out = buf_new(check_arena());
    json_print(out, tree, false);
    check_same(out->data, "{\"a\":[1,2.50,-3e5,true,null],\"b\":{\"c\":\"猫🙂\\n\"}}");
}

TEST(json_refuses_with_the_byte) {
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "", "byte 0" },
        { "{", "a string is wanted" },
        { "{\"a\" 1}", "':' is missing" },
        { "[1 2]", "',' or ']' is missing" },
        { "[1,]", "a value is missing" },
        { "[01]", "malformed number" },
        { "[1.]", "malformed number" },
        { "\"a", "without its closing quote" },
        { "\"\\x\"", "needs none" },
        { "\"\\u12g4\"", "four hex digits" },
        { "\"\xff\"", "not UTF-8" },
        { "\"\x01\"", "control character" },
        { "[1] x", "something follows" },
        { "{\"a\":1,\"a\":2}", "stands twice" },
        { "nul", "stray word" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = { 0 };
        check(parse(cases[i].text, &err) == NULL);
        check_text(err.text, cases[i].says);
    }
}

TEST(json_depth_is_bounded) {
    char deep[200];
    memset(deep, '[', 199);
    deep[199] = '\0';
    struct err err;
    check(parse(deep, &err) == NULL);
    check_text(err.text, "deeper than 64");
    struct jsonread r;
    jsonread_init(&r, deep, 199, "x.json");
    jsonread_skip(&r);
    check(jsonread_failed(&r, &err));
    check_text(err.text, "deeper than 64");
}

TEST(json_skip_steps_over_anything) {
    const char *text = "[{\"a\":[1,{\"b\":\"\\\"]\"}],\"c\":{}},7]";
    struct jsonread r;
    jsonread_init(&r, text, strlen(text), "x.json");
    check(jsonread_array(&r));
    check(jsonread_item(&r));
    jsonread_skip(&r);
    check(jsonread_item(&r));
    check_int(jsonread_int(&r), 7);
    check(!jsonread_item(&r));
    jsonread_end(&r);
    check(!jsonread_failed(&r, NULL));
}

TEST(json_writes_what_is_always_json) {
    struct buf *out = buf_new(check_arena());
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "x");
    json_float(&w, 0.1F);
    json_key(&w, "nan");
    json_double(&w, 0.0 / 0.0);
    json_key(&w, "t");
    json_bytes(&w, "</script>\xff\"", 11);
    json_close(&w, '}');
    check_same(out->data, "{\"x\":0.1,\"nan\":null,\"t\":\"</script>\xef\xbf\xbd\\\"\"}");
}

/* Plain text is passed over in long steps; what must be escaped is found wherever it stands. */
TEST(json_escapes_at_every_place) {
    enum { LENGTH = 140, APART = 70 };
    static const struct {
        const char *text, *written;
    } odd[] = {
        { "\"", "\\\"" },      { "\\", "\\\\" },        { "\n", "\\n" },
        { "\x01", "\\u0001" }, { "\x7f", "\\u007f" },   { "猫", "猫" },
        { "\xff", "\ufffd" },  { "\u2028", "\\u2028" }, { "\xe7\x8c", "\ufffd\ufffd" },
    };
    struct arena *arena = check_arena();
    for (size_t kind = 0; kind < sizeof odd / sizeof *odd; kind++) {
        for (size_t at = 0; at < APART; at++) {
            struct buf *text = buf_new(arena), *wanted = buf_new(arena), *out = buf_new(arena);
            buf_char(wanted, '"');
            for (size_t i = 0; i < LENGTH; i++) {
                bool here = i % APART == at;
                buf_text(text, here ? odd[kind].text : "x");
                buf_text(wanted, here ? odd[kind].written : "x");
            }
            buf_char(wanted, '"');
            json_escape(out, text->data, text->length);
            check_same(out->data, wanted->data);
        }
    }
}
