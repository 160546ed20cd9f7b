#include "kernel/front/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/base/file.h"
#include "core/base/jsonwrite.h"
#include "kernel/front/front.h"

enum {
    WAIT_MS = 300,        /* from a cell to its writing */
    AGAIN_MS = 2000,      /* after a lock */
    LOCK_MS = 30,         /* the longest wait for a lock: the sockets wait too */
    INPUT_MOST = 1 << 20, /* bytes of a cell that is remembered */
    ANSWER_MOST = 10000,  /* rows */
    PATTERN_MOST = 200,   /* bytes of a glob */
};

struct entry { /* a cell (input) or its output, waiting to be written */
    struct entry *next;
    int64_t line;
    const char *text;
    size_t length;
    bool output;
};

struct history {
    const char *path;
    sqlite3 *file;       /* NULL: not opened yet */
    bool memory;         /* it is none on disk */
    int64_t session;     /* 0: not registered yet */
    struct arena *arena; /* of the entries */
    struct entry *first, **last;
    int64_t due;
};

const char *history_path(struct arena *arena) {
    const char *data = getenv("XDG_DATA_HOME"), *jupyter = getenv("JUPYTER_DATA_DIR");
    const char *home = getenv("HOME");
    if (!data || data[0] != '/') {
        data = jupyter && jupyter[0] == '/' ? jupyter
               : home && home[0] == '/'     ? file_join(arena, home, ".local/share")
                                            : NULL;
    }
    return data ? file_join(arena, data, "cutaway/history.sqlite") : NULL;
}

struct history *history_new(struct arena *arena, const char *path) {
    struct history *history = arena_alloc(arena, sizeof *history);
    history->path = path ? arena_copy(arena, path) : history_path(arena);
    history->arena = arena_new();
    history->last = &history->first;
    return history;
}

static void entry_add(struct history *history, struct entry entry) {
    struct entry *kept = arena_alloc(history->arena, sizeof *kept);
    *kept = entry;
    kept->text = arena_text(history->arena, entry.text, entry.length);
    *history->last = kept;
    history->last = &kept->next;
}

void history_add(struct history *history, int64_t line, const char *input, size_t length,
                 int64_t now) {
    if (length <= INPUT_MOST) {
        entry_add(history, (struct entry){ .line = line, .text = input, .length = length });
        history->due = history->due ? history->due : now + WAIT_MS;
    }
}

void history_output(struct history *history, int64_t line, const char *output) {
    entry_add(history,
              (struct entry){
                  .line = line, .text = output, .length = strlen(output), .output = true });
}

int64_t history_due(const struct history *history) {
    return history->due;
}

/* Makes the folders above the file and the file itself, for its owner alone. */
static int file_make(const char *path) {
    char folder[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path, length + 1);
    for (char *at = folder + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
            return -1;
        }
        *at = '/';
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -1 : close(fd);
}

static const char schema[] =
    "PRAGMA cache_size=-256; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS session (number INTEGER PRIMARY KEY AUTOINCREMENT, start TEXT);"
    "CREATE TABLE IF NOT EXISTS cell (session INTEGER, line INTEGER, input TEXT, output TEXT,"
    " UNIQUE(session, line));";

