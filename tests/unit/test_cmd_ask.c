/* %ask: the answer as a result, and what a secret leaves. */
#include <string.h>

#include "core/result/column.h"
#include "tests/check.h"
#include "tests/stage.h"

TEST(ask_keeps_the_answer) {
    struct session *session = stage_session();
    struct err err = { 0 };
    const char *said =
        stage_answered(session, "on the 猫", "%ask Where does it sit? --as where");
    check_text(said, "asked: Where does it sit?");
    check_text(said, "The reader answered: on the 猫");
    const struct result *kept = session_result(session, "where", &err);
    check(kept != NULL);
    check_same(column_text(check_arena(), kept, "answer", 0), "on the 猫");
    check_same(column_text(check_arena(), kept, "characters", 0), "8");
    check_text(stage_run(session, "%show where"), "on the 猫");
}

TEST(ask_speaks_chinese) {
    check_text(stage_answered(stage_session(), "猫", "%ask 谁？ --lang zh"), "读者回答：猫");
}

/* Neither in what is shown nor in what is kept. */
TEST(ask_hides_a_secret) {
    struct session *session = stage_session();
    struct err err = { 0 };
    const char *said = stage_answered(session, "sesame", "%ask Word? --secret --as s");
    check_text(said, "asked in secret: Word?");
    check_text(said, "6 characters");
    check(!strstr(said, "sesame"));
    const struct result *kept = session_result(session, "s", &err);
    check_same(kept->text, "");
    check(!strstr(column_text(check_arena(), kept, "answer", 0), "sesame"));
    check(!strstr(stage_run(session, "%show s"), "sesame"));
}

TEST(ask_refuses) {
    struct session *session = stage_session();
    check_text(stage_answered(session, NULL, "%ask Anyone?"), "ended the input");
    check_int(stage_err.kind, ERR_TEXT);
    check_text(stage_run(session, "%ask"), "wants the question");
    check_int(stage_err.kind, ERR_OPTION);
    check_text(stage_answered(session, "a", "%ask Who? --as _"), "cannot be called");
    check_int(stage_err.kind, ERR_OPTION);
}
