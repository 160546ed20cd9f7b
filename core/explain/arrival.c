#include "core/explain/arrival.h"

#include <string.h>

#include "core/base/guard.h"
#include "core/base/now.h"
#include "core/explain/rollout.h"

enum { SOURCES = 3 };
#define LEAST 0.005 /* of a source after the first: what would be told as 0% is not */

/* Mean share of source k in the other places. */
static double share_of(const float *shares, int64_t n, int64_t k) {
    double sum = 0;
    for (int64_t row = 0; row < n; row++) {
        sum += row == k ? 0 : (double)shares[row * n + k];
    }
    return n > 1 ? sum / (double)(n - 1) : 0;
}

/* Mean share of themselves of the places that are none to rest at; of all where all are. */
static double kept_of(const struct series *series) {
    int64_t n = series->axes[0].count, count = 0;
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        sum += series->rests[k] ? 0 : (double)series->values->data[k * (n + 1)];
        count += !series->rests[k];
    }
    return count > 0 ? sum / (double)count : 1;
}

/* "layer 0", "layers 0 to 5" */
static const char *layers_of(struct arena *arena, int64_t layer, bool zh) {
    return layer == 0 ? zh ? "第 0 层" : "layer 0"
                      : arena_printf(arena, zh ? "第 0 到 %lld 层" : "layers 0 to %lld",
                                     (long long)layer);
}

/* "Through layers 0 to 5 a token keeps on average 23% of itself; most arrives from [SEP] (13%),
 * [CLS] (11%), cat (8%)." */
static const char *finding_of(struct arena *arena, const struct series *series, int64_t layer,
                              bool words, bool zh) {
    int64_t n = series->axes[0].count, best[SOURCES] = { -1, -1, -1 };
    double *from = arena_array(arena, n, sizeof *from);
    const char *named = "";
    for (int64_t k = 0; k < n; k++) {
        from[k] = share_of(series->values->data, n, k);
        int64_t at = k;
        for (int i = 0; i < SOURCES && at >= 0; i++) {
            if (best[i] < 0 || from[at] > from[best[i]]) {
                int64_t moved = best[i];
                best[i] = at;
                at = moved;
            }
        }
    }
    for (int i = 0; i < SOURCES && best[i] >= 0 && (i == 0 || from[best[i]] >= LEAST); i++) {
        const char *label = series->axes[1].labels[best[i]];
        char name[44];
        named = arena_printf(arena, zh ? "%s%s%s（%.0f%%）" : "%s%s%s (%.0f%%)", named,
                             i == 0 ? ""
                             : zh   ? "、"
                                    : ", ",
                             err_quote(name, sizeof name, label, strlen(label)),
                             100 * from[best[i]]);
    }
    const char *unit = zh ? words ? "词" : "词元" : words ? "word" : "token";
    return arena_printf(arena,
                        zh ? "经过%s，一个%s平均保留自身的 %.0f%%；其他位置收到"
                             "最多的来自 %s。"
                           : "Through %s a %s keeps on average %.0f%% of itself; "
                             "what the others receive comes most from %s.",
                        layers_of(arena, layer, zh), unit, 100 * kept_of(series), named);
}

static void describe(struct arena *arena, struct result *result, int64_t layer, bool words,
                     bool zh) {
    result->title = zh ? arena_printf(arena, "%s 的注意力展开（rollout），%s", result->model,
                                      layers_of(arena, layer, zh))
                       : arena_printf(arena, "Attention rollout of %s, %s", result->model,
                                      layers_of(arena, layer, zh));
    result->caption =
        zh ? "行：最后的位置；列：最初的词；格：假如各头只做混合、一半沿残差直接通过，该列有多"
             "少到达该行；每行之和为 1。前馈部分和数值向量的大小都没有算进去。"
           : "Row: a place at the end; column: a token at the beginning; cell: how much of it "
             "arrives, if heads only mixed and half went straight on; each row sums to 1. "
             "Feed-forward parts and what the values are do not count.";
    result->finding = finding_of(arena, &result->series[0], layer, words, zh);
}

/* The same request, of the layers up to the last one asked for and every head. */
static struct attention_request up_to(struct arena *arena, const struct model *model,
                                      const struct attention_request *request) {
    struct attention_request all = *request;
    int64_t heads = model->config->heads, last = request->layers[request->layer_count - 1];
    int64_t most = last + 1 > heads ? last + 1 : heads;
    int64_t *numbers = arena_array(arena, most, sizeof *numbers);
    for (int64_t i = 0; i < most; i++) {
        numbers[i] = i;
    }
    all.layers = all.heads = numbers;
    all.layer_count = last + 1;
    all.head_count = heads;
    return all;
}

/* The result, in an arena with all that led to it: every head of every layer, every step. */
static struct result *roll(struct arena *arena, const struct model *model, const char *handle,
                           const char *text, size_t length,
                           const struct attention_request *request, struct err *err) {
    double began = now_seconds();
    struct attention_request all = up_to(arena, model, request);
    struct result *result = attention(arena, model, handle, text, length, &all, err);
    const struct series *whole = result ? &result->series[0] : NULL;
    const struct tensor *steps =
        whole ? rollout(arena, whole->values, ROLLOUT_MEAN, err) : NULL;
    if (!steps) {
        err_pass(err);
        return NULL;
    }
    int64_t n = whole->axes[2].count, layer = all.layer_count - 1;
    struct tensor *last = tensor_new(arena, 2, (int64_t[]){ n, n });
    memcpy(last->data, steps->data + layer * n * n, (size_t)(n * n) * sizeof *last->data);
    result->series[0] = (struct series){ .name = "rollout",
                                         .unit = "share",
                                         .high = 1,
                                         .values = last,
                                         .axes = { whole->axes[2], whole->axes[3] },
                                         .rests = whole->rests };
    result->count = 1;
    result->kind = "heatmap";
    result->method = "attention rollout";
    describe(arena, result, layer, request->words,
             request->language && strncmp(request->language, "zh", 2) == 0);
    result->seconds = now_seconds() - began;
    return result;
}

struct result *arrival(struct arena *arena, const struct model *model, const char *handle,
                       const char *text, size_t length, const struct attention_request *request,
                       struct err *err) {
    if (request->of == ATTENTION_OF_CROSS) {
        err_set(err, ERR_OPTION,
                "a rollout multiplies the layers of one text's attention; cross-attention goes "
                "from one text to another: take --of encoder or decoder");
        return NULL;
    }
    struct arena **scratch = guard_arena(arena);
    const struct result *made = roll(*scratch, model, handle, text, length, request, err);
    if (!made) {
        err_pass(err);
        return NULL;
    }
    struct result *result = result_copy(arena, made);
    guard_free(scratch);
    return result;
}
