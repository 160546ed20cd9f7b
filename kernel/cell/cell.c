#include "kernel/cell/cell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"

/* One line of the cell while it is being cut. */
struct cutter {
    struct arena *arena;
    const char *line; /* first byte of the line */
    const char *at, *end;
    char *out;         /* unquoted words go here; never longer than the line */
    int64_t number;    /* of the line, from 1 */
    const char *known; /* a place in the line whose column is known */
    int64_t known_column;
    cell_takes_value *takes_value;
    struct err *err;
};

struct piece {
    struct cell_word word;
    bool flag;   /* begins with an unquoted -- */
    char *equal; /* the unquoted = in a flag's text, NULL: none */
    int64_t equal_column;
};

/* Counts on from the place asked for last, so that a long line costs no square of its length.
 */
static int64_t column(struct cutter *c, const char *at) {
    if (at < c->known || c->known < c->line) {
        c->known = c->line;
        c->known_column = 1;
    }
    c->known_column += utf8_count(c->known, (size_t)(at - c->known));
    c->known = at;
    return c->known_column;
}

static int refuse(struct cutter *c, const char *from, const char *to, const char *sentence) {
    return err_at(c->err, ERR_CELL, c->number, column(c, from),
                  utf8_count(from, (size_t)(to - from)), "%s", sentence);
}

size_t cell_blank(const char *at, const char *end) {
    static const char *const wide[] = { "\xc2\xa0", "\xe3\x80\x80" };
    if (at < end && (*at == ' ' || *at == '\t')) {
        return 1;
    }
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        size_t n = strlen(wide[i]);
        if ((size_t)(end - at) >= n && memcmp(at, wide[i], n) == 0) {
            return n;
        }
    }
    return 0;
}

static const char *skip_blanks(const char *at, const char *end) {
    for (size_t n; (n = cell_blank(at, end)) > 0;) {
        at += n;
    }
    return at;
}

/* Copies the byte at c->at. */
static void cut_byte(struct cutter *c) {
    if ((uintptr_t)c->out % STOP_EVERY == 0) {
        stop_check();
    }
    *c->out++ = *c->at++;
}

/* Copies the inside of quotes that open at c->at. */
static int cut_quoted(struct cutter *c) {
    const char *open = c->at;
    char quote = *c->at++;
    while (c->at < c->end && *c->at != quote) {
        bool escapes = quote == '"' && *c->at == '\\' && c->at + 1 < c->end &&
                       (c->at[1] == '"' || c->at[1] == '\\');
        c->at += escapes;
        cut_byte(c);
    }
    if (c->at == c->end) {
        return refuse(c, open, c->end,
                      quote == '"'
                          ? "this \" opens a quote that the line does not close: add a \", "
                            "or write \\\" for the character itself"
                          : "this ' opens a quote that the line does not close: add a ', "
                            "or write \\' for the character itself");
    }
    c->at++;
    return 0;
}

/* Copies the next character, or the whole of a quoted part. */
static int cut_character(struct cutter *c) {
    if (*c->at == '"' || *c->at == '\'') {
        return cut_quoted(c);
    }
    if (*c->at == '\\' && ++c->at == c->end) {
        return refuse(c, c->at - 1, c->at,
                      "a \\ at the end of the line stands before nothing: leave it out, or "
                      "write \\\\ for the character itself");
    }
    cut_byte(c);
    return 0;
}

/* Cuts the word at c->at, which is no blank and not the end. */
static int cut_word(struct cutter *c, struct piece *piece) {
    const char *begin = c->at, *text = c->out;
    int64_t first = column(c, begin); /* before any place behind it is asked for */
    char *equal = NULL;
    *piece = (struct piece){ .flag = c->end - begin >= 2 && memcmp(begin, "--", 2) == 0 };
    while (c->at < c->end && !cell_blank(c->at, c->end)) {
        if (*c->at == '=' && piece->flag && !equal) {
            equal = c->out;
            piece->equal_column = column(c, c->at + 1);
        }
        if (cut_character(c) < 0) {
            return -1;
        }
    }
    *c->out++ = '\0';
    piece->equal = equal;
    piece->word = (struct cell_word){ .text = text,
                                      .line = c->number,
                                      .column = first,
                                      .length = utf8_count(begin, (size_t)(c->at - begin)) };
    return 0;
}

