#include <string.h>

#include "core/explain/gradients.h"
#include "kernel/command/asked.h"

/* What is shown, in this order, and what is added to the name under which it is kept. */
static const struct {
    const char *view, *ending;
} views[] = {
    { "histogram", "" }, { "flow", ".flow" }, { "norms", ".norms" }, { "units", ".units" }
};
enum { VIEWS = sizeof views / sizeof *views };

static const struct result *result_of(const struct gradients *all, int view) {
    const struct result *results[] = { all->histogram, all->flow, all->norms, all->units };
    return results[view];
}

struct looking {
    struct session *session;
    const struct cell_line *line;
    const struct asked_text *texts;
    int64_t text_count, model_count;
    struct reply *reply;
};

static void request_read(const struct looking *looking, struct gradients_request *request) {
    const struct command *command = command_find("gradients");
    struct arena *arena = session_arena(looking->session);
    struct example_text *texts = arena_array(arena, looking->text_count, sizeof *texts);
    const struct cell_flag *target = cell_flag_at(looking->line, "target");
    for (int64_t i = 0; i < looking->text_count; i++) {
        texts[i] = (struct example_text){ looking->texts[i].bytes, looking->texts[i].length };
    }
    *request = (struct gradients_request){
        .texts = texts,
        .count = looking->text_count,
        .target = target ? target->value : NULL,
        .seed = asked_seed(looking->session, looking->line),
        .bins = command_int(command, looking->line, "bins"),
        .by_tensor = strcmp(command_text(command, looking->line, "by"), "tensor") == 0,
        .language = asked_language(looking->session, looking->line),
    };
}

