#include "core/explain/gradients_tell.h"

#include <math.h>
#include <string.h>

#include "core/explain/weighing.h"
#include "core/model/transformer.h"

enum { STEPS_NAMED = 24 /* tokens that fit below a picture */ };

/* ---- what the model is like ---- */

/* Of neurons whose act is none that rectifies nothing can be said. */
static void neurons_find(struct gradients_about *about) {
    const struct transformer *net = about->model->parts;
    if (!model_has(about->model, SITE_NEURONS) || net->stack.layers == 0) {
        return;
    }
    const struct block *block = &net->stack.blocks[0];
    about->act = net->stack.act;
    about->gated = block->gate.weight || block->gate_and_up.weight;
}

void gradients_about_begin(struct gradients_about *about, struct arena *scratch,
                           const struct model *model, const char *handle,
                           const struct gradients_request *request, int64_t target) {
    const char *act = "tanh";
    *about = (struct gradients_about){ .scratch = scratch,
                                       .model = model,
                                       .handle = handle,
                                       .request = request,
                                       .target = target,
                                       .gates = 1 };
    about->zh = request->language && strncmp(request->language, "zh", 2) == 0;
    about->spread = spread_new(scratch, model, request->language);
    if (!model_has(model, SITE_OUTPUT)) {
        neurons_find(about);
        return;
    }
    about->gates = strcmp(model->arch->name, "lstm_lm") == 0  ? 4
                   : strcmp(model->arch->name, "gru_lm") == 0 ? 3
                                                              : 1;
    if (about->gates == 1 &&
        config_text(model->config, "nonlinearity", NULL, &act, NULL) == 0) {
        about->rectified = strcmp(act, "relu") == 0;
    }
}

/* ---- verdicts ---- */

/* Of two stacks, which one. */
static const char *half_name(const struct gradients_about *about, int64_t half) {
    static const char *const names[][2] = { { "the encoder", "编码器" },
                                            { "the decoder", "解码器" } };
    return about->halves > 1 ? names[half][about->zh] : NULL;
}

/* Of the parameters' gradients, block by block; of an encoder-decoder in its encoder, which
 * lies furthest from the loss. */
static struct verdict verdict_of_layers(const struct gradients_about *about) {
    int64_t n = about->spread->blocks;
    double *rms = arena_array(about->scratch, n + 1, sizeof *rms);
    for (int64_t l = 0; l < n; l++) {
        const struct spread_row *row =
            spread_join(about->scratch, about->spread, about->spread->first_block + l);
        bool whole = row && row->nans + row->infinite == 0;
        rms[l] = whole ? spread_rms(row) : (double)NAN;
    }
    struct verdict verdict = verdict_of(VERDICT_LAYERS, rms, n);
    verdict.where = half_name(about, 0);
    return verdict;
}

/* Of the state of the last layer; or of the one that explodes most, if one does. */
static struct verdict verdict_of_time(const struct gradients_about *about) {
    int64_t layers = about->model->config->layers;
    struct verdict chosen = { 0 };
    for (int64_t l = layers - 1; l >= 0; l--) {
        struct verdict here =
            verdict_of(VERDICT_TIME, about->time + l * about->steps, about->steps);
        here.where = layers > 1 ? about->spread->labels[about->spread->first_block + l] : NULL;
        bool wilder = here.kind == VERDICT_EXPLODING &&
                      (chosen.kind != VERDICT_EXPLODING || here.factor > chosen.factor);
        chosen = l == layers - 1 || wilder ? here : chosen;
    }
    return chosen;
}

static const char *subject(struct arena *arena, const struct gradients_about *about, bool zh) {
    const struct model *model = about->model;
    if (about->target < 0) {
        return zh ? "损失" : "the loss";
    }
    const char *name = strcmp(model->task, "classification") == 0 && model->config->label_names
                           ? model->config->label_names[about->target]
                       : model->tokenizer && strcmp(model->task, "classification") != 0
                           ? tokenizer_label(arena, model->tokenizer, (int32_t)about->target)
                           : arena_printf(arena, "%lld", (long long)about->target);
    char shown[60];
    err_quote(shown, sizeof shown, name, strlen(name));
    return arena_printf(arena, zh ? "%s 的 logit" : "the logit of %s", shown);
}

