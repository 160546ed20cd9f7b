#include "core/explain/broken.h"

#include <math.h>

#include "core/base/catch.h"
#include "core/tensor/quant.h"

/* Where the first value of the row is that is not finite; -1 if none is. `row` has room for its
 * n values. */
static int64_t first_broken(const struct tensor *tensor, int64_t at, int64_t n, float *row) {
    int64_t bytes = dtype_row_bytes(tensor->dtype, n);
    quant_row(tensor->dtype, (const char *)tensor->bytes + at * bytes, 0, n, row);
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(row[i])) {
            return i;
        }
    }
    return -1;
}

static const char *tell(struct arena *arena, const struct tensor *tensor, int64_t row,
                        int64_t column, float value) {
    char shape[100];
    const char *what = isnan(value) ? "NaN" : "infinity";
    tensor_shape_text(tensor, shape);
    return tensor->rank < 2
               ? arena_printf(arena, "%s has %s, first at place %lld of %s", tensor->name, what,
                              (long long)column, shape)
               : arena_printf(arena, "%s has %s, first at row %lld, column %lld of %s",
                              tensor->name, what, (long long)row, (long long)column, shape);
}

const char *broken_weights(struct arena *arena, const struct model *model) {
    const struct weights *weights = model->weights;
    for (int64_t i = 0; i < weights->count; i++) {
        const struct tensor *tensor = &weights->tensors[i];
        int64_t n = tensor->rank > 0 ? tensor->shape[tensor->rank - 1] : 1;
        int64_t rows = n > 0 && quant_known(tensor->dtype) ? tensor_count(tensor) / n : 0;
        struct arena_mark mark = arena_mark(arena);
        float *row = arena_array(arena, n + 1, sizeof *row);
        for (int64_t r = 0; r < rows; r++) {
            int64_t column = first_broken(tensor, r, n, row);
            if (column >= 0) {
                return tell(arena, tensor, r, column, row[column]);
            }
        }
        arena_rewind(arena, mark);
        stop_check();
    }
    return NULL;
}

int broken_refuse(struct arena *arena, const struct model *model, struct err *err) {
    const char *where = broken_weights(arena, model);
    return where ? err_set(err, ERR_FORMAT,
                           "the model says NaN in place of probabilities, because %s: its file "
                           "is damaged",
                           where)
                 : err_set(err, ERR_FORMAT,
                           "the model says NaN in place of probabilities, though all of its "
                           "weights are numbers: its sums overflow on this text");
}
