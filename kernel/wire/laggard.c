#include "kernel/wire/laggard.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { WATCHED = 1024 }; /* descriptors; no system gives more to a process unasked */

struct watched {
    ino_t id;        /* of the connection; a descriptor's number may be used again */
    int64_t waiting; /* bytes not taken */
    uint64_t taken;  /* bytes taken so far; for unix sockets, which do not count them, by all */
    int64_t since;   /* ms; when these numbers were first seen */
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

static struct watched connection_at(int fd, int64_t now, int64_t taken) {
    struct stat info = { 0 };
    struct tcp_info tcp = { 0 };
    socklen_t size = sizeof tcp;
    int waiting = 0; /* also where connections arrive, of which it is not told */
    fstat(fd, &info);
    bool counts = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &size) == 0;
    ioctl(fd, SIOCOUTQ, &waiting);
    return (struct watched){ info.st_ino, waiting,
                             counts ? tcp.tcpi_bytes_acked : (uint64_t)taken, now };
}

/* Whether what waits in the connection has not moved for long. */
static bool is_stuck(struct watched *before, const struct watched *now) {
    if (now->waiting == 0 || memcmp(before, now, offsetof(struct watched, since)) != 0) {
        *before = *now;
    }
    return now->since - before->since >= LAGGARD_MS;
}

int laggards_look(struct laggards *laggards, int64_t now, int64_t taken) {
    int cut = 0;
    for (int fd = 0; fd < WATCHED; fd++) {
        if (is_iopub(laggards, fd)) {
            struct watched seen = connection_at(fd, now, taken);
            if (is_stuck(&laggards->watched[fd], &seen)) {
                shutdown(fd, SHUT_RDWR);
                cut++;
            }
        }
    }
    return cut;
}
