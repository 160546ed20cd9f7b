#include "tests/chart_sample.h"

#include <string.h>

#include "tests/check.h"

struct result *chart_sample(struct arena *arena, const char *kind, int64_t series) {
    struct result *result = result_new(arena, kind, series);
    result->title = "A chart";
    result->finding = "It is so.";
    result->caption = "";
    result->model = "tiny";
    result->seed = -1;
    return result;
}

struct series *chart_sample_series(struct arena *arena, struct result *result, int64_t i,
                                   const char *name, int64_t rows, int64_t n,
                                   const float *values) {
    struct series *series = &result->series[i];
    const int64_t shape[] = { rows > 0 ? rows : n, n };
    series->name = name;
    series->unit = "";
    series->values = tensor_new(arena, rows > 0 ? 2 : 1, shape);
    series->axes[0] = (struct axis){ rows > 0 ? "row" : "place", shape[0], NULL };
    series->axes[1] = (struct axis){ "place", n, NULL };
    if (values) {
        memcpy(series->values->data, values,
               (size_t)tensor_count(series->values) * sizeof *values);
    }
    return series;
}

struct bundle *chart_sample_draw(struct arena *arena, const struct result *result,
                                 const char *language) {
    struct err err = { 0 };
    struct bundle *bundle = picture_bundle(
        arena, NULL, result, &(struct picture_options){ .language = language }, &err);
    check_same(err.text, "");
    check(bundle && bundle->png_length > 100);
    check(bundle && strlen(bundle->text) <= 2048);
    check(bundle && strncmp(bundle->json, "{\"schema\":\"cutaway.", 19) == 0);
    return bundle;
}

const char *chart_sample_refused(struct arena *arena, const struct result *result) {
    struct err err = { 0 };
    check(!picture_bundle(arena, NULL, result, NULL, &err));
    check(err.kind == ERR_OPTION);
    return arena_copy(arena, err.text);
}

int64_t chart_sample_count(const char *text, const char *part) {
    int64_t n = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) {
        n++;
    }
    return n;
}
