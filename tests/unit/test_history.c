/* history_file: cells in a file that may be locked, damaged, another's, or none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "kernel/front/history.h"
#include "kernel/front/history_file.h"
#include "tests/check.h"

/* The type of file system that fstatfs tells in this program; 0: the true one. */
static long pretended;

int fstatfs(int fd, struct statfs *told) {
    int status = (int)syscall(SYS_fstatfs, fd, told);
    if (pretended) {
        told->f_type = pretended;
    }
    return status;
}

static char said[4096];

static void say(const char *sentence) {
    strncat(said, sentence, sizeof said - strlen(said) - 1);
}

static struct history_file *file_new(const char *path) {
    said[0] = '\0';
    return history_file_new(path, say);
}

static void add(struct history_file *file, int64_t line, const char *input) {
    history_file_add(file, line, input, strlen(input));
}

/* "1.2 text > output, ..." of what is asked for, oldest first. */
static const char *read_query(struct history_file *file, struct history_query query) {
    struct buf *out = buf_new(check_arena());
    struct history_rows rows;
    history_file_read(file, &query, &rows);
    for (int64_t i = rows.count - 1; i >= 0; i--) {
        const struct history_row *row = &rows.rows[i];
        buf_printf(out, "%s%lld.%lld %s", out->length ? ", " : "", (long long)row->session,
                   (long long)row->line, row->input);
        if (row->output) {
            buf_printf(out, " > %s", row->output);
        }
    }
    history_rows_free(&rows);
    return out->data;
}

static const struct history_query tail = { .access = HISTORY_TAIL, .n = 10 };

static mode_t mode_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? info.st_mode & 0777 : 0;
}

static const char *new_path(void) {
    return file_join(check_arena(), check_folder(check_arena()), "a/b/history.sqlite");
}

TEST(history_comes_back_in_order_over_sessions) {
    const char *path = new_path();
    struct history_file *file = file_new(path);
    add(file, 1, "%echo 猫");
    add(file, 2, "two");
    history_file_output(file, 2, "an output", 9);
    check_same(read_query(file, tail), "1.1 %echo 猫, 1.2 two > an output");
    check_int(mode_of(path), 0600);
    history_file_close(file);

    file = file_new(path);
    struct history_query range = { .access = HISTORY_RANGE, .n = 99, .start = 1, .stop = 9 };
    check_same(read_query(file, range), ""); /* this session has run nothing yet */
    range.session = -1;
    check_same(read_query(file, range), "1.1 %echo 猫, 1.2 two > an output");
    add(file, 1, "two");
    struct history_query query = { .access = HISTORY_TAIL, .n = 2, .output = true };
    check_same(read_query(file, query), "1.2 two > an output, 2.1 two");
    history_file_output(file, 1, "late", 4); /* the cell is in the file already */
    check_same(read_query(file, query), "1.2 two > an output, 2.1 two > late");
    query = (struct history_query){
        .access = HISTORY_SEARCH, .n = 9, .pattern = "tw*", .unique = true
    };
    check_same(read_query(file, query), "2.1 two > late");
    query.unique = false;
    check_same(read_query(file, query), "1.2 two > an output, 2.1 two > late");
    query.n = 1;
    check_same(read_query(file, query), "2.1 two > late");
    range.start = 2;
    check_same(read_query(file, range), "1.2 two > an output");
    range.session = 1;
    check_same(read_query(file, range), "1.2 two > an output");
    range.session = 7;
    check_same(read_query(file, range), "");
    range.session = INT64_MIN;
    check_same(read_query(file, range), "");
    history_file_close(file);
    check_same(said, "");
}

