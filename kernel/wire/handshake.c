#include "kernel/wire/handshake.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/jsonwrite.h"
#include "kernel/wire/multipart.h"

static void number_write(struct jsonwrite *w, const char *name, int number) {
    char digits[16];
    snprintf(digits, sizeof digits, "%d", number);
    json_key(w, name);
    json_string(w, digits);
}

/* `hex` gets the signature. */
static void introduce(struct arena *arena, void *socket, const struct connection *connection,
                      const struct sign *sign, char hex[SIGN_MOST + 1]) {
    struct buf *content = buf_new(arena);
    struct jsonwrite w = { .out = content };
    json_open(&w, '{');
    json_key(&w, "kernel_id");
    json_string(&w, connection->kernel_id);
    for (int i = 0; i < CHANNELS; i++) {
        number_write(&w, connection_port_name((enum channel)i), connection->ports[i]);
    }
    json_close(&w, '}');
    struct frame body = { content->data, content->length };
    struct frame head[2] = { { "<IDS|MSG>", 9 }, { hex, sign_make(sign, &body, 1, hex) } };
    multipart_begin(socket, head, 2);
    zmq_send(socket, body.bytes, body.length, 0);
}

/* Whether a message is the delimiter, the signature of one frame and that frame, which is not
 * the one that we have signed (`own`): to send that back needs no key. */
static bool is_answer(const struct sign *sign, const char *own, const struct frame *frames,
                      int count) {
    unsigned char digest[SIGN_DIGEST];
    return count >= 3 && frames[count - 3].length == 9 &&
           memcmp(frames[count - 3].bytes, "<IDS|MSG>", 9) == 0 &&
           sign_holds(sign, frames[count - 2], frames + count - 1, 1, digest) &&
           (!*own || memcmp(frames[count - 2].bytes, own, strlen(own)) != 0);
}

static int answer_await(struct arena *arena, void *socket, const char *endpoint,
                        const struct sign *sign, const char *own, int patience_ms,
                        struct err *err) {
    struct frame *frames = arena_array(arena, FRAMES_MOST, sizeof *frames);
    zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
    bool cut = false;
    zmq_poll(&item, 1, patience_ms);
    int count = multipart_take(arena, socket, frames, &cut);
    if (count == 0) {
        return err_set(err, ERR_IO,
                       "the registration service at %s did not answer within %d s, so nobody "
                       "knows of this kernel; is it still there?",
                       endpoint, patience_ms / 1000);
    }
    if (!is_answer(sign, own, frames, count)) {
        return err_set(
            err, ERR_IO,
            "what answered at %s is not the registration service: its message is not "
            "signed with the key of the registration file",
            endpoint);
    }
    return 0;
}

int handshake(struct arena *arena, void *context, const struct connection *connection,
              const struct sign *sign, int patience_ms, struct err *err) {
    const char *endpoint = connection_registration(arena, connection);
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int none = 0, six = 1, status = -1;
    const int64_t most = FRAMES_HEADER_MOST; /* bytes of a frame; who sends more is cut off */
    char own[SIGN_MOST + 1];
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_IPV6, &six, sizeof six);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    if (zmq_connect(socket, endpoint) < 0) {
        err_set(err, ERR_IO, "cannot reach the registration service at %s: %s", endpoint,
                zmq_strerror(zmq_errno()));
    } else {
        introduce(arena, socket, connection, sign, own);
        status = answer_await(arena, socket, endpoint, sign, own, patience_ms, err);
    }
    zmq_close(socket);
    return status < 0 ? err_pass(err) : 0;
}

/* As jupyter_core has it: XDG_RUNTIME_DIR is not asked. */
static const char *runtime_folder(struct arena *arena) {
    static const struct {
        const char *name, *below;
    } places[] = {
        { "JUPYTER_RUNTIME_DIR", "" },
        { "JUPYTER_DATA_DIR", "runtime" },
        { "XDG_DATA_HOME", "jupyter/runtime" },
        { "HOME", ".local/share/jupyter/runtime" },
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *folder = getenv(places[i].name);
        if (folder && *folder) {
            return file_join(arena, folder, places[i].below);
        }
    }
    return NULL;
}

static void file_remove(void *path) {
    unlink(path);
}

const char *handshake_file(struct arena *arena, const struct connection *connection,
                           struct err *err) {
    const char *folder = runtime_folder(arena);
    if (!folder) {
        err_set(
            err, ERR_IO,
            "no connection file is written, since neither JUPYTER_RUNTIME_DIR nor HOME is set");
        return NULL;
    }
    char *path =
        file_join(arena, folder, arena_printf(arena, "kernel-%s.json", connection->kernel_id));
    struct buf *text = buf_new(arena);
    buf_more(text, 2 * PATH_MAX + 6 * connection->key_length); /* it never moves: no copies */
    buf_clear(text);
    connection_write(connection, text);
    mode_t before = umask(077);
    int written = file_make_folders(arena, folder, err) < 0
                      ? -1
                      : file_write(path, text->data, text->length, err);
    umask(before);
    explicit_bzero(text->data, text->length);
    if (written < 0) {
        err_pass(err);
        return NULL;
    }
    arena_defer(arena, file_remove, path);
    return path;
}
