#include "core/explain/weighing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/base/now.h"
#include "core/base/pool.h"
#include "core/explain/spread.h"
#include "core/tensor/quant.h"
#include "core/tensor/simd.h"

enum { PART = 1 << 20 /* floats that are made at a time */, BLOCK = 32, OUTLIER = 6 };

/* What a type cost one tensor. */
struct cost {
    const char *name;
    double noise, signal, bits, worst;
    int64_t broken; /* numbers left out */
    int64_t worst_row, worst_column;
};

struct work {
    struct arena *arena, *scratch;
    const struct model *model;
    const char *handle;
    const struct weighing_request *request;
    bool zh;
    struct spread *spread, *other; /* other: the twin's, by this model's names; NULL: none */
    float *room;
    struct cost *costs;
    int64_t count, missing;
    double began;
};

/* ---- reading ---- */

static int64_t columns_of(const struct tensor *tensor) {
    return tensor->rank > 0 ? tensor->shape[tensor->rank - 1] : 1;
}

/* GPT-2's files hold the causal mask beside the weights, and the -10000 that it puts in. */
static bool is_weight(const struct tensor *tensor) {
    return quant_known(tensor->dtype) && tensor->rank >= 1 && tensor->rank <= 3 &&
           tensor_count(tensor) > 0;
}

struct rows {
    const struct tensor *tensor;
    int64_t first, columns;
    float *out;
    int64_t head; /* rows of a head, whose order is the other file's; 0: the same order */
    bool to_gguf;
};

static void rows_read(void *arg, int64_t begin, int64_t end) {
    const struct rows *job = arg;
    const struct tensor *tensor = job->tensor;
    int64_t bytes = dtype_row_bytes(tensor->dtype, job->columns);
    for (int64_t r = begin; r < end; r++) {
        int64_t row = job->first + r;
        row = job->head > 0 ? weighing_row(row, job->head, job->to_gguf) : row;
        const char *from = (const char *)tensor->bytes + row * bytes;
        float *to = job->out + r * job->columns;
        if (simd()->read[tensor->dtype]) {
            simd()->read[tensor->dtype](from, 0, job->columns, to);
        } else {
            quant_row(tensor->dtype, from, 0, job->columns, to);
        }
    }
}

static void read_rows(struct rows job, int64_t n) {
    pool_for(n, 16, rows_read, &job);
    stop_check();
}

static int64_t rows_at_once(int64_t columns) {
    return columns < PART ? PART / columns : 1;
}

static void tensor_spread(struct work *work, const struct tensor *tensor) {
    int64_t columns = columns_of(tensor), rows = tensor_count(tensor) / columns;
    int64_t step = rows_at_once(columns);
    spread_begin(work->spread, tensor->name);
    for (int64_t r = 0; r < rows; r += step) {
        int64_t n = rows - r < step ? rows - r : step;
        read_rows((struct rows){ tensor, r, columns, work->room, 0, false }, n);
        spread_part(work->spread, work->room, n * columns);
    }
    spread_end(work->spread);
}

/* Two parts' worth, or two rows'. */
static float *room_new(struct arena *arena, const struct weights *weights) {
    int64_t widest = PART;
    for (int64_t i = 0; i < weights->count; i++) {
        int64_t columns = columns_of(&weights->tensors[i]);
        widest = columns > widest ? columns : widest;
    }
    return arena_array(arena, 2 * widest, sizeof(float));
}

const char *weighing_broken(struct arena *arena, const struct model *model, bool zh) {
    struct arena **scratch = guard_arena(arena);
    const struct weights *weights = model->weights;
    struct work work = { .scratch = *scratch, .model = model };
    work.spread = spread_new(work.scratch, model, "");
    work.room = room_new(work.scratch, weights);
    for (int64_t i = 0; i < weights->count; i++) {
        if (is_weight(&weights->tensors[i])) {
            tensor_spread(&work, &weights->tensors[i]);
        }
    }
    const char *broken = spread_broken(arena, work.spread, zh);
    guard_free(scratch);
    return broken;
}

/* ---- twins ---- */

