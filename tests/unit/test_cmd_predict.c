#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "tests/check.h"
#include "tests/looks.h"
#include "tests/stage.h"

static struct session *session_here(const char *model) {
    struct session *session = stage_session();
    char *path =
        realpath(check_fixture(check_arena(),
                               arena_printf(check_arena(), "golden/data/models/%s", model)),
                 NULL);
    stage_run(session, arena_printf(check_arena(), "%%model load %s", path));
    free(path);
    return session;
}

/* One that cannot be read does not cost those before it. */
TEST(cmd_predict_shows_what_it_read_before_a_bad_text) {
    struct session *session = session_here("bert_mlm");
    const char *said = stage_run(session, "%%predict --as some\n"
                                          "the [MASK] is\na [MASK] to\nhello\nthe [MASK]");
    check_text(said, "is surest about “the [MASK] is”");
    check_int(stage_err.kind, ERR_TEXT);
    check_text(stage_err.text, "there is no [MASK] in the text");
    stage_run(session, "%show some");
    check_int(stage_err.kind, ERR_NONE);
    said = stage_run(session, "%%predict --as none\nhello\nthe [MASK] is");
    check(!strstr(said, "surest"));
    check_int(stage_err.kind, ERR_TEXT);
}

/* Of two models the first has read something and the second is not reached: it has the name. */
TEST(cmd_predict_keeps_what_the_first_of_two_models_read) {
    struct session *session = session_here("bert_mlm");
    stage_run(session,
              arena_printf(check_arena(), "%%model load %s --as twin",
                           check_fixture(check_arena(), "golden/data/models/bert_mlm")));
    check_int(stage_err.kind, ERR_NONE);
    const char *said =
        stage_run(session, "%%predict --model bert_mlm,twin --as both\nthe [MASK] is\nhello");
    check_text(said, "surest");
    check_int(stage_err.kind, ERR_TEXT);
    stage_run(session, "%show both");
    check_int(stage_err.kind, ERR_NONE);
    stage_run(session, "%show _");
    check_int(stage_err.kind, ERR_NONE);
}

/* Whenever an interrupt comes, it costs the text at hand and not those before it. */
TEST(cmd_predict_keeps_what_it_read_when_interrupted) {
    static const char cell[] = "%%predict --as read\nThe model\nThe model reads\nThe\nIt was";
    struct session *session = session_here("gpt2");
    int64_t before = looks_count(), kept = 0;
    stage_run(session, cell);
    int64_t looks = looks_count() - before, step = looks / 60 + 1;
    for (int64_t i = 1; i <= looks; i += step) {
        looks_stop_at(i);
        const char *said = stage_run(session, cell);
        looks_stop_at(0);
        stop_clear();
        check(stage_err.kind == ERR_NONE || stage_err.kind == ERR_STOP);
        bool told =
            strstr(stage_err.text, "what had been read by then is shown above and kept");
        check(!told || strstr(said, "The model"));
        kept += told;
        stage_run(session, told ? "%show read" : "");
        check_int(stage_err.kind, ERR_NONE);
    }
    check(kept > 0);
}
