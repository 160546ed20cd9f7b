/* buf, err, utf8, pool, pipe, file: the small parts of core/base. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/pipe.h"
#include "core/base/pool.h"
#include "core/base/utf8.h"
#include "tests/check.h"

TEST(buf_base64_pads) {
    struct buf *buf = buf_new(check_arena());
    buf_base64(buf, "M", 1);
    buf_base64(buf, "Ma", 2);
    buf_base64(buf, "Man", 3);
    check_same(buf->data, "TQ==TWE=TWFu"); /* RFC 4648's own example word */
}

TEST(utf8_counts_code_points) {
    const char *text = "a猫🙂";
    check_int(utf8_count(text, strlen(text)), 3);
    check_int(utf8_offset(text, strlen(text), 2), 4);
    check_int(utf8_columns(text, strlen(text)), 5);
}

TEST(utf8_refuses_what_is_no_utf8) {
    uint32_t c;
    check_int(utf8_decode("\xc0\x80", 2, &c), -1);         /* overlong NUL */
    check_int(utf8_decode("\xed\xa0\x80", 3, &c), -1);     /* surrogate */
    check_int(utf8_decode("\xf4\x90\x80\x80", 4, &c), -1); /* above U+10FFFF */
    check_int(utf8_decode("\xe7\x8c", 2, &c), -1);         /* cut short */
    check_int(utf8_bad("ok\xff", 3), 2);
}

TEST(utf8_tail_holds_back_a_broken_character) {
    check_int(utf8_tail("a\xe7\x8c", 3), 2);
    check_int(utf8_tail("a猫", 4), 0);
    check_int(utf8_tail("\xf0\x9f\x99", 3), 3);
    check_int(utf8_tail("a", 1), 0);
}

TEST(err_has_both_languages_or_one) {
    struct err err;
    err_set(&err, ERR_TEXT, "nothing to %s", "read");
    check_same(err_said(&err, true), "nothing to read");
    check_int(err_zh(&err, "没有可读的 %d", 3), -1);
    check_same(err_said(&err, true), "没有可读的 3");
    check_same(err_said(&err, false), "nothing to read");
    err_at(&err, ERR_TEXT, 1, 1, 1, "another");
    check_same(err_said(&err, true), "another"); /* not the sentence of the one before */
    err_zh(&err, "%300d%300d%s", 0, 0, "猫");
    check_int(strlen(err.zh), 599);
    check_text(err.zh, "...");
    check_int(err_zh(NULL, "x"), -1);
}

TEST(err_quote_shows_control_and_bidi_characters) {
    char out[64];
    check_same(err_quote(out, sizeof out, "a\x1b[\xff\xe2\x80\xae", 7),
               "a\\x1b[\\xff\\u{202e}");
    char small[8];
    check_same(err_quote(small, sizeof small, "abcdefghij", 10), "abcd…");
}

static void mark_each(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        ((int *)arg)[i]++;
    }
}

TEST(pool_runs_each_index_once) {
    static int seen[10007];
    int before = pool_threads();
    for (int threads = 1; threads <= 8; threads++) {
        pool_set_threads(threads);
        for (int round = 0; round < 50; round++) {
            memset(seen, 0, sizeof seen);
            pool_for(10007, 16, mark_each, seen);
            int wrong = 0;
            for (int i = 0; i < 10007; i++) {
                wrong += seen[i] != 1;
            }
            check_int(wrong, 0);
        }
    }
    pool_set_threads(before);
}

TEST(pipe_carries_frames_whole) {
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    struct buf *got = buf_new(check_arena());
    uint32_t kind = 0;
    check_int(pipe_write(ends[0], 7, "head ", 5, "body", 4), 0);
    check_int(pipe_write(ends[0], 8, NULL, 0, NULL, 0), 0);
    check_int(pipe_read(ends[1], &kind, got), 1);
    check_int(kind, 7);
    check_same(got->data, "head body");
    check_int(pipe_read(ends[1], &kind, got), 1);
    check_int(got->length, 0);
    check(write(ends[0], "0123456789abcdef", 16) == 16); /* a length of 7e18 */
    check_int(pipe_read(ends[1], &kind, got), -1);
    close(ends[0]);
    close(ends[1]);
}

TEST(file_writes_whole_or_not_at_all) {
    struct arena *arena = check_arena();
    struct err err;
    const char *folder = check_folder(arena);
    char *path = file_join(arena, folder, "x.txt");
    check_int(file_write(path, "one", 3, &err), 0);
    check_int(file_write(path, "three", 5, &err), 0);
    struct file *file = file_map(arena, path, &err);
    check(file && file->size == 5 && memcmp(file->bytes, "three", 5) == 0);
    check_int(file_write(folder, "x", 1, &err), -1);
    check_text(err.text, "a folder");
    char *fifo = file_join(arena, folder, "fifo");
    check(mkfifo(fifo, 0600) == 0);
    check(!file_map(arena, fifo, &err));
    check_text(err.text, "not a regular file");
}

TEST(file_shown_writes_the_home_folder_as_a_tilde) {
    const char *home = getenv("HOME");
    char *kept = home ? strdup(home) : NULL;
    setenv("HOME", "/home/ann", 1);
    check_same(file_shown(check_arena(), "/home/ann/m.gguf"), "~/m.gguf");
    check_same(file_shown(check_arena(), "/home/anna/m.gguf"), "/home/anna/m.gguf");
    check_same(file_shown(check_arena(), "m.gguf"), "m.gguf");
    unsetenv("HOME");
    check_same(file_shown(check_arena(), "/home/ann/m.gguf"), "/home/ann/m.gguf");
    if (kept) {
        setenv("HOME", kept, 1);
    }
    free(kept);
}

TEST(file_sha256_joins_its_pieces) {
    char hex[65];
    file_sha256((struct file_piece[]){ { "a", 1 }, { "bc", 2 } }, 2, hex);
    check_same(
        hex,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-2 */
}

static void add_to_all(void *arg, int64_t begin, int64_t end) {
    int64_t *sums = arg;
    for (int64_t i = begin; i < end; i++) {
        sums[i] += pool_self() >= 0 && pool_self() < pool_threads() ? 1 : 1000;
    }
}

/* Chunks begin at whole grains from 0, wherever one thread's part ends and the next begins. */
static void chunk_mark(void *arg, int64_t begin, int64_t end) {
    int *marks = arg;
    marks[begin / 7] += begin % 7 == 0 && (end == begin + 7 || end == 100) ? 1 : 1000;
}

TEST(pool_cuts_alike_for_any_number_of_threads) {
    int before = pool_threads();
    for (int threads = 1; threads <= 20; threads++) { /* more than there are chunks, too */
        int marks[15] = { 0 }, wrong = 0;
        pool_set_threads(threads);
        pool_for(100, 7, chunk_mark, marks);
        for (int i = 0; i < 15; i++) {
            wrong += marks[i] != 1;
        }
        check_int(wrong, 0);
    }
    pool_set_threads(before);
}

/* Rounds in quick succession, with helpers that come late or not at all. */
TEST(pool_rounds_follow_each_other_with_any_threads) {
    enum { N = 300, ROUNDS = 200 };
    static int64_t sums[N];
    int before = pool_threads();
    for (int round = 0; round < ROUNDS; round++) {
        pool_set_threads(1 + round % 5);
        pool_for(N, 1 + round % 7, add_to_all, sums);
    }
    pool_set_threads(before);
    int wrong = 0;
    for (int i = 0; i < N; i++) {
        wrong += sums[i] != ROUNDS;
    }
    check_int(wrong, 0);
}
