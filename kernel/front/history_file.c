#include "kernel/front/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <sqlite3.h>

#include "kernel/front/front.h"
#include "kernel/front/glob.h"

enum {
    AGAIN_MS = 2000,       /* after a lock */
    MUCH_LATER_MS = 30000, /* after a full disk, or a file that may only be read */
    READ_LOCK_MS = 200,    /* somebody waits for the answer */
    READ_MOST_MS = 3000,   /* a search through very much ends there, with what it found */
    ROWS_MOST = 10000,     /* of an answer */
    BYTES_MOST = 8 << 20,  /* of an answer */
    LATE_MOST = 32 << 20,  /* bytes that wait in memory; the older half of more is let go */
    STEPS = 1000,          /* of SQLite, between two looks at the time */
};

struct history_file {
    char *path; /* NULL: memory alone */
    void (*say)(const char *sentence);
    bool said;     /* why it is not used was said */
    sqlite3 *db;   /* in memory, with `late`; the file is its "disk" */
    bool attached; /* the file is open */
    dev_t device;  /* of the open file */
    ino_t inode;
    int64_t session;  /* 0: not registered in the file yet */
    int64_t late;     /* bytes of texts in memory */
    int64_t read_end; /* ms; when a question has taken too long */
};

/* ---- memory ---- */

/* input GLOB pattern; the one of SQLite takes for ever for some patterns. */
static void glob_call(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    const char *pattern = (const char *)sqlite3_value_text(values[0]);
    const char *text = (const char *)sqlite3_value_text(values[1]);
    sqlite3_result_int(context, pattern && text &&
                                    glob_fits(pattern, (size_t)sqlite3_value_bytes(values[0]),
                                              text, (size_t)sqlite3_value_bytes(values[1])));
}

static int takes_too_long(void *arg) {
    const struct history_file *file = arg;
    return file->read_end && front_now() > file->read_end;
}

static int run(const struct history_file *file, const char *sql) {
    return sqlite3_exec(file->db, sql, NULL, NULL, NULL) & 0xff;
}

struct history_file *history_file_new(const char *path, void (*say)(const char *sentence)) {
    struct history_file *file = calloc(1, sizeof *file);
    if (!file) {
        return NULL;
    }
    file->path = path ? strdup(path) : NULL;
    file->say = say;
    if (sqlite3_open_v2(":memory:", &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        NULL) != SQLITE_OK ||
        run(file,
            "PRAGMA temp_store=MEMORY;"
            "CREATE TABLE late (line INTEGER UNIQUE, input TEXT, output TEXT)") != SQLITE_OK) {
        history_file_close(file);
        return NULL;
    }
    sqlite3_create_function(file->db, "glob", 2, SQLITE_UTF8, NULL, glob_call, NULL, NULL);
    sqlite3_progress_handler(file->db, STEPS, takes_too_long, file);
    return file;
}

void history_file_close(struct history_file *file) {
    sqlite3_close_v2(file->db);
    free(file->path);
    free(file);
}

/* Says it, but not again until the file was used. */
static void say_once(struct history_file *file, const char *what, const char *why) {
    char sentence[PATH_MAX + 200];
    if (!file->said) {
        snprintf(sentence, sizeof sentence, "%s: %s: %s", what, file->path, why);
        file->say(sentence);
        file->said = true;
    }
}

/* ---- the file ---- */

bool history_file_is_far(long type) {
    static const unsigned types[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB 2 */
        0x65735546, /* FUSE: sshfs, virtiofs and many more */
        0x01021997, /* 9p */
        0x0bd00bd0, /* Lustre */
        0x47504653, /* GPFS */
        0x19830326, /* BeeGFS */
        0x00c36400, /* Ceph */
        0x5346414f, /* AFS */
        0x73757245, /* Coda */
        0x01161970, /* GFS2 */
        0x7461636f, /* OCFS2 */
        0x786f4256, /* VirtualBox's shared folders */
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if ((unsigned)type == types[i]) {
            return true;
        }
    }
    return false;
}

/* Makes the folders above the file. 0, or errno. */
static int folders_make(const char *path) {
    char folder[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof folder) {
        return ENAMETOOLONG;
    }
    memcpy(folder, path, length + 1);
    for (char *at = folder + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
            return errno;
        }
        *at = '/';
    }
    return 0;
}

/* Takes from others what they may do with the file, and with what SQLite keeps beside it. */
static void make_private(const struct history_file *file, int fd, mode_t mode) {
    static const char *const beside[] = { "-wal", "-shm", "-journal" };
    char path[PATH_MAX + 16];
    if (mode & 077 && fchmod(fd, 0600) == 0) {
        for (int i = 0; i < 3; i++) {
            snprintf(path, sizeof path, "%s%s", file->path, beside[i]);
            chmod(path, 0600);
        }
    }
}

