#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/draw/table.h"
#include "kernel/command/asked.h"

enum { SAMPLE = 5, SAMPLE_BYTES = 160 };

struct call {
    struct session *session;
    const struct cell_line *line;
    struct reply *reply;
    struct err *err;
    struct arena *arena;
    bool zh;
};

/* "873 bytes", "1.2 kB", "104.9 MB" */
static const char *size_of(struct arena *arena, int64_t bytes) {
    return bytes == 1        ? "1 byte"
           : bytes < 1000    ? arena_printf(arena, "%lld bytes", (long long)bytes)
           : bytes < 1000000 ? arena_printf(arena, "%.1f kB", (double)bytes / 1e3)
                             : arena_printf(arena, "%.1f MB", (double)bytes / 1e6);
}

static const char *digits(struct arena *arena, int64_t n) {
    return arena_printf(arena, "%lld", (long long)n);
}

/* "news is a csv of 120 texts from its column text, 18.2 kB in all." */
static const char *said(const struct call *call, const struct dataset_kept *one) {
    const struct dataset *set = one->dataset;
    struct arena *arena = call->arena;
    const char *form = dataset_form_name(set->form), *column = "";
    const char *size = size_of(arena, set->bytes);
    if (set->column) {
        char shown[80];
        err_quote(shown, sizeof shown, set->column, strlen(set->column));
        column =
            arena_printf(arena, call->zh ? "，取自“%s”一列" : " from its column %s", shown);
    }
    if (call->zh) {
        return arena_printf(arena, "%s：%s 文件，%lld 个文本%s，共 %s。", one->name, form,
                            (long long)set->texts, column, size);
    }
    return arena_printf(arena, "%s is a %s of %lld %s%s, %s in all.", one->name, form,
                        (long long)set->texts, set->texts == 1 ? "text" : "texts", column,
                        size);
}

static int data_list(const struct call *call) {
    static const char *const heads[] = { "name", "form", "texts", "column", "file" };
    static const char *const heads_zh[] = { "名字", "格式", "文本数", "列", "文件" };
    struct arena *arena = call->arena;
    int64_t count;
    const struct dataset_kept *all = session_data_all(call->session, &count);
    if (count == 0) {
        reply_printf(call->reply, "%s\n",
                     call->zh ? "还没有数据：%data NAME FILE 给一个文件起名。"
                              : "There is no data yet: %data NAME FILE gives a file a name.");
        return 0;
    }
    struct figure_table *rows = table_new(arena, 5, count, call->zh ? heads_zh : heads);
    for (int64_t i = 0; i < count; i++) {
        const struct dataset *set = all[i].dataset;
        table_set(rows, i, 0, all[i].name);
        table_set(rows, i, 1, dataset_form_name(set->form));
        table_set(rows, i, 2, digits(arena, set->texts));
        table_set(rows, i, 3, set->column ? set->column : "");
        table_set(rows, i, 4, all[i].path);
    }
    const char *finding =
        arena_printf(arena, call->zh ? "有 %lld 个数据。" : "%lld data %s by name.",
                     (long long)count, count == 1 ? "file is known" : "files are known");
    reply_bundle(call->reply, table_bundle(arena, finding, rows, ""), NULL, false);
    return 0;
}

/* The first texts, shortened, with their lines. */
static struct figure_table *sample(const struct call *call, const struct dataset *set) {
    static const char *const heads[] = { "line", "text" }, *const heads_zh[] = { "行", "文本" };
    struct arena *arena = call->arena;
    struct figure_table *rows = table_new(arena, 2, SAMPLE, call->zh ? heads_zh : heads);
    struct dataset_cursor cursor = dataset_begin(set);
    struct dataset_text text;
    for (rows->rows = 0; rows->rows < SAMPLE; rows->rows++) {
        if (dataset_next(&cursor, arena, &text, NULL) <= 0) {
            break;
        }
        size_t n = text.length < SAMPLE_BYTES ? text.length : SAMPLE_BYTES;
        n -= n < text.length ? utf8_tail(text.bytes, n) : 0;
        const char *shown = arena_text(arena, text.bytes, n);
        table_set(rows, rows->rows, 0, digits(arena, text.line));
        table_set(rows, rows->rows, 1,
                  n < text.length ? arena_printf(arena, "%s…", shown) : shown);
    }
    return rows;
}

static int show(const struct call *call, const struct dataset_kept *one) {
    const struct dataset *set = one->dataset;
    struct arena *arena = call->arena;
    const char *caption = arena_printf(
        arena,
        call->zh ? "%s；最长的文本 %s，空白的 %lld 个已略过。命令用 --data %s 读取这些文本。"
                 : "%s; the longest text has %s, %lld blank ones are left out. Commands read "
                   "the texts with --data %s.",
        one->path, size_of(arena, set->longest), (long long)set->blank, one->name);
    reply_bundle(call->reply, table_bundle(arena, said(call, one), sample(call, set), caption),
                 NULL, false);
    return 0;
}

