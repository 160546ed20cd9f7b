#include "kernel/front/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/confine.h"
#include "kernel/front/answer.h"
#include "kernel/front/comm.h"
#include "kernel/front/execute.h"
#include "kernel/front/grants.h"
#include "kernel/front/history.h"
#include "kernel/front/known.h"
#include "kernel/front/minder.h"
#include "kernel/front/status.h"
#include "kernel/front/stream.h"
#include "kernel/front/usage.h"
#include "kernel/wire/handshake.h"
#include "kernel/wire/laggard.h"

enum {
    PARENT_MS = 1000, /* how often to look whether the parent lives */
    LINGER_MS = 400,  /* for the last messages */
    TURN_MOST = 64,   /* messages of one channel before the others have their turn */
};

struct loop {
    struct front front;
    int signals;     /* a signalfd */
    pid_t parent;    /* 1: started by init, so nobody to follow */
    int64_t look_at; /* when to look for the parent next */
};

/* SIGINT, SIGTERM and SIGHUP come as bytes of a descriptor. They are blocked before any thread
 * begins, so that every thread inherits it. */
static int signals_open(void) {
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its writer */
    return signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void signals_read(struct loop *loop) {
    struct signalfd_siginfo seen;
    while (read(loop->signals, &seen, sizeof seen) == (ssize_t)sizeof seen) {
        if (seen.ssi_signo == SIGINT) {
            execute_interrupt(&loop->front);
        } else {
            loop->front.ending = true;
        }
    }
}

/* Milliseconds until something is due. */
static int patience(struct loop *loop, int64_t now) {
    int64_t due = front_earlier(execute_due(&loop->front), history_due(loop->front.history));
    due = front_earlier(due, sockets_due(loop->front.sockets));
    if (loop->parent > 1) {
        due = front_earlier(due, loop->look_at);
    }
    return due == 0 ? -1 : due <= now ? 0 : (int)(due - now);
}

static void tick(struct loop *loop, int64_t now) {
    execute_tick(&loop->front, now);
    history_tick(&loop->front, now);
    if (sockets_tick(loop->front.sockets, now) > 0) {
        front_log("cut off a listener that took nothing for %d s", LAGGARD_MS / 1000);
    }
    if (loop->parent > 1 && loop->look_at <= now) {
        loop->look_at = now + PARENT_MS;
        if (getppid() != loop->parent) {
            loop->front.ending = true;
        }
    }
}

/* One turn: waits, then serves control before shell before the worker, each a bounded while. */
static void turn(struct loop *loop) {
    struct front *front = &loop->front;
    struct pollfd fds[2 + MINDER_FDS] = { { .fd = loop->signals, .events = POLLIN } };
    int count = 1 + minder_poll(front->minder, fds + 1), theirs = count;
    if (history_fd(front->history) >= 0) { /* history_tick looks at it in each turn */
        fds[count++] = (struct pollfd){ .fd = history_fd(front->history), .events = POLLIN };
    }
    unsigned ready = sockets_wait(front->sockets, fds, count, patience(loop, front_now()));
    bool readable = false, writable = false;
    for (int i = 1; i < theirs; i++) {
        readable |= (fds[i].revents & POLLIN) != 0;
        writable |= (fds[i].revents & POLLOUT) != 0;
    }
    if (fds[0].revents) {
        signals_read(loop);
    }
    if (ready & 1U << CHANNEL_IOPUB) {
        sockets_welcome(front->sockets);
    }
    if (ready & 1U << CHANNEL_CONTROL) {
        answer_channel(front, CHANNEL_CONTROL, TURN_MOST);
    }
    if (ready & 1U << CHANNEL_SHELL) {
        answer_channel(front, CHANNEL_SHELL, TURN_MOST);
    }
    if (ready & 1U << CHANNEL_STDIN) {
        answer_channel(front, CHANNEL_STDIN, TURN_MOST);
    }
    if (writable) {
        minder_push(front->minder);
    }
    if (readable && !front->ending) {
        execute_read(front);
    }
    tick(loop, front_now());
}

/* A turn that ran out of memory is left there; the kernel goes on. */
static void turn_safely(struct loop *loop) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        turn(loop);
    } else {
        front_log("%s: %s", err_name(here.err.kind), here.err.text);
    }
    catch_end(&here);
}

