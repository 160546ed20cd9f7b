#include "tests/any_result.h"

#include <string.h>

static const char *word_at(const struct any_words *words, int64_t i) {
    return words->list[i % words->count];
}

static const char **some(struct arena *arena, const struct any_words *words, int64_t n) {
    const char **made = arena_array(arena, n, sizeof *made);
    for (int64_t i = 0; i < n; i++) {
        made[i] = word_at(words, i);
    }
    return made;
}

static struct result *result_of(struct arena *arena, const char *kind,
                                const struct any_words *words, int64_t series) {
    struct result *result = result_new(arena, kind, series);
    const char *word = word_at(words, 0);
    result->title = result->finding = result->caption = result->text = word;
    result->model = result->fingerprint = result->method = result->dtype = word;
    result->seed = -1;
    result_note(arena, result, "this", word);
    result_note(arena, result, "other", word);
    return result;
}

/* Series i [rows, columns], or [rows] where columns is 0, with every text it can have. */
static struct series *series_of(struct arena *arena, struct result *result, int64_t i,
                                const char *name, int64_t rows, int64_t columns,
                                const struct any_words *words) {
    struct series *series = &result->series[i];
    int rank = columns ? 2 : 1;
    *series = (struct series){
        .name = name,
        .unit = word_at(words, i),
        .values = tensor_new(arena, rank, (int64_t[]){ rows, columns }),
        .axes = { { word_at(words, i), rows, some(arena, words, rows) },
                  { word_at(words, i + 1), columns, some(arena, words, columns) } },
        .names = some(arena, words, rows * (columns ? columns : 1)),
    };
    for (int64_t k = 0; k < tensor_count(series->values); k++) {
        series->values->data[k] = (float)(k % 13) / 13;
    }
    return series;
}

static struct result *matrix_of(struct arena *arena, const char *kind,
                                const struct any_words *words, int64_t n) {
    struct result *result = result_of(arena, kind, words, 1);
    series_of(arena, result, 0, "values", n, n, words);
    return result;
}

static struct result *bars_of(struct arena *arena, const struct any_words *words, int64_t n) {
    struct result *result = result_of(arena, "bars", words, 2);
    series_of(arena, result, 0, word_at(words, 1), 3, n, words);
    series_of(arena, result, 1, "other", 3, n, words);
    return result;
}

static struct result *histogram_of(struct arena *arena, const struct any_words *words,
                                   int64_t n) {
    struct result *result = result_of(arena, "histogram", words, 5);
    series_of(arena, result, 0, "counts", n, 40, words);
    struct series *edges = series_of(arena, result, 1, "edges", 41, 0, words);
    for (int i = 0; i < 41; i++) {
        edges->values->data[i] = (float)i;
    }
    series_of(arena, result, 2, "zeros", n, 0, words);
    series_of(arena, result, 3, "bad", n, 0, words);
    series_of(arena, result, 4, "counts other", n, 40, words);
    return result;
}

static struct result *scatter_of(struct arena *arena, const struct any_words *words,
                                 int64_t n) {
    struct result *result = result_of(arena, "scatter", words, 2);
    series_of(arena, result, 0, "points", n, 2, words);
    struct series *group = series_of(arena, result, 1, "group", n, 0, words);
    for (int64_t i = 0; i < n; i++) {
        group->values->data[i] = (float)(i % words->count);
    }
    return result;
}

static struct result *tokens_of(struct arena *arena, const struct any_words *words, int64_t n) {
    struct result *result = result_of(arena, "tokens", words, 3);
    series_of(arena, result, 0, "surprisal", n, 0, words);
    series_of(arena, result, 1, word_at(words, 2), n, 0, words);
    struct series *spans = series_of(arena, result, 2, "span", n, 2, words);
    int64_t length = (int64_t)strlen(result->text);
    for (int64_t i = 0; i < 2 * n;
         i++) { /* three bytes each, in the middle of characters too */
        int64_t at = 3 * (i / 2) + (i % 2) * 3;
        spans->values->data[i] = (float)(at < length ? at : length);
    }
    return result;
}

static struct result *choices_of(struct arena *arena, const struct any_words *words,
                                 int64_t n) {
    struct result *result = result_of(arena, "choices", words, 2);
    series_of(arena, result, 0, word_at(words, 1), n, 12, words)->high = 1;
    series_of(arena, result, 1, "chosen", n, 0, words);
    return result;
}

static struct result *table_of(struct arena *arena, const struct any_words *words, int64_t n) {
    struct result *result = result_of(arena, "table", words, 3);
    for (int i = 0; i < 3; i++) {
        series_of(arena, result, i, word_at(words, i), n, 0, words);
    }
    return result;
}

static struct result *tracks_of(struct arena *arena, const struct any_words *words, int64_t n) {
    struct result *result = result_of(arena, "tracks", words, 3);
    series_of(arena, result, 0, "tokens", 1, 0, words);
    series_of(arena, result, 1, "id 0", n, 0, words);
    struct series *spans = series_of(arena, result, 2, "span 0", n, 2, words);
    int64_t length = (int64_t)strlen(result->text);
    for (int64_t i = 0; i < 2 * n; i++) {
        spans->values->data[i] = (float)((i + 1) / 2 < length ? (i + 1) / 2 : length);
    }
    return result;
}

static struct result *architecture_of(struct arena *arena, const struct any_words *words,
                                      int64_t n) {
    static const char *const names[] = { "parameters", "copies", "section", "kind",
                                         "shape",      "type",   "tied",    "tensor" };
    struct result *result = result_of(arena, "architecture", words, 8);
    for (int i = 0; i < 8; i++) {
        struct series *series = series_of(arena, result, i, names[i], n, 0, words);
        for (int64_t k = 0; k < n; k++) {
            series->values->data[k] = (float)(i == 0 ? 100 * k : i == 2 ? k / 5 : 1);
        }
    }
    return result;
}

static struct result *grid_of(struct arena *arena, const struct any_words *words, int64_t n) {
    struct result *result = result_of(arena, "headgrid", words, 1);
    struct series *series = &result->series[0];
    *series = (struct series){ .name = "attention", .unit = word_at(words, 1) };
    series->values = tensor_new(arena, 4, (int64_t[]){ 2, 3, n, n });
    for (int i = 0; i < 4; i++) {
        int64_t count = series->values->shape[i];
        series->axes[i] = (struct axis){ word_at(words, i), count, some(arena, words, count) };
    }
    return result;
}

struct result *any_result(struct arena *arena, enum any_kind kind,
                          const struct any_words *words, int64_t n) {
    switch (kind) {
    case ANY_HEATMAP:
        return matrix_of(arena, "heatmap", words, n);
    case ANY_LINES:
        return matrix_of(arena, "lines", words, n);
    case ANY_BARS:
        return bars_of(arena, words, n);
    case ANY_HISTOGRAM:
        return histogram_of(arena, words, n);
    case ANY_SCATTER:
        return scatter_of(arena, words, n);
    case ANY_TOKENS:
        return tokens_of(arena, words, n);
    case ANY_CHOICES:
        return choices_of(arena, words, n);
    case ANY_TABLE:
        return table_of(arena, words, n);
    case ANY_TRACKS:
        return tracks_of(arena, words, n);
    case ANY_ARCHITECTURE:
        return architecture_of(arena, words, n);
    default:
        return grid_of(arena, words, n);
    }
}
