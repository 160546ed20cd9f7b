#include <string.h>

#include "core/draw/table.h"
#include "kernel/command/asked.h"
#include "kernel/command/settings.h"

/* "en, zh"; "a whole number" where it is one. */
static const char *possible(struct arena *arena, const struct setting *setting, bool zh) {
    if (!setting->choices) {
        return zh ? "整数" : "a whole number";
    }
    struct buf *out = buf_new(arena);
    for (const char *at = setting->choices; *at; at++) {
        buf_text(out, *at == ' ' ? ", " : (char[]){ *at, '\0' });
    }
    return out->data;
}

static void show_all(struct session *session, struct reply *reply) {
    static const char *const heads[] = { "setting", "is", "can be", "what it is" };
    static const char *const heads_zh[] = { "设置", "当前", "可取", "含义" };
    struct arena *arena = session_arena(session);
    bool zh = strcmp(session_setting(session, "language"), "zh") == 0;
    struct figure_table *rows = table_new(arena, 4, settings_count, zh ? heads_zh : heads);
    for (int64_t i = 0; i < settings_count; i++) {
        table_set(rows, i, 0, settings[i].name);
        table_set(rows, i, 1, session_setting(session, settings[i].name));
        table_set(rows, i, 2, possible(arena, &settings[i], zh));
        table_set(rows, i, 3, zh ? settings[i].what_zh : settings[i].what);
    }
    const char *finding = zh ? "本会话的设置。" : "The settings of this session.";
    reply_bundle(
        reply,
        table_bundle(arena, finding, rows,
                     zh ? "%set NAME VALUE 改变一项。" : "%set NAME VALUE changes one."),
        NULL, false);
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    char kept[SETTINGS_VALUE];
    int wrong;
    if (line->word_count == 0) {
        show_all(session, reply);
        return 0;
    }
    const char *name = line->words[0].text;
    if (line->word_count == 1 && settings_find(name)) {
        reply_printf(reply, "%s is %s\n", name, session_setting(session, name));
        return 0;
    }
    if (line->word_count > 2) {
        return cell_refuse(err, ERR_OPTION, &line->words[2],
                           "%%set takes a name and one value, as in %%set theme dark");
    }
    const char *value = line->word_count > 1 ? line->words[1].text : "";
    if (settings_check(name, value, kept, &wrong, err) < 0) {
        command_point(err, &line->words[wrong]);
        return err_pass(err);
    }
    session_set(session, name, kept);
    return 0;
}

static const char *values_of(const char *name) {
    const struct setting *setting = settings_find(name);
    return setting ? setting->choices : NULL;
}

const struct command cmd_set = {
    .name = "set",
    .group = "set up",
    .words = "[NAME [VALUE]]",
    .summary = "sets language, theme, colours, seed or time for all later cells",
    .summary_zh = "设定语言、主题、配色、随机数种子或计时，对以后的单元格有效",
    .help =
        "Settings hold for the rest of the cell and for all later ones, until the kernel is "
        "restarted:\n"
        "\n"
        "language  en or zh: the words around the numbers; --lang decides for one command\n"
        "theme     light or dark: the ground on which pictures are drawn\n"
        "colours   cutaway, viridis or grey: of heat maps; all three can be read by the "
        "colour-blind\n"
        "seed      a whole number: where all that is drawn at random begins (also %seed)\n"
        "time      on or off: whether each cell says how long it took (also %time)\n"
        "\n"
        "%set alone shows what they are, %set theme shows one. Theme and colours change how a "
        "picture\n"
        "looks, never a number in it.",
    .help_zh = "设置从本单元格的下一行起一直有效，直到内核重启：\n"
               "\n"
               "language  en 或 zh：数字周围的文字；--lang 只管一条命令\n"
               "theme     light 或 dark：图的底色\n"
               "colours   cutaway、viridis 或 grey：热图的配色，三种色觉障碍者都能分辨\n"
               "seed      整数：一切随机抽取的起点（同 %seed）\n"
               "time      on 或 off：每个单元格是否显示用时（同 %time）\n"
               "\n"
               "单独的 %set 显示全部设置，%set theme 显示一项。主题和配色只改变图的样子，"
               "不改变其中的数值。",
    .example = "%set language en\n%set",
    .subcommands = "language theme colours seed time",
    .values = values_of,
    .run = run,
};
