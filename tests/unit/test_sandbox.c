/* sandbox: what a process that has entered it can still do. The walls stand for good, so each
 * test looks at them from a process of its own. */
#include "kernel/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/confine.h"
#include "core/base/file.h"
#include "tests/check.h"

/* Runs `inside` in a sandbox in another process; returns its exit code, 200 for a signal. */
static int inside(int (*run)(const char *root), const char *root, const char *grants,
                  size_t length) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        sandbox_enter(grants, length);
        _exit(run(root));
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

static void make(struct arena *arena, const char *root, const char *name) {
    int fd = open(file_join(arena, root, name), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    check(fd >= 0 && close(fd) == 0);
}

/* 0, or why a file below `root` does not open. */
static int opens(const char *root, const char *name, int flags) {
    char path[4200];
    strcat(strcat(strcpy(path, root), "/"), name);
    int fd = open(path, flags | O_CLOEXEC, 0644);
    return fd < 0 ? errno : close(fd);
}

static int granted_opens(const char *root) {
    return opens(root, "granted/x", O_RDONLY) == 0 &&
                   opens(root, "granted/x", O_WRONLY) == EACCES &&
                   opens(root, "granted/new", O_WRONLY | O_CREAT) == EACCES &&
                   opens(root, "written/x", O_RDWR) == 0 &&
                   opens(root, "written/new", O_WRONLY | O_CREAT) == 0 &&
                   opens(root, "foreign/x", O_RDONLY) == EACCES &&
                   opens(root, "granted/config.json", O_RDONLY) == 0 &&
                   opens(root, "granted/notes.txt", O_RDONLY) == EACCES &&
                   opens(root, "granted/model.gguf/x", O_RDONLY) == EACCES &&
                   opens(root, "written/link", O_RDONLY) == EACCES &&
                   opens(root, "granted/root/etc/shadow", O_RDONLY) == EACCES &&
                   opens("/etc", "shadow", O_RDONLY) == EACCES
               ? 0
               : 1;
}

TEST(sandbox_opens_what_is_granted_alone) {
    struct arena *arena = check_arena();
    const char *root = check_folder(arena);
    static const char *const folders[] = { "granted", "written", "foreign" };
    for (int i = 0; i < 3; i++) {
        check(mkdir(file_join(arena, root, folders[i]), 0755) == 0);
        make(arena, root, arena_printf(arena, "%s/x", folders[i]));
    }
    make(arena, root, "foreign/linked");
    check(symlink("../foreign/linked", file_join(arena, root, "granted/config.json")) == 0);
    check(symlink("../foreign/x", file_join(arena, root, "granted/notes.txt")) == 0);
    check(symlink("../foreign", file_join(arena, root, "granted/model.gguf")) == 0);
    check(symlink("../foreign/x", file_join(arena, root, "written/link")) == 0);
    check(symlink("/", file_join(arena, root, "granted/root")) == 0);
    struct buf *grants = buf_new(arena);
    buf_printf(grants, "r%s/granted%cw%s/written%c", root, 0, root, 0);
    check_int(inside(granted_opens, root, grants->data, grants->length),
              confine_version() > 0 ? 0 : 1);
}

static void *nothing(void *arg) {
    return arg;
}

/* How many calls were not refused as they should be, or are refused and should not. */
static int calls_fail(const char *root) {
    int wrong = 0, pipes[2];
    pthread_t thread;
    char *none[] = { NULL };
    cpu_set_t set[1] = { 0 };
    (void)root;
    wrong += !(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
    wrong += !(execve("/bin/true", none, none) < 0 && errno == EPERM);
    wrong += !(kill(getppid(), 0) < 0 && errno == EPERM) && !sandbox_sanitized();
    wrong += !(setpgid(0, 0) < 0 && errno == EPERM);
    wrong += !(setpriority(PRIO_PROCESS, (id_t)getppid(), 5) < 0 && errno == EPERM);
    wrong += !(sched_setaffinity(getppid(), sizeof *set, set) < 0 && errno == EPERM);
    wrong += sched_getaffinity(0, sizeof *set, set) < 0;
    wrong += pipe2(pipes, O_CLOEXEC) < 0;
    wrong += !(fcntl(pipes[0], F_SETOWN, getppid()) < 0 && errno == EPERM);
    wrong += !(fcntl(pipes[0], F_SETSIG, SIGKILL) < 0 && errno == EPERM);
    wrong += !(ioctl(pipes[0], FIOSETOWN, &pipes[0]) < 0 && errno == EPERM);
    wrong += fcntl(pipes[0], F_SETFL, O_NONBLOCK) < 0;
    wrong += pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL);
    wrong += kill(getpid(), 0) < 0;
    if (!sandbox_sanitized()) {
        pid_t pid = fork();
        wrong += !(pid < 0 && errno == EPERM);
        if (pid == 0) {
            _exit(0);
        }
    }
    return wrong;
}

TEST(sandbox_refuses_what_no_engine_needs) {
    if (confine_filters()) {
        check_int(inside(calls_fail, "", "", 0), 0);
    }
}

static int signals_end(const char *root) {
    (void)root;
    signal(SIGUSR1, SIG_DFL);
    raise(SIGUSR1);
    return 0;
}

TEST(sandbox_lets_a_process_end_by_its_own_signal) {
    check_int(inside(signals_end, "", "", 0), 200);
}

static int all_opens(const char *root) {
    return opens(root, "x", O_RDONLY) == 0 && socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

TEST(sandbox_can_be_switched_off) {
    struct arena *arena = check_arena();
    const char *root = check_folder(arena);
    char line[400];
    make(arena, root, "x");
    setenv("CUTAWAY_SANDBOX", "off", 1);
    check_int(inside(all_opens, root, "", 0), 0);
    check(confine_say(line, sizeof line));
    check_text(line, "CUTAWAY_SANDBOX=off");
    unsetenv("CUTAWAY_SANDBOX");
    check(confine_say(line, sizeof line) == (confine_version() > 0 && confine_filters()));
    check_text(line, "sandbox: ");
}
