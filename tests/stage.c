#include "tests/stage.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "kernel/worker/run_cell.h"
#include "tests/check.h"

struct err stage_err;

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    (void)is_error;
    buf_add(arg, text, length);
}

static void on_bundle(void *arg, const struct bundle *bundle) {
    buf_printf(arg, "[%s] %s\n", bundle->mime, bundle->text);
}

static const char *next_answer;

static int on_ask(void *arg, const char *prompt, bool secret, struct buf *answer,
                  struct err *err) {
    (void)err;
    buf_printf(arg, "asked%s: %s\n", secret ? " in secret" : "", prompt);
    buf_text(answer, next_answer ? next_answer : "");
    return next_answer ? 1 : 0;
}

static void close_session(void *what) {
    session_free(what);
}

struct session *stage_session(void) {
    struct session *session = session_new();
    setenv("XDG_CACHE_HOME", check_folder(check_arena()), 1);
    session_set(session, "language", "en");
    arena_defer(check_arena(), close_session, session);
    return session;
}

const char *stage_run(struct session *session, const char *code) {
    struct buf *said = buf_new(check_arena());
    const struct reply_sink sink = {
        .stream = on_stream, .bundle = on_bundle, .ask = on_ask, .arg = said
    };
    const struct run_request request = { .code = code, .length = strlen(code), .count = 1 };
    struct run_outcome outcome = { 0 };
    bool good = run_cell(check_arena(), session, &sink, &request, &outcome) == 0;
    stage_err = good ? (struct err){ 0 } : outcome.err;
    buf_text(said, stage_err.text);
    return said->data;
}

const char *stage_answered(struct session *session, const char *answer, const char *code) {
    next_answer = answer;
    const char *said = stage_run(session, code);
    next_answer = NULL;
    return said;
}