/* Room for one more item: twice as much whenever `count` is a power of two. */
static void *more(struct arena *arena, void *items, int64_t count, size_t size) {
    if (count & (count - 1)) {
        return items;
    }
    void *larger = arena_array(arena, count ? count * 2 : 1, size);
    if (count) {
        memcpy(larger, items, (size_t)count * size);
    }
    return larger;
}

/* A flag has been cut: finds its value, in the word itself or in the next one. */
static int take_flag(struct cutter *c, struct cell_line *line, const struct piece *piece) {
    line->flags = more(c->arena, line->flags, line->flag_count, sizeof *line->flags);
    struct cell_flag *flag = &line->flags[line->flag_count++];
    flag->at = piece->word;
    flag->name = piece->word.text + 2;
    if (piece->equal) {
        int64_t shown = piece->equal_column - piece->word.column;
        *piece->equal = '\0';
        flag->value = piece->equal + 1;
        flag->value_at = (struct cell_word){ .text = flag->value,
                                             .line = c->number,
                                             .column = piece->equal_column,
                                             .length = piece->word.length - shown };
        flag->at.length = shown - 1;
        return 0;
    }
    int takes = c->takes_value ? c->takes_value(line->command.text, flag->name) : -1;
    const char *next = skip_blanks(c->at, c->end);
    bool is_flag = c->end - next >= 2 && memcmp(next, "--", 2) == 0;
    if (takes == 0 || next == c->end || is_flag) {
        return 0;
    }
    struct piece value;
    c->at = next;
    if (cut_word(c, &value) < 0) {
        return -1;
    }
    flag->value = value.word.text;
    flag->value_at = value.word;
    return 0;
}

/* The command's name at c->at, after its % signs. */
static int cut_command(struct cutter *c, struct cell_line *line, const char *percent) {
    const char *begin = c->at;
    while (c->at < c->end && !cell_blank(c->at, c->end)) {
        c->at++;
    }
    const char *end = c->at;
    line->asks = end > begin && end[-1] == '?';
    end -= line->asks;
    if (end == begin) {
        return refuse(c, percent, percent + 1,
                      "a command's name must follow the % at once: %help lists the commands");
    }
    line->command =
        (struct cell_word){ .text = arena_text(c->arena, begin, (size_t)(end - begin)),
                            .line = c->number,
                            .column = column(c, percent),
                            .length = utf8_count(percent, (size_t)(end - percent)) };
    return 0;
}

static int cut_line(struct cutter *c, struct cell_line *line) {
    const char *percent = c->at;
    line->source = arena_text(c->arena, c->line, (size_t)(c->end - c->line));
    c->out = arena_raw(c->arena, (size_t)(c->end - c->line) + 2);
    while (c->at < c->end && *c->at == '%') {
        c->at++;
    }
    if (c->at - percent > 2) {
        return refuse(c, percent, c->at, "a command begins with % or %%, not with more");
    }
    line->whole = c->at - percent == 2;
    if (cut_command(c, line, percent) < 0) {
        return -1;
    }
    bool flags = true;
    while ((c->at = skip_blanks(c->at, c->end)) < c->end) {
        struct piece piece;
        stop_check();
        if (cut_word(c, &piece) < 0) {
            return -1;
        }
        if (flags && piece.flag && piece.word.length == 2) {
            flags = false; /* "--" alone: all that follows are words */
        } else if (flags && piece.flag) {
            if (take_flag(c, line, &piece) < 0) {
                return -1;
            }
        } else {
            line->words = more(c->arena, line->words, line->word_count, sizeof *line->words);
            line->words[line->word_count++] = piece.word;
        }
    }
    return 0;
}

/* The text with \r\n and \r as \n, so that notebooks from any system have the same lines. */
static const char *plain_lines(struct arena *arena, const char *text, size_t length) {
    char *plain = arena_raw(arena, length + 1);
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (i % STOP_EVERY == 0) {
            stop_check();
        }
        if (text[i] != '\r') {
            plain[n++] = text[i];
        } else if (i + 1 == length || text[i + 1] != '\n') {
            plain[n++] = '\n';
        }
    }
    plain[n] = '\0';
    return plain;
}

