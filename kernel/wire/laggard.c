#include "kernel/wire/laggard.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { WATCHED = 1024 }; /* descriptors; no system gives more to a process unasked */

struct watched {
    ino_t id;      /* of the connection; a descriptor's number may be used again */
    int waiting;   /* bytes not taken */
    int64_t since; /* ms; when that number was first seen */
};

struct laggards {
    int port;         /* of iopub, in network order */
    const char *path; /* or its unix socket; NULL */
    struct watched watched[WATCHED];
};

struct laggards *laggards_new(struct arena *arena, const struct connection *connection) {
    struct laggards *laggards = arena_alloc(arena, sizeof *laggards);
    if (connection->ipc) {
        laggards->path =
            connection_endpoint(arena, connection, CHANNEL_IOPUB) + strlen("ipc://");
    } else {
        laggards->port = htons((uint16_t)connection->ports[CHANNEL_IOPUB]);
    }
    return laggards;
}

/* Whether a descriptor is a subscriber's connection, or where they arrive. */
static bool is_iopub(const struct laggards *laggards, int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_un local;
    } own = { 0 };
    socklen_t size = sizeof own - 1;
    if (getsockname(fd, &own.any, &size) < 0) {
        return false; /* no socket */
    }
    switch (own.any.sa_family) {
    case AF_INET:
        return own.four.sin_port == laggards->port;
    case AF_INET6:
        return own.six.sin6_port == laggards->port;
    case AF_UNIX:
        return laggards->path && strcmp(own.local.sun_path, laggards->path) == 0;
    default:
        return false;
    }
}

/* Whether what waits in the connection has not changed for long. */
static bool is_stuck(struct watched *seen, ino_t id, int waiting, int64_t now) {
    if (waiting == 0 || seen->id != id || seen->waiting != waiting) {
        *seen = (struct watched){ id, waiting, now };
    }
    return now - seen->since >= LAGGARD_MS;
}

int laggards_look(struct laggards *laggards, int64_t now) {
    int cut = 0;
    for (int fd = 0; fd < WATCHED; fd++) {
        struct stat info = { 0 };
        int waiting = 0; /* also where connections arrive, of which it is not told */
        if (!is_iopub(laggards, fd)) {
            continue;
        }
        ioctl(fd, SIOCOUTQ, &waiting);
        fstat(fd, &info);
        if (is_stuck(&laggards->watched[fd], info.st_ino, waiting, now)) {
            shutdown(fd, SHUT_RDWR);
            cut++;
        }
    }
    return cut;
}
