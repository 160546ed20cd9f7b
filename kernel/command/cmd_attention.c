#include <string.h>

#include "core/explain/arrival.h"
#include "kernel/command/asked.h"

/* Layers and heads of this model that are asked for. */
static int read_request(struct arena *arena, const struct cell_line *line,
                        const struct model *model, struct attention_request *request,
                        struct err *err) {
    const struct command *command = command_find("attention");
    const char *of = command_text(command, line, "of");
    request->of = strcmp(of, "decoder") == 0 ? ATTENTION_OF_DECODER
                  : strcmp(of, "cross") == 0 ? ATTENTION_OF_CROSS
                                             : ATTENTION_OF_TEXT;
    if (attention_check(model, request->of, err) < 0) {
        const struct cell_flag *flag = cell_flag_at(line, "of");
        command_point(err, flag ? &flag->value_at : &line->command);
        return err_pass(err);
    }
    int64_t layers = request->of == ATTENTION_OF_TEXT ? model->config->layers
                                                      : model->config->decoder_layers;
    request->layers =
        command_list(arena, command, line, "layer", layers, &request->layer_count, NULL, err);
    if (!request->layers) {
        return err_pass(err);
    }
    request->heads = command_list(arena, command, line, "head", model->config->heads,
                                  &request->head_count, NULL, err);
    if (!request->heads) {
        return err_pass(err);
    }
    request->words = strcmp(command_text(command, line, "unit"), "word") == 0;
    return 0;
}

/* "source >> target": the length of the source; the target goes to the request. Only models
 * with a decoder know the sign. */
static size_t split(const struct asked_text *text, const struct model *model,
                    struct attention_request *request) {
    const char *sign = model_decodes(model) ? memmem(text->bytes, text->length, ">>", 2) : NULL;
    if (!sign) {
        return text->length;
    }
    size_t source = (size_t)(sign - text->bytes), begin = source + 2;
    while (begin < text->length && text->bytes[begin] == ' ') {
        begin++;
    }
    while (source > 0 && text->bytes[source - 1] == ' ') {
        source--;
    }
    request->target = text->bytes + begin;
    request->target_length = text->length - begin;
    return source;
}

static bool wants_rollout(const struct cell_line *line) {
    const struct cell_flag *view = cell_flag_at(line, "view");
    return view && strcmp(view->value, "rollout") == 0;
}

/* A rollout is of all heads together. */
static int view_check(const struct cell_line *line, struct err *err) {
    const struct cell_flag *head = cell_flag_at(line, "head");
    if (wants_rollout(line) && head) {
        return cell_refuse(err, ERR_OPTION, &head->at,
                           "--view rollout takes the mean of all heads: leave --head away; "
                           "--layer N goes through layers 0 to N");
    }
    return 0;
}

static int look_at(struct session *session, const struct cell_line *line,
                   const struct asked_text *text, const struct loaded *one, int64_t index,
                   int64_t count, struct reply *reply, struct err *err) {
    struct arena *arena = session_arena(session);
    struct attention_request request = { .language = asked_language(session, line) };
    if (read_request(arena, line, one->model, &request, err) < 0) {
        return err_pass(err);
    }
    struct arena **own = session_result_arena(session);
    size_t length = split(text, one->model, &request);
    bool rolls = wants_rollout(line);
    const struct result *result = (rolls ? arrival : attention)(
        *own, one->model, one->handle, text->bytes, length, &request, err);
    if (!result) {
        asked_point(err, text);
        return err_pass(err);
    }
    const char *picture = rolls ? result->kind : asked_picture(line, result, err);
    if (!picture || asked_show(session, reply, result, picture, request.language, err) < 0) {
        return err_pass(err);
    }
    asked_keep(session, line, index, count, own, result);
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t text_count, model_count;
    const struct asked_text *texts = asked_texts(session, line, &text_count, err);
    const struct loaded *models = texts ? asked_models(session, line, &model_count, err) : NULL;
    if (!models || asked_pictures(line, text_count, err) < 0 ||
        asked_check_name(line, err) < 0 || view_check(line, err) < 0) {
        return err_pass(err);
    }
    for (int64_t t = 0; t < text_count; t++) {
        for (int64_t m = 0; m < model_count; m++) {
            if (look_at(session, line, &texts[t], &models[m], t * model_count + m,
                        text_count * model_count, reply, err) < 0) {
                return err_pass(err);
            }
        }
    }
    return 0;
}

