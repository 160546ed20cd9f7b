/* sockets: what goes out and comes in through real sockets, and what lies in between. */
#include <stdlib.h>
#include <string.h>

#include "kernel/wire/sockets.h"
#include "tests/check.h"
#include "tests/peer.h"

enum { PATIENCE_MS = 20000, FRAMES = 16 };

static void sockets_end(void *sockets) {
    sockets_close(sockets, 0);
}

static struct sockets *sockets_new(struct connection *connection) {
    struct err err;
    struct sockets *sockets = sockets_open(check_arena(), connection, &err);
    if (check(sockets != NULL)) {
        arena_defer(check_arena(), sockets_end, sockets);
    }
    return sockets;
}

/* A subscriber that has been greeted. */
static struct peer *subscriber(struct sockets *sockets, const struct connection *connection,
                               int most) {
    struct frame frames[FRAMES];
    struct peer *peer = peer_new(PEER_SUB, most);
    peer_connect(peer, connection_endpoint(check_arena(), connection, CHANNEL_IOPUB));
    while (!(sockets_wait(sockets, NULL, 0, PATIENCE_MS) & 1U << CHANNEL_IOPUB)) {
    }
    sockets_welcome(sockets);
    check_int(peer_read(peer, frames, FRAMES, PATIENCE_MS), 7);
    check_text(frames[6].bytes, "subscription");
    return peer;
}

/* Waits until no more than `most` bytes are under way. */
static bool drained(struct sockets *sockets, int64_t most) {
    for (int i = 0; i < PATIENCE_MS && sockets_backlog(sockets) > most; i++) {
        sockets_wait(sockets, NULL, 0, 1); /* only so does libzmq tell that someone left */
    }
    return sockets_backlog(sockets) <= most;
}

TEST(sockets_backlog_is_what_a_subscriber_has_not_taken) {
    enum { MESSAGES = 40, BYTES = 1 << 20 };
    struct connection *connection = peer_connection(check_arena(), "key");
    struct sockets *sockets = sockets_new(connection);
    struct peer *peer = subscriber(sockets, connection, 1);
    struct frame frames[FRAMES];
    check(drained(sockets, 0));
    for (int i = 0; i < MESSAGES; i++) {
        char *block = calloc(BYTES, 1); /* every second one is copied */
        sockets_publish(sockets, NULL, "stream", (struct frame){ block, BYTES },
                        i % 2 ? block : NULL);
        if (i % 2 == 0) {
            free(block);
        }
    }
    check(sockets_backlog(sockets) > MESSAGES / 2 * BYTES);
    check(sockets_backlog(sockets) < (MESSAGES + 1) * (int64_t)BYTES);
    for (int i = 0; i < MESSAGES; i++) {
        check_int(peer_read(peer, frames, FRAMES, PATIENCE_MS), 7);
        check_int(frames[6].length, BYTES);
    }
    check(drained(sockets, 0));
}

TEST(sockets_backlog_forgets_who_left) {
    enum { MESSAGES = 1000 };
    static char text[10000];
    const struct frame buffers[2] = { { "b", 1 }, { text, sizeof text } };
    struct connection *connection = peer_connection(check_arena(), "");
    struct sockets *sockets = sockets_new(connection);
    struct peer *peer = subscriber(sockets, connection, 1);
    for (int i = 0; i < MESSAGES; i++) {
        sockets_publish_all(sockets, NULL, "comm_msg", (struct frame){ "{}", 2 }, buffers, 2,
                            NULL);
    }
    check(sockets_backlog(sockets) > MESSAGES / 2 * (int64_t)sizeof text);
    peer_close(peer);
    check(drained(sockets, 0));
    sockets_publish(sockets, NULL, "status", (struct frame){ "{}", 2 }, NULL);
    check(drained(sockets, 0)); /* nobody is there */
}
