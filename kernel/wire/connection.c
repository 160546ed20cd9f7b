#include "kernel/wire/connection.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "core/base/file.h"
#include "core/base/jsonwrite.h"

enum { FILE_MOST = 1 << 20, PORT_MOST = 65535 };

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
    if (json_typeof(value) == JSON_INTEGER) {
        port = json_integer_value(value);
    } else if (json_typeof(value) == JSON_STRING) {
        const char *text = json_string_value(value);
        size_t digits = strspn(text, "0123456789");
        port = digits > 0 && digits < 6 && !text[digits] ? atoi(text) : -1;
    }
    if (port < 1 || port > PORT_MOST) {
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

static const char *const transports[] = { "tcp", "ipc", NULL };
static const char *const schemes[] = { "hmac-sha256", "hmac-sha512", "hmac-md5", NULL };

/* A member that must be one of the choices; the first if it is absent. NULL: it is not. */
static const char *choice_read(const json_t *root, const char *name, const char *const *choices,
                               const char *path, struct err *err) {
    const char *value = text_read(root, name, choices[0], path, err);
    char quoted[80], known[80] = "";
    if (!value) {
        return NULL;
    }
    for (int i = 0; choices[i]; i++) {
        if (strcmp(value, choices[i]) == 0) {
            return choices[i];
        }
        strcat(strcat(known, i == 0 ? "" : choices[i + 1] ? ", " : " and "), choices[i]);
    }
    err_set(err, ERR_FORMAT, "%s: \"%s\" is \"%s\"; Cutaway knows %s", path, name,
            err_quote(quoted, sizeof quoted, value, strlen(value)), known);
    return NULL;
}

static const char *address_read(const json_t *root, const char *name, const char *otherwise,
                                const char *path, struct err *err) {
    const char *ip = text_read(root, name, otherwise, path, err);
    if (ip && (!*ip || strlen(ip) > PATH_MAX)) {
        err_set(err, ERR_FORMAT, "%s: \"%s\" is %s; an address such as 127.0.0.1 is wanted",
                path, name, *ip ? "longer than any address" : "empty");
        return NULL;
    }
    return ip;
}

static int curve_read(struct arena *arena, struct connection *connection, const json_t *root,
                      const char *path, struct err *err) {
    const char *public_key = text_read(root, "curve_publickey", "", path, err);
    const char *secret_key =
        public_key ? text_read(root, "curve_secretkey", "", path, err) : NULL;
    if (!secret_key) {
        return err_pass(err);
    }
    if (!*public_key && !*secret_key) {
        return 0;
    }
    if (strlen(public_key) != CONNECTION_CURVE || strlen(secret_key) != CONNECTION_CURVE) {
        return err_set(
            err, ERR_FORMAT,
            "%s: \"curve_publickey\" has %zu characters and \"curve_secretkey\" %zu; "
            "both or none are wanted, of %d characters each",
            path, strlen(public_key), strlen(secret_key), CONNECTION_CURVE);
    }
    connection->public_key = arena_copy(arena, public_key);
    connection->secret_key = arena_copy(arena, secret_key);
    return 0;
}

/* Unix sockets whose names are free. */
static void ports_choose(struct connection *connection) {
    int port = getpid() % PORT_MOST;
    for (int i = 0; i < CHANNELS; i++) {
        char path[PATH_MAX + 16];
        do {
            port = port % PORT_MOST + 1;
            snprintf(path, sizeof path, "%s-%d", connection->ip, port);
        } while (access(path, F_OK) == 0);
        connection->ports[i] = port;
    }
}

/* Where to listen is told to the registration service; it is on this machine unless "ip" says
 * otherwise. */
static int registration_read(struct arena *arena, struct connection *connection,
                             const json_t *root, const char *path, struct err *err) {
    enum { ID_MOST = 200 };
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *id = text_read(root, "kernel_id", NULL, path, err);
    const char *ip = id ? address_read(root, "registration_ip", NULL, path, err) : NULL;
    const char *own = ip ? address_read(root, "ip", ip, path, err) : NULL;
    if (!own) {
        return err_pass(err);
    }
    size_t length = strlen(id);
    if (length == 0 || length > ID_MOST || strspn(id, allowed) != length) {
        char quoted[80];
        return err_set(
            err, ERR_FORMAT,
            "%s: \"kernel_id\" is \"%s\"; 1 to %d letters, digits, - and _ are wanted", path,
            err_quote(quoted, sizeof quoted, id, length), ID_MOST);
    }
    connection->kernel_id = arena_copy(arena, id);
    connection->registration_ip = arena_copy(arena, ip);
    connection->ip = arena_copy(arena, own);
    if (connection->ipc) {
        ports_choose(connection);
    }
    connection->registration_port = port_read(root, "registration_port", path, err);
    return connection->registration_port < 0 ? err_pass(err) : 0;
}

static int ports_read(struct arena *arena, struct connection *connection, const json_t *root,
                      const char *path, struct err *err) {
    const char *ip = address_read(root, "ip", NULL, path, err);
    if (!ip) {
        return err_pass(err);
    }
    connection->ip = arena_copy(arena, ip);
    for (int i = 0; i < CHANNELS; i++) {
        if ((connection->ports[i] = port_read(root, port_names[i], path, err)) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static int fill(struct arena *arena, struct connection *connection, const json_t *root,
                const char *path, struct err *err) {
    const char *transport = choice_read(root, "transport", transports, path, err);
    connection->scheme =
        transport ? choice_read(root, "signature_scheme", schemes, path, err) : NULL;
    const char *key = connection->scheme ? text_read(root, "key", "", path, err) : NULL;
    if (!key) {
        return err_pass(err);
    }
    connection->ipc = transport == transports[1];
    connection->key = arena_copy(arena, key);
    connection->key_length = strlen(key);
    if (curve_read(arena, connection, root, path, err) < 0) {
        return err_pass(err);
    }
    return json_object_get(root, "registration_port")
               ? registration_read(arena, connection, root, path, err)
               : ports_read(arena, connection, root, path, err);
}

/* What the parser lets go of is overwritten: the keys are among it. */
static void wipe_free(void *block) {
    explicit_bzero(block, malloc_usable_size(block));
    free(block);
}

static json_t *root_read(const struct file *file, struct err *err) {
    json_error_t why;
    json_t *root =
        json_loadb((const char *)file->bytes, (size_t)file->size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        err_set(err, ERR_FORMAT, "%s is no connection file: %s", file->path,
                root ? "it holds no JSON object" : why.text);
        json_decref(root);
        return NULL;
    }
    return root;
}

/* `scratch` ends with the reading, and with it the file's bytes. */
static struct connection *read_with(struct arena *arena, struct arena *scratch,
                                    const char *path, struct err *err) {
    struct connection *connection = arena_alloc(arena, sizeof *connection);
    struct file *file = file_map(scratch, path, err);
    struct stat info = { 0 };
    if (!file) {
        err_pass(err);
        return NULL;
    }
    if (file->size > FILE_MOST) {
        err_set(err, ERR_FORMAT, "%s has %lld bytes; no connection file is larger than 1 MiB",
                path, (long long)file->size);
        return NULL;
    }
    json_t *root = root_read(file, err);
    int filled = root ? fill(arena, connection, root, path, err) : -1;
    json_decref(root);
    (void)stat(path, &info); /* it was there a moment ago */
    connection->exposed = (info.st_mode & 077) != 0;
    return filled < 0 ? NULL : connection;
}

struct connection *connection_read(struct arena *arena, const char *path, struct err *err) {
    struct arena *scratch = arena_new();
    json_set_alloc_funcs(malloc, wipe_free);
    struct connection *connection = read_with(arena, scratch, path, err);
    json_set_alloc_funcs(malloc, free);
    arena_free(scratch);
    return connection;
}

static const char *endpoint(struct arena *arena, bool ipc, const char *ip, int port) {
    char number[16] = "*";
    if (port > 0) {
        snprintf(number, sizeof number, "%d", port);
    }
    if (ipc) {
        return arena_printf(arena, "ipc://%s-%s", ip, number);
    }
    if (strcmp(ip, "localhost") == 0) {
        ip = "127.0.0.1"; /* libzmq binds to no host names */
    }
    bool six = strchr(ip, ':') && ip[0] != '[';
    return arena_printf(arena, six ? "tcp://[%s]:%s" : "tcp://%s:%s", ip, number);
}

const char *connection_endpoint(struct arena *arena, const struct connection *connection,
                                enum channel channel) {
    return endpoint(arena, connection->ipc, connection->ip, connection->ports[channel]);
}

const char *connection_registration(struct arena *arena, const struct connection *connection) {
    return endpoint(arena, connection->ipc, connection->registration_ip,
                    connection->registration_port);
}

const char *connection_port_name(enum channel channel) {
    return port_names[channel];
}

static void member_write(struct jsonwrite *w, const char *name, const char *value) {
    json_key(w, name);
    json_string(w, value);
}

void connection_write(const struct connection *connection, struct buf *out) {
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    for (int i = 0; i < CHANNELS; i++) {
        json_key(&w, port_names[i]);
        json_int(&w, connection->ports[i]);
    }
    member_write(&w, "ip", connection->ip);
    member_write(&w, "transport", transports[connection->ipc]);
    member_write(&w, "signature_scheme", connection->scheme);
    member_write(&w, "key", connection->key);
    member_write(&w, "kernel_name", "cutaway");
    if (connection->public_key) {
        member_write(&w, "curve_publickey", connection->public_key);
        member_write(&w, "curve_secretkey", connection->secret_key);
    }
    json_close(&w, '}');
}

void connection_forget(struct connection *connection) {
    explicit_bzero(connection->key, connection->key_length);
    connection->key_length = 0;
    if (connection->secret_key) {
        explicit_bzero(connection->public_key, CONNECTION_CURVE);
        explicit_bzero(connection->secret_key, CONNECTION_CURVE);
    }
}
