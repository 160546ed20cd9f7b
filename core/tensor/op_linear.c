#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/gemm.h"
#include "core/tensor/op.h"
#include "core/tensor/quant.h"

enum { PIECE = 256, ROWS = 4, COLUMNS = 128 }; /* that one task takes */
enum { WORTH = 65536 };                        /* numbers looked at that are worth a thread */
enum { FED = 64 /* rows whose inner layer is in one thread's cache while both products run */ };
enum { DEEP = 3072, TALL = 768 }; /* rows of W that one product takes, backward */

/* ---- forward ---- */

struct step {
    struct tape_step step;
    const struct tensor *x;
    const struct tensor *z; /* x W^T + bias, where act or factor follow */
    struct op_dense dense;
    struct op_finish finish;
};

static struct gemm product(const struct tensor *x, const struct op_dense *dense, float *y) {
    const struct tensor *w = dense->weight;
    int64_t inputs = w->shape[!dense->across], outputs = w->shape[dense->across];
    return (struct gemm){ .m = x->shape[0],
                          .n = outputs,
                          .k = inputs,
                          .x = x->data,
                          .x_stride = inputs,
                          .w = w,
                          .across = dense->across,
                          .y = y,
                          .y_stride = outputs,
                          .finish.bias = dense->bias ? dense->bias->data : NULL };
}

static void finish_set(struct simd_finish *to, const struct op_finish *finish) {
    to->act = finish->act;
    to->factor = finish->factor ? finish->factor->data : NULL;
    to->residual = finish->residual ? finish->residual->data : NULL;
}

static void back(struct tape *tape, struct tape_step *step);

static void record(struct tape *tape, const struct step *what, const struct tensor *out) {
    struct step *step = tape_step(tape, sizeof *step, back, out);
    struct tape_step head = step->step;
    *step = *what;
    step->step = head;
    tape_uses(tape, step->dense.weight);
    if (step->dense.bias) {
        tape_uses(tape, step->dense.bias);
    }
}

struct tensor *op_linear(struct tape *tape, const struct tensor *x,
                         const struct op_dense *dense, const struct op_finish *finish,
                         struct tensor *out) {
    int64_t shape[2] = { x->shape[0], dense->weight->shape[dense->across] };
    struct step step = { .x = x, .dense = *dense };
    out = out ? out : tape_tensor(tape, 2, shape);
    step.finish = finish ? *finish : step.finish;
    struct gemm gemm = product(x, dense, out->data);
    finish_set(&gemm.finish, &step.finish);
    if (tape->record && (step.finish.act != SIMD_NONE || step.finish.factor)) {
        struct tensor *z = tape_tensor(tape, 2, shape);
        gemm.finish.sum = z->data;
        step.z = z;
    }
    gemm_run(&gemm, tape->room, tape->each);
    if (tape->record) { /* a place of another rank, [B, T, M], is rows to what follows */
        struct tensor *rows = arena_alloc(tape->arena, sizeof *rows);
        *rows =
            (struct tensor){ .rank = 2, .shape = { shape[0], shape[1] }, .data = out->data };
        record(tape, &step, rows);
    }
    return out;
}

bool op_feeds(int64_t n, const struct op_dense *up, const struct op_dense *down) {
    return !up->across && !down->across && gemm_panels(n, up->weight) &&
           gemm_panels(n, down->weight);
}

/* Rows first .. first + n: the first product leaves its result as the second wants to read it,
 * and where it is read next. */
static void rows_feed(struct tape *tape, struct gemm up, struct gemm down, int64_t first,
                      int64_t n) {
    up.m = down.m = n;
    up.y_panels = down.x_panels = gemm_panels(n, up.w) && gemm_panels(n, down.w); /* or few */
    up.x += first * up.x_stride;
    down.y += first * down.y_stride;
    down.finish.residual += down.finish.residual ? first * down.y_stride : 0;
    gemm_run(&up, tape->room, tape->each);
    gemm_run(&down, tape->room, tape->each);
}

