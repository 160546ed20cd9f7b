#include "core/draw/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct entry {
    const char *word, *en, *zh;
};

static const struct entry words[] = {
    { "layer", "layer", "层" },
    { "head", "head", "头" },
    { "query", "query", "查询" },
    { "key", "key", "键" },
    { "token", "token", "词元" },
    { "word", "word", "词" },
    { "place", "place", "位置" },
    { "probability", "probability", "概率" },
    { "value", "value", "数值" },
    { "values", "values", "数值" },
    { "largest", "largest", "最大值" },
    { "section", "section", "部位" },
    { "part", "part", "部分" },
    { "shape", "shape", "形状" },
    { "type", "type", "类型" },
    { "parameters", "parameters", "参数个数" },
    { "tensor", "tensor", "张量" },
    { "numbers", "numbers", "个数" },
    { "mean", "mean", "均值" },
    { "deviation", "deviation", "标准差" },
    { "smallest", "smallest", "最小值" },
    { "norm", "norm", "范数" },
    { "gradient", "gradient", "梯度" },
    { "share", "share", "占比" },
    { "units", "units", "单元数" },
    { "rms", "rms", "均方根" },
    { "outliers", "outliers", "离群值" },
    { "snr", "snr", "信噪比" },
    { "error", "error", "相对误差" },
    { "worst", "worst", "最差" },
    { "column", "column", "列" },
    { "zeros", "zeros", "零" },
    { "not finite", "not finite", "非有限" },
    { "id", "id", "id" },
    { "span", "bytes", "字节" },
    { "spelling", "spelling", "拼写" },
    { "special", "special", "特殊" },
    { "model", "model", "模型" },
    { "tokens", "tokens", "词元数" },
    { "bytes per token", "bytes a token", "每词元字节" },
    { "tokens per word", "tokens a word", "每词词元" },
    { "vocabulary", "vocabulary", "词表大小" },
    { "step", "step", "步" },
    { "chosen", "chosen", "选中" },
    { "this", "this", "此项" },
    { "other", "other", "另一项" },
    { "others", "others", "其他" },
    { "bar", "bar", "条目" },
    { "row", "row", "行" },
    { "line", "line", "曲线" },
    { "point", "point", "点" },
    { "group", "group", "组" },
    { "count", "count", "个数" },
    { "median", "median", "中位数" },
    { "median of the others", "median of the others", "其余的中位数" },
    { "most frequent", "most frequent", "最多处" },
    { "first", "first", "首个" },
    { "last", "last", "末个" },
    { "least", "least", "最小值" },
    { "missing", "missing", "缺失" },
};

/* What %%surprisal and %%activations measure. */
static const struct entry measures[] = {
    { "cosine", "cosine", "余弦" },
    { "surprisal", "surprisal", "意外度" },
    { "surprisal by token", "by token", "按词元" },
    { "surprisal by word", "by word", "按词" },
    { "surprisal by line", "by line", "按行" },
    { "bits a token", "bits a token", "每词元比特" },
    { "bits a byte", "bits a byte", "每字节比特" },
    { "bits", "bits", "比特" },
    { "perplexity", "perplexity", "困惑度" },
    { "difference", "difference", "差" },
    { "text", "text", "文本" },
    { "relative norm", "relative norm", "相对范数" },
    { "log10 norm", "log10 norm", "范数的 log10" },
    { "dimension", "dimension", "维" },
    { "neuron", "neuron", "神经元" },
    { "activation", "activation", "激活" },
    { "z-score", "z-score", "z 分数" },
    { "standard deviations", "standard deviations", "标准差" },
    { "log2 (norm / median)", "log2 (norm / median)", "log2（范数/中位数）" },
    { "log10 (norm)", "log10 (norm)", "log10（范数）" },
};

static const struct entry axes[] = {
    { "query", "query (looks from)", "查询（从这里看）" },
    { "key", "key (looked at)", "键（被看）" },
};

static const char *find(const struct entry *entries, size_t count, const char *language,
                        const char *word) {
    bool zh = language && strncmp(language, "zh", 2) == 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].word, word) == 0) {
            return zh ? entries[i].zh : entries[i].en;
        }
    }
    return NULL;
}

const char *term(const char *language, const char *word) {
    const char *found = find(words, sizeof words / sizeof *words, language, word);
    if (!found) {
        found = find(measures, sizeof measures / sizeof *measures, language, word);
    }
    return found ? found : word;
}

const char *term_axis(const char *language, const char *name) {
    const char *found = find(axes, sizeof axes / sizeof *axes, language, name);
    return found ? found : term(language, name);
}
