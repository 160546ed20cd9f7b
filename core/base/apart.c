#include "core/base/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/now.h"

/* ---- those that were late ---- */

enum { LEFT_MOST = 4096 }; /* one a second for an hour */

static pid_t left[LEFT_MOST]; /* 0: free */

/* Those that could end meanwhile leave the system's list. */
static void left_look(void) {
    for (int i = 0; i < LEFT_MOST; i++) {
        if (left[i] > 0 && waitpid(left[i], NULL, WNOHANG) != 0) {
            left[i] = 0;
        }
    }
}

static void left_add(pid_t pid) {
    for (int i = 0; i < LEFT_MOST; i++) {
        if (left[i] == 0) {
            left[i] = pid;
            return;
        }
    }
}

bool apart_wait(pid_t pid, int ms, int *status, struct rusage *usage) {
    enum { FIRST_NS = 100 * 1000, LAST_NS = 5 * 1000 * 1000 };
    struct timespec nap = { .tv_nsec = FIRST_NS };
    double end = now_seconds() + ms / 1e3;
    left_look();
    for (;;) {
        pid_t got = wait4(pid, status, WNOHANG, usage);
        if (got == pid || (got < 0 && errno != EINTR)) {
            return true;
        }
        if (now_seconds() >= end) {
            left_add(pid);
            return false;
        }
        nanosleep(&nap, NULL);
        nap.tv_nsec = nap.tv_nsec * 2 < LAST_NS ? nap.tv_nsec * 2 : LAST_NS;
    }
}

/* ---- a look ---- */

/* Reads until the other end is closed. Whether that came in time, and was not too much. */
static bool read_all(int fd, struct buf *told, double end) {
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    size_t most = told->length + APART_MOST;
    for (;;) {
        double left_s = end - now_seconds();
        if (left_s <= 0 || told->length >= most) {
            return false;
        }
        if (poll(&ready, 1, (int)(left_s * 1000) + 1) <= 0) {
            continue;
        }
        char bytes[4096];
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n == 0) {
            return true;
        }
        if (n > 0) {
            buf_add(told, bytes, (size_t)n);
        } else if (errno != EINTR) {
            return false;
        }
    }
}

/* The same, where there may be no memory for what is told. */
static bool read_caught(int fd, struct buf *told, double end) {
    struct catch here;
    volatile bool in_time = false;
    if (setjmp(catch_set(&here)->place) == 0) {
        in_time = read_all(fd, told, end);
    }
    catch_end(&here);
    return in_time;
}

int apart_finish(struct buf *told, int ms, pid_t pid, int fd) {
    double began = now_seconds();
    int status = 0;
    bool in_time = read_caught(fd, told, began + ms / 1e3);
    close(fd);
    if (!in_time) {
        kill(-pid, SIGKILL);
        left_look();
        left_add(pid);
        return APART_LATE;
    }
    int rest = ms - (int)((now_seconds() - began) * 1000);
    return apart_wait(pid, rest > 0 ? rest : 0, &status, NULL) ? status : APART_LATE;
}

/* The copy. What it may have to wait for is nobody else's. */
_Noreturn static void look_and_end(void (*look)(void *arg, int fd), void *arg, int fd,
                                   pid_t parent) {
    struct catch here;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    if (fd > STDERR_FILENO + 1) {
        close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
    }
    close_range((unsigned)fd + 1, ~0U, 0);
    if (setjmp(catch_set(&here)->place) == 0) {
        look(arg, fd);
        _exit(0);
    }
    _exit(1);
}

int apart_look(struct buf *told, int ms, void (*look)(void *arg, int fd), void *arg) {
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return APART_NONE;
    }
    pid_t pid = fork();
    if (pid == 0) {
        look_and_end(look, arg, ends[1], parent);
    }
    int why = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = why;
        return APART_NONE;
    }
    setpgid(pid, pid); /* whichever of both comes first */
    return apart_finish(told, ms, pid, ends[0]);
}
