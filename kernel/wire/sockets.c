#include "kernel/wire/sockets.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zmq.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "kernel/wire/curve.h"
#include "kernel/wire/envelope.h"
#include "kernel/wire/handshake.h"
#include "kernel/wire/heartbeat.h"
#include "kernel/wire/laggard.h"
#include "kernel/wire/multipart.h"
#include "kernel/wire/parcel.h"
#include "kernel/wire/seen.h"
#include "kernel/wire/sign.h"

enum {
    BIND_TRIES = 250,
    BIND_PAUSE_MS = 20,
    GREETINGS_MOST = 500, /* at once: strangers may subscribe without end */
    HANDSHAKE_MS = 5000,
    QUEUE_MOST = 100000,
    LINGER_MS = 1000,
    FDS_MOST = 8
};

struct sockets {
    void *context;
    void *at[CHANNELS]; /* the heartbeat's belongs to its thread */
    struct heartbeat *heartbeat;
    struct sign *sign;
    struct seen *seen; /* NULL: nothing is signed */
    struct envelope envelope;
    struct buf *header;             /* of the message being written */
    struct buf *greeting, *content; /* of a greeting, which may come before it */
    atomic_llong backlog[CHANNELS]; /* bytes queued */
    long long sent[CHANNELS];       /* bytes ever queued */
    struct laggards *laggards;
    int64_t look_at; /* ms; when to look for them next; 0: nothing waits */
};

static void option_set(void *socket, int option, int value) {
    zmq_setsockopt(socket, option, &value, sizeof value);
}

/* Subscriptions and beats are small; what is larger is cut off with its sender. */
static int64_t frame_most(enum channel channel) {
    return channel == CHANNEL_IOPUB || channel == CHANNEL_HEARTBEAT ? FRAMES_HEADER_MOST
                                                                    : FRAMES_BYTES_MOST;
}

static void *socket_new(void *context, const struct connection *connection,
                        enum channel channel) {
    void *socket = zmq_socket(context, channel == CHANNEL_IOPUB ? ZMQ_XPUB : ZMQ_ROUTER);
    int64_t most = frame_most(channel);
    option_set(socket, ZMQ_LINGER, LINGER_MS);
    option_set(socket, ZMQ_SNDHWM, QUEUE_MOST);
    option_set(socket, ZMQ_IPV6, strchr(connection->ip, ':') != NULL);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    if (channel == CHANNEL_IOPUB) {
        option_set(socket, ZMQ_XPUB_VERBOSE, 1); /* or the second subscriber is not told of */
    } else {
        option_set(socket, ZMQ_ROUTER_HANDOVER, 1);
        option_set(socket, ZMQ_ROUTER_MANDATORY, channel == CHANNEL_STDIN);
    }
    curve_serve(socket, connection);
    return socket;
}

/* Which port the system chose, if it was to. */
static void port_learn(void *socket, int *port) {
    char endpoint[PATH_MAX];
    size_t size = sizeof endpoint;
    if (*port == 0) {
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
        *port = atoi(strrchr(endpoint, ':') + 1);
    }
}

static int socket_bind(struct arena *arena, void *socket, struct connection *connection,
                       enum channel channel, struct err *err) {
    const char *endpoint = connection_endpoint(arena, connection, channel);
    int why = 0;
    for (int i = 0; i < BIND_TRIES; i++) {
        if (zmq_bind(socket, endpoint) == 0) {
            port_learn(socket, &connection->ports[channel]);
            return 0;
        }
        why = errno;
        if (why != EADDRINUSE) {
            break;
        }
        nanosleep(&(struct timespec){ .tv_nsec = BIND_PAUSE_MS * 1000000L }, NULL);
    }
    return err_set(err, ERR_IO, "cannot listen on %s: %s", endpoint, zmq_strerror(why));
}

/* Binds all, then starts what answers. Binding comes before all else: a client that finds no
 * one listening waits 100 ms before it tries again. */
