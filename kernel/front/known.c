#include "kernel/front/known.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/jsonwrite.h"
#include "core/base/nearest.h"
#include "core/base/utf8.h"
#include "kernel/command/settings.h"
#include "kernel/front/minder.h"
#include "kernel/relay/relay.h"

/* A setting on its way to the worker. */
struct wish {
    const char *name; /* of the table; NULL: nothing is on its way */
    char value[SETTINGS_VALUE];
    uint64_t ticket;
    uint64_t said; /* with this ticket, and not answered yet; 0: nothing is */
};

enum { WISHES = 8, SECOND_MS = 1000 };

struct known {
    json_t *status, *sites; /* NULL: not told yet */
    json_t *models;         /* of the status, whole */
    struct buf *code;       /* first line of the cell that runs */
    int64_t began;          /* ms; 0: none runs */
    struct buf *what;       /* "": no long work is on */
    struct relay_progress progress;
    int64_t passed[KNOWN_PACE]; /* when progress was passed on; the oldest is next */
    int next;
    struct wish wishes[WISHES]; /* one for each setting, in the table's order */
    uint64_t tickets;
};

struct known *known_new(struct arena *arena) {
    struct known *known = arena_alloc(arena, sizeof *known);
    _Static_assert(SETTINGS_VALUE > 18, "a value has room for a number");
    known->code = buf_new(arena);
    known->what = buf_new(arena);
    return known;
}

void known_free(struct known *known) {
    json_decref(known->status);
    json_decref(known->sites);
    json_decref(known->models);
    known->status = known->sites = known->models = NULL;
}

/* ---- what the worker tells ---- */

/* One object, NULL (and a line in the log) if these bytes are none. */
static json_t *object_of(const char *bytes, size_t length) {
    struct err err;
    json_t *object = NULL;
    if (length <= KNOWN_MOST) {
        struct arena *arena = arena_new();
        object = frames_object(arena, (struct frame){ bytes, length }, &err);
        arena_free(arena);
    }
    if (!object) {
        front_log("the computing process told of its session what cannot be read");
    }
    return object;
}

static bool replace(json_t **place, json_t *object) {
    bool other = !*place || !json_equal(*place, object);
    json_decref(*place);
    *place = object;
    return other;
}

/* Where a model is mapped concerns nobody else, and is another place in each worker. */
static void take_models(struct known *known, json_t *models) {
    size_t i;
    json_t *model, *whole = json_array();
    json_array_foreach(models, i, model) {
        json_array_append_new(whole, json_copy(model));
        json_object_del(model, "maps");
    }
    json_decref(known->models);
    known->models = whole;
}

bool known_status(struct known *known, const char *bytes, size_t length) {
    json_t *object = object_of(bytes, length);
    if (!json_is_array(json_object_get(object, "models")) ||
        !json_is_array(json_object_get(object, "results")) ||
        !json_is_object(json_object_get(object, "settings"))) {
        json_decref(object);
        return false;
    }
    take_models(known, json_object_get(object, "models"));
    return replace(&known->status, object);
}

const json_t *known_models(const struct known *known) {
    return known->models;
}

void known_sites(struct known *known, const char *bytes, size_t length) {
    json_t *object = object_of(bytes, length);
    if (object) {
        replace(&known->sites, object);
    }
}

/* A text that is shown in a line. */
static void keep_words(struct buf *into, const char *text, size_t length) {
    size_t most = length < KNOWN_WORDS_MOST ? length : KNOWN_WORDS_MOST;
    buf_clear(into);
    buf_add(into, text, most);
    into->length -= most < length ? utf8_tail(into->data, most) : 0;
    into->data[into->length] = '\0';
}

bool known_progress(struct known *known, const char *bytes, size_t length, int64_t now) {
    size_t head = sizeof known->progress;
    if (length < head) {
        return false;
    }
    memcpy(&known->progress, bytes, head);
    keep_words(known->what, bytes + head, length - head);
    int64_t *oldest = &known->passed[known->next];
    if (length == head || (*oldest != 0 && now - *oldest < SECOND_MS)) {
        return false;
    }
    *oldest = now;
    known->next = (known->next + 1) % KNOWN_PACE;
    return true;
}

void known_cell(struct known *known, const char *code, size_t length, int64_t now) {
    buf_clear(known->what);
    buf_clear(known->code);
    known->began = code ? now : 0;
    if (code) {
        size_t at = 0, end;
        while (at < length && strchr(" \t\r\n", code[at])) {
            at++;
        }
        for (end = at; end < length && code[end] != '\n' && code[end] != '\r'; end++) {
        }
        keep_words(known->code, code + at, end - at);
    }
}

/* ---- settings ---- */

void known_set(struct known *known, const char *name, const char *value) {
    const struct setting *setting = settings_find(name);
    int64_t index = setting - settings;
    if (index < WISHES) {
        struct wish *wish = &known->wishes[index];
        wish->name = setting->name;
        snprintf(wish->value, sizeof wish->value, "%s", value);
        wish->ticket = ++known->tickets;
    }
}