/* Names of a block's parts, Hugging Face and GGUF. */
static const char *const parts[][2] = {
    { "self_attn.q_proj", "attn_q" },
    { "self_attn.k_proj", "attn_k" },
    { "self_attn.v_proj", "attn_v" },
    { "self_attn.o_proj", "attn_output" },
    { "self_attn.q_norm", "attn_q_norm" },
    { "self_attn.k_norm", "attn_k_norm" },
    { "mlp.gate_proj", "ffn_gate" },
    { "mlp.up_proj", "ffn_up" },
    { "mlp.down_proj", "ffn_down" },
    { "input_layernorm", "attn_norm" },
    { "post_attention_layernorm", "ffn_norm" },
};
static const char *const wholes[][2] = {
    { "model.embed_tokens.weight", "token_embd.weight" },
    { "model.norm.weight", "output_norm.weight" },
    { "lm_head.weight", "output.weight" },
};

/* The name in the other naming; false: it has none. */
static bool renamed(const char *name, bool from_gguf, char *out, size_t room) {
    int from = from_gguf, to = !from_gguf;
    const char *begin = from_gguf ? "blk." : "model.layers.";
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        if (strcmp(name, wholes[i][from]) == 0) {
            snprintf(out, room, "%s", wholes[i][to]);
            return true;
        }
    }
    if (strncmp(name, begin, strlen(begin)) != 0) {
        return false;
    }
    const char *layer = name + strlen(begin);
    int digits = (int)strspn(layer, "0123456789");
    const char *part = layer + digits + (layer[digits] == '.');
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strlen(parts[i][from]);
        if (strncmp(part, parts[i][from], n) == 0 && part[n] == '.') {
            snprintf(out, room, "%s%.*s.%s%s", from_gguf ? "model.layers." : "blk.", digits,
                     layer, parts[i][to], part + n);
            return true;
        }
    }
    return false;
}

static bool same_shape(const struct tensor *a, const struct tensor *b) {
    return columns_of(a) == columns_of(b) && tensor_count(a) == tensor_count(b);
}

static bool is_known(const struct model *model) {
    static const char *const names[] = { "llama", "mistral", "qwen2", "qwen3" };
    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        known = known || strcmp(model->arch->name, names[i]) == 0;
    }
    return known;
}

const struct tensor *weighing_twin(const struct model *model, const char *name,
                                   const struct model *twin, bool *turned) {
    bool gguf = model->weights->format == WEIGHTS_GGUF;
    const struct tensor *found = weights_at(twin->weights, name);
    char other[300];
    *turned = false;
    if (found || gguf == (twin->weights->format == WEIGHTS_GGUF) || !is_known(model) ||
        !is_known(twin) || !renamed(name, gguf, other, sizeof other)) {
        return found;
    }
    bool llama = strncmp(model->arch->name, "qwen", 4) != 0;
    *turned = llama && (strstr(other, ".attn_q.") || strstr(other, ".attn_k.") ||
                        strstr(other, ".q_proj.") || strstr(other, ".k_proj."));
    return weights_at(twin->weights, other);
}

int64_t weighing_row(int64_t row, int64_t width, bool to_gguf) {
    int64_t head = row / width * width, at = row % width, half = width / 2;
    return to_gguf ? head + at % half * 2 + at / half : head + at % 2 * half + at / 2;
}

/* ---- what a type costs ---- */

/* Sums over n numbers. What is broken is left out; returns how many. */
static int64_t block_compare(const float *a, const float *b, int64_t n, double *noise,
                             double *signal) {
    int64_t broken = 0;
    *noise = *signal = 0;
    for (int64_t i = 0; i < n; i++) {
        double off = (double)a[i] - (double)b[i];
        bool whole = isfinite(a[i]) && isfinite(b[i]);
        *noise += whole ? off * off : 0;
        *signal += whole ? (double)b[i] * (double)b[i] : 0;
        broken += !whole;
    }
    return broken;
}

static void blocks_compare(struct cost *cost, const float *a, const float *b, int64_t row,
                           int64_t columns) {
    for (int64_t c = 0; c < columns; c += BLOCK) {
        double noise, signal;
        int64_t n = columns - c < BLOCK ? columns - c : BLOCK;
        cost->broken += block_compare(a + c, b + c, n, &noise, &signal);
        double error = signal > 0 ? sqrt(noise / signal) : noise > 0 ? (double)INFINITY : 0;
        if (error > cost->worst) {
            cost->worst = error;
            cost->worst_row = row;
            cost->worst_column = c;
        }
        cost->noise += noise;
        cost->signal += signal;
    }
}

