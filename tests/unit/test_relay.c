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
