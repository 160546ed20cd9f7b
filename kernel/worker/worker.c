#include "kernel/worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/base/memory.h"
#include "core/base/pipe.h"
#include "kernel/command/settings.h"
#include "kernel/relay/relay.h"
#include "kernel/session/overview.h"
#include "kernel/worker/ask.h"
#include "kernel/worker/run_cell.h"
#include "kernel/worker/sandbox.h"
#include "kernel/worker/tile.h"

enum {
    REMEMBERED = 512 << 20, /* bytes of results without a name, at most */
    LEFT = 512 << 20        /* bytes of results left to the next worker, at most */
};

struct worker {
    struct session *session;
    struct arena *told; /* holds the texts below, as the front was told last */
    const char *names, *state, *status;
    int64_t changes; /* of the models, when their sites were told; -1: never */
    struct ask ask;
};

static void on_interrupt(int number) {
    (void)number;
    stop_request();
}

static void send_text(uint32_t kind, const char *text) {
    pipe_write(RELAY_FD, kind, text, strlen(text), NULL, 0);
}

static void send_stream(void *arg, bool is_error, const char *text, size_t length) {
    (void)arg;
    char which = is_error ? 2 : 1;
    pipe_write(RELAY_FD, RELAY_STREAM, &which, 1, text, length);
}

static void send_message(void *arg, const char *type, const char *content, size_t length) {
    (void)arg;
    pipe_write(RELAY_FD, RELAY_MESSAGE, type, strlen(type) + 1, content, length);
}

static void send_progress(void *arg, const struct reply_progress *progress) {
    (void)arg;
    const struct relay_progress head = { progress->done, progress->total, progress->left };
    const char *what = progress->what ? progress->what : "";
    pipe_write(RELAY_FD, RELAY_PROGRESS, &head, sizeof head, what, strlen(what));
}

static void send_changed(uint32_t kind, const char *now, const char *before) {
    if (strcmp(now, before) != 0) {
        send_text(kind, now);
    }
}

/* Tells what has changed; names whatever they are, where that says that all is there again. */
static void tell(struct worker *worker, struct arena *scratch, bool anyway) {
    struct arena **guard = guard_arena(scratch), *arena = *guard;
    const struct worker now = { .session = worker->session,
                                .told = arena,
                                .names = session_names(worker->session, arena),
                                .state = session_state(worker->session, arena),
                                .status = overview_state(worker->session, arena),
                                .changes = session_model_changes(worker->session),
                                .ask = worker->ask };
    if (now.changes != worker->changes) {
        send_text(RELAY_SITES, overview_sites(worker->session, arena));
    }
    send_changed(RELAY_STATUS, now.status, worker->status);
    if (anyway || strcmp(now.names, worker->names) != 0) {
        send_text(RELAY_NAMES, now.names);
    }
    send_changed(RELAY_STATE, now.state, worker->state);
    arena_free(worker->told);
    *worker = now;
    *guard = NULL; /* it is the worker's now */
}

/* The same after a request, which is answered also where there is no memory to tell: what was
 * not told is with the next. */
static void tell_safely(struct worker *worker, struct arena *scratch) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        tell(worker, scratch, false);
    }
    catch_end(&here);
}

/* Fails a cell that cannot begin, for want of memory or by an interrupt; `said` is a sentence
 * of ours, without quotes. */
static void cell_fail(const char *head_bytes, size_t length, enum err_kind kind,
                      const char *said) {
    struct relay_execute head = { 0 };
    char content[2 * sizeof(struct err) + 300];
    const char *name = err_name(kind), status = RELAY_ERROR;
    memcpy(&head, head_bytes, length < sizeof head ? length : sizeof head);
    snprintf(
        content, sizeof content,
        "{\"status\":\"error\",\"execution_count\":%lld,\"ename\":\"%s\",\"evalue\":\"%s\","
        "\"traceback\":[\"%s: %s\"]}",
        (long long)head.count, name, said, name, said);
    pipe_write(RELAY_FD, RELAY_DONE, &status, 1, content, strlen(content));
}

/* Answers a request that ended for want of memory. 0: it is answered. */
static int request_fail(uint32_t kind, const char *bytes, size_t length,
                        const struct err *err) {
    struct relay_tiled tiled = { 0 };
    if (kind == RELAY_EXECUTE) {
        cell_fail(bytes, length, err->kind, err->text);
    } else if (kind == RELAY_TILE && length >= sizeof tiled.ticket) {
        memcpy(&tiled.ticket, bytes, sizeof tiled.ticket);
        pipe_write(RELAY_FD, RELAY_TILED, &tiled, sizeof tiled, err->text, strlen(err->text));
    } else if (kind == RELAY_SET && length >= sizeof(uint64_t)) {
        pipe_write(RELAY_FD, RELAY_SETTLED, bytes, sizeof(uint64_t), NULL, 0);
    } else {
        return -1;
    }
    return 0;
}

