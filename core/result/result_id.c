#include "core/result/result_id.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/file.h"

static void add_text(struct buf *out, const char *text) {
    buf_add(out, text ? text : "", strlen(text ? text : "") + 1);
}

/* Name, type, shape and at most `most` values of one series. */
static void add_series(struct buf *out, const struct series *series, int64_t most) {
    const struct tensor *values = series->values;
    size_t size = (size_t)dtype_block_bytes(values->dtype);
    int64_t count = tensor_count(values) / dtype_block(values->dtype);
    int64_t taken = count < most ? count : most;
    add_text(out, series->name);
    add_text(out, dtype_name(values->dtype));
    buf_add(out, values->shape, (size_t)values->rank * sizeof *values->shape);
    for (int64_t i = 0; i < taken; i++) {
        /* i count / taken, which does not wrap */
        int64_t at = i * (count / taken) + i * (count % taken) / taken;
        buf_add(out, (const char *)values->bytes + (size_t)at * size, size);
    }
}

const char *result_id(struct arena *arena, const struct result *result) {
    struct buf *out = buf_new(arena);
    struct result timeless = *result;
    char hex[65];
    timeless.seconds = 0;
    add_text(out, result->title);
    add_text(out, result->text);
    add_text(out, result_provenance(arena, &timeless));
    for (int64_t i = 0; i < result->count; i++) {
        int64_t each = RESULT_ID_VALUES / result->count;
        add_series(out, &result->series[i], each > 0 ? each : 1);
    }
    const struct file_piece all = { out->data, out->length };
    file_sha256(&all, 1, hex);
    return arena_text(arena, hex, 16);
}
