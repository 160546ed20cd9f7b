#include "kernel/session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"

enum { SETTINGS = 3, VALUE_ROOM = 64 };

static const char *const setting_names[SETTINGS] = { "language", "seed", "time" };

struct session {
    struct arena *cell; /* NULL between cells */
    char settings[SETTINGS][VALUE_ROOM];
};

/* "zh" where the locale's language is Chinese, else "en". */
static const char *language_of_locale(void) {
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && value[0]) {
            return strncmp(value, "zh", 2) == 0 ? "zh" : "en";
        }
    }
    return "en";
}

struct session *session_new(void) {
    struct session *session = calloc(1, sizeof *session);
    if (!session) {
        catch_throw(ERR_MEMORY, "no memory for a session");
    }
    session_set(session, "language", language_of_locale());
    session_set(session, "seed", "0");
    session_set(session, "time", "off");
    return session;
}

void session_free(struct session *session) {
    if (session->cell) {
        arena_free(session->cell);
    }
    free(session);
}

void session_begin(struct session *session) {
    session->cell = arena_new();
}

void session_end(struct session *session) {
    struct arena *arena = session->cell;
    session->cell = NULL;
    arena_free(arena);
}

struct arena *session_arena(struct session *session) {
    return session->cell;
}

static char *setting_at(struct session *session, const char *name) {
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(setting_names[i], name) == 0) {
            return session->settings[i];
        }
    }
    return NULL;
}

const char *session_setting(struct session *session, const char *name) {
    return setting_at(session, name);
}

void session_set(struct session *session, const char *name, const char *value) {
    char *setting = setting_at(session, name);
    if (setting) {
        snprintf(setting, VALUE_ROOM, "%s", value);
    }
}

/* A field of a state line: tabs, newlines and backslashes escaped. */
static void add_field(struct buf *out, const char *text) {
    buf_char(out, '\t');
    for (; *text; text++) {
        const char *special = strchr("\t\n\\", *text);
        if (special) {
            buf_char(out, '\\');
        }
        buf_char(out, !special ? *text : *text == '\t' ? 't' : *text == '\n' ? 'n' : '\\');
    }
}

const char *session_state(struct session *session, struct arena *arena) {
    struct buf *out = buf_new(arena);
    for (int i = 0; i < SETTINGS; i++) {
        buf_text(out, "setting");
        add_field(out, setting_names[i]);
        add_field(out, session->settings[i]);
        buf_char(out, '\n');
    }
    return out->data;
}

/* The next field of a state line, unescaped in place; "" when there is none. */
static char *take_field(char **at) {
    char *field = *at, *to = field;
    char *from = field;
    for (; *from && *from != '\t'; from++) {
        if (*from == '\\' && from[1]) {
            from++;
            *to++ = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from;
        } else {
            *to++ = *from;
        }
    }
    *at = *from ? from + 1 : from;
    *to = '\0';
    return field;
}

static void restore_line(struct session *session, char *line, struct buf *lost) {
    const char *key = take_field(&line);
    const char *first = take_field(&line);
    const char *second = take_field(&line);
    if (strcmp(key, "setting") == 0) {
        session_set(session, first, second);
    } else if (strcmp(key, "result") == 0) {
        buf_printf(lost, "%s%s", lost->length ? ", " : "", first);
    }
}

void session_restore(struct session *session, const char *state, struct buf *complaints) {
    struct arena *arena = arena_new();
    struct buf *lost = buf_new(arena);
    char *at = arena_copy(arena, state);
    while (*at) {
        char *line = at;
        at += strcspn(at, "\n");
        if (*at) {
            *at++ = '\0';
        }
        restore_line(session, line, lost);
    }
    if (lost->length > 0) {
        buf_printf(complaints,
                   "Kept results were lost with the process that held them: %s. Run "
                   "their cells again.\n",
                   lost->data);
    }
    arena_free(arena);
}

const char *session_names(struct session *session, struct arena *arena) {
    (void)session;
    return arena_copy(arena, "");
}
