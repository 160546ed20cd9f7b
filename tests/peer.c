#include "tests/peer.h"

#include <string.h>

#include <zmq.h>

#include "core/base/file.h"
#include "tests/check.h"

struct peer {
    void *context, *socket;
};

struct connection *peer_connection(struct arena *arena, const char *key) {
    struct connection *connection = arena_alloc(arena, sizeof *connection);
    connection->ipc = true;
    connection->ip = file_join(arena, check_folder(arena), "s");
    connection->key = arena_copy(arena, key);
    connection->key_length = strlen(key);
    connection->scheme = "hmac-sha256";
    for (int i = 0; i < CHANNELS; i++) {
        connection->ports[i] = i + 1;
    }
    return connection;
}

void peer_close(struct peer *peer) {
    if (peer->socket) {
        zmq_close(peer->socket);
        zmq_ctx_term(peer->context);
        peer->socket = NULL;
    }
}

static void peer_end(void *peer) {
    peer_close(peer);
}

struct peer *peer_new(enum peer_kind kind, int most) {
    static const int types[] = { ZMQ_DEALER, ZMQ_REQ, ZMQ_SUB, ZMQ_XSUB, ZMQ_ROUTER };
    struct peer *peer = arena_alloc(check_arena(), sizeof *peer);
    int linger = 0;
    peer->context = zmq_ctx_new();
    peer->socket = zmq_socket(peer->context, types[kind]);
    zmq_setsockopt(peer->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(peer->socket, ZMQ_RCVHWM, &most, sizeof most);
    if (kind == PEER_SUB) {
        zmq_setsockopt(peer->socket, ZMQ_SUBSCRIBE, "", 0);
    }
    arena_defer(check_arena(), peer_end, peer);
    return peer;
}

void peer_connect(struct peer *peer, const char *endpoint) {
    check(zmq_connect(peer->socket, endpoint) == 0);
}

void peer_bind(struct peer *peer, const char *endpoint) {
    check(zmq_bind(peer->socket, endpoint) == 0);
}

void peer_send(struct peer *peer, const struct frame *frames, int count) {
    for (int i = 0; i < count; i++) {
        int sent = zmq_send(peer->socket, frames[i].bytes, frames[i].length,
                            i + 1 < count ? ZMQ_SNDMORE : 0);
        check_int(sent, frames[i].length);
    }
}

int peer_read(struct peer *peer, struct frame *frames, int most, int patience_ms) {
    int count = 0, more = 1;
    zmq_setsockopt(peer->socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    while (more) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, peer->socket, 0) < 0) {
            return 0;
        }
        more = zmq_msg_more(&part);
        if (check(count < most)) {
            size_t length = zmq_msg_size(&part);
            frames[count++] =
                (struct frame){ arena_text(check_arena(), zmq_msg_data(&part), length),
                                length };
        }
        zmq_msg_close(&part);
    }
    return count;
}
