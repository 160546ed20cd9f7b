#include "kernel/command/command.h"
#include "kernel/session/reply.h"

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    (void)session, (void)err;
    reply_clear(reply, command_switch(line, "wait"));
    return 0;
}

static const struct option options[] = {
    { .name = "wait",
      .kind = OPTION_SWITCH,
      .help = "keep the old output until the next one comes",
      .help_zh = "等到有新输出时再清除旧输出" },
    { 0 },
};

const struct command cmd_clear = {
    .name = "clear",
    .group = "set up",
    .words = "",
    .summary = "clears the output of this cell",
    .summary_zh = "清除本单元格的输出",
    .help = "Takes away what the cell has shown so far. With --wait the old output stays until "
            "the next\n"
            "one arrives, so that nothing flickers. Kept results and loaded models stay as "
            "they are.",
    .help_zh = "清除本单元格到目前为止的输出。加 --wait "
               "时，旧输出保留到新输出出现为止，画面不会闪烁。\n"
               "保存的结果和已载入的模型不受影响。",
    .example = "%clear --wait",
    .options = options,
    .run = run,
};
