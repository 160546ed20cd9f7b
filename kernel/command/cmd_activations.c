#include <stdlib.h>
#include <string.h>

#include "core/base/now.h"
#include "core/explain/activity.h"
#include "kernel/command/asked.h"

struct call {
    struct session *session;
    const struct cell_line *line;
    struct reply *reply;
    struct err *err;
    const struct command *command;
    struct activity_view view;
    int64_t top;
    bool by_z;
};

/* One "LAYER.INDEX"; what follows it, NULL if it is none. */
static const char *take_neuron(const char *at, struct activations_neuron *one) {
    char *end;
    if (*at < '0' || *at > '9') {
        return NULL;
    }
    one->layer = strtoll(at, &end, 10);
    if (end - at > 9 || end[0] != '.' || end[1] < '0' || end[1] > '9') {
        return NULL;
    }
    at = end + 1;
    one->index = strtoll(at, &end, 10);
    bool ends = *end == '\0' || (*end == ',' && end[1] != '\0');
    return end - at > 9 || !ends ? NULL : *end ? end + 1 : end;
}

/* --neuron: "3.512" or several with commas between. */
static int read_neurons(const struct call *call, struct activations_request *request) {
    const struct cell_flag *flag = cell_flag_at(call->line, "neuron");
    if (!flag) {
        return 0;
    }
    struct activations_neuron *list = arena_array(
        session_arena(call->session), (int64_t)strlen(flag->value) + 1, sizeof *list);
    request->neurons = list;
    const char *at = flag->value;
    do {
        at = take_neuron(at, &list[request->neuron_count++]);
    } while (at && *at);
    char shown[80];
    return at ? 0
              : cell_refuse(
                    call->err, ERR_OPTION, &flag->value_at,
                    "--neuron cannot be %s: it takes a layer and a number, 3.512, or several "
                    "with commas between",
                    err_quote(shown, sizeof shown, flag->value, strlen(flag->value)));
}

static int read_site(struct call *call, const struct model *model,
                     struct activations_request *request) {
    const struct cell_flag *flag = cell_flag_at(call->line, "site");
    struct arena *arena = session_arena(call->session);
    int64_t layer;
    if (activations_site(model, flag ? flag->value : NULL, request, &layer, call->err) < 0) {
        command_point(call->err, flag ? &flag->value_at : &call->line->command);
        return err_pass(call->err);
    }
    call->view.site = flag ? flag->value : "resid";
    call->view.columns =
        command_list(arena, call->command, call->line, "layer", request->columns,
                     &call->view.column_count, NULL, call->err);
    if (call->view.columns && layer >= 0 && !cell_flag_at(call->line, "layer")) {
        int64_t *own = arena_alloc(arena, sizeof *own);
        *own = layer;
        call->view.columns = own;
        call->view.column_count = 1;
    }
    if (call->view.columns && cell_flag_at(call->line, "layer")) {
        request->ranked = call->view.columns;
        request->ranked_count = call->view.column_count;
    }
    return call->view.columns ? 0 : err_pass(call->err);
}

/* --pos: the tokens to show and to look at for neurons; without it all are shown. */
static int read_positions(struct call *call, int64_t tokens,
                          struct activations_request *request) {
    bool all;
    call->view.positions =
        command_list(session_arena(call->session), call->command, call->line, "pos", tokens,
                     &call->view.position_count, &all, call->err);
    if (!call->view.positions) {
        return err_pass(call->err);
    }
    if (cell_flag_at(call->line, "pos")) {
        request->positions = call->view.positions;
        request->position_count = call->view.position_count;
    }
    return 0;
}

static int show(struct call *call, const struct result *result) {
    return asked_show(call->session, call->reply, result, NULL, call->view.language, call->err);
}

static int show_strips(struct call *call, const struct activations *of,
                       const struct activations_request *request, int64_t index,
                       int64_t count) {
    int64_t n = request->neuron_count;
    for (int64_t k = 0; k < n; k++) {
        struct arena **own = session_result_arena(call->session);
        const struct result *strip =
            activity_strip(*own, of, &request->neurons[k], k, &call->view);
        if (show(call, strip) < 0) {
            return -1;
        }
        asked_keep(call->session, call->line, index * n + k, count * n, own, strip);
    }
    return 0;
}

