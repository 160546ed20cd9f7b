/* laggard: who takes nothing for a minute is cut off; who takes a little is not. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel/wire/laggard.h"
#include "tests/check.h"
#include "tests/peer.h"

static void descriptor_close(void *fd) {
    close(*(int *)fd);
}

static int kept(int fd) {
    int *held = arena_alloc(check_arena(), sizeof *held);
    check(fd >= 0);
    *held = fd;
    arena_defer(check_arena(), descriptor_close, held);
    return fd;
}

/* Listens as iopub does, on a port of the system's choice for TCP. */
static int listener(struct connection *connection, int family) {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_un local;
    } own = { .any = { .sa_family = (sa_family_t)family } };
    socklen_t size = family == AF_UNIX ? sizeof own.local : sizeof own.six;
    int fd = kept(socket(family, SOCK_STREAM, 0));
    connection->ipc = family == AF_UNIX;
    if (family == AF_UNIX) {
        strcpy(own.local.sun_path,
               connection_endpoint(check_arena(), connection, CHANNEL_IOPUB) + 6);
    } else if (family == AF_INET6) {
        own.six.sin6_addr = in6addr_loopback;
    } else {
        own.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    check(bind(fd, &own.any, size) == 0 && listen(fd, 4) == 0);
    if (!connection->ipc) {
        getsockname(fd, &own.any, &size);
        connection->ports[CHANNEL_IOPUB] = ntohs(own.four.sin_port); /* IPv6 has it there too */
    }
    return fd;
}

/* Joins the listener; *own is its end. */
static int joined(int listening, int *own) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    getsockname(listening, (struct sockaddr *)&address, &size);
    int fd = kept(socket(address.ss_family, SOCK_STREAM, 0));
    check(connect(fd, (struct sockaddr *)&address, size) == 0);
    *own = kept(accept(listening, NULL, NULL));
    return fd;
}

/* Until not a byte more goes. */
static void fill(int fd) {
    static const char bytes[1 << 16];
    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
}

/* Takes all there is. 0: the other end is shut; -1: it is not. */
static ssize_t drain(int fd) {
    static char bytes[1 << 16];
    ssize_t n;
    do {
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    } while (n > 0);
    return n;
}

static void check_family(int family) {
    static const char bytes[1 << 16];
    struct connection *connection = peer_connection(check_arena(), "");
    int listening = listener(connection, family), stuck, slow, idle;
    struct laggards *laggards = laggards_new(check_arena(), connection);
    int far = joined(listening, &stuck), other = joined(listening, &slow);
    joined(listening, &idle);
    fill(stuck);
    check_int(laggards_look(laggards, 1000, 0), 0);
    for (int64_t now = 2000; now < 1000 + LAGGARD_MS; now += LAGGARD_LOOK_MS) {
        drain(other);
        send(slow, bytes, (size_t)now, MSG_DONTWAIT);
        check_int(laggards_look(laggards, now, 0), 0);
    }
    drain(other);
    check_int(laggards_look(laggards, 2 * LAGGARD_MS, 0), 1);
    check(send(stuck, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0);
    check(send(slow, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1);
    check_int(drain(far), 0);
    check(send(idle, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1);
}

TEST(laggard_of_a_unix_socket_is_cut_off) {
    check_family(AF_UNIX);
}

TEST(laggard_of_tcp_is_cut_off) {
    check_family(AF_INET);
    check_family(AF_INET6);
}

/* The same descriptor, but another connection that happens to have as much to take. */
TEST(laggard_is_a_connection_not_a_number) {
    struct connection *connection = peer_connection(check_arena(), "");
    int listening = listener(connection, AF_UNIX), own, fresh;
    struct laggards *laggards = laggards_new(check_arena(), connection);
    joined(listening, &own);
    check(send(own, "bytes", 5, 0) == 5);
    check_int(laggards_look(laggards, 0, 0), 0);
    joined(listening, &fresh);
    check(send(fresh, "bytes", 5, 0) == 5 && dup2(fresh, own) == own);
    close(fresh);
    check_int(laggards_look(laggards, LAGGARD_MS, 0), 0);
    check_int(laggards_look(laggards, 2 * LAGGARD_MS, 0), 1);
    check(dup(own) == fresh); /* closed with the others */
}

/* What else may be open: files, sockets of other kinds and of other addresses. */
TEST(laggard_is_nobody_else) {
    struct connection *connection = peer_connection(check_arena(), "");
    struct connection *another = peer_connection(check_arena(), "");
    int own, pair[2];
    listener(connection, AF_INET);
    struct laggards *laggards = laggards_new(check_arena(), connection);
    joined(listener(another, AF_INET), &own);
    fill(own);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fill(kept(pair[0]));
    kept(pair[1]);
    kept(socket(AF_NETLINK, SOCK_RAW, 0));
    check_int(laggards_look(laggards, 0, 0), 0);
    check_int(laggards_look(laggards, 2 * LAGGARD_MS, 0), 0);
    listener(another, AF_UNIX);
    laggards = laggards_new(check_arena(), another);
    check_int(laggards_look(laggards, 0, 0), 0);
    check_int(laggards_look(laggards, 2 * LAGGARD_MS, 0), 0);
}

/* Of a unix socket the system says no more than how much waits, which is the same each time
 * that it is full. */
TEST(laggard_is_nobody_while_messages_are_taken) {
    struct connection *connection = peer_connection(check_arena(), "");
    int listening = listener(connection, AF_UNIX), slow;
    struct laggards *laggards = laggards_new(check_arena(), connection);
    joined(listening, &slow);
    fill(slow);
    int64_t now = 0, taken = 0;
    for (; now < 3 * LAGGARD_MS; now += LAGGARD_LOOK_MS) {
        check_int(laggards_look(laggards, now, ++taken), 0);
    }
    check_int(laggards_look(laggards, now + LAGGARD_MS, taken), 1);
}
