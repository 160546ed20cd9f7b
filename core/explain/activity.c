#include "core/explain/activity.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/explain/broken.h"
#include "core/text/pieces.h"

enum { TOLD = 3 };

static const double end_of_colours = 2; /* log2: four times the median */

static bool is_zh(const char *language) {
    return language && strncmp(language, "zh", 2) == 0;
}

static const char **labels_of(struct arena *arena, const struct activations *of) {
    return pieces_labels(arena, of->model->tokenizer, of->encoding, of->text);
}

/* A token's label, fit for a sentence. */
static const char *quoted(struct arena *arena, const char *label) {
    char shown[60];
    return arena_copy(arena, err_quote(shown, sizeof shown, label, strlen(label)));
}

static struct result *result_of(struct arena *arena, const char *kind, int64_t series,
                                const struct activations *of,
                                const struct activity_view *view) {
    struct result *result = result_new(arena, kind, series);
    result->text = arena_text(arena, of->text, of->length);
    result->model = arena_copy(arena, view->handle); /* it may outlive the model */
    result->fingerprint = arena_copy(arena, of->model->weights->fingerprint);
    result->dtype = arena_copy(arena, of->model->dtype);
    result->seconds = view->seconds;
    return result;
}

/* ---- the map ---- */

/* Median norm of each column over all tokens of the text. */
static double *median_norms(struct arena *arena, const struct activations *of) {
    double *medians = arena_array(arena, of->columns, sizeof *medians);
    float *norms = arena_array(arena, of->tokens, sizeof *norms);
    for (int64_t c = 0; c < of->columns; c++) {
        for (int64_t t = 0; t < of->tokens; t++) {
            norms[t] = of->norms[t * of->columns + c];
        }
        medians[c] = activations_median(norms, of->tokens);
    }
    return medians;
}

static float shown_norm(float norm, double median, enum activity_norm how) {
    double value = (double)norm;
    return how == ACTIVITY_NONE  ? norm
           : how == ACTIVITY_LOG ? (float)log10(value)
           : value == median     ? 0 /* both may be 0 */
                                 : (float)log2(value / median);
}

/* Norms of 0 have no logarithm: they are shown as the least that has one. */
static void mend_zeros(struct tensor *shown) {
    int64_t n = tensor_count(shown);
    float least = 0;
    bool any = false;
    for (int64_t i = 0; i < n; i++) {
        bool good = isfinite(shown->data[i]);
        least = good && (!any || shown->data[i] < least) ? shown->data[i] : least;
        any |= good;
    }
    for (int64_t i = 0; i < n; i++) {
        shown->data[i] = shown->data[i] == -INFINITY ? least : shown->data[i];
    }
}

/* The chosen cells' places, for arrays of [tokens, columns] of all. */
static int64_t cell_of(const struct activations *of, const struct activity_view *view,
                       int64_t i) {
    return view->positions[i / view->column_count] * of->columns +
           view->columns[i % view->column_count];
}

static struct series cells(struct arena *arena, const char *name, const char *unit,
                           const struct activity_view *view, struct axis tokens,
                           struct axis layers) {
    return (struct series){
        .name = name,
        .unit = unit,
        .values = tensor_new(arena, 2, (int64_t[]){ view->position_count, view->column_count }),
        .axes = { tokens, layers }
    };
}

static struct axis layer_axis(struct arena *arena, const struct activity_view *view) {
    const char **labels = arena_array(arena, view->column_count, sizeof *labels);
    for (int64_t i = 0; i < view->column_count; i++) {
        labels[i] = arena_printf(arena, "%lld", (long long)view->columns[i]);
    }
    return (struct axis){ "layer", view->column_count, labels };
}

static struct axis token_axis(struct arena *arena, const struct activations *of,
                              const struct activity_view *view) {
    const char **all = labels_of(arena, of);
    const char **labels = arena_array(arena, view->position_count, sizeof *labels);
    for (int64_t i = 0; i < view->position_count; i++) {
        labels[i] = all[view->positions[i]];
    }
    return (struct axis){ "token", view->position_count, labels };
}

/* Magnitudes with three digits: "0.0213", "31.2", "3120". */
static const char *rounded(struct arena *arena, double value) {
    return fabs(value) < 1000 ? arena_printf(arena, "%.3g", value)
                              : arena_printf(arena, "%.0f", value);
}

/* Where massive activations are: how many tokens, layers, and the largest. */
struct massive {
    int64_t cells, first_column, last_column;
    int64_t tokens[TOLD], token_count; /* those named, and how many there are */
    int64_t worst;                     /* the cell of largest ratio to its layer's median */
    double ratio;
};

