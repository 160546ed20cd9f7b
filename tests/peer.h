#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <stddef.h>

#include "core/base/arena.h"
#include "kernel/wire/connection.h"
#include "kernel/wire/frames.h"

/* peer: the other end of a kernel's sockets, for tests. All is closed when the test ends. */

enum peer_kind { PEER_DEALER, PEER_REQ, PEER_SUB, PEER_XSUB, PEER_ROUTER };

struct peer;

/* A connection by unix sockets in the test's folder. */
struct connection *peer_connection(struct arena *arena, const char *key);

/* A socket that is not joined to anything yet. It queues at most `most` messages to be read;
 * 0: any number. */
struct peer *peer_new(enum peer_kind kind, int most);
void peer_connect(struct peer *peer, const char *endpoint);
void peer_bind(struct peer *peer, const char *endpoint);
void peer_close(struct peer *peer);

void peer_send(struct peer *peer, const struct frame *frames, int count);

/* The next message's frames, in the test's arena. Returns their number, 0 if none came in
 * `patience_ms`. */
int peer_read(struct peer *peer, struct frame *frames, int most, int patience_ms);

#endif
