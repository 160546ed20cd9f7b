#include <stdlib.h>
#include <string.h>

#include "core/explain/attention.h"
#include "kernel/command/asked.h"
#include "kernel/command/kept_view.h"

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    const struct result *result = kept_view(session, line, 1, err);
    if (!result) {
        return err_pass(err);
    }
    const char *picture = asked_picture(line, result, err);
    if (!picture) {
        return err_pass(err);
    }
    const struct picture_options options = kept_view_options(session, line);
    const struct bundle *bundle =
        picture_bundle(session_arena(session), picture, result, &options, err);
    if (!bundle) {
        return err_pass(err);
    }
    reply_bundle(reply, bundle, NULL, false);
    if (result != session_result(session, line->words[0].text, err)) {
        session_keep(session, NULL, result); /* a part, which a view may ask for */
    }
    return 0;
}

static const struct option options[] = { KEPT_VIEW_OPTIONS, { 0 } };

const struct command cmd_show = {
    .name = "show",
    .group = "set up",
    .words = "NAME",
    .summary = "draws a kept result again, another way",
    .summary_zh = "用另一种方式重画保存的结果",
    .help = "NAME is what --as gave, or _ for the last result. --layer and --head choose a "
            "part of it by\n"
            "the numbers in the picture; one head of one layer is drawn large. Nothing is "
            "computed anew,\n"
            "so it is quick and shows exactly the numbers that were kept. %results lists the "
            "names.",
    .help_zh = "NAME 是 --as 给的名字，_ 表示上一个结果。--layer 和 --head "
               "按图中的编号选取一部分；只选一层\n"
               "的一个头时画成大图。不重新计算，所以很快，数值与保存时完全相同。%results "
               "列出所有名字。",
    .example = "%show cat --layer 1 --head 2",
    .needs = "%model load minilm\n# %%\n%%attention --as cat\nThe cat sat on the mat",
    .complete = COMPLETE_RESULT,
    .options = options,
    .run = run,
};
