#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "kernel/command/command.h"
#include "kernel/session/reply.h"
#include "kernel/session/session.h"

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    struct buf *text = buf_new(session_arena(session));
    (void)err;
    for (int64_t i = 0; i < line->word_count; i++) {
        stop_check();
        buf_printf(text, "%s%s", i ? " " : "", line->words[i].text);
    }
    buf_char(text, '\n');
    if (command_switch(line, "stderr")) {
        reply_error_text(reply, text->data, text->length);
    } else {
        reply_text(reply, text->data, text->length);
    }
    return 0;
}

static const struct option options[] = {
    { .name = "stderr",
      .kind = OPTION_SWITCH,
      .help = "write to the error stream instead",
      .help_zh = "改为写到标准错误流" },
    { 0 },
};

const struct command cmd_echo = {
    .name = "echo",
    .group = "set up",
    .words = "TEXT",
    .summary = "writes the words after it",
    .summary_zh = "写出后面的文字",
    .help = "Writes its words, parted by single blanks, and a new line. Useful to name what "
            "follows in\n"
            "a script's output. Words after -- are text even where they begin with two dashes.",
    .help_zh = "写出后面的各个词（以一个空格分开）并换行，可用来给脚本的输出加标题。\n"
               "单独的 -- 之后的词即使以两个短横开头也当作文字。",
    .example = "%echo hello, world",
    .options = options,
    .run = run,
};
