#include <string.h>

#include "kernel/command/command.h"
#include "kernel/session/reply.h"
#include "kernel/session/session.h"

/* The command a person means by "attention", "%attention" or "%%attention". */
static const struct command *meant(const struct cell_word *word, struct err *err) {
    struct cell_word plain = *word;
    plain.text += strspn(plain.text, "%");
    const struct command *command = command_find(plain.text);
    if (!command) {
        command_unknown(&plain, err);
    }
    return command;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    const char *asked = cell_flag_at(line, "lang") ? cell_flag_at(line, "lang")->value : NULL;
    const char *language = asked ? asked : session_setting(session, "language");
    struct arena *arena = session_arena(session);
    const struct command *found[16];
    if (line->word_count == 0) {
        reply_result(reply, command_overview(arena, language), NULL);
        return 0;
    }
    if (line->word_count > 16) {
        return err_set(err, ERR_OPTION, "%%help explains at most 16 commands at once");
    }
    for (int64_t i = 0; i < line->word_count; i++) {
        found[i] = meant(&line->words[i], err);
        if (!found[i]) {
            return err_pass(err);
        }
    }
    for (int64_t i = 0; i < line->word_count; i++) {
        reply_page(reply, command_help(arena, found[i], language));
    }
    return 0;
}

static const struct option options[] = {
    { .name = "lang",
      .kind = OPTION_CHOICE,
      .choices = "en zh",
      .complete = COMPLETE_CHOICE,
      .help = "language of the help; otherwise that of the environment (LANG)",
      .help_zh = "帮助所用的语言；不给时按环境变量 LANG" },
    { 0 },
};

const struct command cmd_help = {
    .name = "help",
    .group = "set up",
    .words = "[COMMAND]",
    .summary = "lists the commands, or explains one",
    .summary_zh = "列出所有命令，或详细说明某个命令",
    .help = "%help lists all commands; %help NAME shows what a command does, its options and "
            "an example\n"
            "in the help panel. %NAME? does the same, and Shift-Tab shows it beside the cell.",
    .help_zh =
        "%help 列出所有命令；%help 命令名 在帮助面板里说明这个命令的作用、选项，并给出例子。\n"
        "%命令名? 与它相同；在单元格里按 Shift-Tab 也能看到。",
    .example = "%help echo",
    .complete = COMPLETE_COMMAND,
    .options = options,
    .run = run,
};
