#include "kernel/front/minder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/apart.h"
#include "core/base/memory.h"
#include "core/base/now.h"
#include "core/base/pipe.h"
#include "kernel/front/death.h"
#include "kernel/front/environment.h"
#include "kernel/relay/relay.h"

enum {
    READ_STEP = 64 * 1024,
    READ_MOST = 4 << 20,
    TEXT_STEP = 16 * 1024,
    SOCKET_ROOM = 1 << 20,
    TRIES = 2,      /* to restore a state */
    BURY_MS = 3000, /* for what it held to go back to the system */
    CLOSE_MS = 500
};

struct minder {
    struct minder_listener listener;
    struct threaded threaded;
    char **variables; /* of its environment */
    pid_t pid;        /* 0: none lives */
    int fd, texts[2]; /* our ends: frames; its stdout and stderr. -1: closed */
    int keep;         /* what a worker leaves to the next one, RELAY_KEEP_FD; -1: nothing can */
    struct buf *held; /* read, not yet handled */
    struct buf *out;  /* to be written */
    size_t sent;
    struct buf *names, *state;
    struct buf *lost; /* names of the models and data that were given up last */
    const struct buf
        *granted;   /* what the next worker may open; NULL: nothing beyond the usual */
    bool paused;    /* its output waits: nobody takes what was said */
    bool restoring; /* no NAMES has come from this worker */
    int tries;      /* workers in a row that died so */
    bool retiring;  /* it was asked to end */
    int64_t kills;  /* what memory_kills said last */
    double looked;  /* when, in seconds; 0: never */
    bool started;   /* the last one was there, and died of this */
    struct death death;
};

/* A file that has no name, so that it is gone with the last process that holds it. */
static int keep_open(void) {
    const char *folder = getenv("TMPDIR");
    int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC,
                  0600);
    return fd >= 0 ? fd : memfd_create("cutaway kept results", MFD_CLOEXEC);
}

static void keep_close(void *minder) {
    int fd = ((struct minder *)minder)->keep;
    if (fd >= 0) {
        close(fd);
    }
}

struct minder *minder_new(struct arena *arena, const struct minder_listener *listener,
                          threaded_serve *serve) {
    struct minder *minder = arena_alloc(arena, sizeof *minder);
    minder->listener = *listener;
    minder->threaded.serve = serve;
    minder->fd = minder->texts[0] = minder->texts[1] = -1;
    minder->variables = environment_kept(arena, environ);
    minder->keep = keep_open();
    arena_defer(arena, keep_close, minder);
    minder->held = buf_new(arena);
    minder->out = buf_new(arena);
    minder->names = buf_new(arena);
    minder->state = buf_new(arena);
    minder->lost = buf_new(arena);
    return minder;
}

/* In the child, where only system calls are safe: other threads' locks may be held for ever. */
static _Noreturn void become_worker(char *const *variables, pid_t parent, int relay, int keep,
                                    int out, int error) {
    static char name[] = "cutaway", mode[] = "worker", self[] = "/proc/self/exe";
    char *argv[] = { name, mode, NULL };
    sigset_t none;
    /* Until the worker takes it; also one that came before this line. */
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(0); /* the supervisor died before it could take us along */
    }
    /* No dumps, of which a limit of 1 keeps also systems that hand them to a program. */
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 1 }) < 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    }
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) { /* when memory runs out, the worker goes before the kernel does */
        (void)!write(score, "500", 3);
        close(score);
    }
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    /* Away from 0..4 first, so that no dup2 closes what a later one needs. */
    int from[RELAY_KEEP_FD + 1] = { in, out, error, relay, keep };
    int count = keep >= 0 ? RELAY_KEEP_FD + 1 : RELAY_KEEP_FD;
    for (int i = 0; i < count; i++) {
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 16);
    }
    for (int i = 0; i < count; i++) {
        if (dup2(from[i], i) < 0) {
            _exit(71);
        }
    }
    close_range((unsigned)count, ~0U, 0);
    execve(self, argv, variables);
    _exit(72);
}

static void ends_close(int *ends, int n) {
    for (int i = 0; i < n; i++) {
        if (ends[i] >= 0) {
            close(ends[i]);
            ends[i] = -1;
        }
    }
}

