#include "kernel/front/inspect.h"

#include <string.h>

#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "kernel/command/command.h"
#include "kernel/front/complete.h"
#include "kernel/front/front.h"
#include "kernel/front/minder.h"

enum { LINE_MOST = 65536 };

static const char *in_language(const char *en, const char *zh, bool chinese) {
    return chinese && zh && *zh ? zh : en ? en : "";
}

/* Text that Markdown shall show as it is. */
static void add_plain(struct buf *out, const char *text) {
    for (; *text; text++) {
        if (strchr("\\`*_[]<>|#$", *text)) {
            buf_char(out, '\\');
        }
        buf_char(out, *text);
    }
}

static void add_option(struct buf *out, const struct option *option, bool chinese) {
    buf_printf(out, "- `--%s`", option->name);
    if (option->choices && *option->choices) {
        buf_printf(out, " `%s`", option->choices);
    }
    buf_text(out, " ");
    add_plain(out, in_language(option->help, option->help_zh, chinese));
    if (option->otherwise && *option->otherwise) {
        buf_printf(out, " (`%s`)", option->otherwise);
    }
    buf_char(out, '\n');
}

static const char *markdown(struct arena *arena, const struct command *command,
                            const struct option *asked, bool chinese) {
    struct buf *out = buf_new(arena);
    if (asked) {
        add_option(out, asked, chinese);
        buf_char(out, '\n');
    }
    buf_printf(out, "**`%s%s%s%s`** ", command_marks(command), command->name,
               *command->words ? " " : "", command->words);
    add_plain(out, in_language(command->summary, command->summary_zh, chinese));
    buf_text(out, "\n\n");
    add_plain(out, in_language(command->help, command->help_zh, chinese));
    buf_text(out, "\n\n");
    for (const struct option *o = command->options; o && o->name; o++) {
        add_option(out, o, chinese);
    }
    if (command->example && *command->example) {
        buf_printf(out, "\n```\n%s\n```\n", command->example);
    }
    return out->data;
}

/* The line's first word as a command, "%%attention?" too. */
static const struct command *command_of(struct arena *arena, const char *word) {
    const char *name = word + strspn(word, "%");
    size_t length = strlen(name);
    if (name == word) {
        return NULL;
    }
    while (length > 0 && name[length - 1] == '?') {
        length--;
    }
    return command_find(arena_text(arena, name, length));
}

static const struct option *option_under(const struct command *command,
                                         const struct complete_word *word) {
    size_t length =
        word->flag && strncmp(word->text, "--", 2) == 0 ? strcspn(word->text + 2, "=") : 0;
    for (const struct option *o = command->options; length && o && o->name; o++) {
        if (strlen(o->name) == length && memcmp(o->name, word->text + 2, length) == 0) {
            return o;
        }
    }
    return NULL;
}

struct inspection *inspect_at(struct arena *arena, const char *code, size_t length,
                              size_t cursor, const char *language) {
    size_t start = cursor = cursor > length ? length : cursor, end = cursor;
    const struct option *option = NULL;
    bool chinese = strcmp(language, "zh") == 0;
    int64_t count;
    while (start > 0 && code[start - 1] != '\n') {
        start--;
    }
    while (end < length && code[end] != '\n') {
        end++;
    }
    if (end - start > LINE_MOST) {
        return NULL;
    }
    struct complete_word *words = complete_words(arena, code + start, end - start, &count);
    const struct command *command = command_of(arena, words[0].text);
    if (!command) {
        return NULL;
    }
    for (int64_t i = 1; i < count; i++) {
        if (words[i].start <= cursor - start && cursor - start <= words[i].end) {
            option = option_under(command, &words[i]);
        }
    }
    struct inspection *found = arena_alloc(arena, sizeof *found);
    const char *help = command_help(arena, command, language);
    found->markdown = markdown(arena, command, option, chinese);
    found->text = option
                      ? arena_printf(arena, "--%s: %s\n\n%s", option->name,
                                     in_language(option->help, option->help_zh, chinese), help)
                      : help;
    return found;
}

void inspect_answer(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    size_t length;
    const char *code = frames_text(request, "code", &length);
    int64_t place = frames_number(request, "cursor_pos", INT64_MAX);
    size_t cursor = utf8_offset(code, length, place < 0 ? 0 : place);
    struct inspection *found = inspect_at(request->arena, code, length, cursor,
                                          minder_zh(front->minder) ? "zh" : "en");
    json_open(&w, '{');
    json_key(&w, "status");
    json_string(&w, "ok");
    json_key(&w, "found");
    json_bool(&w, found != NULL);
    json_key(&w, "data");
    json_open(&w, '{');
    if (found) {
        json_key(&w, "text/plain");
        json_string(&w, found->text);
        json_key(&w, "text/markdown");
        json_string(&w, found->markdown);
    }
    json_close(&w, '}');
    json_key(&w, "metadata");
    json_raw(&w, "{}", 2);
    json_close(&w, '}');
    front_reply(front, request, "inspect_reply", out);
}
