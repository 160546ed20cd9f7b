#include <string.h>

#include "core/base/file.h"
#include "core/base/places.h"
#include "kernel/command/asked.h"
#include "kernel/command/kept_view.h"

static bool ends_with(const char *text, const char *ending) {
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

/* What a file's ending asks for. */
struct ending {
    const char *ending, *called;
    bool drawn; /* as the picture's form */
    enum picture_form form;
};

static const struct ending *ending_of(const char *path) {
    static const struct ending endings[] = {
        { ".png", "picture", true, PICTURE_PNG },
        { ".svg", "picture of lines and letters", true, PICTURE_SVG },
        { ".pdf", "picture of lines and letters", true, PICTURE_PDF },
        { ".html", "web page", true, PICTURE_HTML },
        { ".txt", "text", true, PICTURE_TEXT },
        { .ending = ".npy", .called = "NumPy array" },
        { .ending = ".npz", .called = "NumPy arrays with their labels" },
        { .ending = ".csv", .called = "table" },
        { .ending = ".json", .called = "numbers with labels and provenance" },
        { .ending = ".safetensors", .called = "tensors" },
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (ends_with(path, endings[i].ending)) {
            return &endings[i];
        }
    }
    return NULL;
}

static int refuse_ending(const struct cell_word *at, struct err *err) {
    char shown[200];
    return cell_refuse(
        err, ERR_OPTION, at,
        "nothing can be saved as %s: the file's name must end in .png, .svg, .pdf, "
        ".html, .txt, .npy, .npz, .csv, .json or .safetensors",
        err_quote(shown, sizeof shown, at->text, strlen(at->text)));
}

/* Options that the ending has no use for. */
static int check_options(const struct cell_line *line, const struct ending *ending,
                         struct err *err) {
    const char *path = line->words[1].text;
    const struct cell_flag *dpi = cell_flag_at(line, "dpi");
    if (dpi && !(ending->drawn && ending->form == PICTURE_PNG)) {
        char shown[200];
        return cell_refuse(err, ERR_OPTION, &dpi->at,
                           "--dpi is for .png, and %s has no dots: leave it away",
                           err_quote(shown, sizeof shown, path, strlen(path)));
    }
    return 0;
}

static int save_picture(struct session *session, const struct cell_line *line,
                        const struct result *result, const char *path, enum picture_form form,
                        struct err *err) {
    const struct command *command = command_find("save");
    struct picture_options options = kept_view_options(session, line);
    options.scale =
        cell_flag_at(line, "dpi") ? (double)command_int(command, line, "dpi") / 96 : 0;
    const char *picture = asked_picture(line, result, err);
    const struct picture_file *file =
        picture ? picture_file(session_arena(session), picture, result, &options, form, err)
                : NULL;
    return file ? file_write(path, file->bytes, file->length, err) : err_pass(err);
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    const struct result *result = kept_view(session, line, 2, err);
    if (!result) {
        return err_pass(err);
    }
    const struct cell_word *at = &line->words[1];
    const struct ending *ending = ending_of(at->text);
    if (!ending) {
        return refuse_ending(at, err);
    }
    if (check_options(line, ending, err) < 0) {
        return err_pass(err);
    }
    const char *path = places_expand(session_arena(session), at->text); /* "~/cat.png" */
    int status = ending->drawn ? save_picture(session, line, result, path, ending->form, err)
                               : result_save(result, path, err);
    if (status < 0) {
        command_point(err, at);
        return err_pass(err);
    }
    char shown[400];
    reply_printf(reply, "wrote %s: %s of %s\n",
                 err_quote(shown, sizeof shown, at->text, strlen(at->text)), ending->called,
                 result->title);
    return 0;
}

static const struct option options[] = {
    { .name = "dpi",
      .kind = OPTION_INT,
      .low = 24,
      .high = 2400,
      .otherwise = "192",
      .help = "dots an inch of a .png; 300 or 600 for print",
      .help_zh = ".png 每英寸的点数；印刷用 300 或 600" },
    KEPT_VIEW_OPTIONS,
    { 0 },
};

const struct command cmd_save = {
    .name = "save",
    .group = "set up",
    .words = "NAME FILE",
    .summary = "writes a kept result to a file",
    .summary_zh = "把保存的结果写入文件",
    .help =
        "The file's ending decides what is written: .png the picture, as fine as --dpi asks "
        "for; .svg\n"
        "and .pdf the same picture of lines and letters, sharp at any size, whose text can be "
        "searched\n"
        "and copied (.pdf brings its fonts along); .html a page with values under the mouse, "
        ".txt the\n"
        "finding and the strongest rows; .npy and .npz for NumPy, .csv for tables, .json and\n"
        ".safetensors: all numbers, exact, the last four with labels. Paths are relative to "
        "the\n"
        "notebook's folder. An older file of that name is replaced, whole or not at all; "
        "links, devices\n"
        "and files protected against writing are refused. --view, --layer and --head choose as "
        "in\n"
        "%show; --theme and --colours for this file alone.",
    .help_zh = "文件名的结尾决定写什么：.png 是图，--dpi 可达印刷要求的精度；.svg 和 .pdf "
               "是同一幅图的线条\n"
               "与文字，放大到任何尺寸都清晰，文字可搜索、可复制（.pdf 自带字体）；.html "
               "是带悬停数值的网页，\n"
               ".txt 是结论和最强的几行；.npy、.npz 供 NumPy 用，.csv 是表格，.json 和 "
               ".safetensors：\n"
               "全部数值，完全精确（后四种带标签）。路径相对于笔记本所在的文件夹。同名旧文件会"
               "被整个替换，\n"
               "不会只写一半；链接、设备和写保护的文件会被拒绝。--view、--layer、--head "
               "的用法与 %show 相同；\n"
               "--theme、--colours 只用于这个文件。",
    .example = "%save cat cat.png --layer 0 --head 3",
    .needs = "%model load minilm\n# %%\n%%attention --as cat\nThe cat sat on the mat",
    .complete = COMPLETE_RESULT,
    .opens = COMMAND_WRITES,
    .options = options,
    .run = run,
};
