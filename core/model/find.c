#include "core/model/model.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/nearest.h"
#include "core/base/places.h"

enum { FOUND_MOST = 4096, SHOWN_MOST = 12, COMMIT_MOST = 200 };

/* The models seen so far. */
struct search {
    struct arena *arena;
    int64_t count;
    int64_t
        chosen; /* the first so many come from CUTAWAY_MODELS and hide others of their name */
    struct found *list; /* [FOUND_MOST] */
};

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static bool is_model_folder(struct arena *arena, const char *path) {
    return file_exists(file_join(arena, path, "model.safetensors")) ||
           file_exists(file_join(arena, path, "model.safetensors.index.json")) ||
           file_exists(file_join(arena, path, "pytorch_model.bin"));
}

/* The same file seen on two ways (a link, a folder listed twice) is one model, and what the
 * user chose by CUTAWAY_MODELS goes before what lies about elsewhere. */
static bool is_known(const struct search *search, const char *name, const char *path) {
    for (int64_t i = 0; i < search->count; i++) {
        if (strcmp(search->list[i].name, name) != 0) {
            continue;
        }
        if (i < search->chosen) {
            return true;
        }
        char *a = realpath(search->list[i].path, NULL), *b = realpath(path, NULL);
        bool same = a && b && strcmp(a, b) == 0;
        free(a);
        free(b);
        if (same) {
            return true;
        }
    }
    return false;
}

/* Names that a message could not show are left out. */
static void add(struct search *search, const char *name, const char *path, const char *where) {
    const char *shown = weights_name(search->arena, name, strlen(name));
    if (shown && search->count < FOUND_MOST && !is_known(search, name, path)) {
        search->list[search->count++] =
            (struct found){ shown, arena_copy(search->arena, path), where };
    }
}

