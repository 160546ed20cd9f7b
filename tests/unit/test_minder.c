/* minder: a worker that is not there any more. It is played by a thread (threaded.h), in a
 * process apart, as that takes two descriptors for itself. */
#include "kernel/front/minder.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/apart.h"
#include "core/base/pipe.h"
#include "kernel/relay/relay.h"
#include "tests/check.h"

/* Reads what it is to come back to, and is gone. */
static int reads_one(void) {
    struct arena *arena = arena_new();
    uint32_t kind;
    pipe_read(RELAY_FD, &kind, buf_new(arena));
    arena_free(arena);
    return 0;
}

/* Tells its state, and is gone. */
static int tells_its_state(void) {
    static const char state[] = "setting\tlanguage\tzh\nmodel\tgpt2\t/m\nuse\tgpt2\n"
                                "data\tnews\t/d\n";
    pipe_write(RELAY_FD, RELAY_STATE, state, sizeof state - 1, NULL, 0);
    return reads_one();
}

static void no_frame(void *arg, uint32_t kind, const char *bytes, size_t length, void **base) {
    (void)arg, (void)kind, (void)bytes, (void)length, (void)base;
}

static void no_text(void *arg, bool is_error, const char *text, size_t length) {
    (void)arg, (void)is_error, (void)text, (void)length;
}

static void no_start(void *arg) {
    (void)arg;
}

static struct minder *begin(threaded_serve *serve) {
    const struct minder_listener listener = { no_frame, no_text, no_start, NULL };
    struct arena *arena = arena_new();
    struct err err;
    threaded_reserve();
    struct minder *minder = minder_new(arena, &listener, serve);
    return minder_start(minder, &err) == 0 ? minder : NULL;
}

/* Until all it said is read. */
static void read_all(struct minder *minder) {
    struct pollfd fds[MINDER_FDS];
    do {
        poll(fds, (nfds_t)minder_poll(minder, fds), -1);
    } while (minder_read(minder) == 0);
}

/* Tells whether there is nothing left to wait for with a worker that is gone. */
static void pauses(void *arg, int fd) {
    static char much[8 << 20];
    struct pollfd fds[MINDER_FDS];
    int told = fcntl(fd, F_DUPFD_CLOEXEC, 20);
    struct minder *minder = begin(reads_one);
    (void)arg;
    while (!minder_gone(minder)) {
    }
    minder_pause(minder, true);
    minder_send(minder, RELAY_EXECUTE, much, sizeof much);
    char good = minder_poll(minder, fds) == 0;
    minder_pause(minder, false);
    good = good && minder_poll(minder, fds) == 1 && minder_read(minder) == 1;
    (void)!write(told, &good, 1);
}

/* Else the supervisor would turn without rest until the pause ends. */
TEST(minder_waits_for_nobody_to_read) {
    struct buf *told = buf_new(check_arena());
    check_int(apart_look(told, 20000, pauses, NULL), 0);
    check(told->length == 1 && told->data[0] == 1);
}

/* Tells the hopes after three deaths, each while the state comes back, and what is given up. */
static void dies(void *arg, int fd) {
    int told = fcntl(fd, F_DUPFD_CLOEXEC, 20);
    struct minder *minder = begin(tells_its_state);
    struct err err;
    (void)arg;
    for (int i = 0; i < 3; i++) {
        read_all(minder);
        char hope = (char)('0' + minder_bury(minder));
        (void)!write(told, &hope, 1);
        (void)!write(told, minder_lost(minder), strlen(minder_lost(minder)));
        (void)!write(told, minder_zh(minder) ? "z" : "e", 1);
        (void)minder_start(minder, &err);
    }
}

TEST(minder_names_what_it_gives_up) {
    struct buf *told = buf_new(check_arena());
    check_int(apart_look(told, 20000, dies, NULL), 0);
    check_same(told->data, "2z1gpt2, newsz1gpt2, newsz");
}
