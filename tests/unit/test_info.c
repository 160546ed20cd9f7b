/* %info, %%tokens and their kept results, as a user types them. */
#include <string.h>

#include "core/base/file.h"
#include "kernel/session/session.h"
#include "kernel/worker/run_cell.h"
#include "tests/check.h"

struct stage {
    struct session *session;
    struct buf *heard;
    struct run_outcome outcome;
};

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    struct stage *stage = arg;
    (void)is_error;
    buf_add(stage->heard, text, length);
}

static void on_message(void *arg, const char *type, const char *content, size_t length) {
    struct stage *stage = arg;
    buf_printf(stage->heard, "%s:", type);
    buf_add(stage->heard, content, length);
}

static void close_session(void *what) {
    session_free(what);
}

/* With a model "b", BERT with a head of words, and "l", a llama. */
static struct stage *stage_here(void) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct stage *stage = arena_alloc(arena, sizeof *stage);
    stage->session = session_new();
    session_set(stage->session, "language", "en");
    arena_defer(arena, close_session, stage->session);
    session_begin(stage->session);
    session_load(stage->session, check_fixture(arena, "golden/data/models/llama_smollm2"), "l",
                 &err);
    session_load(stage->session, check_fixture(arena, "golden/data/models/bert_mlm"), "b",
                 &err);
    session_end(stage->session);
    check_same(err.text, "");
    return stage;
}

static const char *run(struct stage *stage, const char *code) {
    const struct reply_sink sink = { .stream = on_stream, .message = on_message, .arg = stage };
    const struct run_request request = { .code = code, .length = strlen(code), .count = 1 };
    stage->heard = buf_new(check_arena());
    if (run_cell(check_arena(), stage->session, &sink, &request, &stage->outcome) < 0) {
        return stage->outcome.content;
    }
    return stage->heard->data;
}

/* For %info's completion: those of the model in use. */
TEST(session_names_the_sites_of_the_model_in_use) {
    const char *names = session_names(stage_here()->session, check_arena());
    check_text(names, "\nsite\tblocks.0.attn.hook_q\n");
    check_text(names, "\nsite\tcls.predictions.bias\n");
    check(!strstr(names, "lm_head"));
}

TEST(info_draws_and_lists_a_model) {
    struct stage *stage = stage_here();
    const char *said = run(stage, "%info --as whole");
    check_text(said, "92,416 parameters");
    check_text(said, "image/png");
    check_text(said, "application/vnd.cutaway.architecture.v1+json");
    check_text(said, "file size");
    check_text(said, "F32 × ");
    check_text(run(stage, "%model info l --lang zh"), "l 的结构：84,816 个参数");
    check_text(run(stage, "%show whole"), "Architecture of b: 92,416 parameters");
    check_text(run(stage, "%show whole --layer 1"), "chooses among attention heads");
    check_text(run(stage, "%show whole --view grid"), "draws attention heads");
    check_text(run(stage, "%show whole --lang zh"), "image/png");
}

TEST(info_tells_of_one_part) {
    struct stage *stage = stage_here();
    check_text(run(stage, "%info blocks.1.attn.hook_q --as q"), "[B, T, 4 × ");
    check_text(run(stage, "%info logits --model b,l --lang zh"), "softmax 之前的得分");
    check_text(run(stage, "%info blocks.1.attn.hook_w"), "did you mean blocks.1.attn.hook_");
    check_text(run(stage, "%info a b"), "takes one name");
    check_text(run(stage, "%info --model nobody"), "nobody");
    check_text(run(stage, "%info --as a,b"), "a name has no blanks or commas");
}

TEST(tokens_are_kept_and_saved) {
    static const char *const endings[] = { "npy",         "npz", "csv", "json",
                                           "safetensors", "png", "html" };
    struct stage *stage = stage_here();
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena);
    check_text(run(stage, "%%tokens --model b --as one\none two"),
               "application/vnd.cutaway.tokens.v1+json");
    check_text(run(stage, "%%tokens --model b,l --as both\none two\n三 four"),
               "application/vnd.cutaway.tracks.v1+json");
    check_text(run(stage, "%info logits --as part"), "application/vnd.cutaway.table.v1+json");
    check_text(run(stage, "%info --as all"), "architecture");
    static const char *const names[] = { "one", "both.2", "part", "all" };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
            const char *path = arena_printf(arena, "%s/%s.%s", folder, names[n], endings[e]);
            check_text(run(stage, arena_printf(arena, "%%save %s %s", names[n], path)),
                       "wrote ");
            check(file_exists(path));
        }
    }
}

TEST(tokens_refuses_in_one_sentence) {
    struct stage *stage = stage_here();
    check_text(run(stage, "%%tokens\n\n  \n"), "there is no text");
    check_text(run(stage, "%%tokens --as _\none"), "a result cannot be called");
    check_text(run(stage, "%%tokens --model b,,l\none"), "tracks");
}