TEST(history_has_limits) {
    struct history_file *file = file_new(NULL);
    char *big = arena_alloc(check_arena(), 1 << 20);
    memset(big, 'x', (1 << 20) - 1);
    struct history_query query = { .access = HISTORY_TAIL, .n = -1 };
    for (int i = 1; i <= 40; i++) {
        add(file, i, big);
    }
    check_same(read_query(file, query), "");
    query.n = INT64_MAX;
    struct history_rows rows;
    history_file_read(file, &query, &rows);
    check(rows.count > 0 && rows.count <= 8); /* 8 MB of answers */
    check_int(rows.rows[0].line, 40);
    history_rows_free(&rows);
    query = (struct history_query){ .access = HISTORY_RANGE, .n = 99, .start = 1, .stop = 2 };
    check_same(read_query(file, query), ""); /* the older half of 32 MB was let go */
    history_file_close(file);
}

TEST(history_is_private_even_where_it_was_not) {
    const char *path = new_path();
    struct history_file *file = file_new(path);
    add(file, 1, "a");
    check_int(history_file_save(file, 100), 0);
    history_file_close(file);
    chmod(path, 0644);
    file = file_new(path);
    add(file, 1, "b");
    check_int(history_file_save(file, 100), 0);
    check_int(mode_of(path), 0600);
    check_int(mode_of(arena_printf(check_arena(), "%s-wal", path)), 0600);
    history_file_close(file);
}

TEST(history_stays_in_memory_where_the_file_is_none) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena), *path = file_join(arena, folder, "h");
    struct err err;
    check(file_write(path, "x", 1, &err) == 0);
    check(symlink(path, file_join(arena, folder, "link")) == 0);
    check(mkfifo(file_join(arena, folder, "fifo"), 0600) == 0);
    const char *const places[] = { folder,
                                   file_join(arena, path, "below/h"),
                                   file_join(arena, folder, "link"),
                                   file_join(arena, folder, "fifo"),
                                   "/dev/zero",
                                   "/proc/h/h" };
    for (int i = 0; i < 6; i++) {
        struct history_file *file = file_new(places[i]);
        add(file, 1, "a");
        check_same(read_query(file, tail), "1.1 a");
        add(file, 2, "b");
        check_same(read_query(file, tail), "1.1 a, 1.2 b");
        check_text(said, "the history stays in memory: ");
        check(!strstr(strstr(said, "memory") + 1, "memory")); /* said once */
        history_file_close(file);
    }
    check_int(mode_of("/dev/zero"), 0666);
}

/* Names in a folder that hold a text. */
static int count_in(const char *folder, const char *part) {
    DIR *open = opendir(folder);
    int count = 0;
    for (struct dirent *at; open && (at = readdir(open)) != NULL;) {
        count += strstr(at->d_name, part) != NULL;
    }
    closedir(open);
    return count;
}

TEST(history_that_is_damaged_is_moved_aside) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena), *path = file_join(arena, folder, "h");
    const char *junk = "this is no database, and long enough to look at, and then some more";
    struct err err;
    check(file_write(path, junk, strlen(junk), &err) == 0);
    struct history_file *file = file_new(path);
    add(file, 1, "a");
    check_int(history_file_save(file, 100), 0);
    check_text(said, "the history was damaged: it lies in ");
    check_int(count_in(folder, "h.damaged-"), 1);
    check_same(read_query(file, tail), "1.1 a");
    history_file_close(file);
}

/* A page in the middle is overwritten while two have the file open. */
TEST(history_that_is_damaged_under_way_loses_no_new_cell) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena), *path = file_join(arena, folder, "h");
    struct history_file *one = file_new(path), *two = file_new(path);
    char *text = arena_alloc(arena, 3001);
    memset(text, 'x', 3000);
    for (int i = 1; i <= 50; i++) {
        add(one, i, text);
    }
    check_int(history_file_save(one, 100), 0);
    check_int(history_file_save(two, 100), 0);
    history_file_close(one); /* all is in the file itself now */
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    memset(text, 0xa5, 3000);
    for (off_t at = 100; at < 120000; at += 3000) {
        check_int(pwrite(fd, text, 3000, at), 3000);
    }
    close(fd);
    one = file_new(path);
    add(one, 1, "new");
    add(two, 1, "also");
    check_int(history_file_save(one, 100), 0);
    check_int(history_file_save(two, 100), 0);
    check_same(read_query(two, tail), "1.1 new, 2.1 also");
    check_int(count_in(folder, ".damaged-") > 0, 1);
    history_file_close(one);
    history_file_close(two);
}

