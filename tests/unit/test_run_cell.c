#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "kernel/command/command.h"
#include "kernel/worker/run_cell.h"
#include "kernel/worker/traceback.h"
#include "tests/check.h"
#include "tests/looks.h"

struct stage {
    struct session *session;
    struct buf *heard;
    struct run_outcome outcome;
};

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    struct stage *stage = arg;
    buf_text(stage->heard, is_error ? "stderr:" : "stdout:");
    buf_add(stage->heard, text, length);
}

static void on_message(void *arg, const char *type, const char *content, size_t length) {
    struct stage *stage = arg;
    buf_printf(stage->heard, "%s:", type);
    buf_add(stage->heard, content, length);
}

static int on_ask(void *arg, const char *prompt, bool secret, struct buf *answer,
                  struct err *err) {
    (void)arg, (void)prompt, (void)secret, (void)err;
    buf_text(answer, "mat");
    return 1;
}

static void close_session(void *what) {
    session_free(what);
}

static struct stage *stage_here(void) {
    struct stage *stage = arena_alloc(check_arena(), sizeof *stage);
    stage->session = session_new();
    session_set(stage->session, "language", "en");
    arena_defer(check_arena(), close_session, stage->session);
    return stage;
}

static int run(struct stage *stage, const char *code) {
    static const char *const names[] = { "s", "n" }, *const texts[] = { "seed",
                                                                        "model.layers" };
    const struct reply_sink sink = {
        .stream = on_stream, .message = on_message, .ask = on_ask, .arg = stage
    };
    const struct run_request request = { .code = code,
                                         .length = strlen(code),
                                         .count = 3,
                                         .expressions = 2,
                                         .names = names,
                                         .texts = texts };
    stage->heard = buf_new(check_arena());
    return run_cell(check_arena(), stage->session, &sink, &request, &stage->outcome);
}

static const struct json *content_of(const struct stage *stage) {
    struct err err = { 0 };
    const char *content = stage->outcome.content;
    const struct json *tree =
        json_parse(check_arena(), content, strlen(content), "content", &err);
    check_same(err.text, "");
    return tree;
}

TEST(run_cell_answers_as_jupyter_wants) {
    struct stage *stage = stage_here();
    check_int(run(stage, "%seed 7\n%echo hello\n%echo? \n"), 0);
    check_same(stage->heard->data, "stdout:hello\n");
    const struct json *content = content_of(stage);
    check_same(json_text_at(content, "status", ""), "ok");
    check_int(json_int_at(content, "execution_count", 0), 3);
    check_same(json_text_at(json_at(content, "payload")->first, "source", ""), "page");
    const struct json *expressions = json_at(content, "user_expressions");
    const struct json *seed = json_at(expressions, "s"), *layers = json_at(expressions, "n");
    check_same(json_text_at(json_at(seed, "data"), "text/plain", ""), "7");
    check_same(json_text_at(layers, "status", ""), "error");
    check_same(json_text_at(layers, "ename", ""), "ModelNotFound");
}

TEST(run_cell_checks_all_lines_before_the_first_runs) {
    struct stage *stage = stage_here();
    check_int(run(stage, "%seed 9\n%sede 8"), -1);
    check_same(session_setting(stage->session, "seed"), "0");
    const struct json *content = content_of(stage);
    check_same(json_text_at(content, "status", ""), "error");
    check_same(json_text_at(content, "ename", ""), "UnknownCommand");
    check_text(json_text_at(content, "evalue", ""), "did you mean %seed?");
    check_int(json_at(content, "traceback")->count, 3);
}

TEST(run_cell_stops_when_interrupted) {
    struct stage *stage = stage_here();
    stop_request();
    check_int(run(stage, "%_test loop"), -1);
    stop_clear();
    check_int(stage->outcome.err.kind, ERR_STOP);
    check_int(run(stage, "%seed"), 0); /* the session goes on */
}

TEST(run_cell_survives_spent_memory) {
    struct stage *stage = stage_here();
    arena_budget(arena_held() + (48 << 20));
    int status = run(stage, "%_test alloc 400");
    arena_budget(0);
    check_int(status, -1);
    check_int(stage->outcome.err.kind, ERR_MEMORY);
    check_text(stage->outcome.content, "OutOfMemory");
    check_int(run(stage, "%_test alloc 2"), 0);
}

