#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "kernel/command/asked.h"

enum { LEAST = 64 << 20 }; /* bytes: below that no cell could run, not even one that lifts it */

static const char *size_of(struct arena *arena, int64_t bytes) {
    return bytes >= 999500000 ? arena_printf(arena, "%.2f GB", (double)bytes / 1e9)
                              : arena_printf(arena, "%.0f MB", (double)bytes / 1e6);
}

/* Says what holds now. */
static void say(struct session *session, const struct cell_line *line, struct reply *reply) {
    static const char *const causes[][2] = {
        [MEMORY_MACHINE] = { "three quarters of the machine's memory", "机器内存的四分之三" },
        [MEMORY_CONTAINER] = { "three quarters of what this container has",
                               "容器内存上限的四分之三" },
        [MEMORY_RLIMIT] = { "three quarters of what ulimit allows", "ulimit 上限的四分之三" },
        [MEMORY_MEM_LIMIT] = { "three quarters of MEM_LIMIT, which the server sets",
                               "服务器所设 MEM_LIMIT 的四分之三" },
        [MEMORY_ASKED] = { "as CUTAWAY_MEMORY says", "由 CUTAWAY_MEMORY 指定" },
        [MEMORY_LIMIT] = { "by %limit", "由 %limit 设定" },
    };
    bool zh = strcmp(asked_language(session, line), "zh") == 0;
    struct arena *arena = session_arena(session);
    const char *budget = size_of(arena, memory_budget());
    reply_printf(reply,
                 zh ? "计算和保存的结果最多可占 %s（%s），现已占 %s\n"
                    : "what is computed and kept may take %s (%s); it takes %s now\n",
                 budget, causes[memory_cause()][zh], size_of(arena, arena_held()));
}

static int refuse(const struct cell_line *line, struct err *err) {
    char shown[80];
    const char *text = line->words[0].text;
    return cell_refuse(
        err, ERR_OPTION, &line->words[0],
        "%%limit takes a size from 64 MB on, as 4GB or 500MB, or off, not \"%s\"",
        err_quote(shown, sizeof shown, text, strlen(text)));
}

/* The words as one: "4" "GB" is "4 GB". */
static const char *words_of(struct arena *arena, const struct cell_line *line) {
    return line->word_count == 2
               ? arena_printf(arena, "%s %s", line->words[0].text, line->words[1].text)
               : line->words[0].text;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    char digits[24] = "off";
    struct arena *arena = session_arena(session);
    if (line->word_count > 2) {
        return cell_refuse(err, ERR_OPTION, &line->words[2], "%%limit takes one size");
    }
    if (line->word_count > 0 && strcmp(line->words[0].text, "off") != 0) {
        int64_t bytes = memory_bytes(words_of(arena, line)), held = arena_held();
        if (bytes < LEAST) {
            return refuse(line, err);
        }
        if (bytes - LEAST < held) {
            return cell_refuse(
                err, ERR_MEMORY, &line->words[0],
                "%s are held already, and 64 MB more are needed to work with: free some "
                "(%%model unload, a shorter text under the same --as), or allow more",
                size_of(arena, held));
        }
        snprintf(digits, sizeof digits, "%lld", (long long)bytes);
    }
    if (line->word_count > 0) {
        session_set(session, "limit", digits);
    }
    say(session, line, reply);
    return 0;
}

static const struct option options[] = { ASKED_LANG, { 0 } };

const struct command cmd_limit = {
    .name = "limit",
    .group = "set up",
    .words = "[SIZE|off]",
    .summary = "how much memory may be taken",
    .summary_zh = "最多可占用多少内存",
    .help =
        "%limit 4GB lets everything that is computed and kept take no more than that, from now "
        "on: a\n"
        "command that needs more is refused before it begins, with what it needs and what it "
        "can have,\n"
        "and the session goes on. %limit alone says what holds, %limit off takes the limit "
        "away. Sizes are\n"
        "in MB, GB or TB (1 GB is 1,000,000,000 bytes), or MiB, GiB or TiB.\n"
        "\n"
        "Without it three quarters of the least of these may be taken: the machine's memory, "
        "the\n"
        "container's (cgroup), MEM_LIMIT and ulimit; a larger %limit changes nothing. Files of "
        "weights\n"
        "do not count: they are mapped, and the system can drop them from memory and read them "
        "again.\n"
        "\n"
        "The limit is a setting of the session: it outlives the death of the computing "
        "process, "
        "and %info\n"
        "shows it.",
    .help_zh =
        "%limit 4GB "
        "规定此后计算和保存的结果最多占用这么多内存：需要更多的命令在开始之前就被拒绝，\n"
        "并说明需要多少、能有多少，会话照常继续。单独的 %limit 说明当前的上限，%limit off "
        "取消。单位是\n"
        "MB、GB、TB（1 GB 为 1,000,000,000 字节）或 MiB、GiB、TiB。\n"
        "\n"
        "不设时，上限是以下各项中最小者的四分之三：机器内存、容器（cgroup）上限、MEM_LIMIT 和 "
        "ulimit；\n"
        "更大的 %limit "
        "不起作用。权重文件不计在内：它们只做映射，系统可随时丢弃，需要时再读。\n"
        "\n"
        "上限是会话的设置：计算进程崩溃后仍然有效，%info 会显示它。",
    .example = "%limit 2GB\n%limit\n%limit off",
    .options = options,
    .run = run,
};
