#ifndef KERNEL_WIRE_CONNECTION_H
#define KERNEL_WIRE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* connection: the file in which Jupyter says where the kernel is to listen and with which key
 * messages are signed:
 *
 *     {"transport": "tcp", "ip": "127.0.0.1", "shell_port": 50001, "iopub_port": 50002,
 *      "stdin_port": 50003, "control_port": 50004, "hb_port": 50005,
 *      "signature_scheme": "hmac-sha256", "key": "..."}
 *
 * Ports are integers or strings of digits. An empty key means that nothing is signed. */

enum channel {
    CHANNEL_SHELL,
    CHANNEL_CONTROL,
    CHANNEL_STDIN,
    CHANNEL_IOPUB,
    CHANNEL_HEARTBEAT,
    CHANNELS
};

struct connection {
    bool ipc; /* else tcp */
    const char *ip;
    int ports[CHANNELS]; /* 1..65535 */
    char *key;           /* may be empty; connection_forget wipes it */
    size_t key_length;
    bool exposed; /* others than the owner may read the file, and with it the key */
};

/* Reads and checks the file. NULL with ERR_IO or ERR_FORMAT: file, field, value seen and
 * wanted. */
struct connection *connection_read(struct arena *arena, const char *path, struct err *err);

/* "tcp://127.0.0.1:50001", "ipc:///run/x-1"; in the arena. */
const char *connection_endpoint(struct arena *arena, const struct connection *connection,
                                enum channel channel);

/* Overwrites the key. */
void connection_forget(struct connection *connection);

#endif
