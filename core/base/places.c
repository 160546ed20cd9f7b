#include "core/base/places.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

const char *places_expand(struct arena *arena, const char *path) {
    const char *home = variable("HOME");
    return path[0] == '~' && path[1] == '/' && home ? file_join(arena, home, path + 2) : path;
}

const char *places_program(struct arena *arena) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    return slash ? arena_text(arena, path, (size_t)(slash - path)) : NULL;
}

const char *places_made(struct arena *arena) {
    const char *cache = variable("XDG_CACHE_HOME"), *home = variable("HOME");
    if (cache && cache[0] == '/') { /* the standard ignores others */
        return file_join(arena, cache, "cutaway/models");
    }
    return home ? file_join(arena, home, ".cache/cutaway/models") : NULL;
}

static const char *hub_cache(struct arena *arena) {
    const char *cache = variable("HF_HUB_CACHE"), *home = variable("HF_HOME");
    const char *old = variable("HUGGINGFACE_HUB_CACHE"), *xdg = variable("XDG_CACHE_HOME");
    if (cache || old) {
        return cache ? cache : old;
    }
    if (home) {
        return file_join(arena, home, "hub");
    }
    if (xdg) {
        return file_join(arena, xdg, "huggingface/hub");
    }
    return variable("HOME") ? file_join(arena, getenv("HOME"), ".cache/huggingface/hub") : NULL;
}

/* The parts of "a:b:c"; returns how many. */
static int64_t add_listed(struct arena *arena, struct place *places, const char *folders) {
    int64_t n = 0;
    while (folders && *folders) {
        size_t length = strcspn(folders, ":");
        if (length > 0) {
            places[n++] = (struct place){ arena_text(arena, folders, length), PLACE_CHOSEN };
        }
        folders += length + (folders[length] == ':');
    }
    return n;
}

const struct place *places_models(struct arena *arena) {
    const char *chosen = variable("CUTAWAY_MODELS"), *data = variable("XDG_DATA_HOME");
    const char *beside = places_program(arena), *hub = hub_cache(arena);
    struct place *places =
        arena_array(arena, (int64_t)(chosen ? strlen(chosen) : 0) + 5, sizeof *places);
    int64_t n = add_listed(arena, places, chosen);
    if (beside) {
        places[n++] = (struct place){ file_join(arena, beside, "models"), PLACE_USUAL };
    }
    if (data || variable("HOME")) {
        data = data ? data : file_join(arena, getenv("HOME"), ".local/share");
        places[n++] = (struct place){ file_join(arena, data, "cutaway/models"), PLACE_USUAL };
    }
    places[n++] = (struct place){ CUTAWAY_DATADIR "/cutaway/models", PLACE_USUAL };
    if (hub) {
        places[n++] = (struct place){ hub, PLACE_HUB };
    }
    return places;
}
