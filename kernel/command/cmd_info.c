#include "core/explain/site_info.h"
#include "kernel/command/asked.h"
#include "kernel/command/model_card.h"

static int show_site(struct session *session, const struct cell_line *line,
                     const struct loaded *one, int64_t index, int64_t count,
                     struct reply *reply, struct err *err) {
    const char *language = asked_language(session, line);
    const struct cell_word *site = &line->words[0];
    struct arena **own = session_result_arena(session);
    const struct result *result =
        site_info(*own, one->model, one->handle, site->text, language, err);
    if (!result) {
        command_point(err, site);
        return err_pass(err);
    }
    if (asked_show(session, reply, result, NULL, language, err) < 0) {
        return err_pass(err);
    }
    asked_keep(session, line, index, count, own, result);
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t count;
    const struct loaded *models = asked_models(session, line, &count, err);
    if (!models || asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    if (line->word_count > 1) {
        const struct cell_word *extra = &line->words[1];
        return cell_refuse(
            err, ERR_OPTION, extra,
            "%%info takes one name, as in %%info blocks.0.attn.hook_q; a model is "
            "meant by --model");
    }
    for (int64_t i = 0; i < count; i++) {
        int done = line->word_count
                       ? show_site(session, line, &models[i], i, count, reply, err)
                       : model_card_show(session, line, &models[i], i, count, reply, err);
        if (done < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    ASKED_MODEL,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_info = {
    .name = "info",
    .group = "set up",
    .words = "[SITE]",
    .summary = "what a model, or one part of it, is made of",
    .summary_zh = "模型或其中一个部分由什么组成",
    .help =
        "Draws the architecture to the scale of its parameters, blocks of one build folded "
        "into "
        "one, with\n"
        "the shape and type of every part (quantised files mix types), and lists the settings, "
        "the file's\n"
        "size and how much of the mapped file is in memory. %info SITE tells of one part: what "
        "it means,\n"
        "its shape, which tensors make it, and what their numbers are like.\n"
        "\n"
        "SITE is a place as TransformerLens names it (blocks.3.attn.hook_q, logits), a block "
        "(blocks.3), a\n"
        "tensor as the file names it, or the beginning of tensors' names up to a dot.\n"
        "\n"
        "How to read it: equal areas are equal numbers of parameters. Small models are mostly "
        "word\n"
        "embeddings, large ones mostly feed-forward. A tied head costs nothing: it is the "
        "embedding again.\n"
        "Norms and biases are too small to be seen; their lines tell them. Standard deviations "
        "far from\n"
        "those of the other blocks, many zeros, or numbers that are not finite hint at "
        "damage.\n"
        "\n"
        "What it cannot tell: which parts matter for an answer. Size is not importance.",
    .help_zh =
        "按参数个数的比例画出结构，构造相同的层合并成一个，写出每个部分的形状和类型（量化文件里"
        "类型可能\n"
        "混用），并列出各项设置、文件大小，以及映射的文件有多少在内存里。%info SITE "
        "只讲一个部分：它的\n"
        "含义、形状、由哪些张量得到、这些张量里的数是什么样的。\n"
        "\n"
        "SITE 可以是 TransformerLens 的名字（blocks.3.attn.hook_q、logits）、一层（blocks.3）"
        "、文件里的\n"
        "张量名，或张量名在某个点之前的开头部分。\n"
        "\n"
        "怎样读：面积相等就是参数个数相等。小模型大半是词嵌入，大模型大半是前馈。共享的输出头不"
        "占地方，\n"
        "它就是词嵌入。归一化和偏置太小看不见，由文字标出。某层的标准差与其他层相差很远、零很多"
        "，或有数\n"
        "不是有限值，都可能说明文件坏了。\n"
        "\n"
        "它不能说明什么：哪个部分对某个回答重要。大小不等于重要。",
    .example = "%info\n%info blocks.0.attn.hook_q",
    .needs = "%model load minilm",
    .complete = COMPLETE_SITE,
    .options = options,
    .run = run,
};
