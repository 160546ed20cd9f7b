#include "kernel/session/datasets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/guard.h"
#include "core/base/nearest.h"
#include "core/base/places.h"

enum { NAMED = 64 };

static struct dataset_kept *place_of(const struct datasets *datasets, const char *name) {
    for (int64_t i = 0; i < datasets->count; i++) {
        if (strcmp(datasets->list[i].name, name) == 0) {
            return &datasets->list[i];
        }
    }
    return NULL;
}

static int refuse_unknown(const struct datasets *datasets, const char *name, struct err *err) {
    char shown[100], listed[300] = "";
    const char *names[NAMED + 1] = { 0 };
    size_t used = 0;
    err_quote(shown, sizeof shown, name, strlen(name));
    if (datasets->count == 0) {
        return err_set(err, ERR_RESULT,
                       "there is no data called %s: none is there yet; %%data %s FILE gives a "
                       "file that name",
                       shown, shown);
    }
    for (int64_t i = 0; i < datasets->count && i < NAMED; i++) {
        char one[60];
        names[i] = datasets->list[i].name;
        err_quote(one, sizeof one, names[i], strlen(names[i]));
        if (used + strlen(one) + 3 < sizeof listed) {
            used += (size_t)sprintf(listed + used, "%s%s", used ? ", " : "", one);
        }
    }
    const char *near = nearest_name(name, names);
    return near ? err_set(err, ERR_RESULT,
                          "there is no data called %s (there is: %s): did you mean %s?", shown,
                          listed, near)
                : err_set(err, ERR_RESULT, "there is no data called %s: there is %s", shown,
                          listed);
}

const struct dataset_kept *datasets_find(const struct datasets *datasets, const char *name,
                                         struct err *err) {
    const struct dataset_kept *one = place_of(datasets, name);
    if (!one) {
        refuse_unknown(datasets, name, err);
    }
    return one;
}

int datasets_check_name(const char *name, struct err *err) {
    static const char *const taken[] = { "list", "info", "drop" };
    char shown[80];
    bool bad = !*name || *name == '-' || strpbrk(name, ", \t\r\n");
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        bad = bad || strcmp(name, taken[i]) == 0;
    }
    return bad ? err_set(err, ERR_OPTION,
                         "data cannot be called \"%s\": a name has no blanks or commas, does "
                         "not begin with -, and list, info and drop are %%data's own words",
                         err_quote(shown, sizeof shown, name, strlen(name)))
               : 0;
}

/* The path with ~/ spelled out and, where it exists, in full. */
static const char *full_path(struct arena *arena, const char *path) {
    path = places_expand(arena, path);
    char *full = realpath(path, NULL);
    path = arena_copy(arena, full ? full : path);
    free(full);
    return path;
}

static void append(struct datasets *datasets, struct dataset_kept one) {
    if (datasets->count == datasets->room) {
        datasets->room = datasets->room ? datasets->room * 2 : 4;
        datasets->list =
            realloc(datasets->list, (size_t)datasets->room * sizeof *datasets->list);
        if (!datasets->list) {
            abort();
        }
    }
    datasets->list[datasets->count++] = one;
}

const struct dataset_kept *datasets_add(struct datasets *datasets, struct arena *scratch,
                                        const char *name, const char *path, const char *column,
                                        int64_t most, struct err *err) {
    if (datasets_check_name(name, err) < 0) {
        return NULL;
    }
    struct arena **arena = guard_arena(scratch);
    struct dataset_kept one = { .name = arena_copy(*arena, name),
                                .path = full_path(*arena, path),
                                .column = column ? arena_copy(*arena, column) : NULL,
                                .most = most };
    one.dataset = dataset_open(*arena, one.path, one.column, most, err);
    if (!one.dataset) {
        err_pass(err);
        return NULL;
    }
    one.arena = *arena;
    struct dataset_kept *place = place_of(datasets, name);
    if (place) {
        arena_free(place->arena);
        *place = one;
    } else {
        append(datasets, one);
    }
    *arena = NULL; /* it is the session's now */
    return place_of(datasets, name);
}

int datasets_drop(struct datasets *datasets, const char *name, struct err *err) {
    struct dataset_kept *one = place_of(datasets, name);
    if (!one) {
        return refuse_unknown(datasets, name, err);
    }
    arena_free(one->arena);
    datasets->count--;
    memmove(one, one + 1, (size_t)(datasets->list + datasets->count - one) * sizeof *one);
    return 0;
}

void datasets_free(struct datasets *datasets) {
    for (int64_t i = 0; i < datasets->count; i++) {
        arena_free(datasets->list[i].arena);
    }
    free(datasets->list);
}
