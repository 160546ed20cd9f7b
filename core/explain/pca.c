#include "core/explain/pca.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/explain/eigen.h"
#include "core/tensor/gemm.h"

enum {
    ROWS = 512, /* whose products are summed in float32 */
    STRIP = 128 /* columns of products made at once, from the diagonal down */
};

static const double nothing = 1e-6; /* of the largest variance: less is rounding */

struct work {
    const struct tensor *x;
    int64_t n, width;
    double *sums;   /* [tasks, width] */
    double *mean;   /* [width] */
    float *centred; /* [n, width] where points are fewer than dimensions, else [ROWS, width]: */
    int64_t first;  /* the points from here on */
    float *room;    /* gemm's */
    float *block;   /* [m, m] products of one block, on and below the diagonal */
    double *matrix; /* [m, m], m = min(n, width) */
    int64_t m;
    bool wide;
};

/* ---- the mean ---- */

static void rows_sum(void *arg, int64_t begin, int64_t end) {
    struct work *w = arg;
    double *sums = w->sums + begin / ROWS * w->width;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t f = 0; f < w->width; f++) {
            sums[f] += (double)w->x->data[i * w->width + f];
        }
    }
}

static void mean_of(struct work *w) {
    pool_for(w->n, ROWS, rows_sum, w);
    for (int64_t i = 0; i < (w->n + ROWS - 1) / ROWS * w->width; i++) {
        w->mean[i % w->width] += w->sums[i] / (double)w->n;
    }
    stop_check();
}

static void rows_centre(void *arg, int64_t begin, int64_t end) {
    struct work *w = arg;
    for (int64_t i = begin; i < end; i++) {
        const float *x = w->x->data + (w->first + i) * w->width;
        for (int64_t f = 0; f < w->width; f++) {
            w->centred[i * w->width + f] = (float)((double)x[f] - w->mean[f]);
        }
    }
}

/* Points first .. first + count, about the mean. */
static void centre(struct work *w, int64_t first, int64_t count) {
    w->first = first;
    pool_for(count, ROWS / 8, rows_centre, w);
}

/* ---- X^T X or X X^T ---- */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void rows_add(void *arg, int64_t begin, int64_t end) {
    struct work *w = arg;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t j = 0; j <= i; j++) {
            w->matrix[i * w->m + j] += (double)w->block[i * w->m + j];
        }
    }
}

static void rows_mirror(void *arg, int64_t begin, int64_t end) {
    struct work *w = arg;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t j = i + 1; j < w->m; j++) {
            w->matrix[i * w->m + j] = w->matrix[j * w->m + i];
        }
    }
}

/* The products of values at .. at + count of the long axis, a strip of columns at a time. */
static void block_multiply(struct work *w, int64_t at, int64_t count) {
    int64_t along = w->wide ? w->width : 1; /* from one of m to the next */
    for (int64_t c = 0; c < w->m; c += STRIP) {
        float *from = w->centred + at + c * along;
        struct tensor values = { .dtype = DTYPE_F32, .rank = 2, .shape = { count, w->width } };
        values.data = from;
        struct gemm gemm = { .m = w->m - c,
                             .n = least(w->m - c, STRIP),
                             .k = count,
                             .x = from,
                             .x_stride = along,
                             .x_step = w->wide ? 1 : w->width,
                             .w = &values,
                             .across = !w->wide,
                             .w_stride = w->width,
                             .y = w->block + c * w->m + c,
                             .y_stride = w->m };
        gemm_run(&gemm, w->room, gemm_room());
    }
    pool_for(w->m, 16, rows_add, w);
}

static void products(struct work *w) {
    int64_t length = w->wide ? w->width : w->n;
    if (w->wide) {
        centre(w, 0, w->n);
    }
    for (int64_t begin = 0; begin < length; begin += ROWS) {
        int64_t count = least(length - begin, ROWS);
        if (!w->wide) {
            centre(w, begin, count);
        }
        block_multiply(w, w->wide ? begin : 0, count);
        stop_check();
    }
    pool_for(w->m, 16, rows_mirror, w);
}

/* ---- components ---- */

/* A direction [m] as a component [width] of length 1: itself, or sum_i u_i x_i of the points.
 */