/* The neurons that stand out, kept as "name.neurons". */
static int show_neurons(struct call *call, const struct activations *of, int64_t index,
                        int64_t count) {
    struct arena *arena = session_arena(call->session);
    const char *name = asked_name(arena, call->line, index, count, ".neurons");
    const struct result *neurons =
        activity_neurons(arena, of, call->by_z, call->top, &call->view);
    if (!neurons) {
        return 0;
    }
    if (show(call, neurons) < 0) {
        return -1;
    }
    session_keep(call->session, name, neurons);
    return 0;
}

static int show_map(struct call *call, const struct activations *of, int64_t index,
                    int64_t count) {
    struct arena **own = session_result_arena(call->session);
    const struct result *map = activity_map(*own, of, &call->view);
    if (show(call, map) < 0 || (call->top > 0 && show_neurons(call, of, index, count) < 0)) {
        return -1;
    }
    asked_keep(call->session, call->line, index, count, own, map);
    return 0;
}

static int look_at(struct call *call, const struct asked_text *text, const struct loaded *one,
                   int64_t index, int64_t count) {
    struct arena *arena = session_arena(call->session);
    struct activations_request request = {
        .values = command_switch(call->line, "values"),
    };
    double began = now_seconds();
    call->view.handle = one->handle;
    if (read_site(call, one->model, &request) < 0 || read_neurons(call, &request) < 0) {
        return -1;
    }
    struct activations *of =
        activations_of(arena, one->model, text->bytes, text->length, call->err);
    if (!of) {
        asked_point(call->err, text);
        return err_pass(call->err);
    }
    if (read_positions(call, of->tokens, &request) < 0) {
        return -1;
    }
    if (activations_run(arena, of, &request, call->err) < 0) {
        const struct cell_flag *flag = cell_flag_at(call->line, "neuron");
        if (flag && call->err->kind == ERR_OPTION) {
            command_point(call->err, &flag->value_at);
        }
        asked_point(call->err, text);
        return err_pass(call->err);
    }
    call->view.seconds = now_seconds() - began;
    return request.neuron_count > 0 ? show_strips(call, of, &request, index, count)
                                    : show_map(call, of, index, count);
}

