#include "kernel/front/complete.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/apart.h"
#include "core/base/file.h"
#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "kernel/cell/cell.h"
#include "kernel/command/command.h"
#include "kernel/front/front.h"
#include "kernel/front/minder.h"

enum { MATCHES_MOST = 500, ENTRIES_MOST = 20000, LINE_MOST = 65536 };

/* A question: the word at the cursor, and where its matches go. */
struct asked {
    struct arena *arena;
    const char *names;
    const char *prefix; /* what is typed of it, unquoted */
    char open;          /* inside this quote */
    struct completion *out;
};

static bool begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* As it must be typed: with \ before what the parser would read. Inside '...' nothing can have
 * one. */
static const char *quoted(const struct asked *asked, const char *text) {
    const char *read = asked->open == '"' ? "\"\\" : asked->open ? "" : " \t\"'\\";
    struct buf *out = buf_new(asked->arena);
    for (; *text; text++) {
        if (strchr(read, *text)) {
            buf_char(out, '\\');
        }
        buf_char(out, *text);
    }
    return out->data;
}

static void offer(struct asked *asked, const char *text, const char *type) {
    struct completion *out = asked->out;
    bool typable = asked->open != '\'' || !strchr(text, '\'');
    if (typable && begins(text, asked->prefix) && out->count < MATCHES_MOST) {
        out->matches[out->count] = quoted(asked, text);
        out->types[out->count++] = type;
    }
}

static void offer_words(struct asked *asked, const char *words, const char *type) {
    while (words && *words) {
        size_t n = strcspn(words, " ");
        offer(asked, arena_text(asked->arena, words, n), type);
        words += words[n] ? n + 1 : n;
    }
}

/* Names of one kind in the worker's list: lines "kind<TAB>name". */
static void offer_names(struct asked *asked, const char *kind, const char *type) {
    size_t head = strlen(kind);
    for (const char *at = asked->names; *at;) {
        size_t n = strcspn(at, "\n");
        if (n > head && begins(at, kind) && at[head] == '\t') {
            offer(asked, arena_text(asked->arena, at + head + 1, n - head - 1), type);
        }
        at += at[n] ? n + 1 : n;
    }
}

/* The folder as the system knows it: "~/x" is in the home folder, "" is here. */
static const char *folder_real(struct arena *arena, const char *folder) {
    const char *home = getenv("HOME");
    if (home && begins(folder, "~/")) {
        return file_join(arena, home, folder + 2);
    }
    return *folder ? folder : ".";
}

/* A folder that is looked into, in the words of the user and of the system. */
struct listed {
    struct arena *arena;
    const char *real, *base; /* what names begin with */
};

static bool is_folder(const struct listed *listed, const struct dirent *entry) {
    return entry->d_type == DT_DIR ||
           ((entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) &&
            file_is_folder(file_join(listed->arena, listed->real, entry->d_name)));
}

/* Tells "name\0", "folder/\0"... It is done apart, as the folder may lie on a drive that does
 * not answer. */
static void list_folder(void *arg, int fd) {
    const struct listed *listed = arg;
    struct buf *names = buf_new(listed->arena);
    DIR *dir = opendir(listed->real);
    struct dirent *entry;
    int64_t found = 0;
    for (int i = 0; dir && i < ENTRIES_MOST && found < MATCHES_MOST && (entry = readdir(dir));
         i++) {
        const char *name = entry->d_name;
        if (begins(name, listed->base) && (name[0] != '.' || listed->base[0] == '.') &&
            strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            buf_text(names, name);
            buf_text(names, is_folder(listed, entry) ? "/" : "");
            buf_char(names, '\0');
            found++;
        }
    }
    (void)!write(fd, names->data, names->length);
}

/* Whether there was time to look. A drive that did not answer is not asked again for a while:
 * completions come with each key, and an interrupt behind them would wait for all of them. */
static bool look(struct buf *names, struct listed *listed) {
    enum { AGAIN_MS = 5000 };
    static int64_t again_at;
    if (front_now() < again_at) {
        return false;
    }
    int status = apart_look(names, FRONT_LOOK_MS, list_folder, listed);
    again_at = status == APART_LATE ? front_now() + AGAIN_MS : 0;
    return status == 0;
}