/* Or no command could run any more, not even the one that lifts it. */
TEST(run_cell_keeps_a_limit_above_what_is_held) {
    struct stage *stage = stage_here();
    arena_raw(check_arena(), 200 << 20);
    check_int(run(stage, "%limit 240MB"), -1);
    check_int(stage->outcome.err.kind, ERR_MEMORY);
    check_text(stage->outcome.err.text, "64 MB more");
    check_same(session_setting(stage->session, "limit"), "off");
}

TEST(memory_budget_heeds_every_limit) {
    unsetenv("CUTAWAY_MEMORY");
    int64_t usual = memory_budget();
    check(usual > 64 << 20 && usual < (int64_t)1 << 50);
    setenv("MEM_LIMIT", "1000000", 1);
    check_int(memory_budget(), 750000);
    setenv("MEM_LIMIT", "512M", 1);
    check_int(memory_budget(), 384000000);
    setenv("MEM_LIMIT", "max", 1);
    check_int(memory_budget(), usual);
    setenv("CUTAWAY_MEMORY", "3", 1);
    check_int(memory_budget(), 3 << 20);
    setenv("CUTAWAY_MEMORY", "1.5GB", 1);
    check_int(memory_budget(), 1500000000);
    setenv("CUTAWAY_MEMORY", "99999999999999999999", 1);
    check_int(memory_budget(), usual);
    unsetenv("CUTAWAY_MEMORY");
    unsetenv("MEM_LIMIT");
}

TEST(run_cell_times_cells_when_asked) {
    struct stage *stage = stage_here();
    check_int(run(stage, "%time on"), 0);
    check_text(stage->heard->data, "stdout:time: ");
    check_int(run(stage, "%time off\n%time"), 0);
    check_same(stage->heard->data, "stdout:time is off\n");
    check_int(run(stage, ""), 0);
    check_same(stage->heard->data, "");
}

/* The picture of an error, without its colours. */
static const char *plain(const char *text) {
    struct buf *out = buf_new(check_arena());
    for (; *text; text++) {
        if (*text == '\x1b') {
            text += strcspn(text, "m");
        } else {
            buf_char(out, *text);
        }
    }
    return out->data;
}

TEST(traceback_marks_what_is_meant) {
    struct stage *stage = stage_here();
    check_int(run(stage, "%seed 1\n%echo 猫猫 --stdrr x"), -1);
    check_same(
        plain(stage->outcome.traceback),
        "BadOption: %echo has no option --stdrr (it has --stderr): did you mean --stderr?\n"
        "   2 | %echo 猫猫 --stdrr x\n"
        "     |            ^^^^^^^");
    check_int(run(stage, "%seed 猫\t"), -1);
    check_same(plain(stage->outcome.traceback),
               "BadOption: %seed takes one whole number of at most 18 digits, not \"猫\"\n"
               "   1 | %seed 猫 \n"
               "     |       ^^");
}