/* Opens `path` and registers this session. An SQLite code. */
static int file_open(struct history *history, const char *path) {
    int code =
        sqlite3_open_v2(path, &history->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(history->file, LOCK_MS);
        sqlite3_limit(history->file, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_MOST);
        code = sqlite3_exec(history->file, schema, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code =
            sqlite3_exec(history->file, "INSERT INTO session(start) VALUES (datetime('now'))",
                         NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        history->session = sqlite3_last_insert_rowid(history->file);
    } else {
        sqlite3_close_v2(history->file);
        history->file = NULL;
    }
    return code;
}

/* From now on in memory; `why` the file cannot be used. */
static void memory_open(struct history *history, const char *why) {
    front_log("the history stays in memory: %s%s%s", history->path ? history->path : "",
              history->path ? ": " : "", why);
    sqlite3_close_v2(history->file);
    history->file = NULL;
    history->memory = true;
    file_open(history, ":memory:");
}

/* Whether the file is open now. */
static bool history_open(struct history *history) {
    if (history->file) {
        return true;
    }
    if (!history->path) {
        memory_open(history, "no HOME is set");
    } else if (file_make(history->path) < 0) {
        memory_open(history, strerror(errno));
    } else {
        int code = file_open(history, history->path) & 0xff;
        if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED) {
            memory_open(history, sqlite3_errstr(code));
        }
    }
    return history->file != NULL;
}

static int entry_write(const struct history *history, const struct entry *entry) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        history->file,
        entry->output ? "UPDATE cell SET output = ?3 WHERE session = ?1 AND line = ?2"
                      : "INSERT OR REPLACE INTO cell VALUES (?1, ?2, ?3, NULL)",
        -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, history->session);
        sqlite3_bind_int64(statement, 2, entry->line);
        sqlite3_bind_text64(statement, 3, entry->text, entry->length, SQLITE_STATIC,
                            SQLITE_UTF8);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int entries_write(struct history *history) {
    int code = sqlite3_exec(history->file, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (struct entry *entry = history->first; entry && code == SQLITE_OK;
         entry = entry->next) {
        code = entry_write(history, entry);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(history->file, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        sqlite3_exec(history->file, "ROLLBACK", NULL, NULL, NULL);
    }
    return code & 0xff;
}

/* Writes what waits. Whether nothing is left. */
static bool history_write(struct history *history) {
    if (!history->first) {
        return true;
    }
    int code = history_open(history) ? entries_write(history) : SQLITE_BUSY;
    if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED && !history->memory) {
        memory_open(history, sqlite3_errstr(code));
        code = entries_write(history);
    }
    if (code == SQLITE_OK) {
        arena_rewind(history->arena, (struct arena_mark){ 0 });
        history->first = NULL;
        history->last = &history->first;
    }
    return code == SQLITE_OK;
}

void history_tick(struct history *history, int64_t now) {
    if (history->due && history->due <= now) {
        history->due = history_write(history) ? 0 : now + AGAIN_MS;
    }
}

void history_close(struct history *history) {
    history_write(history);
    sqlite3_close_v2(history->file);
    arena_free(history->arena);
}

static const char *const questions[] = {
    [HISTORY_TAIL] =
        "SELECT session, line, input, output FROM cell ORDER BY rowid DESC LIMIT ?1",
    [HISTORY_RANGE] =
        "SELECT session, line, input, output FROM cell WHERE session = ?2 AND line >= ?3 "
        "AND line < ?4 ORDER BY line DESC LIMIT ?1",
    [HISTORY_SEARCH] = "SELECT session, line, input, output FROM cell WHERE input GLOB ?5 "
                       "ORDER BY rowid DESC LIMIT ?1",
};

static const char unique_question[] =
    "SELECT session, line, input, output, max(rowid) FROM cell WHERE "
    "input GLOB ?5 GROUP BY input ORDER BY max(rowid) DESC LIMIT ?1";

static sqlite3_stmt *question(struct history *history, const struct history_query *query) {
    sqlite3_stmt *statement = NULL;
    bool unique = query->access == HISTORY_SEARCH && query->unique;
    int64_t session = query->session > 0 ? query->session : history->session + query->session;
    sqlite3_prepare_v2(history->file, unique ? unique_question : questions[query->access], -1,
                       &statement, NULL);
    sqlite3_bind_int64(statement, 1,
                       query->n < 0             ? 0
                       : query->n > ANSWER_MOST ? ANSWER_MOST
                                                : query->n);
    sqlite3_bind_int64(statement, 2, session);
    sqlite3_bind_int64(statement, 3, query->start);
    sqlite3_bind_int64(statement, 4, query->stop);
    sqlite3_bind_text(statement, 5, query->pattern, -1, SQLITE_STATIC);
    return statement;
}

static void column_write(struct jsonwrite *w, sqlite3_stmt *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (text) {
        json_bytes(w, text, (size_t)sqlite3_column_bytes(statement, column));
    } else {
        json_null(w);
    }
}

static void row_write(struct buf *out, sqlite3_stmt *statement, bool output) {
    struct jsonwrite w = { .out = out };
    json_open(&w, '[');
    json_int(&w, sqlite3_column_int64(statement, 0));
    json_int(&w, sqlite3_column_int64(statement, 1));
    if (output) {
        json_open(&w, '[');
    }
    column_write(&w, statement, 2);
    if (output) {
        column_write(&w, statement, 3);
        json_close(&w, ']');
    }
    json_close(&w, ']');
}

void history_read(struct history *history, const struct history_query *query, struct buf *out) {
    struct arena *arena = arena_new();
    struct buf *rows = buf_new(arena);
    size_t *ends = arena_array(arena, ANSWER_MOST + 1, sizeof *ends);
    int count = 0;
    history_write(history);
    if (history_open(history)) {
        sqlite3_stmt *statement = question(history, query);
        while (count < ANSWER_MOST && sqlite3_step(statement) == SQLITE_ROW) {
            row_write(rows, statement, query->output);
            ends[++count] = rows->length;
        }
        sqlite3_finalize(statement);
    }
    buf_char(out, '[');
    for (int i = count; i > 0; i--) { /* they came newest first */
        buf_add(out, rows->data + ends[i - 1], ends[i] - ends[i - 1]);
        if (i > 1) {
            buf_char(out, ',');
        }
    }
    buf_char(out, ']');
    arena_free(arena);
}

/* The first row of a question of one column, in the arena; NULL where there is none. */
static const char *first_text(struct arena *arena, sqlite3 *file, const char *sql, int *code) {
    sqlite3_stmt *statement = NULL;
    const char *text = NULL;
    *code = sqlite3_prepare_v2(file, sql, -1, &statement, NULL);
    if (*code == SQLITE_OK) {
        *code = sqlite3_step(statement);
        text = *code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
        text = text ? arena_copy(arena, text) : NULL;
    }
    sqlite3_finalize(statement);
    return text;
}

/* Asks the open file whether it is whole, and for the right to write. A code of SQLite. */
static int check_file(struct arena *arena, sqlite3 *file) {
    int code;
    const char *said = first_text(arena, file, "PRAGMA quick_check(1)", &code);
    if (said && strcmp(said, "ok") != 0) {
        return SQLITE_CORRUPT;
    }
    if (code == SQLITE_ROW) {
        code = sqlite3_exec(file, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL);
    }
    return code & 0xff;
}

int history_look(struct arena *arena, const char *path, struct err *err) {
    enum { LOOK_MS = 1000 };
    sqlite3 *file = NULL;
    int code = sqlite3_open_v2(path, &file, SQLITE_OPEN_READWRITE, NULL) & 0xff;
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(file, LOOK_MS);
        code = check_file(arena, file);
    }
    sqlite3_close_v2(file);
    switch (code) {
    case SQLITE_OK:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_IO,
                       "%s is locked by another program that keeps it (fuser %s tells which); "
                       "end it: until then cells are remembered in memory alone",
                       path, path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, ERR_FORMAT,
                       "%s is damaged; the next kernel moves it aside and begins a new one, or "
                       "do it yourself: mv %s %s.damaged",
                       path, path, path);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return err_set(err, ERR_IO,
                       "%s cannot be written to; change its rights or its owner: until then "
                       "cells are remembered in memory alone",
                       path);
    default:
        return err_set(err, ERR_IO,
                       "%s cannot be used (%s); look at its disk: until then cells are "
                       "remembered in memory alone",
                       path, sqlite3_errstr(code));
    }
}

void history_answer(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    size_t length;
    const char *access = frames_text(request, "hist_access_type", &length);
    const char *pattern = frames_text(request, "pattern", &length);
    struct history_query query = {
        .access = strcmp(access, "range") == 0    ? HISTORY_RANGE
                  : strcmp(access, "search") == 0 ? HISTORY_SEARCH
                                                  : HISTORY_TAIL,
        .output = frames_flag(request, "output", false),
        .unique = frames_flag(request, "unique", false),
        .session = frames_number(request, "session", 0),
        .start = frames_number(request, "start", 1),
        .stop = frames_number(request, "stop", INT64_MAX),
        .pattern = *pattern ? pattern : "*",
    };
    query.n =
        query.access == HISTORY_RANGE
            ? ANSWER_MOST
            : frames_number(request, "n", query.access == HISTORY_TAIL ? 10 : ANSWER_MOST);
    buf_text(out, "{\"status\":\"ok\",\"history\":");
    history_read(front->history, &query, out);
    buf_char(out, '}');
    front_reply(front, request, "history_reply", out);
}
