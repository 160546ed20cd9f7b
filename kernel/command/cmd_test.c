/* %_test: what can go wrong with a worker, on demand. Not in help or completion; for tests. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/base/now.h"
#include "kernel/command/command.h"
#include "kernel/session/reply.h"
#include "kernel/session/session.h"

struct demand {
    struct session *session;
    struct reply *reply;
    const char *first, *second; /* words after the name; "" if absent */
    double number;              /* first as a number */
};

static void nap(double seconds) {
    struct timespec t = { .tv_sec = (time_t)seconds,
                          .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&t, NULL); /* a signal ends it early */
}

/* Computes until it is interrupted. */
static void demand_loop(struct demand *demand) {
    for (;;) {
        stop_check();
        nap(0.001);
    }
    (void)demand;
}

/* Computes and never looks at the interrupt, for N seconds (3600 if not given). */
static void demand_spin(struct demand *demand) {
    double end = now_seconds() + (demand->number > 0 ? demand->number : 3600);
    volatile uint64_t turns = 0;
    while (now_seconds() < end) {
        turns = turns + 1;
    }
}

static void demand_sleep(struct demand *demand) {
    double end = now_seconds() + demand->number;
    for (double left; (left = end - now_seconds()) > 0;) {
        stop_check();
        nap(left < 0.05 ? left : 0.05);
    }
}

/* Takes N megabytes from the cell's arena and touches them. */
static void demand_alloc(struct demand *demand) {
    for (int64_t i = 0; i < (int64_t)demand->number; i++) {
        stop_check();
        memset(arena_raw(session_arena(demand->session), 1 << 20), 1, 1 << 20);
    }
    reply_printf(demand->reply, "%lld MB\n", (long long)demand->number);
}

static void die_by(int number) {
    signal(number, SIG_DFL);
    raise(number);
}

static void demand_segv(struct demand *demand) {
    (void)demand;
    die_by(SIGSEGV);
}

/* A real one: a page of a mapped file that has become shorter. */
static void demand_bus(struct demand *demand) {
    int fd = memfd_create("short", 0);
    long page = sysconf(_SC_PAGESIZE);
    (void)demand;
    signal(SIGBUS, SIG_DFL);
    if (fd < 0 || ftruncate(fd, page) < 0) {
        return;
    }
    volatile char *at = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED && ftruncate(fd, 0) == 0) {
        (void)at[0];
    }
}

static void demand_abort(struct demand *demand) {
    (void)demand;
    die_by(SIGABRT);
}

static void demand_kill(struct demand *demand) {
    (void)demand;
    raise(SIGKILL);
}

static void demand_exit(struct demand *demand) {
    _exit((int)demand->number);
}

/* N lines of text, numbered. */
static void demand_flood(struct demand *demand) {
    for (int64_t i = 0; i < (int64_t)demand->number; i++) {
        stop_check();
        reply_printf(demand->reply, "line %lld\n", (long long)i);
    }
}

/* Text that comes in single bytes, so that characters are split. */
static void demand_pieces(struct demand *demand) {
    const char *text = demand->first[0] ? demand->first : "猫和狗 🐱🐶\n";
    for (const char *at = text; *at; at++) {
        reply_text(demand->reply, at, 1);
    }
}

/* Both streams in turns: their order must hold. */
static void demand_streams(struct demand *demand) {
    reply_text(demand->reply, "out 1\n", 6);
    reply_error_text(demand->reply, "err 1\n", 6);
    reply_text(demand->reply, "out 2\n", 6);
}

static void demand_display(struct demand *demand) {
    struct bundle bundle = { .text = demand->second };
    reply_bundle(demand->reply, &bundle, demand->first, false);
}

/* N displays, as fast as they go. */
static void demand_displays(struct demand *demand) {
    for (int64_t i = 0; i < (int64_t)demand->number; i++) {
        stop_check();
        struct arena_mark mark = arena_mark(session_arena(demand->session));
        reply_display(demand->reply,
                      arena_printf(session_arena(demand->session), "%lld", (long long)i), NULL);
        arena_rewind(session_arena(demand->session), mark);
    }
}