/* What the number is, and over what it is a mean. */
static const char *value_text(struct arena *arena, const struct gradients_about *about) {
    long long n = (long long)about->scored, texts = (long long)about->request->count;
    const char *what = subject(arena, about, about->zh);
    bool classes = strcmp(about->model->task, "classification") == 0;
    if (about->target >= 0 && about->zh) {
        return arena_printf(arena, "%s 为 %.4g（%lld 段文本的平均）", what, about->value,
                            texts);
    }
    if (about->target >= 0) {
        return arena_printf(arena, "%s is %.4g%s", what, about->value,
                            texts == 1 ? ""
                                       : arena_printf(arena, " (mean of %lld texts)", texts));
    }
    if (about->zh) {
        return arena_printf(arena, "%s为 %.4g 奈特，是 %lld 段文本的 %lld 个%s的平均", what,
                            about->value, texts, n, classes ? "类别" : "词元");
    }
    return arena_printf(arena, "%s is %.4g nats, the mean over %lld scored %s of %lld %s", what,
                        about->value, n,
                        classes  ? n == 1 ? "class" : "classes"
                        : n == 1 ? "token"
                                 : "tokens",
                        texts, texts == 1 ? "text" : "texts");
}

/* "3.2 % of all gradients are exactly 0 (30,510 of 30,522 rows of the embedding table ...)" */
static const char *zeros_text(struct arena *arena, const struct gradients_about *about) {
    int64_t zeros = 0, n = 0;
    for (int64_t i = 0; i < about->spread->count; i++) {
        zeros += about->spread->rows[i].zeros;
        n += about->spread->rows[i].n;
    }
    const char *share = spread_share(arena, zeros, n, about->zh);
    if (about->words_untouched == 0) {
        return arena_printf(
            arena, about->zh ? "%s 的梯度恰好为 0" : "%s of gradients are exactly 0", share);
    }
    return arena_printf(arena,
                        about->zh ? "%1$s 的梯度恰好为 0，其中嵌入表 %2$lld 行中有 %3$lld "
                                    "行没有被这些文本用到"
                                  : "%1$s of gradients are exactly 0: %3$lld of the %2$lld "
                                    "rows of the embedding table were never touched",
                        share, (long long)about->words, (long long)about->words_untouched);
}

/* ---- what all results share ---- */

static struct result *named(struct arena *arena, const struct gradients_about *about,
                            struct result *result, const char *title, const char *method) {
    const struct model *model = about->model;
    const struct gradients_request *request = about->request;
    result->title = title;
    result->model = arena_copy(arena, about->handle);
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = method;
    result->dtype = arena_copy(arena, model->dtype);
    result->n = request->count;
    result->seed = strcmp(model->task, "masked-lm") == 0 && about->target < 0
                       ? (int64_t)request->seed
                       : -1;
    result->text = arena_text(arena, request->texts[0].bytes, request->texts[0].length);
    result->seconds = about->seconds;
    result_note(arena, result, "of", arena_copy(arena, subject(arena, about, false)));
    return result;
}

static const char *sentence(struct arena *arena, const char *text) {
    char *copy = arena_copy(arena, text);
    if (copy[0] >= 'a' && copy[0] <= 'z') {
        copy[0] = (char)(copy[0] - 'a' + 'A');
    }
    return copy;
}

/* ---- the histogram ---- */

/* Where NaN comes from: the weights, or an overflow on the way. */
static const char *broken_text(struct arena *arena, const struct gradients_about *about,
                               const char *broken) {
    const char *weights = weighing_broken(arena, about->model, about->zh);
    if (weights) {
        return arena_printf(arena,
                            about->zh
                                ? "梯度已损坏，因为模型自身的权重已损坏：%s。梯度里：%s。"
                                : "The gradients are broken because the model's own weights "
                                  "are: %s. Of the gradients: %s.",
                            weights, broken);
    }
    return arena_printf(arena,
                        about->zh
                            ? "梯度已损坏：%s。权重本身完好，所以是途中溢出的。"
                            : "The gradients are broken: %s. The weights are whole, so the "
                              "numbers overflowed on the way.",
                        broken);
}

