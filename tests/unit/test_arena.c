#include "core/base/arena.h"

#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "tests/check.h"

static void note(void *what) {
    strcat(((char **)what)[0], ((char **)what)[1]);
}

TEST(arena_closes_last_first) {
    char order[8] = "";
    char *a[] = { order, "a" }, *b[] = { order, "b" };
    struct arena *arena = arena_new();
    arena_defer(arena, note, a);
    arena_defer(arena, note, b);
    arena_free(arena);
    check_same(order, "ba");
}

TEST(arena_blocks_are_zeroed_and_aligned_after_a_rewind) {
    struct arena *arena = check_arena();
    struct arena_mark mark = arena_mark(arena);
    memset(arena_alloc(arena, 1000), 0xff, 1000);
    arena_rewind(arena, mark);
    unsigned char *block = arena_alloc(arena, 1000);
    int sum = 0;
    for (int i = 0; i < 1000; i++) {
        sum += block[i];
    }
    check_int(sum, 0);
    check_int((uintptr_t)block % 64, 0);
}

TEST(arena_gives_back_what_it_held) {
    int64_t before = arena_held();
    struct arena *arena = arena_new();
    arena_alloc(arena, 5000000);
    check(arena_held() >= before + 5000000);
    arena_free(arena);
    check_int(arena_held(), before);
}

TEST(arena_scratch_is_zeroed_again_in_the_spare_chunk) {
    struct arena *arena = check_arena();
    for (int round = 0; round < 3; round++) {
        struct arena_mark mark = arena_mark(arena);
        unsigned char *block = arena_alloc(arena, 3000000);
        int sum = 0;
        for (int i = 0; i < 3000000; i++) {
            sum += block[i];
        }
        check_int(sum, 0);
        memset(arena_raw(arena, 2000000), 0xff, 2000000);
        memset(block, 0xff, 3000000);
        arena_rewind(arena, mark);
    }
}

/* Memory that an arena gave back serves the next one, clean and no more than was asked for. */
TEST(arena_serves_again_what_was_given_back) {
    int64_t before = arena_held();
    for (int round = 0; round < 4; round++) {
        struct arena *arena = arena_new();
        size_t n = round % 2 ? 6000000 : 9000000;
        unsigned char *block = arena_alloc(arena, n);
        int64_t held = arena_held() - before;
        int sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += block[i];
        }
        check_int(sum, 0);
        check(held >= (int64_t)n && held < (int64_t)n + (4 << 20));
        memset(block, 0xff, n);
        arena_free(arena);
    }
    check_int(arena_held(), before);
}

TEST(arena_over_budget_ends_at_the_catch_point) {
    struct arena *arena = check_arena();
    struct catch here;
    volatile int reached = 0;
    arena_budget(arena_held() + 1000000);
    if (setjmp(catch_set(&here)->place) == 0) {
        arena_alloc(arena, 2000000);
        reached = 1;
        catch_end(&here);
    }
    arena_budget(0);
    check_int(reached, 0);
    check_int(here.err.kind, ERR_MEMORY);
    check_text(here.err.text, "2.0 MB more are needed");
}

TEST(arena_counts_memory_that_moves_as_it_grows) {
    int64_t before = arena_held();
    char *block = arena_resize(NULL, 0, 1000);
    check_int(arena_held(), before + 1000);
    block[999] = 'x';
    block = arena_resize(block, 1000, 3000000);
    check_int(arena_held(), before + 3000000);
    check(block[999] == 'x');
    block = arena_resize(block, 3000000, 10);
    check_int(arena_held(), before + 10);
    arena_release(block, 10);
    check_int(arena_held(), before);

    struct arena *arena = arena_new();
    struct buf *buf = buf_new(arena);
    buf_more(buf, 700000);
    check(arena_held() >= before + 700000);
    arena_free(arena);
    check_int(arena_held(), before);
}

TEST(arena_budget_holds_for_texts_that_grow) {
    struct buf *buf = buf_new(check_arena());
    struct catch here;
    arena_budget(arena_held() + 1000000);
    if (setjmp(catch_set(&here)->place) == 0) {
        for (;;) {
            buf_text(buf, "more and more ");
        }
    }
    arena_budget(0);
    check_int(here.err.kind, ERR_MEMORY);
    check(buf->length < 1000000 && buf->length > 400000);
}

TEST(arena_lays_texts_and_small_things_close_together) {
    struct arena *arena = check_arena();
    char *one = arena_copy(arena, "one"), *two = arena_copy(arena, "two");
    check(two - one < 64);
    check_same(one, "one");
    int64_t *small = arena_small(arena, sizeof *small);
    check((uintptr_t)small % sizeof *small == 0 && *small == 0);
    check((uintptr_t)arena_alloc(arena, 1) % 64 == 0);
}

static struct arena *spare;
static int asked;

static void let_go(void *arg) {
    *(int *)arg += 1;
    arena_free(spare);
    spare = NULL;
}

/* What is kept for convenience makes way; when nothing is left, the command ends as ever. */
TEST(arena_shortage_frees_what_can_be_spared) {
    struct catch here;
    volatile int reached = 0;
    asked = 0;
    spare = arena_new();
    arena_alloc(spare, 3000000);
    check(arena_size(spare) >= 3000000 && arena_size(spare) < 5000000);
    arena_on_shortage(let_go, &asked);
    arena_budget(arena_held() + 1000000);
    if (setjmp(catch_set(&here)->place) == 0) {
        arena_alloc(check_arena(), 2000000);
        reached = 1;
        struct buf *text = buf_new(check_arena());
        buf_more(text, 9000000);
        reached = 2;
    }
    catch_end(&here);
    arena_budget(0);
    arena_on_shortage(NULL, NULL);
    check_int(reached, 1);
    check_int(asked, 2);
    check_int(here.err.kind, ERR_MEMORY);
    spare = arena_new();
    check_int(arena_size(spare), 0);
    arena_free(spare);
}