/* A text of N bytes. */
static void demand_big(struct demand *demand) {
    size_t size = (size_t)demand->number;
    struct arena **guard = guard_arena(session_arena(demand->session));
    char *text = arena_raw(*guard, size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    reply_bundle(demand->reply, &(struct bundle){ .text = text }, NULL, false);
    guard_free(guard);
}

static void demand_update(struct demand *demand) {
    struct bundle bundle = { .text = demand->second };
    reply_bundle(demand->reply, &bundle, demand->first, true);
}

static void demand_result(struct demand *demand) {
    reply_result(demand->reply, demand->first, NULL);
}

static void demand_page(struct demand *demand) {
    reply_page(demand->reply, demand->first);
}

/* A process beside this one, which ends at once. */
static int try_fork(void) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return pid > 0 ? waitpid(pid, NULL, 0) : -1;
}

/* What a process could do that a file of weights has taken over, each with what the system says
 * to it; nothing here does harm where it is allowed. */
static void demand_reach(struct demand *demand) {
    char *none[] = { NULL };
    const char *path = demand->first;
    const struct {
        const char *name;
        long got;
        int error;
    } tries[] = {
#define TRY(name, call) { name, (errno = 0, (long)(call)), errno }
        TRY("open to read", open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
        TRY("open to write", open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)),
        TRY("change its rights", chmod(path, 0600)),
        TRY("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        TRY("connect", connect(-1, NULL, 0)),
        TRY("execve", execve("/", none, none)),
        TRY("ptrace", ptrace(PTRACE_PEEKDATA, 0, NULL, NULL)),
        TRY("fork", try_fork()),
        TRY("kill", kill(getppid(), 0)),
        TRY("link", symlink("/", "a link made by a test")),
        TRY("leave", prctl(PR_SET_PDEATHSIG, SIGKILL)),
        TRY("unshare", unshare(0)),
#undef TRY
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        reply_printf(demand->reply, "%s: %s\n", tries[i].name,
                     tries[i].got < 0 ? strerror(tries[i].error) : "done");
    }
    unlink("a link made by a test");
}

/* For N seconds, told far too often. */
static void demand_progress(struct demand *demand) {
    double began = now_seconds();
    for (double spent = 0; spent < demand->number; spent = now_seconds() - began) {
        const struct reply_progress progress = { "counting", (int64_t)(spent * 1e3),
                                                 (int64_t)(demand->number * 1e3),
                                                 demand->number - spent };
        stop_check();
        reply_progress(demand->reply, &progress);
        nap(0.002);
    }
}

static const struct {
    const char *name;
    void (*run)(struct demand *demand);
} demands[] = {
    { "loop", demand_loop },         { "spin", demand_spin },     { "sleep", demand_sleep },
    { "alloc", demand_alloc },       { "segv", demand_segv },     { "bus", demand_bus },
    { "abort", demand_abort },       { "kill", demand_kill },     { "exit", demand_exit },
    { "flood", demand_flood },       { "pieces", demand_pieces }, { "streams", demand_streams },
    { "display", demand_display },   { "update", demand_update }, { "result", demand_result },
    { "displays", demand_displays }, { "page", demand_page },     { "big", demand_big },
    { "progress", demand_progress }, { "reach", demand_reach },
};

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    const char *name = line->word_count > 0 ? line->words[0].text : "";
    struct demand demand = { .session = session,
                             .reply = reply,
                             .first = line->word_count > 1 ? line->words[1].text : "",
                             .second = line->word_count > 2 ? line->words[2].text : "" };
    demand.number = strtod(demand.first, NULL);
    for (size_t i = 0; i < sizeof demands / sizeof *demands; i++) {
        if (strcmp(demands[i].name, name) == 0) {
            demands[i].run(&demand);
            return 0;
        }
    }
    return err_set(err, ERR_OPTION, "%%_test needs one of its words");
}

const struct command cmd_test = {
    .name = "_test",
    .group = "set up",
    .words = "DEMAND [N]",
    .summary = "misbehaves on demand, for tests",
    .summary_zh = "按要求出错，供测试用",
    .help =
        "loop · spin [S] · sleep S · alloc MB · segv · bus · abort · kill · exit N · flood N "
        "·\n"
        "pieces [TEXT] · streams · displays N · display ID TEXT · update ID TEXT · result TEXT "
        "·\n"
        "page TEXT · big N · progress S · reach PATH",
    .help_zh = "供测试用。",
    .example = "%_test streams",
    .subcommands =
        "loop spin sleep alloc segv bus abort kill exit flood pieces streams display displays "
        "update result page big progress reach",
    .hidden = true,
    .run = run,
};
