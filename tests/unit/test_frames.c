/* frames: a message's parts, and JSON from strangers. */
#include <stdint.h>
#include <string.h>

#include "kernel/wire/frames.h"
#include "tests/check.h"

static struct frame of(const char *text) {
    return (struct frame){ check_guarded(check_arena(), text, strlen(text)), strlen(text) };
}

static struct message *message_new(void) {
    struct message *message = arena_alloc(check_arena(), sizeof *message);
    message->arena = check_arena();
    return message;
}

TEST(frames_split_keeps_all_identities) {
    struct err err;
    const struct frame frames[] = { of("a"), of(""),  of("<IDS|MSG>"), of("sig"), of("h"),
                                    of("p"), of("m"), of("c"),         of("b1"),  of("b2") };
    struct message *message = message_new();
    check(frames_split(message, frames, 10, &err) == 0);
    check_int(message->id_count, 2);
    check(message->ids == frames);
    check(memcmp(message->signature.bytes, "sig", 3) == 0);
    check(message->parts[0].bytes[0] == 'h' && message->parts[3].bytes[0] == 'c');
    check(frames_split(message, frames + 2, 6, &err) == 0);
    check_int(message->id_count, 0);
}

TEST(frames_split_refuses_what_is_too_short_or_long) {
    struct err err;
    struct frame many[FRAMES_MOST + 1];
    const struct frame frames[] = {
        of("<IDS|MSG>"), of("s"), of("h"), of("p"), of("m"), of("c")
    };
    for (int n = 0; n < 6; n++) {
        check(frames_split(message_new(), frames, n, &err) < 0);
        check_int(err.kind, ERR_FORMAT);
    }
    check(frames_split(message_new(), frames + 1, 5, &err) < 0);
    check_text(err.text, "without <IDS|MSG>");
    for (int i = 0; i <= FRAMES_MOST; i++) {
        many[i] = frames[0];
    }
    check(frames_split(message_new(), many, FRAMES_MOST + 1, &err) < 0);
}

TEST(frames_split_keeps_buffers) {
    const struct frame frames[] = { { "<IDS|MSG>", 9 }, { "s", 1 },        { "{}", 2 },
                                    { "{}", 2 },        { "{}", 2 },       { "{}", 2 },
                                    { "", 0 },          { "<IDS|MSG>", 9 } };
    struct message message = { .arena = check_arena() };
    struct err err;
    check_int(frames_split(&message, frames, 8, &err), 0);
    check_int(message.buffer_count, 2);
    check(message.buffers[0].length == 0 && message.buffers[1].length == 9);
    check_int(frames_split(&message, frames, 6, &err), 0);
    check_int(message.buffer_count, 0);
}

TEST(frames_depth_counts_brackets_outside_strings) {
    check_int(frames_depth(of("{}")), 1);
    check_int(frames_depth(of("{\"[[[\":[1,[2],{}]}")), 3);
    check_int(frames_depth(of("\"\\\"[\"[")), 1);
    check_int(frames_depth(of("]]]][")), 0);
    check_int(frames_depth(of("\"\\")), 0);
    check_int(frames_depth(of("")), 0);
}

static int read_parts(struct message *message, const char *header, const char *content) {
    struct err err;
    message->parts[0] = of(header);
    message->parts[1] = message->parts[2] = of("{}");
    message->parts[3] = of(content);
    return frames_read(message, &err);
}

TEST(frames_object_mends_half_characters_only) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "{\"a\":\"\\ud83d\"}", "\xef\xbf\xbd" },
        { "{\"a\":\"\\uDc31x\"}", "\xef\xbf\xbdx" },
        { "{\"a\":\"\\ud83d\\ud83d\\udc31\"}", "\xef\xbf\xbd🐱" },
        { "{\"a\":\"\\ud83d\\udc31\"}", "🐱" },
        { "{\"a\":\"\\ud83d\\ue000\"}", "\xef\xbf\xbd\xee\x80\x80" },
        { "{\"a\":\"\\\\ud83d\\ud83d\"}", "\\ud83d\xef\xbf\xbd" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message *message = message_new();
        size_t length;
        check(read_parts(message, "{\"msg_type\":\"a\",\"msg_id\":\"b\"}", cases[i].in) == 0);
        check_same(frames_text(message, "a", &length), cases[i].out);
    }
}

