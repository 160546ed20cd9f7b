#include "kernel/command/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/nearest.h"

#define COMMAND(stem) extern const struct command stem;
#include "kernel/command/commands.inc"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(stem) &stem,
#include "kernel/command/commands.inc"
#undef COMMAND
    NULL,
};

enum { COUNT = sizeof commands / sizeof *commands };

const struct command *const *command_all(void) {
    return commands;
}

const struct command *command_find(const char *name) {
    for (int i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static const struct option *option_find(const struct command *command, const char *name) {
    for (const struct option *o = command->options; o && o->name; o++) {
        if (strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

int command_takes_value(const char *name, const char *flag) {
    const struct command *command = command_find(name);
    const struct option *option = command ? option_find(command, flag) : NULL;
    return option ? option->kind != OPTION_SWITCH : -1;
}

static int fault(struct err *err, const struct cell_word *at, const char *text) {
    return cell_refuse(err, ERR_OPTION, at, "%s", text);
}

int command_unknown(const struct cell_word *word, struct err *err) {
    const char *names[COUNT];
    int n = 0;
    for (int i = 0; commands[i]; i++) {
        if (!commands[i]->hidden) {
            names[n++] = commands[i]->name;
        }
    }
    names[n] = NULL;
    char quoted[80];
    err_quote(quoted, sizeof quoted, word->text, strlen(word->text));
    const char *near = nearest_name(word->text, names);
    cell_refuse(err, ERR_COMMAND, word,
                near ? "there is no command %%%s: did you mean %%%s? %%help lists the commands"
                     : "there is no command %%%s%.0s: %%help lists the commands",
                quoted, near ? near : "");
    return err_zh(err,
                  near ? "没有 %%%s 这个命令：是不是 %%%s？%%help 列出所有命令"
                       : "没有 %%%s 这个命令%.0s：%%help 列出所有命令",
                  quoted, near ? near : "");
}

static int check_percents(const struct command *command, const struct cell_line *line,
                          struct err *err) {
    const struct cell_word *at = &line->command;
    if (line->whole && !command->body && line->body[strspn(line->body, " \t\r\n")]) {
        cell_refuse(err, ERR_CELL, at, "%%%s takes no text below it: write it with one %%",
                    command->name);
        return err_zh(err, "%%%s 不读下面的文本：请只写一个 %%", command->name);
    }
    if (!line->whole && command->body && !command->bare) {
        cell_refuse(
            err, ERR_CELL, at,
            "%%%%%s reads the text below it: write %%%%%s as the cell's first line and the "
            "text on the lines after it",
            command->name, command->name);
        return err_zh(err, "%%%%%s 读它下面的文本：第一行写 %%%%%s，文本写在后面的行里",
                      command->name, command->name);
    }
    return 0;
}

/* Writes "a, b or c" from blank-separated words; in Chinese "a、b、c". */
static void list_words(char *out, size_t size, const char *words, bool zh) {
    size_t used = 0;
    out[0] = '\0';
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, " ");
        const char *next = at[n] ? at + n + 1 : at + n;
        const char *join = used == 0 ? "" : zh ? "、" : *next ? ", " : " or ";
        if (used + strlen(join) + n + 1 > size) {
            return;
        }
        memcpy(out + used, join, strlen(join));
        memcpy(out + used + strlen(join), at, n);
        used += strlen(join) + n;
        out[used] = '\0';
        at = next;
    }
}

static bool has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, " ");
        if (n == length && memcmp(at, word, n) == 0) {
            return true;
        }
        at += at[n] ? n + 1 : n;
    }
    return false;
}

enum { WORDS_MOST = 24, WORDS_ROOM = 300 };

/* The nearest of blank-separated words, copied to `out`; NULL if none is near. */
static const char *nearest_word(const char *word, const char *words, char out[WORDS_ROOM]) {
    const char *names[WORDS_MOST + 1] = { 0 };
    char *rest = NULL;
    int n = 0;
    snprintf(out, WORDS_ROOM, "%s", words);
    for (char *at = strtok_r(out, " ", &rest); at && n < WORDS_MOST;
         at = strtok_r(NULL, " ", &rest)) {
        names[n++] = at;
    }
    return nearest_name(word, names);
}