static const char *histogram_finding(struct arena *arena, const struct gradients_about *about) {
    const char *broken = spread_broken(arena, about->spread, about->zh);
    struct verdict layers = verdict_of_layers(about), time = layers;
    bool recurrent = about->steps > 0;
    if (broken) {
        return broken_text(arena, about, broken);
    }
    if (recurrent) {
        time = verdict_of_time(about);
    }
    const char *first =
        sentence(arena, verdict_text(arena, recurrent ? &time : &layers, about->zh));
    const char *second = recurrent && layers.kind != VERDICT_SHORT
                             ? sentence(arena, verdict_text(arena, &layers, about->zh))
                             : NULL;
    return arena_printf(arena, about->zh ? "%s。%s%s%s；%s。" : "%s. %s%s%s; %s.", first,
                        second ? second : "", second ? about->zh ? "。" : ". " : "",
                        sentence(arena, value_text(arena, about)), zeros_text(arena, about));
}

static struct result *histogram_tell(struct arena *arena, const struct gradients_about *about) {
    const struct gradients_request *request = about->request;
    struct result *result =
        spread_result(arena, about->spread, NULL, request->by_tensor, request->bins, "|g|");
    const char *title = about->zh
                            ? arena_printf(arena, "%s 的梯度（%s），%s", about->handle,
                                           subject(arena, about, about->zh),
                                           request->by_tensor ? "逐张量" : "逐层")
                            : arena_printf(arena, "Gradients of %s in %s, by %s",
                                           subject(arena, about, about->zh), about->handle,
                                           request->by_tensor ? "tensor" : "layer");
    named(arena, about, result, title, "parameter gradients");
    result->finding = histogram_finding(arena, about);
    result->caption =
        about->zh
            ? "横轴是 |g| 的大小（对数刻度），纵轴是个数（对数刻度），最左边一格是恰好为 0 "
              "的梯度。"
              "各行共用横轴：越往下越偏左是消失，越往下越偏右是爆炸。判据：沿时间每步的倍数低于"
              " "
              "0.8 为消失，高于 1.25 为爆炸（至少 8 步）；沿深度首末层之比低于 1/1000 为消失，"
              "高于 1000 为爆炸（至少 3 层）。"
            : "Across: the size of a gradient |g|; up: how many there are; both logarithmic, "
              "exact zeros apart at the left. All rows share the scale: rows that move left "
              "towards the input vanish, rows that move right explode. Thresholds: through "
              "time a factor below 0.8 a step vanishes, above 1.25 it explodes (from 8 steps "
              "on); through depth a ratio of first to last layer below 1/1000, above 1000 "
              "(from 3 layers on).";
    return result;
}

/* ---- norms ---- */

static const char **copied(struct arena *arena, const char **labels, int64_t n) {
    const char **copies = arena_array(arena, n, sizeof *copies);
    for (int64_t i = 0; i < n; i++) {
        copies[i] = arena_copy(arena, labels[i]);
    }
    return copies;
}

static struct series bars(struct arena *arena, const char *name, const char *axis,
                          const char **labels, int64_t n) {
    return (struct series){ .name = name,
                            .unit = "",
                            .values = tensor_new(arena, 1, &n),
                            .axes = { { axis, n, labels } },
                            .names = labels };
}

