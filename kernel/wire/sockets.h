#ifndef KERNEL_WIRE_SOCKETS_H
#define KERNEL_WIRE_SOCKETS_H

#include <poll.h>
#include <stdint.h>

#include "kernel/wire/connection.h"
#include "kernel/wire/envelope.h"
#include "kernel/wire/frames.h"

/* sockets: the kernel's five sockets. One thread owns them all; the heartbeat alone has its
 * own.
 *
 * Shell, control and stdin are ROUTERs that hand an identity over to whoever connects with it
 * again (a server that reconnects does). iopub is an XPUB, so that each subscriber is greeted:
 * right before anything is published, subscriptions that arrived are answered with
 * iopub_welcome (one that arrives in the same microsecond may be answered after the message).
 * Its queue is long (100,000 messages a subscriber), finite, and never blocks. */

struct sockets;

/* Binds all five; an address still in use is tried again for some seconds (a restarted kernel
 * gets its predecessor's). Ports that the kernel is to choose are filled in, and told to the
 * registration service. The keys are not needed any more. NULL with the address and the reason.
 */
struct sockets *sockets_open(struct arena *arena, struct connection *connection,
                             struct err *err);

/* Sends what is queued for at most `linger_ms`, then closes. */
void sockets_close(struct sockets *sockets, int linger_ms);

/* Waits for messages or for `fds`, whose revents are filled. Returns bits 1 << channel. */
unsigned sockets_wait(struct sockets *sockets, struct pollfd *fds, int count, int timeout_ms);

/* The next message. 1: in *message, verified and read, to be freed with frames_free. 0: none
 * there. -1: there was one, but it must be ignored, or there is no memory for it; `err` says
 * which. */
int sockets_receive(struct sockets *sockets, enum channel channel, struct message **message,
                    struct err *err);

/* Answers on the request's channel, to all of its identities. `metadata` and `content` are
 * JSON. */
void sockets_reply(struct sockets *sockets, const struct message *request, const char *type,
                   const char *metadata, struct frame content);

/* Asks the client of that request something, on stdin, where it has the same identities. The
 * question's message id is written to `id`. -1: it is not there (yet: its sockets need not be
 * connected at the same time). */
int sockets_ask(struct sockets *sockets, const struct message *request, const char *type,
                struct frame content, char id[ENVELOPE_ID]);

/* Says something to all; `parent` is the request that caused it, or NULL. With `base` the
 * content lies in a block from malloc that now belongs to the socket and is sent from where it
 * lies. */
void sockets_publish(struct sockets *sockets, const struct message *parent, const char *type,
                     struct frame content, void *base);

/* The same with buffers after the content; `base` is then the last one's. */
void sockets_publish_all(struct sockets *sockets, const struct message *parent,
                         const char *type, struct frame content, const struct frame *buffers,
                         int buffer_count, void *base);

/* Bytes of what was said to all and is not yet taken by every subscriber, or dropped with one
 * that left; libzmq's own memory for it included. Whoever publishes pauses while it is large.
 */
int64_t sockets_backlog(const struct sockets *sockets);

/* When sockets_tick is to be called, in the ms of its clock; 0: nothing waits. */
int64_t sockets_due(const struct sockets *sockets);

/* Cuts off subscribers that take nothing for a minute while something waits for them
 * (kernel/wire/laggard.h). Returns how many. */
int sockets_tick(struct sockets *sockets, int64_t now);

/* Greets new subscribers. sockets_publish does so first; call it when iopub has something to
 * read. */
void sockets_welcome(struct sockets *sockets);

#endif
