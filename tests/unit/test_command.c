#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"
#include "kernel/command/command.h"
#include "tests/check.h"

static const struct cell_line *line_of(const char *text) {
    struct err err;
    const struct cell *cell =
        cell_parse(check_arena(), text, strlen(text), command_takes_value, &err);
    return check(cell && cell->count > 0) ? &cell->lines[0] : NULL;
}

static void check_refused(const char *text, enum err_kind kind, const char *part,
                          int64_t column, int64_t length) {
    struct err err = { 0 };
    check_int(command_check(line_of(text), &err), -1);
    check_int(err.kind, kind);
    check_text(err.text, part);
    check_int(err.line, 1);
    check_int(err.column, column);
    check_int(err.length, length);
}

TEST(command_check_names_the_nearest) {
    check_refused("%sede 7", ERR_COMMAND, "did you mean %seed?", 1, 5);
    check_refused("%frobnicate", ERR_COMMAND, "there is no command %frobnicate: %help lists", 1,
                  11);
    check_refused("%clear --wiat", ERR_OPTION, "did you mean --wait?", 8, 6);
    check_refused("%%attention --layr 3\nx", ERR_OPTION, "%%attention has no option --layr", 13,
                  6);
    check_refused("%seed 1 --wait", ERR_OPTION, "%seed has no option --wait: it takes none", 9,
                  6);
    check_refused("%help --lang=eN", ERR_OPTION, "did you mean en?", 14, 2);
    check_refused("%help --lang fr", ERR_OPTION, "possible are en or zh", 14, 2);
    check_refused("%time maybe", ERR_OPTION, "possible are on or off", 7, 5);
}

TEST(command_check_refuses_what_does_not_fit) {
    check_refused("%%seed\n7", ERR_CELL, "takes no text below it", 1, 6);
    check_refused("%clear now", ERR_OPTION, "takes no words", 8, 3);
    check_refused("%clear --wait=3", ERR_OPTION, "is a switch", 15, 1);
    check_refused("%clear --wait --wait", ERR_OPTION, "given twice", 15, 6);
    check_refused("%help --lang", ERR_OPTION, "needs a value", 7, 6);
    check_refused("%help --lang=", ERR_OPTION, "needs a value", 7, 6);
}

TEST(command_hides_what_is_for_tests) {
    check(command_find("_test")->hidden);
    check(!strstr(command_overview(check_arena(), "en"), "_test"));
}

static void check_list(const char *text, int64_t n, const char *wanted) {
    static const struct option options[] = {
        { .name = "layer", .kind = OPTION_LIST, .otherwise = "all", .help = "", .help_zh = "" },
        { 0 },
    };
    const struct command command = { .name = "x", .words = "", .options = options };
    struct err err = { 0 };
    int64_t count = 0;
    bool all = false;
    char seen[200] = "";
    const struct cell_line *line = line_of(text);
    const int64_t *list =
        command_list(check_arena(), &command, line, "layer", n, &count, &all, &err);
    for (int64_t i = 0; list && i < count; i++) {
        size_t used = strlen(seen);
        snprintf(seen + used, sizeof seen - used, "%s%lld", used ? " " : "",
                 (long long)list[i]);
    }
    check_same(list ? seen : err.text, wanted);
    check(!list || all == !line->flag_count || strstr(text, "all"));
}

TEST(command_list_reads_ranges_and_ends) {
    check_list("%x --layer 0,3,5-7", 8, "0 3 5 6 7");
    check_list("%x --layer 5,1,5,0-1", 8, "0 1 5");
    check_list("%x --layer -1", 6, "5");
    check_list("%x --layer=-3--1", 6, "3 4 5");
    check_list("%x --layer 4--1", 6, "4 5");
    check_list("%x --layer all", 3, "0 1 2");
    check_list("%x", 3, "0 1 2");
}

TEST(command_list_says_what_is_possible) {
    check_list(
        "%x --layer 6", 6,
        "--layer 6 is out of range: there are 6, 0 to 5, or -6 to -1 counted from the end");
    check_list(
        "%x --layer 2--7", 6,
        "--layer -7 is out of range: there are 6, 0 to 5, or -6 to -1 counted from the end");
    check_list("%x --layer 3-1", 6,
               "--layer 3-1 runs backwards: write the smaller number first");
    check_list("%x --layer 1", 1, "--layer 1 is out of range: there is only one, 0");
    check_list("%x --layer 9223372036854775807", 2,
               "--layer 9223372036854775807 is out of range: there are 2, 0 to 1, or -2 to -1 "
               "counted from the end");
}

static void check_said(const struct command *command, const char *what, const char *text) {
    if (!text || !*text) {
        check_same(text ? text : "(null)", command->name);
        check_text(what, "is there");
    }
}

/* Whether text has any character beyond ASCII, as all Chinese has. */
static bool is_chinese(const char *text) {
    for (; text && *text; text++) {
        if ((unsigned char)*text >= 0x80) {
            return true;
        }
    }
    return false;
}

TEST(command_table_speaks_both_languages) {
    int count = 0;
    for (const struct command *const *at = command_all(); *at; at++, count++) {
        const struct command *command = *at;
        check(command->run && command->words && command->group);
        check_said(command, "summary", command->summary);
        check_said(command, "help", command->help);
        check_said(command, "example", command->example);
        check(is_chinese(command->summary_zh));
        check(is_chinese(command->help_zh));
        check(command_find(command->name) == command);
        for (const struct option *o = command->options; o && o->name; o++) {
            check_said(command, o->name, o->help);
            check(is_chinese(o->help_zh));
            check((o->kind == OPTION_CHOICE) == (o->choices != NULL));
        }
    }
    check(count >= 6);
}

/* No line is wider than a notebook's cell, also where Chinese has no blanks to break at. */
TEST(command_help_has_narrow_lines) {
    for (const struct command *const *at = command_all(); *at; at++) {
        for (int zh = 0; zh < 2; zh++) {
            const char *help = command_help(check_arena(), *at, zh ? "zh" : "en");
            for (; *help; help += help[strcspn(help, "\n")] != 0) {
                check(utf8_columns(help, strcspn(help, "\n")) <= 98);
                help += strcspn(help, "\n");
            }
        }
    }
    check_text(command_help(check_arena(), command_find("attention"), "en"),
               "without it what suits the number\n");
}

TEST(command_help_tells_all_of_a_command) {
    const char *help = command_help(check_arena(), command_find("clear"), "en");
    check_text(help, "%clear: clears the output");
    check_text(help, "--wait");
    check_text(help, "Example\n  %clear --wait\n");
    help = command_help(check_arena(), command_find("clear"), "zh");
    check_text(help, "选项");
    check_text(help, "等到有新输出");
}
