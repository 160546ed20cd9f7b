/* settings: names, values, what is said of others; and that the session has the same. */
#include "kernel/command/settings.h"

#include <string.h>

#include "core/base/buf.h"
#include "kernel/command/command.h"
#include "kernel/session/session.h"
#include "kernel/worker/run_cell.h"
#include "tests/check.h"

static const char *kept(const char *name, const char *value) {
    static char room[SETTINGS_VALUE];
    struct err err = { 0 };
    return settings_check(name, value, room, NULL, &err) < 0 ? "" : room;
}

static const char *refusal(const char *name, const char *value, int wanted) {
    static struct err err;
    char room[SETTINGS_VALUE];
    int wrong = -1;
    check_int(settings_check(name, value, room, &wrong, &err), -1);
    check_int(err.kind, ERR_OPTION);
    check_int(wrong, wanted);
    return err.text;
}

TEST(settings_take_what_they_can_be) {
    check_same(kept("language", "zh"), "zh");
    check_same(kept("theme", "dark"), "dark");
    check_same(kept("colours", "viridis"), "viridis");
    check_same(kept("time", "on"), "on");
    check_same(kept("seed", "007"), "7");
    check_same(kept("seed", "999999999999999999"), "999999999999999999");
}

TEST(settings_name_the_nearest) {
    check_same(refusal("them", "dark", 0), "there is no setting \"them\": did you mean theme?");
    check_same(refusal("", "dark", 0),
               "there is no setting \"\": there are language, theme, colours, seed and time");
    check_same(refusal("theme", "drak", 1),
               "theme is light or dark, not \"drak\": did you mean dark?");
    check_same(refusal("colours", "pink", 1),
               "colours is cutaway, viridis or grey, not \"pink\"");
    check_same(refusal("theme", "light dark", 1), "theme is light or dark, not \"light dark\"");
    check_text(refusal("seed", "1e3", 1), "a whole number of at most 18 digits, not \"1e3\"");
    check_text(refusal("seed", "-1", 1), "not \"-1\"");
    check_text(refusal("seed", "1000000000000000000", 1), "at most 18 digits");
    check_text(refusal("seed", "", 1), "not \"\"");
    check_text(refusal("seed", "\x1b[31m", 1), "\\x1b");
}

static void close_session(void *what) {
    session_free(what);
}

static struct session *session_here(void) {
    struct session *session = session_new();
    session_set(session, "language", "en");
    arena_defer(check_arena(), close_session, session);
    return session;
}

TEST(settings_are_those_of_the_session) {
    struct session *session = session_here();
    char room[SETTINGS_VALUE];
    struct err err;
    for (int64_t i = 0; i < settings_count; i++) {
        const char *value = session_setting(session, settings[i].name);
        check(value && settings_check(settings[i].name, value, room, NULL, &err) == 0);
        check_text(command_find("set")->subcommands, settings[i].name);
    }
}

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    (void)is_error;
    buf_add(arg, text, length);
}

static void on_bundle(void *arg, const struct bundle *bundle) {
    buf_text(arg, bundle->text);
}

/* What the cell says, or why it fails. */
static const char *run(struct session *session, const char *code) {
    struct buf *said = buf_new(check_arena());
    const struct reply_sink sink = { .stream = on_stream, .bundle = on_bundle, .arg = said };
    const struct run_request request = { .code = code, .length = strlen(code), .count = 1 };
    struct run_outcome outcome;
    bool good = run_cell(check_arena(), session, &sink, &request, &outcome) == 0;
    return good ? said->data : arena_copy(check_arena(), outcome.err.text);
}

TEST(cmd_set_sets_and_shows) {
    struct session *session = session_here();
    check_same(run(session, "%set theme dark\n%set theme\n%set seed 08"), "theme is dark\n");
    check_same(session_setting(session, "seed"), "8");
    const char *all = run(session, "%set");
    check_text(all, "cutaway, viridis, grey");
    check_text(all, "light, dark");
    check_same(run(session, "%set language zh"), "");
    check_text(run(session, "%set"), "本会话的设置");
    check_text(run(session, "%set them dark"), "did you mean theme?");
    check_text(run(session, "%set theme drak"), "did you mean dark?");
    check_text(run(session, "%set theme dark light"), "a name and one value");
    check_same(session_setting(session, "theme"), "dark");
}

TEST(cmd_set_survives_a_worker) {
    struct session *session = session_here(), *again = session_here();
    run(session, "%set theme dark\n%set colours grey\n%set language zh");
    struct buf *complaints = buf_new(check_arena());
    session_restore(again, session_state(session, check_arena()), complaints, NULL, NULL);
    check_same(session_setting(again, "theme"), "dark");
    check_same(session_setting(again, "colours"), "grey");
    check_same(session_setting(again, "language"), "zh");
    check_same(complaints->data, "");
}
