/* sockets: what goes out and comes in through real sockets, and what lies in between. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/wire/sign.h"
#include "kernel/wire/sockets.h"
#include "tests/check.h"
#include "tests/faults.h"
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

/* ---- what comes in ---- */

struct dialogue {
    struct connection *connection;
    struct sockets *sockets;
    struct peer *peer; /* a client on shell */
    struct sign *sign;
};

static struct dialogue dialogue_new(const char *key) {
    struct dialogue d = { .connection = peer_connection(check_arena(), key) };
    struct err err;
    d.sockets = sockets_new(d.connection);
    d.peer = peer_new(PEER_DEALER, 0);
    d.sign = sign_new(check_arena(), d.connection->scheme, key, strlen(key), &err);
    peer_connect(d.peer, connection_endpoint(check_arena(), d.connection, CHANNEL_SHELL));
    return d;
}

/* A request with that content, signed, and more frames behind it. */
static void ask(const struct dialogue *d, const char *content, struct frame more, int count) {
    static const char header[] = "{\"msg_id\":\"1\",\"msg_type\":\"x_request\"}";
    struct frame *frames = arena_array(check_arena(), 6 + count, sizeof *frames);
    char hex[SIGN_MOST + 1];
    frames[0] = (struct frame){ "<IDS|MSG>", 9 };
    frames[2] = (struct frame){ header, sizeof header - 1 };
    frames[3] = frames[4] = (struct frame){ "{}", 2 };
    frames[5] = (struct frame){ content, strlen(content) };
    frames[1] = (struct frame){ hex, sign_make(d->sign, frames + 2, 4, hex) };
    for (int i = 0; i < count; i++) {
        frames[6 + i] = more;
    }
    peer_send(d->peer, frames, 6 + count);
}

/* As sockets_receive, when something has come. */
static int receive(const struct dialogue *d, struct message **message, struct err *err) {
    while (!(sockets_wait(d->sockets, NULL, 0, PATIENCE_MS) & 1U << CHANNEL_SHELL)) {
    }
    return sockets_receive(d->sockets, CHANNEL_SHELL, message, err);
}

TEST(sockets_answer_who_asked) {
    struct dialogue d = dialogue_new("a key");
    struct frame frames[FRAMES];
    struct message *message;
    struct err err;
    ask(&d, "{\"a\":7}", (struct frame){ "buffer", 6 }, 2);
    if (!check(receive(&d, &message, &err) == 1)) {
        return;
    }
    check_same(message->type, "x_request");
    check_int(message->buffer_count, 2);
    check_int(frames_number(message, "a", 0), 7);
    sockets_reply(d.sockets, message, "x_reply", "{}", (struct frame){ "{\"b\":1}", 7 });
    check_int(peer_read(d.peer, frames, FRAMES, PATIENCE_MS), 6);
    check_same(frames[0].bytes, "<IDS|MSG>");
    check_text(frames[2].bytes, "x_reply");
    check_text(frames[3].bytes, "x_request");
    check_same(frames[5].bytes, "{\"b\":1}");
    frames_free(message);
    check_int(sockets_receive(d.sockets, CHANNEL_SHELL, &message, &err), 0);
}

TEST(sockets_ask_whom_they_can_reach) {
    struct dialogue d = dialogue_new("a key");
    struct message *message;
    struct err err;
    char id[ENVELOPE_ID];
    ask(&d, "{}", (struct frame){ 0 }, 0);
    if (check(receive(&d, &message, &err) == 1)) { /* its stdin is not there */
        check_int(
            sockets_ask(d.sockets, message, "input_request", (struct frame){ "{}", 2 }, id),
            -1);
        frames_free(message);
    }
    check_int(sockets_backlog(d.sockets), 0);
}

TEST(sockets_obey_nothing_twice_and_nothing_unsigned) {
    struct dialogue d = dialogue_new("a key");
    struct message *message;
    struct err err;
    ask(&d, "{}", (struct frame){ 0 }, 0);
    check_int(receive(&d, &message, &err), 1);
    frames_free(message);
    ask(&d, "{}", (struct frame){ 0 }, 0);
    check_int(receive(&d, &message, &err), -1);
    check_text(err.text, "received before");
    d.sign = sign_new(check_arena(), "hmac-sha256", "another", 7, &err);
    ask(&d, "{}", (struct frame){ 0 }, 0);
    check_int(receive(&d, &message, &err), -1);
    check_text(err.text, "signature");
    peer_send(d.peer, &(struct frame){ "x", 1 }, 1);
    check_int(receive(&d, &message, &err), -1);
    check_text(err.text, "without <IDS|MSG>");
}

