/* Help as text, made from the table alone. */
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "kernel/command/command.h"

static bool chinese(const char *language) {
    return strcmp(language, "zh") == 0;
}

/* Text, then blanks up to `columns`, at least one. */
static void padded(struct buf *out, const char *text, int64_t columns) {
    int64_t used = utf8_columns(text, strlen(text));
    buf_text(out, text);
    do {
        buf_char(out, ' ');
    } while (++used < columns);
}

static void add_usage(struct buf *out, const struct command *command, bool zh) {
    buf_printf(out, "%s%s", command_marks(command), command->name);
    if (command->words[0]) {
        buf_printf(out, " %s", command->words);
    }
    if (command->options && command->options->name) {
        buf_text(out, " [--option value ...]");
    }
    buf_text(out, command->body ? zh ? "\n文本……\n" : "\ntext ...\n" : "\n");
}

/* What may stand after the option: "grid|head", "0..100", "NUMBERS". */
static const char *value_form(const struct option *option, char out[160]) {
    out[0] = '\0';
    switch (option->kind) {
    case OPTION_CHOICE:
        snprintf(out, 160, "%s", option->choices);
        for (char *at = out; (at = strchr(at, ' ')) != NULL;) {
            *at = '|';
        }
        break;
    case OPTION_INT:
        if (option->low || option->high) {
            snprintf(out, 160, "%lld..%lld", (long long)option->low, (long long)option->high);
        } else {
            snprintf(out, 160, "N");
        }
        break;
    case OPTION_LIST:
        snprintf(out, 160, "0,3,5-7|all");
        break;
    case OPTION_NAME:
        snprintf(out, 160, "NAME");
        break;
    case OPTION_TEXT:
        snprintf(out, 160, "TEXT");
        break;
    case OPTION_SWITCH:
        break;
    }
    return out;
}

enum { OPTION_INDENT = 26, WIDEST = 96 };

/* Bytes of `text` that go into a line of `columns` columns: to the last blank there, or, in
 * Chinese, to the last character. */
static size_t fitting(const char *text, int64_t columns) {
    size_t length = strlen(text), end = 0, blank = 0;
    while (end < length) {
        size_t n = utf8_offset(text + end, length - end, 1);
        if (utf8_columns(text, end + n) > columns) {
            return blank ? blank : end;
        }
        blank = text[end] == ' ' ? end : blank;
        end += n;
    }
    return length;
}

/* Text in lines that begin at OPTION_INDENT, the first of them where `out` stands. */
static void folded(struct buf *out, const char *text) {
    for (;;) {
        size_t n = fitting(text, WIDEST - OPTION_INDENT);
        buf_add(out, text, n);
        buf_char(out, '\n');
        text += n + strspn(text + n, " ");
        if (!*text) {
            return;
        }
        buf_printf(out, "%*s", OPTION_INDENT, "");
    }
}

static void add_options(struct arena *arena, struct buf *out, const struct command *command,
                        bool zh) {
    char form[160], head[200];
    if (!command->options || !command->options->name) {
        return;
    }
    buf_text(out, zh ? "\n选项\n" : "\nOptions\n");
    for (const struct option *o = command->options; o->name; o++) {
        snprintf(head, sizeof head, "  --%s %s", o->name, value_form(o, form));
        if (strlen(head) < OPTION_INDENT) {
            padded(out, head, OPTION_INDENT);
        } else { /* too long for the column: what it does stands below */
            buf_printf(out, "%s\n%*s", head, OPTION_INDENT, "");
        }
        const char *said = zh ? o->help_zh : o->help;
        if (o->otherwise) {
            said = arena_printf(arena, zh ? "%s（默认 %s）" : "%s (default: %s)", said,
                                o->otherwise);
        }
        folded(out, said);
    }
}

const char *command_help(struct arena *arena, const struct command *command,
                         const char *language) {
    struct buf *out = buf_new(arena);
    bool zh = chinese(language);
    buf_printf(out, "%s%s%s%s\n\n", command_marks(command), command->name, zh ? "：" : ": ",
               zh ? command->summary_zh : command->summary);
    add_usage(out, command, zh);
    add_options(arena, out, command, zh);
    buf_printf(out, "\n%s\n", zh ? command->help_zh : command->help);
    buf_printf(out, "\n%s\n", zh ? "例子" : "Example");
    for (const char *at = command->example; *at;) {
        size_t n = strcspn(at, "\n");
        buf_printf(out, "  %.*s\n", (int)n, at);
        at += at[n] ? n + 1 : n;
    }
    return out->data;
}

static const struct {
    const char *name, *zh;
} groups[] = {
    { "set up", "准备" },
    { "what does it read and say", "它读到什么、说出什么" },
    { "what does it attend to", "它注意什么" },
};

static void add_group(struct buf *out, const char *group, const char *title, bool zh) {
    bool any = false;
    for (const struct command *const *at = command_all(); *at; at++) {
        if ((*at)->hidden || strcmp((*at)->group, group) != 0) {
            continue;
        }
        if (!any) {
            buf_printf(out, "%s%s\n", out->length ? "\n" : "", title);
        }
        any = true;
        char head[80];
        snprintf(head, sizeof head, "  %s%s", command_marks(*at), (*at)->name);
        padded(out, head, 16);
        buf_printf(out, "%s\n", zh ? (*at)->summary_zh : (*at)->summary);
    }
}

const char *command_overview(struct arena *arena, const char *language) {
    struct buf *out = buf_new(arena);
    bool zh = chinese(language);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        add_group(out, groups[i].name, zh ? groups[i].zh : groups[i].name, zh);
    }
    buf_text(out, zh ? "\n%help 命令名 或 %命令名? 显示某个命令的详细说明。\n"
                     : "\n%help NAME or %NAME? explains one command.\n");
    return out->data;
}
