#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "tests/check.h"
#include "tests/looks.h"
#include "tests/stage.h"

static struct session *session_here(void) {
    struct session *session = stage_session();
    stage_run(session, "%model new lstm");
    return session;
}

/* A cell's line cannot hold a line's end. */
TEST(cmd_generate_stops_at_the_end_of_a_line) {
    struct session *session = session_here();
    const char *line = "%%generate --max 2000 --temperature 2 --seed 1 --stop '\\n'\nIt was";
    const char *all = stage_run(session, line);
    check_text(all, "The text of --stop came.");
    check_text(stage_run(session, "%%generate --stop '\\q' --max 2\nIt was"),
               "stopped at --max 2");
}

TEST(cmd_generate_refuses_in_one_sentence) {
    struct session *session = session_here();
    check_text(stage_run(session, "%%generate\n\n"), "there is no text to go on from");
    check_text(stage_run(session, "%%generate --max 0\nx"), "--max cannot be 0");
    check_text(stage_run(session, "%%generate --temperature nan\nx"), "a number from 0 to 100");
    check_text(stage_run(session, "%%generate --top-p 1.5\nx"), "a number from 0 to 1");
    check_text(stage_run(session, "%%generate --chat\nx"), "has no chat template");
}

/* Whenever an interrupt comes, also while the picture is made: who has read a token sees it. */
TEST(cmd_generate_shows_what_it_wrote_whenever_it_is_interrupted) {
    static const char cell[] = "%%generate --max 3 --as written\nIt was";
    struct session *session = session_here();
    int64_t before = looks_count(), stopped = 0, whole = 0;
    stage_run(session, cell);
    int64_t looks = looks_count() - before, step = looks / 60 + 1;
    for (int64_t i = 1; i <= looks; i += step) {
        looks_stop_at(i);
        const char *said = stage_run(session, cell);
        looks_stop_at(0);
        stop_clear();
        bool wrote = said[0] != '\0' && strncmp(said, "interrupted", 11) != 0;
        check(stage_err.kind == ERR_NONE || stage_err.kind == ERR_STOP);
        if (!check(!wrote || strstr(said, "It was surest about "))) {
            printf("  at look %lld of %lld: %s\n", (long long)i, (long long)looks, said);
        }
        stopped += stage_err.kind == ERR_STOP;
        whole += stage_err.kind == ERR_NONE;
        stage_run(session, wrote ? "%show written" : "");
        check_int(stage_err.kind, ERR_NONE);
    }
    check(stopped > 0 && whole > 0);
}
