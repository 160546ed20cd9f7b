#ifndef KERNEL_COMMAND_COMMAND_H
#define KERNEL_COMMAND_COMMAND_H

#include "kernel/cell/cell.h"

/* command: the table of commands. One command a file, one line in COMMANDS of kernel/files.am;
 * from the entry come the parser's checks, completion, Shift-Tab, %help, the reference page and
 * the test that runs its example.
 *
 * File stems are unique in the repository and methods have the plain names
 * (core/explain/attention.c), so the command of that name is cmd_attention.c and defines `const
 * struct command cmd_attention`.
 *
 * This header names no model and no picture, so that the supervisor may read the table. */

struct session; /* what outlives a cell: models, kept results, settings */
struct reply;   /* what goes out: streams, figures, payloads */

enum option_kind {
    OPTION_SWITCH, /* takes no value */
    OPTION_CHOICE, /* one of `choices` */
    OPTION_INT,    /* low..high */
    OPTION_LIST,   /* integers "0,3,5-7", negatives from the end, or "all" */
    OPTION_NAME,   /* any word; completed by `complete` */
    OPTION_TEXT,   /* any text */
};

/* What the words of a command or the value of an option can be completed with. */
enum complete_kind {
    COMPLETE_NONE,
    COMPLETE_MODEL,
    COMPLETE_HANDLE,
    COMPLETE_RESULT,
    COMPLETE_DATA,
    COMPLETE_SITE, /* and tensors, of the model in use */
    COMPLETE_FILE,
    COMPLETE_COMMAND,
    COMPLETE_CHOICE
};

struct option {
    const char *name; /* "layer"; NULL ends the list */
    enum option_kind kind;
    const char *otherwise; /* default as one would type it; NULL: none */
    const char *choices;   /* "grid head": blanks between them */
    int64_t low, high;     /* OPTION_INT; both 0: not bounded */
    enum complete_kind complete;
    const char *help, *help_zh; /* one line each */
};

/* Which files the words of a command name, as the user's leave for the worker to open them
 * (kernel/front/grants.h). */
enum command_opens {
    COMMAND_OPENS_NOTHING,
    COMMAND_OPENS_FILE,
    COMMAND_OPENS_MODEL, /* a folder, or a file in one */
    COMMAND_WRITES       /* a file, which is made */
};

struct command {
    const char *name;
    const char *group; /* "set up", "what does it attend to" ... (design's table) */
    const char *words; /* "load NAME|PATH": usage of the words; "" if it takes none */
    const char *summary, *summary_zh; /* one line each */
    const char *help,
        *help_zh;        /* paragraphs; what it shows, how to read it, what it cannot tell */
    const char *example; /* a whole cell that the tests run (after `needs`, if not NULL) */
    const char *needs;   /* cells to run first, for the example's test */
    const char *subcommands; /* "load list use": choices for the first word; NULL: none */
    const char *(*values)(const char *word); /* choices for the word after that first word; NULL
                                                where there are none */
    enum complete_kind complete;             /* what its words (after a subcommand) can be */
    enum command_opens opens;
    bool body;                    /* takes a %% body */
    bool bare;                    /* means something without it too, with one % */
    bool hidden;                  /* not in help or completion */
    const struct option *options; /* ends with name NULL; may be NULL */
    int (*run)(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err);
};

const struct command *command_find(const char *name);
const struct command *const *command_all(void); /* ends with NULL; in the order of the list */

/* Checks a parsed line against the table: the command exists (else "did you mean"), %% only
 * where a body is taken, every option known, of its kind and in range. Errors carry the place
 * in the cell. */
int command_check(const struct cell_line *line, struct err *err);

/* ERR_COMMAND: there is no command of that name; did you mean ...? */
int command_unknown(const struct cell_word *word, struct err *err);

/* Lets an error that has no place yet point at `word`. */
void command_point(struct err *err, const struct cell_word *word);

/* "%%" for a command that takes a body, else "%". */
const char *command_marks(const struct command *command);

/* For cell_parse. */
int command_takes_value(const char *command, const char *flag);

/* Help as text/plain; `language` is "en" or "zh". In the arena. */
const char *command_help(struct arena *arena, const struct command *command,
                         const char *language);
/* All commands by group, a line each. */
const char *command_overview(struct arena *arena, const char *language);

/* Values of a checked line's options, the default where none was given. */
const char *command_text(const struct command *command, const struct cell_line *line,
                         const char *option);
int64_t command_int(const struct command *command, const struct cell_line *line,
                    const char *option);
bool command_switch(const struct cell_line *line, const char *option);
/* OPTION_LIST against a range of n: indices in order, no duplicates. NULL with the place and
 * the range if one is outside. `*all` (may be NULL) says that it was "all". */
int64_t *command_list(struct arena *arena, const struct command *command,
                      const struct cell_line *line, const char *option, int64_t n,
                      int64_t *count, bool *all, struct err *err);

#endif