TEST(frames_object_refuses_what_is_no_object) {
    static const char *const bad[] = {
        "",
        "{",
        "}",
        "[]",
        "1",
        "null",
        "{\"a\":1,\"a\":2}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
        "{\"a\":99999999999999999999}",
        "{\"\\u0000\":1}",
        "{\"a\":\"\xff\"}",
        "{} x",
        "{\"a\":\"\\ud8\"}",
        "{\"a\":\"\\ud83d",
        "\\ud83d",
        "{\"a\":\"\xed\xa0\x80\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = { 0 };
        check(!frames_object(check_arena(), of(bad[i]), &err));
        check_int(err.kind, ERR_FORMAT);
        check(err.text[0] != '\0');
    }
}

TEST(frames_object_refuses_depth_before_it_parses) {
    enum { DEEP = 1000000 };
    char *text = arena_alloc(check_arena(), DEEP + 1);
    struct err err;
    memset(text, '[', DEEP);
    check(!frames_object(check_arena(), (struct frame){ text, DEEP }, &err));
    check_text(err.text, "deeper than 100");
}

TEST(frames_read_remembers_what_cannot_be_read) {
    struct message *message = message_new();
    check(read_parts(message, "{\"msg_type\":\"a\",\"msg_id\":\"b\"}", "[") == 0);
    check_same(message->type, "a");
    check(!message->content && message->parent);
    check_text(message->bad, "the request's content cannot be read: ");
    for (int part = 1; part <= 2; part++) {
        struct err err;
        message = message_new();
        read_parts(message, "{\"msg_type\":\"a\",\"msg_id\":\"b\"}", "{}");
        check(!message->bad);
        message->parts[part] = of("");
        message->parts[3] = of("[]");
        check(frames_read(message, &err) == 0 && !message->content);
        check(!message->parent == (part == 1));
        check_text(message->bad, part == 1 ? "the request's parent_header cannot be read: "
                                           : "the request's metadata cannot be read: ");
    }
}

TEST(frames_read_gleans_a_header_that_cannot_be_read) {
    static const char *const headers[] = {
        "{\"msg_type\":\"a\",\"msg_id\":\"b\",\"x\":NaN}",
        "{\"msg_type\":\"a\",\"msg_id\":\"b\",\"x\":\"\xff\"}",
        "{\"msg_type\":\"a\",\"msg_id\":\"b\",\"x\":99999999999999999999}",
        "{\"msg_type\":\"x\",\"msg_id\":\"b\",\"msg_type\":\"a\"}",
        "{\"msg_type\":\"a\",\"msg_id\":\"b\"",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        static const char left[] = "{\"msg_id\":\"b\",\"msg_type\":\"a\"}";
        struct message *message = message_new();
        check(read_parts(message, headers[i], "[") == 0);
        check_same(message->type, "a");
        check_text(message->bad, "the request's header cannot be read: ");
        check_int(message->parts[0].length, sizeof left - 1);
        check(memcmp(message->parts[0].bytes, left, sizeof left - 1) == 0);
    }
}

TEST(frames_read_wants_a_type_and_an_id) {
    static const char *const untyped[] = { "{\"msg_id\":\"a\"}",
                                           "{\"msg_type\":1,\"msg_id\":\"b\"}" };
    struct err err;
    for (size_t i = 0; i < sizeof untyped / sizeof *untyped; i++) {
        struct message *message = message_new();
        message->parts[0] = of(untyped[i]);
        check(frames_read(message, &err) < 0);
        check_text(err.text, "a message whose header has no msg_type");
    }
    struct message *message = message_new();
    message->parts[0] = of("[");
    check(frames_read(message, &err) < 0);
    check_text(err.text, "no msg_type: the request's header cannot be read: ");
    message = message_new();
    check(read_parts(message, "{\"msg_type\":\"a\",\"msg_id\":7}", "{}") == 0);
    check_same(message->bad, "the request's header has no msg_id that is text");
}