struct tensor *op_feed(struct tape *tape, const struct tensor *x, const struct op_dense *up,
                       enum simd_act act, const struct op_dense *down,
                       const struct tensor *residual, struct tensor *out) {
    int64_t rows = x->shape[0], inner = up->weight->shape[0], columns = simd()->columns;
    int64_t most = FED * pool_threads(), parts = (rows + most - 1) / most;
    int64_t part = ((rows + parts - 1) / parts + columns - 1) / columns * columns;
    out = out ? out : tape_tensor(tape, 2, (int64_t[]){ rows, down->weight->shape[0] });
    struct arena_mark mark = tape_mark(tape);
    struct tensor *inside = tape_tensor(tape, 2, (int64_t[]){ part, inner });
    struct gemm first = product(x, up, inside->data), second = product(inside, down, out->data);
    first.finish.act = act;
    second.finish.residual = residual ? residual->data : NULL;
    for (int64_t r = 0; r < rows; r += part) {
        rows_feed(tape, first, second, r, rows - r < part ? rows - r : part);
    }
    tape_rewind(tape, mark);
    return out;
}

/* ---- backward: through what follows the product ---- */

struct unfollow {
    const struct step *step;
    int64_t rows, width; /* of one seed */
    float *dy;           /* becomes the gradient of the product */
    float *dfactor;
    bool add;
};

/* y = act(z) f: df = dy act(z), dz = dy f act'(z). */
static void piece_unfollow(const struct unfollow *job, int64_t at, int64_t value, int64_t n) {
    const struct simd *table = simd();
    const struct op_finish *finish = &job->step->finish;
    const float *z = job->step->z->data + value;
    float *dy = job->dy + at, piece[PIECE];
    if (job->dfactor) {
        table->act(piece, z, n, finish->act);
        if (job->add) {
            table->mul_add(job->dfactor + at, piece, dy, n);
        } else {
            table->mul(job->dfactor + at, piece, dy, n);
        }
    }
    if (finish->factor) {
        table->mul(dy, dy, finish->factor->data + value, n);
    }
    table->act_back(dy, dy, z, n, finish->act);
}

static void rows_unfollow(void *arg, int64_t begin, int64_t end) {
    const struct unfollow *job = arg;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t i = 0; i < job->width; i += PIECE) {
            int64_t n = job->width - i < PIECE ? job->width - i : PIECE;
            piece_unfollow(job, r * job->width + i, r % job->rows * job->width + i, n);
        }
    }
}

/* The gradient of the product, in the room of that of the output. */
static float *unfollow(struct tape *tape, const struct step *step) {
    const struct tensor *out = step->step.out, *factor = step->finish.factor;
    float *dy = tape_gradient(tape, out);
    if (step->z) {
        struct unfollow job = {
            .step = step, .rows = step->z->shape[0], .width = step->z->shape[1], .dy = dy
        };
        if (step->finish.residual && tape_needs(tape, step->finish.residual)) {
            tape_gradient_join(tape, out, step->finish.residual);
        }
        if (factor && tape_needs(tape, factor)) {
            job.dfactor = tape_gradient_set(tape, factor, &job.add);
        }
        pool_for(tape_seeds(tape) * job.rows, ROWS, rows_unfollow, &job);
    }
    return dy;
}

/* ---- which rows matter ---- */

/* The gradient of a product [rows, M]: of a target that reads one token, or one logit, most of
 * it is zeros. */
struct sparse {
    const float *dz;
    int64_t width, *counts; /* numbers that are not 0 in each row, counted up to `most` or so */
    int64_t most;
    int64_t rows, *at; /* rows that are not all 0 */
    int64_t entries;
};

static int64_t row_count(const float *row, int64_t n, int64_t most) {
    int64_t count = 0, i = 0;
    for (; i + PIECE <= n && count <= most; i += PIECE) {
        int some = 0;
        for (int j = 0; j < PIECE; j++) {
            some += row[i + j] != 0;
        }
        count += some;
    }
    for (; i < n && count <= most; i++) {
        count += row[i] != 0;
    }
    return count;
}

static void rows_count(void *arg, int64_t begin, int64_t end) {
    const struct sparse *sparse = arg;
    for (int64_t r = begin; r < end; r++) {
        sparse->counts[r] =
            row_count(sparse->dz + r * sparse->width, sparse->width, sparse->most);
    }
}