TEST(sockets_without_a_key_take_everything) {
    struct dialogue d = dialogue_new("");
    struct message *message;
    struct err err;
    for (int i = 0; i < 2; i++) {
        ask(&d, "{", (struct frame){ 0 }, 0);
        check_int(receive(&d, &message, &err), 1);
        check(message->bad != NULL);
        frames_free(message);
    }
}

TEST(sockets_cut_what_is_too_much) {
    struct dialogue d = dialogue_new("a key");
    struct message *message;
    struct err err;
    ask(&d, "{}", (struct frame){ "b", 1 }, 300); /* an identity comes before them */
    check_int(receive(&d, &message, &err), 1);
    check(message->cut);
    check_int(message->buffer_count, FRAMES_MOST - 7);
    frames_free(message);
    char *large = calloc(FRAMES_BYTES_MOST, 1);
    ask(&d, "{\"n\":2}", (struct frame){ large, FRAMES_BYTES_MOST }, 2);
    check_int(receive(&d, &message, &err), 1);
    check(message->cut);
    check_int(message->buffer_count, 1);
    frames_free(message);
    free(large);
}

/* And what is behind it is not taken for a message. */
TEST(sockets_drop_whole_what_there_is_no_memory_for) {
    enum { LARGE = 8 << 20 };
    struct dialogue d = dialogue_new("a key");
    struct message *message;
    struct err err;
    char *large = calloc(LARGE + 1, 1);
    memset(large, ' ', LARGE);
    ask(&d, large, (struct frame){ "b", 1 }, 3);
    arena_budget(arena_held() + LARGE / 2);
    check_int(receive(&d, &message, &err), -1);
    arena_budget(0);
    check_int(err.kind, ERR_MEMORY);
    check_text(err.text, "for which there is no memory");
    check_int(sockets_receive(d.sockets, CHANNEL_SHELL, &message, &err), 0);
    ask(&d, "{}", (struct frame){ 0 }, 0);
    if (check_int(receive(&d, &message, &err), 1)) {
        frames_free(message);
    }
    free(large);
}

TEST(sockets_ride_out_interrupted_calls) {
    struct dialogue d = dialogue_new("a key");
    struct frame frames[FRAMES];
    struct message *message;
    struct err err;
    faults_set("zmq_msg_recv", 2, 3, EINTR);
    ask(&d, "{}", (struct frame){ 0 }, 0);
    check_int(receive(&d, &message, &err), 1);
    faults_end();
    faults_set("zmq_send", 2, 3, EINTR);
    faults_set("zmq_msg_send", 0, 3, EINTR);
    sockets_reply(d.sockets, message, "x_reply", "{}", (struct frame){ "{}", 2 });
    faults_end();
    check_int(peer_read(d.peer, frames, FRAMES, PATIENCE_MS), 6);
    frames_free(message);
}

/* Nothing of this can be seen from outside but that nothing breaks. */
TEST(sockets_survive_calls_that_fail) {
    struct dialogue d = dialogue_new("a key");
    struct message *message;
    struct err err;
    ask(&d, "{}", (struct frame){ 0 }, 0);
    faults_set("zmq_getsockopt", 0, 1, ECANCELED);
    check_int(receive(&d, &message, &err), 0);
    faults_end();
    faults_set("zmq_msg_recv", 0, 1, EAGAIN);
    check_int(receive(&d, &message, &err), 0);
    faults_end();
    faults_set("zmq_msg_recv", 3, 1, EAGAIN); /* half of a message */
    check_int(receive(&d, &message, &err), -1);
    faults_end();
    faults_set("zmq_send", 0, 5, ECANCELED);
    sockets_publish(d.sockets, NULL, "status", (struct frame){ "{}", 2 }, NULL);
    faults_end();
    faults_set("zmq_msg_send", 0, 1, ECANCELED);
    sockets_publish(d.sockets, NULL, "status", (struct frame){ "{}", 2 }, NULL);
    faults_end();
    check_int(sockets_backlog(d.sockets), 0); /* what could not be sent is not queued */
}