static struct result *norms_tell(struct arena *arena, const struct gradients_about *about) {
    const struct spread *spread = about->spread;
    bool by_tensor = about->request->by_tensor;
    int64_t n, most = -1;
    const struct spread_row **rows = spread_rows(about->scratch, spread, by_tensor, &n);
    const char **labels = arena_array(arena, n, sizeof *labels);
    double *norms = arena_array(about->scratch, n, sizeof *norms);
    const char *axis = by_tensor ? "tensor" : "layer";
    struct result *result = result_new(arena, "bars", 2);
    result->series[0] = bars(arena, "norm", axis, labels, n);
    result->series[1] = bars(arena, "rms", axis, labels, n);
    for (int64_t i = 0; i < n; i++) {
        bool whole = rows[i]->nans + rows[i]->infinite == 0;
        labels[i] = arena_copy(arena, rows[i]->name);
        norms[i] = whole ? sqrt(rows[i]->squares) : (double)NAN;
        most = whole && (most < 0 || norms[i] > norms[most]) ? i : most;
        result->series[0].values->data[i] = (float)norms[i];
        result->series[1].values->data[i] = whole ? (float)spread_rms(rows[i]) : NAN;
    }
    result->series[0].log = result->series[1].log = true;
    named(arena, about, result,
          arena_printf(arena,
                       about->zh ? by_tensor ? "%s 各张量的梯度范数" : "%s 各层的梯度范数"
                       : by_tensor ? "Gradient norms of %s by tensor"
                                   : "Gradient norms of %s by layer",
                       about->handle),
          "L2 norm");
    struct verdict layers = verdict_of_layers(about);
    const char *verdict = sentence(arena, verdict_text(arena, &layers, about->zh));
    result->finding =
        most < 0 ? arena_printf(arena, about->zh ? "%s。" : "%s.", verdict)
                 : arena_printf(arena,
                                about->zh ? "%s。梯度范数最大的是%s：%.3g。"
                                          : "%s. The largest norm is that of %s: %.3g.",
                                verdict, labels[most], norms[most]);
    result->caption =
        by_tensor ? about->zh ? "每个张量的梯度的 L2 范数；判断所用的是各层的均方根。"
                              : "The L2 norm of each parameter tensor's gradient. The verdict "
                                "compares the root mean square of layers."
        : about->zh
            ? "每层全部参数的梯度的 L2 范数；判断所用的是其均方根（除以参数个数的平方根），"
              "这样大小不同的层可以相比。"
            : "The L2 norm of the gradient of all of a layer's parameters. The verdict "
              "compares their root mean square (the norm over the root of the number of "
              "parameters), so that layers of different size can be compared.";
    return result;
}

/* ---- the flow ---- */

static struct result *lines(struct arena *arena, int64_t n, const char **names, int64_t points,
                            const char *across, const char **labels) {
    struct result *result = result_new(arena, "lines", 1);
    result->series[0] =
        (struct series){ .name = "gradient",
                         .unit = "norm",
                         .log = true,
                         .values = tensor_new(arena, 2, (int64_t[]){ n, points }),
                         .axes = { { "line", n, names }, { across, points, labels } } };
    return result;
}

/* A logarithmic scale has no place for zeros: a gap. */
static void line_fill(float *to, const double *from, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        to[i] = from[i] > 0 ? (float)from[i] : NAN;
    }
}

/* Why the earliest steps get nothing: their gradient fell below what float32 holds, or a state
 * on the way has no derivative. */
static const char *why_nothing(const struct verdict *time, bool zh) {
    if (time->faded) {
        return zh ? "最早的步得到的梯度小于 float32 能完整表示的数。"
                  : " The earliest steps get less than float32 can hold.";
    }
    return zh ? "最早的步得到的梯度恰好为 0：途中的状态导数为 0，什么也传不过去。"
              : " The earliest steps get exactly 0: states on the way have no derivative, and "
                "nothing passes them.";
}

/* Few steps have their tokens' names, others their distance from the last. */
static struct result *time_tell(struct arena *arena, const struct gradients_about *about) {
    int64_t layers = about->model->config->layers, steps = about->steps;
    bool cells = model_has(about->model, SITE_CELL);
    bool one = about->request->count == 1 && steps <= STEPS_NAMED;
    const char **names = copied(arena, about->spread->labels + 1, layers);
    const char **labels = arena_array(arena, steps, sizeof *labels);
    for (int64_t i = 0; i < steps; i++) {
        labels[i] = one ? arena_copy(arena, about->pieces[i])
                        : arena_printf(arena, "%lld", (long long)(i + 1 - steps));
    }
    struct result *result = lines(arena, layers, names, steps, "step", labels);
    for (int64_t l = 0; l < layers; l++) {
        line_fill(result->series[0].values->data + l * steps, about->time + l * steps, steps);
    }
    struct verdict time = verdict_of_time(about);
    named(arena, about, result,
          arena_printf(arena,
                       about->zh ? "%s 的梯度沿时间的走向" : "Gradient of %s through time",
                       about->handle),
          cells ? "d loss_T / d c_t" : "d loss_T / d h_t");
    bool nothing = time.kind == VERDICT_VANISHING && time.ratio == 0;
    result->finding = arena_printf(arena, about->zh ? "%s。%s" : "%s.%s",
                                   sentence(arena, verdict_text(arena, &time, about->zh)),
                                   nothing ? why_nothing(&time, about->zh) : "");
    result->caption =
        about->zh
            ? "只取最后一步的损失，看它对每一步状态的梯度的范数（对数刻度）。直线表示每一步乘以"
              "同一个倍数；往左下降是消失，往左上升是爆炸。判据：倍数低于 0.8 或高于 1.25。"
            : "The norm of the gradient of the last step's loss alone by the state at each "
              "step "
              "(logarithmic). A straight line is one factor a step: falling to the left it "
              "vanishes, rising to the left it explodes (below 0.8, above 1.25 a step).";
    return result;
}