static struct sparse sparse_of(struct tape *tape, const float *dz, int64_t rows,
                               int64_t width) {
    struct sparse sparse = { .dz = dz, .width = width, .most = width / 8 };
    sparse.counts = arena_array(tape->arena, rows, sizeof *sparse.counts);
    sparse.at = arena_array(tape->arena, rows, sizeof *sparse.at);
    pool_for(rows, WORTH / width + 1, rows_count, &sparse);
    for (int64_t r = 0; r < rows; r++) {
        sparse.entries += sparse.counts[r];
        if (sparse.counts[r] > 0) {
            sparse.at[sparse.rows++] = r;
        }
    }
    return sparse;
}

/* Those rows of x, close together. */
static float *gathered(struct tape *tape, const struct sparse *sparse, const float *x,
                       int64_t width) {
    size_t bytes = (size_t)width * sizeof *x;
    float *rows = arena_raw(tape->arena, (size_t)sparse->rows * bytes);
    for (int64_t i = 0; i < sparse->rows; i++) {
        memcpy(rows + i * width, x + sparse->at[i] * width, bytes);
    }
    return rows;
}

/* ---- backward: dX = dZ W ---- */

/* Of a large vocabulary a part of W at a time, so that its rows come from memory once. */
static void dx_product(struct tape *tape, const struct op_dense *dense, const float *dz,
                       int64_t rows, float *dx, bool add) {
    const struct tensor *w = dense->weight;
    int64_t inputs = w->shape[!dense->across], outputs = w->shape[dense->across];
    int64_t row_bytes = dtype_row_bytes(w->dtype, w->shape[1]);
    int64_t part = dense->across ? outputs : DEEP;
    for (int64_t first = 0; first < outputs; first += part) {
        struct tensor some = *w;
        some.bytes = (char *)w->bytes + first * (dense->across ? 0 : row_bytes);
        struct gemm gemm = { .m = rows,
                             .n = inputs,
                             .k = outputs - first < part ? outputs - first : part,
                             .x = dz + first,
                             .x_stride = outputs,
                             .w = &some,
                             .across = !dense->across,
                             .y = dx,
                             .y_stride = inputs,
                             .add = add || first > 0 };
        gemm_run(&gemm, tape->room, tape->each);
    }
}

struct direct {
    const struct sparse *sparse;
    const struct tensor *weight;
    float *dx;
};

/* Some columns of dX: rows of W, each as often as dZ says. */
static void columns_direct(void *arg, int64_t begin, int64_t end) {
    const struct direct *job = arg;
    const struct tensor *w = job->weight;
    int64_t width = w->shape[1], first = begin * COLUMNS;
    int64_t row_bytes = dtype_row_bytes(w->dtype, width);
    int64_t n = (end * COLUMNS < width ? end * COLUMNS : width) - first;
    float part[COLUMNS];
    for (int64_t i = 0; i < job->sparse->rows; i++) {
        int64_t r = job->sparse->at[i];
        const float *dz = job->sparse->dz + r * job->sparse->width;
        for (int64_t o = 0; o < job->sparse->width; o++) {
            if (dz[o] != 0) {
                quant_row(w->dtype, (const char *)w->bytes + o * row_bytes, first, n, part);
                simd()->axpy(job->dx + r * width + first, dz[o], part, n);
            }
        }
    }
}

static void dx_some_rows(struct tape *tape, const struct step *step,
                         const struct sparse *sparse) {
    int64_t inputs = step->x->shape[1];
    float *dz = gathered(tape, sparse, sparse->dz, sparse->width);
    float *some = arena_raw(tape->arena, (size_t)(sparse->rows * inputs) * sizeof *some);
    dx_product(tape, &step->dense, dz, sparse->rows, some, false);
    float *dx = tape_gradient_add(tape, step->x);
    for (int64_t i = 0; i < sparse->rows; i++) {
        float *to = dx + sparse->at[i] * inputs;
        simd()->add(to, to, some + i * inputs, inputs);
    }
}

