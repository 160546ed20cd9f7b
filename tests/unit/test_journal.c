/* journal: results in a file without a name, for the process that comes after. */
#include "kernel/session/journal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/check.h"
#include "tests/fuzz/damage.h"

enum { MB = 1 << 20, NUMBERS = MB / 4 };

static void fd_close(void *what) {
    close(*(int *)what);
}

/* A file like the one that the supervisor opens. */
static int file_here(void) {
    struct arena *arena = check_arena();
    int *fd = arena_alloc(arena, sizeof *fd);
    *fd =
        open(file_join(arena, check_folder(arena), "file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    arena_defer(arena, fd_close, fd);
    return *fd;
}

/* A result of `n` numbers, all `value`. */
static const struct result *made(float value, int64_t n) {
    struct result *result = result_new(check_arena(), "table", 1);
    result->series[0] = (struct series){ .name = "x",
                                         .unit = "",
                                         .values = tensor_new(check_arena(), 1, &n),
                                         .axes = { { "row", n, NULL } } };
    for (int64_t i = 0; i < n; i++) {
        result->series[0].values->data[i] = value;
    }
    return result;
}

static struct journal_item item(uint64_t serial, const struct result *result, bool named) {
    return (struct journal_item){ serial, result, (int64_t)serial * 10, named };
}

/* The number that a result is made of, as a new process finds it; -1: it is not there. */
static double value_of(int fd, uint64_t serial) {
    struct err err = { 0 };
    int64_t weight = 0;
    struct journal *journal = journal_open(check_arena(), fd, 64 * MB);
    const struct result *result = journal_read(journal, check_arena(), serial, &weight, &err);
    if (!result) {
        check(err.kind != ERR_NONE);
        return -1;
    }
    check_int(weight, serial * 10);
    const struct tensor *values = result->series[0].values;
    return (double)values->data[values->shape[0] - 1];
}

static int64_t size_of(int fd) {
    struct stat info = { 0 };
    fstat(fd, &info);
    return info.st_size;
}

TEST(journal_needs_a_file) {
    int ends[2];
    check_int(pipe(ends), 0);
    check(!journal_open(check_arena(), ends[0], MB));
    close(ends[0]);
    close(ends[1]);
    check(!journal_open(check_arena(), ends[0], MB)); /* closed */
    struct journal *empty = journal_open(check_arena(), file_here(), MB);
    check(empty && journal_last(empty) == 0 && journal_serial(empty, 0) == 0);
}

TEST(journal_holds_what_it_was_told_last) {
    int fd = file_here();
    struct journal *journal = journal_open(check_arena(), fd, 64 * MB);
    struct journal_item items[] = { item(3, made(3, 10), true), item(2, made(2, 20), false),
                                    item(1, made(1, 30), true) };
    journal_write(journal, check_arena(), items + 1, 2);
    journal_write(journal, check_arena(), items, 3);
    check(value_of(fd, 1) == 1 && value_of(fd, 2) == 2 && value_of(fd, 3) == 3);
    check(value_of(fd, 4) == -1);
    struct journal *again = journal_open(check_arena(), fd, 64 * MB);
    check_int(journal_last(again), 3);
    check(journal_serial(again, 0) == 3 && journal_serial(again, 2) == 1 &&
          journal_serial(again, 3) == 0);
    items[1] = items[2];
    items[1].result = NULL; /* it is there already, so nobody looks */
    journal_write(again, check_arena(), items, 2);
    check(value_of(fd, 1) == 1 && value_of(fd, 2) == -1 && value_of(fd, 3) == 3);
    journal_write(again, check_arena(), NULL, 0);
    check(value_of(fd, 1) == -1);
    check(size_of(fd) < 8192);
}

/* 60 results of a megabyte, two at a time: the file never has more than a few. */
TEST(journal_uses_its_room_again) {
    int fd = file_here();
    struct journal *journal = journal_open(check_arena(), fd, 64 * MB);
    struct arena *arena = arena_new();
    const struct result *one = made(5, NUMBERS);
    for (uint64_t i = 1; i <= 60; i++) {
        struct arena_mark mark = arena_mark(arena);
        struct journal_item items[] = { item(i + 1, one, true), item(i, one, true) };
        journal_write(journal, arena, items, 2);
        arena_rewind(arena, mark);
        check(size_of(fd) < 5 * MB);
    }
    check(value_of(fd, 61) == 5 && value_of(fd, 60) == 5 && value_of(fd, 59) == -1);
    arena_free(arena);
}

TEST(journal_leaves_out_what_has_no_room) {
    int fd = file_here();
    struct journal *journal = journal_open(check_arena(), fd, 4 * MB);
    struct journal_item items[] = {
        item(9, made(9, 5 * NUMBERS), true), /* too large */
        item(8, made(8, NUMBERS), false),    /* makes way for those with a name */
        item(7, made(7, 2 * NUMBERS), true), item(6, made(6, NUMBERS), true),
        item(5, made(5, NUMBERS), true), /* the oldest: it would fit but for its head */
        item(4, made(4, 100), false),
    };
    journal_write(journal, check_arena(), items, 6);
    const int there[] = { 0, 0, 1, 1, 0, 1 };
    for (int i = 0; i < 6; i++) {
        check((value_of(fd, items[i].serial) > 0) == there[i]);
    }
    check(size_of(fd) <= 4 * MB + 8192);
    journal_write(journal, check_arena(), items + 3, 3); /* now there is room */
    check(value_of(fd, 5) == 5);
    struct journal *wide = journal_open(check_arena(), file_here(), 512 * MB);
    struct journal_item large = item(1, made(1, JOURNAL_UNNAMED / 4), false);
    journal_write(wide, check_arena(), &large, 1);
    check_int(journal_last(wide),
              0); /* with its head it is more than one without a name may be */
    large.named = true;
    journal_write(wide, check_arena(), &large, 1);
    check_int(journal_last(wide), 1);
}

/* The process may die after any byte that it writes: cut off there, or with the rest as it was,
 * the file holds what it held or what it was to hold, and each of it whole. */
TEST(journal_survives_a_death_at_any_byte) {
    int fd = file_here(), torn = file_here();
    struct journal *journal = journal_open(check_arena(), fd, 64 * MB);
    struct journal_item items[] = { item(3, made(3, 300), true), item(2, made(2, 200), true),
                                    item(1, made(1, 100), true) };
    static char before[16384], after[16384], mixed[16384];
    journal_write(journal, check_arena(), items + 1, 2);
    check(pread(fd, before, sizeof before, 0) > 4096);
    journal_write(journal, check_arena(), items, 3);
    ssize_t length = pread(fd, after, sizeof after, 0);
    check(length > 4096 && length < (ssize_t)sizeof after);
    for (ssize_t at = 0; at < length; at += at < 256 ? 1 : 61) {
        /* records and index first, then the root at the beginning */
        memcpy(mixed, before, sizeof mixed);
        memcpy(mixed + 4096, after + 4096, at < 256 ? sizeof mixed - 4096 : (size_t)at);
        memcpy(mixed, after, at < 256 ? (size_t)at : 0);
        check_int(pwrite(torn, mixed, sizeof mixed, 0), sizeof mixed);
        check(value_of(torn, 1) == 1 && value_of(torn, 2) == 2);
        double third = value_of(torn, 3);
        check(third == 3 || third == -1);
        check_int(ftruncate(torn, 4096 + at), 0);
        third = value_of(torn, 3);
        check(third == 3 || third == -1);
    }
}

/* A child for which the disk ends: what does not fit is left out, what was there stays, the
 * file is cut back, and it is not tried again. */
TEST(journal_lives_with_a_full_disk) {
    int fd = file_here();
    struct journal *journal = journal_open(check_arena(), fd, 64 * MB);
    struct journal_item items[] = { item(4, made(4, 100), true),
                                    item(3, made(3, NUMBERS), true),
                                    item(2, made(2, 100), false), item(1, made(1, 100), true) };
    journal_write(journal, check_arena(), items + 2, 2);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 65536, 65536 });
        journal_write(journal, check_arena(), items + 1, 3);
        bool cut = size_of(fd) < 65536;
        journal_write(journal, check_arena(), items, 4);
        _exit(cut && size_of(fd) < 65536 ? 0 : 1);
    }
    int status = -1;
    check(waitpid(child, &status, 0) == child && status == 0);
    check(value_of(fd, 1) == 1 && value_of(fd, 2) == 2 && value_of(fd, 4) == 4);
    check(value_of(fd, 3) == -1);
}

/* Any bytes whatever: no crash, nothing that was not written. */
TEST(journal_takes_any_bytes) {
    int fd = file_here(), damaged = file_here();
    struct journal *journal = journal_open(check_arena(), fd, 64 * MB);
    struct journal_item items[] = { item(2, made(2, 50), true), item(1, made(1, 100), true) };
    static char whole[8192];
    journal_write(journal, check_arena(), items, 2);
    ssize_t length = pread(fd, whole, sizeof whole, 0);
    struct dice dice = { .state = 3 };
    for (int i = 0; i < 1000; i++) {
        struct arena *arena = arena_new();
        struct buf *bytes = buf_new(arena);
        buf_add(bytes, whole, (size_t)length);
        damage_bytes(&dice, bytes);
        check_int(ftruncate(damaged, 0), 0);
        check_int(pwrite(damaged, bytes->data, bytes->length, 0), bytes->length);
        for (uint64_t serial = 1; serial < 3; serial++) {
            double seen = value_of(damaged, serial);
            check(seen == (double)serial || seen == -1);
        }
        arena_free(arena);
    }
}