static void tensor_compare(struct work *work, const struct tensor *tensor) {
    bool turned;
    const struct tensor *twin =
        weighing_twin(work->model, tensor->name, work->request->twin, &turned);
    int64_t columns = columns_of(tensor), rows = tensor_count(tensor) / columns;
    if (!twin || !is_weight(twin) || !same_shape(tensor, twin)) {
        work->missing++;
        return;
    }
    bool to_gguf = work->request->twin->weights->format == WEIGHTS_GGUF;
    int64_t step = rows_at_once(columns), head = turned ? work->model->config->head_width : 0;
    struct cost *cost = &work->costs[work->count++];
    *cost = (struct cost){ .name = tensor->name,
                           .bits = 8 * (double)tensor_bytes(tensor) /
                                   (double)tensor_count(tensor) };
    float *other = work->room + (step > 1 ? PART : columns);
    spread_begin(work->other, tensor->name);
    for (int64_t r = 0; r < rows; r += step) {
        int64_t n = rows - r < step ? rows - r : step;
        read_rows((struct rows){ tensor, r, columns, work->room, 0, false }, n);
        read_rows((struct rows){ twin, r, columns, other, head, to_gguf }, n);
        spread_part(work->other, other, n * columns);
        for (int64_t i = 0; i < n; i++) {
            blocks_compare(cost, work->room + i * columns, other + i * columns, r + i, columns);
        }
    }
    spread_end(work->other);
}

/* ---- results ---- */

static struct result *named(const struct work *work, struct result *result, const char *title,
                            const char *method) {
    struct arena *arena = work->arena;
    result->title = title;
    result->model = arena_copy(arena, work->handle);
    result->fingerprint = arena_copy(arena, work->model->weights->fingerprint);
    result->method = method;
    result->dtype = arena_copy(arena, work->model->dtype);
    result->seed = -1;
    result->text = "";
    result->seconds = now_seconds() - work->began;
    return result;
}

static int64_t outliers_of(const struct spread_row *row) {
    return spread_beyond(row, OUTLIER * spread_rms(row));
}

/* The tensor with the largest share of outliers. */
static const struct spread_row *most_outliers(const struct spread *spread) {
    const struct spread_row *most = NULL;
    double share = 0;
    for (int64_t i = 0; i < spread->count; i++) {
        const struct spread_row *row = &spread->rows[i];
        double here = (double)outliers_of(row) / (double)row->n;
        if (row->n >= 1000 && here > share) {
            most = row;
            share = here;
        }
    }
    return most;
}

static const char *finding_of(const struct work *work) {
    const struct spread *spread = work->spread;
    struct arena *arena = work->arena;
    const char *broken = spread_broken(arena, spread, work->zh);
    const struct spread_row *most = most_outliers(spread), *largest = NULL;
    int64_t zeros = 0, n = 0;
    for (int64_t i = 0; i < spread->count; i++) {
        const struct spread_row *row = &spread->rows[i];
        zeros += row->zeros;
        n += row->n;
        largest = !largest || row->most > largest->most ? row : largest;
    }
    if (broken) {
        return arena_printf(
            arena, work->zh ? "有些权重已损坏：%s。" : "Some weights are broken: %s.", broken);
    }
    const char *outliers =
        most ? arena_printf(arena,
                            work->zh ? "；离群值（超过均方根 %d 倍）最多的是 %s，有 %lld 个"
                                     : "; most outliers (beyond %d times the root mean square) "
                                       "are in %s: %lld",
                            OUTLIER, most->name, (long long)outliers_of(most))
             : "";
    return arena_printf(
        arena,
        work->zh ? "%s 的 %lld 个权重中没有 NaN 或无穷大，%s 恰好为 0；最大的是 %s 里的 "
                   "%.3g%s。"
                 : "None of %s's %lld weights is NaN or infinite, %s are exactly 0; the "
                   "largest, in %s, is %.3g%s.",
        work->handle, (long long)n, spread_share(arena, zeros, n, work->zh),
        largest ? largest->name : "", largest ? largest->most : 0, outliers);
}

