/* glean: what can be read of headers that cannot be read. */
#include <string.h>

#include "kernel/wire/glean.h"
#include "tests/check.h"

static const char *gleaned(const char *header, size_t length) {
    const struct frame out = glean(
        check_arena(), (struct frame){ check_guarded(check_arena(), header, length), length });
    return arena_text(check_arena(), out.bytes, out.length);
}

/* Of each header exactly this is left. */
TEST(glean_finds_texts_behind_the_six_names) {
    static const struct {
        const char *header, *left;
    } cases[] = {
        { "{\"msg_id\":\"a\",\"msg_type\":\"t\",\"x\":NaN}",
          "{\"msg_id\":\"a\",\"msg_type\":\"t\"}" },
        { "{\"version\":\"5\" , \"date\" : \"d\",\"username\":\"u\",\"session\":\"s\",,",
          "{\"session\":\"s\",\"username\":\"u\",\"date\":\"d\",\"version\":\"5\"}" },
        { "{\"msg_type\":\"a\",\"msg_type\":\"b\"}", "{\"msg_type\":\"b\"}" },
        { "{\"msg_type\":7,\"msg_id\":\"a\"}", "{\"msg_id\":\"a\"}" },
        { "{\"x\":\"msg_type\",\"y\":\"b\"}", "{}" },
        { "{\"x\":{\"msg_type\":\"a\"},\"msg_id\":\"b\"}", "{\"msg_id\":\"b\"}" },
        { "{\"x\":[\"msg_type\":\"a\"],\"msg_id\":\"b\"}", "{\"msg_id\":\"b\"}" },
        { "[\"msg_type\",\"a\"]", "{}" },
        { "{\"a\":1}{\"msg_type\":\"t\"}", "{\"msg_type\":\"t\"}" },
        { "\"msg_type\":\"t\"", "{}" },
        { "{\"msg_type\" \"t\"}", "{}" },
        { "{\"msg_tipe\":\"t\",\"msg_types\":\"t\"}", "{}" },
        { "{\"msg_id\":\"a\",\"msg_type\":\"t", "{\"msg_id\":\"a\"}" },
        { "{\"msg_id\":\"a\\", "{}" },
        { "", "{}" },
        { "\"", "{}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_same(gleaned(cases[i].header, strlen(cases[i].header)), cases[i].left);
    }
}

TEST(glean_reads_a_string_as_json_does) {
    static const struct {
        const char *value, *left;
    } cases[] = {
        { "\"a\\\"b\\\\\"", "{\"msg_id\":\"a\\\"b\\\\\"}" },
        { "\"\\u732b\"", "{\"msg_id\":\"猫\"}" },
        { "\"\\ud83d\"", "{\"msg_id\":\"\xef\xbf\xbd\"}" },
        { "\"\xff猫\xe7\"", "{\"msg_id\":\"\xef\xbf\xbd猫\xef\xbf\xbd\"}" },
        { "\"a\\u0000b\"", "{\"msg_id\":\"a\\u0000b\"}" },
        { "\"\"", "{\"msg_id\":\"\"}" },
        { "\"\\q\"", "{}" },
        { "\"a\nb\"", "{}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *header = arena_printf(check_arena(), "{\"msg_id\":%s,NaN}", cases[i].value);
        check_same(gleaned(header, strlen(header)), cases[i].left);
    }
}

TEST(glean_takes_no_long_texts_and_any_depth) {
    enum { DEEP = 1000000 };
    char *header = arena_alloc(check_arena(), DEEP + 100);
    for (int more = 0; more < 2; more++) {
        int length = GLEAN_MOST - 2 + more; /* of the text without its quotes */
        memset(header, 'x', DEEP);
        memcpy(header, "{\"msg_id\":\"", 11);
        strcpy(header + 11 + length, "\"}");
        check_int(strlen(gleaned(header, strlen(header))), more ? 2 : length + 13);
    }
    memset(header, '[', DEEP);
    memset(header + DEEP / 2, ']', DEEP / 2);
    memcpy(header, "{\"a\":", 5);
    strcpy(header + DEEP - 5, ",\"msg_type\":\"t\"}");
    check_same(gleaned(header, strlen(header)), "{\"msg_type\":\"t\"}");
}