static struct massive find_massive(const struct activations *of,
                                   const struct activity_view *view) {
    struct massive found = { .first_column = of->columns, .last_column = -1, .worst = -1 };
    for (int64_t i = 0; i < view->position_count; i++) {
        int64_t t = view->positions[i];
        bool any = false;
        for (int64_t k = 0; k < view->column_count; k++) {
            int64_t c = view->columns[k], at = t * of->columns + c;
            double ratio = fabs((double)of->largest[at]) / (double)of->medians[c];
            if (isfinite(ratio) && ratio > found.ratio) {
                found.ratio = ratio;
                found.worst = at;
            }
            if (activations_massive(of, t, c)) {
                any = true;
                found.cells++;
                found.first_column = c < found.first_column ? c : found.first_column;
                found.last_column = c > found.last_column ? c : found.last_column;
            }
        }
        if (any && found.token_count < TOLD) {
            found.tokens[found.token_count] = t;
        }
        found.token_count += any;
    }
    return found;
}

/* "the, cat and 3 more" */
static const char *tokens_named(struct arena *arena, const struct massive *found,
                                const char **labels, bool zh) {
    const char *said = "";
    int64_t told = found->token_count < TOLD ? found->token_count : TOLD;
    for (int64_t i = 0; i < told; i++) {
        said = arena_printf(arena, zh ? "%s%s“%s”" : "%s%s%s", said,
                            i == 0 ? ""
                            : zh   ? "、"
                                   : ", ",
                            quoted(arena, labels[found->tokens[i]]));
    }
    if (told < found->token_count) {
        said = arena_printf(arena, zh ? "%s等 %lld 个" : "%s and %lld more", said,
                            (long long)(found->token_count - (zh ? 0 : told)));
    }
    return said;
}

static const char *say_massive(struct arena *arena, const struct activations *of,
                               const struct massive *found, const char **labels, bool zh) {
    if (found->worst < 0) {
        return zh ? "所有数值都是 0。" : "All values are 0.";
    }
    int64_t token = found->worst / of->columns, column = found->worst % of->columns;
    const char *value = rounded(arena, (double)of->largest[found->worst]);
    const char *where = quoted(arena, labels[token]);
    const char *ratio = rounded(arena, found->ratio);
    long long layer = column, dimension = of->dimension[found->worst];
    if (found->cells == 0) {
        return arena_printf(
            arena,
            zh ? "没有巨大激活（绝对值大于 100 且为本层中位数的 1000 倍以上）：最突出的是第 "
                 "%lld 层“%s”的第 %lld 维，%s，是本层中位数的 %s 倍。"
               : "No activation is massive (above 100 and 1000 times its layer's median): the "
                 "most outstanding, in layer %lld at %s, dimension %lld, is %s, %s times the "
                 "median.",
            layer, where, dimension, value, ratio);
    }
    return arena_printf(
        arena,
        zh ? "%s处有巨大激活（绝对值大于 100 且为本层中位数的 1000 倍以上），从第 %lld 层到第 "
             "%lld 层；最突出的在第 %lld 层“%s”的第 %lld 维，%s，是本层中位数的 %s 倍。"
           : "Massive activations (above 100 and 1000 times their layer's median) stand at %s "
             "in layers %lld to %lld; the most outstanding, in layer %lld at %s, dimension "
             "%lld, is %s, %s times the median.",
        tokens_named(arena, found, labels, zh), (long long)found->first_column,
        (long long)found->last_column, layer, where, dimension, value, ratio);
}

static const char *say_growth(struct arena *arena, const struct activity_view *view,
                              const double *medians, bool zh) {
    if (view->column_count < 2) {
        return "";
    }
    int64_t begin = view->columns[0], end = view->columns[view->column_count - 1];
    const char *first = rounded(arena, medians[begin]), *last = rounded(arena, medians[end]);
    return arena_printf(arena,
                        zh ? "范数的中位数：第 %lld 层 %s，第 %lld 层 %s。"
                           : " The median norm is, in layer %lld, %s and, in layer %lld, %s.",
                        (long long)begin, first, (long long)end, last);
}

/* Where the first values are that are no numbers, and why; NULL: all are numbers. */
static const char *say_broken(struct arena *arena, const struct activations *of,
                              const char **labels, bool zh) {
    for (int64_t c = 0; c < of->columns; c++) {
        for (int64_t t = 0; t < of->tokens; t++) {
            if (isfinite(of->norms[t * of->columns + c])) {
                continue;
            }
            const char *where = broken_weights(arena, of->model);
            return arena_printf(
                arena,
                zh ? "从第 %lld 层“%s”处起数值不是有限的数：%s。"
                   : "Values are no finite numbers from layer %lld on, first at %s: %s.",
                (long long)c, quoted(arena, labels[t]),
                where ? where
                : zh  ? "所有权重都是有限的数，是求和溢出了"
                      : "all weights are finite, the sums overflow");
        }
    }
    return NULL;
}