static void dx_back(struct tape *tape, const struct step *step, const struct sparse *sparse) {
    int64_t rows = tape_seeds(tape) * step->x->shape[0];
    bool add;
    if (sparse->entries <= sparse->most && !step->dense.across) {
        struct direct job = { .sparse = sparse,
                              .weight = step->dense.weight,
                              .dx = tape_gradient_add(tape, step->x) };
        pool_for((step->x->shape[1] + COLUMNS - 1) / COLUMNS, 1, columns_direct, &job);
    } else if (sparse->rows < rows - rows / 4) {
        dx_some_rows(tape, step, sparse);
    } else {
        float *dx = tape_gradient_set(tape, step->x, &add);
        dx_product(tape, &step->dense, sparse->dz, rows, dx, add);
    }
}

/* ---- backward: dW = dZ^T X, dbias ---- */

static void dw_back(struct tape *tape, const struct step *step, const struct sparse *sparse) {
    const struct tensor *w = step->dense.weight;
    bool add = false, across = step->dense.across;
    float *dw = tape_parameter_set(tape, w, &add);
    if (!dw) {
        return;
    }
    int64_t rows = step->x->shape[0];
    const float *x = step->x->data, *dz = sparse->dz;
    if (sparse->rows < rows - rows / 4) {
        rows = sparse->rows;
        x = gathered(tape, sparse, x, step->x->shape[1]);
        dz = gathered(tape, sparse, dz, sparse->width);
    }
    /* Rows of dW, a part at a time where there are many, so that what makes them stays in the
     * cache. */
    int64_t height = w->shape[0], part = height > DEEP ? TALL : height;
    struct tensor right = { .dtype = DTYPE_F32, .bytes = (void *)(uintptr_t)(across ? dz : x) };
    for (int64_t first = 0; first < height; first += part) {
        struct gemm gemm = { .m = height - first < part ? height - first : part,
                             .n = w->shape[1],
                             .k = rows,
                             .x = (across ? x : dz) + first,
                             .x_stride = 1,
                             .x_step = height,
                             .w = &right,
                             .across = true,
                             .y = dw + first * w->shape[1],
                             .y_stride = w->shape[1],
                             .add = add };
        gemm_run(&gemm, tape->room, tape->each);
    }
}

struct columns {
    const struct sparse *sparse;
    float *sums;
};

static void columns_sum(void *arg, int64_t begin, int64_t end) {
    const struct columns *job = arg;
    int64_t width = job->sparse->width, first = begin * COLUMNS;
    int64_t n = (end * COLUMNS < width ? end * COLUMNS : width) - first;
    for (int64_t i = 0; i < job->sparse->rows; i++) {
        float *to = job->sums + first;
        simd()->add(to, to, job->sparse->dz + job->sparse->at[i] * width + first, n);
    }
}

static void dbias_back(struct tape *tape, const struct step *step,
                       const struct sparse *sparse) {
    struct columns job = { .sparse = sparse };
    job.sums = step->dense.bias ? tape_parameter_add(tape, step->dense.bias) : NULL;
    if (job.sums) {
        pool_for((sparse->width + COLUMNS - 1) / COLUMNS, 1, columns_sum, &job);
    }
}

/* What comes is exactly 0 everywhere, as behind a head of zeros: gradients of zeros, not none.
 */
static void zeros_back(struct tape *tape, const struct step *step) {
    tape_parameter_add(tape, step->dense.weight);
    if (step->dense.bias) {
        tape_parameter_add(tape, step->dense.bias);
    }
    if (tape_needs(tape, step->x)) {
        tape_gradient_add(tape, step->x);
    }
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    const struct tensor *residual = self->finish.residual;
    if (!tape_gradient(tape, step->out)) {
        return;
    }
    float *dz = unfollow(tape, self);
    int64_t rows = tape_seeds(tape) * self->x->shape[0];
    struct sparse sparse =
        sparse_of(tape, dz, rows, tensor_count(step->out) / self->x->shape[0]);
    if (sparse.rows == 0) {
        zeros_back(tape, self);
    } else {
        dw_back(tape, self, &sparse);
        dbias_back(tape, self, &sparse);
        if (tape_needs(tape, self->x)) {
            dx_back(tape, self, &sparse);
        }
    }
    if (residual && !self->z && tape_needs(tape, residual)) {
        tape_gradient_give(tape, step->out, residual);
    }
}
