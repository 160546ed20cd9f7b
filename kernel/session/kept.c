#include "kernel/session/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/guard.h"
#include "core/base/nearest.h"
#include "core/result/result_id.h"

/* A result, and how many names hold it. It lies in its own arena. */
struct hold {
    struct arena *arena;
    const struct result *result;
    const char *id; /* result_id; "" where nobody will ask */
    int64_t names;
    struct hold *older;
};

struct kept_one {
    struct hold *hold;
    const char *name;
};

static struct kept_one *place_of(struct kept *kept, const char *name) {
    for (int64_t i = 0; i < kept->count; i++) {
        if (strcmp(kept->list[i].name, name) == 0) {
            return &kept->list[i];
        }
    }
    if (kept->count == kept->places) {
        kept->places = kept->places ? kept->places * 2 : 8;
        kept->list = realloc(kept->list, (size_t)kept->places * sizeof *kept->list);
        if (!kept->list) {
            abort();
        }
    }
    kept->list[kept->count] = (struct kept_one){ 0 };
    return &kept->list[kept->count];
}

/* Frees of those without a name what is not among the `most` newest, has no room, or is the
 * same as the newest result. */
static void trim(struct kept *kept, int64_t most, int64_t room) {
    struct hold **at = &kept->newest;
    int64_t unnamed = 0, bytes = 0;
    while (*at) {
        struct hold *hold = *at;
        bool named = hold->names > 0;
        bool twin = hold != kept->newest && strcmp(hold->id, kept->newest->id) == 0;
        int64_t size = named ? 0 : arena_size(hold->arena);
        if (named || (!twin && unnamed < most && size <= room - bytes)) {
            unnamed += !named;
            bytes += size;
            at = &hold->older;
        } else {
            *at = hold->older;
            arena_free(hold->arena);
        }
    }
}

/* `name` lies in the hold's arena. */
static void put(struct kept *kept, struct hold *hold, const char *name) {
    struct kept_one *place = place_of(kept, name);
    hold->names++;
    if (place->hold) {
        place->hold->names--;
    } else {
        kept->count++;
    }
    *place = (struct kept_one){ hold, name };
}

void kept_adopt(struct kept *kept, struct arena *arena, const char *name, const char *other,
                const struct result *result) {
    struct hold *hold = arena_alloc(arena, sizeof *hold);
    const char *names[2] = { name ? arena_copy(arena, name) : NULL,
                             other ? arena_copy(arena, other) : NULL };
    *hold = (struct hold){ .arena = arena,
                           .result = result,
                           .id = kept->remembers ? result_id(arena, result) : "" };
    hold->older = kept->newest; /* from here on nothing can fail */
    kept->newest = hold;
    for (int i = 0; i < 2; i++) {
        if (names[i]) {
            put(kept, hold, names[i]);
        }
    }
    trim(kept, kept->remembers ? KEPT_UNNAMED : 0, kept->room);
}

void kept_set(struct kept *kept, struct arena *scratch, const char *name,
              const struct result *result) {
    if (!name && !kept->remembers) {
        return;
    }
    struct arena **arena = guard_arena(scratch);
    const struct result *copy = result_copy(*arena, result);
    kept_adopt(kept, *arena, name, NULL, copy);
    *arena = NULL; /* it is the session's now */
}

static int refuse_unknown(const struct kept *kept, const char *name, struct err *err) {
    char shown[100], listed[300] = "";
    const char *names[65] = { 0 };
    size_t used = 0;
    err_quote(shown, sizeof shown, name, strlen(name));
    if (kept->count == 0) {
        return err_set(
            err, ERR_RESULT,
            "there is no result %s: none is kept yet; a command with --as %s keeps its "
            "result",
            shown, shown);
    }
    for (int64_t i = 0; i < kept->count && i < 64; i++) {
        char one[60];
        names[i] = kept->list[i].name;
        err_quote(one, sizeof one, names[i], strlen(names[i]));
        if (used + strlen(one) + 3 < sizeof listed) {
            used += (size_t)sprintf(listed + used, "%s%s", used ? ", " : "", one);
        }
    }
    const char *near = nearest_name(name, names);
    return near ? err_set(err, ERR_RESULT, "there is no result %s (kept: %s): did you mean %s?",
                          shown, listed, near)
                : err_set(err, ERR_RESULT, "there is no result %s: kept are %s", shown, listed);
}

const struct result *kept_find(const struct kept *kept, const char *name, struct err *err) {
    for (int64_t i = 0; i < kept->count; i++) {
        if (strcmp(kept->list[i].name, name) == 0) {
            return kept->list[i].hold->result;
        }
    }
    refuse_unknown(kept, name, err);
    return NULL;
}

const char *kept_name(const struct kept *kept, int64_t index) {
    return kept->list[index].name;
}

int64_t kept_bytes(const struct kept *kept, int64_t index) {
    return arena_size(kept->list[index].hold->arena);
}

const struct result *kept_by_id(const struct kept *kept, const char *id) {
    for (struct hold *hold = kept->newest; hold; hold = hold->older) {
        if (strcmp(hold->id, id) == 0) {
            return hold->result;
        }
    }
    return NULL;
}

void kept_forget(struct kept *kept) {
    trim(kept, 0, 0);
}

void kept_free(struct kept *kept) {
    for (int64_t i = 0; i < kept->count; i++) {
        kept->list[i].hold->names--;
    }
    kept_forget(kept);
    free(kept->list);
}
