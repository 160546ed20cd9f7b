/* Requests, one after another, each answered before the next comes. They end with 0x1e; in each
 * the first line is its type, then comes its content, then buffers that begin with 0x1d. */
#include <string.h>

#include "kernel/front/minder.h"
#include "tests/fuzz/pretend.h"
#include "tests/fuzz/targets.h"

enum { REQUESTS_MOST = 8, BUFFERS_MOST = 4, TYPE_MOST = 200 };

/* Requests that are answered whatever they say. */
static bool must_reply(const char *type) {
    static const char *const types[] = {
        "kernel_info_request", "complete_request",  "inspect_request",   "is_complete_request",
        "history_request",     "comm_info_request", "interrupt_request", "execute_request",
        "connect_request",     "usage_request",     "debug_request"
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void ask(struct front *front, struct frame request) {
    struct frame type, content = { "", 0 }, piece, buffers[BUFFERS_MOST];
    struct pretend_sent before = *pretend_sent();
    char name[TYPE_MOST + 1] = "";
    int count = 0;
    targets_piece(&request, '\n', &type);
    targets_piece(&request, 0x1d, &content);
    while (count < BUFFERS_MOST && targets_piece(&request, 0x1d, &piece)) {
        buffers[count++] = piece;
    }
    type.length = type.length < TYPE_MOST ? type.length : TYPE_MOST;
    memcpy(name, type.bytes, type.length);
    pretend_ask(front, type, content, buffers, count);
    pretend_work(front);

    const struct pretend_sent *after = pretend_sent();
    int replies = after->replies - before.replies, said = after->busy - before.busy;
    must(said == after->idle - before.idle && said <= 1);
    must(replies <= 1 && (!must_reply(name) || replies == 1));
    size_t stem = strlen(name) - (must_reply(name) ? strlen("request") : 0);
    must(!must_reply(name) ||
         (strncmp(after->reply, name, stem) == 0 && strcmp(after->reply + stem, "reply") == 0));
    must(!front->running.message && !front->queue.first);
}

void target_request(const uint8_t *bytes, size_t length) {
    struct frame rest = { (const char *)bytes, length }, request;
    struct front *front = pretend_begin();
    for (int i = 0; i < REQUESTS_MOST && targets_piece(&rest, 0x1e, &request); i++) {
        if (!front->ending) {
            ask(front, request);
        }
    }
    pretend_end(front);
}