TEST(sockets_wait_for_descriptors_too) {
    struct sockets *sockets = sockets_new(peer_connection(check_arena(), ""));
    int ends[2];
    check(pipe(ends) == 0);
    struct pollfd fds[2] = { { .fd = ends[0], .events = POLLIN },
                             { .fd = ends[1], .events = POLLOUT } };
    check_int(sockets_wait(sockets, fds, 2, PATIENCE_MS), 0);
    check(fds[0].revents == 0 && fds[1].revents == POLLOUT);
    check_int(write(ends[1], "x", 1), 1);
    check_int(sockets_wait(sockets, fds, 1, PATIENCE_MS), 0);
    check_int(fds[0].revents, POLLIN);
    char byte;
    check_int(read(ends[0], &byte, 1), 1);
    check_int(sockets_wait(sockets, fds, 1, 0), 0);
    check_int(fds[0].revents, 0);
    close(ends[0]);
    close(ends[1]);
}

/* ---- where to listen ---- */

static struct connection *on_tcp(const char *ip, int port) {
    struct connection *connection = peer_connection(check_arena(), "");
    connection->ipc = false;
    connection->ip = ip;
    for (int i = 0; i < CHANNELS; i++) {
        connection->ports[i] = port;
    }
    return connection;
}

TEST(sockets_learn_which_ports_they_got) {
    struct connection *connection = on_tcp("127.0.0.1", 0);
    sockets_new(connection);
    for (int i = 0; i < CHANNELS; i++) {
        check(connection->ports[i] > 0);
        check(i == 0 || connection->ports[i] != connection->ports[i - 1]);
    }
}

TEST(sockets_wait_for_a_port_that_is_in_use) {
    struct connection *connection = on_tcp("127.0.0.1", 0);
    struct err err;
    faults_set("nanosleep", 0, 1000, EINTR);
    faults_set("zmq_bind", 1, 3, EADDRINUSE);
    sockets_new(connection);
    faults_end();
    faults_set("nanosleep", 0, 1000, EINTR);
    faults_set("zmq_bind", 1, 1000, EADDRINUSE);
    check(!sockets_open(check_arena(), on_tcp("127.0.0.1", 0), &err));
    faults_end();
    check_text(err.text, "cannot listen on tcp://127.0.0.1:*: Address already in use");
}

TEST(sockets_say_why_they_cannot_be_opened) {
    struct err err;
    check(!sockets_open(check_arena(), on_tcp("no address", 1), &err));
    check_int(err.kind, ERR_IO);
    check_text(err.text, "cannot listen on tcp://no address:1");
    faults_set("zmq_ctx_new", 0, 1, EMFILE);
    check(!sockets_open(check_arena(), on_tcp("127.0.0.1", 0), &err));
    faults_end();
    check_text(err.text, "libzmq cannot start: Too many open files");
    struct connection *connection = peer_connection(check_arena(), "key");
    connection->scheme = "hmac-none";
    check(!sockets_open(check_arena(), connection, &err));
    check_text(err.text, "hmac-none");
}

/* ---- iopub ---- */

/* What subscribers send besides subscriptions; only a subscription is greeted. */
TEST(sockets_greet_subscriptions_alone) {
    struct connection *connection = peer_connection(check_arena(), "");
    struct sockets *sockets = sockets_new(connection);
    struct peer *peer = peer_new(PEER_XSUB, 0);
    struct frame frames[FRAMES];
    static char large[1024] = "\1";
    const struct frame sent[] = { { "", 0 },       { "hello", 5 }, { large, sizeof large },
                                  { "\1\xff", 2 }, { "\0x", 2 },   { "\1topic", 6 } };
    peer_connect(peer, connection_endpoint(check_arena(), connection, CHANNEL_IOPUB));
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        peer_send(peer, &sent[i], 1);
    }
    int count = 0;
    faults_set("zmq_msg_recv", 1, 2, EINTR);
    while (count == 0) {
        sockets_wait(sockets, NULL, 0, PATIENCE_MS);
        sockets_welcome(sockets);
        count = peer_read(peer, frames, FRAMES, 50);
    }
    faults_end();
    check_int(count, 7);
    check_same(frames[0].bytes, "topic");
    check_text(frames[3].bytes, "iopub_welcome");
    check_same(frames[6].bytes, "{\"subscription\":\"topic\"}");
    check_int(peer_read(peer, frames, FRAMES, 0), 0);
}

