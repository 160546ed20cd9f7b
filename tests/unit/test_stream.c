/* stream: what comes out of a cell, in order, whole characters, not too much. */
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "kernel/front/stream.h"
#include "tests/check.h"

/* Writes each piece as "o:text|" or "e:text|". */
static void note(void *arg, bool is_error, const char *text, size_t length) {
    struct buf *out = arg;
    buf_text(out, is_error ? "e:" : "o:");
    buf_add(out, text, length);
    buf_char(out, '|');
}

static struct stream *stream_of(struct buf **out) {
    *out = buf_new(check_arena());
    struct stream *stream = stream_new(check_arena(), note, *out);
    stream_begin(stream);
    return stream;
}

static void say(struct stream *stream, bool is_error, const char *text) {
    stream_add(stream, is_error, text, strlen(text), 1000);
}

TEST(stream_gathers_and_keeps_order) {
    struct buf *out;
    struct stream *stream = stream_of(&out);
    check_int(stream_due(stream), 0);
    say(stream, false, "a");
    say(stream, false, "b");
    check_int(stream_due(stream), 1000 + STREAM_WAIT_MS);
    say(stream, true, "c");
    say(stream, false, "d");
    stream_flush(stream);
    check_same(out->data, "o:ab|e:c|o:d|");
    check_int(stream_due(stream), 0);
}

TEST(stream_never_cuts_a_character) {
    const char *text = "é猫🐱";
    struct buf *out;
    struct stream *stream = stream_of(&out);
    for (size_t i = 0; i < strlen(text); i++) {
        stream_add(stream, false, text + i, 1, 0);
        stream_flush(stream);
    }
    stream_end(stream, false);
    check_same(out->data, "o:é|o:猫|o:🐱|");
}

TEST(stream_switch_keeps_half_a_character_for_later) {
    struct buf *out;
    struct stream *stream = stream_of(&out);
    say(stream, false, "a\xe7\x8c");
    say(stream, true, "b");
    say(stream, false, "\xab"); /* the rest of 猫 */
    stream_end(stream, false);
    check_same(out->data, "o:a|e:b|o:猫|");
}

TEST(stream_end_sends_what_never_became_a_character) {
    struct buf *out;
    struct stream *stream = stream_of(&out);
    say(stream, false, "a\xe7\x8c");
    stream_end(stream, false);
    check_same(out->data, "o:a|o:\xe7\x8c|");
}

TEST(stream_caps_each_side_and_says_so) {
    struct buf *out;
    struct stream *stream = stream_of(&out);
    char kilo[1024];
    memset(kilo, 'x', sizeof kilo);
    for (int i = 0; i < 600; i++) {
        stream_add(stream, false, kilo, sizeof kilo, 0);
    }
    say(stream, true, "still heard");
    stream_end(stream, false);
    check_text(out->data, "e:still heard|");
    check_text(out->data, "[90112 bytes of stdout are left out: a cell shows at most 512 KiB]");
    buf_clear(out);
    stream_begin(stream);
    say(stream, false, "next");
    stream_end(stream, false);
    check_same(out->data, "o:next|");
}

TEST(stream_cap_falls_between_characters) {
    struct buf *out;
    struct stream *stream = stream_of(&out);
    char *text = arena_alloc(check_arena(), STREAM_MOST + 10);
    memset(text, 'x', STREAM_MOST - 1);
    memcpy(text + STREAM_MOST - 1, "猫b", 5);
    say(stream, false, text);
    stream_end(stream, false);
    check_int(utf8_bad(out->data, out->length), out->length);
    check_text(out->data, "[4 bytes of stdout");
}

TEST(stream_merges_a_flood_of_switches) {
    struct buf *out;
    struct stream *stream = stream_of(&out);
    for (int i = 0; i < 2000; i++) {
        say(stream, i % 2, i % 2 ? "e" : "o");
    }
    stream_end(stream, false);
    int pieces = 0, characters = 0;
    for (const char *at = out->data; *at; at++) {
        pieces += *at == '|';
        characters += (*at == 'e' || *at == 'o') && at[1] != ':';
    }
    check(pieces <= STREAM_SWITCHES + 3);
    check_int(characters, 2000);
}

TEST(stream_keeps_what_came_between_cells) {
    struct buf *out;
    struct stream *stream = stream_of(&out);
    stream_end(stream, false);
    say(stream, true, "late");
    stream_begin(stream);
    say(stream, false, "next");
    stream_end(stream, false);
    check_same(out->data, "e:late|o:next|");
}