TEST(history_that_is_deleted_begins_anew) {
    const char *path = new_path();
    struct history_file *file = file_new(path);
    add(file, 1, "a");
    check_int(history_file_save(file, 100), 0);
    check_int(unlink(path), 0);
    unlink(arena_printf(check_arena(), "%s-wal", path));
    add(file, 2, "b");
    check_int(history_file_save(file, 100), 0);
    check_same(read_query(file, tail), "1.2 b");
    check_int(mode_of(path), 0600);
    history_file_close(file);
}

/* Another process holds the file; the cells wait, can be read, and are written later. */
TEST(history_that_is_locked_is_written_later) {
    const char *path = new_path();
    struct history_file *file = file_new(path);
    int ready[2], go[2];
    char byte = 0;
    add(file, 1, "a");
    check_int(history_file_save(file, 100), 0);
    check(pipe(ready) == 0 && pipe(go) == 0);
    pid_t other = fork();
    if (other == 0) { /* SQLite's lock for writing in WAL mode: byte 120 of the -shm file */
        int fd = open(arena_printf(check_arena(), "%s-shm", path), O_RDWR | O_CLOEXEC);
        struct flock lock = { .l_type = F_WRLCK, .l_start = 120, .l_len = 1 };
        bool held = fcntl(fd, F_SETLK, &lock) == 0;
        _exit(write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1 || !held);
    }
    check_int(read(ready[0], &byte, 1), 1);
    add(file, 2, "b");
    check(history_file_save(file, 20) > 0);
    struct history_query both = { .access = HISTORY_SEARCH, .n = 9, .pattern = "[ab]" };
    check_same(read_query(file, both), "1.1 a, 1.2 b");
    both.unique = true;
    check_same(read_query(file, both), "1.1 a, 1.2 b");
    check_int(write(go[1], &byte, 1), 1);
    int status = -1;
    waitpid(other, &status, 0);
    check_int(status, 0);
    check_int(history_file_save(file, 100), 0);
    history_file_close(file);
    file = file_new(path);
    check_same(read_query(file, tail), "1.1 a, 1.2 b");
    history_file_close(file);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

/* A file that may not grow: what a full disk is to its writer. */
TEST(history_on_a_full_disk_stays_in_memory_and_is_written_later) {
    const char *path = new_path();
    struct history_file *file = file_new(path);
    struct rlimit before, small = { 40000, RLIM_INFINITY };
    add(file, 1, "a");
    check_int(history_file_save(file, 100), 0);
    char *text = arena_alloc(check_arena(), 100001);
    memset(text, 'x', 100000);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &small);
    add(file, 2, text);
    int64_t again = history_file_save(file, 100);
    struct history_query query = { .access = HISTORY_SEARCH, .n = 9, .pattern = "?" };
    add(file, 3, "b");
    const char *seen = read_query(file, query);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    check(again > 0);
    check_text(said, "the history stays in memory for now: ");
    check_same(seen, "1.1 a, 1.3 b");
    check_int(history_file_save(file, 100), 0);
    check_same(read_query(file, query), "1.1 a, 1.3 b");
    history_file_close(file);
}

