#include "kernel/session/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/guard.h"
#include "core/base/nearest.h"

/* An arena and how many names hold it. It lies in that arena. */
struct hold {
    struct arena *arena;
    int64_t names;
};

struct kept_one {
    struct hold *hold;
    const char *name;
    const struct result *result;
};

static struct kept_one *place_of(struct kept *kept, const char *name) {
    for (int64_t i = 0; i < kept->count; i++) {
        if (strcmp(kept->list[i].name, name) == 0) {
            return &kept->list[i];
        }
    }
    if (kept->count == kept->room) {
        kept->room = kept->room ? kept->room * 2 : 8;
        kept->list = realloc(kept->list, (size_t)kept->room * sizeof *kept->list);
        if (!kept->list) {
            abort();
        }
    }
    kept->list[kept->count] = (struct kept_one){ 0 };
    return &kept->list[kept->count];
}

static void let_go(struct hold *hold) {
    if (--hold->names == 0) {
        arena_free(hold->arena);
    }
}

static void put(struct kept *kept, struct hold *hold, const char *name,
                const struct result *result) {
    struct kept_one one = { hold, arena_copy(hold->arena, name), result };
    struct kept_one *place = place_of(kept, name);
    hold->names++;
    if (place->hold) {
        let_go(place->hold);
    } else {
        kept->count++;
    }
    *place = one;
}

void kept_adopt(struct kept *kept, struct arena *arena, const char *name, const char *other,
                const struct result *result) {
    struct hold *hold = arena_alloc(arena, sizeof *hold);
    hold->arena = arena;
    if (name) {
        put(kept, hold, name, result);
    }
    if (other) {
        put(kept, hold, other, result);
    }
}

void kept_set(struct kept *kept, struct arena *scratch, const char *name,
              const struct result *result) {
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
            return kept->list[i].result;
        }
    }
    refuse_unknown(kept, name, err);
    return NULL;
}

const char *kept_name(const struct kept *kept, int64_t index) {
    return kept->list[index].name;
}

void kept_free(struct kept *kept) {
    for (int64_t i = 0; i < kept->count; i++) {
        let_go(kept->list[i].hold);
    }
    free(kept->list);
}