static void say_one(struct wish *wish, struct minder *minder) {
    char frame[sizeof wish->ticket + 32 + SETTINGS_VALUE];
    size_t n = strlen(wish->name) + 1, m = strlen(wish->value) + 1;
    memcpy(frame, &wish->ticket, sizeof wish->ticket);
    memcpy(frame + sizeof wish->ticket, wish->name, n);
    memcpy(frame + sizeof wish->ticket + n, wish->value, m);
    minder_send(minder, RELAY_SET, frame, sizeof wish->ticket + n + m);
    wish->said = wish->ticket;
}

int known_say(struct known *known, struct minder *minder, enum known_say which) {
    int count = 0;
    for (int i = 0; i < WISHES; i++) {
        struct wish *wish = &known->wishes[i];
        bool due = which == KNOWN_SAY_ALL    ? true
                   : which == KNOWN_SAY_LAST ? wish->said != wish->ticket
                                             : wish->said == 0;
        if (wish->name && due) {
            say_one(wish, minder);
            count++;
        }
    }
    return count;
}

void known_settled(struct known *known, const char *bytes, size_t length) {
    uint64_t ticket = 0;
    memcpy(&ticket, bytes, length < sizeof ticket ? 0 : sizeof ticket);
    for (int i = 0; i < WISHES; i++) {
        struct wish *wish = &known->wishes[i];
        if (wish->name && wish->said == ticket) {
            wish->said = 0;
            wish->name = wish->ticket == ticket ? NULL : wish->name;
        }
    }
}

static const char *wished(const struct known *known, const char *name) {
    for (int i = 0; i < WISHES; i++) {
        if (known->wishes[i].name && strcmp(known->wishes[i].name, name) == 0) {
            return known->wishes[i].value;
        }
    }
    return NULL;
}

/* ---- what front ends are told ---- */

static void write_value(struct arena *arena, struct jsonwrite *w, const json_t *value,
                        const char *otherwise) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text) {
        arena_defer(arena, free, text);
    }
    const char *written = text ? text : otherwise;
    json_raw(w, written, strlen(written));
}

static void write_settings(const struct known *known, struct jsonwrite *w) {
    const json_t *told = json_object_get(known->status, "settings");
    json_open(w, '{');
    for (int64_t i = 0; i < settings_count; i++) {
        const char *name = settings[i].name, *value = wished(known, name);
        value = value ? value : json_string_value(json_object_get(told, name));
        if (value) {
            json_pair(w, name, value);
        }
    }
    json_close(w, '}');
}

void known_write_progress(const struct known *known, struct jsonwrite *w) {
    const struct relay_progress *progress = &known->progress;
    json_pair(w, "what", known->what->data);
    json_key(w, "done");
    json_int(w, progress->done);
    json_key(w, "total");
    json_int(w, progress->total);
    json_key(w, "eta");
    if (progress->left >= 0) {
        json_double(w, progress->left);
    } else {
        json_null(w);
    }
}

static void write_running(const struct known *known, struct jsonwrite *w, int64_t now) {
    if (known->began == 0) {
        json_null(w);
        return;
    }
    json_open(w, '{');
    json_pair(w, "code", known->code->data);
    json_key(w, "seconds");
    json_double(w, (double)(now - known->began) / 1e3);
    json_key(w, "progress");
    if (known->what->length > 0) {
        json_open(w, '{');
        known_write_progress(known, w);
        json_close(w, '}');
    } else {
        json_null(w);
    }
    json_close(w, '}');
}

void known_write(const struct known *known, struct arena *arena, struct jsonwrite *w,
                 int64_t now) {
    json_key(w, "models");
    write_value(arena, w, json_object_get(known->status, "models"), "[]");
    json_key(w, "results");
    write_value(arena, w, json_object_get(known->status, "results"), "[]");
    json_key(w, "settings");
    write_settings(known, w);
    json_key(w, "running");
    write_running(known, w, now);
}

static int refuse_handle(const struct known *known, const char *handle, struct err *err) {
    enum { SHOWN = 64 };
    const char *names[SHOWN + 1] = { 0 }, *name;
    char shown[80];
    int count = 0;
    json_t *value;
    json_object_foreach(known->sites, name, value) {
        if (count < SHOWN) {
            names[count++] = name;
        }
    }
    const char *near = nearest_name(handle, names);
    err_quote(shown, sizeof shown, handle, strlen(handle));
    return near    ? err_set(err, ERR_MODEL, "no model is loaded as %s: did you mean %.80s?",
                             shown, near)
           : count ? err_set(err, ERR_MODEL, "no model is loaded as %s", shown)
                   : err_set(err, ERR_MODEL, "no model is loaded");
}

int known_write_sites(const struct known *known, struct arena *arena, struct jsonwrite *w,
                      const char *handle, struct err *err) {
    const json_t *sites = json_object_get(known->sites, handle);
    if (!json_is_array(sites)) {
        return refuse_handle(known, handle, err);
    }
    json_key(w, "sites");
    write_value(arena, w, sites, "[]");
    return 0;
}
