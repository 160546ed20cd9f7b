/* ask: a cell's question and what comes back, played in a process apart by one end of the pipe
 * that is the worker's (RELAY_FD). */
#include "kernel/worker/ask.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/apart.h"
#include "core/base/catch.h"
#include "core/base/pipe.h"
#include "kernel/relay/relay.h"
#include "tests/check.h"

/* What the supervisor says, in one go, before the question is put. */
struct play {
    const char *frames[4]; /* the first byte is '0' + kind; the rest its content */
    const char *answer;    /* then the reader's; NULL: none */
    bool ends;             /* then it is gone */
    bool stopped;          /* the user interrupted */
};

static int far;

static void say(const struct play *play) {
    for (int i = 0; i < 4 && play->frames[i]; i++) {
        const char *one = play->frames[i];
        pipe_write(far, (uint32_t)(one[0] - '0'), one + 1, strlen(one + 1), NULL, 0);
    }
    if (play->answer) {
        const char text = RELAY_TEXT;
        pipe_write(far, RELAY_ANSWER, &text, 1, play->answer, strlen(play->answer));
    }
    if (play->ends) {
        shutdown(far, SHUT_WR);
    }
    if (play->stopped) {
        stop_request();
    }
}

/* Tells the returned number, the answer or the error, and what was put aside. */
static void ask_and_tell(void *arg, int fd) {
    int told = fcntl(fd, F_DUPFD_CLOEXEC, 20), ends[2];
    struct arena *arena = arena_new();
    struct ask ask = { .arena = arena };
    struct buf *answer = buf_new(arena), *frame = buf_new(arena);
    struct catch here;
    struct err err = { 0 };
    uint32_t kind;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return;
    }
    far = fcntl(ends[1], F_DUPFD_CLOEXEC, 20);
    dup2(ends[0], RELAY_FD);
    stop_clear();
    say(arg);
    if (setjmp(catch_set(&here)->place) == 0) {
        dprintf(told, "%d ", ask_reader(&ask, "who?", true, answer, &err));
        dprintf(told, "[%s]%s", answer->data, err.text);
    } else {
        dprintf(told, "%s", here.err.text);
    }
    catch_end(&here);
    while (ask_deferred(&ask, &kind, frame)) {
        dprintf(told, " %u:%s", kind, frame->data);
    }
    pipe_read(far, &kind, frame);
    dprintf(told, " asked %d%d%s", kind == RELAY_INPUT, frame->data[0], frame->data + 1);
    ask_free(&ask);
    arena_free(arena);
}

static const char *played(struct play play) {
    struct buf *told = buf_new(check_arena());
    check_int(apart_look(told, 20000, ask_and_tell, &play), 0);
    return told->data;
}

TEST(ask_gives_the_reader_s_answer) {
    check_same(played((struct play){ .answer = "me" }), "1 [me] asked 11who?");
    check_same(played((struct play){ .answer = "" }), "1 [] asked 11who?");
    check_same(played((struct play){ .frames = { "4two", "3one" }, .answer = "猫" }),
               "1 [猫] 4:two 3:one asked 11who?");
}

TEST(ask_says_why_nobody_answers) {
    check_same(played((struct play){ .frames = { "5\2no front end" } }),
               "-1 []no front end asked 11who?");
    check_same(played((struct play){ .frames = { "5\1" } }), "0 [] asked 11who?"); /* the end */
    check_same(played((struct play){ .ends = true }),
               "-1 []the kernel is gone, so nobody can answer asked 11who?");
    check_same(played((struct play){ .stopped = true }), "interrupted asked 11who?");
}

TEST(ask_puts_aside_what_is_no_answer) {
    check_same(played((struct play){ .frames = { "3one", "4two", "3", "5\2x" } }),
               "-1 []x 3:one 4:two 3: asked 11who?");
    check_same(played((struct play){ .frames = { "3one" }, .ends = true }),
               "-1 []the kernel is gone, so nobody can answer 3:one asked 11who?");
    check_same(played((struct play){ .frames = { "3one" }, .stopped = true }),
               "interrupted asked 11who?");
}
