#include "kernel/session/loaded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/guard.h"
#include "core/base/nearest.h"

static int64_t index_of(const struct models *models, const char *handle) {
    for (int64_t i = 0; i < models->count; i++) {
        if (strcmp(models->list[i].handle, handle) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *quoted(char out[100], const char *text) {
    return err_quote(out, 100, text, strlen(text));
}

/* "minilm, smollm2" into out. */
static void list_handles(const struct models *models, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (int64_t i = 0; i < models->count && used < size - 64; i++) {
        const char *handle = models->list[i].handle;
        char one[60];
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                                 err_quote(one, sizeof one, handle, strlen(handle)));
    }
}

static int refuse_unknown(const struct models *models, const char *handle, struct err *err) {
    char name[100], listed[300];
    const char *names[65] = { 0 };
    if (models->count == 0) {
        err_set(err, ERR_MODEL,
                "no model is loaded: %%model list shows those there are, %%model load NAME "
                "loads one");
        return err_zh(err,
                      "还没有载入模型：%%model list 列出有哪些，%%model load 名字 载入一个");
    }
    for (int64_t i = 0; i < models->count && i < 64; i++) {
        names[i] = models->list[i].handle;
    }
    const char *near = nearest_name(handle, names);
    list_handles(models, listed, sizeof listed);
    quoted(name, handle);
    if (near) {
        err_set(err, ERR_MODEL, "no model is loaded as %s (loaded: %s): did you mean %s?", name,
                listed, near);
        return err_zh(err, "没有载入名为 %s 的模型（已载入：%s）：是不是 %s？", name, listed,
                      near);
    }
    err_set(
        err, ERR_MODEL,
        "no model is loaded as %s: loaded are %s; %%model load %s looks for one of that name",
        name, listed, name);
    return err_zh(err, "没有载入名为 %s 的模型：已载入 %s；%%model load %s 会找这个名字的模型",
                  name, listed, name);
}

const struct loaded *loaded_find(struct models *models, const char *handle, struct err *err) {
    int64_t index = handle && handle[0] ? index_of(models, handle) : models->in_use;
    if (index < 0) {
        refuse_unknown(models, handle ? handle : "", err);
        return NULL;
    }
    return &models->list[index];
}

/* The last part of a path without a model file's ending. */
static const char *default_handle(struct arena *arena, const char *path) {
    char *name = arena_copy(arena, path);
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/') {
        name[--length] = '\0';
    }
    name = arena_copy(arena, file_name(name));
    length = strlen(name);
    static const char *const endings[] = { ".gguf", ".safetensors" };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (length > n && strcmp(name + length - n, endings[i]) == 0) {
            name[length - n] = '\0';
            break;
        }
    }
    for (char *at = name; *at; at++) {
        if (*at == ',' || *at == ' ' || (unsigned char)*at < 0x20) {
            *at = '-';
        }
    }
    return name;
}

int loaded_check(const struct models *models, const char *handle, struct err *err) {
    char name[100];
    quoted(name, handle);
    if (handle[0] == '\0' || strpbrk(handle, ", \t\n\r") || handle[0] == '-') {
        return err_set(
            err, ERR_OPTION,
            "a model cannot be called \"%s\": a handle has no blanks or commas and does "
            "not begin with -",
            name);
    }
    int64_t taken = index_of(models, handle);
    if (taken >= 0) {
        char path[100];
        return err_set(
            err, ERR_OPTION,
            "the name %s is taken by the model of %s: add --as OTHER to load this one "
            "under another name, or %%model unload %s first",
            name, quoted(path, models->list[taken].path), name);
    }
    return 0;
}

static void append(struct models *models, struct loaded one) {
    if (models->count == models->room) {
        models->room = models->room ? models->room * 2 : 4;
        models->list = realloc(models->list, (size_t)models->room * sizeof *models->list);
        if (!models->list) {
            abort();
        }
    }
    models->changes++;
    models->list[models->count] = one;
    models->in_use = models->count++;
}

const struct loaded *loaded_add(struct models *models, struct arena *scratch,
                                const char *name_or_path, const char *handle, struct err *err) {
    const char *path = find_model(scratch, name_or_path, err);
    if (!path) {
        err_pass(err);
        return NULL;
    }
    handle = handle ? handle : default_handle(scratch, name_or_path);
    if (loaded_check(models, handle, err) < 0) {
        return NULL;
    }
    struct arena **arena = guard_arena(scratch);
    const struct model *model = model_open(*arena, path, err);
    if (!model) {
        err_pass(err);
        return NULL;
    }
    char *full = realpath(path, NULL);
    struct loaded one = { .handle = arena_copy(*arena, handle),
                          .model = model,
                          .arena = *arena,
                          .path = arena_copy(*arena, full ? full : path) };
    free(full);
    append(models, one);
    *arena = NULL; /* it is the session's now */
    return &models->list[models->in_use];
}

int loaded_remove(struct models *models, const char *handle, struct err *err) {
    const struct loaded *one = loaded_find(models, handle, err);
    if (!one) {
        return err_pass(err);
    }
    int64_t index = one - models->list;
    arena_free(one->arena);
    models->changes++;
    models->count--;
    memmove(models->list + index, models->list + index + 1,
            (size_t)(models->count - index) * sizeof *models->list);
    if (models->in_use == index) {
        models->in_use = models->count - 1; /* the last one loaded of those that stay */
    } else if (models->in_use > index) {
        models->in_use--;
    }
    return 0;
}

int loaded_use(struct models *models, const char *handle, struct err *err) {
    const struct loaded *one = loaded_find(models, handle, err);
    if (!one) {
        return err_pass(err);
    }
    models->in_use = one - models->list;
    return 0;
}

void loaded_free(struct models *models) {
    for (int64_t i = 0; i < models->count; i++) {
        arena_free(models->list[i].arena);
    }
    free(models->list);
}