static const char *map_caption(struct arena *arena, const struct activations *of,
                               const struct activity_view *view, int64_t beyond) {
    bool zh = is_zh(view->language);
    const char *side = !model_decodes(of->model) ? ""
                       : zh ? "这是编码器的层，没有运行解码器。"
                            : " The layers are the encoder's; its decoder was not run.";
    const char *stream = of->site != SITE_RESIDUAL || of->first > 0 ? ""
                         : of->columns == of->model->config->layers ? ""
                         : zh ? "第 0 层是进入第一块的向量，第 l 层是第 l 块之后的。"
                              : " Layer 0 is what enters the first block, layer l what leaves "
                                "the l-th.";
    if (view->norm != ACTIVITY_LAYER) {
        return arena_printf(arena,
                            zh ? "行：词元；列：层；颜色：该处向量的%s。%s%s"
                               : "Row: token; column: layer; colour: %s of the vector "
                                 "there.%s%s",
                            view->norm == ACTIVITY_NONE ? zh ? "L2 范数" : "the L2 norm"
                            : zh                        ? "L2 范数的 log10"
                                                        : "log10 of the L2 norm",
                            stream, side);
    }
    const char *cut =
        beyond == 0 ? ""
        : zh ? arena_printf(arena, "有 %lld 格超出四倍，用两端的颜色。", (long long)beyond)
             : arena_printf(arena,
                            beyond == 1 ? " %lld cell lies beyond and has "
                                          "the end's colour."
                                        : " %lld cells lie beyond and "
                                          "have the end's colour.",
                            (long long)beyond);
    return arena_printf(
        arena,
        zh ? "行：词元；列：层；颜色：该处向量的 L2 范数除以本层中位数，取 log2：0 "
             "为本层常见的大小，1 "
             "为两倍，-1 为一半；颜色到四倍为止。%s%s%s"
           : "Row: token; column: layer; colour: log2 of the vector's L2 norm over its layer's "
             "median: 0 is usual for the layer, 1 twice as large, -1 half; colours end at four "
             "times.%s%s%s",
        cut, stream, side);
}

static void fill_map(struct arena *arena, struct result *result, const struct activations *of,
                     const struct activity_view *view, const double *medians) {
    static const char *const shown_names[] = { "relative norm", "log10 norm", "norm" };
    static const char *const units[] = { "log2 (norm / median)", "log10 (norm)", "norm" };
    struct axis tokens = token_axis(arena, of, view), layers = layer_axis(arena, view);
    struct series *s = result->series;
    s[0] = cells(arena, shown_names[view->norm], units[view->norm], view, tokens, layers);
    s[1] = cells(arena, view->norm == ACTIVITY_NONE ? "norm again" : "norm", "", view, tokens,
                 layers);
    s[2] = cells(arena, "largest", "", view, tokens, layers);
    s[3] = cells(arena, "dimension", "", view, tokens, layers);
    for (int64_t i = 0; i < view->position_count * view->column_count; i++) {
        int64_t at = cell_of(of, view, i);
        s[0].values->data[i] = shown_norm(of->norms[at], medians[at % of->columns], view->norm);
        s[1].values->data[i] = of->norms[at];
        s[2].values->data[i] = of->largest[at];
        s[3].values->data[i] = (float)of->dimension[at];
    }
    mend_zeros(s[0].values);
    s[4] = (struct series){ .name = "median magnitude",
                            .unit = "",
                            .values = tensor_new(arena, 1, &view->column_count),
                            .axes = { layers } };
    for (int64_t i = 0; i < view->column_count; i++) {
        s[4].values->data[i] = of->medians[view->columns[i]];
    }
}

/* All values of the chosen layers and tokens. */
static struct series values_of(struct arena *arena, const struct activations *of,
                               const struct activity_view *view) {
    struct series series = {
        .name = "values",
        .unit = "",
        .values = tensor_new(
            arena, 3, (int64_t[]){ view->column_count, view->position_count, of->width }),
        .axes = { layer_axis(arena, view),
                  token_axis(arena, of, view),
                  { "dimension", of->width, NULL } }
    };
    float *to = series.values->data;
    for (int64_t c = 0; c < view->column_count; c++) {
        for (int64_t t = 0; t < view->position_count; t++, to += of->width) {
            int64_t from = view->columns[c] * of->tokens + view->positions[t];
            stop_check();
            memcpy(to, of->values + from * of->width, (size_t)of->width * sizeof *to);
        }
    }
    return series;
}