static int check_choice(const struct cell_word *word, const char *choices, const char *what,
                        const char *what_zh, struct err *err) {
    if (has_word(choices, word->text)) {
        return 0;
    }
    char quoted[80], listed[WORDS_ROOM], room[WORDS_ROOM];
    err_quote(quoted, sizeof quoted, word->text, strlen(word->text));
    list_words(listed, sizeof listed, choices, false);
    const char *near = nearest_word(word->text, choices, room);
    cell_refuse(err, ERR_OPTION, word,
                near ? "%s cannot be %s (possible: %s): did you mean %s?"
                     : "%s cannot be %s: possible are %s%.0s",
                what, quoted, listed, near ? near : "");
    list_words(listed, sizeof listed, choices, true);
    return err_zh(
        err, near ? "%s 不能是 %s（可以是 %s）：是不是 %s？" : "%s 不能是 %s：可以是 %s%.0s",
        what_zh, quoted, listed, near ? near : "");
}

static bool whole_number(const char *text, int64_t *value) {
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && strchr(" \t\n+", text[0]) == NULL;
}

static int check_int(const struct option *option, const struct cell_word *word,
                     struct err *err) {
    int64_t value;
    bool bounded = option->low != 0 || option->high != 0;
    char quoted[80];
    err_quote(quoted, sizeof quoted, word->text, strlen(word->text));
    if (whole_number(word->text, &value) &&
        (!bounded || (value >= option->low && value <= option->high))) {
        return 0;
    }
    cell_refuse(err, ERR_OPTION, word,
                bounded ? "--%s cannot be %s: it takes a whole number from %lld to %lld"
                        : "--%s cannot be %s: it takes a whole number",
                option->name, quoted, (long long)option->low, (long long)option->high);
    return err_zh(err,
                  bounded ? "--%s 不能是 %s：它要 %lld 到 %lld 之间的整数"
                          : "--%s 不能是 %s：它要一个整数",
                  option->name, quoted, (long long)option->low, (long long)option->high);
}

/* One item of a list, "3", "-1" or "5-7". Returns what follows it, NULL if it is none. */
static const char *list_item(const char *at, int64_t *first, int64_t *last) {
    char *end;
    errno = 0;
    if (strchr("-0123456789", *at) == NULL || *at == '\0') {
        return NULL;
    }
    *first = *last = strtoll(at, &end, 10);
    if (end == at || errno != 0) {
        return NULL;
    }
    if (*end == '-') {
        at = end + 1;
        if (strchr("-0123456789", *at) == NULL || *at == '\0') {
            return NULL;
        }
        *last = strtoll(at, &end, 10);
        if (end == at || errno != 0) {
            return NULL;
        }
    }
    return *end == ',' ? end + 1 : *end == '\0' ? end : NULL;
}

static int check_list(const struct option *option, const struct cell_word *word,
                      struct err *err) {
    int64_t first, last;
    const char *at = word->text;
    if (strcmp(at, "all") == 0) {
        return 0;
    }
    do {
        at = list_item(at, &first, &last);
    } while (at && *at);
    if (at && word->text[strlen(word->text) - 1] != ',') {
        return 0;
    }
    char quoted[80];
    err_quote(quoted, sizeof quoted, word->text, strlen(word->text));
    cell_refuse(
        err, ERR_OPTION, word,
        "--%s cannot be %s: it takes numbers such as 0,3,5-7, negative ones counted from "
        "the end, or all",
        option->name, quoted);
    return err_zh(err, "--%s 不能是 %s：它要 0,3,5-7 这样的编号（负数从末尾数起），或 all",
                  option->name, quoted);
}

