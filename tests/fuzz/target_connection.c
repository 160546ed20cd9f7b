/* The file that says where to listen. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/wire/connection.h"
#include "tests/fuzz/targets.h"

static void check_connection(struct arena *arena, struct connection *connection) {
    for (int i = 0; i < CHANNELS; i++) {
        const char *at = connection_endpoint(arena, connection, (enum channel)i);
        must(connection->ports[i] >= 1 && connection->ports[i] <= 65535);
        must(strncmp(at, connection->ipc ? "ipc://" : "tcp://", 6) == 0);
    }
    must(connection->ip[0]);
    size_t length = connection->key_length;
    must(strlen(connection->key) == length);
    connection_forget(connection);
    for (size_t i = 0; i < length; i++) {
        must(!connection->key[i]);
    }
}

void target_connection(const uint8_t *bytes, size_t length) {
    char path[64];
    struct err err = { 0 };
    int fd = memfd_create("connection", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct arena *arena = arena_new();
    struct connection *connection = connection_read(arena, path, &err);
    if (connection) {
        check_connection(arena, connection);
    } else {
        must(err.kind != ERR_NONE && err.kind != ERR_BUG && strstr(err.text, path));
    }
    arena_free(arena);
    close(fd);
}