static struct result *stream_tell(struct arena *arena, const struct gradients_about *about) {
    int64_t most = 0, halves = about->halves;
    const char **names = arena_array(arena, halves, sizeof *names);
    for (int64_t h = 0; h < halves; h++) {
        most = about->layers[h] > most ? about->layers[h] : most;
        names[h] = halves == 1 ? about->zh ? "残差流" : "residual stream"
                   : h == 0    ? about->zh ? "编码器" : "encoder"
                   : about->zh ? "解码器"
                               : "decoder";
    }
    struct result *result = lines(arena, halves, names, most + 1, "layer", NULL);
    for (int64_t h = 0; h < halves; h++) {
        float *to = result->series[0].values->data + h * (most + 1);
        for (int64_t l = 0; l <= most; l++) {
            to[l] = NAN;
        }
        line_fill(to, about->stream[h], about->layers[h] + 1);
    }
    struct verdict way =
        verdict_of(VERDICT_LAYERS, about->stream[halves - 1], about->layers[halves - 1] + 1);
    way.where = half_name(about, halves - 1);
    named(arena, about, result,
          arena_printf(arena,
                       about->zh ? "%s 的梯度沿深度的走向" : "Gradient of %s through depth",
                       about->handle),
          "gradient at the residual stream");
    result->finding =
        arena_printf(arena, about->zh ? "残差流：%s。" : "At the residual stream: %s.",
                     verdict_text(arena, &way, about->zh));
    result->caption =
        about->zh
            ? "梯度在残差流各处的范数（对数刻度）：第 l 点是第 l "
              "块的输入，最后一点是末块的输出。"
              "判据：首末之比低于 1/1000 或高于 1000。"
            : "The norm of the gradient at the residual stream (logarithmic): point l is the "
              "input of block l, the last point the output of the last. Vanishing: first to "
              "last below 1/1000; exploding: above 1000.";
    return result;
}

/* ---- units ---- */

/* Neurons that never were active, layer by layer. */
static int64_t dead_in(const struct gradients_about *about, int64_t half, int64_t layer) {
    int64_t n = about->units[half], dead = 0;
    const float *peaks = about->peaks[half] + layer * n;
    float most = 0;
    for (int64_t i = 0; i < n; i++) {
        most = peaks[i] > most ? peaks[i] : most;
    }
    for (int64_t i = 0; i < n; i++) {
        dead += about->gated ? peaks[i] < most / 1000 : peaks[i] <= 0;
    }
    return dead;
}

static struct result *shares(struct arena *arena, const struct gradients_about *about,
                             const char **labels, int64_t n, const char *title,
                             const char *method) {
    struct result *result = result_new(arena, "bars", 2);
    result->series[0] = bars(arena, "share", "layer", labels, n);
    result->series[0].high = 1;
    result->series[1] = bars(arena, "units", "layer", labels, n);
    return named(arena, about, result, title, method);
}

static struct result *dead_tell(struct arena *arena, const struct gradients_about *about) {
    int64_t n = about->layers[0] + (about->halves > 1 ? about->layers[1] : 0), dead = 0,
            all = 0;
    struct result *result = shares(
        arena, about, copied(arena, about->spread->labels + 1, n), n,
        arena_printf(arena, about->zh ? "%s 中从不激活的神经元" : "Units of %s never active",
                     about->handle),
        "feed-forward neurons");
    for (int64_t i = 0; i < n; i++) {
        int64_t half = i >= about->layers[0], units = about->units[half];
        int64_t here = dead_in(about, half, i - (half ? about->layers[0] : 0));
        result->series[0].values->data[i] = (float)((double)here / (double)units);
        result->series[1].values->data[i] = (float)units;
        dead += here;
        all += units;
    }
    bool few = about->tokens < 100;
    result->finding = arena_printf(
        arena,
        about->zh ? "%lld 个神经元中有 %lld 个（%.3g%%）在这 %lld 个词元上从不激活%s。"
                  : "%2$lld of %1$lld neurons (%3$.3g %%) are never active on these %4$lld "
                    "tokens%5$s.",
        (long long)all, (long long)dead, 100.0 * (double)dead / (double)all,
        (long long)about->tokens,
        !few        ? ""
        : about->zh ? "；文本太短，还不能说它们是死的"
                    : "; too few tokens to call them dead");
    result->caption =
        about->gated
            ? about->zh
                  ? "带门的前馈层：输出的大小始终不到该层最大值千分之一的神经元所占的比例。"
                  : "Feed-forward neurons with a gate: the share whose size always stays below "
                    "a thousandth of the layer's largest."
        : about->zh
            ? "前馈层中激活值从不超过 0 的神经元所占的比例；它们的梯度几乎为 0，学不到东西。"
            : "The share of a layer's feed-forward neurons whose activation is never above "
              "0: hardly a gradient passes through them.";
    return result;
}