static const struct option options[] = {
    { .name = "view",
      .kind = OPTION_CHOICE,
      .choices = "grid head rollout",
      .complete = COMPLETE_CHOICE,
      .help = "grid: all chosen heads, small; head: one head, large; rollout: all layers "
              "multiplied; without it what suits the number",
      .help_zh = "grid：所选的各个头的小图；head：单个头的大图；rollout：各层相乘；不给时按头的"
                 "个数选择" },
    { .name = "layer",
      .kind = OPTION_LIST,
      .otherwise = "all",
      .help = "layers to show; 0 is nearest the input, -1 the last",
      .help_zh = "要看的层；0 离输入最近，-1 是最后一层" },
    { .name = "head",
      .kind = OPTION_LIST,
      .otherwise = "all",
      .help = "heads to show, in each of these layers",
      .help_zh = "这些层里要看的头" },
    { .name = "unit",
      .kind = OPTION_CHOICE,
      .choices = "token word",
      .otherwise = "token",
      .complete = COMPLETE_CHOICE,
      .help = "word joins the tokens of a word: to a word the sum, from a word the mean",
      .help_zh = "word 把同一个词的词元合并：指向该词的相加，从该词出发的取平均" },
    { .name = "of",
      .kind = OPTION_CHOICE,
      .choices = "encoder decoder cross",
      .otherwise = "encoder",
      .complete = COMPLETE_CHOICE,
      .help =
          "of a model with encoder and decoder (T5): which attention; a line is then source "
          ">> target",
      .help_zh =
          "用于带编码器和解码器的模型（T5）：看哪一种注意力；每行写成 源文本 >> 目标文本" },
    ASKED_MODEL,
    ASKED_DATA,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_attention = {
    .name = "attention",
    .group = "what does it attend to",
    .words = "",
    .summary = "where each head of each layer looks",
    .summary_zh = "每一层的每个头在看哪里",
    .help =
        "Runs the model on each line of text and draws its attention weights (the "
        "softmax's output).\n"
        "Each small map is one head: a row is the token that looks, a column the token it "
        "looks at,\n"
        "and each row sums to 1. All maps share one scale, so they can be compared.\n"
        "\n"
        "How to read it: a line beside the diagonal is a head that looks at the token "
        "before (or, in an\n"
        "encoder, after); the diagonal itself is a head that looks at its own token; one "
        "dark column\n"
        "is a token that all others look at, often the first or a full stop: heads rest "
        "there when they\n"
        "find nothing. Everything right of the diagonal is empty in a causal model, which "
        "cannot look\n"
        "ahead. --layer 3 --head 5 shows one head large, with its values where there are "
        "few tokens.\n"
        "\n"
        "A model with an encoder and a decoder (T5) has three kinds. Write source >> target "
        "in a line:\n"
        "--of encoder (without it too) shows the source, --of decoder the target, of which a "
        "token sees\n"
        "what is before it, --of cross where the target's tokens look in the source. The "
        "decoder begins\n"
        "with its start token, which is all it reads where there is no >> target.\n"
        "\n"
        "With the JupyterLab extension the grid sorts its heads by entropy, by how much they "
        "look at the\n"
        "token before, after or the own, at tokens to rest at (sinks), and by induction: how "
        "much a token\n"
        "that stood in the text before looks at what followed it there (Olsson and others "
        "2022,\n"
        "arXiv:2209.11895). %save writes these scores beside the weights.\n"
        "\n"
        "--view rollout multiplies the layers, each the mean of its heads and half of it the "
        "way straight\n"
        "on: how much of each token arrives at each place at the end, or behind --layer N "
        "(Abnar and\n"
        "Zuidema 2020, arXiv:2005.00928). It leaves out what feed-forward parts do.\n"
        "\n"
        "What it cannot tell: why the model answers as it does. The weights say where a "
        "head reads\n"
        "from, not what it reads nor what becomes of it (Jain and Wallace 2019, "
        "arXiv:1902.10186;\n"
        "Wiegreffe and Pinter 2019, arXiv:1908.04626).",
    .help_zh =
        "对每一行文本运行模型，画出注意力权重（softmax "
        "的输出）。每幅小图是一个头：行是在看的词元，\n"
        "列是被看的词元，每行之和为 1。所有小图共用一个色标，可以互相比较。\n"
        "\n"
        "怎样读图：紧挨对角线的一条线，是看前一个（编码器里也可能是后一个）词元的头；对"
        "角线本身，是看\n"
        "自己的头；一条深色的竖线，是大家都看的词元，往往是第一个词元或句号：头找不到要看"
        "的东西时就停在\n"
        "那里。因果模型不能往后看，对角线右边全空。--layer 3 --head 5 "
        "放大单个头，词元不多时写出数值。\n"
        "\n"
        "带编码器和解码器的模型（T5）有三种注意力。一行写成 源文本 >> 目标文本：--of "
        "encoder（不写\n"
        "也是）看源文本，--of decoder 看目标文本（只能看前面的词元），--of cross "
        "看目标文本的词元\n"
        "在源文本里看哪里。解码器从它的起始词元开始；没有 >> 时，它只读这个起始词元。\n"
        "\n"
        "装了 JupyterLab "
        "扩展，大图可按这些分数给头排序：熵，看前一个、后一个词元或自身的程度，停在\n"
        "汇聚点的程度，以及归纳：前文出现过的词元，有多看上次出现后紧跟的词元（Olsson 等 "
        "2022，\n"
        "arXiv:2209.11895）。%save 把这些分数和权重一起写出。\n"
        "\n"
        "--view rollout 把各层相乘（每层取各头的平均，一半算作残差直接通过）：到最后一层，\n"
        "或 --layer N 之后，每个位置里有多少来自最初的各个词元（Abnar 与 Zuidema 2020，\n"
        "arXiv:2005.00928）。前馈部分的作用没有算进去。\n"
        "\n"
        "它不能说明什么：模型为什么这样回答。权重只说明头从哪里读，不说明读到了什么、后"
        "来又怎样\n"
        "（Jain 与 Wallace 2019，arXiv:1902.10186；Wiegreffe 与 Pinter "
        "2019，arXiv:1908.04626）。",
    .example = "%%attention --layer 0 --head 0-3\nThe cat sat on the mat",
    .needs = "%model load minilm",
    .body = true,
    .options = options,
    .run = run,
};
