#include "kernel/wire/laggard.h"

#include <dirent.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { WATCHED = 256 };

struct watched {
    ino_t id;      /* of the connection; a descriptor's number may be used again */
    int waiting;   /* bytes not taken */
    int64_t since; /* ms; when that number was first seen */
};

struct laggards {
    int port;         /* of iopub, in network order */
    const char *path; /* or its unix socket; NULL */
    struct watched watched[WATCHED];
    int count;
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

/* What was seen of the connection last time, if its queue has not moved since. */
static int64_t since(const struct laggards *laggards, ino_t id, int waiting, int64_t now) {
    for (int i = 0; i < laggards->count; i++) {
        if (laggards->watched[i].id == id && laggards->watched[i].waiting == waiting) {
            return laggards->watched[i].since;
        }
    }
    return now;
}

int laggards_look(struct laggards *laggards, int64_t now) {
    struct watched fresh[WATCHED];
    int count = 0, cut = 0;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry = NULL; folder && (entry = readdir(folder));) {
        int fd = atoi(entry->d_name), waiting = 0; /* "." and ".." are 0, which is no socket */
        struct stat info;
        if (count == WATCHED || !is_iopub(laggards, fd) ||
            ioctl(fd, SIOCOUTQ, &waiting) < 0 || waiting == 0 || fstat(fd, &info) < 0) {
            continue;
        }
        struct watched *one = &fresh[count++];
        *one = (struct watched){ info.st_ino, waiting,
                                 since(laggards, info.st_ino, waiting, now) };
        if (now - one->since >= LAGGARD_MS) {
            shutdown(fd, SHUT_RDWR);
            cut++;
        }
    }
    if (folder) {
        closedir(folder);
    }
    memcpy(laggards->watched, fresh, (size_t)count * sizeof *fresh);
    laggards->count = count;
    return cut;
}
