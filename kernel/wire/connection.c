#include "kernel/wire/connection.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "core/base/file.h"

enum { FILE_MOST = 1 << 20 };

static const char *const port_names[CHANNELS] = {
    [CHANNEL_SHELL] = "shell_port",  [CHANNEL_CONTROL] = "control_port",
    [CHANNEL_STDIN] = "stdin_port",  [CHANNEL_IOPUB] = "iopub_port",
    [CHANNEL_HEARTBEAT] = "hb_port",
};

static int port_read(const json_t *root, const char *name, const char *path, struct err *err) {
    const json_t *value = json_object_get(root, name);
    long long port = -1;
    if (!value) {
        return err_set(err, ERR_FORMAT, "%s has no \"%s\"", path, name);
    }
    if (json_is_integer(value)) {
        port = json_integer_value(value);
    } else if (json_is_string(value)) {
        const char *text = json_string_value(value);
        size_t digits = strspn(text, "0123456789");
        port = digits > 0 && digits < 6 && !text[digits] ? atoi(text) : -1;
    }
    if (port < 1 || port > 65535) {
        char *seen = json_dumps(value, JSON_ENCODE_ANY);
        char quoted[80] = "?";
        if (seen) {
            err_quote(quoted, sizeof quoted, seen, strlen(seen));
            free(seen);
        }
        return err_set(err, ERR_FORMAT, "%s: \"%s\" is %s; a port from 1 to 65535 is wanted",
                       path, name, quoted);
    }
    return (int)port;
}

/* A member that must be a string; `otherwise` if it is absent and that is not NULL. */
static const char *text_read(const json_t *root, const char *name, const char *otherwise,
                             const char *path, struct err *err) {
    const json_t *value = json_object_get(root, name);
    if (!value && otherwise) {
        return otherwise;
    }
    if (!json_is_string(value)) {
        err_set(err, ERR_FORMAT, "%s: \"%s\" is %s; a string is wanted", path, name,
                value ? "no string" : "missing");
        return NULL;
    }
    return json_string_value(value);
}

static int choice_check(const char *value, const char *name, const char *a, const char *b,
                        const char *path, struct err *err) {
    if (!value) {
        return err_pass(err);
    }
    if (strcmp(value, a) == 0 || (b && strcmp(value, b) == 0)) {
        return 0;
    }
    char quoted[80];
    err_quote(quoted, sizeof quoted, value, strlen(value));
    return err_set(err, ERR_FORMAT, "%s: \"%s\" is \"%s\"; Cutaway knows %s%s%s", path, name,
                   quoted, a, b ? " and " : "", b ? b : "");
}

static int fill(struct arena *arena, struct connection *connection, const json_t *root,
                const char *path, struct err *err) {
    const char *transport = text_read(root, "transport", "tcp", path, err);
    const char *scheme = text_read(root, "signature_scheme", "hmac-sha256", path, err);
    if (choice_check(transport, "transport", "tcp", "ipc", path, err) < 0 ||
        choice_check(scheme, "signature_scheme", "hmac-sha256", NULL, path, err) < 0) {
        return err_pass(err);
    }
    const char *ip = text_read(root, "ip", NULL, path, err);
    if (!ip) {
        return err_pass(err);
    }
    const char *key = text_read(root, "key", "", path, err);
    if (!key) {
        return err_pass(err);
    }
    if (!*ip || strlen(ip) > PATH_MAX) {
        return err_set(err, ERR_FORMAT,
                       "%s: \"ip\" is %s; an address such as 127.0.0.1 is wanted", path,
                       *ip ? "longer than any address" : "empty");
    }
    connection->ipc = strcmp(transport, "ipc") == 0;
    connection->ip = arena_copy(arena, ip);
    connection->key = arena_copy(arena, key);
    connection->key_length = strlen(key);
    for (int i = 0; i < CHANNELS; i++) {
        if ((connection->ports[i] = port_read(root, port_names[i], path, err)) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

struct connection *connection_read(struct arena *arena, const char *path, struct err *err) {
    struct connection *connection = arena_alloc(arena, sizeof *connection);
    struct file *file = file_map(arena, path, err);
    struct stat info;
    if (!file) {
        err_pass(err);
        return NULL;
    }
    if (file->size > FILE_MOST) {
        err_set(err, ERR_FORMAT, "%s has %lld bytes; no connection file is larger than 1 MiB",
                path, (long long)file->size);
        return NULL;
    }
    json_error_t why;
    json_t *root =
        json_loadb((const char *)file->bytes, (size_t)file->size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        err_set(err, ERR_FORMAT, "%s is no connection file: %s", path,
                root ? "it holds no JSON object" : why.text);
        json_decref(root);
        return NULL;
    }
    int filled = fill(arena, connection, root, path, err);
    json_decref(root);
    connection->exposed = stat(path, &info) == 0 && (info.st_mode & 077);
    return filled < 0 ? NULL : connection;
}

const char *connection_endpoint(struct arena *arena, const struct connection *connection,
                                enum channel channel) {
    int port = connection->ports[channel];
    if (connection->ipc) {
        return arena_printf(arena, "ipc://%s-%d", connection->ip, port);
    }
    if (strcmp(connection->ip, "localhost") == 0) {
        return arena_printf(arena, "tcp://127.0.0.1:%d",
                            port); /* libzmq binds to no host names */
    }
    if (strchr(connection->ip, ':') && connection->ip[0] != '[') {
        return arena_printf(arena, "tcp://[%s]:%d", connection->ip, port);
    }
    return arena_printf(arena, "tcp://%s:%d", connection->ip, port);
}

void connection_forget(struct connection *connection) {
    explicit_bzero(connection->key, connection->key_length);
    connection->key_length = 0;
}