static int check_value(const struct option *option, const struct cell_flag *flag,
                       struct err *err) {
    char what[80];
    snprintf(what, sizeof what, "--%s", option->name);
    switch (option->kind) {
    case OPTION_CHOICE:
        return check_choice(&flag->value_at, option->choices, what, what, err);
    case OPTION_INT:
        return check_int(option, &flag->value_at, err);
    case OPTION_LIST:
        return check_list(option, &flag->value_at, err);
    case OPTION_NAME:
    case OPTION_TEXT:
    case OPTION_SWITCH:
        break;
    }
    return 0;
}

const char *command_marks(const struct command *command) {
    return command->body ? "%%" : "%";
}

static int unknown_option(const struct command *command, const struct cell_flag *flag,
                          struct err *err) {
    char all[WORDS_ROOM] = "", listed[WORDS_ROOM], room[WORDS_ROOM], quoted[80];
    for (const struct option *o = command->options; o && o->name; o++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s--%s", used ? " " : "", o->name);
    }
    err_quote(quoted, sizeof quoted, flag->at.text, 2 + strlen(flag->name));
    if (all[0] == '\0') {
        cell_refuse(err, ERR_OPTION, &flag->at, "%s%s has no option %s: it takes none",
                    command_marks(command), command->name, quoted);
        return err_zh(err, "%s%s 没有选项 %s：它没有任何选项", command_marks(command),
                      command->name, quoted);
    }
    list_words(listed, sizeof listed, all, false);
    char dashed[80];
    snprintf(dashed, sizeof dashed, "--%.70s", flag->name);
    const char *near = nearest_word(dashed, all, room);
    cell_refuse(err, ERR_OPTION, &flag->at,
                near ? "%s%s has no option %s (it has %s): did you mean %s?"
                     : "%s%s has no option %s: it has %s%.0s",
                command_marks(command), command->name, quoted, listed, near ? near : "");
    list_words(listed, sizeof listed, all, true);
    return err_zh(err,
                  near ? "%s%s 没有选项 %s（它有 %s）：是不是 %s？"
                       : "%s%s 没有选项 %s：它有 %s%.0s",
                  command_marks(command), command->name, quoted, listed, near ? near : "");
}

static int check_flag(const struct command *command, const struct cell_line *line,
                      const struct cell_flag *flag, struct err *err) {
    const struct option *option = option_find(command, flag->name);
    char text[160];
    if (!option) {
        return unknown_option(command, flag, err);
    }
    if (cell_flag_at(line, flag->name) != flag) {
        snprintf(text, sizeof text, "--%s is given twice: keep one of them", option->name);
        return fault(err, &flag->at, text);
    }
    if (option->kind == OPTION_SWITCH && flag->value) {
        snprintf(text, sizeof text, "--%s is a switch and takes no value", option->name);
        return fault(err, &flag->value_at, text);
    }
    if (option->kind != OPTION_SWITCH && (!flag->value || flag->value[0] == '\0')) {
        snprintf(text, sizeof text, "--%s needs a value after it: %s", option->name,
                 option->help);
        fault(err, &flag->at, text);
        return err_zh(err, "--%s 后面要有一个值：%s", option->name, option->help_zh);
    }
    return check_value(option, flag, err);
}

static int check_words(const struct command *command, const struct cell_line *line,
                       struct err *err) {
    if (line->word_count == 0) {
        return 0;
    }
    const struct cell_word *word = &line->words[0];
    char quoted[80];
    if (command->words[0] == '\0') {
        err_quote(quoted, sizeof quoted, word->text, strlen(word->text));
        cell_refuse(err, ERR_OPTION, word,
                    command->body
                        ? "%%%%%s takes no words on its own line, but has %s: the text "
                          "goes on the lines below"
                        : "%%%s takes no words, but has %s",
                    command->name, quoted);
        return err_zh(err,
                      command->body ? "%%%%%s 这一行不能有别的词，却有 %s：文本写在下面的行里"
                                    : "%%%s 后面不能有词，却有 %s",
                      command->name, quoted);
    }
    if (command->subcommands) {
        char what[80], what_zh[80];
        snprintf(what, sizeof what, "the word after %%%s", command->name);
        snprintf(what_zh, sizeof what_zh, "%%%s 后面的词", command->name);
        return check_choice(word, command->subcommands, what, what_zh, err);
    }
    return 0;
}