/* Makes room for a frame. false, with the reason: there is none. */
static bool frame_fits(struct buf *frame, uint64_t length, struct err *err) {
    struct catch here;
    volatile bool fits = false;
    if (setjmp(catch_set(&here)->place) == 0) {
        buf_more(frame, (size_t)length);
        fits = true;
    }
    catch_end(&here);
    *err = here.err;
    return fits;
}

/* A frame, as pipe_read gives it; one for which there is no memory is answered and *kind 0. */
static int frame_read(uint32_t *kind, struct buf *frame) {
    char head[sizeof(struct relay_execute)];
    struct err err;
    uint64_t length;
    int got = pipe_head(RELAY_FD, kind, &length);
    if (got <= 0 || frame_fits(frame, length, &err)) {
        return got <= 0 ? got : pipe_body(RELAY_FD, frame->data, length);
    }
    size_t n = length < sizeof head ? (size_t)length : sizeof head;
    if (pipe_body(RELAY_FD, head, n) < 0 || pipe_body(RELAY_FD, NULL, length - n) < 0 ||
        request_fail(*kind, head, n, &err) < 0) {
        return -1;
    }
    *kind = 0;
    return 1;
}

static void put_aside(struct worker *worker, struct buf *frame) {
    struct pollfd one = { .fd = RELAY_FD, .events = POLLIN };
    uint32_t kind;
    for (buf_clear(frame); poll(&one, 1, 0) > 0 && frame_read(&kind, frame) > 0;
         buf_clear(frame)) {
        if (kind != 0) {
            ask_defer(&worker->ask, kind, frame);
        }
    }
}

/* An interrupt while the session comes back. It is for the cell that waits for that, if that
 * was put aside before the interrupt came; else it may be a late one for a cell that was
 * answered, and it is said again. */
static void stop_waiting(void *arg) {
    struct worker *worker = arg;
    struct arena **arena = guard_arena(worker->told);
    struct buf *frame = buf_new(*arena);
    bool zh = strcmp(session_setting(worker->session, "language"), "zh") == 0;
    if (ask_deferred_as(&worker->ask, RELAY_EXECUTE, frame)) {
        cell_fail(frame->data, frame->length, ERR_STOP, zh ? "已中断" : "interrupted");
    }
    put_aside(worker, frame);
    stop_clear(); /* what came until here was for no cell that is put aside now */
    guard_free(arena);
}

/* A session that cannot come back whole is one that works all the same. What the front was told
 * last it remembers, so the next worker tries again. */
static void restore(struct worker *worker, struct arena *arena, const struct buf *state) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        struct buf *complaints = buf_new(arena);
        session_restore(worker->session, state->data, complaints, stop_waiting, worker);
        if (complaints->length > 0) {
            send_stream(NULL, true, complaints->data, complaints->length);
        }
        tell(worker, arena, true);
    } else {
        static const char said[] = "The session could not come back whole: ";
        send_stream(NULL, true, said, sizeof said - 1);
        send_stream(NULL, true, here.err.text, strlen(here.err.text));
        send_stream(NULL, true, "\n", 1);
        send_text(RELAY_NAMES, "");
    }
    catch_end(&here);
}

static bool is_asked_more(const struct worker *worker) {
    struct pollfd one = { .fd = RELAY_FD, .events = POLLIN };
    return worker->ask.first || poll(&one, 1, 0) != 0;
}

/* Nobody waits for it but a next cell, which an interrupt may be for. One that comes when no
 * cell does was for the cell before. */
static void write_kept(struct worker *worker) {
    do {
        stop_clear();
    } while (!session_write(worker->session) && !is_asked_more(worker));
}

static int execute(struct worker *worker, struct arena *arena, const struct buf *frame) {
    struct reply_sink sink = { .stream = send_stream,
                               .message = send_message,
                               .progress = send_progress,
                               .arg = &worker->ask,
                               .follows = true };
    struct relay_execute head;
    struct run_request request;
    struct run_outcome outcome;
    const char **names, **texts;
    if (relay_execute_read(arena, frame->data, frame->length, &head, &request.code, &names,
                           &texts) < 0) {
        return -1;
    }
    worker->ask.arena = arena;
    sink.ask = head.asks ? ask_reader : NULL;
    request.length = (size_t)head.code_length;
    request.count = head.count;
    request.silent = head.silent;
    request.expressions = head.expressions;
    request.names = names;
    request.texts = texts;
    char status = run_cell(arena, worker->session, &sink, &request, &outcome) < 0 ? RELAY_ERROR
                                                                                  : RELAY_OK;
    tell_safely(worker, arena);
    pipe_write(RELAY_FD, RELAY_DONE, &status, 1, outcome.content, strlen(outcome.content));
    write_kept(worker);
    return 0;
}