/* Over a network there is no WAL: the journal is a file that is rolled back. */
TEST(history_on_a_network_drive_has_no_wal) {
    const char *path = new_path();
    const char *wal = arena_printf(check_arena(), "%s-wal", path);
    check(history_file_is_far(0x6969) && history_file_is_far((long)0xff534d42));
    check(history_file_is_far((int)0xff534d42)); /* where the type is a signed word */
    check(!history_file_is_far(0xef53) && !history_file_is_far(0x01021994));
    pretended = 0x6969;
    struct history_file *one = file_new(path), *two = file_new(path);
    add(one, 1, "a");
    add(two, 1, "b");
    check_int(history_file_save(one, 100), 0);
    check_int(history_file_save(two, 100), 0);
    check(!file_exists(wal));
    check_same(read_query(one, tail), "1.1 a, 2.1 b");
    history_file_close(one);
    history_file_close(two);
    pretended = 0;
    one = file_new(path); /* the same file on a disk of this machine */
    add(one, 1, "c");
    check_int(history_file_save(one, 100), 0);
    check(file_exists(wal));
    history_file_close(one);
    pretended = 0x6969;
    one = file_new(path);
    add(one, 1, "d");
    check_same(read_query(one, tail), "1.1 a, 2.1 b, 3.1 c, 4.1 d");
    check(!file_exists(wal));
    history_file_close(one);
    pretended = 0;
}

TEST(history_keeps_odd_bytes) {
    struct history_file *file = file_new(new_path());
    history_file_add(file, 2, "a\0b\xff", 4);
    struct history_rows rows;
    history_file_read(file, &tail, &rows);
    check(rows.count == 1 && rows.rows[0].input_length == 4);
    check(memcmp(rows.rows[0].input, "a\0b\xff", 4) == 0);
    history_rows_free(&rows);
    history_file_close(file);
}

TEST(history_look_tells_what_is_wrong) {
    struct arena *arena = check_arena();
    const char *path = new_path();
    struct err err = { 0 };
    struct history_file *file = file_new(path);
    add(file, 1, "a");
    check_int(history_file_save(file, 100), 0);
    check_int(history_file_look(path, &err), 0);
    history_file_close(file);
    const char *junk = file_join(arena, check_folder(arena), "h");
    check(file_write(junk,
                     "a text, and no database at all, which is long enough for that to be "
                     "seen by whoever opens it",
                     90, &err) == 0);
    check_int(history_file_look(junk, &err), -1);
    check_text(err.text, "is damaged");
}

static int threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    int n = 0;
    while (readdir(tasks)) {
        n++;
    }
    closedir(tasks);
    return n;
}

/* A process that holds the file as a drive does that is away: who opens it waits until `*until`
 * is closed. */
static pid_t hold(const char *path, int *until) {
    int held[2], ends[2];
    char byte = 0;
    check(pipe2(held, O_CLOEXEC) == 0 && pipe2(ends, O_CLOEXEC) == 0);
    pid_t holder = fork();
    if (holder == 0) {
        signal(SIGIO, SIG_IGN);
        close(ends[1]);
        int lease = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        byte = fcntl(lease, F_SETLEASE, F_WRLCK) == 0;
        (void)!write(held[1], &byte, 1);
        (void)!read(ends[0], &byte, 1);
        _exit(0);
    }
    check(read(held[0], &byte, 1) == 1 && byte == 1);
    close(held[0]);
    close(held[1]);
    close(ends[0]);
    *until = ends[1];
    return holder;
}

/* The leak checker tells if nobody frees what the two sides shared. */
TEST(history_whose_drive_is_away_is_left_behind) {
    const char *path = file_join(check_arena(), check_folder(check_arena()), "history.sqlite");
    int before = threads(), until = -1;
    pid_t holder = hold(path, &until);
    struct history *history = history_new(check_arena(), path);
    history_add(history, 1, "%echo a", 7);
    history_close(history);
    check_int(threads(), before + 1);
    close(until);
    waitpid(holder, NULL, 0);
    while (threads() > before) { /* it goes on, writes, and ends */
        sched_yield();
    }
    struct history_file *file = file_new(path);
    check_same(read_query(file, tail), "1.1 %echo a");
    history_file_close(file);
}