/* Ends the colours at four times the median; how many cells lie beyond. */
static int64_t bound_colours(struct series *shown) {
    int64_t beyond = 0, n = tensor_count(shown->values);
    for (int64_t i = 0; i < n; i++) {
        beyond += fabs((double)shown->values->data[i]) > end_of_colours;
    }
    shown->is_signed = true;
    if (beyond > 0) {
        shown->low = -end_of_colours;
        shown->high = end_of_colours;
    }
    return beyond;
}

struct result *activity_map(struct arena *arena, const struct activations *of,
                            const struct activity_view *view) {
    bool zh = is_zh(view->language);
    struct result *result = result_of(arena, "heatmap", of->values ? 6 : 5, of, view);
    const double *medians = median_norms(arena, of);
    const char **labels = labels_of(arena, of);
    fill_map(arena, result, of, view, medians);
    int64_t beyond = view->norm == ACTIVITY_LAYER ? bound_colours(&result->series[0]) : 0;
    if (of->values) {
        result->series[5] = values_of(arena, of, view);
    }
    const struct massive massive = find_massive(of, view);
    const char *broken = say_broken(arena, of, labels, zh);
    result->finding =
        broken ? broken
               : arena_printf(arena, "%s%s", say_massive(arena, of, &massive, labels, zh),
                              say_growth(arena, view, medians, zh));
    bool stream = strcmp(view->site, "resid") == 0;
    const char *place = stream ? zh ? "残差流" : "residual stream" : view->site;
    result->title = arena_printf(arena, zh ? "%s 的激活范数，%s" : "Activation norms of %s, %s",
                                 view->handle, place);
    result->caption = map_caption(arena, of, view, beyond);
    result->method = "activations";
    result_note(arena, result, "site", view->site);
    result_note(arena, result, "norm",
                view->norm == ACTIVITY_LAYER ? "layer"
                : view->norm == ACTIVITY_LOG ? "log"
                                             : "none");
    return result;
}

/* ---- neurons ---- */

static const char *neuron_name(struct arena *arena, const struct activations_neuron *one) {
    return arena_printf(arena, "%lld.%lld", (long long)one->layer, (long long)one->index);
}

/* Which tokens were looked at. */
static const char *say_looked(struct arena *arena, const struct activations *of,
                              const char **labels, bool zh) {
    const char *said = "";
    int64_t left = 0;
    for (int64_t t = 0; t < of->tokens; t++) {
        if (!of->looked[t] && left++ < TOLD) {
            said = arena_printf(arena, "%s%s%s", said,
                                !*said ? ""
                                : zh   ? "、"
                                       : ", ",
                                quoted(arena, labels[t]));
        }
    }
    if (left == 0) {
        return "";
    }
    return arena_printf(arena, zh ? "没有看 %s%s。" : " Not looked at: %s%s.", said,
                        left <= TOLD ? ""
                        : zh ? arena_printf(arena, "等 %lld 个词元", (long long)left)
                             : arena_printf(arena, " and %lld more", (long long)(left - TOLD)));
}

static struct series numbers(struct arena *arena, const char *name, const char *unit,
                             struct axis axis) {
    return (struct series){ .name = name,
                            .unit = unit,
                            .values = tensor_new(arena, 1, &axis.count),
                            .axes = { axis } };
}

static const char *neurons_caption(struct arena *arena, const struct activations *of,
                                   const char **labels, bool by_z, bool zh) {
    const char *looked = say_looked(arena, of, labels, zh);
    return arena_printf(
        arena,
        zh ? "层.编号；神经元在本文本上绝对值最大的激活，按%s排序。z 分数：离本层所有神经元均值"
             "几个标准差。%s 神经元在一个文本上突出，不等于它代表某个概念。"
           : "Layer.number; each neuron's activation of largest magnitude on this text, ranked "
             "by %s. z-score: its distance from the mean of all neurons of the layer, in "
             "standard deviations.%s A neuron that stands out on one text need not stand for "
             "one thing.",
        by_z ? zh ? " z 分数" : "z-score"
        : zh ? "激活的绝对值"
             : "activation",
        looked);
}