/* Listens. Where the kernel chose the ports, a connection file tells others of them. */
static int sockets_begin(struct front *front, struct connection *connection, struct err *err) {
    front->sockets = sockets_open(front->arena, connection, err);
    if (front->sockets && connection->kernel_id &&
        !handshake_file(front->arena, connection, err)) {
        front_log("others cannot find this kernel: %s", err->text);
    }
    connection_forget(connection);
    return front->sockets ? 0 : err_pass(err);
}

/* One line where the worker will not be shut off. */
static void sandbox_warn(void) {
    char line[400];
    if (!confine_say(line, sizeof line) || !confine_wanted()) {
        front_log("%s", line);
    }
}

int loop_open(struct front *front, const char *path, struct err *err) {
    struct connection *connection = connection_read(front->arena, path, err);
    if (!connection) {
        return err_pass(err);
    }
    if (connection->exposed) {
        front_log("%s can be read by others, and with it the key: chmod 600 it", path);
    }
    if (sockets_begin(front, connection, err) < 0) {
        return err_pass(err);
    }
    const struct minder_listener listener = {
        .frame = execute_frame, .text = execute_text, .started = execute_started, .arg = front
    };
    front->stream = stream_new(front->arena, execute_emit, front);
    front->history = history_new(front->arena, NULL);
    front->comms = comm_new(front->arena);
    front->known = known_new(front->arena);
    front->usage = usage_new(front->arena);
    front->connection = connection;
    front->grants =
        grants_new(front->arena, !front->serve && confine_wanted() && confine_version() > 0);
    if (!front->serve) {
        sandbox_warn();
    }
    front->minder = minder_new(front->arena, &listener, front->serve);
    return minder_start(front->minder, err);
}

void loop_close(struct front *front) {
    struct message *message;
    minder_close(front->minder);
    frames_free(
        front->running.message); /* it and those that wait end unanswered, as clients expect */
    while ((message = queue_pop(&front->queue)) != NULL) {
        frames_free(message);
    }
    comm_free(front->comms);
    known_free(front->known);
    history_close(front->history);
    sockets_close(front->sockets, LINGER_MS);
    free(front->spare);
    front->spare = NULL;
}

/* The file after -f. NULL: the call is wrong. */
static const char *file_of(int argc, char **argv, bool *single) {
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-f") == 0 && i + 1 < argc) {
            path = argv[++i];
        } else if (strcmp(argv[i], "--single-process") == 0) {
            *single = true;
        } else {
            return NULL;
        }
    }
    return path;
}

static int usage(bool asked) {
    enum { USAGE = 2 };
    fprintf(
        asked ? stdout : stderr,
        "usage: cutaway kernel -f CONNECTION_FILE [--single-process]\n"
        "Jupyter starts it so. With --single-process models run as a thread of the kernel,\n"
        "for debuggers and sanitizers: a crash ends the kernel, and a cell that does not\n"
        "stop when it is interrupted cannot be ended.\n");
    return asked ? 0 : USAGE;
}

int kernel_main(int argc, char **argv, threaded_serve *serve) {
    struct loop loop = { .parent = getppid() };
    struct err err;
    bool single = false;
    const char *path = file_of(argc, argv, &single);
    if (!path) {
        return usage(argc == 2 && strcmp(argv[1], "--help") == 0);
    }
    if (single) {
        threaded_reserve();
        loop.front.serve = serve;
    }
    loop.front.arena = arena_new();
    loop.signals = signals_open();
    loop.look_at = front_now() + PARENT_MS;
    if (loop_open(&loop.front, path, &err) < 0) {
        fprintf(stderr, "cutaway: %s\n", err.text);
        arena_free(loop.front.arena);
        return 1;
    }
    status_starting(&loop.front);
    while (!loop.front.ending) {
        turn_safely(&loop);
    }
    loop_close(&loop.front);
    arena_free(loop.front.arena);
    close(loop.signals);
    return 0;
}