/* What beginners meet, in the session's language; the class and the place stay as they are. */
TEST(run_cell_says_errors_in_chinese) {
    static const char *const cases[][2] = {
        { "%atention", "没有 %atention 这个命令：是不是 %attention？" },
        { "%xyzzyx", "没有 %xyzzyx 这个命令：%help 列出所有命令" },
        { "%help --long zh", "%help 没有选项 --long（它有 " },
        { "%echo a --lang zh", "%echo 没有选项 --lang" },
        { "%model lode x", "%model 后面的词 不能是 lode（可以是 load、" },
        { "%set theme drak", "drak" },
        { "%seed --x", "没有选项" },
        { "%help --lang", "--lang 后面要有一个值：" },
        { "%%predict --top many\na", "--top 不能是 many：它要 1 到 " },
        { "%%attention --layer x\na", "--layer 不能是 x：它要 0,3,5-7 这样的编号" },
        { "%%attention\na", "还没有载入模型：%model list 列出有哪些" },
        { "%attention a", "%%attention 读它下面的文本" },
        { "%%echo\na", "请只写一个 %" },
        { "%%tokens a\nb", "文本写在下面的行里" },
        { "%results a", "%results 后面不能有词，却有 a" },
        { "%show none", "没有结果 none：还没有保留任何结果" },
        { "%model load /no/such/model", "没有叫 /no/such/model 的文件、文件夹或模型" },
    };
    struct stage *stage = stage_here();
    run(stage, "%set language zh");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_int(run(stage, cases[i][0]), -1);
        check_text(err_said(&stage->outcome.err, true), cases[i][1]);
        check_text(stage->outcome.content, cases[i][1]);
        check_text(plain(stage->outcome.traceback), err_name(stage->outcome.err.kind));
        check_text(plain(stage->outcome.traceback), err_said(&stage->outcome.err, true));
    }
    check_same(stage->outcome.evalue, err_said(&stage->outcome.err, true));
    run(stage, "%set language en");
    check_int(run(stage, "%xyzzyx"), -1);
    check_text(stage->outcome.content, "there is no command");
}

TEST(traceback_shows_a_part_of_a_long_line) {
    struct stage *stage = stage_here();
    struct buf *code = buf_new(check_arena());
    buf_text(code, "%echo ");
    for (int i = 0; i < 100; i++) {
        buf_text(code, "猫 word ");
    }
    buf_text(code, "--bad \x1b[31m\xe2\x80\xae end");
    check_int(run(stage, code->data), -1);
    const char *seen = plain(stage->outcome.traceback);
    const char *line = strchr(seen, '\n') + 1, *mark = strchr(line, '\n') + 1;
    check_text(seen, "| …");
    check_text(seen, "--bad .[31m. end\n"); /* nothing that moves the cursor */
    check_int(strcspn(mark, "^"), utf8_columns(line, (size_t)(strstr(line, "--bad") - line)));
    check(mark - line < 200);
}

/* Time that grows with the square of the length would make this take an hour. */
TEST(traceback_is_quick_on_a_very_long_line) {
    struct stage *stage = stage_here();
    struct buf *code = buf_new(check_arena());
    buf_text(code, "%echo ");
    for (int i = 0; i < 1000000; i++) {
        buf_text(code, "猫");
    }
    buf_text(code, " --bad");
    check_int(run(stage, code->data), -1);
    check_int(stage->outcome.err.column, 1000008);
    check_text(plain(stage->outcome.traceback), "猫 --bad\n     | ");
}

TEST(traceback_takes_any_place) {
    struct err err;
    err_at(&err, ERR_CELL, 9, 4, 2, "gone");
    check_same(plain(traceback(check_arena(), &err, false, "one line", 8)), "BadCell: gone");
    err_at(&err, ERR_CELL, 1, 99, 50, "beyond");
    check_text(plain(traceback(check_arena(), &err, false, "ab\xff", 3)),
               "BadCell: beyond\n   1 | ab.\n");
}

/* ---- every command's own example ---- */

static int run_parts(struct stage *stage, const char *text) {
    char *copy = arena_copy(check_arena(), text);
    for (char *at = copy; at;) {
        char *next = strstr(at, "\n# %%\n");
        if (next) {
            *next = '\0';
            next += 6;
        }
        if (run(stage, at) < 0) {
            return -1;
        }
        at = next;
    }
    return 0;
}

/* Small models under the names of the large ones, in a folder of their own. */
static void lay_out_models(const char *folder) {
    static const char *const pairs[][2] = { { "minilm", "golden/data/models/bert_mlm" },
                                            { "smollm2", "golden/data/models/llama_smollm2" } };
    for (int i = 0; i < 2; i++) {
        char *full = realpath(check_fixture(check_arena(), pairs[i][1]), NULL);
        check(full && symlink(full, file_join(check_arena(), folder, pairs[i][0])) == 0);
        free(full);
    }
    setenv("CUTAWAY_MODELS", folder, 1);
}

