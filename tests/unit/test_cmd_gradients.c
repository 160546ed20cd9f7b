#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "kernel/worker/run_cell.h"
#include "tests/check.h"

/* What a cell says: streams and plain texts. */
static struct buf *said;
static struct err failed;

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

/* A session with a cache folder of its own. */
static struct session *session_here(void) {
    struct session *session = session_new();
    setenv("XDG_CACHE_HOME", check_folder(check_arena()), 1);
    session_set(session, "language", "en");
    arena_defer(check_arena(), close_session, session);
    return session;
}

static const char *run(struct session *session, const char *code) {
    const struct reply_sink sink = { .stream = on_stream, .bundle = on_bundle };
    const struct run_request request = { .code = code, .length = strlen(code), .count = 1 };
    struct run_outcome outcome = { 0 };
    said = buf_new(check_arena());
    if (run_cell(check_arena(), session, &sink, &request, &outcome) == 0) {
        failed = (struct err){ 0 };
    } else {
        failed = outcome.err;
    }
    return said->data;
}

TEST(cmd_gradients_shows_what_is_asked) {
    struct session *session = session_here();
    check_text(run(session, "%model new rnn --gain 0.5 --as deep"), "deep is new: rnn_lm, 2");
    const char *seen = run(session, "%%gradients\nIt was the best of times.");
    check_text(seen, "[application/vnd.cutaway.histogram.v1+json] Vanishing through time");
    check_text(seen, "[application/vnd.cutaway.lines.v1+json] Vanishing through time");
    check_text(run(session, "%%gradients --view norms\nIt was the best of times."), "bars.v1");
    check_text(run(session, "%%gradients --view units\nIt was the best."), "saturated");
    check_text(run(session, "%%gradients --lang zh\nIt was the best of times."), "沿时间消失");
    check_text(run(session, "%%gradients --by tensor\nIt was the best."), "rnn.weight_hh_l1");
}

TEST(cmd_gradients_keeps_what_it_shows) {
    struct session *session = session_here();
    run(session, "%model new lstm");
    run(session, "%%gradients --as g\nIt was the best of times.");
    check_same(failed.text, "");
    check_text(run(session, "%show g.flow"), "Healthy through time");
    check_text(run(session, "%results"), "g.flow");
}

TEST(cmd_gradients_refuses_in_one_sentence) {
    struct session *session = session_here();
    run(session, "%%gradients\nx");
    check_text(failed.text, "no model");
    run(session, "%model new lstm");
    run(session, "%%gradients\n");
    check_text(failed.text, "there is no text to look at");
    run(session, "%%gradients\nx");
    check_text(failed.text, "no token of these texts can be scored");
    check_int(failed.line, 2);
    run(session, "%%gradients --target long\nhello");
    check_text(failed.text, "long is 4 tokens of this model");
    check_int(failed.column, 22);
    run(session, "%%gradients --bins 2\nhello");
    check_text(failed.text, "5");
}

/* A cell that is changed and run again replaces the model it made. */
TEST(cmd_model_new_runs_again) {
    struct session *session = session_here();
    const char *first = arena_copy(check_arena(), run(session, "%model new gru --hidden 8"));
    check_same(run(session, "%model new gru --hidden 8"), first);
    check_text(run(session, "%model new gru --hidden 9"), "of 9 units");
    check_same(failed.text, "");
}

TEST(cmd_model_new_refuses_what_it_cannot_make) {
    struct session *session = session_here();
    run(session, "%model new");
    check_text(failed.text, "%model new needs rnn, lstm or gru");
    run(session, "%model new cnn");
    check_text(failed.text, "makes rnn, lstm or gru, not \"cnn\"");
    run(session, "%model new rnn --gain much");
    check_text(failed.text, "--gain is a number");
    run(session, "%model new rnn --gain 0");
    check_text(failed.text, "the gain is above 0");
    run(session, "%model new lstm --act relu");
    check_text(failed.text, "--act is for rnn");
    run(session, "%model list --gain 2");
    check_text(failed.text, "%model list has no use for --gain");
}

TEST(cmd_weights_shows_and_compares) {
    struct session *session = session_here();
    run(session, "%model new lstm");
    check_text(run(session, "%weights"), "is NaN or infinite");
    check_text(run(session, "%%weights --view norms\n"), "largest root mean square");
    check_text(run(session, "%weights --vs lstm --view cost"),
               "Every weight of lstm is that of");
    run(session, "%weights --view cost");
    check_text(failed.text, "add --vs");
    run(session, "%weights --vs nobody");
    check_text(failed.text, "nobody");
    run(session, "%%weights\nsome text");
    check_text(failed.text, "takes no text below it");
}
