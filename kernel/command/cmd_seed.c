#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/command/command.h"
#include "kernel/session/reply.h"
#include "kernel/session/session.h"

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    if (line->word_count == 0) {
        reply_printf(reply, "seed is %s\n", session_setting(session, "seed"));
        return 0;
    }
    const struct cell_word *word = &line->words[0];
    char shown[60];
    err_quote(shown, sizeof shown, word->text, strlen(word->text));
    if (line->word_count > 1 || strspn(word->text, "0123456789") != strlen(word->text) ||
        strlen(word->text) > 18 || word->text[0] == '\0') {
        return cell_refuse(err, ERR_OPTION, word,
                           "%%seed takes one whole number of at most 18 digits, not \"%s\"%s",
                           shown, line->word_count > 1 ? " and more" : "");
    }
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", strtoll(word->text, NULL, 10));
    session_set(session, "seed", digits);
    return 0;
}

const struct command cmd_seed = {
    .name = "seed",
    .group = "set up",
    .words = "[N]",
    .summary = "sets the seed of everything that is drawn at random",
    .summary_zh = "设定随机数种子",
    .help = "Commands that draw at random start from this number (0 at first), so that the "
            "same cells\n"
            "give the same bytes, on any number of threads. %seed alone says which it is. "
            "Commands\n"
            "that draw nothing at random do not care.",
    .help_zh = "凡用到随机数的命令都从这个数开始（最初是 "
               "0），因此同样的单元格在任何线程数下给出逐字节\n"
               "相同的结果。单独的 %seed 显示当前的种子。不用随机数的命令不受影响。",
    .example = "%seed 7",
    .run = run,
};