static void offer_paths(struct asked *asked) {
    const char *slash = strrchr(asked->prefix, '/');
    size_t n = slash ? (size_t)(slash + 1 - asked->prefix) : 0;
    const char *folder = arena_text(asked->arena, asked->prefix, n);
    struct listed listed = { asked->arena, folder_real(asked->arena, folder),
                             asked->prefix + n };
    struct buf *names = buf_new(asked->arena);
    if (!look(names, &listed)) {
        return;
    }
    for (size_t at = 0; at < names->length; at += strlen(names->data + at) + 1) {
        offer(asked, arena_printf(asked->arena, "%s%s", folder, names->data + at), "path");
    }
}

/* Every command that may stand here; %% only where a cell can begin. */
static void offer_commands(struct asked *asked, bool first) {
    const char *typed = asked->prefix;
    size_t percents = strspn(typed, "%");
    for (const struct command *const *at = command_all(); *at; at++) {
        const struct command *command = *at;
        if (!command->hidden && percents <= (command->body ? 2 : 1) &&
            (first || !command->body) && begins(command->name, typed + percents)) {
            asked->prefix = "";
            offer(asked,
                  arena_printf(asked->arena, "%s%s", command_marks(command), command->name),
                  "command");
            asked->prefix = typed;
        }
    }
}

static void offer_kind(struct asked *asked, enum complete_kind kind, const char *choices) {
    const char *typed = asked->prefix;
    switch (kind) {
    case COMPLETE_MODEL:
        offer_names(asked, "model", "model");
        if (strchr(typed, '/') || typed[0] == '.' || typed[0] == '~') {
            offer_paths(asked);
        }
        break;
    case COMPLETE_HANDLE:
        offer_names(asked, "handle", "model");
        break;
    case COMPLETE_RESULT:
        offer_names(asked, "result", "result");
        break;
    case COMPLETE_DATA:
        offer_names(asked, "data", "data");
        break;
    case COMPLETE_SITE:
        offer_names(asked, "site", "site");
        break;
    case COMPLETE_FILE:
        offer_paths(asked);
        break;
    case COMPLETE_COMMAND:
        for (const struct command *const *at = command_all(); *at; at++) {
            if (!(*at)->hidden) {
                offer(asked,
                      arena_printf(asked->arena, "%.*s%s", (int)strspn(typed, "%"), "%%",
                                   (*at)->name),
                      "command");
            }
        }
        break;
    case COMPLETE_CHOICE:
    case COMPLETE_NONE:
        offer_words(asked, choices, "value");
        break;
    }
}

static const struct option *option_at(const struct command *command, const char *name,
                                      size_t length) {
    for (const struct option *o = command->options; o && o->name; o++) {
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0) {
            return o;
        }
    }
    return NULL;
}

/* The option that a flag word "--name" or "--name=..." names. */
static const struct option *option_of(const struct command *command, const char *word) {
    return begins(word, "--") ? option_at(command, word + 2, strcspn(word + 2, "=")) : NULL;
}

static bool takes_next(const struct command *command, const struct complete_word *word) {
    const struct option *option = word->flag ? option_of(command, word->text) : NULL;
    return option && option->kind != OPTION_SWITCH && !strchr(word->text, '=');
}

static void offer_value(struct asked *asked, const struct option *option) {
    if (option->kind == OPTION_LIST) {
        offer(asked, "all", "value");
    }
    offer_kind(asked, option->complete, option->choices);
}

/* Options that the line does not have yet. */
static void offer_options(struct asked *asked, const struct command *command,
                          const struct complete_word *words, int64_t count) {
    for (const struct option *o = command->options; o && o->name; o++) {
        bool there = false;
        for (int64_t i = 1; i + 1 < count; i++) {
            there |= words[i].flag && option_of(command, words[i].text) == o;
        }
        if (!there) {
            offer(asked, arena_printf(asked->arena, "--%s", o->name), "option");
        }
    }
}