/* Makes the file, for its owner alone, where there is none; remembers which one it is. `far`:
 * whether it may lie on another machine. 0, or errno. */
static int file_make(struct history_file *file, bool *far) {
    struct stat info;
    struct statfs system;
    int why = folders_make(file->path);
    int fd = why ? -1 : open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return why ? why : errno;
    }
    if (fstat(fd, &info) < 0 || fstatfs(fd, &system) < 0) {
        why = errno;
    } else if (!S_ISREG(info.st_mode)) {
        why = EINVAL;
    } else {
        make_private(file, fd, info.st_mode);
        file->device = info.st_dev;
        file->inode = info.st_ino;
        *far = history_file_is_far((long)system.f_type);
    }
    close(fd);
    return why;
}

static void detach(struct history_file *file) {
    if (file->attached) {
        run(file, "DETACH disk");
    }
    file->attached = false;
    file->session = 0;
}

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS disk.session (number INTEGER PRIMARY KEY AUTOINCREMENT, start "
    "TEXT);"
    "CREATE TABLE IF NOT EXISTS disk.cell (session INTEGER, line INTEGER, input TEXT, output "
    "TEXT, UNIQUE(session, line));";

/* A code of SQLite. */
static int attach(struct history_file *file, bool far) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(file->db, "ATTACH ?1 AS disk", -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, file->path, -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) {
        return code & 0xff;
    }
    file->attached = true;
    code = run(file, far ? "PRAGMA disk.cache_size=-256; PRAGMA disk.journal_mode=TRUNCATE;"
                         : "PRAGMA disk.cache_size=-256; PRAGMA disk.journal_mode=WAL;"
                           "PRAGMA disk.synchronous=NORMAL;");
    code = code == SQLITE_OK ? run(file, schema) : code;
    if (code != SQLITE_OK) {
        detach(file);
    }
    return code;
}

/* Whether the path still leads to the file that is open. */
static bool is_same(const struct history_file *file) {
    struct stat info;
    return stat(file->path, &info) == 0 && info.st_dev == file->device &&
           info.st_ino == file->inode;
}

/* Renames the damaged file and what lies beside it, unless another kernel has done so. */
static void rename_damaged(struct history_file *file) {
    static const char *const parts[] = { "-wal", "-shm", "-journal", "" };
    char stamp[32], from[PATH_MAX + 16], to[PATH_MAX + 64], sentence[2 * PATH_MAX + 200];
    struct tm day;
    time_t now = time(NULL);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", gmtime_r(&now, &day));
    for (int i = 0; i < 4; i++) {
        snprintf(from, sizeof from, "%s%s", file->path, parts[i]);
        snprintf(to, sizeof to, "%s.damaged-%s%s", file->path, stamp, parts[i]);
        if (rename(from, to) < 0 && !*parts[i]) {
            say_once(file, "the damaged history cannot be moved aside", strerror(errno));
            return;
        }
    }
    snprintf(sentence, sizeof sentence,
             "the history was damaged: it lies in %s now, and a new one begins", to);
    file->say(sentence);
}

/* One kernel alone moves a damaged file, so that none moves the new one. */
static void set_aside(struct history_file *file) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", file->path);
    *strrchr(folder, '/') = '\0';
    detach(file);
    int fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_same(file)) {
        rename_damaged(file);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static bool is_damage(int code) {
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* The file is open when this returns SQLITE_OK. */
static int file_open(struct history_file *file) {
    bool far = false;
    if (file->attached && is_same(file)) {
        return SQLITE_OK;
    }
    detach(file);
    int why = file_make(file, &far);
    if (why) {
        say_once(file, "the history stays in memory", strerror(why));
        return SQLITE_CANTOPEN;
    }
    int code = attach(file, far);
    if (is_damage(code)) {
        set_aside(file);
        code = file_make(file, &far) ? SQLITE_CANTOPEN : attach(file, far);
    }
    return code;
}

/* ---- writing ---- */

static void change(struct history_file *file, const char *sql, int64_t line, const char *text,
                   size_t length) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, line);
        sqlite3_bind_text64(statement, 2, text, length, SQLITE_STATIC, SQLITE_UTF8);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
}

/* The older half of what waits too long goes. */
static void make_room(struct history_file *file, size_t length) {
    file->late += (int64_t)length;
    if (file->late > LATE_MOST) {
        run(file, "DELETE FROM late WHERE rowid <= (SELECT (min(rowid) + max(rowid)) / 2 FROM "
                  "late)");
        file->late /= 2;
    }
}

void history_file_add(struct history_file *file, int64_t line, const char *input,
                      size_t length) {
    change(file, "INSERT OR REPLACE INTO late (line, input) VALUES (?1, ?2)", line, input,
           length);
    make_room(file, length);
}