/* Who subscribes without end is left to the next turn. */
TEST(sockets_greet_so_many_at_once) {
    enum { MANY = 1200 };
    struct connection *connection = peer_connection(check_arena(), "");
    struct sockets *sockets = sockets_new(connection);
    struct peer *peer = peer_new(PEER_XSUB, 0);
    struct frame frames[FRAMES];
    int turns = 0, count = 0;
    peer_connect(peer, connection_endpoint(check_arena(), connection, CHANNEL_IOPUB));
    peer_send(peer, &(struct frame){ "\1topic", 6 }, 1);
    sockets_wait(sockets, NULL, 0, PATIENCE_MS);
    faults_set("zmq_msg_recv", 0, MANY, EINTR); /* as if so many had come before it */
    while (count == 0 && turns++ < PATIENCE_MS / 50) {
        sockets_welcome(sockets);
        count = peer_read(peer, frames, FRAMES, 50);
    }
    faults_end();
    check_text(frames[3].bytes, "iopub_welcome");
    check(turns >= 3);
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

TEST(sockets_cut_off_who_takes_nothing) {
    enum { MESSAGES = 40, BYTES = 1 << 20 };
    struct connection *connection = peer_connection(check_arena(), "key");
    struct sockets *sockets = sockets_new(connection);
    struct peer *peer = subscriber(sockets, connection, 1);
    struct frame frames[FRAMES];
    check(drained(sockets, 0));
    check_int(sockets_tick(sockets, 1), 0);
    check_int(sockets_due(sockets), 0);
    char *text = arena_alloc(check_arena(), BYTES);
    for (int i = 0; i < MESSAGES; i++) {
        sockets_publish(sockets, NULL, "stream", (struct frame){ text, BYTES }, NULL);
    }
    int64_t now = 1000, cut = 0;
    for (int i = 0; i < 10; i++) { /* what goes without being read has gone */
        sockets_wait(sockets, NULL, 0, 10);
    }
    check_int(sockets_tick(sockets, now), 0);
    check(sockets_due(sockets) > now);
    check_int(sockets_tick(sockets, now + 1), 0);
    while (cut == 0 && check(now < 200000)) {
        now = sockets_due(sockets);
        cut = sockets_tick(sockets, now);
    }
    check_int(cut, 1);
    check(now > 60000);
    check(drained(sockets, 0));
    check_int(sockets_tick(sockets, now + 1), 0);
    check_int(sockets_due(sockets), 0);
    while (peer_read(peer, frames, FRAMES, 100) > 0) { /* it comes again and is greeted */
    }
    for (int count = 0, i = 0; count == 0 && check(i < PATIENCE_MS / 50); i++) {
        sockets_wait(sockets, NULL, 0, 50);
        sockets_welcome(sockets); /* that it left comes first */
        count = peer_read(peer, frames, FRAMES, 50);
    }
    check_text(frames[6].bytes, "subscription");
}

/* Whether so many messages come. */
static bool comes(struct peer *peer, int count) {
    struct frame frames[FRAMES];
    while (count > 0 && peer_read(peer, frames, FRAMES, PATIENCE_MS) > 0) {
        count--;
    }
    return count == 0;
}

/* Beside one that takes nothing another one gets all, before and after the first is cut off. */
TEST(sockets_serve_the_living_beside_the_stuck) {
    enum { MESSAGES = 40, BYTES = 1 << 20 };
    struct connection *connection = peer_connection(check_arena(), "key");
    struct sockets *sockets = sockets_new(connection);
    subscriber(sockets, connection, 1);
    struct peer *living = subscriber(sockets, connection, 0);
    char *text = arena_alloc(check_arena(), BYTES);
    int64_t now = 1000, cut = 0;
    check(drained(sockets, 0));
    for (int i = 0; i < MESSAGES; i++) {
        sockets_publish(sockets, NULL, "stream", (struct frame){ text, BYTES }, NULL);
    }
    check(comes(living, MESSAGES));
    check(sockets_backlog(sockets) > 0); /* what the other one has not taken */
    sockets_tick(sockets, now);
    while (cut == 0 && check(now < 200000)) {
        now = sockets_due(sockets);
        sockets_publish(sockets, NULL, "stream", (struct frame){ text, 1 }, NULL);
        check(comes(living, 1));
        cut = sockets_tick(sockets, now);
    }
    check_int(cut, 1);
    check(drained(sockets, 0));
    sockets_publish(sockets, NULL, "stream", (struct frame){ text, BYTES }, NULL);
    check(comes(living, 1));
}