static int sockets_start(struct arena *arena, struct sockets *sockets,
                         struct connection *connection, struct err *err) {
    if (curve_check(connection, err) < 0) {
        return err_pass(err);
    }
    for (int i = 0; i < CHANNELS; i++) {
        if (socket_bind(arena, sockets->at[i], connection, (enum channel)i, err) < 0) {
            return err_pass(err);
        }
    }
    sockets->heartbeat = heartbeat_start(arena, sockets->at[CHANNEL_HEARTBEAT], err);
    sockets->sign = sockets->heartbeat ? sign_new(arena, connection->scheme, connection->key,
                                                  connection->key_length, err)
                                       : NULL;
    if (!sockets->sign ||
        (connection->kernel_id && handshake(arena, sockets->context, connection, sockets->sign,
                                            HANDSHAKE_MS, err) < 0)) {
        return err_pass(err);
    }
    sockets->seen = connection->key_length > 0 ? seen_new(arena) : NULL;
    sockets->laggards = laggards_new(arena, connection);
    return 0;
}

struct sockets *sockets_open(struct arena *arena, struct connection *connection,
                             struct err *err) {
    struct sockets *sockets = arena_alloc(arena, sizeof *sockets);
    envelope_init(&sockets->envelope);
    sockets->header = buf_new(arena);
    sockets->greeting = buf_new(arena);
    sockets->content = buf_new(arena);
    sockets->context = zmq_ctx_new();
    if (!sockets->context) {
        err_set(err, ERR_IO, "libzmq cannot start: %s", zmq_strerror(errno));
        return NULL;
    }
    for (int i = 0; i < CHANNELS; i++) {
        sockets->at[i] = socket_new(sockets->context, connection, (enum channel)i);
    }
    if (sockets_start(arena, sockets, connection, err) < 0) {
        sockets_close(sockets, 0);
        return NULL;
    }
    return sockets;
}

void sockets_close(struct sockets *sockets, int linger_ms) {
    for (int i = 0; i < CHANNELS; i++) {
        option_set(sockets->at[i], ZMQ_LINGER, i == CHANNEL_HEARTBEAT ? 0 : linger_ms);
        if (i != CHANNEL_HEARTBEAT || !sockets->heartbeat) {
            zmq_close(sockets->at[i]);
        }
    }
    zmq_ctx_shutdown(sockets->context); /* ends the heartbeat's wait */
    if (sockets->heartbeat) {
        heartbeat_join(sockets->heartbeat);
    }
    zmq_ctx_term(sockets->context);
}

unsigned sockets_wait(struct sockets *sockets, struct pollfd *fds, int count, int timeout_ms) {
    enum { OURS = CHANNEL_IOPUB + 1 };
    zmq_pollitem_t items[OURS + FDS_MOST] = { 0 };
    unsigned ready = 0;
    for (int i = 0; i < OURS; i++) {
        items[i] = (zmq_pollitem_t){ .socket = sockets->at[i], .events = ZMQ_POLLIN };
    }
    for (int i = 0; i < count; i++) {
        items[OURS + i] = (zmq_pollitem_t){
            .fd = fds[i].fd,
            .events = (short)((fds[i].events & POLLIN ? ZMQ_POLLIN : 0) |
                              (fds[i].events & POLLOUT ? ZMQ_POLLOUT : 0)),
        };
    }
    int got = zmq_poll(items, OURS + count, timeout_ms);
    for (int i = 0; got > 0 && i < OURS; i++) {
        ready |= items[i].revents & ZMQ_POLLIN ? 1U << i : 0;
    }
    for (int i = 0; i < count; i++) {
        short seen = got > 0 ? items[OURS + i].revents : 0;
        fds[i].revents = (short)((seen & (ZMQ_POLLIN | ZMQ_POLLERR) ? POLLIN : 0) |
                                 (seen & ZMQ_POLLOUT ? POLLOUT : 0));
    }
    return ready;
}

static int message_read(struct sockets *sockets, struct message *message,
                        const struct frame *frames, int count, struct err *err) {
    unsigned char digest[SIGN_DIGEST];
    if (frames_split(message, frames, count, err) < 0) {
        return err_pass(err);
    }
    if (!sign_holds(sockets->sign, message->signature, message->parts, 4, digest)) {
        return err_set(err, ERR_FORMAT, "a message whose signature does not match the key");
    }
    if (sockets->seen && !seen_first(sockets->seen, digest)) {
        return err_set(err, ERR_FORMAT, "a message that was received before");
    }
    return frames_read(message, err);
}