void history_file_output(struct history_file *file, int64_t line, const char *output,
                         size_t length) {
    change(file,
           "INSERT INTO late (line, output) VALUES (?1, ?2) "
           "ON CONFLICT (line) DO UPDATE SET output = excluded.output",
           line, output, length);
    make_room(file, length);
}

static int with_session(const struct history_file *file, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, file->session);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code & 0xff;
}

/* The session's number, once it has one, and all that waits. */
static int move(struct history_file *file) {
    int code = SQLITE_OK;
    int64_t before = file->session;
    if (!file->session) {
        code = run(file, "INSERT INTO disk.session (start) VALUES (datetime('now'))");
        file->session = code == SQLITE_OK ? sqlite3_last_insert_rowid(file->db) : 0;
    }
    code = code ? code
                : with_session(file, "INSERT OR REPLACE INTO disk.cell SELECT ?1, line, input, "
                                     "output FROM late WHERE input IS NOT NULL ORDER BY rowid");
    code = code ? code
                : with_session(file, "UPDATE disk.cell SET output = (SELECT late.output FROM "
                                     "late WHERE late.line = disk.cell.line) WHERE session = "
                                     "?1 AND line IN (SELECT line FROM late WHERE input IS "
                                     "NULL)");
    code = code ? code : run(file, "DELETE FROM late");
    code = code ? code : run(file, "COMMIT");
    if (code) {
        file->session = before;
    }
    return code;
}

static int save_once(struct history_file *file) {
    int code = file_open(file);
    code = code ? code : run(file, "BEGIN IMMEDIATE");
    code = code ? code : move(file);
    if (code) {
        run(file, "ROLLBACK");
    } else {
        file->late = 0;
        file->said = false;
    }
    return code;
}

/* Whether something waits in memory. */
static bool is_late(const struct history_file *file) {
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(file->db, "SELECT 1 FROM late LIMIT 1", -1, &statement, NULL);
    bool late = sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return late;
}

int64_t history_file_save(struct history_file *file, int wait_ms) {
    if (!file->path || !is_late(file)) {
        return 0;
    }
    sqlite3_busy_timeout(file->db, wait_ms);
    int code = save_once(file);
    if (is_damage(code)) {
        set_aside(file);
        code = save_once(file);
    }
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        return AGAIN_MS;
    }
    if (code != SQLITE_OK) {
        say_once(file, "the history stays in memory for now", sqlite3_errstr(code));
    }
    return code == SQLITE_OK ? 0 : MUCH_LATER_MS;
}

/* ---- reading ---- */

void history_rows_free(struct history_rows *rows) {
    for (int64_t i = 0; i < rows->count; i++) {
        free(rows->rows[i].input);
        free(rows->rows[i].output);
    }
    free(rows->rows);
    *rows = (struct history_rows){ 0 };
}

/* A copy of a column's bytes; NULL where it has none. */
static char *column_copy(sqlite3_stmt *statement, int column, size_t *length) {
    const void *text = sqlite3_column_text(statement, column);
    *length = text ? (size_t)sqlite3_column_bytes(statement, column) : 0;
    char *copy = text ? malloc(*length + 1) : NULL;
    if (copy) {
        memcpy(copy, text, *length);
        copy[*length] = '\0';
    }
    return copy;
}

/* Whether there is room for more. */
static bool row_take(struct history_rows *rows, sqlite3_stmt *statement) {
    struct history_row row = { .session = sqlite3_column_int64(statement, 0),
                               .line = sqlite3_column_int64(statement, 1) };
    row.input = column_copy(statement, 2, &row.input_length);
    row.output = column_copy(statement, 3, &row.output_length);
    rows->bytes += row.input_length + row.output_length;
    if (!row.input || rows->bytes > BYTES_MOST) {
        free(row.input);
        free(row.output);
        return false;
    }
    rows->rows[rows->count++] = row;
    return true;
}

/* Every question has the same places: ?1 rows, ?2 session, ?3 and ?4 lines, ?5 glob. */
struct asked {
    int64_t most, session;
    const struct history_query *query;
};

/* A code of SQLite. */
static int ask(const struct history_file *file, const char *sql, const struct asked *asked,
               struct history_rows *rows) {
    const struct history_query *query = asked->query;
    sqlite3_stmt *statement = NULL;
    if (rows->count >= asked->most) {
        return SQLITE_OK;
    }
    int code = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK) {
        return code & 0xff;
    }
    sqlite3_bind_int64(statement, 1, asked->most - rows->count);
    sqlite3_bind_int64(statement, 2, asked->session);
    sqlite3_bind_int64(statement, 3, query->start);
    sqlite3_bind_int64(statement, 4, query->stop);
    sqlite3_bind_text(statement, 5, query->pattern ? query->pattern : "*", -1, SQLITE_STATIC);
    do {
        code = rows->count < asked->most ? sqlite3_step(statement) : SQLITE_DONE;
    } while (code == SQLITE_ROW && row_take(rows, statement));
    sqlite3_finalize(statement);
    return code & 0xff;
}