static void component_fill(const struct work *w, const double *u, double *sums, float *out) {
    double square = 0, most = 0;
    memset(sums, 0, (size_t)w->width * sizeof *sums);
    for (int64_t i = 0; w->wide && i < w->n; i++) {
        for (int64_t f = 0; f < w->width; f++) {
            sums[f] += u[i] * (double)w->centred[i * w->width + f];
        }
    }
    if (!w->wide) {
        memcpy(sums, u, (size_t)w->width * sizeof *sums);
    }
    for (int64_t f = 0; f < w->width; f++) {
        square += sums[f] * sums[f];
        most = fabs(sums[f]) > fabs(most) ? sums[f] : most;
    }
    double scale = square > 0 ? copysign(1 / sqrt(square), most) : 0;
    for (int64_t f = 0; f < w->width; f++) {
        out[f] = (float)(sums[f] * scale);
    }
}

static double trace_of(const struct work *w) {
    double sum = 0;
    for (int64_t i = 0; i < w->m; i++) {
        sum += w->matrix[i * w->m + i];
    }
    return sum;
}

static void transform(struct work *w, struct pca *out) {
    int64_t k = out->components->shape[0];
    for (int64_t begin = 0; begin < w->n; begin += ROWS) {
        int64_t count = least(w->n - begin, ROWS);
        if (!w->wide) {
            centre(w, begin, count);
        }
        struct gemm gemm = { .m = count,
                             .n = k,
                             .k = w->width,
                             .x = w->centred + (w->wide ? begin * w->width : 0),
                             .x_stride = w->width,
                             .w = out->components,
                             .y = out->transformed->data + begin * k,
                             .y_stride = k };
        gemm_run(&gemm, w->room, gemm_room());
        stop_check();
    }
}

static void decompose(struct arena *arena, struct work *w, struct pca *out) {
    int64_t k = out->components->shape[0];
    double *values = arena_array(arena, k, sizeof *values);
    double *vectors = arena_array(arena, k * w->m, sizeof *vectors);
    double *sums = arena_array(arena, w->width, sizeof *sums);
    double whole = trace_of(w);
    eigen_top(arena, w->matrix, w->m, k, values, vectors);
    for (int64_t i = 0; i < k; i++) {
        double value = fmax(values[i], 0);
        out->variance->data[i] = (float)(value / (double)(w->n - 1));
        out->ratio->data[i] = (float)(whole > 0 ? value / whole : 0);
        if (!w->wide || value > nothing * values[0]) {
            component_fill(w, vectors + i * w->m, sums, out->components->data + i * w->width);
        }
    }
}

static void work_new(struct work *w, struct arena *arena, const struct tensor *x) {
    int64_t n = x->shape[0], width = x->shape[1], tasks = (n + ROWS - 1) / ROWS;
    int64_t m = n < width ? n : width;
    *w = (struct work){ .x = x, .n = n, .width = width, .m = m, .wide = m < width };
    w->sums = arena_array(arena, tasks * width, sizeof *w->sums);
    w->mean = arena_array(arena, width, sizeof *w->mean);
    w->centred = arena_array(arena, (w->wide ? n : ROWS) * width, sizeof *w->centred);
    w->room = arena_array(arena, pool_threads() * gemm_room(), sizeof *w->room);
    w->block = arena_array(arena, m * m, sizeof *w->block);
    w->matrix = arena_array(arena, m * m, sizeof *w->matrix);
}

struct pca *pca(struct arena *arena, const struct tensor *x, int64_t k, struct err *err) {
    if (map_check(x, 2, "PCA", err) < 0) {
        err_pass(err);
        return NULL;
    }
    int64_t n = x->shape[0], width = x->shape[1], most = n < width ? n : width;
    if (k < 1 || k > most) {
        err_set(err, ERR_SHAPE,
                "%lld components of %lld points in %lld dimensions are wanted; "
                "there are %lld",
                (long long)k, (long long)n, (long long)width, (long long)most);
        return NULL;
    }
    struct pca *out = arena_alloc(arena, sizeof *out);
    *out = (struct pca){ .mean = tensor_new(arena, 1, &width),
                         .components = tensor_new(arena, 2, (int64_t[]){ k, width }),
                         .variance = tensor_new(arena, 1, &k),
                         .ratio = tensor_new(arena, 1, &k),
                         .transformed = tensor_new(arena, 2, (int64_t[]){ n, k }) };
    struct arena_mark mark = arena_mark(arena);
    struct work w;
    work_new(&w, arena, x);
    mean_of(&w);
    for (int64_t f = 0; f < width; f++) {
        out->mean->data[f] = (float)w.mean[f];
    }
    products(&w);
    decompose(arena, &w, out);
    transform(&w, out);
    arena_rewind(arena, mark);
    return out;
}