static int look_at(const struct looking *looking, const struct loaded *one, int64_t index,
                   struct err *err) {
    const char *view = command_text(command_find("gradients"), looking->line, "view");
    const struct cell_flag *target = cell_flag_at(looking->line, "target");
    struct arena *arena = session_arena(looking->session);
    struct gradients_request request;
    struct gradients all = { 0 };
    int64_t bad;
    request_read(looking, &request);
    if (gradients(arena, one->model, one->handle, &request, &all, &bad, err) < 0) {
        if (bad >= 0) {
            asked_point(err, &looking->texts[bad]);
        }
        command_point(err, target && err->kind == ERR_OPTION ? &target->value_at
                                                             : &looking->line->command);
        return err_pass(err);
    }
    bool every = strcmp(view, "all") == 0, brief = strcmp(view, "auto") == 0;
    if (strcmp(view, "units") == 0 && !all.units) {
        const struct cell_flag *flag = cell_flag_at(looking->line, "view");
        return cell_refuse(
            err, ERR_UNSUPPORTED, &flag->value_at,
            "%s has no units that could be dead or saturated: its feed-forward layers "
            "have no act that rectifies",
            one->handle);
    }
    for (int v = 0; v < VIEWS; v++) {
        const struct result *result = result_of(&all, v);
        bool wanted = every || (brief && v < 2) || strcmp(view, views[v].view) == 0;
        bool last = index == looking->model_count - 1 && (v == 0 || !(every || brief));
        const char *name =
            asked_name(arena, looking->line, index, looking->model_count, views[v].ending);
        if (wanted && result &&
            asked_show_copy(looking->session, looking->line, looking->reply, result, name, last,
                            err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    struct looking looking = { .session = session, .line = line, .reply = reply };
    looking.texts = asked_texts(session, line, &looking.text_count, err);
    const struct loaded *models =
        looking.texts ? asked_models(session, line, &looking.model_count, err) : NULL;
    if (!models || asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    for (int64_t m = 0; m < looking.model_count; m++) {
        if (look_at(&looking, &models[m], m, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    { .name = "view",
      .kind = OPTION_CHOICE,
      .choices = "auto histogram flow norms units all",
      .otherwise = "auto",
      .complete = COMPLETE_CHOICE,
      .help = "auto is histogram and flow",
      .help_zh = "看什么；auto 是 histogram 和 flow" },
    { .name = "by",
      .kind = OPTION_CHOICE,
      .choices = "layer tensor",
      .otherwise = "layer",
      .complete = COMPLETE_CHOICE,
      .help = "a histogram for every layer, or for every parameter tensor",
      .help_zh = "每层一个直方图，或每个参数张量一个" },
    { .name = "bins",
      .kind = OPTION_INT,
      .otherwise = "50",
      .low = 5,
      .high = 500,
      .help = "bins of the histogram, equal in log10 |g|",
      .help_zh = "直方图的格数，在 log10 |g| 上等宽" },
    { .name = "target",
      .kind = OPTION_TEXT,
      .help = "a token's or class's logit in place of the loss (#ID for a token by number)",
      .help_zh = "不用损失，而用某个词元或类别的 logit（#ID 按编号指定词元）" },
    { .name = "seed",
      .kind = OPTION_INT,
      .low = 0,
      .high = 999999999,
      .help = "of a masked language model: which tokens are masked; without it that of %seed",
      .help_zh = "用于掩码语言模型：遮住哪些词元；不给时用 %seed 的种子" },
    ASKED_DATA,
    ASKED_WHOLE,
    ASKED_MODEL,
    { .name = "as",
      .kind = OPTION_NAME,
      .complete = COMPLETE_RESULT,
      .help = "keep the histogram under this name, the others under NAME.flow and so on",
      .help_zh = "以此名保存直方图，其余保存为 名字.flow 等" },
    ASKED_LANG,
    { 0 },
};

const struct command cmd_gradients = {
    .name = "gradients",
    .group = "is training healthy",
    .words = "",
    .summary = "gradients of a loss: their sizes, and whether they vanish or explode",
    .summary_zh = "损失的梯度有多大，是否消失或爆炸",
    .help =
        "Runs the model forward and backward on the texts and shows the gradient of its "
        "loss (or of\n"
        "--target's logit) by every parameter, with a verdict: vanishing, exploding or "
        "healthy. The\n"
        "loss is the mean over all scored tokens of all lines: the next token of a causal "
        "model; 15 %\n"
        "of tokens, masked, of a masked one; source >> target or text >> class where the "
        "model wants\n"
        "that. Several lines are one mean, not several.\n"
        "\n"
        "How to read it: the histogram counts gradients by size, both scales logarithmic, "
        "exact zeros\n"
        "apart. The flow shows how much of the loss arrives further back: in a recurrent "
        "model the norm\n"
        "of d loss_T / d h_t (of an LSTM its cell's) from the last step back to the first, "
        "in a\n"
        "transformer the norm at the residual stream from the last layer down to the "
        "first. --view\n"
        "norms compares layers, --view units counts neurons that are never active and "
        "gates that are\n"
        "saturated, --by tensor gives every parameter its own row.\n"
        "\n"
        "The verdict: through time, a straight line through the logarithms gives a factor "
        "a step; below\n"
        "0.8 the gradient vanishes (1 % is left after 20 steps), above 1.25 it explodes; "
        "fewer than 8\n"
        "steps are too few. What reaches the first step as less than float32 holds vanished "
        "too. Through\n"
        "depth, first to last layer below 1/1000 or above 1000, from 3 layers on.\n"
        "\n"
        "What it cannot tell: whether training will work. It is one moment and these "
        "texts; optimisers\n"
        "that divide by a gradient's size (Adam) bear small gradients better. Bengio, "
        "Simard and\n"
        "Frasconi 1994; Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063; Glorot and "
        "Bengio 2010.",
    .help_zh = "在文本上正向、反向各运行一遍模型，显示损失（或 --target 的 "
               "logit）对每个参数的梯度，并给出判\n"
               "断：消失、爆炸或健康。损失是所有行所有计分词元的平均：因果模型是下一个词元；掩"
               "码模型是被遮住的\n"
               "15%词元；需要时写成 源文本 >> 目标文本，或 文本 >> 类别。多行合成一个平均。\n"
               "\n"
               "怎样读图：直方图按大小数梯度的个数，两轴都是对数刻度，恰好为 0 "
               "的单列。走向图说明损失的影响能\n"
               "传回多远：循环模型是 d loss_T / d h_t 的范数（LSTM "
               "用记忆单元），从最后一步回到第一步；\n"
               "Transformer是残差流上的范数，从末层到首层。--view norms 比较各层，--view units "
               "数从不激活的神\n"
               "经元和饱和的门，--by tensor 让每个参数张量占一行。\n"
               "\n"
               "判断的依据：沿时间，对数上的拟合直线给出每步的倍数，低于 0.8 为消失（20 "
               "步后只剩 1%），高于\n"
               "1.25 为爆炸，少于 8 步不判断；第一步得到的小于 float32 "
               "能表示的数，也算消失。\n沿深度，首层与末层之比低于 1/1000 或高于 "
               "1000，至少 3 层。\n"
               "\n"
               "它不能说明什么：训练会不会成功。这只是一个时刻、这些文本；会除以梯度大小的优化"
               "器（Adam）更能承\n"
               "受小梯度。Bengio、Simard 与 Frasconi 1994；Pascanu、Mikolov 与 Bengio "
               "2013，arXiv:1211.5063；\n"
               "Glorot 与 Bengio 2010。",
    .example = "%%gradients --view all\nThe cat sat on the mat and looked at the dog.",
    .needs = "%model new lstm",
    .body = true,
    .options = options,
    .run = run,
};