static enum activity_norm norm_of(const char *word) {
    return strcmp(word, "none") == 0  ? ACTIVITY_NONE
           : strcmp(word, "log") == 0 ? ACTIVITY_LOG
                                      : ACTIVITY_LAYER;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t texts, models;
    const struct command *command = command_find("activations");
    struct call call = { .session = session,
                         .line = line,
                         .reply = reply,
                         .err = err,
                         .command = command,
                         .view = { .norm = norm_of(command_text(command, line, "norm")),
                                   .language = asked_language(session, line) },
                         .top = command_int(command, line, "top"),
                         .by_z = strcmp(command_text(command, line, "by"), "z") == 0 };
    const struct asked_text *text = asked_texts(session, line, &texts, err);
    const struct loaded *model = text ? asked_models(session, line, &models, err) : NULL;
    if (!model || asked_pictures(line, texts, err) < 0 || asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    for (int64_t i = 0; i < texts * models; i++) {
        if (look_at(&call, &text[i / models], &model[i % models], i, texts * models) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    { .name = "site",
      .kind = OPTION_NAME,
      .help = "where to look, as TransformerLens calls it: resid_pre, resid_mid, resid_post, "
              "attn_out, mlp_out, post, q, k, v, z; without it the residual stream",
      .help_zh =
          "看哪里，用 TransformerLens 的名字：resid_pre、resid_mid、resid_post、attn_out、"
          "mlp_out、post、q、k、v、z；不给时看残差流" },
    { .name = "layer",
      .kind = OPTION_LIST,
      .otherwise = "all",
      .help = "layers to show, and to look for neurons in; of the residual stream 0 is what "
              "enters the first block",
      .help_zh = "要看的层，也只在这些层里找神经元；残差流的 0 是进入第一块的向量" },
    { .name = "pos",
      .kind = OPTION_LIST,
      .otherwise = "all",
      .help = "tokens to show, and to look for neurons at; 0 is the first, -1 the last",
      .help_zh = "要看的词元，也只在这些词元处找神经元；0 是第一个，-1 是最后一个" },
    { .name = "norm",
      .kind = OPTION_CHOICE,
      .choices = "layer log none",
      .otherwise = "layer",
      .complete = COMPLETE_CHOICE,
      .help =
          "layer: against the layer's median; log: log10 of the norm; none: the norm itself",
      .help_zh = "layer：与本层中位数相比；log：范数的 log10；none：范数本身" },
    { .name = "neuron",
      .kind = OPTION_TEXT,
      .help =
          "LAYER.NUMBER: this neuron along the text, in place of the map; several: 3.5,4.17",
      .help_zh = "层.编号：不画热图，沿文本看这个神经元；可写多个：3.5,4.17" },
    { .name = "top",
      .kind = OPTION_INT,
      .otherwise = "10",
      .low = 0,
      .high = 1000,
      .help = "how many of the neurons that stand out to show; 0: none",
      .help_zh = "显示多少个突出的神经元；0 表示不显示" },
    { .name = "by",
      .kind = OPTION_CHOICE,
      .choices = "z activation",
      .otherwise = "z",
      .complete = COMPLETE_CHOICE,
      .help = "rank neurons by z-score within their layer, or by activation",
      .help_zh = "神经元按本层内的 z 分数排序，或按激活值排序" },
    { .name = "values",
      .kind = OPTION_SWITCH,
      .help = "keep all values of the site too, [layers, tokens, width], for %save",
      .help_zh = "同时保存该处的全部数值 [层, 词元, 宽度]，供 %save 使用" },
    ASKED_DATA,
    ASKED_MODEL,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_activations = {
    .name = "activations",
    .group = "where is it computed",
    .words = "",
    .summary = "how large the values inside are, by token and layer; neurons that stand out",
    .summary_zh = "网络内部的数值有多大（词元 × 层），以及哪些神经元突出",
    .help = "Runs the model on each line of text and draws the L2 norm of the vector at each "
            "token and layer:\n"
            "of the residual stream, or of the place that --site names. Norms grow from layer "
            "to layer, and a\n"
            "few massive activations, mostly at the first token, are thousands of times larger "
            "than the rest.\n"
            "So each layer is measured by its own median (--norm layer): 0 is usual for the "
            "layer, 1 twice as\n"
            "large, -1 half, and colours end at four times. --norm log and none show the norms "
            "themselves.\n"
            "The finding says where massive activations are.\n"
            "\n"
            "Below, the neurons that stand out: those whose activation on this text lies "
            "farthest from what\n"
            "the layer's neurons do (--by z), or is largest (--by activation). Special tokens "
            "and a causal\n"
            "model's first, where the same neurons fire on any text, are not looked at, unless "
            "--pos says so.\n"
            "--neuron 3.512 colours the text by one neuron. %save takes all numbers, with "
            "--values the\n"
            "vectors.\n"
            "\n"
            "What it cannot tell: what a vector or a neuron means. A large norm is not "
            "importance, and a\n"
            "neuron that stands out on one text may do so on very different ones. Sun and "
            "others 2024,\n"
            "arXiv:2402.17762; Elhage and others 2022, arXiv:2209.10652.",
    .help_zh =
        "对每一行文本运行模型，画出每个词元、每一层的向量的 L2 范数：残差流的，或 --site "
        "所指之处的。范数\n"
        "逐层增大，还有少数巨大激活（多在第一个词元）比其余大上千倍，所以每层与本层的中位数相比"
        "（--norm\n"
        "layer）：0 为本层常见的大小，1 为两倍，-1 为一半，颜色到四倍为止。--norm log 和 none "
        "显示范数本\n"
        "身。结论会说出巨大激活在哪里。\n"
        "\n"
        "下面是突出的神经元：在本文本上的激活离本层神经元的常态最远（--by "
        "z），或绝对值最大（--by\n"
        "activation）。特殊词元和因果模型的第一个词元不看（同样的神经元在任何文本上都会在那里激"
        "活），除非\n"
        "用 --pos 指定。--neuron 3.512 按一个神经元给文本上色。%save 保存全部数值，加 --values "
        "时连同向量\n"
        "本身。\n"
        "\n"
        "它不能说明什么：向量或神经元是什么意思。范数大不等于重要；在一个文本上突出的神经元，在"
        "很不同的文\n"
        "本上也可能突出。Sun 等 2024，arXiv:2402.17762；Elhage 等 2022，arXiv:2209.10652。",
    .example = "%%activations --top 5\nThe cat sat on the mat",
    .needs = "%model load minilm",
    .body = true,
    .options = options,
    .run = run,
};
