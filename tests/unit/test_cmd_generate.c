#include <string.h>

#include "tests/check.h"
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
