/* handshake: a registration service that answers well, badly or not at all; the file for
 * others.
 */
#include "kernel/wire/handshake.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "kernel/wire/sockets.h"
#include "tests/check.h"
#include "tests/faults.h"
#include "tests/peer.h"

enum { PATIENCE_MS = 20000, FRAMES = 8 };

/* A connection of a registration file; its service would listen at connection_registration. */
static struct connection *registering_with(const char *key) {
    struct connection *connection = peer_connection(check_arena(), key);
    connection->kernel_id = "k-1";
    connection->registration_ip = file_join(check_arena(), check_folder(check_arena()), "r");
    connection->registration_port = 9;
    return connection;
}

static struct connection *registering(void) {
    return registering_with("a key");
}

enum answer { GOOD, SHORT, UNSIGNED, OTHER_DELIMITER, LONG_DELIMITER, ECHO };

/* One frame is read and one message answered, in a thread, as the kernel waits meanwhile. */
struct service {
    pthread_t thread;
    struct peer *peer;
    struct sign *sign;
    enum answer answer;
    struct frame frames[FRAMES]; /* what came */
    int count;
};

static void *serve(void *arg) {
    struct service *service = arg;
    char hex[SIGN_MOST + 1];
    const struct frame body = { "{}", 2 };
    service->count = peer_read(service->peer, service->frames, FRAMES, PATIENCE_MS);
    struct frame answer[4] = { service->frames[0],
                               { "<IDS|MSG>", 9 },
                               { hex, sign_make(service->sign, &body, 1, hex) },
                               body };
    if (service->answer == UNSIGNED) {
        hex[3] ^= 1;
    } else if (service->answer == OTHER_DELIMITER) {
        answer[1].bytes = "<IDS|msg>";
    } else if (service->answer == LONG_DELIMITER) {
        answer[1] = (struct frame){ "<IDS|MSG>.", 10 };
    } else if (service->answer == ECHO) {
        answer[2] = service->frames[2];
        answer[3] = service->frames[3];
    }
    peer_send(service->peer, answer, service->answer == SHORT ? 3 : 4);
    return NULL;
}

/* The kernel's sockets opened beside a service that answers so. */
static struct sockets *opened(enum answer answer, const char *key, struct service *service,
                              struct err *err) {
    struct connection *connection = registering_with(key);
    struct arena *arena = arena_new(); /* the test's own is the thread's meanwhile */
    arena_defer(check_arena(), (void (*)(void *))arena_free, arena);
    *service = (struct service){ .answer = answer };
    service->peer = peer_new(PEER_ROUTER, 0);
    service->sign = sign_new(check_arena(), "hmac-sha256", key, strlen(key), err);
    peer_bind(service->peer, connection_registration(arena, connection));
    check_int(pthread_create(&service->thread, NULL, serve, service), 0);
    struct sockets *sockets = sockets_open(arena, connection, err);
    pthread_join(service->thread, NULL);
    return sockets;
}

TEST(handshake_tells_which_ports_there_are) {
    struct service service;
    struct err err;
    struct sockets *sockets = opened(GOOD, "a key", &service, &err);
    if (!check(sockets != NULL && service.count == 4)) {
        return;
    }
    sockets_close(sockets, 0);
    unsigned char digest[SIGN_DIGEST];
    check_same(service.frames[1].bytes, "<IDS|MSG>");
    check(sign_holds(service.sign, service.frames[2], &service.frames[3], 1, digest));
    check_same(service.frames[3].bytes,
               "{\"kernel_id\":\"k-1\",\"shell_port\":\"1\",\"control_port\":\"2\","
               "\"stdin_port\":\"3\",\"iopub_port\":\"4\",\"hb_port\":\"5\"}");
}

TEST(handshake_trusts_nobody_without_the_key) {
    for (enum answer answer = SHORT; answer <= ECHO; answer++) {
        struct service service;
        struct err err = { 0 };
        check(!opened(answer, "a key", &service, &err));
        check_int(err.kind, ERR_IO);
        check_text(err.text, "is not the registration service");
    }
}

TEST(handshake_goes_without_a_key_where_there_is_none) {
    struct service service;
    struct err err;
    struct sockets *sockets = opened(GOOD, "", &service, &err);
    if (check(sockets != NULL)) {
        sockets_close(sockets, 0);
    }
}

TEST(handshake_does_not_wait_for_ever) {
    struct err err;
    faults_set("zmq_poll", 0, 1, EINTR);
    check(!sockets_open(check_arena(), registering(), &err));
    faults_end();
    check_text(err.text, "did not answer within 5 s");
    struct connection *connection = registering();
    connection->ipc = false;
    connection->ip = "127.0.0.1";
    memset(connection->ports, 0, sizeof connection->ports);
    connection->registration_ip = "no address";
    check(!sockets_open(check_arena(), connection, &err));
    check_text(err.text, "cannot reach the registration service at tcp://no address:9");
}

/* ---- the file ---- */

static const char *const names[] = { "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "XDG_DATA_HOME",
                                     "HOME" };

/* The environment as it was, when the test ends. */
struct before {
    char *values[4];
};

static void restore(void *what) {
    const struct before *before = what;
    for (int i = 0; i < 4; i++) {
        if (before->values[i]) {
            setenv(names[i], before->values[i], 1);
        } else {
            unsetenv(names[i]);
        }
    }
}

static void environment_clear(void) {
    struct before *before = arena_alloc(check_arena(), sizeof *before);
    for (int i = 0; i < 4; i++) {
        const char *value = getenv(names[i]);
        before->values[i] = value ? arena_copy(check_arena(), value) : NULL;
        unsetenv(names[i]);
    }
    arena_defer(check_arena(), restore, before);
}

TEST(handshake_file_is_for_its_owner_and_goes_with_the_kernel) {
    static const char *const below[] = { "", "/runtime", "/jupyter/runtime",
                                         "/.local/share/jupyter/runtime" };
    const struct connection *connection = registering();
    environment_clear();
    for (int i = 3; i >= 0; i--) { /* each goes before those already set */
        struct arena *arena = arena_new();
        struct err err = { 0 };
        struct stat info;
        const char *folder = check_folder(check_arena());
        setenv(names[i], "", 1); /* as if it were not set */
        check(i == 3 || handshake_file(arena, connection, &err) != NULL);
        setenv(names[i], folder, 1);
        const char *path = handshake_file(arena, connection, &err);
        if (check(path != NULL)) {
            check_same(path,
                       arena_printf(arena, "%s%s%skernel-k-1.json", folder, below[i], "/"));
            check(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
            const struct connection *read = connection_read(arena, path, &err);
            check(read && strcmp(read->key, "a key") == 0 && read->ports[4] == 5);
        }
        path = path ? arena_copy(check_arena(), path) : "";
        arena_free(arena);
        check(!file_exists(path));
    }
}

TEST(handshake_file_says_why_it_is_not_there) {
    const struct connection *connection = registering();
    struct err err;
    environment_clear();
    check(!handshake_file(check_arena(), connection, &err));
    check_text(err.text, "neither JUPYTER_RUNTIME_DIR nor HOME is set");
    const char *file = file_join(check_arena(), check_folder(check_arena()), "file");
    check_int(file_write(file, "", 0, &err), 0);
    setenv("HOME", file, 1);
    check(!handshake_file(check_arena(), connection, &err));
    check_int(err.kind, ERR_IO);
}
