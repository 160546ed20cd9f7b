#include <config.h>

#include "kernel/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/apart.h"
#include "core/base/cpu.h"
#include "core/base/file.h"
#include "kernel/doctor_jupyter.h"
#include "kernel/doctor_machine.h"
#include "kernel/doctor_places.h"

enum { PATIENCE = 60 /* s; asking Jupyter is a part of some looks */ };

bool doctor_say(struct buf *out, enum doctor_verdict verdict, const char *format, ...) {
    static const char *const words[] = { " ok ", "note", "BAD " };
    char line[4000], quoted[4000];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    err_quote(quoted, sizeof quoted, line, strlen(line));
    buf_printf(out, "%s %s\n", words[verdict], quoted);
    return verdict != DOCTOR_BAD;
}

/* ---- other processes ---- */

struct looked {
    struct arena *arena;
    doctor_look *look;
};

/* The child's half of doctor_apart. */
static void look_and_tell(void *arg, int fd) {
    const struct looked *looked = arg;
    struct buf *out = buf_new(looked->arena);
    bool well = looked->look(looked->arena, out);
    bool told = write(fd, out->data, out->length) == (ssize_t)out->length;
    _exit(!told || !well);
}

bool doctor_apart(struct arena *arena, struct buf *out, const char *what, doctor_look *look,
                  int seconds) {
    struct looked looked = { arena, look };
    int status = apart_look(out, seconds * 1000, look_and_tell, &looked);
    if (status == APART_NONE) {
        return doctor_say(out, DOCTOR_BAD, "%s: cannot look, as no process can be made: %s",
                          what, strerror(errno));
    }
    if (status == APART_LATE) {
        return doctor_say(out, DOCTOR_BAD,
                          "%s: no answer in %d s; is a network drive away that a folder here "
                          "or a program lies on?",
                          what, seconds);
    }
    if (WIFSIGNALED(status)) {
        return doctor_say(out, DOCTOR_BAD,
                          "%s: looking ended by %s; a library or its files may be damaged: "
                          "install them anew",
                          what, strsignal(WTERMSIG(status)));
    }
    return status == 0;
}

/* The same words as posix_spawn wants them. */
static char **words_of(struct arena *arena, const char *const *argv) {
    int64_t n = 0;
    while (argv[n]) {
        n++;
    }
    char **words = arena_array(arena, n + 1, sizeof *words);
    for (int64_t i = 0; i < n; i++) {
        words[i] = arena_copy(arena, argv[i]);
    }
    return words;
}

const char *doctor_ask(struct arena *arena, const char *const *argv, int seconds) {
    int ends[2];
    pid_t child = -1;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t group;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return NULL;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&group);
    posix_spawnattr_setflags(&group, POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn(&child, argv[0], &actions, &group, words_of(arena, argv), environ);
    posix_spawnattr_destroy(&group);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (failed) {
        close(ends[0]);
        return NULL;
    }
    struct buf *out = buf_new(arena);
    return apart_finish(out, seconds * 1000, child, ends[0]) == 0 ? out->data : NULL;
}

char *doctor_parent(struct arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? arena_text(arena, path, (size_t)(slash - path))
                                 : arena_copy(arena, slash ? "/" : ".");
}

static bool can_be_run(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

const char *doctor_program(struct arena *arena, const char *name) {
    if (strchr(name, '/')) {
        return can_be_run(name) ? name : NULL;
    }
    char *rest = arena_copy(arena, getenv("PATH") ? getenv("PATH") : "");
    for (char *folder = strsep(&rest, ":"); folder; folder = strsep(&rest, ":")) {
        char *path = file_join(arena, *folder ? folder : ".", name);
        if (can_be_run(path)) {
            return path;
        }
    }
    return NULL;
}

/* ---- all ---- */

static const struct {
    const char *what;
    doctor_look *look;
} looks[] = {
    { "kernelspec", doctor_jupyter_kernelspec }, { "network", doctor_machine_network },
    { "folder", doctor_places_folders },         { "history", doctor_places_history },
    { "model", doctor_places_models },           { "libraries", doctor_machine_libraries },
    { "processor", doctor_machine_processor },   { "memory", doctor_machine_memory },
    { "pictures", doctor_machine_pictures },     { "extension", doctor_jupyter_extension },
    { "files", doctor_machine_files },           { "clock", doctor_machine_clock },
    { "sandbox", doctor_machine_sandbox },
};

int doctor_main(int argc, char **argv) {
    if (argc != 1) {
        fprintf(stderr, "cutaway: usage: cutaway %s\n", argv[0]);
        return 2;
    }
    struct arena *arena = arena_new();
    struct buf *out = buf_new(arena);
    int bad = 0;
    signal(SIGXFSZ, SIG_IGN); /* a limit of files is an error to be told */
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        bad += !doctor_apart(arena, out, looks[i].what, looks[i].look, PATIENCE);
    }
    printf("Cutaway %s, threads %d\n%s", PACKAGE_VERSION, cpu_threads(), out->data);
    puts(bad ? "Something is to be mended; see the lines that begin with BAD."
             : "All is well.");
    arena_free(arena);
    return bad ? 1 : 0;
}
