#include "kernel/worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "core/base/catch.h"
#include "core/base/memory.h"
#include "core/base/pipe.h"
#include "kernel/relay/relay.h"
#include "kernel/worker/run_cell.h"

struct worker {
    struct session *session;
    struct arena *told;        /* holds the two texts below */
    const char *names, *state; /* as the front was told last */
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

/* Tells names and state if they have changed, or whatever they are. */
static void tell(struct worker *worker, bool anyway) {
    struct arena *arena = arena_new();
    const char *names = session_names(worker->session, arena);
    const char *state = session_state(worker->session, arena);
    if (anyway || strcmp(names, worker->names) != 0) {
        send_text(RELAY_NAMES, names);
    }
    if (strcmp(state, worker->state) != 0) {
        send_text(RELAY_STATE, state);
    }
    arena_free(worker->told);
    *worker = (struct worker){ worker->session, arena, names, state };
}

static void restore(struct worker *worker, struct arena *arena, const struct buf *state) {
    struct buf *complaints = buf_new(arena);
    session_restore(worker->session, state->data, complaints);
    if (complaints->length > 0) {
        send_stream(NULL, true, complaints->data, complaints->length);
    }
    tell(worker, true);
}

static int execute(struct worker *worker, struct arena *arena, const struct buf *frame) {
    const struct reply_sink sink = { .stream = send_stream,
                                     .message = send_message,
                                     .follows = true };
    struct relay_execute head;
    struct run_request request;
    struct run_outcome outcome;
    const char **names, **texts;
    if (relay_execute_read(arena, frame->data, frame->length, &head, &request.code, &names,
                           &texts) < 0) {
        return -1;
    }
    request.length = (size_t)head.code_length;
    request.count = head.count;
    request.silent = head.silent;
    request.expressions = head.expressions;
    request.names = names;
    request.texts = texts;
    char status = run_cell(arena, worker->session, &sink, &request, &outcome) < 0 ? RELAY_ERROR
                                                                                  : RELAY_OK;
    tell(worker, false);
    pipe_write(RELAY_FD, RELAY_DONE, &status, 1, outcome.content, strlen(outcome.content));
    return 0;
}

/* The front repeats an interrupt until the cell ends, so one that is ignored while the session
 * comes back stops the cell and costs no model. SIGTERM and SIGHUP end the process as usual:
 * nothing here needs saving. */
static void take_interrupts(void) {
    struct sigaction interrupt = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
    sigemptyset(&interrupt.sa_mask);
    sigaction(SIGINT, &interrupt, NULL);
}

/* One request. 1: done; 0: the supervisor is gone; -1: what came is no request. */
static int serve(struct worker *worker) {
    struct arena *arena = arena_new();
    struct buf *frame = buf_new(arena);
    uint32_t kind;
    int got = pipe_read(RELAY_FD, &kind, frame);
    stop_clear(); /* an interrupt that came late was meant for the cell before */
    if (got < 0 && errno == EINTR) {
        got = 1;
    } else if (got > 0 && kind == RELAY_RESTORE) {
        restore(worker, arena, frame);
        take_interrupts();
    } else if (got > 0) {
        got = kind == RELAY_EXECUTE && execute(worker, arena, frame) == 0 ? 1 : -1;
    }
    arena_free(arena);
    return got;
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
    arena_budget(memory_budget());
    struct worker worker = {
        .session = session_new(), .told = arena_new(), .names = "", .state = ""
    };
    int got;
    while ((got = serve(&worker)) > 0) {
    }
    session_free(worker.session);
    arena_free(worker.told);
    return got < 0 ? 70 : 0;
}