int command_check(const struct cell_line *line, struct err *err) {
    const struct command *command = command_find(line->command.text);
    if (!command) {
        return command_unknown(&line->command, err);
    }
    if (line->asks) {
        return 0;
    }
    if (check_percents(command, line, err) < 0) {
        return err_pass(err);
    }
    for (int64_t i = 0; i < line->flag_count; i++) {
        if (check_flag(command, line, &line->flags[i], err) < 0) {
            return err_pass(err);
        }
    }
    return check_words(command, line, err);
}

const char *command_text(const struct command *command, const struct cell_line *line,
                         const char *name) {
    const struct cell_flag *flag = cell_flag_at(line, name);
    return flag && flag->value ? flag->value : option_find(command, name)->otherwise;
}

int64_t command_int(const struct command *command, const struct cell_line *line,
                    const char *name) {
    const char *text = command_text(command, line, name);
    return text ? strtoll(text, NULL, 10) : 0;
}

bool command_switch(const struct cell_line *line, const char *name) {
    return cell_flag_at(line, name) != NULL;
}

void command_point(struct err *err, const struct cell_word *word) {
    if (err && err->line == 0) {
        err->line = word->line;
        err->column = word->column;
        err->length = word->length;
    }
}

/* Counts from the end if negative. -1 if it is no index of n. */
static int64_t index_of(int64_t number, int64_t n) {
    int64_t index = number < 0 && number >= -n ? number + n : number;
    return index >= 0 && index < n ? index : -1;
}

static int out_of_range(const struct cell_word *at, const char *option, int64_t number,
                        int64_t n, struct err *err) {
    if (n == 1) {
        cell_refuse(err, ERR_OPTION, at, "--%s %lld is out of range: there is only one, 0",
                    option, (long long)number);
        return err_zh(err, "--%s %lld 超出范围：只有一个，即 0", option, (long long)number);
    }
    cell_refuse(err, ERR_OPTION, at,
                "--%s %lld is out of range: there are %lld, 0 to %lld, or -%lld to -1 counted "
                "from the end",
                option, (long long)number, (long long)n, (long long)(n - 1), (long long)n);
    return err_zh(err, "--%s %lld 超出范围：共有 %lld 个，0 到 %lld，从末尾数则 -%lld 到 -1",
                  option, (long long)number, (long long)n, (long long)(n - 1), (long long)n);
}

int64_t *command_list(struct arena *arena, const struct command *command,
                      const struct cell_line *line, const char *name, int64_t n, int64_t *count,
                      bool *all, struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, name);
    const struct cell_word *at = flag ? &flag->value_at : &line->command;
    const char *text = command_text(command, line, name);
    bool every = strcmp(text, "all") == 0;
    bool *wanted = arena_array(arena, n, sizeof *wanted);
    int64_t *list = arena_array(arena, n, sizeof *list);
    for (const char *next = every ? "" : text; *next;) {
        int64_t first, last;
        next = list_item(next, &first, &last);
        int64_t begin = index_of(first, n), end = index_of(last, n);
        if (begin < 0 || end < 0) {
            out_of_range(at, name, begin < 0 ? first : last, n, err);
            return NULL;
        }
        if (end < begin) {
            cell_refuse(err, ERR_OPTION, at,
                        "--%s %lld-%lld runs backwards: write the smaller number first", name,
                        (long long)first, (long long)last);
            return NULL;
        }
        memset(wanted + begin, 1, (size_t)(end - begin + 1) * sizeof *wanted);
    }
    *count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (every || wanted[i]) {
            list[(*count)++] = i;
        }
    }
    if (all) {
        *all = every;
    }
    return list;
}
