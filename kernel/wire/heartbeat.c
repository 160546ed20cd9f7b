#include "kernel/wire/heartbeat.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <zmq.h>

struct heartbeat {
    pthread_t thread;
    void *socket;
};

static void *echo(void *arg) {
    struct heartbeat *heartbeat = arg;
    zmq_proxy(heartbeat->socket, heartbeat->socket, NULL);
    zmq_close(heartbeat->socket);
    return NULL;
}

struct heartbeat *heartbeat_start(struct arena *arena, void *socket, struct err *err) {
    enum { STACK = 128 * 1024 };
    struct heartbeat *heartbeat = arena_alloc(arena, sizeof *heartbeat);
    pthread_attr_t attributes;
    heartbeat->socket = socket;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    int failed = pthread_create(&heartbeat->thread, &attributes, echo, heartbeat);
    pthread_attr_destroy(&attributes);
    if (failed) {
        err_set(err, ERR_IO, "cannot start the heartbeat's thread: %s", strerror(failed));
        return NULL;
    }
    return heartbeat;
}

void heartbeat_join(struct heartbeat *heartbeat) {
    pthread_join(heartbeat->thread, NULL);
}
