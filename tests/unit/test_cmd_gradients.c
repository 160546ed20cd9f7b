#include <string.h>

#include "tests/check.h"
#include "tests/stage.h"

TEST(cmd_gradients_shows_what_is_asked) {
    struct session *session = stage_session();
    check_text(stage_run(session, "%model new rnn --gain 0.5 --as deep"),
               "deep is new: rnn_lm, 2");
    const char *seen = stage_run(session, "%%gradients\nIt was the best of times.");
    check_text(seen, "[application/vnd.cutaway.histogram.v1+json] Vanishing through time");
    check_text(seen, "[application/vnd.cutaway.lines.v1+json] Vanishing through time");
    check_text(stage_run(session, "%%gradients --view norms\nIt was the best of times."),
               "bars.v1");
    check_text(stage_run(session, "%%gradients --view norms --by tensor\nIt was the best."),
               "rnn.weight_hh_l1");
    check_text(stage_run(session, "%%gradients --view units\nIt was the best."), "saturated");
    check_text(stage_run(session, "%%gradients --lang zh\nIt was the best of times."),
               "沿时间消失");
    check_text(stage_run(session, "%%gradients --by tensor\nIt was the best."),
               "rnn.weight_hh_l1");
}

TEST(cmd_gradients_keeps_what_it_shows) {
    struct session *session = stage_session();
    stage_run(session, "%model new lstm");
    stage_run(session, "%%gradients --as g\nIt was the best of times.");
    check_same(stage_err.text, "");
    check_text(stage_run(session, "%show g.flow"), "Healthy through time");
    check_text(stage_run(session, "%results"), "g.flow");
}

TEST(cmd_gradients_refuses_in_one_sentence) {
    struct session *session = stage_session();
    stage_run(session, "%%gradients\nx");
    check_text(stage_err.text, "no model");
    stage_run(session, "%model new lstm");
    stage_run(session, "%%gradients\n");
    check_text(stage_err.text, "there is no text to look at");
    stage_run(session, "%%gradients\nx");
    check_text(stage_err.text, "no token of these texts can be scored");
    check_int(stage_err.line, 2);
    stage_run(session, "%%gradients --target long\nhello");
    check_text(stage_err.text, "long is 4 tokens of this model");
    check_int(stage_err.column, 22);
    stage_run(session, "%%gradients --bins 2\nhello");
    check_text(stage_err.text, "5");
}

/* A cell that is changed and run again replaces the model it made. */
TEST(cmd_model_new_runs_again) {
    struct session *session = stage_session();
    const char *first =
        arena_copy(check_arena(), stage_run(session, "%model new gru --hidden 8"));
    check_same(stage_run(session, "%model new gru --hidden 8"), first);
    check_text(stage_run(session, "%model new gru --hidden 9"), "of 9 units");
    check_same(stage_err.text, "");
}

TEST(cmd_model_new_refuses_what_it_cannot_make) {
    struct session *session = stage_session();
    stage_run(session, "%model new");
    check_text(stage_err.text, "%model new needs rnn, lstm or gru");
    stage_run(session, "%model new cnn");
    check_text(stage_err.text, "makes rnn, lstm or gru, not \"cnn\"");
    stage_run(session, "%model new rnn --gain much");
    check_text(stage_err.text, "--gain is a number");
    stage_run(session, "%model new rnn --gain 0");
    check_text(stage_err.text, "the gain is above 0");
    stage_run(session, "%model new lstm --act relu");
    check_text(stage_err.text, "--act is for rnn");
    stage_run(session, "%model list --gain 2");
    check_text(stage_err.text, "%model list has no use for --gain");
}

TEST(cmd_weights_shows_and_compares) {
    struct session *session = stage_session();
    stage_run(session, "%model new lstm");
    check_text(stage_run(session, "%weights"), "is NaN or infinite");
    check_text(stage_run(session, "%%weights --view norms\n"), "largest root mean square");
    check_text(stage_run(session, "%weights --view norms --by tensor"), "rnn.bias_hh_l1");
    check_text(stage_run(session, "%weights --vs lstm --view cost"),
               "Every weight of lstm is that of");
    stage_run(session, "%weights --view cost");
    check_text(stage_err.text, "add --vs");
    stage_run(session, "%weights --vs nobody");
    check_text(stage_err.text, "nobody");
    stage_run(session, "%%weights\nsome text");
    check_text(stage_err.text, "takes no text below it");
}
