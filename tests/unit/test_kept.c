/* kept: how long a result stays without a name, and what makes way when memory is short. */
#include "kernel/session/kept.h"

#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/result/result_id.h"
#include "tests/check.h"

static void free_all(void *what) {
    kept_free(what);
}

static struct kept *kept_here(bool remembers, int64_t room) {
    struct kept *kept = arena_alloc(check_arena(), sizeof *kept);
    *kept = (struct kept){ .remembers = remembers, .room = room };
    arena_defer(check_arena(), free_all, kept);
    return kept;
}

/* A result of that title and `n` numbers, in an arena of its own. */
static struct result *made(struct arena *arena, const char *title, int64_t n) {
    struct result *result = result_new(arena, "table", 1);
    result->title = arena_copy(arena, title);
    result->series[0] = (struct series){ .name = "x",
                                         .unit = "",
                                         .values = tensor_new(arena, 1, &n),
                                         .axes = { { "row", n, NULL } } };
    return result;
}

/* Adopts one; returns its id. */
static const char *adopt(struct kept *kept, const char *title, int64_t n, const char *name) {
    struct arena *arena = arena_new();
    const struct result *result = made(arena, title, n);
    const char *id = result_id(check_arena(), result);
    kept_adopt(kept, arena, name, NULL, result);
    return id;
}

TEST(kept_without_a_name_is_freed_where_nobody_asks) {
    struct kept *kept = kept_here(false, 1 << 30);
    int64_t before = arena_held();
    const char *id = adopt(kept, "a", 100000, NULL);
    kept_set(kept, check_arena(), NULL, made(check_arena(), "b", 1));
    check(!kept_by_id(kept, id));
    check(arena_held() - before < 100000);
}

TEST(kept_remembers_so_many_and_no_more) {
    struct kept *kept = kept_here(true, 1 << 30);
    const char *ids[KEPT_UNNAMED + 3];
    const char *named = adopt(kept, "named", 10, "n");
    for (int i = 0; i < KEPT_UNNAMED + 3; i++) {
        char title[20];
        snprintf(title, sizeof title, "number %d", i);
        ids[i] = adopt(kept, title, 10, NULL);
    }
    for (int i = 0; i < KEPT_UNNAMED + 3; i++) {
        check((kept_by_id(kept, ids[i]) != NULL) == (i >= 3)); /* the oldest go first */
    }
    check_same(kept_by_id(kept, named)->title, "named");
    check_same(kept_by_id(kept, ids[5])->title, "number 5");
}

TEST(kept_stays_within_its_room) {
    enum { NUMBERS = 1 << 18 }; /* a megabyte each */
    struct kept *kept = kept_here(true, 5 << 20);
    int64_t before = arena_held();
    const char *first = adopt(kept, "first", NUMBERS, NULL), *last = NULL;
    const char *large = adopt(kept, "large", 8 * NUMBERS, "large");
    for (int i = 0; i < 20; i++) {
        last = adopt(kept, (char[]){ (char)('a' + i), '\0' }, NUMBERS, NULL);
        check(arena_held() - before < (17 << 20));
    }
    check(!kept_by_id(kept, first) && kept_by_id(kept, last) && kept_by_id(kept, large));
    adopt(kept, "another", 1, "large"); /* 8 MB lose their name: they do not fit */
    check(!kept_by_id(kept, large));
    check(arena_held() - before < (6 << 20));
    check(!kept_by_id(kept, adopt(kept, "too large", 8 * NUMBERS, NULL)));
}

TEST(kept_throws_out_what_does_not_fit_and_nothing_else) {
    enum { NUMBERS = 1 << 18 };
    struct kept *kept = kept_here(true, 5 << 20);
    const char *older = adopt(kept, "older", NUMBERS, NULL);
    const char *large = adopt(kept, "too large", 8 * NUMBERS, NULL);
    const char *newer = adopt(kept, "newer", NUMBERS, NULL);
    check(kept_by_id(kept, older) && !kept_by_id(kept, large) && kept_by_id(kept, newer));
}

TEST(kept_holds_the_same_result_once) {
    enum { NUMBERS = 1 << 18 };
    struct kept *kept = kept_here(true, 1 << 30);
    int64_t before = arena_held();
    for (int i = 0; i < 10; i++) {
        check(kept_by_id(kept, adopt(kept, "the same cell", NUMBERS, "_")) != NULL);
    }
    check(arena_held() - before < (4 << 20));
}

TEST(kept_gives_a_name_to_another) {
    struct kept *kept = kept_here(true, 1 << 30);
    struct err err;
    const char *first = adopt(kept, "first", 10, "n");
    adopt(kept, "second", 10, "n");
    check_same(kept_find(kept, "n", &err)->title, "second");
    check_int(kept->count, 1);
    check_same(kept_by_id(kept, first)->title, "first"); /* for a while */
    kept_forget(kept);
    check(!kept_by_id(kept, first));
    check_same(kept_find(kept, "n", &err)->title, "second");
    check(kept_bytes(kept, 0) >= 40);
}

static void forget(void *kept) {
    kept_forget(kept);
}

TEST(kept_makes_way_when_memory_is_short) {
    enum { NUMBERS = 1 << 18 };
    struct kept *kept = kept_here(true, 1 << 30);
    struct catch here;
    const char *named = adopt(kept, "named", NUMBERS, "n");
    const char *other = adopt(kept, "other", 4 * NUMBERS, NULL);
    volatile bool had = false;
    arena_on_shortage(forget, kept);
    arena_budget(arena_held() + (1 << 20));
    if (setjmp(catch_set(&here)->place) == 0) {
        arena_alloc(check_arena(), 3 << 20); /* fits into what `other` held */
        had = true;
    }
    catch_end(&here);
    arena_budget(0);
    arena_on_shortage(NULL, NULL);
    check(had && !kept_by_id(kept, other) && kept_by_id(kept, named));
}
