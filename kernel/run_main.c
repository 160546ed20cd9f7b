#include "kernel/run_main.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "kernel/run_notebook.h"
#include "kernel/run_script.h"

struct call {
    const char *file, *o, *out; /* FILE, -o OUT.ipynb, --out DIR */
};

static int wrong(const char *what, const char *which) {
    fprintf(stderr,
            "cutaway run: %s%s\nusage: cutaway run FILE.ipynb [-o OUT.ipynb]\n"
            "       cutaway run FILE.cut|- [--out DIR]\n",
            what, which);
    return 2;
}

static int read_call(struct call *call, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        bool takes = strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--out") == 0;
        if (takes && i + 1 == argc) {
            return wrong("a path must follow ", argv[i]);
        }
        if (takes) {
            *(argv[i][1] == 'o' ? &call->o : &call->out) = argv[i + 1];
            i++;
        } else if (strncmp(argv[i], "--out=", 6) == 0) {
            call->out = argv[i] + 6;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return wrong("there is no option ", argv[i]);
        } else if (call->file) {
            return wrong("one file at a time, not also ", argv[i]);
        } else {
            call->file = argv[i];
        }
    }
    return call->file ? 0 : wrong("which file?", "");
}

static bool ends_with(const char *text, const char *ending) {
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

/* Standard input, whole. */
static const char *read_input(struct arena *arena, size_t *length) {
    struct buf *all = buf_new(arena);
    char part[65536];
    for (ssize_t n; (n = read(STDIN_FILENO, part, sizeof part)) > 0;) {
        buf_add(all, part, (size_t)n);
    }
    *length = all->length;
    return all->data;
}

static int run_file(struct session *session, const struct call *call, struct err *err) {
    struct arena *arena = arena_new();
    int status = -1;
    if (ends_with(call->file, ".ipynb")) {
        status = run_notebook(session, call->file, call->o ? call->o : call->file, err);
    } else if (strcmp(call->file, "-") == 0) {
        size_t length;
        const char *text = read_input(arena, &length);
        status = run_script(session, "standard input", text, length, call->out, err);
    } else {
        const struct file *file = file_map(arena, call->file, err);
        if (file) {
            status = run_script(session, call->file, (const char *)file->bytes,
                                (size_t)file->size, call->out, err);
        }
    }
    arena_free(arena);
    return status;
}

static void on_interrupt(int number) {
    (void)number;
    stop_request();
}

void run_complain(const char *path, int64_t n, const char *traceback) {
    bool colour = isatty(STDERR_FILENO);
    fflush(stdout);
    fprintf(stderr, "%s, cell %lld: ", path, (long long)n);
    for (const char *at = traceback; *at; at++) {
        if (*at == '\x1b' && !colour) {
            at += strcspn(at, "m");
            continue;
        }
        fputc(*at, stderr);
    }
    fputc('\n', stderr);
}

int run_main(int argc, char **argv) {
    struct call call = { 0 };
    struct err err = { 0 };
    int usage = read_call(&call, argc, argv);
    if (usage != 0) {
        return usage;
    }
    bool notebook = ends_with(call.file, ".ipynb");
    if (!notebook && strcmp(call.file, "-") != 0 && !ends_with(call.file, ".cut")) {
        return wrong("a notebook ends in .ipynb and a script in .cut, unlike ", call.file);
    }
    if (notebook ? call.out != NULL : call.o != NULL) {
        return wrong(notebook ? "--out is for scripts; a notebook takes -o OUT.ipynb"
                              : "-o is for notebooks; a script takes --out DIR",
                     "");
    }
    struct sigaction interrupt = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
    sigemptyset(&interrupt.sa_mask);
    sigaction(SIGINT, &interrupt, NULL);
    arena_budget(memory_budget());
    struct session *session = session_new();
    int status = run_file(session, &call, &err);
    if (status < 0 && err.kind != ERR_NONE) {
        fprintf(stderr, "cutaway run: %s: %s\n", err_name(err.kind), err.text);
    }
    session_free(session);
    arena_budget(0);
    return status < 0 ? 1 : 0;
}
