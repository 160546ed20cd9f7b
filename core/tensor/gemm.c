#include "core/tensor/gemm.h"

#include "core/base/pool.h"

/* Values of k a panel holds: with AVX-512's 32 columns 80 kB, which stay in a core's
 * second-level cache, while 12 rows of x (30 kB) stay in the first. */
enum { DEPTH = 640, ALIGN = 32 };

bool gemm_reads(enum dtype dtype) {
    return simd()->pack[dtype] != NULL;
}

int64_t gemm_room(void) {
    return (int64_t)DEPTH * simd()->columns;
}

struct job {
    const struct gemm *gemm;
    int64_t row_bytes;
    int64_t depth; /* of this product's panels: k in even parts */
    float *room;
    int64_t each;
};

/* The rows that this thread will probably pack next, as bytes: memory brings them while it
 * multiplies. 0 past the end of W. */
static int64_t next_rows(const struct job *job, int64_t column, const uint8_t **rows) {
    int64_t columns = simd()->columns, next = column + columns * pool_threads();
    *rows = job->gemm->w->bytes;
    if (job->gemm->across) {
        return 0;
    }
    int64_t left = job->gemm->n - next, n = left < columns ? left : columns;
    *rows = (const uint8_t *)job->gemm->w->bytes + (n > 0 ? next : 0) * job->row_bytes;
    return n > 0 ? n * job->row_bytes : 0;
}

/* The panel of columns column .. column + n of the product, for k .. k + depth. */
static void panel_pack(const struct job *job, int64_t column, int n, int64_t begin, int64_t k,
                       float *panel) {
    const struct tensor *w = job->gemm->w;
    const uint8_t *bytes = w->bytes;
    if (job->gemm->across) {
        simd()->pack_across[w->dtype](bytes + begin * job->row_bytes, job->row_bytes, n, column,
                                      k, panel);
    } else {
        simd()->pack[w->dtype](bytes + column * job->row_bytes, job->row_bytes, n, begin, k,
                               panel);
    }
}

/* One panel's columns, finished. */
static void panel_finish(const struct gemm *g, int64_t column, int n) {
    const struct simd_finish *f = &g->finish;
    if (f->bias || f->act != SIMD_NONE || f->factor || f->residual) {
        struct simd_finish here = { .bias = f->bias ? f->bias + column : NULL,
                                    .act = f->act,
                                    .factor = f->factor ? f->factor + column : NULL,
                                    .residual = f->residual ? f->residual + column : NULL };
        simd()->finish(g->m, n, g->y + column, g->y_stride, &here);
    }
}

/* One panel of W's rows from `column` on against all of x. */
static void panel_run(const struct job *job, int64_t column, int n, float *panel) {
    const struct gemm *g = job->gemm;
    float *y = g->y + column;
    const uint8_t *next;
    int64_t bytes = next_rows(job, column, &next);
    for (int64_t begin = 0; begin < g->k; begin += job->depth) {
        int64_t k = g->k - begin < job->depth ? g->k - begin : job->depth;
        bool add = g->add || begin > 0;
        panel_pack(job, column, n, begin, k, panel);
        if (g->x_step > 1) {
            simd()->multiply_turned(g->m, k, g->x + begin * g->x_step, g->x_step, panel, n, y,
                                    g->y_stride, add);
        } else {
            simd()->multiply(g->m, k, g->x + begin, g->x_stride, panel, n, y, g->y_stride, add,
                             next + bytes * begin / g->k, bytes * k / g->k);
        }
    }
    panel_finish(g, column, n);
}

static void panels_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    int columns = simd()->columns;
    float *panel = job->room + pool_self() * job->each;
    for (int64_t i = begin; i < end; i++) {
        int64_t left = job->gemm->n - i * columns;
        panel_run(job, i * columns, left < columns ? (int)left : columns, panel);
    }
}

void gemm_run(const struct gemm *gemm, float *room, int64_t each) {
    int columns = simd()->columns;
    int64_t parts = (gemm->k + DEPTH - 1) / DEPTH;
    int64_t depth = ((gemm->k + parts - 1) / parts + ALIGN - 1) / ALIGN * ALIGN;
    int64_t tight = dtype_row_bytes(gemm->w->dtype, gemm->across ? gemm->n : gemm->k);
    struct job job = { .gemm = gemm,
                       .row_bytes = gemm->w_stride ? gemm->w_stride * 4 : tight,
                       .depth = depth,
                       .room = room,
                       .each = each };
    pool_for((gemm->n + columns - 1) / columns, 1, panels_run, &job);
}
