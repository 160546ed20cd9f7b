#include "core/base/pool.h"
#include "core/tensor/op.h"
#include "core/tensor/quant.h"

struct job {
    const struct tensor *table;
    const int32_t *ids;
    float *out;
};

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    int64_t width = job->table->shape[1];
    int64_t row_bytes = dtype_row_bytes(job->table->dtype, width);
    for (int64_t i = begin; i < end; i++) {
        const char *row = (const char *)job->table->bytes + job->ids[i] * row_bytes;
        quant_row(job->table->dtype, row, 0, width, job->out + i * width);
    }
}

struct tensor *op_embed(struct tape *tape, const struct tensor *table, const int32_t *ids,
                        int64_t n) {
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ n, table->shape[1] });
    struct job job = { .table = table, .ids = ids, .out = out->data };
    pool_for(n, 64, rows_run, &job);
    return out;
}
