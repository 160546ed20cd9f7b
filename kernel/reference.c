#include "kernel/reference.h"

#include <stdio.h>
#include <string.h>

#include "core/base/jsonwrite.h"
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

static void put_row(const struct command *command, const char *summary) {
    printf("| `%s%s", command_marks(command), command->name);
    if (command->words && command->words[0]) {
        putchar(' ');
        put(command->words);
    }
    printf("` | ");
    put(summary);
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
            put_row(*all, (*all)->summary);
        }
    }
}

static void put_chinese(const struct command *const *all) {
    printf("| 命令 | 用途 | 选项 |\n|---|---|---|\n");
    for (; *all; all++) {
        if (!(*all)->hidden) {
            put_row(*all, (*all)->summary_zh);
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

static void list_words(struct jsonwrite *w, const char *words) {
    json_open(w, '[');
    while (words && *words) {
        size_t n = strcspn(words, " ");
        json_bytes(w, words, n);
        words += words[n] ? n + 1 : n;
    }
    json_close(w, ']');
}

/* What may stand behind the option: the choices, or the name of its kind. */
static void list_option(struct jsonwrite *w, const struct option *option) {
    static const char *const kinds[] = { "switch", "choice", "int", "list", "name", "text" };
    json_key(w, option->name);
    if (option->kind == OPTION_CHOICE) {
        list_words(w, option->choices);
    } else {
        json_string(w, kinds[option->kind]);
    }
}

static void list_command(struct jsonwrite *w, const struct command *command) {
    json_open(w, '{');
    json_key(w, "body");
    json_bool(w, command->body);
    json_key(w, "bare");
    json_bool(w, command->bare);
    json_key(w, "subcommands");
    list_words(w, command->subcommands);
    json_key(w, "options");
    json_open(w, '{');
    for (const struct option *option = command->options; option && option->name; option++) {
        list_option(w, option);
    }
    json_close(w, '}');
    json_close(w, '}');
}

/* One command a line, so that a change shows as one. */
static void put_keywords(const struct command *const *all) {
    struct arena *arena = arena_new();
    const char *comma = "";
    printf("{");
    for (; *all; all++) {
        if (!(*all)->hidden) {
            struct jsonwrite w = { .out = buf_new(arena) };
            list_command(&w, *all);
            printf("%s\n\"%s\": %s", comma, (*all)->name, w.out->data);
            comma = ",";
        }
    }
    printf("\n}\n");
    arena_free(arena);
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
    static const struct list {
        const char *option;
        void (*put)(const struct command *const *all);
    } lists[] = { { "--names", put_names },
                  { "--zh", put_chinese },
                  { "--keywords", put_keywords } };
    if (argc > 2) {
        fprintf(stderr, "cutaway: usage: cutaway %s [--zh | --names | --keywords | NAME]\n",
                argv[0]);
        return 2;
    }
    if (argc == 1) {
        put_table(command_all());
        return 0;
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (strcmp(argv[1], lists[i].option) == 0) {
            lists[i].put(command_all());
            return 0;
        }
    }
    return put_example(argv[1]);
}