/* Words before the last that are no option and no option's value; `*first` is the first. */
static int64_t words_plain(const struct command *command, const struct complete_word *words,
                           int64_t count, const char **first) {
    int64_t plain = 0;
    for (int64_t i = 1; i + 1 < count; i++) {
        if (takes_next(command, &words[i])) {
            i++;
        } else if (!words[i].flag) {
            *first = plain++ == 0 ? words[i].text : *first;
        }
    }
    return plain;
}

/* A word of a command that is no option's. */
static void offer_word(struct asked *asked, const struct command *command,
                       const struct complete_word *words, int64_t count) {
    const char *first = "";
    int64_t plain = words_plain(command, words, count, &first);
    if (command->subcommands && plain == 0) {
        offer_words(asked, command->subcommands, "subcommand");
    } else if (command->values && plain == 1) {
        offer_words(asked, command->values(first), "value");
    } else {
        offer_kind(asked, command->complete, NULL);
    }
}

/* A quote that opens where the matches begin stays; one further on goes with what they replace.
 * `base` is where the line begins in the code. */
static void quote_keep(struct asked *asked, const struct complete_word *last, size_t base) {
    asked->open = last->open && asked->out->start == base + last->opened ? last->open : 0;
    asked->out->start += asked->open != 0;
}

/* An argument of a command: words[count - 1] is the one at the cursor. */
static void offer_argument(struct asked *asked, const struct command *command,
                           const struct complete_word *words, int64_t count) {
    const struct complete_word *last = &words[count - 1];
    const struct option *option = last->flag ? option_of(command, last->text) : NULL;
    const char *equal = last->flag ? strchr(last->text, '=') : NULL;
    if (option && equal) {
        asked->prefix = equal + 1;
        offer_value(asked, option);
    } else if (last->flag) {
        offer_options(asked, command, words, count);
    } else if (count > 2 && takes_next(command, &words[count - 2])) {
        offer_value(asked, option_of(command, words[count - 2].text));
    } else {
        offer_word(asked, command, words, count);
    }
}

/* Whether a \ before `next` is read away: everywhere outside quotes, before few inside. */
static bool escapes(char open, char next) {
    return open == 0 || (open == '"' && (next == '"' || next == '\\'));
}

/* Where a word ends, and its text without quotes. */
static void word_cut(struct arena *arena, const char *line, size_t length,
                     struct complete_word *word) {
    struct buf *text = buf_new(arena);
    size_t at = word->start;
    for (; at < length && (word->open || !cell_blank(line + at, line + length)); at++) {
        char c = line[at];
        if (word->open == c) {
            word->open = 0;
        } else if (!word->open && (c == '"' || c == '\'')) {
            word->open = c;
            word->opened = at;
        } else {
            if (c == '\\' && at + 1 < length && escapes(word->open, line[at + 1])) {
                c = line[++at];
            }
            buf_char(text, c);
        }
    }
    word->end = at;
    word->text = text->data;
    word->flag = length > word->start && line[word->start] == '-';
}

struct complete_word *complete_words(struct arena *arena, const char *line, size_t length,
                                     int64_t *count) {
    struct complete_word *words = arena_array(arena, (int64_t)length + 1, sizeof *words);
    *count = 0;
    for (size_t at = 0;;) {
        for (size_t n; (n = cell_blank(line + at, line + length)) > 0;) {
            at += n;
        }
        struct complete_word *word = &words[(*count)++];
        word->start = at;
        word_cut(arena, line, length, word);
        at = word->end;
        if (at == length) {
            return words;
        }
    }
}

struct pair {
    const char *match, *type;
};

static int pair_order(const void *a, const void *b) {
    const struct pair *x = a, *y = b;
    return strcmp(x->match, y->match);
}

