#include "core/explain/neighbours.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/explain/map.h"
#include "core/tensor/gemm.h"
#include "core/tensor/sieve.h"

/* Nearness of points a and b is -|a - b|^2 / 2 = a b - |a|^2 / 2 - |b|^2 / 2, of points about
 * their mean, or of length 1 (cosine). */

enum {
    BLOCK = 960, /* rows multiplied with rows: 4 MB of products, which a cache holds */
    STRIDE = BLOCK + 16,
    PANELS = BLOCK / SIEVE_PANEL,
    TILES = BLOCK / SIEVE_TILE,
    ROWS = 16,    /* for a task */
    COLUMNS = 64, /* for a task */
    LOOK = 16,    /* products that are looked at together; those past the end are NaN */
    COARSE = 3    /* bytes are not worth it where one in so many pairs passes */
};

/* The points as they are multiplied, all by 2^-exponent, so that no square overflows. */
struct table {
    int64_t n, width;
    int exponent;
    float *rows;   /* [n, width] */
    float *halves; /* [n] |row|^2 / 2, less what sums may round; 1/2 for cosine */
    bool *zero;    /* [n], cosine: a vector that has no direction */
};

struct found {
    float nearness;
    int32_t id;
};

/* The best k of each row so far: a heap whose root is the worst. */
struct search {
    const struct table *of;
    int64_t k;
    enum neighbours_by by;
    struct found *heaps; /* [of->n, k] */
    int64_t *counts;     /* [of->n] */
    float *limits;       /* [of->n and some] nearness of the root of a full heap, else -inf */
    float *products;     /* [BLOCK, STRIDE] of rows and columns, less the columns' halves */
    float *room;         /* gemm's */
    struct neighbours *out;
    /* by bytes; NULL where there are none */
    struct sieve *sieve;
    uint32_t *to_rows, *to_columns; /* [BLOCK, PANELS] */
    int64_t *passed;                /* [TILES] */
    /* the blocks at hand */
    int64_t row, rows, column, columns;
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

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

/* From the difference of the two rows, so that a copy is at distance 0. */
static float nearness_of(const struct search *s, int64_t row, int64_t id) {
    const struct table *t = s->of;
    if (s->by == NEIGHBOURS_COSINE && (t->zero[row] || t->zero[id])) {
        return -1;
    }
    return -simd()->apart(t->rows + row * t->width, t->rows + id * t->width, t->width) / 2;
}

/* Which k are kept is the same in whatever order they come. */
static void offer(struct search *s, int64_t row, int64_t id) {
    struct found *heap = s->heaps + row * s->k;
    bool full = s->counts[row] == s->k;
    if (row == id || (full && heap[0].nearness >= 0 && id > heap[0].id)) {
        return; /* the point itself, or at best one more copy of it */
    }
    struct found item = { nearness_of(s, row, id), (int32_t)id };
    if (!full) {
        sift_up(heap, s->counts[row]++, item);
    } else if (is_worse(heap[0], item)) {
        sift_down(heap, s->k, 0, item);
    }
    if (s->counts[row] == s->k) {
        s->limits[row] = heap[0].nearness;
    }
}

/* ---- who may be near, by floats ---- */

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
                near |= products[j] - half >= limit;
            }
            for (int j = 0; near && j < LOOK; j++) {
                if (products[j] - half >= s->limits[row]) {
                    offer(s, row, s->column + c + j);
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
                near |= products[j] - half >= limits[j];
            }
            for (int j = 0; near && j < LOOK; j++) {
                if (products[j] - half >= limits[j]) {
                    offer(s, s->column + c + j, s->row + i);
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
            s->products[i * STRIDE + j] = NAN;
        }
    }
}

static void look_by_floats(struct search *s) {
    block_multiply(s);
    pool_for(s->rows, ROWS, rows_look, s);
    if (s->column > s->row) {
        pool_for(s->columns, COLUMNS, columns_look, s);
    }
}

/* ---- who may be near, by bytes ---- */

static void offer_rows(struct search *s, int64_t begin, int64_t end, int64_t panels) {
    for (int64_t i = begin * panels; i < end * panels; i++) {
        int64_t column = s->column + i % panels * SIEVE_PANEL;
        for (uint32_t bits = s->to_rows[i]; bits; bits &= bits - 1) {
            offer(s, s->row + i / panels, column + __builtin_ctz(bits));
        }
    }
}

/* Tiles begin .. end of a block: which of its pairs pass, and what that is to the rows. */
static void tiles_sift(void *arg, int64_t begin, int64_t end) {
    struct search *s = arg;
    int64_t panels = (s->columns + SIEVE_PANEL - 1) / SIEVE_PANEL;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i * SIEVE_TILE, count = least(s->rows - first, SIEVE_TILE);
        struct sieve_look look = { .row = s->row + first,
                                   .count = count,
                                   .column = s->column,
                                   .panels = panels,
                                   .limits = s->limits,
                                   .to_rows = s->to_rows + first * panels,
                                   .to_columns = s->to_columns + first * panels };
        s->passed[i] = sieve_look(s->sieve, &look);
        offer_rows(s, first, first + count, panels);
    }
}

/* Panels begin .. end of its columns: what the pairs are to those. */
static void panels_offer(void *arg, int64_t begin, int64_t end) {
    struct search *s = arg;
    int64_t panels = (s->columns + SIEVE_PANEL - 1) / SIEVE_PANEL;
    for (int64_t i = 0; i < s->rows; i++) {
        for (int64_t p = begin; p < end; p++) {
            int64_t column = s->column + p * SIEVE_PANEL;
            for (uint32_t bits = s->to_columns[i * panels + p]; bits; bits &= bits - 1) {
                offer(s, column + __builtin_ctz(bits), s->row + i);
            }
        }
    }
}