static const char *gate_name(const struct gradients_about *about, int64_t gate) {
    static const char *const lstm[] = { "input", "forget", "cell", "output" };
    static const char *const gru[] = { "reset", "update", "new" };
    static const char *const lstm_zh[] = { "输入门", "遗忘门", "候选", "输出门" };
    static const char *const gru_zh[] = { "重置门", "更新门", "候选" };
    if (about->gates == 1) {
        return about->zh ? "状态" : "state";
    }
    return about->gates == 4 ? (about->zh ? lstm_zh : lstm)[gate]
                             : (about->zh ? gru_zh : gru)[gate];
}

static struct result *saturated_tell(struct arena *arena, const struct gradients_about *about) {
    int64_t n = about->model->config->layers * about->gates, most = 0;
    const char **labels = arena_array(arena, n, sizeof *labels);
    for (int64_t i = 0; i < n; i++) {
        labels[i] = arena_printf(arena, about->zh ? "%s %s" : "%s %s",
                                 about->spread->labels[1 + i / about->gates],
                                 gate_name(about, i % about->gates));
    }
    struct result *result =
        shares(arena, about, labels, n,
               arena_printf(arena,
                            about->rectified
                                ? about->zh ? "%s 中为 0 的状态" : "States of %s that are 0"
                            : about->zh ? "%s 中饱和的门和状态"
                                        : "Saturated gates and states of %s",
                            about->handle),
               "gates and states");
    for (int64_t i = 0; i < n; i++) {
        double share = (double)about->saturated[i] / (double)about->looked[i];
        result->series[0].values->data[i] = (float)share;
        result->series[1].values->data[i] = (float)about->model->config->width;
        most = share > (double)result->series[0].values->data[most] ? i : most;
    }
    result->finding =
        arena_printf(arena,
                     about->zh ? "%2$s最多：%1$.3g%% 的值%3$s。"
                               : "Most in %2$s: %1$.3g %% of its values are %3$s.",
                     100.0 * (double)result->series[0].values->data[most], labels[most],
                     about->rectified ? about->zh ? "为 0" : "0"
                     : about->zh      ? "饱和"
                                      : "saturated");
    result->caption =
        about->rectified
            ? about->zh ? "ReLU 状态恰好为 0 的比例（所有步、所有单元）；那里没有梯度通过。"
                        : "The share of relu states, over all steps and units, that are "
                          "exactly 0: no "
                          "gradient passes there."
        : about->zh
            ? "所有步、所有单元中饱和的比例：sigmoid 门低于 0.01 或高于 0.99，tanh 的绝对值"
              "超过 0.99。饱和处的导数几乎为 0，梯度从那里过不去。"
            : "The share, over all steps and units, where a sigmoid gate is below 0.01 or "
              "above 0.99, or a tanh beyond 0.99: its derivative is almost 0 there, and no "
              "gradient passes through it.";
    return result;
}

void gradients_tell(struct arena *arena, const struct gradients_about *about,
                    struct gradients *results) {
    *results = (struct gradients){ .histogram = histogram_tell(arena, about),
                                   .norms = norms_tell(arena, about) };
    if (about->steps > 0) {
        results->flow = time_tell(arena, about);
        results->units = saturated_tell(arena, about);
        return;
    }
    results->flow = stream_tell(arena, about);
    if (about->units[0] > 0) {
        results->units = dead_tell(arena, about);
    }
}
