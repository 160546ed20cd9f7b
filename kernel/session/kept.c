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
    uint64_t serial;
    int64_t bytes; /* that a process that died said it held, and shows on; 0: its arena's */
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

static struct hold *hold_new(const struct kept *kept, struct arena *arena,
                             const struct result *result) {
    struct hold *hold = arena_alloc(arena, sizeof *hold);
    *hold = (struct hold){ .arena = arena,
                           .result = result,
                           .id = kept->remembers ? result_id(arena, result) : "" };
    return hold;
}

void kept_settle(struct kept *kept) {
    trim(kept, kept->remembers ? KEPT_UNNAMED : 0, kept->room);
}

void kept_adopt(struct kept *kept, struct arena *arena, const char *name, const char *other,
                const struct result *result) {
    struct hold *hold = hold_new(kept, arena, result);
    const char *names[2] = { name ? arena_copy(arena, name) : NULL,
                             other ? arena_copy(arena, other) : NULL };
    hold->serial = ++kept->serial; /* from here on nothing can fail */
    hold->older = kept->newest;
    kept->newest = hold;
    for (int i = 0; i < 2; i++) {
        if (names[i]) {
            put(kept, hold, names[i]);
        }
    }
    kept_settle(kept);
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
        err_set(err, ERR_RESULT,
                "there is no result %s: none is kept yet; a command with --as %s keeps its "
                "result",
                shown, shown);
        return err_zh(err, "没有结果 %s：还没有保留任何结果；命令加上 --as %s 就会保留", shown,
                      shown);
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
    err_set(err, ERR_RESULT,
            near ? "there is no result %s (kept: %s): did you mean %s?"
                 : "there is no result %s: kept are %s%.0s",
            shown, listed, near ? near : "");
    return err_zh(
        err, near ? "没有结果 %s（保留着：%s）：是不是 %s？" : "没有结果 %s：保留着的有 %s%.0s",
        shown, listed, near ? near : "");
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

static int64_t hold_bytes(const struct hold *hold) {
    return hold->bytes ? hold->bytes : arena_size(hold->arena);
}

int64_t kept_bytes(const struct kept *kept, int64_t index) {
    return hold_bytes(kept->list[index].hold);
}

uint64_t kept_serial(const struct kept *kept, int64_t index) {
    return kept->list[index].hold->serial;
}

/* What "_" names, which the next cell gives to another; NULL: nothing. */
static const struct hold *last_shown(const struct kept *kept) {
    for (int64_t i = 0; i < kept->count; i++) {
        if (strcmp(kept->list[i].name, "_") == 0) {
            return kept->list[i].hold;
        }
    }
    return NULL;
}

struct journal_item *kept_items(const struct kept *kept, struct arena *arena, int64_t *count) {
    int64_t n = 0;
    const struct hold *last = last_shown(kept);
    for (const struct hold *hold = kept->newest; hold; hold = hold->older) {
        n++;
    }
    struct journal_item *items = arena_array(arena, n, sizeof *items);
    *count = 0;
    for (const struct hold *hold = kept->newest; hold && *count < n; hold = hold->older) {
        items[(*count)++] = (struct journal_item){ .serial = hold->serial,
                                                   .result = hold->result,
                                                   .weight = hold_bytes(hold),
                                                   .named = hold->names > (hold == last) };
    }
    return items;
}

void kept_put_back(struct kept *kept, struct arena *arena, const char *name,
                   const struct result *result, uint64_t serial, int64_t bytes) {
    struct hold *hold = hold_new(kept, arena, result);
    const char *copy = name ? arena_copy(arena, name) : NULL;
    struct hold **at = &kept->newest;
    while (*at && (*at)->serial > serial) {
        at = &(*at)->older;
    }
    hold->serial = serial;
    hold->bytes = bytes;
    hold->older = *at; /* from here on nothing can fail */
    *at = hold;
    kept->serial = kept->serial > serial ? kept->serial : serial;
    if (copy) {
        put(kept, hold, copy);
    }
}

static struct hold *hold_at(const struct kept *kept, uint64_t serial) {
    struct hold *hold = kept->newest;
    while (hold && hold->serial != serial) {
        hold = hold->older;
    }
    return hold;
}

bool kept_holds(const struct kept *kept, uint64_t serial) {
    return hold_at(kept, serial) != NULL;
}

bool kept_name_again(struct kept *kept, const char *name, uint64_t serial) {
    struct hold *hold = hold_at(kept, serial);
    if (hold) {
        put(kept, hold, arena_copy(hold->arena, name));
    }
    return hold != NULL;
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
