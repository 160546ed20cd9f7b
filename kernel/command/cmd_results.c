#include "core/draw/table.h"
#include "kernel/command/asked.h"

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    static const char *const heads[] = { "name", "what", "text", "shape" };
    struct arena *arena = session_arena(session);
    int64_t count;
    const char *const *names = session_results(session, arena, &count);
    (void)line;
    if (count == 0) {
        reply_printf(reply, "no results are kept: a command with --as NAME keeps its result\n");
        return 0;
    }
    struct figure_table *rows = table_new(arena, 4, count, heads);
    for (int64_t i = 0; i < count; i++) {
        const struct result *result = session_result(session, names[i], err);
        char shape[100];
        table_set(rows, i, 0, names[i]);
        table_set(rows, i, 1, result->title);
        table_set(rows, i, 2, result->text);
        table_set(rows, i, 3,
                  arena_copy(arena, tensor_shape_text(result->series[0].values, shape)));
    }
    const char *finding =
        arena_printf(arena, count == 1 ? "%lld result is kept." : "%lld results are kept.",
                     (long long)count);
    reply_bundle(
        reply,
        table_bundle(arena, finding, rows, "%show NAME draws one, %save NAME FILE writes it."),
        NULL, false);
    return 0;
}

const struct command cmd_results = {
    .name = "results",
    .group = "set up",
    .words = "",
    .summary = "lists the results that are kept",
    .summary_zh = "列出保存的结果",
    .help = "Results live until the kernel restarts: those a command kept with --as, and _, "
            "the last one.\n"
            "%show draws one again, %save takes it out of the session.",
    .help_zh = "结果保留到内核重启为止：用 --as 保存的，以及 _（上一个结果）。%show "
               "重画，%save 写到文件。",
    .example = "%results",
    .run = run,
};
