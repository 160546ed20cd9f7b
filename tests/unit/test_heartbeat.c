/* heartbeat: what comes goes back; where no thread is to be had, that is said. */
#include <errno.h>

#include "kernel/wire/heartbeat.h"
#include "kernel/wire/sockets.h"
#include "tests/check.h"
#include "tests/faults.h"
#include "tests/peer.h"

enum { PATIENCE_MS = 20000 };

TEST(heartbeat_sends_every_frame_back) {
    struct err err;
    struct connection *connection = peer_connection(check_arena(), "");
    struct sockets *sockets = sockets_open(check_arena(), connection, &err);
    if (!check(sockets != NULL)) {
        return;
    }
    struct peer *peer = peer_new(PEER_REQ, 0);
    peer_connect(peer, connection_endpoint(check_arena(), connection, CHANNEL_HEARTBEAT));
    for (int i = 0; i < 3; i++) {
        const struct frame sent[2] = { { "ping", 4 }, { "\0\xff", (size_t)i } };
        struct frame frames[2];
        peer_send(peer, sent, 2);
        check_int(peer_read(peer, frames, 2, PATIENCE_MS), 2);
        check_same(frames[0].bytes, "ping");
        check_int(frames[1].length, i);
    }
    peer_close(peer);
    sockets_close(sockets, 0);
}

TEST(heartbeat_says_that_there_is_no_thread) {
    struct err err;
    struct connection *connection = peer_connection(check_arena(), "key");
    faults_set("pthread_create", 0, 1, EAGAIN);
    check(!sockets_open(check_arena(), connection, &err));
    faults_end();
    check_int(err.kind, ERR_IO);
    check_text(err.text, "cannot start the heartbeat's thread: Resource");
}