static int check_bytes(const char *text, size_t length, struct err *err) {
    size_t bad = utf8_bad(text, length);
    const char *nul = memchr(text, '\0', length);
    if (bad == length && !nul) {
        return 0;
    }
    size_t at = nul && (size_t)(nul - text) < bad ? (size_t)(nul - text) : bad;
    size_t start = at;
    int64_t line = 1;
    for (size_t i = 0; i < at; i++) {
        line += text[i] == '\n';
    }
    while (start > 0 && text[start - 1] != '\n') {
        start--;
    }
    return err_at(err, ERR_CELL, line, utf8_count(text + start, at - start) + 1, 1,
                  at == bad
                      ? "the cell holds the byte 0x%02x, which is no UTF-8: save it as UTF-8"
                      : "the cell holds a NUL character (0x%02x): take it out",
                  (unsigned)(unsigned char)text[at]);
}

/* A line that is neither command, comment nor blank. */
static int refuse_stray(struct cutter *c, bool first) {
    if (c->end - c->at >= 3 && memcmp(c->at, "\xef\xbc\x85", 3) == 0) { /* U+FF05 */
        return refuse(c, c->at, c->at + 3,
                      "this is the full-width ％: commands begin with the plain %");
    }
    return refuse(
        c, c->at, c->end,
        first ? "text needs a command above it: write %%tokens or another %% command on "
                "the first line and the text below it (%help lists the commands)"
              : "this line is no command: begin it with % or, for a comment, with #; text "
                "goes into a cell of its own below a %% command");
}

static void take_body(struct cell_line *line, const char *end, int64_t number) {
    line->body = *end ? end + 1 : end;
    line->body_line = number + 1;
}

static int cut_lines(struct cutter *c, struct cell *cell, const char *text) {
    for (const char *at = text;; at = c->end + 1) {
        c->line = at;
        c->end = at + strcspn(at, "\n");
        c->at = skip_blanks(at, c->end);
        c->number++;
        stop_check();
        if (c->at < c->end && *c->at == '%') {
            const char *percent = c->at;
            cell->lines = more(c->arena, cell->lines, cell->count, sizeof *cell->lines);
            struct cell_line *line = &cell->lines[cell->count];
            if (cut_line(c, line) < 0) {
                return -1;
            }
            if (line->whole && cell->count > 0) {
                return refuse(
                    c, percent, percent + 2,
                    "a %% command takes the rest of the cell as its text, so it must be "
                    "the cell's first line: put it into a cell of its own");
            }
            cell->count++;
            if (line->whole) {
                take_body(line, c->end, c->number);
                return 0;
            }
        } else if (c->at < c->end && *c->at != '#') {
            return refuse_stray(c, cell->count == 0);
        }
        if (!*c->end) {
            return 0;
        }
    }
}

struct cell *cell_parse(struct arena *arena, const char *text, size_t length,
                        cell_takes_value *takes_value, struct err *err) {
    if (check_bytes(text, length, err) < 0) {
        return NULL;
    }
    const char *plain = plain_lines(arena, text, length);
    struct cell *cell = arena_alloc(arena, sizeof *cell);
    struct cutter c = { .arena = arena, .takes_value = takes_value, .err = err };
    return cut_lines(&c, cell, plain) < 0 ? NULL : cell;
}

/* Whether a body has text and its last line is blank, so that a console's second Enter ends it.
 */
static bool body_ends(const char *body) {
    const char *end = body + strlen(body);
    if (!body[strspn(body, " \t\n")]) {
        return false;
    }
    while (end[-1] == ' ' || end[-1] == '\t') {
        end--;
    }
    return end[-1] == '\n';
}

const char *cell_completeness(const char *text, size_t length) {
    struct arena *arena = arena_new();
    struct err err;
    const struct cell *cell = cell_parse(arena, text, length, NULL, &err);
    const char *answer = "complete";
    if (!cell) {
        answer = "invalid";
    } else if (cell->count == 1 && cell->lines[0].whole && !cell->lines[0].asks) {
        answer = body_ends(cell->lines[0].body) ? "complete" : "incomplete";
    }
    arena_free(arena);
    return answer;
}

const struct cell_flag *cell_flag_at(const struct cell_line *line, const char *name) {
    for (int64_t i = 0; i < line->flag_count; i++) {
        if (strcmp(line->flags[i].name, name) == 0) {
            return &line->flags[i];
        }
    }
    return NULL;
}

int cell_refuse(struct err *err, enum err_kind kind, const struct cell_word *at,
                const char *format, ...) {
    char text[sizeof err->text + 4]; /* so that err_at sees what it has to cut */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_at(err, kind, at->line, at->column, at->length, "%s", text);
}