static struct result *histogram_tell(const struct work *work) {
    bool by_tensor = work->request->by_tensor;
    struct arena *arena = work->arena;
    struct result *part =
        spread_result(arena, work->spread, work->other, by_tensor, work->request->bins, "|w|");
    struct result *result = result_new(arena, part->kind, part->count + 1);
    memcpy(result->series, part->series, (size_t)part->count * sizeof *part->series);
    struct series *outliers = &result->series[part->count];
    *outliers = result->series[2]; /* a column like the others */
    outliers->name = "outliers";
    outliers->values = tensor_new(arena, 1, &outliers->axes[0].count);
    for (int64_t r = 0, i = 0, g = 0; r < outliers->axes[0].count; r++) {
        const struct spread_row *row = by_tensor ? &work->spread->rows[i++] : NULL;
        while (!row) {
            row = spread_join(work->scratch, work->spread, g++);
        }
        outliers->values->data[r] = (float)outliers_of(row);
    }
    named(work, result,
          arena_printf(arena,
                       work->zh ? by_tensor ? "%s 的权重，逐张量" : "%s 的权重，逐层"
                       : by_tensor ? "Weights of %s, by tensor"
                                   : "Weights of %s, by layer",
                       work->handle),
          "weights");
    if (work->other) {
        result_note(arena, result, "this", arena_copy(arena, work->handle));
        result_note(arena, result, "other", arena_copy(arena, work->request->twin_handle));
    }
    result->finding = finding_of(work);
    result->caption =
        work->zh
            ? "横轴是 |w| 的大小，纵轴是个数，都是对数刻度；最左边一格是恰好为 0 "
              "的权重。各行共用"
              "横轴。量化的张量显示的是其数值的含义，而不是存储方式。"
            : "Across: the size of a weight |w|; up: how many there are; both logarithmic, "
              "exact zeros apart at the left; all rows share the scale. Of quantised tensors "
              "it shows what their numbers mean, not how they are stored.";
    return result;
}

static struct result *norms_tell(const struct work *work) {
    static const char *const names[] = { "rms", "norm", "largest" };
    struct arena *arena = work->arena;
    bool by_tensor = work->request->by_tensor;
    int64_t n, most = 0;
    const struct spread_row **rows = spread_rows(work->scratch, work->spread, by_tensor, &n);
    const char **labels = arena_array(arena, n, sizeof *labels);
    struct result *result = result_new(arena, "bars", 3);
    for (int i = 0; i < 3; i++) {
        result->series[i] =
            (struct series){ .name = names[i],
                             .unit = "",
                             .values = tensor_new(arena, 1, &n),
                             .axes = { { by_tensor ? "tensor" : "layer", n, labels } },
                             .names = labels };
    }
    for (int64_t k = 0; k < n; k++) {
        labels[k] = arena_copy(arena, rows[k]->name);
        most = spread_rms(rows[k]) > spread_rms(rows[most]) ? k : most;
        result->series[0].values->data[k] = (float)spread_rms(rows[k]);
        result->series[1].values->data[k] = (float)sqrt(rows[k]->squares);
        result->series[2].values->data[k] = (float)rows[k]->most;
    }
    named(work, result,
          arena_printf(arena,
                       work->zh ? by_tensor ? "%s 各张量权重的大小" : "%s 各层权重的大小"
                       : by_tensor ? "Size of the weights of %s by tensor"
                                   : "Size of the weights of %s by layer",
                       work->handle),
          "root mean square");
    result->finding =
        arena_printf(arena,
                     work->zh ? "%s 的权重均方根最大：%.3g。"
                              : "The largest root mean square is that of %s: %.3g.",
                     n ? labels[most] : "", n ? spread_rms(rows[most]) : 0);
    result->caption =
        by_tensor  ? work->zh ? "每个张量的均方根：范数除以个数的平方根。"
                              : "The root mean square of each tensor: its norm over the root "
                                "of how many numbers it has."
        : work->zh ? "每层全部权重的均方根：范数除以个数的平方根。"
                   : "The root mean square of all of a layer's weights: their norm over "
                     "the root of their number.";
    return result;
}

