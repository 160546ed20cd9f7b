#include "kernel/session/overview.h"

#include <string.h>

#include "core/base/file.h"
#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "core/explain/site_info.h"

enum { TEXT_MOST = 300 }; /* bytes of a text that is shown in a line */

/* A name whole; a text cut between characters. */
static void pair_cut(struct jsonwrite *w, const char *key, const char *text) {
    size_t length = strlen(text);
    json_key(w, key);
    json_bytes(w, text, length > TEXT_MOST ? utf8_cut(text, TEXT_MOST) : length);
}

static void pair_int(struct jsonwrite *w, const char *key, int64_t value) {
    json_key(w, key);
    json_int(w, value);
}

static void write_maps(struct jsonwrite *w, const struct weights *weights) {
    json_key(w, "maps");
    json_open(w, '[');
    for (int64_t i = 0; i < weights->files; i++) {
        json_open(w, '[');
        json_int(w, (int64_t)(uintptr_t)weights->maps[i].bytes);
        json_int(w, (int64_t)weights->maps[i].length);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void write_models(struct jsonwrite *w, struct session *session, struct arena *arena) {
    int64_t count, in_use;
    const struct loaded *list = session_models(session, &count, &in_use);
    json_open(w, '[');
    for (int64_t i = 0; i < count; i++) {
        const struct model *model = list[i].model;
        json_open(w, '{');
        json_pair(w, "handle", list[i].handle);
        pair_cut(w, "name", file_name(list[i].path));
        json_pair(w, "arch", model->arch->name);
        json_pair(w, "dtype", model->dtype);
        pair_int(w, "parameters", model->parameters);
        json_pair(w, "path", file_shown(arena, list[i].path));
        pair_int(w, "mapped", model->weights->file_bytes);
        write_maps(w, model->weights);
        json_key(w, "inUse");
        json_bool(w, i == in_use);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_results(struct jsonwrite *w, struct session *session, struct arena *arena) {
    struct err err;
    int64_t count;
    const char *const *names = session_results(session, arena, &count);
    json_open(w, '[');
    for (int64_t i = count > OVERVIEW_RESULTS ? count - OVERVIEW_RESULTS : 0; i < count; i++) {
        const struct result *result = session_result(session, names[i], &err);
        json_open(w, '{');
        json_pair(w, "name", names[i]);
        json_pair(w, "kind", result->kind);
        pair_cut(w, "title", result->title);
        pair_int(w, "bytes", session_result_bytes(session, i));
        json_close(w, '}');
    }
    json_close(w, ']');
}

const char *overview_state(struct session *session, struct arena *arena) {
    struct jsonwrite w = { .out = buf_new(arena) };
    const char *name;
    json_open(&w, '{');
    json_key(&w, "models");
    write_models(&w, session, arena);
    json_key(&w, "results");
    write_results(&w, session, arena);
    json_key(&w, "settings");
    json_open(&w, '{');
    for (int64_t i = 0; (name = session_setting_name(i)) != NULL; i++) {
        json_pair(&w, name, session_setting(session, name));
    }
    json_close(&w, '}');
    json_close(&w, '}');
    return w.out->data;
}

static void write_site(struct jsonwrite *w, const struct site_place *place) {
    json_open(w, '{');
    json_pair(w, "name", place->name);
    json_pair(w, "site", place->site);
    json_key(w, "layer");
    if (place->layer < 0) {
        json_null(w);
    } else {
        json_int(w, place->layer);
    }
    json_pair(w, "shape", place->shape);
    json_close(w, '}');
}

const char *overview_sites(struct session *session, struct arena *arena) {
    struct jsonwrite w = { .out = buf_new(arena) };
    int64_t count, in_use, n;
    const struct loaded *list = session_models(session, &count, &in_use);
    json_open(&w, '{');
    for (int64_t i = 0; i < count; i++) {
        const struct site_place *places = site_places(arena, list[i].model, &n);
        json_key(&w, list[i].handle);
        json_open(&w, '[');
        for (int64_t k = 0; k < n; k++) {
            write_site(&w, &places[k]);
        }
        json_close(&w, ']');
    }
    json_close(&w, '}');
    return w.out->data;
}
