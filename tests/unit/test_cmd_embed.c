#include "core/base/catch.h"
#include "tests/check.h"
#include "tests/looks.h"
#include "tests/stage.h"

static const char words[] = "a\nb\nc\nd\ne\n";

static void check_refused(struct session *session, const char *line, const char *why) {
    stage_run(session, arena_printf(check_arena(), "%s\n%s", line, words));
    check_int(stage_err.kind, ERR_OPTION);
    check_text(stage_err.text, why);
    check_int(stage_err.line, 1);
}

TEST(cmd_embed_refuses_what_the_method_does_not_read) {
    struct session *session = stage_session();
    stage_run(session, "%model new rnn");
    check_refused(session, "%%embed --method pca --perplexity 5",
                  "--perplexity is for t-SNE, and this map is by PCA");
    check_refused(session, "%%embed --steps 9", "--steps is for t-SNE and UMAP, and this");
    check_refused(session, "%%embed --method tsne --neighbours 3", "is by t-SNE: leave it");
    check_refused(session, "%%embed --method tsne --seed 3", "--seed is for UMAP");
    check_refused(session, "%%embed --count 3", "--count takes tokens from the vocabulary");
    check_text(stage_run(session, arena_printf(check_arena(), "%%%%embed\n%s", words)),
               "PCA of 5 words");
    check_int(stage_err.kind, ERR_NONE);
}

TEST(cmd_embed_says_what_a_recurrent_model_cannot) {
    struct session *session = stage_session();
    stage_run(session, "%model new rnn");
    check_text(stage_run(session, "%%neighbours\nthe cat\na dog"), "(--of words)");
    check_text(stage_run(session, "%%embed\nthe cat\na dog"), "rnn_lm is a recurrent model");
}

/* Chinese has no blanks between words; its marks tell a sentence from a word. */
TEST(cmd_embed_knows_a_chinese_sentence) {
    struct session *session = stage_session();
    stage_run(session, "%model new rnn --alphabet 今天很好他走了。");
    check_text(stage_run(session, "%%neighbours\n今天很好。\n他走了。"), "(--of words)");
    check_text(stage_run(session, "%%embed\n今\n天\n很\n好\n他"), "PCA of 5 words");
    check_text(stage_run(session, "%%embed\n今天。\n他走了。"), "rnn_lm is a recurrent model");
}

/* Most of its looks are those between steps. */
TEST(cmd_embed_keeps_the_map_that_an_interrupt_ends) {
    static const char *const methods[] = { "tsne", "umap" };
    struct session *session = stage_session();
    stage_run(session, "%model new rnn");
    for (int i = 0; i < 2; i++) {
        const char *cell =
            arena_printf(check_arena(), "%%%%embed --method %s --as %s\n%sf\ng\n", methods[i],
                         methods[i], words);
        int64_t before = looks_count();
        stage_run(session, cell);
        check_int(stage_err.kind, ERR_NONE);
        looks_stop_at((looks_count() - before) / 2);
        const char *said = stage_run(session, cell);
        looks_stop_at(0);
        stop_clear();
        check_int(stage_err.kind, ERR_STOP);
        check_text(stage_err.text, "interrupted; the map so far is kept");
        check_text(said, "\ng      "); /* the table of its points */
        stage_run(session, arena_printf(check_arena(), "%%show %s", methods[i]));
        check_int(stage_err.kind, ERR_NONE);
    }
}
