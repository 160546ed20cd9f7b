/* apart: what another process is asked, and what happens when it does not answer. */
#include "core/base/apart.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/now.h"
#include "tests/check.h"

enum { LONG = 20000, SHORT = 100 }; /* ms */

static struct buf *told(void) {
    return buf_new(check_arena());
}

static void tell(void *arg, int fd) {
    (void)!write(fd, arg, strlen(arg));
}

TEST(apart_tells) {
    char text[] = "what is there";
    struct buf *out = told();
    buf_text(out, "before, ");
    check_int(apart_look(out, LONG, tell, text), 0);
    check_same(out->data, "before, what is there");
}

static void tell_much(void *arg, int fd) {
    static char block[1 << 16];
    size_t *left = arg;
    for (; *left >= sizeof block; *left -= sizeof block) {
        (void)!write(fd, block, sizeof block);
    }
}

TEST(apart_tells_more_than_a_pipe_holds_but_not_all_there_is) {
    struct buf *out = told();
    check_int(apart_look(out, LONG, tell_much, &(size_t){ 1 << 19 }), 0);
    check_int(out->length, 1 << 19);
    check_int(apart_look(out, LONG, tell_much, &(size_t){ 64 << 20 }), APART_LATE);
}

/* What is told is let go of, with the process and its descriptor. */
TEST(apart_ends_where_there_is_no_memory_for_what_is_told) {
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct buf *out = told();
    close(before);
    arena_budget(arena_held() + (1 << 17));
    check_int(apart_look(out, LONG, tell_much, &(size_t){ 1 << 19 }), APART_LATE);
    arena_budget(0);
    int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    check_int(after, before);
    close(after);
}

static void change(void *arg, int fd) {
    (void)fd;
    *(int *)arg = 7;
}

static void fail(void *arg, int fd) {
    (void)arg, (void)fd;
    catch_throw(ERR_MEMORY, "nothing is left");
}

static void die(void *arg, int fd) {
    (void)arg, (void)fd;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

TEST(apart_is_another_process) {
    int mine = 3, status;
    check_int(apart_look(told(), LONG, change, &mine), 0);
    check_int(mine, 3);
    status = apart_look(told(), LONG, fail, NULL); /* not to the catch point of this test */
    check(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    status = apart_look(told(), LONG, die, NULL);
    check(status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* Its number, and then for ever nothing, as where a drive does not answer. */
static void hang(void *arg, int fd) {
    pid_t self = getpid();
    (void)arg;
    (void)!write(fd, &self, sizeof self);
    for (;;) {
        pause();
    }
}

TEST(apart_is_not_waited_for_longer) {
    struct buf *out = told();
    pid_t pid;
    for (int ms = SHORT; out->length == 0; ms *= 2) { /* until it comes to say who it is */
        double began = now_seconds();
        check_int(apart_look(out, ms, hang, NULL), APART_LATE);
        check(now_seconds() - began >= ms / 1e3);
    }
    check_int(out->length, sizeof pid);
    memcpy(&pid, out->data, sizeof pid);
    while (kill(pid, 0) == 0) { /* it was killed, and a later look takes it off the list */
        apart_look(told(), LONG, tell, "");
    }
    check(true);
}

static void look_at_descriptors(void *arg, int fd) {
    const int *other = arg;
    char good = fcntl(*other, F_GETFD) < 0 && fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    (void)!write(fd, &good, 1);
}

/* Sockets that it held would keep their ports while it hangs. */
TEST(apart_holds_no_descriptor_of_ours) {
    int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct buf *out = told();
    check_int(apart_look(out, LONG, look_at_descriptors, &other), 0);
    check(out->length == 1 && out->data[0] == 1);
    close(other);
}

static pid_t pausing(void) {
    pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    return pid;
}

/* Processes that are killed and do not end: here such that have not been killed at all. */
TEST(apart_leaves_behind_what_does_not_end) {
    enum { MANY = 100 };
    struct rusage usage;
    int status = -1;
    pid_t many[MANY];
    for (int i = 0; i < MANY; i++) {
        many[i] = pausing();
        check(!apart_wait(many[i], 0, &status, &usage));
    }
    for (int i = 0; i < MANY; i++) {
        kill(many[i], SIGKILL);
    }
    for (int i = 0; i < MANY; i++) {
        while (kill(many[i], 0) == 0) {
            apart_look(told(), LONG, tell, "");
        }
    }
    pid_t pid = fork();
    if (pid == 0) {
        _exit(5);
    }
    check(apart_wait(pid, LONG, &status, &usage));
    check(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    check(apart_wait(pid, LONG, &status, &usage)); /* nobody is there to be waited for */
}
