#ifndef KERNEL_FRONT_COMPLETE_H
#define KERNEL_FRONT_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

/* complete: what could stand at the cursor: commands, their subcommands, options, option
 * values, names of models and results, paths. It reads the command table, the names that the
 * worker told last, and folders; so it answers while a cell runs. */

struct completion {
    size_t start, end; /* bytes of the code that a match replaces */
    int64_t count;
    const char **matches; /* sorted, each once, quoted as the place needs it */
    const char *
        *types; /* "command", "subcommand", "option", "value", "model", "result", "path" */
};

/* `cursor` in bytes; `names` as in session_names. */
struct completion *complete_at(struct arena *arena, const char *code, size_t length,
                               size_t cursor, const char *names);

/* The words of one line up to the cursor. */
struct complete_word {
    size_t start, end; /* bytes in the line, quotes included */
    const char *text;  /* unquoted */
    char open;         /* the quote that is not closed yet; 0: none */
    size_t opened;     /* where in the line the last quote opens */
    bool flag;         /* begins with an unquoted - */
};

/* Cuts a line; the last word, the one at the line's end, is empty if a blank stands before it.
 */
struct complete_word *complete_words(struct arena *arena, const char *line, size_t length,
                                     int64_t *count);

struct front;
struct message;
void complete_answer(struct front *front, struct message *request);

#endif
