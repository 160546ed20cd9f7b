#ifndef KERNEL_WIRE_HANDSHAKE_H
#define KERNEL_WIRE_HANDSHAKE_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "kernel/wire/connection.h"
#include "kernel/wire/sign.h"

/* handshake: tells a registration service which ports the kernel chose (JEP 66, protocol 5.6).
 *
 *     kernel  -> service   "<IDS|MSG>" signature {"kernel_id": "...", "shell_port": "50001",
 * ...} service -> kernel    "<IDS|MSG>" signature anything
 *
 * The signature is that of messages, over the one frame that follows it. */

/* Joins the service and waits for its answer for at most `patience_ms`. -1 with ERR_IO: there
 * is none, or none that the key has signed. */
int handshake(struct arena *arena, void *context, const struct connection *connection,
              const struct sign *sign, int patience_ms, struct err *err);

/* Writes the connection file by which others find this kernel, for its owner alone, into
 * Jupyter's runtime folder: $JUPYTER_RUNTIME_DIR, or runtime in Jupyter's data folder. It is
 * removed when the arena ends. Returns its path; NULL with ERR_IO. */
const char *handshake_file(struct arena *arena, const struct connection *connection,
                           struct err *err);

#endif