static double relative(double noise, double signal) {
    return sqrt(noise / (signal > 0 ? signal : 1));
}

/* Worst first; equal ones by name. */
static int by_loss(const void *a, const void *b) {
    const struct cost *one = a, *other = b;
    double x = relative(one->noise, one->signal), y = relative(other->noise, other->signal);
    return x != y ? x > y ? -1 : 1 : strcmp(one->name, other->name);
}

static double decibels(double signal, double noise) {
    return noise > 0 ? 10 * log10(signal / noise) : (double)INFINITY;
}

static const char *decibels_text(struct arena *arena, double signal, double noise, bool zh) {
    return noise > 0 ? arena_printf(arena, "%.1f dB", decibels(signal, noise))
           : zh      ? "完全相同"
                     : "no difference";
}

static const char *cost_finding(const struct work *work) {
    struct arena *arena = work->arena;
    double noise = 0, signal = 0, bits = 0, n = 0;
    const struct cost *worst = &work->costs[0], *block = worst;
    int64_t broken = 0;
    for (int64_t i = 0; i < work->count; i++) {
        const struct cost *cost = &work->costs[i];
        const struct tensor *tensor = weights_at(work->model->weights, cost->name);
        noise += cost->noise;
        signal += cost->signal;
        bits += cost->bits * (double)tensor_count(tensor);
        n += (double)tensor_count(tensor);
        block = cost->worst > block->worst ? cost : block;
        broken += cost->broken;
    }
    const char *missing =
        work->missing == 0
            ? ""
            : arena_printf(arena,
                           work->zh ? "；有 %lld 个张量在对照模型中没有对应"
                                    : "; %lld tensors have no counterpart in the twin",
                           (long long)work->missing);
    const char *left_out =
        broken == 0 ? ""
                    : arena_printf(arena,
                                   work->zh ? "；%lld 个 NaN 或无穷大的数未计入"
                                            : "; %lld numbers that are NaN or infinite in "
                                              "either are left out",
                                   (long long)broken);
    if (noise == 0) {
        return arena_printf(arena,
                            work->zh ? "%s 的权重与 %s 的逐个相同（%lld 个张量）%s%s。"
                                     : "Every weight of %s is that of %s, in %lld tensors%s%s.",
                            work->handle, work->request->twin_handle, (long long)work->count,
                            missing, left_out);
    }
    return arena_printf(
        arena,
        work->zh
            ? "%s 每个权重 %.2f 位，相对 %s 的信噪比 %s（相对误差 %.3g%%）。最差的张量是 "
              "%s：%s；"
              "最差的一块在 %s 第 %lld 行第 %lld 列起，相对误差 %.3g%%%s%s。"
            : "%s keeps %.2f bits a weight and %s as its signal-to-noise ratio beside %s "
              "(relative error %.3g %%). The worst tensor is %s: %s; the worst block is in %s, "
              "row %lld, from column %lld on: %.3g %%%s%s.",
        work->handle, n > 0 ? bits / n : 0,
        work->zh ? work->request->twin_handle : decibels_text(arena, signal, noise, false),
        work->zh ? decibels_text(arena, signal, noise, true) : work->request->twin_handle,
        100 * relative(noise, signal), worst->name,
        decibels_text(arena, worst->signal, worst->noise, work->zh), block->name,
        (long long)block->worst_row, (long long)block->worst_column, 100 * block->worst,
        missing, left_out);
}

/* The costs of all tensors of a layer as one, layer by layer; how many. */
static int64_t costs_join(const struct work *work, struct cost *layers) {
    int64_t count = 0;
    for (int64_t group = 0; group < work->other->groups; group++) {
        struct cost all = { .name = work->other->labels[group] };
        double numbers = 0;
        for (int64_t i = 0; i < work->count; i++) {
            const struct cost *one = &work->costs[i];
            if (spread_group(work->other, one->name) == group) {
                double n = (double)tensor_count(weights_at(work->model->weights, one->name));
                all.noise += one->noise;
                all.signal += one->signal;
                all.bits += one->bits * n;
                all.worst = fmax(all.worst, one->worst);
                numbers += n;
            }
        }
        if (numbers > 0) {
            all.bits /= numbers;
            layers[count++] = all;
        }
    }
    return count;
}

