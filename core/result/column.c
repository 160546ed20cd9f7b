#include "core/result/column.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"

float *column_new(struct arena *arena, struct result *result, int64_t index, const char *name,
                  const char *unit, const struct axis *axis) {
    struct series *series = &result->series[index];
    stop_check(); /* one of a long text takes some milliseconds */
    *series = (struct series){ .name = name,
                               .unit = unit,
                               .values = tensor_new(arena, 1, &axis->count),
                               .axes = { *axis } };
    return series->values->data;
}

const char **column_named(struct arena *arena, struct result *result, int64_t index,
                          const char *name, const struct axis *axis) {
    column_new(arena, result, index, name, "", axis);
    const char **names = arena_array(arena, axis->count, sizeof *names);
    for (int64_t i = 0; i < axis->count; i++) {
        if (i % STOP_EVERY == 0) {
            stop_check();
        }
        names[i] = "";
    }
    result->series[index].names = names;
    return names;
}

const char *column_text(struct arena *arena, const struct result *result, const char *name,
                        int64_t row) {
    const struct series *series = result_at(result, name);
    if (!series || row >= series->axes[0].count) {
        return "";
    }
    return series->names ? series->names[row]
                         : column_number(arena, (double)series->values->data[row]);
}

const char *column_number(struct arena *arena, double value) {
    bool whole = value == rint(value) && fabs(value) < 1e7;
    return isnan(value) ? "–" : arena_printf(arena, whole ? "%.0f" : "%.4g", value);
}

const char *column_shape(struct arena *arena, const struct tensor *tensor) {
    struct buf *out = buf_new(arena);
    for (int i = 0; i < tensor->rank; i++) {
        buf_printf(out, "%s%lld", i ? " × " : "", (long long)tensor->shape[i]);
    }
    buf_text(out, tensor->rank ? "" : "1");
    return out->data;
}

const char *column_whole(struct arena *arena, int64_t n) {
    char *digits = arena_printf(arena, "%lld", (long long)(n < 0 ? -n : n));
    int64_t count = (int64_t)strlen(digits);
    struct buf *out = buf_new(arena);
    buf_text(out, n < 0 ? "-" : "");
    for (int64_t i = 0; i < count; i++) {
        buf_text(out, i && (count - i) % 3 == 0 ? "," : "");
        buf_char(out, digits[i]);
    }
    return out->data;
}
