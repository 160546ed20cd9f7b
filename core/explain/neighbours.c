#include "core/explain/neighbours.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/explain/map.h"
#include "core/tensor/gemm.h"

/* Nearness of points a and b is a b - |a|^2 / 2 - |b|^2 / 2 = -|a - b|^2 / 2, of points about
 * their mean, or of length 1 with halves of 0 (cosine). */

enum {
    BLOCK = 1024, /* rows multiplied with rows: 4 MB of products, which a cache holds */
    STRIDE = BLOCK + 16,
    ROWS = 16,    /* for a task */
    COLUMNS = 64, /* for a task */
    LOOK = 16,    /* products that are looked at together; those past the end are -inf */
    SPARE = 8     /* more than k are kept, as their order is rounded */
};

/* The points as they are multiplied. */
struct table {
    int64_t n, width;
    float *rows;   /* [n, width] */
    float *halves; /* [n] |row|^2 / 2; 0 for cosine */
    bool *zero;    /* [n], cosine: a vector that has no direction */
};

struct found {
    float nearness;
    int32_t id;
};

/* The best `keep` of each asked row so far: a heap whose root is the worst. */
struct search {
    const struct table *of;
    int64_t keep, k;
    enum neighbours_by by;
    struct found *heaps; /* [of->n, keep] */
    int64_t *counts;     /* [of->n] */
    float *limits;       /* [of->n + LOOK] nearness of the root of a full heap, else -inf */
    float *products;     /* [BLOCK, STRIDE] of rows and columns, less the columns' halves */
    float *room, *spare; /* gemm's; [threads, width] */
    struct neighbours *out;
    /* the blocks at hand */
    int64_t row, rows, column, columns;
};

/* ---- heaps ---- */

static bool is_worse(struct found a, struct found b) {
    return a.nearness < b.nearness || (a.nearness == b.nearness && a.id > b.id);
}

static void sift_down(struct found *heap, int64_t n, int64_t i, struct found item) {
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && is_worse(heap[child + 1], heap[child])) {
            child++;
        }
        if (!is_worse(heap[child], item)) {
            break;
        }
        heap[i] = heap[child];
    }
    heap[i] = item;
}

static void sift_up(struct found *heap, int64_t i, struct found item) {
    for (; i > 0 && is_worse(item, heap[(i - 1) / 2]); i = (i - 1) / 2) {
        heap[i] = heap[(i - 1) / 2];
    }
    heap[i] = item;
}

/* `heap` in order, the best first. */
static void heap_sort(struct found *heap, int64_t n) {
    for (int64_t i = n / 2 - 1; i >= 0; i--) {
        sift_down(heap, n, i, heap[i]);
    }
    for (int64_t left = n - 1; left > 0; left--) {
        struct found last = heap[left];
        heap[left] = heap[0];
        sift_down(heap, left, 0, last);
    }
}

/* Candidates come in ascending order, so one that equals the worst is left out rightly. */
static void offer(struct search *s, int64_t row, int64_t id, float nearness) {
    struct found *heap = s->heaps + row * s->keep, item = { nearness, (int32_t)id };
    if (row == id) { /* a point is not its own neighbour */
        return;
    }
    if (s->counts[row] < s->keep) {
        sift_up(heap, s->counts[row]++, item);
    } else if (nearness > s->limits[row]) {
        sift_down(heap, s->keep, 0, item);
    }
    if (s->counts[row] == s->keep) {
        s->limits[row] = heap[0].nearness;
    }
}

/* ---- who may be near ---- */

/* Rows begin .. end of a block: what its columns are to them. */
static void rows_look(void *arg, int64_t begin, int64_t end) {
    struct search *s = arg;
    for (int64_t i = begin; i < end; i++) {
        int64_t row = s->row + i;
        float half = s->of->halves[row];
        for (int64_t c = 0; c < s->columns; c += LOOK) {
            const float *products = s->products + i * STRIDE + c;
            float limit = s->limits[row];
            int near = 0;
            for (int j = 0; j < LOOK; j++) {
                near |= products[j] - half > limit;
            }
            for (int j = 0; near && j < LOOK; j++) {
                if (products[j] - half > s->limits[row]) {
                    offer(s, row, s->column + c + j, products[j] - half);
                }
            }
        }
    }
}

