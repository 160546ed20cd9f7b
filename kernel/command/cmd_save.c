#include <string.h>

#include "core/base/file.h"
#include "kernel/command/asked.h"
#include "kernel/command/kept_view.h"

static bool ends_with(const char *text, const char *ending) {
    size_t n = strlen(text), m = strlen(ending);
    return n > m && strcmp(text + n - m, ending) == 0;
}

/* The forms that a picture has. */
static int save_picture(struct session *session, const struct cell_line *line,
                        const struct result *result, const char *path, struct err *err) {
    bool png = ends_with(path, ".png");
    struct picture_options options = asked_options(session, asked_language(session, line));
    options.no_html = png;
    const char *picture = asked_picture(line, result, err);
    const struct bundle *bundle =
        picture ? picture_bundle(session_arena(session), picture, result, &options, err) : NULL;
    if (!bundle) {
        return err_pass(err);
    }
    if (png) {
        return file_write(path, bundle->png, bundle->png_length, err);
    }
    const char *text = ends_with(path, ".html") ? bundle->html : bundle->text;
    return file_write(path, text, strlen(text), err);
}

static const char *form_of(const char *path) {
    static const struct {
        const char *ending, *form;
    } forms[] = {
        { ".png", "picture" },
        { ".html", "web page" },
        { ".txt", "text" },
        { ".npy", "NumPy array" },
        { ".npz", "NumPy arrays with their labels" },
        { ".csv", "table" },
        { ".json", "numbers with labels and provenance" },
        { ".safetensors", "tensors" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (ends_with(path, forms[i].ending)) {
            return forms[i].form;
        }
    }
    return NULL;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    const struct result *result = kept_view(session, line, 2, err);
    if (!result) {
        return err_pass(err);
    }
    const struct cell_word *at = &line->words[1];
    const char *form = form_of(at->text);
    if (!form) {
        char shown[200];
        return cell_refuse(
            err, ERR_OPTION, at,
            "nothing can be saved as %s: the file's name must end in .png, .html, .txt, "
            ".npy, .npz, .csv, .json or .safetensors",
            err_quote(shown, sizeof shown, at->text, strlen(at->text)));
    }
    bool drawn = ends_with(at->text, ".png") || ends_with(at->text, ".html") ||
                 ends_with(at->text, ".txt");
    int status = drawn ? save_picture(session, line, result, at->text, err)
                       : result_save(result, at->text, err);
    if (status < 0) {
        command_point(err, at);
        return err_pass(err);
    }
    reply_printf(reply, "wrote %s: %s of %s\n", at->text, form, result->title);
    return 0;
}

static const struct option options[] = { KEPT_VIEW_OPTIONS, { 0 } };

const struct command cmd_save = {
    .name = "save",
    .group = "set up",
    .words = "NAME FILE",
    .summary = "writes a kept result to a file",
    .summary_zh = "把保存的结果写入文件",
    .help = "The file's ending decides what is written: .png the picture (twice the size it is "
            "shown, for\n"
            "papers), .html a page with values under the mouse, .txt the finding and the "
            "strongest rows;\n"
            ".npy and .npz for NumPy, .csv for tables, .json and .safetensors: all numbers, "
            "exact, the last\n"
            "four with labels. Paths are relative to the notebook's folder. An older file of "
            "that name is\n"
            "replaced, whole or not at all. --view, --layer and --head choose as in %show.",
    .help_zh = "文件名的结尾决定写什么：.png 是图（按显示尺寸的两倍，适合论文），.html "
               "是带悬停数值的网页，\n"
               ".txt 是结论和最强的几行；.npy、.npz 供 NumPy 用，.csv 是表格，.json 和 "
               ".safetensors：全部\n"
               "数值，完全精确（后四种带标签）。路径相对于笔记本所在的文件夹。同名旧文件会被整"
               "个替换，不会只\n"
               "写一半。--view、--layer、--head 的用法与 %show 相同。",
    .example = "%save cat cat.png --layer 0 --head 3",
    .needs = "%model load minilm\n# %%\n%%attention --as cat\nThe cat sat on the mat",
    .complete = COMPLETE_RESULT,
    .options = options,
    .run = run,
};
