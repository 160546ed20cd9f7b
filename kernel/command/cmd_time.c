#include <string.h>

#include "kernel/command/command.h"
#include "kernel/session/reply.h"
#include "kernel/session/session.h"

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    (void)err;
    if (line->word_count > 0) {
        session_set(session, "time", line->words[0].text);
    } else {
        reply_printf(reply, "time is %s\n", session_setting(session, "time"));
    }
    return 0;
}

const struct command cmd_time = {
    .name = "time",
    .group = "set up",
    .words = "[on|off]",
    .summary = "says how long each cell takes, from now on",
    .summary_zh = "从现在起显示每个单元格所用的时间",
    .help = "%time on adds a line with the time taken to the output of this and every later "
            "cell, %time\n"
            "off ends that, and %time alone says which it is. The time is the command's own, "
            "on a wall\n"
            "clock: from reading the cell to its last output, without the way to the browser.",
    .help_zh = "%time on 之后，每个单元格（包括本单元格）的输出末尾会有一行所用时间；%time off "
               "取消；\n"
               "单独的 %time 说明当前状态。所计的是命令本身的实际时间，不含传到浏览器的时间。",
    .example = "%time on\n%time off",
    .subcommands = "on off",
    .complete = COMPLETE_NONE,
    .run = run,
};