static struct result *cost_tell(const struct work *work) {
    static const char *const names[] = { "snr", "error", "bits", "worst", "row", "column" };
    static const char *const units[] = { "dB", "", "bits", "", "", "" };
    struct arena *arena = work->arena;
    bool by_tensor = work->request->by_tensor;
    struct cost *rows = work->costs;
    int64_t n = work->count;
    int measures = by_tensor ? 6 : 4; /* a layer's worst block has no place without a tensor */
    struct result *result = result_new(arena, "table", measures);
    qsort(work->costs, (size_t)n, sizeof *work->costs, by_loss);
    result->finding = cost_finding(work);
    if (!by_tensor) {
        rows = arena_array(work->scratch, work->other->groups, sizeof *rows);
        n = costs_join(work, rows);
    }
    const char **labels = arena_array(arena, n, sizeof *labels);
    for (int64_t i = 0; i < n; i++) {
        labels[i] = arena_copy(arena, rows[i].name);
    }
    for (int i = 0; i < measures; i++) {
        result->series[i] =
            (struct series){ .name = names[i],
                             .unit = units[i],
                             .values = tensor_new(arena, 1, &n),
                             .axes = { { by_tensor ? "tensor" : "layer", n, labels } } };
    }
    for (int64_t i = 0; i < n; i++) {
        const struct cost *cost = &rows[i];
        const double values[] = { decibels(cost->signal, cost->noise),
                                  relative(cost->noise, cost->signal),
                                  cost->bits,
                                  cost->worst,
                                  (double)cost->worst_row,
                                  (double)cost->worst_column };
        for (int k = 0; k < measures; k++) {
            result->series[k].values->data[i] = (float)values[k];
        }
    }
    named(work, result,
          arena_printf(arena, work->zh ? "%s 相对 %s 损失了什么" : "What %s lost beside %s",
                       work->handle, work->request->twin_handle),
          "weights beside a twin's");
    result_note(arena, result, "vs", arena_copy(arena, work->request->twin_handle));
    result->caption =
        work->zh
            ? "与对照模型之差：snr 是信噪比（每多 1 位约 6 dB），error 是相对误差，worst 是一行"
              "里连续 32 个权重中最大的相对误差。它说的是权重，不是模型的回答。"
            : "Beside the twin's: snr, the signal-to-noise ratio (a bit more is about 6 dB); "
              "error, relative; worst, the largest relative error of 32 weights side by side. "
              "It tells of weights, not of the model's answers.";
    return result;
}

int weighing(struct arena *arena, const struct model *model, const char *handle,
             const struct weighing_request *request, struct weighing *results,
             struct err *err) {
    struct arena **scratch = guard_arena(arena);
    const struct weights *weights = model->weights;
    struct work work = { .arena = arena,
                         .scratch = *scratch,
                         .model = model,
                         .handle = handle,
                         .request = request,
                         .began = now_seconds() };
    work.zh = request->language && strncmp(request->language, "zh", 2) == 0;
    work.spread = spread_new(work.scratch, model, request->language);
    if (request->twin) {
        work.other = spread_new(work.scratch, model, request->language);
    }
    work.room = room_new(work.scratch, weights);
    work.costs = arena_array(work.scratch, weights->count + 1, sizeof *work.costs);
    for (int64_t i = 0; i < weights->count; i++) {
        if (is_weight(&weights->tensors[i])) {
            tensor_spread(&work, &weights->tensors[i]);
            if (request->twin) {
                tensor_compare(&work, &weights->tensors[i]);
            }
        }
    }
    if (request->twin && work.count == 0) {
        return err_set(
            err, ERR_SHAPE,
            "%s has no tensor of the names and shapes that %s has: a twin is the same "
            "model in another type",
            request->twin_handle, handle);
    }
    spread_order(work.spread);
    *results = (struct weighing){ .histogram = histogram_tell(&work),
                                  .norms = norms_tell(&work),
                                  .cost = request->twin ? cost_tell(&work) : NULL };
    guard_free(scratch);
    return 0;
}
