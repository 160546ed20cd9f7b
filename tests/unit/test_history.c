/* history: cells in a file, and in memory where no file can be. */
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "kernel/front/history.h"
#include "tests/check.h"

static const char *read_query(struct history *history, struct history_query query) {
    struct buf *out = buf_new(check_arena());
    query.pattern = query.pattern ? query.pattern : "*";
    history_read(history, &query, out);
    return out->data;
}

static void add(struct history *history, int64_t line, const char *input) {
    history_add(history, line, input, strlen(input), 0);
}

static const struct history_query tail = { .access = HISTORY_TAIL, .n = 10 };

TEST(history_comes_back_in_order_over_sessions) {
    const char *path =
        file_join(check_arena(), check_folder(check_arena()), "a/b/history.sqlite");
    struct stat info;
    struct history *history = history_new(check_arena(), path);
    add(history, 1, "%echo 猫");
    add(history, 2, "two");
    history_output(history, 2, "an output");
    check_same(read_query(history, tail), "[[1,1,\"%echo 猫\"],[1,2,\"two\"]]");
    history_close(history);
    check(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);

    history = history_new(check_arena(), path);
    add(history, 1, "two");
    struct history_query query = { .access = HISTORY_TAIL, .n = 2, .output = true };
    check_same(read_query(history, query),
               "[[1,2,[\"two\",\"an output\"]],[2,1,[\"two\",null]]]");
    query = (struct history_query){
        .access = HISTORY_SEARCH, .n = 9, .pattern = "tw*", .unique = true
    };
    check_same(read_query(history, query), "[[2,1,\"two\"]]");
    query = (struct history_query){
        .access = HISTORY_RANGE, .n = 9, .session = -1, .start = 2, .stop = 9
    };
    check_same(read_query(history, query), "[[1,2,\"two\"]]");
    query.session = 7;
    check_same(read_query(history, query), "[]");
    history_close(history);
}

TEST(history_waits_before_it_writes) {
    const char *path = file_join(check_arena(), check_folder(check_arena()), "h");
    struct history *history = history_new(check_arena(), path);
    check_int(history_due(history), 0);
    history_add(history, 1, "a", 1, 1000);
    check(history_due(history) > 1000);
    history_tick(history, 1000);
    check(!file_exists(path));
    history_tick(history, history_due(history));
    check(file_exists(path));
    check_int(history_due(history), 0);
    history_close(history);
}

TEST(history_lives_in_memory_where_the_file_is_none) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena), *path = file_join(arena, folder, "h");
    struct err err;
    check(file_write(path, "this is no database, and long enough to look at", 47, &err) == 0);
    const char *const places[] = { path, folder, file_join(arena, path, "below/h") };
    for (int i = 0; i < 3; i++) {
        struct history *history = history_new(arena, places[i]);
        add(history, 1, "a");
        check_same(read_query(history, tail), "[[1,1,\"a\"]]");
        history_close(history);
    }
}

TEST(history_keeps_odd_bytes_and_leaves_out_huge_cells) {
    enum { HUGE_CELL = 2 << 20 };
    struct history *history =
        history_new(check_arena(), file_join(check_arena(), check_folder(check_arena()), "h"));
    char *big = arena_alloc(check_arena(), HUGE_CELL);
    memset(big, 'x', HUGE_CELL);
    history_add(history, 1, big, HUGE_CELL, 0);
    history_add(history, 2, "a\0b\xff", 4, 0);
    check_same(read_query(history, tail), "[[1,2,\"a\\u0000b\xef\xbf\xbd\"]]");
    history_close(history);
}