/* Columns begin .. end of a block off the diagonal: what its rows are to them. */
static void columns_look(void *arg, int64_t begin, int64_t end) {
    struct search *s = arg;
    for (int64_t i = 0; i < s->rows; i++) {
        float half = s->of->halves[s->row + i];
        for (int64_t c = begin; c < end; c += LOOK) {
            const float *products = s->products + i * STRIDE + c;
            const float *limits = s->limits + s->column + c;
            int near = 0;
            for (int j = 0; j < LOOK; j++) {
                near |= products[j] - half > limits[j];
            }
            for (int j = 0; near && j < LOOK; j++) {
                if (products[j] - half > limits[j]) {
                    offer(s, s->column + c + j, s->row + i, products[j] - half);
                }
            }
        }
    }
}

/* Rows times columns, which are rows of the same table, less half the square of the latter. */
static void block_multiply(struct search *s) {
    int64_t width = s->of->width, each = gemm_room();
    struct tensor w = { .dtype = DTYPE_F32, .rank = 2, .shape = { s->columns, width } };
    float minus[BLOCK];
    for (int64_t j = 0; j < s->columns; j++) {
        minus[j] = -s->of->halves[s->column + j];
    }
    w.data = s->of->rows + s->column * width;
    struct gemm gemm = { .m = s->rows,
                         .n = s->columns,
                         .k = width,
                         .x = s->of->rows + s->row * width,
                         .x_stride = width,
                         .w = &w,
                         .y = s->products,
                         .y_stride = STRIDE,
                         .finish = { .bias = minus } };
    gemm_run(&gemm, s->room, each);
    for (int64_t i = 0; s->columns % LOOK && i < s->rows; i++) {
        for (int64_t j = s->columns; j % LOOK; j++) {
            s->products[i * STRIDE + j] = -INFINITY;
        }
    }
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void look_everywhere(struct search *s) {
    for (s->row = 0; s->row < s->of->n; s->row += BLOCK) {
        s->rows = least(s->of->n - s->row, BLOCK);
        for (s->column = s->row; s->column < s->of->n; s->column += BLOCK) {
            s->columns = least(s->of->n - s->column, BLOCK);
            block_multiply(s);
            pool_for(s->rows, ROWS, rows_look, s);
            if (s->column > s->row) {
                pool_for(s->columns, COLUMNS, columns_look, s);
            }
            stop_check();
        }
    }
}

/* ---- their distances ---- */

/* From the difference of the two rows: |a - b|, or |a - b|^2 / 2 = 1 - a b for length 1. */
static float distance(const struct search *s, int64_t row, int64_t id, float *spare) {
    int64_t width = s->of->width;
    if (s->by == NEIGHBOURS_COSINE && (s->of->zero[row] || s->of->zero[id])) {
        return 1;
    }
    memcpy(spare, s->of->rows + row * width, (size_t)width * sizeof *spare);
    simd()->axpy(spare, -1, s->of->rows + id * width, width);
    float square = simd()->dot(spare, spare, width);
    return s->by == NEIGHBOURS_COSINE ? square / 2 : sqrtf(square);
}

static void rows_finish(void *arg, int64_t begin, int64_t end) {
    struct search *s = arg;
    float *spare = s->spare + pool_self() * s->of->width;
    for (int64_t i = begin; i < end; i++) {
        struct found *heap = s->heaps + i * s->keep;
        for (int64_t j = 0; j < s->counts[i]; j++) {
            heap[j].nearness = -distance(s, i, heap[j].id, spare);
        }
        heap_sort(heap, s->counts[i]);
        for (int64_t j = 0; j < s->k; j++) {
            s->out->ids[i * s->k + j] = heap[j].id;
            s->out->distances[i * s->k + j] = -heap[j].nearness;
        }
    }
}

/* ---- tables ---- */

static void mean_of(const struct tensor *x, double *mean) {
    int64_t n = x->shape[0], width = x->shape[1];
    for (int64_t i = 0; i < n; i++) {
        for (int64_t f = 0; f < width; f++) {
            mean[f] += (double)x->data[i * width + f];
        }
    }
    for (int64_t f = 0; f < width; f++) {
        mean[f] /= (double)n;
    }
}

static double square_of(const float *row, const double *mean, int64_t width) {
    double square = 0;
    for (int64_t f = 0; f < width; f++) {
        double value = (double)row[f] - mean[f];
        square += value * value;
    }
    return square;
}

/* Points less `mean` (which is zeros for cosine, where they get length 1). */
static struct table *table_new(struct arena *arena, const struct tensor *x, const double *mean,
                               enum neighbours_by by) {
    struct table *table = arena_alloc(arena, sizeof *table);
    int64_t n = x->shape[0], width = x->shape[1];
    *table = (struct table){ .n = n,
                             .width = width,
                             .rows = arena_array(arena, n * width, sizeof(float)),
                             .halves = arena_array(arena, n, sizeof(float)),
                             .zero = arena_array(arena, n, sizeof(bool)) };
    for (int64_t i = 0; i < n; i++) {
        const float *row = x->data + i * width;
        double square = square_of(row, mean, width), scale = 1;
        if (by == NEIGHBOURS_COSINE) {
            table->zero[i] = square == 0;
            scale = square > 0 ? 1 / sqrt(square) : 0;
        } else {
            table->halves[i] = (float)(square / 2);
        }
        for (int64_t f = 0; f < width; f++) {
            table->rows[i * width + f] = (float)(((double)row[f] - mean[f]) * scale);
        }
    }
    return table;
}

static struct neighbours *search_run(struct arena *arena, const struct tensor *x, int64_t k,
                                     enum neighbours_by by) {
    struct neighbours *out = arena_alloc(arena, sizeof *out);
    int64_t n = x->shape[0], width = x->shape[1], threads = pool_threads();
    *out = (struct neighbours){ .n = n,
                                .k = k,
                                .ids = arena_array(arena, n * k, sizeof(int32_t)),
                                .distances = arena_array(arena, n * k, sizeof(float)) };
    struct arena_mark mark = arena_mark(arena);
    double *mean = arena_array(arena, width, sizeof *mean);
    if (by == NEIGHBOURS_EUCLIDEAN) {
        mean_of(x, mean);
    }
    struct search s = { .by = by, .k = k, .out = out };
    s.keep = least(k + k / 8 + SPARE, n - 1);
    s.of = table_new(arena, x, mean, by);
    s.heaps = arena_array(arena, n * s.keep, sizeof *s.heaps);
    s.counts = arena_array(arena, n, sizeof *s.counts);
    s.limits = arena_array(arena, n + LOOK, sizeof *s.limits);
    s.products = arena_array(arena, (int64_t)BLOCK * STRIDE, sizeof *s.products);
    s.room = arena_array(arena, threads * gemm_room(), sizeof *s.room);
    s.spare = arena_array(arena, threads * width, sizeof *s.spare);
    for (int64_t i = 0; i < n; i++) {
        s.limits[i] = -INFINITY;
    }
    look_everywhere(&s);
    pool_for(n, ROWS, rows_finish, &s);
    stop_check();
    arena_rewind(arena, mark);
    return out;
}

struct neighbours *neighbours_of(struct arena *arena, const struct tensor *x, int64_t k,
                                 enum neighbours_by by, struct err *err) {
    if (map_finite(x, "a search for neighbours", err) < 0) {
        err_pass(err);
        return NULL;
    }
    if (k < 1 || k >= x->shape[0]) {
        err_set(err, ERR_SHAPE,
                "%lld neighbours of each of %lld points are wanted; give 1 to "
                "%lld",
                (long long)k, (long long)x->shape[0], (long long)x->shape[0] - 1);
        return NULL;
    }
    return search_run(arena, x, k, by);
}