/* Remembers how often the system has ended something for want of memory; at most once a second,
 * as each look reads some files. */
static void kills_look(struct minder *minder) {
    double now = now_seconds();
    if (minder->looked == 0 || now - minder->looked > 1) {
        minder->looked = now;
        minder->kills = memory_kills();
    }
}

/* Room for all that a worker is told first. One that is there and cannot be told what session
 * it has would begin another. */
static void room_make(struct minder *minder) {
    enum { HEADS = 2 * 16 };
    size_t granted = minder->granted ? minder->granted->length : 0;
    buf_more(minder->out, HEADS + granted + minder->state->length);
    buf_clear(minder->out);
}

/* The worker is there; tells it and the front. */
static int started(struct minder *minder) {
    minder->restoring = true;
    minder->retiring = false;
    kills_look(minder);
    minder_send(minder, RELAY_RESTORE, minder->state->data, minder->state->length);
    minder->listener.started(minder->listener.arg);
    return 0;
}

static int start_thread(struct minder *minder, struct err *err) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return err_set(err, ERR_IO, "cannot make the pipe to a computing thread: %s",
                       strerror(errno));
    }
    int failed = threaded_start(&minder->threaded, ends[1], minder->keep, err);
    ends_close(ends + 1, 1);
    if (failed) {
        ends_close(ends, 1);
        return err_pass(err);
    }
    minder->fd = ends[0];
    return started(minder);
}

int minder_start(struct minder *minder, struct err *err) {
    int ends[6] = { -1, -1, -1, -1, -1, -1 }; /* relay, stdout, stderr; ours at even places */
    if (minder->pid > 0 || minder->threaded.runs) {
        return 0;
    }
    room_make(minder);
    if (minder->threaded.serve) {
        return start_thread(minder, err);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
        pipe2(ends + 2, O_CLOEXEC) < 0 || pipe2(ends + 4, O_CLOEXEC) < 0) {
        ends_close(ends, 6);
        return err_set(err, ERR_IO, "cannot make the pipes to a computing process: %s",
                       strerror(errno));
    }
    int room = SOCKET_ROOM;
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become_worker(minder->variables, parent, ends[1], minder->keep, ends[3], ends[5]);
    }
    int failed = errno;
    ends_close(ends + 1, 1);
    ends_close(ends + 3, 1);
    ends_close(ends + 5, 1);
    if (pid < 0) {
        ends_close(ends, 6);
        return err_set(err, ERR_IO, "cannot start a computing process: %s", strerror(failed));
    }
    minder->pid = pid;
    minder->fd = ends[0];
    minder->texts[0] = ends[2];
    minder->texts[1] = ends[4];
    fcntl(ends[2], F_SETFL, O_NONBLOCK);
    fcntl(ends[4], F_SETFL, O_NONBLOCK);
    minder_send(minder, RELAY_GRANT, minder->granted ? minder->granted->data : "",
                minder->granted ? minder->granted->length : 0);
    return started(minder);
}

/* The worker reads what was sent before, then the end, and ends as it does when we are gone. */
static void retire(struct minder *minder) {
    if (minder->retiring && minder->fd >= 0 && minder->sent == minder->out->length) {
        shutdown(minder->fd, SHUT_WR);
    }
}

void minder_retire(struct minder *minder, const struct buf *granted) {
    minder->granted = granted;
    minder->retiring = minder->pid > 0;
    retire(minder);
}

bool minder_retiring(const struct minder *minder) {
    return minder->retiring;
}