static int data_info(const struct call *call, const struct cell_word *name) {
    const struct dataset_kept *one = session_data(call->session, name->text, call->err);
    if (!one) {
        command_point(call->err, name);
        return err_pass(call->err);
    }
    return show(call, one);
}

static int data_drop(const struct call *call, const struct cell_word *name) {
    if (session_data_drop(call->session, name->text, call->err) < 0) {
        command_point(call->err, name);
        return err_pass(call->err);
    }
    return 0;
}

static int data_add(const struct call *call, const struct cell_word *name,
                    const struct cell_word *file) {
    const struct cell_flag *column = cell_flag_at(call->line, "column");
    const struct cell_flag *first = cell_flag_at(call->line, "first");
    if (datasets_check_name(name->text, call->err) < 0) {
        command_point(call->err, name);
        return err_pass(call->err);
    }
    int64_t most = first ? strtoll(first->value, NULL, 10) : 0;
    const struct dataset_kept *one = session_data_add(
        call->session, name->text, file->text, column ? column->value : NULL, most, call->err);
    if (!one) {
        bool named = column && call->err->kind == ERR_OPTION;
        command_point(call->err, named ? &column->value_at : file);
        return err_pass(call->err);
    }
    return show(call, one);
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    struct call call = { .session = session,
                         .line = line,
                         .reply = reply,
                         .err = err,
                         .arena = session_arena(session),
                         .zh = strcmp(asked_language(session, line), "zh") == 0 };
    const struct cell_word *words = line->words;
    const char *first = line->word_count > 0 ? words[0].text : "list";
    if (line->word_count < 2 && strcmp(first, "list") == 0) {
        return data_list(&call);
    }
    if (line->word_count == 2 && strcmp(first, "info") == 0) {
        return data_info(&call, &words[1]);
    }
    if (line->word_count == 2 && strcmp(first, "drop") == 0) {
        return data_drop(&call, &words[1]);
    }
    if (line->word_count == 2) {
        return data_add(&call, &words[0], &words[1]);
    }
    const struct cell_word *at = &words[line->word_count > 2 ? 2 : 0];
    return cell_refuse(
        err, ERR_OPTION, at,
        "%%data takes a name and a file, or list, info NAME, drop NAME; quote a path "
        "that has blanks");
}

static const struct option options[] = {
    { .name = "column",
      .kind = OPTION_TEXT,
      .help = "of a .csv or .jsonl: where the texts stand; without it text, or the only column",
      .help_zh = "用于 .csv 和 .jsonl：文本在哪一列；不给时用 text 列，或唯一的一列" },
    { .name = "first",
      .kind = OPTION_INT,
      .low = 1,
      .high = 1000000000,
      .help = "take only so many texts from the beginning",
      .help_zh = "只取开头的这么多个文本" },
    ASKED_LANG,
    { 0 },
};

const struct command cmd_data = {
    .name = "data",
    .group = "set up",
    .words = "NAME FILE · list · info NAME · drop NAME",
    .summary = "gives a file of texts a name, for --data of other commands",
    .summary_zh = "给一个文本文件起名，供其他命令的 --data 使用",
    .help = "A .txt file has a text on each line. A .csv file (RFC 4180: fields in quotes may "
            "hold commas and\n"
            "line breaks) has names in its first line and a text in each further one, in the "
            "column that\n"
            "--column names. A .jsonl file has an object or a string on each line. All must be "
            "UTF-8; blank\n"
            "texts are left out. %%surprisal --data NAME then looks at these texts, and so "
            "does every command\n"
            "that takes text below it; with --whole a .txt file is one text.\n"
            "\n"
            "The file is mapped, not copied, so hundreds of megabytes cost little memory, and "
            "is read through\n"
            "once to say where it is broken. The name lasts until %data drop or the end of the "
            "session; a\n"
            "worker's death does not lose it. What one cell can look at has a limit (100,000 "
            "texts, 4 MB a\n"
            "text); --first takes the beginning of larger files.",
    .help_zh =
        ".txt 文件每行是一个文本。.csv 文件（RFC "
        "4180：引号内的字段可以有逗号和换行）第一行是列名，之后每\n"
        "条记录在 --column 所指的列里有一个文本。.jsonl "
        "文件每行是一个对象或一个字符串。文件必须是\n"
        "UTF-8；空白的文本会略过。之后 %%surprisal --data NAME "
        "就看这些文本，其他在下面写文本的命令也一\n"
        "样；加--whole 时整个 .txt 文件是一个文本。\n"
        "\n"
        "文件只做内存映射，不复制，几百兆也几乎不占内存；打开时通读一遍，指出哪里有错。名字一直"
        "有效，直到\n"
        "%data drop 或会话结束，工作进程崩溃也不会丢。一个单元格能看的有上限（十万个文本，每个 "
        "4 MB），更\n"
        "大的文件用 --first 取开头一部分。",
    .example = "%data list",
    .needs = NULL,
    .complete = COMPLETE_FILE,
    .opens = COMMAND_OPENS_FILE,
    .options = options,
    .run = run,
};
