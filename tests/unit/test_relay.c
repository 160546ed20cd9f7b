/* relay: EXECUTE frames between supervisor and worker. */
#include <string.h>

#include "kernel/relay/relay.h"
#include "tests/check.h"

static struct buf *frame(void) {
    struct buf *out = buf_new(check_arena());
    struct relay_execute head = { .count = 7, .expressions = 2, .silent = 1 };
    relay_execute_write(out, head, "%echo\0hi", 8, (const char *[]){ "a", "猫" },
                        (const char *[]){ "model", "" });
    return out;
}

TEST(relay_execute_comes_back) {
    struct buf *sent = frame();
    struct relay_execute head;
    const char *code, **names, **texts;
    const char *bytes = check_guarded(check_arena(), sent->data, sent->length);
    check_int(
        relay_execute_read(check_arena(), bytes, sent->length, &head, &code, &names, &texts),
        0);
    check_int(head.count, 7);
    check_int(head.silent, 1);
    check_int(head.code_length, 8);
    check(memcmp(code, "%echo\0hi", 9) == 0); /* the inner NUL is kept, an end is added */
    check_same(names[0], "a");
    check_same(names[1], "猫");
    check_same(texts[0], "model");
    check_same(texts[1], "");
}

TEST(relay_refuses_every_cut_and_every_tail) {
    struct buf *sent = frame();
    struct relay_execute head;
    const char *code, **names, **texts;
    for (size_t n = 0; n < sent->length; n++) {
        const char *bytes = check_guarded(check_arena(), sent->data, n);
        check(relay_execute_read(check_arena(), bytes, n, &head, &code, &names, &texts) < 0);
    }
    buf_char(sent, 'x');
    check(relay_execute_read(check_arena(), sent->data, sent->length, &head, &code, &names,
                             &texts) < 0);
}

TEST(relay_refuses_lengths_that_lie) {
    struct buf *sent = frame();
    struct relay_execute head;
    const char *code, **names, **texts;
    memcpy(&head, sent->data, sizeof head);
    head.code_length = UINT64_MAX - 3;
    memcpy(sent->data, &head, sizeof head);
    check(relay_execute_read(check_arena(), sent->data, sent->length, &head, &code, &names,
                             &texts) < 0);
    head.code_length = 8;
    head.expressions = UINT32_MAX;
    memcpy(sent->data, &head, sizeof head);
    check(relay_execute_read(check_arena(), sent->data, sent->length, &head, &code, &names,
                             &texts) < 0);
}

TEST(relay_pairs_are_two_strings_and_nothing_more) {
    static const char sent[] = "12345678name\0value";
    const char *pair[2];
    for (size_t n = 0; n < sizeof sent; n++) {
        check(relay_pair_read(check_guarded(check_arena(), sent, n), n, 8, pair) < 0);
    }
    check_int(relay_pair_read(sent, sizeof sent, 8, pair), 0);
    check_same(pair[0], "name");
    check_same(pair[1], "value");
    check(relay_pair_read("12345678a\0b\0c", 14, 8, pair) < 0);
}

/* A TILED frame of that shape with `floats` numbers behind it. */
static int tiled(uint32_t rank, int64_t a, int64_t b, size_t floats) {
    struct relay_tiled head = { .ticket = 5, .good = 1, .rank = rank, .shape = { a, b } };
    struct buf *frame = buf_new(check_arena());
    size_t rest_length;
    const char *rest;
    buf_add(frame, &head, sizeof head);
    for (size_t i = 0; i < floats; i++) {
        buf_add(frame, "1234", 4);
    }
    const char *bytes = check_guarded(check_arena(), frame->data, frame->length);
    int status = relay_tiled_read(bytes, frame->length, &head, &rest, &rest_length);
    check(status < 0 || (rest == bytes + sizeof head && rest_length == 4 * floats));
    return status;
}

TEST(relay_tiles_have_as_many_numbers_as_their_shape) {
    check_int(tiled(2, 2, 3, 6), 0);
    check_int(tiled(0, 9, 9, 1), 0);
    check_int(tiled(1, 0, 0, 0), 0);
    check_int(tiled(2, 2, 3, 5), -1);
    check_int(tiled(2, 2, 3, 7), -1);
    check_int(tiled(2, -2, -3, 6), -1);
    check_int(tiled(6, 1, 1, 1), -1);
    check_int(tiled(UINT32_MAX, 1, 1, 1), -1);
    check_int(tiled(2, INT64_C(1) << 62, 4, 0), -1); /* wraps to 0 */
    check_int(tiled(1, INT64_C(1) << 62, 1, 0), -1); /* its bytes do */
}

TEST(relay_tiled_says_why_there_are_none) {
    struct relay_tiled head = { .rank = UINT32_MAX };
    struct buf *frame = buf_new(check_arena());
    size_t rest_length;
    const char *rest;
    buf_add(frame, &head, sizeof head);
    buf_text(frame, "why");
    check_int(relay_tiled_read(frame->data, frame->length, &head, &rest, &rest_length), 0);
    check(!head.good && rest_length == 3 && memcmp(rest, "why", 3) == 0);
    while (frame->length < sizeof head + 599) {
        buf_char(frame, 'y');
    }
    check_int(relay_tiled_read(frame->data, frame->length, &head, &rest, &rest_length), 0);
    buf_char(frame, '!'); /* longer than a struct err's text */
    check_int(relay_tiled_read(frame->data, frame->length, &head, &rest, &rest_length), -1);
    for (size_t n = 0; n < sizeof head; n++) {
        check(relay_tiled_read(frame->data, n, &head, &rest, &rest_length) < 0);
    }
}