TEST(frames_read_gleans_a_header_that_every_answer_would_repeat) {
    static const char begin[] = "{\"msg_type\":\"a\",\"msg_id\":\"b\"";
    for (int more = 0; more < 2; more++) {
        size_t length = FRAMES_HEADER_MOST + (size_t)more;
        char *text = arena_alloc(check_arena(), length + 1);
        memset(text, ' ', length);
        memcpy(text, begin, sizeof begin - 1);
        text[length - 1] = '}';
        struct message *message = message_new();
        check(read_parts(message, text, "{}") == 0);
        check_int(message->bad != NULL, more);
        check_int(message->parts[0].length,
                  more ? sizeof "{'msg_id':'b','msg_type':'a'}" - 1 : length);
        if (more) {
            check_same(message->bad,
                       "the request's header has 65537 bytes; at most 65536 are taken");
        }
    }
}

TEST(frames_members_have_their_kind_or_are_absent) {
    struct message *message = message_new();
    size_t length;
    check(read_parts(message, "{\"msg_type\":\"a\",\"msg_id\":\"b\"}",
                     "{\"t\":\"x\\u0000y\",\"b\":true,\"n\":7,\"r\":2.9,\"big\":1e300,"
                     "\"low\":-1e300,\"f\":false}") == 0);
    check(memcmp(frames_text(message, "t", &length), "x\0y", 4) == 0);
    check_int(length, 3);
    check_same(frames_text(message, "n", &length), "");
    check_int(length, 0);
    check(frames_flag(message, "b", false) && frames_flag(message, "n", true));
    check_int(frames_number(message, "n", 1), 7);
    check_int(frames_number(message, "r", 1), 2);
    check_int(frames_number(message, "big", 1), 1);
    check_int(frames_number(message, "low", 1), 1);
    check(!frames_flag(message, "f", true) && !frames_flag(message, "f", false));
    check(frames_flag(message, "none", true) && !frames_flag(message, "none", false));
    check_int(frames_number(message, "t", 1), 1);
}

/* Bytes of good frames changed at random, always the same way: an answer or an error, no more.
 */
TEST(frames_survive_damage) {
    static const char header[] =
        "{\"msg_id\":\"a\\ud83d\",\"msg_type\":\"x\",\"n\":[1,{\"b\":null}]}";
    static const char content[] =
        "{\"code\":\"%echo \\ud83d\\udc31 \xe7\x8c\xab\",\"cursor_pos\":7.5e2}";
    uint64_t luck = 1;
    for (int i = 0; i < 2000; i++) {
        char texts[2][128];
        struct err err;
        struct arena *arena = arena_new();
        struct message *message = arena_alloc(arena, sizeof *message);
        message->arena = arena;
        message->parts[1] = message->parts[2] = (struct frame){ "{}", 2 };
        strcpy(texts[0], header);
        strcpy(texts[1], content);
        for (int change = 0; change < 3; change++) {
            luck = luck * 6364136223846793005U + 1442695040888963407U;
            char *text = texts[luck >> 33 & 1];
            text[(luck >> 40) % strlen(header)] = (char)(luck >> 56);
        }
        for (int part = 0; part < 2; part++) {
            size_t n = part ? sizeof content - 1 : sizeof header - 1;
            message->parts[part * 3].length = n;
            message->parts[part * 3].bytes = check_guarded(message->arena, texts[part], n);
        }
        if (frames_read(message, &err) == 0) {
            size_t length;
            check(message->type && (message->bad || (message->content && message->parent)));
            frames_text(message, "code", &length);
            frames_number(message, "cursor_pos", 0);
        } else {
            check_int(err.kind, ERR_FORMAT);
        }
        frames_free(message);
    }
}