static int message_take(struct sockets *sockets, struct arena *arena, enum channel channel,
                        struct message **message, struct err *err) {
    struct frame *frames = arena_array(arena, FRAMES_MOST, sizeof *frames);
    struct message *fresh = arena_alloc(arena, sizeof *fresh);
    fresh->arena = arena;
    fresh->channel = channel;
    int count = multipart_take(arena, sockets->at[channel], frames, &fresh->cut);
    if (count > 0 && message_read(sockets, fresh, frames, count, err) == 0) {
        *message = fresh;
        return 1;
    }
    return count > 0 ? -1 : 0;
}

int sockets_receive(struct sockets *sockets, enum channel channel, struct message **message,
                    struct err *err) {
    int events = 0;
    size_t size = sizeof events;
    struct catch here;
    volatile int got = -1;
    if (zmq_getsockopt(sockets->at[channel], ZMQ_EVENTS, &events, &size) < 0 ||
        !(events & ZMQ_POLLIN)) {
        return 0;
    }
    struct arena *arena = arena_new();
    if (setjmp(catch_set(&here)->place) == 0) {
        got = message_take(sockets, arena, channel, message, err);
    } else {
        *err = here.err;
    }
    catch_end(&here);
    if (got <= 0) {
        arena_free(arena);
    }
    return got;
}

/* A message on its way out. */
struct outgoing {
    enum channel channel;
    const struct frame *ids; /* what goes before the delimiter: identities, or a topic */
    int id_count;
    const char *type, *metadata;
    struct frame parent, content;
    const struct frame *buffers;
    int buffer_count;
    void *base; /* the block from malloc in which the last frame lies; NULL: none */
    bool greets;
};

static struct frame last_frame(const struct outgoing *out) {
    return out->buffer_count > 0 ? out->buffers[out->buffer_count - 1] : out->content;
}

/* Bytes that the message holds while it is queued: its own and, roughly, libzmq's. */
static long long cost(const struct outgoing *out, const struct frame parts[4]) {
    enum { HEAD = 512, EACH = 128 };
    size_t bytes = HEAD;
    for (int i = 0; i < 4; i++) {
        bytes += parts[i].length + EACH;
    }
    for (int i = 0; i < out->buffer_count; i++) {
        bytes += out->buffers[i].length + EACH;
    }
    return (long long)bytes;
}

/* Identities, delimiter, signature, header, parent, metadata, content, buffers. All that may
 * fail comes before the first frame is sent: half a message would swallow the next. New
 * subscribers are greeted at the last moment: libzmq takes subscriptions while it sends, too,
 * and whoever came since would hear the message before the greeting. -1: see multipart_begin.
 */
static int message_send(struct sockets *sockets, const struct outgoing *out) {
    void *socket = sockets->at[out->channel];
    struct buf *header = out->greets ? sockets->greeting : sockets->header;
    char hex[SIGN_MOST + 1];
    buf_clear(header);
    envelope_header(&sockets->envelope, header, out->type);
    const struct frame parts[4] = {
        { header->data, header->length },
        out->parent,
        { out->metadata, strlen(out->metadata) },
        out->content,
    };
    struct frame signature = { hex, sign_make(sockets->sign, parts, 4, hex) };
    long long bytes = cost(out, parts);
    if (out->channel == CHANNEL_IOPUB && !out->greets) {
        sockets_welcome(sockets);
    }
    struct parcel *parcel =
        parcel_new(last_frame(out), out->base, bytes, &sockets->backlog[out->channel]);
    sockets->sent[out->channel] += bytes;
    if (multipart_begin(socket, out->ids, out->id_count) < 0) {
        parcel_send(parcel, NULL);
        return -1;
    }
    multipart_begin(socket, &(const struct frame){ "<IDS|MSG>", 9 }, 1);
    multipart_begin(socket, &signature, 1);
    multipart_begin(socket, parts, out->buffer_count > 0 ? 4 : 3);
    multipart_begin(socket, out->buffers, out->buffer_count - 1);
    parcel_send(parcel, socket);
    return 0;
}