TEST(results_outlive_their_model) {
    struct stage *stage = stage_here();
    char *full = realpath(check_fixture(check_arena(), "golden/data/models/bert_mlm"), NULL);
    check_int(run(stage, arena_printf(check_arena(), "%%model load %s --as m", full)), 0);
    free(full);
    check_int(run(stage, "%%attention --as a --unit word\none two"), 0);
    check_int(run(stage, "%%attention --as b\none two\n猫 three"), 0);
    check_int(run(stage, "%model unload m\n%show a\n%show b.1\n%show _ --layer 1\n%results"),
              0);
    check_text(stage->heard->data, "Attention of m, all 3 layers, all 4 heads");
    check_int(run(stage, "%%attention\none"), -1);
    check_int(stage->outcome.err.kind, ERR_MODEL);
}

/* %model info says how a model is talked to, if it says so itself. */
TEST(info_names_the_chat_template) {
    struct arena *arena = check_arena();
    struct stage *stage = stage_here();
    const char *folder = check_folder(arena);
    const char *template = file_join(arena, folder, "chat_template.jinja");
    static const char *const names[] = { "config.json", "model.safetensors" };
    static const char known[] = "{{ '<|' + message['role'] + '|>' + message['content'] + "
                                "'<|end|>' }}";
    for (int i = 0; i < 2; i++) {
        const char *path = arena_printf(arena, "golden/data/models/llama2/%s", names[i]);
        char *full = realpath(check_fixture(arena, path), NULL);
        check(full && symlink(full, file_join(arena, folder, names[i])) == 0);
        free(full);
    }
    check_int(
        run(stage, arena_printf(arena, "%%model load %s --as plain\n%%model info", folder)), 0);
    check(!strstr(stage->heard->data, "chat template"));
    struct err err = { 0 };
    check_int(file_write(template, known, strlen(known), &err), 0);
    check_int(
        run(stage, arena_printf(arena, "%%model load %s --as chat\n%%model info", folder)), 0);
    check_text(stage->heard->data, "Phi-4-mini");
    check_int(file_write(template, "{{ 7 }}", 7, &err), 0);
    check_int(run(stage, arena_printf(arena, "%%model load %s --as odd\n%%model info", folder)),
              0);
    check_text(stage->heard->data, "not known");
}

/* "source >> target" for a model with a decoder; for others it is text like any. */
TEST(attention_reads_what_the_decoder_does) {
    struct stage *stage = stage_here();
    char *full = realpath(check_fixture(check_arena(), "golden/data/models"), NULL);
    check_int(run(stage, arena_printf(check_arena(), "%%model load %s/t5 --as t", full)), 0);
    check_text(stage->heard->data, "2 encoder and 2 decoder layers of 4 heads");
    check_text(stage->heard->data, "texts of any length");
    check_int(run(stage, "%%attention --of cross\none two >> three"), 0);
    check_text(stage->heard->data, "Cross-attention of t");
    check_int(run(stage, "%%attention --of decoder --layer -1\none two >>three"), 0);
    check_text(stage->heard->data, "Decoder attention of t, layer 1");
    check_int(run(stage, "%%attention\n>> three"), -1);
    check_text(stage->outcome.err.text, "the text is empty");
    check_int(run(stage, "%%attention --of cross --layer 2\none >> two"), -1);
    check_int(stage->outcome.err.kind, ERR_OPTION);

    check_int(run(stage, arena_printf(check_arena(), "%%model load %s/gpt2 --as g", full)), 0);
    check_int(run(stage, "%%attention\na >> b"), 0);
    check_int(run(stage, "%%attention --of decoder\na"), -1);
    check_text(stage->outcome.err.text, "one kind of attention");
    check_int(run(stage, arena_printf(check_arena(), "%%model load %s/gru_lm --as r", full)),
              0);
    check_text(stage->heard->data, "2 recurrent layers");
    check_int(run(stage, "%%attention --head 3\na"), -1);
    check_text(stage->outcome.err.text, "recurrent (gru_lm)");
    check_int(run(stage, "%%tokens\none two"), 0);
    check_int(run(stage, "%model info"), 0);
    free(full);
}

