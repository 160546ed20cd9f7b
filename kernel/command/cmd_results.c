#include <string.h>

#include "core/draw/table.h"
#include "kernel/command/asked.h"

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    static const char *const heads[] = { "name", "what", "text", "shape" };
    static const char *const heads_zh[] = { "名字", "内容", "文本", "形状" };
    bool zh = strcmp(asked_language(session, line), "zh") == 0;
    struct arena *arena = session_arena(session);
    int64_t count;
    const char *const *names = session_results(session, arena, &count);
    if (count == 0) {
        reply_printf(reply,
                     zh ? "还没有保存的结果：命令带 --as NAME 时保存它的结果\n"
                        : "no results are kept: a command with --as NAME keeps its result\n");
        return 0;
    }
    struct figure_table *rows = table_new(arena, 4, count, zh ? heads_zh : heads);
    for (int64_t i = 0; i < count; i++) {
        const struct result *result = session_result(session, names[i], err);
        char shape[100];
        table_set(rows, i, 0, names[i]);
        table_set(rows, i, 1, result->title);
        table_set(rows, i, 2, result->text);
        table_set(rows, i, 3,
                  arena_copy(arena, tensor_shape_text(result->series[0].values, shape)));
    }
    const char *finding = arena_printf(arena,
                                       zh           ? "保存了 %lld 个结果。"
                                       : count == 1 ? "%lld result is kept."
                                                    : "%lld results are kept.",
                                       (long long)count);
    reply_bundle(reply,
                 table_bundle(arena, finding, rows,
                              zh ? "%show NAME 重画一个结果，%save NAME FILE 把它写到文件。"
                                 : "%show NAME draws one, %save NAME FILE writes it."),
                 NULL, false);
    return 0;
}

static const struct option options[] = { ASKED_LANG, { 0 } };

const struct command cmd_results = {
    .name = "results",
    .group = "set up",
    .words = "",
    .summary = "lists the results that are kept",
    .summary_zh = "列出保存的结果",
    .help = "Results live until the kernel restarts: those a command kept with --as, and _, "
            "the last one.\n"
            "Where the computing process died, the one that takes its place has them too: up "
            "to half "
            "a gigabyte\n"
            "of those with a name, and _ where it has at most 16 MB. %show draws one again, "
            "%save takes it\n"
            "out of the session.",
    .help_zh =
        "结果保留到内核重启为止：用 --as 保存的，以及 _（上一个结果）。\n"
        "计算进程中途死亡时，接替它的进程也有这些结果：有名字的共可达半个 GB，_ 不超过 16 "
        "MB。\n"
        "%show 重画，%save 写到文件。",
    .example = "%results",
    .options = options,
    .run = run,
};