/* To all of the request's identities. */
static int send_back(struct sockets *sockets, enum channel channel,
                     const struct message *request, const char *type, const char *metadata,
                     struct frame content) {
    return message_send(sockets, &(struct outgoing){ .channel = channel,
                                                     .ids = request->ids,
                                                     .id_count = request->id_count,
                                                     .type = type,
                                                     .metadata = metadata,
                                                     .parent = request->parts[0],
                                                     .content = content });
}

void sockets_reply(struct sockets *sockets, const struct message *request, const char *type,
                   const char *metadata, struct frame content) {
    send_back(sockets, request->channel, request, type, metadata, content);
}

int sockets_ask(struct sockets *sockets, const struct message *request, const char *type,
                struct frame content, char id[ENVELOPE_ID]) {
    int sent = send_back(sockets, CHANNEL_STDIN, request, type, "{}", content);
    envelope_id(&sockets->envelope, id);
    return sent;
}

static const struct frame nothing = { "{}", 2 };

static void welcome_send(struct sockets *sockets, struct frame topic) {
    struct jsonwrite w = { .out = sockets->content };
    if (utf8_bad(topic.bytes, topic.length) < topic.length) {
        return; /* a topic is text */
    }
    buf_clear(sockets->content);
    json_open(&w, '{');
    json_key(&w, "subscription");
    json_bytes(&w, topic.bytes, topic.length);
    json_close(&w, '}');
    message_send(sockets, &(struct outgoing){
                              .channel = CHANNEL_IOPUB,
                              .ids = &topic,
                              .id_count = 1,
                              .type = "iopub_welcome",
                              .metadata = "{}",
                              .parent = nothing,
                              .content = { sockets->content->data, sockets->content->length },
                              .greets = true });
}

void sockets_welcome(struct sockets *sockets) {
    int most = GREETINGS_MOST;
    zmq_msg_t news;
    zmq_msg_init(&news);
    while (most-- > 0 && (zmq_msg_recv(&news, sockets->at[CHANNEL_IOPUB], ZMQ_DONTWAIT) >= 0 ||
                          errno == EINTR)) {
        const char *bytes = zmq_msg_data(&news);
        size_t length = zmq_msg_size(&news);
        if (length > 0 && length < 1024 && bytes[0] == 1) { /* 0: someone left */
            welcome_send(sockets, (struct frame){ bytes + 1, length - 1 });
        }
    }
    zmq_msg_close(&news);
}

void sockets_publish_all(struct sockets *sockets, const struct message *parent,
                         const char *type, struct frame content, const struct frame *buffers,
                         int buffer_count, void *base) {
    char topic[128];
    int length = snprintf(topic, sizeof topic, "kernel.%s.%s", sockets->envelope.session, type);
    message_send(sockets,
                 &(struct outgoing){ .channel = CHANNEL_IOPUB,
                                     .ids = &(const struct frame){ topic, (size_t)length },
                                     .id_count = 1,
                                     .type = type,
                                     .metadata = "{}",
                                     .parent = parent ? parent->parts[0] : nothing,
                                     .content = content,
                                     .buffers = buffers,
                                     .buffer_count = buffer_count,
                                     .base = base });
}

void sockets_publish(struct sockets *sockets, const struct message *parent, const char *type,
                     struct frame content, void *base) {
    sockets_publish_all(sockets, parent, type, content, NULL, 0, base);
}

int64_t sockets_backlog(const struct sockets *sockets) {
    return atomic_load(&sockets->backlog[CHANNEL_IOPUB]);
}

int64_t sockets_due(const struct sockets *sockets) {
    return sockets->look_at;
}

int sockets_tick(struct sockets *sockets, int64_t now) {
    int64_t look_at = sockets->look_at, backlog = sockets_backlog(sockets);
    if (backlog == 0) {
        sockets->look_at = 0;
    } else if (look_at <= now) {
        sockets->look_at = now + LAGGARD_LOOK_MS;
        return look_at == 0 ? 0 /* it has just begun */
                            : laggards_look(sockets->laggards, now,
                                            sockets->sent[CHANNEL_IOPUB] - backlog);
    }
    return 0;
}
