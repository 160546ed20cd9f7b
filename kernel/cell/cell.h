#ifndef KERNEL_CELL_CELL_H
#define KERNEL_CELL_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* cell: the text of a notebook cell, cut into command lines.
 *
 * A cell is either lines, each `%command words --option value ...`, a comment `# ...` or blank;
 * or one `%%command words --option value ...` line whose body, the rest of the cell, is the
 * text.
 * `%command?` asks for help. Words are quoted as in a shell ('...', "...", \x);
 * `--option=value` works too. Every piece knows its line and column (from 1; columns in code
 * points), so an error can point at it. Parsing knows no command: it only splits. */

struct cell_word {
    const char *text;             /* unquoted, terminated */
    int64_t line, column, length; /* where it stands, quotes included; in code points */
};

struct cell_flag {
    const char *name;    /* without the dashes */
    const char *value;   /* NULL: none given (a switch) */
    struct cell_word at; /* the flag's word */
    struct cell_word value_at;
};

struct cell_line {            /* one command */
    struct cell_word command; /* text: the name without % signs and '?' */
    bool whole;               /* %%: the body is the command's */
    bool asks;                /* ends with '?': wants help */
    int64_t word_count, flag_count;
    struct cell_word *words; /* those that are no flags, in order */
    struct cell_flag *flags; /* in order */
    const char *body;        /* of a %% cell, NULL otherwise; terminated */
    int64_t body_line;       /* the body's first line in the cell */
    const char *source;      /* the line as it stands, for error displays */
};

struct cell {
    int64_t count;
    struct cell_line *lines;
};

/* Which flags take a value is the command's knowledge: `takes_value(command, flag)` returns 1,
 * 0, or -1 if it is not known (then a following word that does not begin with "--" is taken as
 * its value). May be NULL. Errors: ERR_CELL with the place. */
typedef int cell_takes_value(const char *command, const char *flag);
struct cell *cell_parse(struct arena *arena, const char *text, size_t length,
                        cell_takes_value *takes_value, struct err *err);

/* Bytes of the blank at `at`, 0 if there is none. Input methods write blanks of other widths.
 */
size_t cell_blank(const char *at, const char *end);

/* For is_complete_request: "complete", "incomplete" or "invalid". */
const char *cell_completeness(const char *text, size_t length);

/* Says what is wrong with a word of the cell; as err_set. */
int cell_refuse(struct err *err, enum err_kind kind, const struct cell_word *at,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The flag of that name, NULL if it was not given. */
const struct cell_flag *cell_flag_at(const struct cell_line *line, const char *name);

#endif
