#include "kernel/worker/ask.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pipe.h"
#include "kernel/relay/relay.h"

/* How late at most an interrupt is seen that came between the look and the wait. */
enum { LOOK_MS = 50 };

struct ask_request {
    struct ask_request *next;
    uint32_t kind;
    size_t length;
    char bytes[];
};

void ask_defer(struct ask *ask, uint32_t kind, const struct buf *frame) {
    struct ask_request *request = malloc(sizeof *request + frame->length);
    struct ask_request **end = &ask->first;
    if (!request) {
        catch_throw(ERR_MEMORY, "there is no memory for a request that waits for the answer");
    }
    request->next = NULL;
    request->kind = kind;
    request->length = frame->length;
    memcpy(request->bytes, frame->data, frame->length);
    while (*end) {
        end = &(*end)->next;
    }
    *end = request;
}

static void drop(struct ask_request **at) {
    struct ask_request *gone = *at;
    *at = gone->next;
    free(gone);
}

static void take(struct ask_request **at, struct buf *into) {
    buf_clear(into);
    buf_add(into, (*at)->bytes, (*at)->length);
    drop(at);
}

bool ask_deferred(struct ask *ask, uint32_t *kind, struct buf *into) {
    if (!ask->first) {
        return false;
    }
    *kind = ask->first->kind;
    take(&ask->first, into);
    return true;
}

bool ask_deferred_as(struct ask *ask, uint32_t kind, struct buf *into) {
    struct ask_request **at = &ask->first;
    while (*at && (*at)->kind != kind) {
        at = &(*at)->next;
    }
    bool found = *at != NULL;
    if (found) {
        take(at, into);
    }
    return found;
}

void ask_free(struct ask *ask) {
    while (ask->first) {
        drop(&ask->first);
    }
}

/* The next frame, as pipe_read. Other than a read, poll ends by a signal. */
static int frame_await(uint32_t *kind, struct buf *frame) {
    struct pollfd one = { .fd = RELAY_FD, .events = POLLIN };
    do {
        stop_check();
    } while (poll(&one, 1, LOOK_MS) <= 0);
    return pipe_read(RELAY_FD, kind, frame);
}

int ask_reader(void *arg, const char *prompt, bool secret, struct buf *answer,
               struct err *err) {
    struct ask *ask = arg;
    struct buf *frame = buf_new(ask->arena);
    const char hidden = secret ? 1 : 0;
    uint32_t kind = 0;
    pipe_write(RELAY_FD, RELAY_INPUT, &hidden, 1, prompt, strlen(prompt));
    while (kind != RELAY_ANSWER) {
        if (frame_await(&kind, frame) <= 0) {
            return err_set(err, ERR_IO, "the kernel is gone, so nobody can answer");
        }
        if (kind != RELAY_ANSWER) {
            ask_defer(ask, kind, frame);
        }
    }
    char answered = frame->data[0]; /* an empty frame has a NUL there too */
    if (answered == RELAY_REFUSED) {
        return err_set(err, ERR_UNSUPPORTED, "%s", frame->data + 1);
    }
    if (answered == RELAY_TEXT && frame->length > 0) {
        buf_add(answer, frame->data + 1, frame->length - 1);
        return 1;
    }
    return 0;
}