/* A layer before the first is none of those from the end, and is named as it was given. */
TEST(embed_refuses_layers_that_are_not_there_and_takes_fractions) {
    struct stage *stage = stage_here();
    char *full = realpath(check_fixture(check_arena(), "golden/data/models"), NULL);
    check_int(run(stage, arena_printf(check_arena(), "%%model load %s/bert_mlm --as b", full)),
              0);
    check_int(run(stage, "%%embed --layer -1\none two\nthree four\nfive six"), 0);
    check_int(run(stage, "%%embed --layer -999\none two\nthree four"), -1);
    check_text(stage->outcome.err.text, "there is no layer -999: 0 is the input");
    check_int(run(stage, "%embed --layer 1"), -1);
    check_text(stage->outcome.err.text, "--layer reads texts");
    check_int(run(stage, "%%embed --method tsne --perplexity 1.2\none\ntwo\nthree\nfour\nfive"),
              0);
    check_int(run(stage, "%%embed --method tsne --perplexity x\none\ntwo\nthree\nfour"), -1);
    check_text(stage->outcome.err.text, "--perplexity takes a number from 0 to 10000");
    free(full);
}

TEST(commands_that_draw_a_picture_for_each_text_take_64) {
    static const char *const heads[] = { "%%attention", "%%activations", "%%tokens" };
    struct stage *stage = stage_here();
    char *full = realpath(check_fixture(check_arena(), "golden/data/models"), NULL);
    check_int(run(stage, arena_printf(check_arena(), "%%model load %s/bert_mlm --as b", full)),
              0);
    for (int i = 0; i < 3; i++) {
        struct buf *cell = buf_new(check_arena());
        buf_text(cell, heads[i]);
        for (int k = 0; k < 65; k++) {
            buf_text(cell, "\na");
        }
        check_int(run(stage, cell->data), -1);
        check_text(stage->outcome.err.text, "and these are 65: give at most 64");
    }
    free(full);
}

/* Runs `work` for each command in a session of its own, in a folder with models. */
static void each_command(void (*work)(struct stage *stage, const struct command *command)) {
    setenv("XDG_CACHE_HOME", check_folder(check_arena()), 1); /* %model new writes there */
    char here[4096];
    const char *folder = check_folder(check_arena());
    const char *before = getenv("CUTAWAY_MODELS");
    before = before ? arena_copy(check_arena(), before) : NULL;
    check(getcwd(here, sizeof here) != NULL);
    lay_out_models(folder);
    check(chdir(folder) == 0);
    for (const struct command *const *at = command_all(); *at; at++) {
        work(stage_here(), *at);
    }
    check(chdir(here) == 0);
    before ? setenv("CUTAWAY_MODELS", before, 1) : unsetenv("CUTAWAY_MODELS");
}

static void run_example(struct stage *stage, const struct command *command) {
    bool good = (command->needs ? run_parts(stage, command->needs) : 0) == 0 &&
                run_parts(stage, command->example) == 0;
    check_same(good ? command->name : stage->outcome.err.text, command->name);
}

TEST(command_examples_run) {
    each_command(run_example);
}

/* An interrupt at some of the looks that its example takes: the cell ends by it, or has ended,
 * and the session goes on. What it held is freed, or a sanitizer tells. */
static void stop_example(struct stage *stage, const struct command *command) {
    enum { MOMENTS = 5 };
    const char *needs = command->needs ? command->needs : "%echo before";
    check_int(run_parts(stage, needs), 0);
    int64_t before = looks_count();
    check_int(run_parts(stage, command->example), 0);
    int64_t looks = looks_count() - before;
    for (int64_t i = 0; i < MOMENTS; i++) {
        struct stage *again = stage_here();
        check_int(run_parts(again, needs), 0);
        looks_stop_at(1 + i * (looks - 1) / MOMENTS);
        int status = run_parts(again, command->example);
        looks_stop_at(0);
        stop_clear();
        bool stopped = status < 0 && again->outcome.err.kind == ERR_STOP;
        check_same(stopped || (status == 0 && i > 0) ? "" : command->name, "");
        check_int(run(again, "%echo after"), 0);
    }
}

TEST(command_examples_stop_at_any_look) {
    each_command(stop_example);
}
