#include "kernel/front/grants.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/apart.h"
#include "core/base/file.h"
#include "core/base/linked.h"
#include "core/base/places.h"
#include "kernel/cell/cell.h"
#include "kernel/command/command.h"
#include "kernel/front/front.h"

enum {
    GRANTS_MOST = 200,
    WORDS_MOST = 8, /* of a line; no command opens more files */
    ROOM = 1 << 20  /* bytes of a cell that is looked at; a longer one has no such words */
};

struct grants {
    bool on;
    int64_t count;
    char *paths[GRANTS_MOST]; /* 'r' or 'w', then a real path */
    struct arena *arena;
    struct buf *said;
};

struct grants *grants_new(struct arena *arena, bool on) {
    struct grants *grants = arena_alloc(arena, sizeof *grants);
    grants->on = on;
    grants->arena = arena;
    grants->said = buf_new(arena);
    return grants;
}

const struct buf *grants_said(const struct grants *grants) {
    return grants->said;
}

void grants_forget(struct grants *grants) {
    grants->count = 0;
    buf_clear(grants->said);
}

/* What a path leads to; NULL: nothing. */
static const char *real(struct arena *arena, const char *path) {
    char room[PATH_MAX];
    return realpath(path, room) ? arena_copy(arena, room) : NULL;
}

static bool is_below(const char *path, const char *folder) {
    size_t n = folder ? strlen(folder) : 0;
    return n > 1 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_granted(const struct grants *grants, const char *path, char right) {
    for (int64_t i = 0; i < grants->count; i++) {
        const char *one = grants->paths[i];
        if ((one[0] == 'w' || one[0] == right) && is_below(path, one + 1)) {
            return true;
        }
    }
    return false;
}

/* Whether a worker may open the real path already. */
static bool is_open(const struct grants *grants, struct arena *arena, const char *path,
                    char right) {
    const char *made = places_made(arena);
    if (is_granted(grants, path, right) || is_below(path, real(arena, ".")) ||
        (made && is_below(path, real(arena, made)))) {
        return true;
    }
    const struct place *place = places_models(arena);
    while (place->path && !is_below(path, real(arena, place->path))) {
        place++;
    }
    return right == 'r' && place->path;
}

static bool add(struct grants *grants, const char *path, char right) {
    if (grants->count == GRANTS_MOST || strcmp(path, "/") == 0) {
        return false;
    }
    char *one = arena_printf(grants->arena, "%c%s", right, path);
    buf_add(grants->said, one, strlen(one) + 1);
    grants->paths[grants->count++] = one;
    return true;
}

/* Whether links in a model's folder lead to what is not open. */
static bool leads_out(const struct grants *grants, struct arena *arena, const char *folder) {
    const char *const *to = linked_files(arena, folder);
    while (*to && is_open(grants, arena, *to, 'r')) {
        to++;
    }
    return *to;
}

/* The folder that a path lies in. */
static const char *folder_of(struct arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    return slash ? arena_text(arena, path, n > 0 ? n : 1) : ".";
}

static bool word_file(struct grants *grants, struct arena *arena, const char *path,
                      char right) {
    const char *to = real(arena, right == 'w' ? folder_of(arena, path) : path);
    return to && !is_open(grants, arena, to, right) && add(grants, to, right);
}

/* With what its links lead to. */
static bool word_folder(struct grants *grants, struct arena *arena, const char *folder) {
    bool known = false;
    for (int64_t i = 0; i < grants->count; i++) {
        known |= strcmp(grants->paths[i] + 1, folder) == 0;
    }
    return !known &&
           (!is_open(grants, arena, folder, 'r') || leads_out(grants, arena, folder)) &&
           add(grants, folder, 'r');
}

/* A folder in which much more lies than models: the user's own, or one above it. */
static bool is_wide(struct arena *arena, const char *folder) {
    const char *home = real(arena, places_expand(arena, "~/"));
    return home && is_below(home, folder);
}

static bool ends_with(const char *path, const char *end) {
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

/* A file of weights; unless it holds all, with its folder, as tokenizer and settings lie there:
 * of a wide folder only what a loader asks for. */
static bool word_weights(struct grants *grants, struct arena *arena, const char *path) {
    bool more = word_file(grants, arena, path, 'r');
    const char *folder = real(arena, folder_of(arena, path));
    if (!folder || ends_with(path, ".gguf")) {
        return more;
    }
    if (!is_wide(arena, folder)) {
        return word_folder(grants, arena, folder) || more;
    }
    for (const char *const *one = linked_beside(arena, folder); *one; one++) {
        more |= word_file(grants, arena, *one, 'r');
    }
    return more;
}

/* What a model is read from. */
static bool word_model(struct grants *grants, struct arena *arena, const char *path) {
    const char *folder = file_is_folder(path) ? real(arena, path) : NULL;
    if (folder) {
        return !is_wide(arena, folder) && word_folder(grants, arena, folder);
    }
    return file_exists(path) && word_weights(grants, arena, path); /* else it is a name */
}

static bool look_at_line(struct grants *grants, struct arena *arena,
                         const struct cell_line *line) {
    const struct command *command = command_find(line->command.text);
    bool more = false;
    for (int64_t i = 0; command && i < line->word_count && i < WORDS_MOST; i++) {
        const char *path = places_expand(arena, line->words[i].text);
        switch (command->opens) {
        case COMMAND_OPENS_NOTHING:
            break;
        case COMMAND_OPENS_MODEL:
            more |= word_model(grants, arena, path);
            break;
        case COMMAND_OPENS_FILE:
            more |= word_file(grants, arena, path, 'r');
            break;
        case COMMAND_WRITES:
            more |= word_file(grants, arena, path, 'w');
            break;
        }
    }
    return more;
}

struct looked {
    struct grants *grants;
    const char *code;
    size_t length;
};

/* In a copy of this process: tells what is to be added. */
static void look_at_cell(void *arg, int fd) {
    const struct looked *looked = arg;
    struct grants *grants = looked->grants;
    size_t before = grants->said->length;
    struct arena *arena = arena_new();
    struct err err;
    const struct cell *cell =
        cell_parse(arena, looked->code, looked->length, command_takes_value, &err);
    for (int64_t i = 0; cell && i < cell->count; i++) {
        look_at_line(grants, arena, &cell->lines[i]);
    }
    arena_free(arena);
    (void)!write(fd, grants->said->data + before, grants->said->length - before);
}

/* Whether a line of the cell has a command that opens files by its words. */
static bool opens_any(const char *code, size_t length) {
    struct arena *arena = arena_new();
    struct err err;
    bool opens = false;
    const struct cell *cell = cell_parse(arena, code, length, command_takes_value, &err);
    for (int64_t i = 0; cell && i < cell->count; i++) {
        const struct command *command = command_find(cell->lines[i].command.text);
        opens |=
            command && command->opens != COMMAND_OPENS_NOTHING && cell->lines[i].word_count > 0;
    }
    arena_free(arena);
    return opens;
}

int grants_cell(struct grants *grants, const char *code, size_t length) {
    struct looked looked = { grants, code, length };
    bool more = false;
    if (!grants->on || length > ROOM || !opens_any(code, length)) {
        return 0;
    }
    struct arena *arena = arena_new();
    struct buf *told = buf_new(arena);
    int status = apart_look(told, FRONT_LOOK_MS, look_at_cell, &looked);
    for (size_t at = 0; status == 0 && at < told->length; at += strlen(told->data + at) + 1) {
        more |= add(grants, told->data + at + 1, told->data[at]);
    }
    arena_free(arena);
    return status == APART_LATE ? -1 : more;
}