/* A setting that the front has checked. What cannot be is left as it was. */
static int set(struct worker *worker, struct arena *arena, const struct buf *frame) {
    const char *pair[2];
    char kept[SETTINGS_VALUE];
    if (relay_pair_read(frame->data, frame->length, sizeof(uint64_t), pair) < 0) {
        return -1;
    }
    if (settings_check(pair[0], pair[1], kept, NULL, NULL) == 0) {
        session_set(worker->session, pair[0], kept);
    }
    tell_safely(worker, arena);
    pipe_write(RELAY_FD, RELAY_SETTLED, frame->data, sizeof(uint64_t), NULL, 0);
    return 0;
}

static int tile(struct worker *worker, const struct buf *frame) {
    struct relay_tile asked;
    struct err err;
    const char *pair[2];
    const float *numbers;
    if (relay_pair_read(frame->data, frame->length, sizeof asked, pair) < 0) {
        return -1;
    }
    memcpy(&asked, frame->data, sizeof asked);
    struct relay_tiled answer = { .ticket = asked.ticket };
    if (tile_find(worker->session, &asked, pair[0], pair[1], &answer, &numbers, &err) < 0) {
        pipe_write(RELAY_FD, RELAY_TILED, &answer, sizeof answer, err.text, strlen(err.text));
        return 0;
    }
    int64_t count = 1;
    for (uint32_t i = 0; i < answer.rank; i++) {
        count *= answer.shape[i];
    }
    pipe_write(RELAY_FD, RELAY_TILED, &answer, sizeof answer, numbers,
               (size_t)count * sizeof *numbers);
    return 0;
}

/* The front repeats an interrupt until the cell ends, so one that comes before this stops it
 * too. SIGTERM and SIGHUP end the process as usual: nothing here needs saving. */
static void take_interrupts(void) {
    struct sigaction interrupt = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
    sigemptyset(&interrupt.sa_mask);
    sigaction(SIGINT, &interrupt, NULL);
}

/* 0, or -1 if it is no request. */
static int request(struct worker *worker, struct arena *arena, uint32_t kind,
                   const struct buf *frame) {
    struct catch here;
    volatile int done = -1;
    if (setjmp(catch_set(&here)->place) == 0) {
        done = kind == RELAY_EXECUTE  ? execute(worker, arena, frame)
               : kind == RELAY_SET    ? set(worker, arena, frame)
               : kind == RELAY_TILE   ? tile(worker, frame)
               : kind == RELAY_ANSWER ? 0 /* its cell was interrupted */
                                      : -1;
    } else {
        done = request_fail(kind, frame->data, frame->length, &here.err);
    }
    catch_end(&here);
    return done;
}

/* One request. 1: done; 0: the supervisor is gone; -1: what came is no request. */
static int serve(struct worker *worker) {
    struct arena *arena = arena_new();
    struct buf *frame = buf_new(arena);
    uint32_t kind;
    int got = ask_deferred(&worker->ask, &kind, frame) ? 1 : frame_read(&kind, frame);
    stop_clear(); /* an interrupt that came late was meant for the cell before */
    if (got < 0 && errno == EINTR) {
        got = 1;
    } else if (got > 0 && kind == RELAY_RESTORE) {
        take_interrupts();
        restore(worker, arena, frame);
    } else if (got > 0 && kind != 0) {
        got = request(worker, arena, kind, frame) == 0 ? 1 : -1;
    }
    arena_free(arena);
    return got;
}

/* Reads what is granted and gives up the rest. -1: what came is something else. */
static int confine(void) {
    struct arena *arena = arena_new();
    struct buf *frame = buf_new(arena);
    uint32_t kind;
    bool good = pipe_read(RELAY_FD, &kind, frame) > 0 && kind == RELAY_GRANT;
    if (good) {
        sandbox_enter(frame->data, frame->length);
    }
    arena_free(arena);
    return good ? 0 : -1;
}

int worker_main(int argc, char **argv) {
    (void)argc, (void)argv;
    int type;
    socklen_t length = sizeof type;
    if (getsockopt(RELAY_FD, SOL_SOCKET, SO_TYPE, &type, &length) < 0) {
        fprintf(stderr, "cutaway worker is started by cutaway kernel, not by hand\n");
        return 64;
    }
    prctl(PR_SET_NAME, "cutaway-worker"); /* what ps shows */
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (confine() < 0) {
        return 70;
    }
    if (!sandbox_sanitized()) {
        memory_guard();
    }
    return worker_serve();
}

int worker_serve(void) {
    int64_t budget = memory_budget();
    arena_budget(budget);
    struct worker worker = { .session = session_new(),
                             .told = arena_new(),
                             .names = "",
                             .state = "",
                             .status = "",
                             .changes = -1 };
    session_journal(worker.session, RELAY_KEEP_FD, budget / 4 < LEFT ? budget / 4 : LEFT);
    session_remember(worker.session, budget / 8 < REMEMBERED ? budget / 8 : REMEMBERED);
    arena_on_shortage(session_forget, worker.session);
    int got;
    while ((got = serve(&worker)) > 0) {
    }
    arena_on_shortage(NULL, NULL);
    ask_free(&worker.ask);
    session_free(worker.session);
    arena_free(worker.told);
    return got < 0 ? 70 : 0;
}
