#include <string.h>

#include "core/explain/weighing.h"
#include "kernel/command/asked.h"

/* What can be shown, and what is added to the name under which it is kept. */
static const struct {
    const char *view, *ending;
} views[] = { { "histogram", "" }, { "cost", ".cost" }, { "norms", ".norms" } };
enum { VIEWS = sizeof views / sizeof *views };

static int look_at(struct session *session, const struct cell_line *line, struct reply *reply,
                   const struct loaded *one, const struct loaded *twin, int64_t index,
                   int64_t count, struct err *err) {
    const struct command *command = command_find("weights");
    struct arena *arena = session_arena(session);
    const char *view = command_text(command, line, "view");
    struct weighing_request request = {
        .bins = command_int(command, line, "bins"),
        .by_tensor = strcmp(command_text(command, line, "by"), "tensor") == 0,
        .twin = twin ? twin->model : NULL,
        .twin_handle = twin ? twin->handle : NULL,
        .language = asked_language(session, line),
    };
    struct weighing all;
    if (weighing(arena, one->model, one->handle, &request, &all, err) < 0) {
        const struct cell_flag *vs = cell_flag_at(line, "vs");
        command_point(err, vs ? &vs->value_at : &line->command);
        return err_pass(err);
    }
    const struct result *results[VIEWS] = { all.histogram, all.cost, all.norms };
    bool automatic = strcmp(view, "auto") == 0, every = strcmp(view, "all") == 0;
    for (int v = 0; v < VIEWS; v++) {
        bool wanted = every || strcmp(view, views[v].view) == 0 || (automatic && v < 2);
        bool last = index == count - 1 && (v == 0 || !(automatic || every));
        const char *name = asked_name(arena, line, index, count, views[v].ending);
        if (wanted && results[v] &&
            asked_show_copy(session, line, reply, results[v], name, last, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

/* --view cost tells what a twin is needed for. */
static int view_check(const struct cell_line *line, const struct loaded *twin,
                      struct err *err) {
    const struct cell_flag *view = cell_flag_at(line, "view");
    if (view && strcmp(view->value, "cost") == 0 && !twin) {
        return cell_refuse(
            err, ERR_OPTION, &view->value_at,
            "--view cost compares with a twin: add --vs and the name of the same model "
            "loaded in another type");
    }
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    const struct cell_flag *vs = cell_flag_at(line, "vs");
    int64_t count;
    const struct loaded *models = asked_models(session, line, &count, err);
    struct loaded twin = { 0 };
    if (!models || asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    if (vs) {
        const struct loaded *found = session_model(session, vs->value, err);
        if (!found) {
            command_point(err, &vs->value_at);
            return err_pass(err);
        }
        twin = *found;
    }
    if (view_check(line, vs ? &twin : NULL, err) < 0) {
        return err_pass(err);
    }
    for (int64_t m = 0; m < count; m++) {
        if (look_at(session, line, reply, &models[m], vs ? &twin : NULL, m, count, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    { .name = "view",
      .kind = OPTION_CHOICE,
      .choices = "auto histogram norms cost all",
      .otherwise = "auto",
      .complete = COMPLETE_CHOICE,
      .help = "auto: histogram, and with --vs cost",
      .help_zh = "auto：直方图，给了 --vs 时加上 cost" },
    { .name = "by",
      .kind = OPTION_CHOICE,
      .choices = "layer tensor",
      .otherwise = "layer",
      .complete = COMPLETE_CHOICE,
      .help = "a row for every layer, or for every tensor",
      .help_zh = "每层一行，或每个张量一行" },
    { .name = "bins",
      .kind = OPTION_INT,
      .otherwise = "50",
      .low = 5,
      .high = 500,
      .help = "bins of the histogram, equal in log10 |w|",
      .help_zh = "直方图的格数，在 log10 |w| 上等宽" },
    { .name = "vs",
      .kind = OPTION_NAME,
      .complete = COMPLETE_HANDLE,
      .help = "the same model in another type, such as float32: what this one's type cost",
      .help_zh = "同一模型的另一种类型（如 float32）：看当前类型损失了什么" },
    ASKED_MODEL,
    { .name = "as",
      .kind = OPTION_NAME,
      .complete = COMPLETE_RESULT,
      .help = "keep the histogram under this name, the others under NAME.cost and NAME.norms",
      .help_zh = "以此名保存直方图，其余保存为 名字.cost 和 名字.norms" },
    ASKED_LANG,
    { 0 },
};

const struct command cmd_weights = {
    .name = "weights",
    .group = "is training healthy",
    .words = "",
    .summary = "a model's weights: their sizes, outliers, and what quantisation cost",
    .summary_zh = "模型的权重：大小、离群值，以及量化损失了多少",
    .help =
        "Reads every weight once and shows how large they are, by layer or by tensor: a "
        "histogram of\n"
        "log10 |w|, exact zeros apart, with root mean squares, the largest, outliers (beyond 6 "
        "times\n"
        "the root mean square) and, by name, tensors with NaN or infinities.\n"
        "\n"
        "--vs TWIN compares with the same model loaded in another type, layer by layer or, "
        "with --by\n"
        "tensor, tensor by tensor, worst first: the signal-to-noise ratio in dB (TWIN's "
        "weights "
        "over the\n"
        "difference), the relative error, bits of storage a weight, and the block of 32 "
        "weights "
        "that lost\n"
        "most. Names of Hugging Face and GGUF files are matched for llama, mistral and qwen.\n"
        "\n"
        "How to read it: layers of a trained network have similar bells a decade or two wide; "
        "a row far\n"
        "to the left hardly does anything, one far to the right dominates. Each bit of a good\n"
        "quantisation is worth about 6 dB: 4 bits some 20 dB, 8 bits some 45.\n"
        "\n"
        "What it cannot tell: how much worse the model answers. Errors of the same size matter "
        "more in\n"
        "some tensors than in others: %%surprisal on the same text with both models tells "
        "that.",
    .help_zh =
        "把每个权重读一遍，按层或按张量显示它们的大小：log10 |w| 的直方图（恰好为 0 "
        "的单列），以及均方\n"
        "根、最大值、离群值（超过均方根 6 倍），并点名含有 NaN 或无穷大的张量。\n"
        "\n"
        "--vs TWIN 与同一模型的另一种类型逐层比较（--by tensor "
        "逐张量，最差的在前）：信噪比（dB）、\n"
        "相对误差、每个权重的存储位数，以及损失最大的一块（32 个权重）。llama、mistral、qwen "
        "的\n"
        "Hugging Face 与 GGUF 命名可以互相对应。\n"
        "\n"
        "怎样读图：训练过的网络各层形状相近，宽一两个数量级；远在左边的一行几乎不起作用，远在右"
        "边的一行\n"
        "占主导。好的量化每一位约值 6 dB：4 位约 20 dB，8 位约 45 dB。\n"
        "\n"
        "它不能说明什么：模型的回答变差了多少。同样大小的误差在有些张量里更要紧：用 "
        "%%surprisal 在同一\n"
        "文本上比较两个模型才知道。",
    .example = "%weights --view all",
    .needs = "%model new lstm",
    .options = options,
    .run = run,
};