/* One entry of a models folder: NAME/, NAME.gguf or NAME.safetensors. */
static void look_at(struct search *search, const char *folder, const char *entry) {
    const char *path = file_join(search->arena, folder, entry);
    if (entry[0] == '.') {
        return;
    }
    if (file_is_folder(path)) {
        if (is_model_folder(search->arena, path)) {
            add(search, entry, path, "models folder");
        }
        return;
    }
    if ((ends_with(entry, ".gguf") || ends_with(entry, ".safetensors")) && file_exists(path)) {
        size_t length = (size_t)(strrchr(entry, '.') - entry);
        add(search, arena_text(search->arena, entry, length), path, "models folder");
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The entries' names in alphabetical order, ended by NULL. */
static const char **entries(struct arena *arena, const char *folder) {
    const char **names = arena_array(arena, FOUND_MOST + 1, sizeof *names);
    size_t n = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && n < FOUND_MOST && (entry = readdir(dir))) {
        names[n++] = arena_copy(arena, entry->d_name);
    }
    if (dir) {
        closedir(dir);
    }
    qsort(names, n, sizeof *names, by_text);
    return names;
}

static void search_folder(struct search *search, const char *folder) {
    for (const char **names = entries(search->arena, folder); *names; names++) {
        look_at(search, folder, *names);
    }
}

/* ---- the hub's cache: models--ORG--NAME/{refs/main, snapshots/COMMIT/} ---- */

/* The commit that "main" is at; NULL if the cache does not say so. */
static const char *main_commit(struct arena *arena, const char *repo) {
    struct err err;
    const struct file *file = file_map(arena, file_join(arena, repo, "refs/main"), &err);
    if (!file || file->size > COMMIT_MOST) {
        return NULL;
    }
    char *commit = arena_text(arena, (const char *)file->bytes, (size_t)file->size);
    commit[strcspn(commit, " \r\n")] = '\0';
    return commit[0] && commit[0] != '.' && !strchr(commit, '/') ? commit : NULL;
}

/* The only .gguf file of a folder, NULL if there is none or several. */
static const char *only_gguf(struct arena *arena, const char *folder) {
    const char *only = NULL;
    for (const char **names = entries(arena, folder); *names; names++) {
        if (ends_with(*names, ".gguf")) {
            if (only) {
                return NULL;
            }
            only = file_join(arena, folder, *names);
        }
    }
    return only;
}

static void look_at_repo(struct search *search, const char *cache, const char *entry) {
    struct arena *arena = search->arena;
    const char *repo = file_join(arena, cache, entry), *commit = main_commit(arena, repo);
    if (!commit) {
        return;
    }
    char *name = arena_copy(arena, entry + strlen("models--"));
    char *mark = strstr(name, "--");
    if (mark) { /* ORG--NAME; neither part may hold "--" */
        *mark = '/';
        memmove(mark + 1, mark + 2, strlen(mark + 2) + 1);
    }
    const char *snapshot = arena_printf(arena, "%s/snapshots/%s", repo, commit);
    const char *gguf = only_gguf(arena, snapshot);
    if (is_model_folder(arena, snapshot)) {
        add(search, name, snapshot, "hub cache");
    } else if (gguf) {
        add(search, name, gguf, "hub cache");
    }
}

static void search_cache(struct search *search, const char *cache) {
    for (const char **names = entries(search->arena, cache); *names; names++) {
        if (strncmp(*names, "models--", 8) == 0) {
            look_at_repo(search, cache, *names);
        }
    }
}

/* ---- all places ---- */

struct found *find_models(struct arena *arena, int64_t *count) {
    struct search search = { .arena = arena };
    search.list = arena_array(arena, FOUND_MOST, sizeof *search.list);
    for (const struct place *place = places_models(arena); place->path; place++) {
        if (place->kind == PLACE_HUB) {
            search_cache(&search, place->path);
            continue;
        }
        search_folder(&search, place->path);
        if (place->kind == PLACE_CHOSEN) {
            search.chosen = search.count;
        }
    }
    *count = search.count;
    return search.list;
}

/* ---- one by name ---- */

static const char *not_found(struct arena *arena, const char *name, const struct found *found,
                             int64_t count, struct err *err) {
    const char **names = arena_array(arena, count + 1, sizeof *names);
    struct buf *list = buf_new(arena);
    char shown[120];
    for (int64_t i = 0; i < count; i++) {
        names[i] = found[i].name;
        if (i < SHOWN_MOST) {
            buf_printf(list, "%s%s", i ? ", " : "", found[i].name);
        }
    }
    const char *near = nearest_name(name, names);
    err_quote(shown, sizeof shown, name, strlen(name));
    if (count == 0) {
        err_set(
            err, ERR_MODEL,
            "there is no file, folder or model called %s, and no models folder holds any; give "
            "a path, or put the folder that holds your models into CUTAWAY_MODELS",
            shown);
        err_zh(
            err,
            "没有叫 %s 的文件、文件夹或模型，模型文件夹里也什么都没有；请给出路径，或把存放模型"
            "的文件夹写进 CUTAWAY_MODELS",
            shown);
    } else {
        err_set(err, ERR_MODEL,
                "there is no file, folder or model called %s (there are: %s%s)%s%s%s", shown,
                list->data, count > SHOWN_MOST ? " ..." : "", near ? ": did you mean " : "",
                near ? near : "", near ? "?" : "");
        err_zh(err, "没有叫 %s 的文件、文件夹或模型（有：%s%s）%s%s%s", shown, list->data,
               count > SHOWN_MOST ? " ……" : "", near ? "：是不是 " : "", near ? near : "",
               near ? "？" : "");
    }
    return NULL;
}

const char *find_model(struct arena *arena, const char *name_or_path, struct err *err) {
    const char *path = places_expand(arena, name_or_path);
    if (file_exists(path) || file_is_folder(path)) {
        return path;
    }
    if (access(path, F_OK) == 0) {
        char shown[300];
        err_set(err, ERR_MODEL, "%s is a device or pipe, and a model is a file or a folder",
                err_quote(shown, sizeof shown, path, strlen(path)));
        return NULL;
    }
    int64_t count;
    const struct found *found = find_models(arena, &count), *hit = NULL;
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(found[i].name, name_or_path) != 0) {
            continue;
        }
        if (hit) {
            err_set(err, ERR_MODEL, "two models are called %s: %s and %s; give the path of one",
                    found[i].name, hit->path, found[i].path);
            return NULL;
        }
        hit = &found[i];
    }
    return hit ? hit->path : not_found(arena, name_or_path, found, count, err);
}