/* Whether so few pairs pass that the next block shall be sifted too. */
static bool look_by_bytes(struct search *s) {
    int64_t tiles = (s->rows + SIEVE_TILE - 1) / SIEVE_TILE, passed = 0;
    pool_for(tiles, 2, tiles_sift, s);
    pool_for((s->columns + SIEVE_PANEL - 1) / SIEVE_PANEL, 2, panels_offer, s);
    for (int64_t i = 0; i < tiles; i++) {
        passed += s->passed[i];
    }
    return passed * COARSE < s->rows * s->columns;
}

static void blocks_at(struct search *s, int64_t row, int64_t column) {
    s->row = row;
    s->rows = least(s->of->n - row, BLOCK);
    s->column = column;
    s->columns = least(s->of->n - column, BLOCK);
}

/* First each block with itself, so that every point has a limit. */
static void look_everywhere(struct search *s) {
    for (int64_t row = 0; row < s->of->n; row += BLOCK) {
        blocks_at(s, row, row);
        look_by_floats(s);
        stop_check();
    }
    for (int64_t row = 0; row < s->of->n; row += BLOCK) {
        bool sift = s->sieve != NULL;
        for (int64_t column = row + BLOCK; column < s->of->n; column += BLOCK) {
            blocks_at(s, row, column);
            if (sift) {
                sift = look_by_bytes(s);
            } else {
                look_by_floats(s);
            }
            stop_check();
        }
    }
}

static float distance(const struct search *s, float nearness) {
    return s->by == NEIGHBOURS_COSINE ? -nearness
                                      : ldexpf(sqrtf(-2 * nearness), s->of->exponent);
}

/* Sorted by distance, as roots of different squares may be equal. */
static void rows_finish(void *arg, int64_t begin, int64_t end) {
    struct search *s = arg;
    for (int64_t i = begin; i < end; i++) {
        struct found *heap = s->heaps + i * s->k;
        for (int64_t j = 0; j < s->k; j++) {
            heap[j].nearness = -distance(s, heap[j].nearness);
        }
        heap_sort(heap, s->k);
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

/* Points less `mean` (which is zeros for cosine, where they get length 1).
 *
 * A product of floats is off by at most width 2^-24 |a| |b|, and |a - b|^2 by as much of
 * itself, which is at most 2 |a|^2 + 2 |b|^2. Halves that are smaller by four times that share
 * bound the nearness from above. */
static struct table *table_new(struct arena *arena, const struct tensor *x, const double *mean,
                               enum neighbours_by by) {
    struct table *table = arena_alloc(arena, sizeof *table);
    int64_t n = x->shape[0], width = x->shape[1];
    double share = 1 - 4 * 0x1p-24 * (double)(width + 8), most = 0;
    double *squares = arena_array(arena, n, sizeof *squares);
    *table = (struct table){ .n = n,
                             .width = width,
                             .rows = arena_array(arena, n * width, sizeof(float)),
                             .halves = arena_array(arena, n, sizeof(float)),
                             .zero = arena_array(arena, n, sizeof(bool)) };
    for (int64_t i = 0; i < n; i++) {
        squares[i] = square_of(x->data + i * width, mean, width);
        most = fmax(most, squares[i]);
    }
    frexp(sqrt(most), &table->exponent);
    for (int64_t i = 0; i < n; i++) {
        const float *row = x->data + i * width;
        double square = squares[i], scale = ldexp(1, -table->exponent);
        if (by == NEIGHBOURS_COSINE) {
            table->zero[i] = square == 0;
            scale = square > 0 ? 1 / sqrt(square) : 0;
        }
        table->halves[i] =
            (float)(share / 2 * (by == NEIGHBOURS_COSINE ? 1 : square * scale * scale));
        for (int64_t f = 0; f < width; f++) {
            table->rows[i * width + f] = (float)(((double)row[f] - mean[f]) * scale);
        }
    }
    return table;
}

static void search_room(struct arena *arena, struct search *s) {
    int64_t n = s->of->n, padded = n + SIEVE_PANEL;
    s->heaps = arena_array(arena, n * s->k, sizeof *s->heaps);
    s->counts = arena_array(arena, n, sizeof *s->counts);
    s->limits = arena_array(arena, padded, sizeof *s->limits);
    s->products = arena_array(arena, (int64_t)BLOCK * STRIDE, sizeof *s->products);
    s->room = arena_array(arena, pool_threads() * gemm_room(), sizeof *s->room);
    if (n > BLOCK) {
        s->sieve = sieve_new(arena, s->of->rows, n, s->of->width, s->of->halves);
        s->to_rows = arena_array(arena, BLOCK * PANELS, sizeof *s->to_rows);
        s->to_columns = arena_array(arena, BLOCK * PANELS, sizeof *s->to_columns);
        s->passed = arena_array(arena, TILES, sizeof *s->passed);
    }
    for (int64_t i = 0; i < padded; i++) {
        s->limits[i] = -INFINITY;
    }
}

static struct neighbours *search_run(struct arena *arena, const struct tensor *x, int64_t k,
                                     enum neighbours_by by) {
    struct neighbours *out = arena_alloc(arena, sizeof *out);
    int64_t n = x->shape[0], width = x->shape[1];
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
    s.of = table_new(arena, x, mean, by);
    search_room(arena, &s);
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