struct result *activity_neurons(struct arena *arena, const struct activations *of, bool by_z,
                                int64_t top, const struct activity_view *view) {
    bool zh = is_zh(view->language);
    struct activations_neuron *best = arena_array(arena, top + 1, sizeof *best);
    int64_t n = of->neuron_site == SITE_COUNT ? 0 : activations_top(of, by_z, top, best);
    if (n == 0) {
        return NULL;
    }
    const char **labels = labels_of(arena, of), **heads = arena_array(arena, n, sizeof *heads);
    struct result *result = result_of(arena, "bars", 5, of, view);
    struct axis axis = { "neuron", n, heads };
    struct series z = numbers(arena, "z-score", "standard deviations", axis);
    struct series peak = numbers(arena, "activation", "", axis);
    struct series *s = result->series;
    s[2] = numbers(arena, "layer", "", axis);
    s[3] = numbers(arena, "index", "", axis);
    s[4] = numbers(arena, "token", "", axis);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = best[i].layer * of->inner + best[i].index;
        heads[i] = arena_printf(arena, "%s · %s", neuron_name(arena, &best[i]),
                                labels[of->peak_at[at]]);
        z.values->data[i] = (float)activations_z(of, best[i].layer, best[i].index);
        peak.values->data[i] = of->peak[at];
        s[2].values->data[i] = (float)best[i].layer;
        s[3].values->data[i] = (float)best[i].index;
        s[4].values->data[i] = (float)of->peak_at[at];
    }
    s[0] = by_z ? z : peak;
    s[1] = by_z ? peak : z;
    s[0].is_signed = true;
    const char *rank = by_z ? zh ? "z 分数" : "z-score" : zh ? "激活" : "activation";
    result->title =
        arena_printf(arena, zh ? "%s 中突出的神经元，%s" : "Neurons of %s that stand out, %s",
                     view->handle, rank);
    const char *where =
        quoted(arena, labels[of->peak_at[best[0].layer * of->inner + best[0].index]]);
    result->finding = arena_printf(
        arena,
        zh ? "最突出的是神经元 %s：在“%s”处的激活为 %s，z 分数 %.1f。用 --neuron %s "
             "沿文本看它。"
           : "Neuron %s stands out most: its activation at %s is %s, z-score %.1f. --neuron %s "
             "shows it along the text.",
        neuron_name(arena, &best[0]), where, rounded(arena, (double)peak.values->data[0]),
        (double)z.values->data[0], neuron_name(arena, &best[0]));
    result->caption = neurons_caption(arena, of, labels, by_z, zh);
    result->method = "neurons";
    result_note(arena, result, "ranked by", by_z ? "z-score" : "activation");
    return result;
}

struct result *activity_strip(struct arena *arena, const struct activations *of,
                              const struct activations_neuron *neuron, int64_t k,
                              const struct activity_view *view) {
    static const char *ends[] = { "begin", "end" };
    bool zh = is_zh(view->language);
    struct result *result = result_of(arena, "tokens", 2, of, view);
    struct axis axis = { "token", of->tokens, labels_of(arena, of) };
    const char *name = neuron_name(arena, neuron);
    struct series *s = result->series;
    s[0] = numbers(arena, "activation", "", axis);
    s[0].is_signed = true;
    s[1] = (struct series){ .name = "span",
                            .unit = "bytes",
                            .values = tensor_new(arena, 2, (int64_t[]){ of->tokens, 2 }),
                            .axes = { axis, { "end", 2, ends } } };
    int64_t best = 0;
    for (int64_t t = 0; t < of->tokens; t++) {
        float value = of->strips[k * of->tokens + t];
        s[0].values->data[t] = value;
        s[1].values->data[2 * t] = (float)of->encoding->tokens[t].begin;
        s[1].values->data[2 * t + 1] = (float)of->encoding->tokens[t].end;
        best = fabsf(value) > fabsf(s[0].values->data[best]) ? t : best;
    }
    result->title = zh ? arena_printf(arena, "%s 的神经元 %s", view->handle, name)
                       : arena_printf(arena, "Neuron %s of %s", name, view->handle);
    result->finding = arena_printf(arena,
                                   zh ? "神经元 %s 在“%s”处激活最大：%s；z 分数 %.1f。"
                                      : "Neuron %s is most active at %s: %s; z-score %.1f.",
                                   name, quoted(arena, axis.labels[best]),
                                   rounded(arena, (double)s[0].values->data[best]),
                                   activations_z(of, neuron->layer, neuron->index));
    result->caption =
        zh ? "颜色是该神经元（前馈部分激活函数之后）在每个词元处的值。z "
             "分数：离本层所有神经元均值"
             "几个标准差。"
           : "The colour is the neuron's value (after the feed-forward part's act) at each "
             "token. z-score: the distance from the mean of all neurons of the layer, in "
             "standard deviations.";
    result->method = "neuron";
    result_note(arena, result, "neuron", name);
    return result;
}
