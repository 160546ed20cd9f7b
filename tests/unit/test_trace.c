#include "tests/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/weights.h"
#include "kernel/trace.h"
#include "tests/remake.h"

/* Runs `cutaway trace` with these arguments (up to NULL) and returns its exit status; what it
 * says on stderr goes to `said`. */
static int trace_with(const char **arguments, const char **said) {
    struct arena *arena = check_arena();
    char *argv[16] = { arena_copy(arena, "trace") };
    int argc = 1;
    struct err err = { 0 };
    const char *path = file_join(arena, check_folder(arena), "stderr");
    for (; *arguments; arguments++) {
        argv[argc++] = arena_copy(arena, *arguments);
    }
    fflush(stderr);
    int kept = dup(2), out = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    dup2(out, 2);
    int status = trace_main(argc, argv);
    fflush(stderr);
    dup2(kept, 2);
    close(kept);
    close(out);
    struct file *file = file_map(arena, path, &err);
    *said = arena_text(arena, (const char *)file->bytes, (size_t)file->size);
    return status;
}

static void refused(const char **arguments, int status, const char *part) {
    const char *said;
    check_int(trace_with(arguments, &said), status);
    check_text(said, "cutaway trace: ");
    check_text(said, part);
}

TEST(trace_explains_a_target) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const char *said, *out = file_join(arena, check_folder(arena), "out.safetensors");
    static const char *const models[] = { "gpt2", "bert_cls", "t5", "lstm_lm" };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const char *path = arena_printf(arena, "golden/data/models/%s", models[i]);
        const char *model = check_fixture(arena, path);
        check_int(trace_with((const char *[]){ model, "--ids", "5,6,7", "--target", "auto",
                                               "-o", out, NULL },
                             &said),
                  0);
        check_same(said, "");
        struct weights *written = weights_open(arena, out, &err);
        const struct tensor *norms = written ? weights_at(written, "i0.saliency_l2") : NULL;
        check(norms && norms->shape[0] == 3 && norms->data[0] > 0);
        check(written && weights_at(written, "i0.ig_gausslegendre_zero"));
        refused(
            (const char *[]){ model, "--ids", "5,6", "--target", "no such", "-o", out, NULL },
            1, "--target no such");
        refused((const char *[]){ model, "--ids", "5,6", "--target", "99999", "-o", out, NULL },
                1, "99999 is asked about");
    }
}

TEST(trace_writes_texts_and_ids) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const char *said, *out = file_join(arena, check_folder(arena), "out.safetensors");
    const char *model = check_fixture(arena, "golden/data/models/bert_mlm");
    check_int(trace_with((const char *[]){ model, "--text", "a [MASK]", "-o", out,
                                           "--ids=2,74,3", "--text=", NULL },
                         &said),
              0);
    check_same(said, "");
    struct weights *written = weights_open(arena, out, &err);
    if (!check(written != NULL)) {
        return;
    }
    const struct tensor *ids = weights_at(written, "i0.input_ids");
    const struct tensor *patterns = weights_at(written, "t0.attentions");
    check(ids && ids->shape[0] == 3 && ((int32_t *)ids->bytes)[1] == 74);
    check(patterns && patterns->rank == 4 && patterns->shape[0] == 3 &&
          patterns->shape[1] == 4);
    check(weights_at(written, "t1.logits") != NULL); /* the empty text: [CLS] [SEP] */
}

TEST(trace_writes_what_a_decoder_gives) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const char *said, *out = file_join(arena, check_folder(arena), "out.safetensors");
    const char *model = check_fixture(arena, "golden/data/models/t5");
    check_int(trace_with((const char *[]){ model, "--text", "one two", "-o", out,
                                           "--decoder-text", "two", NULL },
                         &said),
              0);
    check_same(said, "");
    struct weights *written = weights_open(arena, out, &err);
    const struct tensor *ids = written ? weights_at(written, "t0.input_ids") : NULL;
    const struct tensor *cross = written ? weights_at(written, "t0.cross_attentions") : NULL;
    const struct tensor *greedy = written ? weights_at(written, "t0.greedy_ids") : NULL;
    if (check(ids && cross && greedy)) { /* the start token, and the pieces of "two" */
        check(cross->rank == 4 && cross->shape[2] > 1 && cross->shape[3] == ids->shape[0]);
        check_int(greedy->shape[0], 8);
    }
    model = check_fixture(arena, "golden/data/models/lstm_lm");
    check_int(
        trace_with((const char *[]){ model, "--text", "one two", "-o", out, NULL }, &said), 0);
    written = weights_open(arena, out, &err);
    check(written && weights_at(written, "t0.cell_states") &&
          weights_at(written, "t0.layer_outputs") && weights_at(written, "t0.greedy_ids"));
    refused((const char *[]){ model, "-o", out, "--ids", "1", "--decoder-text", "a", NULL }, 1,
            "no decoder");
}

/* T5's encoder alone: nothing is most probable. */
TEST(trace_finds_no_target_without_a_head) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const char *class_name = "T5ForConditionalGeneration";
    const char *path = check_fixture(arena, "golden/data/models/t5/config.json");
    struct file *file = file_map(arena, path, &err);
    const char *config = arena_text(arena, (const char *)file->bytes, (size_t)file->size);
    const char *at = strstr(config, class_name);
    const char *out = file_join(arena, check_folder(arena), "out.safetensors");
    if (!check(at != NULL)) {
        return;
    }
    config = arena_printf(arena, "%.*sT5EncoderModel%s", (int)(at - config), config,
                          at + strlen(class_name));
    struct model *model = remake_open(remake_new(arena, "t5"), config, &err);
    check(model != NULL);
    refused((const char *[]){ model->path, "-o", out, "--ids", "1", "--target", "auto", NULL },
            1, "has no head");
    refused((const char *[]){ model->path, "-o", out, "--ids", "1", "--target", "3", NULL }, 1,
            "has no head");
}

TEST(trace_refuses_what_it_cannot_do) {
    struct arena *arena = check_arena();
    const char *model = check_fixture(arena, "golden/data/models/bert_mlm");
    const char *out = file_join(arena, check_folder(arena), "out.safetensors");
    refused((const char *[]){ NULL }, 2, "model is missing");
    refused((const char *[]){ model, "--text", "a", NULL }, 2, "-o OUT.safetensors is missing");
    refused((const char *[]){ model, "-o", out, NULL }, 2, "--text or --ids is missing");
    refused((const char *[]){ model, "-o", out, "--text", NULL }, 2, "--text needs a value");
    refused((const char *[]){ model, "-o", out, "--goal", "x", NULL }, 2, "no option --goal");
    refused((const char *[]){ model, model, "-o", out, NULL }, 2, "only one model");
    refused((const char *[]){ model, "-o", out, "--ids", "1,,2", NULL }, 1, "--ids 1,,2");
    refused((const char *[]){ model, "-o", out, "--ids", "640", NULL }, 1, "640");
    refused((const char *[]){ model, "-o", "/", "--ids", "1", NULL }, 1, "a folder");
    check(!file_exists(out));
}
