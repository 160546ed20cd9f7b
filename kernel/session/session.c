#include "kernel/session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/base/guard.h"
#include "core/base/memory.h"
#include "core/explain/site_info.h"
#include "kernel/session/journal.h"
#include "kernel/session/kept.h"
#include "kernel/session/loaded.h"

enum { SETTINGS = 6, VALUE_ROOM = 64 };

static const char *const setting_names[SETTINGS] = { "language", "theme", "colours",
                                                     "seed",     "time",  "limit" };

struct session {
    struct arena *cell; /* NULL between cells */
    struct models models;
    struct kept kept;
    struct datasets datasets;
    struct arena *file;      /* holds the journal */
    struct journal *journal; /* NULL: there is none */
    struct arena *look;      /* holds `found`; NULL: not looked yet */
    const struct found *found;
    int64_t found_count;
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

static char *setting_at(struct session *session, const char *name) {
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(setting_names[i], name) == 0) {
            return session->settings[i];
        }
    }
    return NULL;
}

struct session *session_new(void) {
    struct session *session = calloc(1, sizeof *session);
    if (!session) {
        catch_throw(ERR_MEMORY, "no memory for a session");
    }
    session->models.in_use = -1;
    session_set(session, "language", language_of_locale());
    session_set(session, "theme", "light");
    session_set(session, "colours", "cutaway");
    session_set(session, "seed", "0");
    session_set(session, "time", "off");
    snprintf(setting_at(session, "limit"), VALUE_ROOM, "off"); /* changes no budget */
    return session;
}

