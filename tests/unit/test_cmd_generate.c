#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "kernel/worker/run_cell.h"
#include "tests/check.h"

static struct buf *said;

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    (void)arg, (void)is_error;
    buf_add(said, text, length);
}

static void on_bundle(void *arg, const struct bundle *bundle) {
    (void)arg;
    buf_printf(said, "[%s] %s\n", bundle->mime, bundle->text);
}

static void close_session(void *what) {
    session_free(what);
}

/* What a cell says: streams and plain texts; or why it fails. */
static const char *run(struct session *session, const char *code) {
    const struct reply_sink sink = { .stream = on_stream, .bundle = on_bundle };
    const struct run_request request = { .code = code, .length = strlen(code), .count = 1 };
    struct run_outcome outcome = { 0 };
    said = buf_new(check_arena());
    bool good = run_cell(check_arena(), session, &sink, &request, &outcome) == 0;
    return good ? said->data : arena_copy(check_arena(), outcome.err.text);
}

static struct session *session_here(void) {
    struct session *session = session_new();
    setenv("XDG_CACHE_HOME", check_folder(check_arena()), 1);
    session_set(session, "language", "en");
    arena_defer(check_arena(), close_session, session);
    run(session, "%model new lstm");
    return session;
}

/* A cell's line cannot hold a line's end. */
TEST(cmd_generate_stops_at_the_end_of_a_line) {
    struct session *session = session_here();
    const char *line = "%%generate --max 2000 --temperature 2 --seed 1 --stop '\\n'\nIt was";
    const char *all = run(session, line);
    check_text(all, "The text of --stop came.");
    check_text(run(session, "%%generate --stop '\\q' --max 2\nIt was"), "stopped at --max 2");
}

TEST(cmd_generate_refuses_in_one_sentence) {
    struct session *session = session_here();
    check_text(run(session, "%%generate\n\n"), "there is no text to go on from");
    check_text(run(session, "%%generate --max 0\nx"), "--max cannot be 0");
    check_text(run(session, "%%generate --temperature nan\nx"), "a number from 0 to 100");
    check_text(run(session, "%%generate --top-p 1.5\nx"), "a number from 0 to 1");
    check_text(run(session, "%%generate --chat\nx"), "has no chat template");
}
