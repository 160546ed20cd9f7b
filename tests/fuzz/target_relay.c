/* What a worker that has been broken into may write while a cell runs, a comm is open and a
 * tile is asked for. Bytes that begin with 0 are written as they are; others are frames that
 * end with 0x1e: a byte that says the kind, then what the frame holds. */
#include <string.h>

#include "kernel/front/execute.h"
#include "kernel/front/minder.h"
#include "tests/fuzz/pretend.h"
#include "tests/fuzz/targets.h"

static struct frame text(const char *bytes) {
    return (struct frame){ bytes, strlen(bytes) };
}

static void ask(struct front *front, const char *type, const char *content) {
    pretend_ask(front, text(type), text(content), NULL, 0);
}

static bool write_frames(struct front *front, struct frame rest) {
    struct frame piece;
    while (targets_piece(&rest, 0x1e, &piece)) {
        if (piece.length > 0 && pretend_frame(front, (unsigned char)piece.bytes[0],
                                              piece.bytes + 1, piece.length - 1)) {
            return true;
        }
        execute_tick(front, front_now() + 100);
    }
    return false;
}

void target_relay(const uint8_t *bytes, size_t length) {
    const char *at = (const char *)bytes;
    struct front *front = pretend_begin();
    ask(front, "comm_open", "{\"comm_id\":\"c\",\"target_name\":\"cutaway\"}");
    ask(front, "execute_request",
        "{\"code\":\"%seed 7\",\"user_expressions\":{\"a\":\"b\"},"
        "\"allow_stdin\":true}");
    ask(front, "comm_msg",
        "{\"comm_id\":\"c\",\"data\":{\"ask\":\"tile\",\"result\":\"1\",\"series\":\"s\","
        "\"at\":[0]}}");
    ask(front, "execute_request", "{\"code\":\"%seed 8\"}");
    bool raw = length > 0 && at[0] == 0;
    bool gone = raw ? pretend_write(front, at + 1, length - 1)
                    : write_frames(front, (struct frame){ at, length });
    ask(front, "input_reply", "{\"value\":\"an answer\"}");
    ask(front, "complete_request", "{\"code\":\"%model use \"}");
    ask(front, "comm_msg", "{\"comm_id\":\"c\",\"data\":{\"ask\":\"state\"}}");
    for (int i = 0; i < 3 && (gone || front->running.message); i++) {
        execute_died(front); /* each fails one cell, or finds none */
        gone = false;
    }
    const struct pretend_sent *sent = pretend_sent();
    must(!front->running.message && !front->queue.first);
    must(sent->busy >= 5 && sent->replies == 3);
    pretend_end(front);
}
