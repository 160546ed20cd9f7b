#include "kernel/reference.h"

#include <stdio.h>
#include <string.h>

#include "kernel/command/command.h"

/* Text in a cell of a Markdown table. */
static void put(const char *text) {
    for (; *text; text++) {
        if (*text == '|') {
            putchar('\\');
        }
        putchar(*text);
    }
}

static void put_row(const struct command *command) {
    printf("| `%s%s", command_marks(command), command->name);
    if (command->words && command->words[0]) {
        putchar(' ');
        put(command->words);
    }
    printf("` | ");
    put(command->summary);
    printf(" | ");
    for (const struct option *option = command->options; option && option->name; option++) {
        printf("%s`--%s`", option == command->options ? "" : " ", option->name);
    }
    printf(" |\n");
}

static void put_table(const struct command *const *all) {
    printf("| command | what it does | options |\n|---|---|---|\n");
    for (; *all; all++) {
        if (!(*all)->hidden) {
            put_row(*all);
        }
    }
}

static void put_names(const struct command *const *all) {
    for (; *all; all++) {
        if (!(*all)->hidden) {
            puts((*all)->name);
        }
    }
}

static int put_example(const char *name) {
    const struct command *command = command_find(name);
    if (!command) {
        fprintf(stderr,
                "cutaway: there is no command %s; cutaway reference --names lists them\n",
                name);
        return 1;
    }
    if (command->needs) {
        printf("%s\n# %%%%\n", command->needs);
    }
    puts(command->example);
    return 0;
}

int reference_main(int argc, char **argv) {
    if (argc > 2) {
        fprintf(stderr, "cutaway: usage: cutaway %s [--names | NAME]\n", argv[0]);
        return 2;
    }
    if (argc == 2 && strcmp(argv[1], "--names") != 0) {
        return put_example(argv[1]);
    }
    (argc == 2 ? put_names : put_table)(command_all());
    return 0;
}
