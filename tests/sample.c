#include "tests/sample.h"

#include <math.h>

const char *const sample_english[16] = { "[CLS]", "the",     "cat",   "sat",  "on",   "the",
                                         "mat",   "because", "it",    "was",  "very", "tired",
                                         ".",     "It",      "slept", "[SEP]" };
const char *const sample_chinese[8] = { "[CLS]", "今", "天", "天", "气", "很", "好", "[SEP]" };

static double chance(uint64_t *state) {
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(*state >> 40) / 16777216;
}

static void fill(float *matrix, int64_t tokens, int64_t head, uint64_t *state) {
    double offset = (double)(head * 7 % 5 - 2), sharp = 0.3 + 1.5 * chance(state);
    double sink = 4 * chance(state);
    for (int64_t q = 0; q < tokens; q++) {
        double sum = 0;
        for (int64_t k = 0; k < tokens; k++) {
            double score = -fabs((double)(k - q) - offset) * sharp + chance(state);
            score += k == 0 || k == tokens - 1 ? sink : 0;
            matrix[q * tokens + k] = (float)exp(score);
            sum += exp(score);
        }
        for (int64_t k = 0; k < tokens; k++) {
            matrix[q * tokens + k] = (float)((double)matrix[q * tokens + k] / sum);
        }
    }
}

struct result *sample_attention(struct arena *arena, int64_t layers, int64_t heads,
                                int64_t tokens, const char *const *labels,
                                int64_t label_count) {
    struct result *result = result_new(arena, layers > 0 ? "headgrid" : "heatmap", 1);
    result->title = layers > 0 ? "Attention of minilm" : "Attention of minilm, layer 5 head 1";
    result->finding = "Layer 5 head 1 looks back one token: 0.82 of ‘sat’ goes to ‘cat’.";
    result->caption = "Each row says where one token looks; it sums to 1.";
    result->model = "minilm";
    result->fingerprint = "3f2a91c04b5d6e7f";
    result->method = "attention pattern";
    result->dtype = "F32";
    result->seconds = 0.0041;
    struct series *series = &result->series[0];
    series->name = "attention";
    series->unit = "probability";
    series->high = 1;
    int64_t shape[] = { layers, heads, tokens, tokens };
    int skip = layers > 0 ? 0 : 2;
    series->values = tensor_new(arena, 4 - skip, shape + skip);
    const char **named = labels ? arena_array(arena, tokens, sizeof *named) : NULL;
    for (int64_t i = 0; labels && i < tokens; i++) {
        named[i] = labels[i % label_count];
    }
    const struct axis axes[] = { { "layer", layers, NULL },
                                 { "head", heads, NULL },
                                 { "query", tokens, named },
                                 { "key", tokens, named } };
    for (int i = skip; i < 4; i++) {
        series->axes[i - skip] = axes[i];
    }
    uint64_t state = 7;
    for (int64_t i = 0; i < (layers > 0 ? layers * heads : 1); i++) {
        fill(series->values->data + i * tokens * tokens, tokens, i, &state);
    }
    return result;
}
