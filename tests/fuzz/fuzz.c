/* fuzz [--from N] [--count N] [KIND...]: makes, opens and uses that many inputs of each kind
 * (see trial.h), from number 1 and 1,000,000 of them unless said otherwise. The same number
 * makes the same input on every machine. As many processes share the work as there are
 * processors; a crash, a sanitizer's report or more than ten seconds over one input end one of
 * them, which is told together with the command that repeats it. A count of 1 runs in this
 * process and says what came of it. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/cpu.h"
#include "core/base/pool.h"
#include "tests/fuzz/trial.h"

enum { CHUNK = 500, WORKERS = 64, SECONDS = 10, FAILURES_MOST = 20 };

/* What the processes share. */
static struct shared {
    _Atomic uint64_t next; /* the first input that nobody has taken */
    _Atomic int64_t done, opened, ran, whole, failed; /* whole: undamaged, opened */
    struct slot {
        _Atomic uint64_t number, end; /* the input at work, the end of its chunk */
    } slots[WORKERS];
} * shared;

static const char *program;

static void say_failure(enum trial_kind kind, uint64_t number, const char *what) {
    printf("  %s %llu: %s; again: %s --from %llu --count 1 %s\n", trial_name(kind),
           (unsigned long long)number, what, program, (unsigned long long)number,
           trial_name(kind));
    fflush(stdout);
}

/* ---- a worker ---- */

static void one_input(enum trial_kind kind, uint64_t number) {
    static const struct itimerval limit = { .it_value = { .tv_sec = SECONDS } };
    setitimer(ITIMER_PROF, &limit, NULL); /* SIGPROF ends the process */
    struct trial trial = trial_run(kind, number);
    shared->done++;
    shared->opened += trial.opened;
    shared->ran += trial.ran;
    shared->whole += trial.opened && trial.whole;
    if (trial.bad) {
        char what[sizeof trial.err.text + 100];
        snprintf(what, sizeof what, "%s (%s)", trial.bad, trial.err.text);
        say_failure(kind, number, what);
        shared->failed++;
    }
}

_Noreturn static void work(enum trial_kind kind, struct slot *slot, uint64_t end) {
    pool_set_threads(1);
    while (shared->failed < FAILURES_MOST) {
        if (slot->number >= slot->end) {
            uint64_t from = atomic_fetch_add(&shared->next, CHUNK);
            if (from >= end) {
                break;
            }
            slot->number = from;
            slot->end = end - from < CHUNK ? end : from + CHUNK;
        }
        one_input(kind, slot->number);
        slot->number++;
    }
    fflush(stdout);
    _exit(0);
}

/* ---- all of them ---- */

static pid_t start(enum trial_kind kind, struct slot *slot, uint64_t end) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0) {
        work(kind, slot, end);
    }
    return pid;
}

/* A worker that did not end by itself has a failure at its input; another goes on behind it. */
static bool ended_well(enum trial_kind kind, struct slot *slot, int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return true;
    }
    char what[80];
    if (WIFSIGNALED(status)) {
        snprintf(what, sizeof what, "%s (signal %d)",
                 WTERMSIG(status) == SIGPROF ? "takes more than ten seconds" : "a crash",
                 WTERMSIG(status));
    } else {
        snprintf(what, sizeof what, "ended with status %d", WEXITSTATUS(status));
    }
    say_failure(kind, slot->number, what);
    shared->failed++;
    slot->number++;
    return false;
}

/* At least one input in 50 must open although it is damaged, and one in 50 be refused: else the
 * damage is too strong or too weak to find anything. */
static bool is_telling(int64_t done) {
    return done < 1000 ||
           (shared->opened - shared->whole > done / 50 && shared->opened < done - done / 50);
}

static bool fuzz(enum trial_kind kind, uint64_t from, uint64_t count) {
    struct timespec t0, t1;
    pid_t pids[WORKERS];
    int n = cpu_threads() < WORKERS ? cpu_threads() : WORKERS, running = n;
    memset(shared, 0, sizeof *shared);
    shared->next = from;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (int i = 0; i < n; i++) {
        pids[i] = start(kind, &shared->slots[i], from + count);
    }
    while (running > 0) {
        int status, i = 0;
        pid_t pid = wait(&status);
        if (pid < 0) {
            perror("wait");
            exit(2);
        }
        while (i < n && pids[i] != pid) {
            i++;
        }
        if (ended_well(kind, &shared->slots[i], status)) {
            running--;
        } else {
            pids[i] = start(kind, &shared->slots[i], from + count);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    bool telling = is_telling(shared->done);
    printf("%-12s%lld inputs, %lld opened, %lld used to the end, %lld failed%s, %.1f s\n",
           trial_name(kind), (long long)shared->done, (long long)shared->opened,
           (long long)shared->ran, (long long)shared->failed,
           telling ? "" : " (the damage tells nothing)",
           (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9);
    return shared->failed == 0 && telling;
}

static bool show(enum trial_kind kind, uint64_t number) {
    pool_set_threads(1);
    struct trial trial = trial_run(kind, number);
    printf("%s %llu: %lld bytes, %s%s%s\n", trial_name(kind), (unsigned long long)number,
           (long long)trial.size, trial.opened ? "opened" : "not opened",
           trial.ran ? ", used to the end" : "", trial.bad ? ", WRONG:" : "");
    printf("%s%s%s\n", trial.bad ? trial.bad : "", trial.bad ? "\n" : "", trial.err.text);
    return !trial.bad;
}

static uint64_t number_in(const char *text) {
    char *end = NULL;
    errno = 0;
    uint64_t number = text ? strtoull(text, &end, 10) : 0;
    if (!text || *end || errno) {
        fprintf(stderr, "usage: fuzz [--from N] [--count N] [KIND...]\n");
        exit(2);
    }
    return number;
}

int main(int argc, char **argv) {
    uint64_t from = 1, count = 1000000;
    bool wanted[TRIAL_KINDS] = { 0 }, some = false;
    int good = 0, bad = 0;
    program = argv[0];
    for (int i = 1; i < argc; i++) {
        bool is_from = strcmp(argv[i], "--from") == 0;
        if (is_from || strcmp(argv[i], "--count") == 0) {
            *(is_from ? &from : &count) = number_in(argv[i + 1]);
            i++;
            continue;
        }
        int kind = 0;
        while (kind < TRIAL_KINDS && strcmp(argv[i], trial_name((enum trial_kind)kind)) != 0) {
            kind++;
        }
        if (kind == TRIAL_KINDS) {
            fprintf(stderr, "fuzz: %s is none of safetensors, gguf, tokenizer, config\n",
                    argv[i]);
            return 2;
        }
        wanted[kind] = some = true;
    }
    shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    for (int kind = 0; kind < TRIAL_KINDS; kind++) {
        if (!some || wanted[kind]) {
            bool held = count == 1 ? show((enum trial_kind)kind, from)
                                   : fuzz((enum trial_kind)kind, from, count);
            held ? good++ : bad++;
        }
    }
    printf("%d passed, %d failed\n", good, bad);
    return bad > 0;
}
