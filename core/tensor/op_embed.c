#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"
#include "core/tensor/quant.h"

enum { COLUMNS = 128 }; /* that one task of the way back takes */

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

struct step {
    struct tape_step step;
    const struct tensor *table;
    int64_t n;
    int32_t *ids;
};

struct scatter {
    const struct step *step;
    const float *dy;
    float *dtable;
};

/* Some columns of all rows, in order: a token that comes twice adds up as with one thread. */
static void columns_scatter(void *arg, int64_t begin, int64_t end) {
    const struct scatter *job = arg;
    const struct step *step = job->step;
    int64_t width = step->table->shape[1], first = begin * COLUMNS;
    int64_t n = (end * COLUMNS < width ? end * COLUMNS : width) - first;
    for (int64_t i = 0; i < step->n; i++) {
        float *to = job->dtable + step->ids[i] * width + first;
        simd()->add(to, to, job->dy + i * width + first, n);
    }
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    struct scatter job = { .step = self, .dy = tape_gradient(tape, step->out) };
    job.dtable = job.dy ? tape_parameter_add(tape, self->table) : NULL;
    if (job.dtable) {
        pool_for((self->table->shape[1] + COLUMNS - 1) / COLUMNS, 1, columns_scatter, &job);
    }
}

struct tensor *op_embed(struct tape *tape, const struct tensor *table, const int32_t *ids,
                        int64_t n) {
    struct tensor *out = tape_tensor(tape, 2, (int64_t[]){ n, table->shape[1] });
    struct job job = { .table = table, .ids = ids, .out = out->data };
    pool_for(n, 64, rows_run, &job);
    if (tape->record) {
        size_t bytes = (size_t)n * sizeof *ids;
        struct step *step = tape_step(tape, sizeof *step, back, out);
        step->table = table;
        step->n = n;
        step->ids = memcpy(arena_raw(tape->arena, bytes), ids, bytes);
        tape_uses(tape, table);
    }
    return out;
}
