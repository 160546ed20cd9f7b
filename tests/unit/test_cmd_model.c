#include <stdlib.h>

#include "core/base/file.h"
#include "tests/check.h"
#include "tests/fixture.h"
#include "tests/stage.h"

/* Eight bits keep nearly all, two little; a cell runs again, and a name may be taken over. */
TEST(cmd_model_round_makes_a_twin) {
    struct session *session = stage_session();
    stage_run(session, "%model new lstm");
    check_text(stage_run(session, "%model round lstm"),
               "lstm-4bit is lstm with each number of a matrix one of 16");
    check_text(stage_run(session, "%model round lstm --bits 2 --as two --lang zh"),
               "two 是 lstm 的副本：矩阵每 32 个数一块，块内每个数取 4 个等距值之一（2 位）");
    check_text(stage_run(session, "%model round lstm --bits 2 --as two"), "one of 4");
    check_text(stage_run(session, "%weights --model two --vs lstm --view cost"),
               "as its signal-to-noise ratio beside lstm");
    check_text(stage_run(session, "%weights --model two --vs lstm --view cost"), "layer 1");
    check_text(stage_run(session, "%model round lstm --as lstm"), "lstm is lstm");
    check_text(stage_run(session, "%%tokens --model lstm\nabc"), "3 tokens");
    check_same(stage_err.text, "");
}

TEST(cmd_model_round_refuses_in_one_sentence) {
    struct session *session = stage_session();
    stage_run(session, "%model round");
    check_text(stage_err.text, "%model round needs the name of a loaded model");
    stage_run(session, "%model new lstm --bits 4");
    check_text(stage_err.text, "%model new has no use for --bits: it is for %model round");
    stage_run(session, "%model new lstm");
    stage_run(session, "%model round nobody");
    check_text(stage_err.text, "nobody");
    stage_run(session, "%model round lstm --bits 9");
    check_text(stage_err.text, "8");
    stage_run(session, "%model round lstm --layers 2");
    check_text(stage_err.text, "%model round has no use for --layers: it is for %model new");
}

TEST(cmd_attention_rollout_needs_attention) {
    struct session *session = stage_session();
    stage_run(session, "%model new lstm");
    stage_run(session, "%%attention --view rollout --head 1\nabc");
    check_text(stage_err.text, "--view rollout takes the mean of all heads");
    check_int(stage_err.column, 28);
    stage_run(session, "%%attention --view rollout\nabc");
    check_text(stage_err.text, "this model is recurrent");
}

/* What is marked is what is meant. */
TEST(cmd_model_round_marks_the_model_that_is_not_there) {
    struct session *session = stage_session();
    stage_run(session, "%model new lstm");
    stage_run(session, "%model round nosuch --as x");
    check_text(stage_err.text, "no model is loaded as nosuch");
    check_int(stage_err.column, 14);
    stage_run(session, "%model new lstm --gain 0.5x --as y");
    check_int(stage_err.column, 24);
}

/* A name that is taken by a model from elsewhere is refused before a byte is written. */
TEST(cmd_model_round_refuses_a_taken_name_first) {
    struct arena *arena = check_arena();
    struct session *session = stage_session();
    struct err err = { 0 };
    const struct model *model = fixture_model("bert_cls");
    const char *cache = check_folder(arena);
    setenv("XDG_CACHE_HOME", cache, 1);
    session_begin(session);
    check(model && session_load(session, model->path, "bert", &err));
    session_end(session);
    stage_run(session, "%model round bert --as bert");
    check_text(stage_err.text, "the name bert is taken");
    check_int(stage_err.column, 24);
    stage_run(session, "%model new gru --as bert");
    check_text(stage_err.text, "the name bert is taken");
    check_int(stage_err.column, 21);
    check(!file_is_folder(file_join(arena, cache, "cutaway")));
    check_text(stage_run(session, "%model round bert"), "bert-4bit is bert");
    check_text(stage_run(session, "%model round bert"), "bert-4bit is bert");
}