/* Sorts the matches with their types and drops what is there twice. */
static void matches_sort(struct arena *arena, struct completion *out) {
    struct pair *pairs = arena_array(arena, out->count + 1, sizeof *pairs);
    for (int64_t i = 0; i < out->count; i++) {
        pairs[i] = (struct pair){ out->matches[i], out->types[i] };
    }
    qsort(pairs, (size_t)out->count, sizeof *pairs, pair_order);
    int64_t kept = 0;
    for (int64_t i = 0; i < out->count; i++) {
        if (kept == 0 || strcmp(out->matches[kept - 1], pairs[i].match) != 0) {
            out->matches[kept] = pairs[i].match;
            out->types[kept++] = pairs[i].type;
        }
    }
    out->count = kept;
}

/* The start of the line at the cursor, and whether only blank lines stand before it. *body: the
 * line is text of a %% command. */
static size_t line_start(const char *code, size_t cursor, bool *first, bool *body) {
    size_t start = cursor, at = 0;
    while (start > 0 && code[start - 1] != '\n') {
        start--;
    }
    while (at < start && strchr(" \t\r\n", code[at])) {
        at++;
    }
    *first = at >= start;
    *body = !*first && code[at] == '%' && code[at + 1] == '%';
    return start;
}

struct completion *complete_at(struct arena *arena, const char *code, size_t length,
                               size_t cursor, const char *names) {
    struct completion *out = arena_alloc(arena, sizeof *out);
    bool first, body;
    int64_t count;
    cursor = cursor > length ? length : cursor;
    out->matches = arena_array(arena, MATCHES_MOST, sizeof *out->matches);
    out->types = arena_array(arena, MATCHES_MOST, sizeof *out->types);
    size_t start = line_start(code, cursor, &first, &body);
    out->start = out->end = cursor;
    if (body || cursor - start > LINE_MOST) {
        return out;
    }
    struct complete_word *words = complete_words(arena, code + start, cursor - start, &count);
    const struct complete_word *last = &words[count - 1];
    struct asked asked = { .arena = arena, .names = names, .prefix = last->text, .out = out };
    const char *equal = last->flag ? strchr(last->text, '=') : NULL;
    size_t value = equal ? (size_t)(equal + 1 - last->text) : 0;
    out->start = start + last->start + value;
    quote_keep(&asked, last, start);
    if (count == 1) {
        offer_commands(&asked, first);
    } else if (words[0].text[0] == '%') {
        const struct command *command =
            command_find(words[0].text + strspn(words[0].text, "%"));
        if (command) {
            offer_argument(&asked, command, words, count);
        }
    }
    matches_sort(arena, out);
    return out;
}

static void matches_write(struct jsonwrite *w, const struct completion *found) {
    json_key(w, "matches");
    json_open(w, '[');
    for (int64_t i = 0; i < found->count; i++) {
        json_string(w, found->matches[i]);
    }
    json_close(w, ']');
}

/* Index for index beside `matches`, as clients expect it. */
static void types_write(struct jsonwrite *w, const struct completion *found, int64_t start,
                        int64_t end) {
    json_key(w, "_jupyter_types_experimental");
    json_open(w, '[');
    for (int64_t i = 0; i < found->count; i++) {
        json_open(w, '{');
        json_key(w, "text");
        json_string(w, found->matches[i]);
        json_key(w, "type");
        json_string(w, found->types[i]);
        json_key(w, "start");
        json_int(w, start);
        json_key(w, "end");
        json_int(w, end);
        json_close(w, '}');
    }
    json_close(w, ']');
}

void complete_answer(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    size_t length;
    const char *code = frames_text(request, "code", &length);
    int64_t place = frames_number(request, "cursor_pos", INT64_MAX);
    size_t cursor = utf8_offset(code, length, place < 0 ? 0 : place);
    struct completion *found =
        complete_at(request->arena, code, length, cursor, minder_names(front->minder));
    int64_t start = utf8_count(code, found->start), end = utf8_count(code, found->end);
    json_open(&w, '{');
    json_key(&w, "status");
    json_string(&w, "ok");
    matches_write(&w, found);
    json_key(&w, "cursor_start");
    json_int(&w, start);
    json_key(&w, "cursor_end");
    json_int(&w, end);
    json_key(&w, "metadata");
    json_open(&w, '{');
    types_write(&w, found, start, end);
    json_close(&w, '}');
    json_close(&w, '}');
    front_reply(front, request, "complete_reply", out);
}