bool minder_gone(const struct minder *minder) {
    char byte;
    return minder->fd >= 0 && recv(minder->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void minder_pause(struct minder *minder, bool pause) {
    minder->paused = pause;
}

bool minder_paused(const struct minder *minder) {
    return minder->paused;
}

int minder_poll(const struct minder *minder, struct pollfd fds[MINDER_FDS]) {
    int n = 0;
    bool waiting = minder->sent < minder->out->length;
    short events = (short)((minder->paused ? 0 : POLLIN) | (waiting ? POLLOUT : 0));
    if (minder->fd >= 0 && events != 0) {
        fds[n++] = (struct pollfd){ .fd = minder->fd, .events = events };
    }
    for (int i = 0; i < 2; i++) {
        if (minder->texts[i] >= 0) {
            fds[n++] = (struct pollfd){ .fd = minder->texts[i], .events = POLLIN };
        }
    }
    return n;
}

static void texts_read(struct minder *minder) {
    char text[TEXT_STEP];
    for (int i = 0; i < 2; i++) {
        for (int turns = 0; minder->texts[i] >= 0 && turns < 64; turns++) {
            ssize_t n = read(minder->texts[i], text, sizeof text);
            if (n > 0) {
                minder->listener.text(minder->listener.arg, i == 1, text, (size_t)n);
            } else {
                if (n == 0) {
                    ends_close(&minder->texts[i], 1);
                }
                break;
            }
        }
    }
}

static void keep(struct buf *into, const char *bytes, size_t length) {
    buf_clear(into);
    buf_add(into, bytes, length);
}

static void frame_tell(struct minder *minder, uint32_t kind, const char *bytes, size_t length,
                       void **base) {
    if (kind == RELAY_NAMES) {
        minder->restoring = false;
        keep(minder->names, bytes, length);
    } else if (kind == RELAY_STATE) {
        keep(minder->state, bytes, length);
    } else {
        if (kind == RELAY_DONE) {
            texts_read(minder); /* what it printed belongs to the cell that ends */
        }
        minder->listener.frame(minder->listener.arg, kind, bytes, length, base);
    }
}

/* Tells the whole frames that are held, until it is paused. -1: these are no frames. */
static int frames_tell(struct minder *minder) {
    struct buf *held = minder->held;
    size_t taken = 0, length, before = 0;
    uint32_t kind;
    const char *bytes;
    int got = 0;
    while (!minder->paused && (got = pipe_take(held, &taken, &kind, &bytes, &length)) == 1) {
        void *block = before == 0 && taken == held->length ? held->data : NULL;
        void *base = block;
        frame_tell(minder, kind, bytes, length, &base);
        if (block && !base) { /* taken over: the next bytes get a new block */
            *held = (struct buf){ 0 };
            buf_more(held, 0);
            return 0;
        }
        before = taken;
    }
    memmove(held->data, held->data + taken, held->length - taken);
    held->length -= taken;
    return got;
}

/* Makes room for the whole frame whose head is held, so that it is never moved while it grows.
 */
static size_t room_wanted(const struct buf *held) {
    uint64_t length;
    if (held->length < 16) {
        return READ_STEP;
    }
    memcpy(&length, held->data + 8, sizeof length);
    return length <= PIPE_MOST && length + 16 > held->length + READ_STEP
               ? (size_t)length + 16 - held->length
               : READ_STEP;
}

int minder_read(struct minder *minder) {
    size_t total = 0;
    texts_read(minder);
    if (frames_tell(minder) < 0) { /* held since it was paused */
        return 1;
    }
    while (minder->fd >= 0 && !minder->paused && total < READ_MOST) {
        size_t before = minder->held->length, room = room_wanted(minder->held);
        char *place = buf_more(minder->held, room);
        ssize_t n = recv(minder->fd, place, room, MSG_DONTWAIT);
        minder->held->length = before + (n > 0 ? (size_t)n : 0);
        minder->held->data[minder->held->length] = '\0';
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        if (n <= 0 || frames_tell(minder) < 0) {
            return 1;
        }
        total += (size_t)n;
        if ((size_t)n < room && room == READ_STEP) {
            break; /* that was all */
        }
    }
    return 0;
}

void minder_send(struct minder *minder, uint32_t kind, const void *bytes, size_t length) {
    if (kind == RELAY_EXECUTE) {
        kills_look(minder);
    }
    const uint32_t kinds[2] = { kind, 0 }; /* the head of a frame of core/base/pipe */
    const uint64_t size = length;
    /* At once: where there is no memory for all of it, no part of it may be left. */
    char *place = buf_more(minder->out, sizeof kinds + sizeof size + length);
    memcpy(place, kinds, sizeof kinds);
    memcpy(place + sizeof kinds, &size, sizeof size);
    if (length > 0) {
        memcpy(place + sizeof kinds + sizeof size, bytes, length);
    }
    minder_push(minder);
}

void minder_push(struct minder *minder) {
    struct buf *out = minder->out;
    while (minder->fd >= 0 && minder->sent < out->length) {
        ssize_t n = send(minder->fd, out->data + minder->sent, out->length - minder->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return; /* full: poll says when it goes on */
        }
        if (n < 0) {
            break; /* nobody will read it, and poll would say so for ever; minder_read finds out
                    */
        }
        minder->sent += (size_t)n;
    }
    buf_clear(out);
    minder->sent = 0;
    retire(minder);
}

pid_t minder_pid(const struct minder *minder) {
    return minder->pid > 0 ? minder->pid : 0;
}

void minder_signal(struct minder *minder, int signal) {
    threaded_signal(&minder->threaded, signal);
    if (minder->pid > 0) {
        kill(minder->pid, signal);
    }
}

const struct death *minder_death(const struct minder *minder) {
    return minder->started ? &minder->death : NULL;
}

/* Ends the worker, which may have closed its pipe and live on, and notes what it died of. */
static void end(struct minder *minder, int ms) {
    struct rusage usage = { 0 };
    int status = 0;
    kill(minder->pid, SIGKILL);
    bool ended = apart_wait(minder->pid, ms, &status, &usage);
    int64_t kills = memory_kills();
    minder->death = (struct death){ .status = status,
                                    .stuck = !ended,
                                    .peak = (int64_t)usage.ru_maxrss * 1024,
                                    .kills = kills < 0 ? -1 : kills - minder->kills,
                                    .ceiling = memory_ceiling() };
    minder->kills = kills;
}

/* Names in `lost` what a line of the state says: "model\tNAME\t...", "data\tNAME\t...". */
static void lost_add(struct buf *lost, const char *line) {
    static const char *const kinds[] = { "model\t", "data\t" };
    enum { MOST = 300 };
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(kinds[i]);
        if (strncmp(line, kinds[i], n) == 0 && lost->length < MOST) {
            buf_text(lost, lost->length > 0 ? ", " : "");
            buf_add(lost, line + n, strcspn(line + n, "\t\n"));
        }
    }
}

/* Keeps of the state what no file can spoil: the settings, which are its first lines. Returns
 * whether there was more. */
static bool state_bare(struct minder *minder) {
    static const char setting[] = "setting\t";
    const char *at = minder->state->data;
    while (strncmp(at, setting, sizeof setting - 1) == 0) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    bool more = *at != '\0';
    minder->state->length = (size_t)(at - minder->state->data);
    buf_clear(minder->lost);
    while (*at) {
        lost_add(minder->lost, at);
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    minder->state->data[minder->state->length] = '\0';
    return more;
}

/* After a death: what is left of the state, and what may be hoped for. */
static enum minder_hope hope(struct minder *minder) {
    minder->tries = minder->restoring ? minder->tries + 1 : 0;
    return minder->tries < TRIES ? MINDER_WHOLE
           : state_bare(minder)  ? MINDER_BARE
                                 : MINDER_NONE;
}

static void bury(struct minder *minder, int ms) {
    minder->started = minder->pid > 0;
    if (minder->started) {
        end(minder, ms);
    }
    texts_read(minder);
    ends_close(&minder->fd, 1);
    ends_close(minder->texts, 2);
    threaded_end(&minder->threaded);
    buf_clear(minder->held);
    buf_clear(minder->out);
    minder->sent = 0;
    minder->paused = false;
    minder->pid = 0;
    minder->retiring = false;
}

enum minder_hope minder_bury(struct minder *minder) {
    bury(minder, BURY_MS);
    return hope(minder);
}

void minder_close(struct minder *minder) {
    bury(minder, CLOSE_MS);
}

const char *minder_names(const struct minder *minder) {
    return minder->names->data;
}

const char *minder_lost(const struct minder *minder) {
    return minder->lost->data;
}

bool minder_zh(const struct minder *minder) {
    return strstr(minder->state->data, "setting\tlanguage\tzh") != NULL;
}
