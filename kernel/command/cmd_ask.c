#include <string.h>

#include "core/base/utf8.h"
#include "core/result/column.h"
#include "kernel/command/asked.h"

static const char *prompt_of(struct session *session, const struct cell_line *line) {
    struct buf *text = buf_new(session_arena(session));
    for (int64_t i = 0; i < line->word_count; i++) {
        buf_printf(text, "%s%s", i ? " " : "", line->words[i].text);
    }
    return text->data;
}

/* A table of one row: what was asked, what was answered, and how many characters that has. A
 * secret answer is in none of it. */
static struct result *look(struct arena *arena, const char *prompt, const char *answer,
                           bool secret, bool zh) {
    struct result *result = result_new(arena, "table", 2);
    const char **labels = arena_array(arena, 1, sizeof *labels);
    int64_t count = utf8_count(answer, strlen(answer));
    labels[0] = arena_copy(arena, prompt);
    const struct axis axis = { .name = zh ? "问题" : "question", .count = 1, .labels = labels };
    column_named(arena, result, 0, zh ? "回答" : "answer", &axis)[0] =
        secret ? "•••" : arena_copy(arena, answer);
    column_new(arena, result, 1, zh ? "字符数" : "characters", "", &axis)[0] = (float)count;
    result->title = labels[0];
    result->text = secret ? "" : arena_copy(arena, answer);
    result->method = zh ? "读者的回答" : "the reader's answer";
    result->caption = "";
    result->finding =
        secret ? arena_printf(arena,
                              zh ? "读者回答了 %lld 个字符，内容不显示，也不保存。"
                                 : "The reader answered %lld characters, which are neither "
                                   "shown nor kept.",
                              (long long)count)
               : arena_printf(arena, zh ? "读者回答：%s" : "The reader answered: %s", answer);
    return result;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    const char *language = asked_language(session, line), *answer;
    const char *prompt = prompt_of(session, line);
    bool secret = command_switch(line, "secret");
    if (line->word_count == 0) {
        return err_set(err, ERR_OPTION, "%%ask wants the question: %%ask What comes next?");
    }
    if (asked_check_name(line, err) < 0 || reply_ask(reply, prompt, secret, &answer, err) < 0) {
        return err_pass(err);
    }
    if (!answer) {
        return err_set(err, ERR_TEXT, "the reader ended the input without an answer");
    }
    struct arena **own = session_result_arena(session);
    const struct result *result =
        look(*own, prompt, answer, secret, strcmp(language, "zh") == 0);
    if (asked_show(session, reply, result, NULL, language, err) < 0) {
        return err_pass(err);
    }
    asked_keep(session, line, 0, 1, own, result);
    return 0;
}

static const struct option options[] = {
    { .name = "secret",
      .kind = OPTION_SWITCH,
      .help = "hides the answer while it is typed, and afterwards",
      .help_zh = "输入时和之后都不显示回答" },
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_ask = {
    .name = "ask",
    .group = "set up",
    .words = "QUESTION",
    .summary = "asks the reader and keeps the answer",
    .summary_zh = "向读者提问并保存回答",
    .help = "Shows an input box under the cell and waits for a line, for lessons in which the "
            "reader guesses\n"
            "before the model answers. The answer is shown as a table, and kept with --as for "
            "%show and %save.\n"
            "An interrupt ends the wait. With --secret nobody sees the answer: the result "
            "holds only how many\n"
            "characters it has.\n"
            "\n"
            "It needs somebody to answer: a cell fails at once where nobody can be asked, as "
            "in a notebook that\n"
            "is run as a whole (nbconvert) or in cutaway run. It cannot tell whether an answer "
            "is right.",
    .help_zh = "在单元格下面显示输入框并等待一行回答，可用于先让读者猜、再看模型怎么答的课。回"
               "答显示为表格，\n"
               "用 --as 保存后可用 %show 和 %save。中断会结束等待。加 --secret "
               "时回答不显示也不保存，结果里\n"
               "只有字符数。\n"
               "\n"
               "需要有人回答：在整本运行（nbconvert）或 cutaway run "
               "等无法提问的地方，单元格立即报错。\n"
               "它不能判断回答是否正确。",
    .example = "%ask Which word will the model choose? --as guess",
    .options = options,
    .run = run,
};