/* What waits in memory is newer than what the file has. */
static const char *const late_questions[] = {
    [HISTORY_TAIL] = "SELECT ?2, line, input, output FROM late WHERE input IS NOT NULL "
                     "ORDER BY rowid DESC LIMIT ?1",
    [HISTORY_RANGE] = "SELECT ?2, line, input, output FROM late WHERE input IS NOT NULL "
                      "AND line >= ?3 AND line < ?4 ORDER BY line DESC LIMIT ?1",
    [HISTORY_SEARCH] = "SELECT ?2, line, input, output FROM late WHERE input GLOB ?5 "
                       "ORDER BY rowid DESC LIMIT ?1",
};

static const char *const disk_questions[] = {
    [HISTORY_TAIL] =
        "SELECT session, line, input, output FROM disk.cell ORDER BY rowid DESC LIMIT ?1",
    [HISTORY_RANGE] = "SELECT session, line, input, output FROM disk.cell WHERE session = ?2 "
                      "AND line >= ?3 AND line < ?4 ORDER BY line DESC LIMIT ?1",
    [HISTORY_SEARCH] = "SELECT session, line, input, output FROM disk.cell WHERE input GLOB "
                       "?5 ORDER BY rowid DESC LIMIT ?1",
};

static const char unique_late[] = "SELECT ?2, line, input, output, max(rowid) FROM late WHERE "
                                  "input GLOB ?5 GROUP BY input ORDER BY max(rowid) DESC "
                                  "LIMIT ?1";

static const char unique_disk[] =
    "SELECT session, line, input, output, max(rowid) FROM disk.cell WHERE input GLOB ?5 AND "
    "input NOT IN (SELECT input FROM late WHERE input IS NOT NULL) GROUP BY input ORDER BY "
    "max(rowid) DESC LIMIT ?1";

/* The number that this session has, or would get now. */
static int64_t session_now(const struct history_file *file) {
    sqlite3_stmt *statement = NULL;
    int64_t number = file->session;
    if (!number && file->attached &&
        sqlite3_prepare_v2(file->db, "SELECT max(number) FROM disk.session", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0) + 1;
    }
    sqlite3_finalize(statement);
    return number ? number : 1;
}

/* The session that is meant by 0, -1, ... or its number. */
static int64_t session_meant(int64_t now, int64_t asked) {
    int64_t back;
    return asked > 0 ? asked : __builtin_add_overflow(now, asked, &back) ? 0 : back;
}

void history_file_read(struct history_file *file, const struct history_query *query,
                       struct history_rows *rows) {
    bool unique = query->access == HISTORY_SEARCH && query->unique;
    *rows = (struct history_rows){ .rows = calloc(ROWS_MOST, sizeof *rows->rows) };
    if (!rows->rows) {
        return;
    }
    history_file_save(file, READ_LOCK_MS);
    if (file->path && !file->attached) {
        sqlite3_busy_timeout(file->db, READ_LOCK_MS);
        file_open(file);
    }
    int64_t now = session_now(file), meant = session_meant(now, query->session);
    struct asked asked = { .most = query->n < 0           ? 0
                                   : query->n > ROWS_MOST ? ROWS_MOST
                                                          : query->n,
                           .session = now,
                           .query = query };
    file->read_end = front_now() + READ_MOST_MS;
    if (query->access != HISTORY_RANGE || meant == now) {
        ask(file, unique ? unique_late : late_questions[query->access], &asked, rows);
    }
    asked.session = meant;
    int code = SQLITE_OK;
    if (file->attached) {
        code = ask(file, unique ? unique_disk : disk_questions[query->access], &asked, rows);
    }
    file->read_end = 0;
    if (is_damage(code)) {
        set_aside(file);
    }
}

/* ---- looking ---- */

/* Asks the open file whether it is whole, and for the right to write. A code of SQLite. */
static int check_file(sqlite3 *db) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    code = code == SQLITE_OK ? sqlite3_step(statement) : code;
    bool whole = code == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW) {
        return code & 0xff;
    }
    return whole ? sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL) & 0xff
                 : SQLITE_CORRUPT;
}

int history_file_look(const char *path, struct err *err) {
    enum { LOOK_MS = 1000 };
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) & 0xff;
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, LOOK_MS);
        code = check_file(db);
    }
    sqlite3_close_v2(db);
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
