/* The program: one subcommand a line in the table below. */
#include <config.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernel/doctor.h"
#include "kernel/front/loop.h"
#include "kernel/install.h"
#include "kernel/reference.h"
#include "kernel/run_main.h"
#include "kernel/trace.h"
#include "kernel/worker/worker.h"

static int kernel_entry(int argc, char **argv) {
    return kernel_main(argc, argv, worker_serve);
}

static const struct entry {
    const char *name;
    int (*main)(int argc, char **argv); /* argv[0] is the subcommand */
    const char *usage;                  /* NULL: not for people */
} entries[] = {
    { "kernel", kernel_entry,
      "kernel -f CONNECTION_FILE                 the kernel, started by Jupyter" },
    { "worker", worker_main, NULL },
    { "reference", reference_main, NULL },
    { "run", run_main,
      "run FILE.ipynb [-o OUT.ipynb]             run a notebook, write its outputs into it" },
    { "run", run_main, "run FILE.cut|- [--out DIR]                run a script of cells" },
    { "trace", trace_main,
      "trace MODEL --text T -o OUT.safetensors   run a model, write all its values" },
    { "install", install_main,
      "install [--user|--sys-prefix|--prefix P]  let Jupyter find this program" },
    { "uninstall", uninstall_main, "uninstall [the same]                      undo that" },
    { "doctor", doctor_main,
      "doctor                                    what is wrong, and how to mend it" },
};

enum { COUNT = sizeof entries / sizeof *entries };

static void usage(FILE *to) {
    fprintf(to, "Cutaway, a Jupyter kernel that opens up language models.\n\n");
    for (int i = 0; i < COUNT; i++) {
        if (entries[i].usage) {
            fprintf(to, "  cutaway %s\n", entries[i].usage);
        }
    }
    fprintf(to, "  cutaway --version | --help\n");
}

int main(int argc, char **argv) {
    signal(SIGXFSZ, SIG_IGN); /* a file too large is a failure to write, said in a sentence */
    const char *name = argc > 1 ? argv[1] : "--help";
    for (int i = 0; i < COUNT; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return entries[i].main(argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--version") == 0) {
        printf("cutaway %s\n", PACKAGE_VERSION);
        return 0;
    }
    bool asked = strcmp(name, "--help") == 0;
    if (!asked) {
        fprintf(stderr, "cutaway: there is no subcommand %s\n\n", name);
    }
    usage(asked ? stdout : stderr);
    return asked && argc > 1 ? 0 : 2;
}