void session_free(struct session *session) {
    if (session->cell) {
        arena_free(session->cell);
    }
    loaded_free(&session->models);
    kept_free(&session->kept);
    datasets_free(&session->datasets);
    arena_free(session->look);
    arena_free(session->file);
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

const struct loaded *session_load(struct session *session, const char *name_or_path,
                                  const char *handle, struct err *err) {
    return loaded_add(&session->models, session->cell, name_or_path, handle, err);
}

const struct found *session_found(struct session *session, bool again, int64_t *count) {
    if (again || !session->look) {
        struct arena *arena = arena_new();
        session->found = find_models(arena, &session->found_count);
        if (session->look) {
            arena_free(session->look);
        }
        session->look = arena;
    }
    *count = session->found_count;
    return session->found;
}

int session_check(const struct session *session, const char *handle, struct err *err) {
    return loaded_check(&session->models, handle, err);
}

int session_unload(struct session *session, const char *handle, struct err *err) {
    return loaded_remove(&session->models, handle, err);
}

int session_use(struct session *session, const char *handle, struct err *err) {
    return loaded_use(&session->models, handle, err);
}

const struct loaded *session_model(struct session *session, const char *handle,
                                   struct err *err) {
    return loaded_find(&session->models, handle, err);
}

const struct loaded *session_models(struct session *session, int64_t *count, int64_t *in_use) {
    *count = session->models.count;
    *in_use = session->models.in_use;
    return session->models.list;
}

int64_t session_model_changes(const struct session *session) {
    return session->models.changes;
}

void session_keep(struct session *session, const char *name, const struct result *result) {
    kept_set(&session->kept, session->cell, name, result);
}

struct arena **session_result_arena(struct session *session) {
    return guard_arena(session->cell);
}

void session_adopt(struct session *session, struct arena **arena, const char *name,
                   const char *other, const struct result *result) {
    kept_adopt(&session->kept, *arena, name, other, result);
    *arena = NULL;
}

int64_t session_result_bytes(struct session *session, int64_t index) {
    return kept_bytes(&session->kept, index);
}

void session_remember(struct session *session, int64_t bytes) {
    session->kept.remembers = true;
    session->kept.room = bytes;
}

const struct result *session_result_by_id(struct session *session, const char *id,
                                          struct err *err) {
    const struct result *result = kept_by_id(&session->kept, id);
    if (!result) {
        err_set(err, ERR_RESULT,
                "the numbers behind this picture are not held any more: run its cell again");
    }
    return result;
}

void session_forget(void *session) {
    kept_forget(&((struct session *)session)->kept);
}

const struct result *session_result(struct session *session, const char *name,
                                    struct err *err) {
    return kept_find(&session->kept, name, err);
}

const char *const *session_results(struct session *session, struct arena *arena,
                                   int64_t *count) {
    const char **names = arena_array(arena, session->kept.count + 1, sizeof *names);
    for (int64_t i = 0; i < session->kept.count; i++) {
        names[i] = kept_name(&session->kept, i);
    }
    *count = session->kept.count;
    return names;
}

const struct dataset_kept *session_data_add(struct session *session, const char *name,
                                            const char *path, const char *column, int64_t most,
                                            struct err *err) {
    return datasets_add(&session->datasets, session->cell, name, path, column, most, err);
}

const struct dataset_kept *session_data(struct session *session, const char *name,
                                        struct err *err) {
    return datasets_find(&session->datasets, name, err);
}

int session_data_drop(struct session *session, const char *name, struct err *err) {
    return datasets_drop(&session->datasets, name, err);
}

const struct dataset_kept *session_data_all(struct session *session, int64_t *count) {
    *count = session->datasets.count;
    return session->datasets.list;
}

void session_journal(struct session *session, int fd, int64_t most) {
    session->file = arena_new();
    session->journal = journal_open(session->file, fd, most);
    if (session->journal) {
        session->kept.serial = journal_last(session->journal);
    }
}

bool session_write(struct session *session) {
    struct catch here = { .err = { 0 } };
    if (session->journal) {
        struct arena *volatile arena = NULL;
        int64_t count;
        if (setjmp(catch_set(&here)->place) == 0) {
            arena = arena_new();
            const struct journal_item *items = kept_items(&session->kept, arena, &count);
            journal_write(session->journal, arena, items, count);
        } /* else the next cell tries again */
        catch_end(&here);
        arena_free(arena);
    }
    return here.err.kind != ERR_STOP;
}

const char *session_setting(struct session *session, const char *name) {
    return setting_at(session, name);
}

const char *session_setting_name(int64_t index) {
    return index < SETTINGS ? setting_names[index] : NULL;
}

void session_set(struct session *session, const char *name, const char *value) {
    char *setting = setting_at(session, name);
    if (setting) {
        snprintf(setting, VALUE_ROOM, "%s", value);
    }
    if (strcmp(name, "limit") == 0) {
        memory_limit(strtoll(value, NULL, 10)); /* "off" is 0: none */
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

static void add_number(struct buf *out, int64_t number) {
    buf_printf(out, "\t%lld", (long long)number);
}

const char *session_state(struct session *session, struct arena *arena) {
    struct buf *out = buf_new(arena);
    for (int i = 0; i < SETTINGS; i++) {
        buf_text(out, "setting");
        add_field(out, setting_names[i]);
        add_field(out, session->settings[i]);
        buf_char(out, '\n');
    }
    for (int64_t i = 0; i < session->models.count; i++) {
        const struct loaded *one = &session->models.list[i];
        buf_text(out, "model");
        add_field(out, one->handle);
        add_field(out, one->path);
        add_field(out, one->model->weights->fingerprint);
        add_number(out, one->model->weights->file_bytes);
        add_number(out, one->model->weights->changed);
        buf_char(out, '\n');
    }
    if (session->models.in_use >= 0) {
        buf_text(out, "use");
        add_field(out, session->models.list[session->models.in_use].handle);
        buf_char(out, '\n');
    }
    for (int64_t i = 0; i < session->datasets.count; i++) {
        const struct dataset_kept *one = &session->datasets.list[i];
        buf_text(out, "data");
        add_field(out, one->name);
        add_field(out, one->path);
        add_number(out, one->most);
        add_field(out, one->column ? one->column : "");
        buf_char(out, '\n');
    }
    for (int64_t i = 0; i < session->kept.count; i++) {
        buf_text(out, "result");
        add_field(out, kept_name(&session->kept, i));
        add_number(out, (int64_t)kept_serial(&session->kept, i));
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

/* What a state line says: "model" handle path fingerprint bytes changed, "data" name path most
 * column, or "result" name number. */
struct line {
    const char *key, *name, *second, *third, *fourth, *fifth;
};

/* A restore: what of it is said, and the session that comes back. */
struct restore {
    struct session *session;
    struct arena *arena; /* for the lists */
    struct buf *complaints;
    struct buf *lost; /* names of results */
    void (*stopped)(void *arg);
    void *arg;
};

/* Says in what the model is another than the one that was loaded. */
static void compare_model(struct restore *restore, const struct line *line,
                          const struct loaded *now) {
    const struct weights *weights = now->model->weights;
    const char *path = file_shown(restore->arena, now->path);
    if (strcmp(line->third, weights->fingerprint) != 0 ||
        strtoll(line->fourth, NULL, 10) != weights->file_bytes) {
        buf_printf(restore->complaints,
                   "The model %s is another one now: %s changed since it was loaded "
                   "(fingerprint %s, was %s). Results kept from before are of the old one.\n",
                   line->name, path, weights->fingerprint, line->third);
    } else if (strtoll(line->fifth, NULL, 10) != weights->changed) {
        buf_printf(restore->complaints,
                   "The file of the model %s was written again since it was loaded (%s); size "
                   "and fingerprint are the same.\n",
                   line->name, path);
    }
}

static void restore_model(struct restore *restore, const struct line *line, struct err *err) {
    const struct loaded *one = session_load(restore->session, line->second, line->name, err);
    if (one && *line->third) {
        compare_model(restore, line, one);
    }
}

static void restore_data(struct restore *restore, const struct line *line, struct err *err) {
    const char *column = *line->fourth ? line->fourth : NULL;
    session_data_add(restore->session, line->name, line->second, column,
                     strtoll(line->third, NULL, 10), err);
}

/* The result of that number, from the journal. `name` NULL: without one. */
static void put_back(struct session *session, const char *name, uint64_t serial,
                     struct err *err) {
    struct arena **own = guard_arena(session->cell);
    int64_t bytes;
    const struct result *result = journal_read(session->journal, *own, serial, &bytes, err);
    if (result) {
        kept_put_back(&session->kept, *own, name, result, serial, bytes);
        *own = NULL;
    }
}

static void restore_result(struct restore *restore, const struct line *line, struct err *err) {
    struct session *session = restore->session;
    uint64_t serial = strtoull(line->second, NULL, 10);
    if (!session->journal) {
        err_set(err, ERR_RESULT, "nothing is kept aside");
    } else if (!kept_name_again(&session->kept, line->name, serial)) {
        put_back(session, line->name, serial, err);
    }
}

typedef void restore_step(struct restore *restore, const struct line *line, struct err *err);

/* As a cell would be run: whatever it needs is gone after it, and where there is no memory for
 * it, that is its failure alone. */
static void try_step(struct restore *restore, restore_step *step, const struct line *line,
                     struct err *err) {
    struct catch here;
    *err = (struct err){ 0 };
    session_begin(restore->session);
    if (setjmp(catch_set(&here)->place) == 0) {
        step(restore, line, err);
    } else {
        *err = here.err;
    }
    catch_end(&here);
    session_end(restore->session);
}

/* Takes one step of a restore, again where an interrupt ended it. */
static void take_step(struct restore *restore, restore_step *step, const struct line *line,
                      struct err *err) {
    try_step(restore, step, line, err);
    while (err->kind == ERR_STOP && restore->stopped) {
        restore->stopped(restore->arg);
        try_step(restore, step, line, err);
    }
}

/* Opens a model or data again; what cannot be is a complaint, not a failure. */
static void restore_file(struct restore *restore, restore_step *step, const struct line *line) {
    struct err err;
    take_step(restore, step, line, &err);
    if (err.kind != ERR_NONE) {
        buf_printf(restore->complaints, "The %s %s could not be loaded again: %s\n", line->key,
                   line->name, err.text);
    }
}

static void restore_line(struct restore *restore, char *line) {
    struct err err;
    struct line fields = { .key = take_field(&line) };
    fields.name = take_field(&line);
    fields.second = take_field(&line);
    fields.third = take_field(&line);
    fields.fourth = take_field(&line);
    fields.fifth = take_field(&line);
    if (strcmp(fields.key, "setting") == 0) {
        session_set(restore->session, fields.name, fields.second);
    } else if (strcmp(fields.key, "model") == 0) {
        restore_file(restore, restore_model, &fields);
    } else if (strcmp(fields.key, "data") == 0) {
        restore_file(restore, restore_data, &fields);
    } else if (strcmp(fields.key, "use") == 0) {
        session_use(restore->session, fields.name, &err);
    } else if (strcmp(fields.key, "result") == 0) {
        take_step(restore, restore_result, &fields, &err);
        if (err.kind != ERR_NONE) {
            buf_printf(restore->lost, "%s%s", restore->lost->length ? ", " : "", fields.name);
        }
    }
}

/* What was shown last and has no name: where one is gone, nobody is told. */
static void restore_unnamed(struct restore *restore, const struct line *line, struct err *err) {
    struct session *session = restore->session;
    put_back(session, NULL, strtoull(line->second, NULL, 10), err);
}

static void restore_rest(struct restore *restore) {
    struct session *session = restore->session;
    uint64_t serial;
    char digits[24];
    for (int64_t i = 0; (serial = journal_serial(session->journal, i)) != 0; i++) {
        struct err err;
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)serial);
        if (!kept_holds(&session->kept, serial)) {
            take_step(restore, restore_unnamed, &(struct line){ .second = digits }, &err);
        }
    }
    kept_settle(&session->kept);
}

void session_restore(struct session *session, const char *state, struct buf *complaints,
                     void (*stopped)(void *arg), void *arg) {
    struct arena *arena = arena_new();
    struct restore restore = { .session = session,
                               .arena = arena,
                               .complaints = complaints,
                               .lost = buf_new(arena),
                               .stopped = stopped,
                               .arg = arg };
    char *at = arena_copy(arena, state);
    while (*at) {
        char *line = at;
        at += strcspn(at, "\n");
        if (*at) {
            *at++ = '\0';
        }
        restore_line(&restore, line);
    }
    if (*state && session->journal) {
        restore_rest(&restore);
    }
    if (restore.lost->length > 0) {
        buf_printf(complaints,
                   "Kept results were lost with the process that held them: %s. Run "
                   "their cells again.\n",
                   restore.lost->data);
    }
    arena_free(arena);
}

/* Names with characters that would break the list are left out: completion is a convenience. */
static void add_name(struct buf *out, const char *kind, const char *name) {
    if (!strpbrk(name, "\t\n")) {
        buf_printf(out, "%s\t%s\n", kind, name);
    }
}

const char *session_names(struct session *session, struct arena *arena) {
    struct buf *out = buf_new(arena);
    int64_t count;
    const struct found *found = session_found(session, false, &count);
    for (int64_t i = 0; i < count; i++) {
        add_name(out, "model", found[i].name);
    }
    for (int64_t i = 0; i < session->models.count; i++) {
        add_name(out, "handle", session->models.list[i].handle);
    }
    for (int64_t i = 0; i < session->kept.count; i++) {
        add_name(out, "result", kept_name(&session->kept, i));
    }
    for (int64_t i = 0; i < session->datasets.count; i++) {
        add_name(out, "data", session->datasets.list[i].name);
    }
    const char **sites = NULL;
    if (session->models.count > 0) {
        sites = site_info_names(arena, session->models.list[session->models.in_use].model);
    }
    for (; sites && *sites; sites++) {
        add_name(out, "site", *sites);
    }
    return out->data;
}
