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
 * Ports are integers or strings of digits. An empty key means that nothing is signed. With
 * "curve_publickey" and "curve_secretkey" (Z85, 40 characters) all sockets speak CurveZMQ.
 *
 * Or a registration file (JEP 66), which names no ports: the kernel chooses them and tells them
 * to whoever listens at registration_ip and registration_port (kernel/wire/handshake.h):
 *
 *     {"kernel_id": "...", "transport": "tcp", "registration_ip": "127.0.0.1",
 *      "registration_port": 51587, "signature_scheme": "hmac-sha256", "key": "..."} */

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
    int ports[CHANNELS]; /* 1..65535; 0: the kernel chooses */
    const char *scheme;  /* "hmac-sha256", "hmac-sha512" or "hmac-md5" */
    char *key;           /* may be empty */
    size_t key_length;
    char *public_key, *secret_key; /* NULL, both: not encrypted */
    const char *kernel_id;         /* of a registration file; else NULL */
    const char *registration_ip;
    int registration_port;
    bool exposed; /* others than the owner may read the file, and with it the keys */
};

enum { CONNECTION_CURVE = 40 }; /* characters of a key for CurveZMQ */

/* Reads and checks the file, and leaves no copy of its keys but those in the connection. NULL
 * with ERR_IO or ERR_FORMAT: file, field, value seen and wanted. */
struct connection *connection_read(struct arena *arena, const char *path, struct err *err);

/* "tcp://127.0.0.1:50001", "ipc:///run/x-1"; "tcp://127.0.0.1:*" for port 0; in the arena. */
const char *connection_endpoint(struct arena *arena, const struct connection *connection,
                                enum channel channel);
const char *connection_registration(struct arena *arena, const struct connection *connection);

/* "shell_port" */
const char *connection_port_name(enum channel channel);

/* The connection file that says all this, as JSON. */
struct buf;
void connection_write(const struct connection *connection, struct buf *out);

/* Overwrites the keys. */
void connection_forget(struct connection *connection);

#endif
