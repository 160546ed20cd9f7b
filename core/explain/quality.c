#include "core/explain/quality.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/tensor/gemm.h"

/* A point's nearness to another is -|a - b|^2 / 2 but for what is the same for all others. */

enum { BLOCK = 64, LOOK = 16, ROWS_USUAL = 2000 };

/* What one row has lost. */
struct loss {
    int64_t kept, trust, continuity;
};

struct measure {
    const struct tensor *y;
    int64_t n, width, padded, k;
    float *rows, *minus; /* [n, width] centred, [n] -|row|^2 / 2 */
    float *asked;        /* [BLOCK, width] */
    int64_t *which;      /* [BLOCK] the points whose rows they are */
    float *data, *map;   /* [BLOCK, padded], [threads, padded] nearness */
    int64_t *near;       /* [threads, 2 k] */
    float *room;
    struct loss *losses; /* [BLOCK] */
};

/* The k nearest by `nearness`, by insertion. */
static void nearest(const float *nearness, int64_t n, int64_t k, int64_t *near) {
    int64_t count = 0;
    for (int64_t j = 0; j < n; j++) {
        if (count == k && !(nearness[j] > nearness[near[k - 1]])) {
            continue;
        }
        int64_t at = count < k ? count++ : k - 1;
        for (; at > 0 && nearness[j] > nearness[near[at - 1]]; at--) {
            near[at] = near[at - 1];
        }
        near[at] = j;
    }
}

/* How many come before point j: rank - 1. Those that are as near do by their number. */
static int64_t before(const float *nearness, int64_t padded, int64_t j) {
    int64_t count = 0;
    for (int64_t c = 0; c < padded; c += LOOK) {
        int nearer = 0;
        for (int l = 0; l < LOOK; l++) {
            nearer += nearness[c + l] > nearness[j];
        }
        count += nearer;
    }
    for (int64_t l = 0; l < j; l++) {
        count += nearness[l] == nearness[j];
    }
    return count;
}

static void map_nearness(const struct measure *m, int64_t point, float *out) {
    int64_t dims = m->y->shape[1];
    const float *y = m->y->data, *here = y + point * dims;
    for (int64_t j = 0; j < m->n; j++) {
        float square = 0;
        for (int64_t d = 0; d < dims; d++) {
            float by = y[j * dims + d] - here[d];
            square += by * by;
        }
        out[j] = -square;
    }
}

static void rows_measure(void *arg, int64_t begin, int64_t end) {
    struct measure *m = arg;
    float *map = m->map + pool_self() * m->padded;
    int64_t *in_data = m->near + pool_self() * 2 * m->k, *in_map = in_data + m->k;
    for (int64_t i = begin; i < end; i++) {
        float *data = m->data + i * m->padded;
        struct loss loss = { 0 };
        map_nearness(m, m->which[i], map);
        data[m->which[i]] = map[m->which[i]] = -INFINITY;
        nearest(data, m->n, m->k, in_data);
        nearest(map, m->n, m->k, in_map);
        for (int64_t j = 0; j < m->k; j++) {
            int64_t rank = before(data, m->padded, in_map[j]) + 1;
            int64_t other = before(map, m->padded, in_data[j]) + 1;
            loss.kept += rank <= m->k;
            loss.trust += rank > m->k ? rank - m->k : 0;
            loss.continuity += other > m->k ? other - m->k : 0;
        }
        m->losses[i] = loss;
    }
}

static void block_multiply(struct measure *m, int64_t rows) {
    struct tensor w = { .dtype = DTYPE_F32, .rank = 2, .shape = { m->n, m->width } };
    w.data = m->rows;
    for (int64_t i = 0; i < rows; i++) {
        memcpy(m->asked + i * m->width, m->rows + m->which[i] * m->width,
               (size_t)m->width * sizeof(float));
    }
    struct gemm gemm = { .m = rows,
                         .n = m->n,
                         .k = m->width,
                         .x = m->asked,
                         .x_stride = m->width,
                         .w = &w,
                         .y = m->data,
                         .y_stride = m->padded,
                         .finish = { .bias = m->minus } };
    gemm_run(&gemm, m->room, gemm_room());
}

/* Centred, so that products of numbers far from zero do not drown the differences. An
 * interrupt, which rows_run finds, leaves points out. */
static void centre(struct measure *m, const struct tensor *x, double *mean) {
    for (int64_t i = 0; i < m->n && !stop_wanted(); i++) {
        for (int64_t f = 0; f < m->width; f++) {
            mean[f] += (double)x->data[i * m->width + f] / (double)m->n;
        }
    }
    for (int64_t i = 0; i < m->n && !stop_wanted(); i++) {
        double square = 0;
        for (int64_t f = 0; f < m->width; f++) {
            double value = (double)x->data[i * m->width + f] - mean[f];
            m->rows[i * m->width + f] = (float)value;
            square += value * value;
        }
        m->minus[i] = (float)(-square / 2);
    }
}

static void measure_new(struct measure *m, struct arena *arena, const struct tensor *x) {
    int64_t threads = pool_threads();
    m->padded = (m->n + LOOK - 1) / LOOK * LOOK;
    m->rows = arena_array(arena, m->n * m->width, sizeof *m->rows);
    m->minus = arena_array(arena, m->n, sizeof *m->minus);
    m->asked = arena_array(arena, BLOCK * m->width, sizeof *m->asked);
    m->which = arena_array(arena, BLOCK, sizeof *m->which);
    m->data = arena_array(arena, BLOCK * m->padded, sizeof *m->data);
    m->map = arena_array(arena, threads * m->padded, sizeof *m->map);
    m->near = arena_array(arena, threads * 2 * m->k, sizeof *m->near);
    m->room = arena_array(arena, threads * gemm_room(), sizeof *m->room);
    m->losses = arena_array(arena, BLOCK, sizeof *m->losses);
    for (int64_t j = m->n; j < m->padded; j++) {
        for (int64_t i = 0; i < BLOCK; i++) {
            m->data[i * m->padded + j] = -INFINITY;
        }
        for (int64_t i = 0; i < threads; i++) {
            m->map[i * m->padded + j] = -INFINITY;
        }
    }
    centre(m, x, arena_array(arena, m->width, sizeof(double)));
}

/* Sums over `rows` points; -1 where the user interrupts. */
static int rows_run(struct measure *m, int64_t rows, struct loss *all) {
    for (int64_t begin = 0; begin < rows; begin += BLOCK) {
        int64_t count = rows - begin < BLOCK ? rows - begin : BLOCK;
        for (int64_t i = 0; i < count; i++) {
            m->which[i] = (begin + i) * m->n / rows;
        }
        block_multiply(m, count);
        pool_for(count, 1, rows_measure, m);
        if (stop_wanted()) {
            return -1;
        }
        for (int64_t i = 0; i < count; i++) {
            all->kept += m->losses[i].kept;
            all->trust += m->losses[i].trust;
            all->continuity += m->losses[i].continuity;
        }
    }
    return 0;
}

int quality_measure(struct quality *quality, struct arena *arena, const struct tensor *x,
                    const struct tensor *y, int64_t k, int64_t rows, struct err *err) {
    if (map_check(x, 4, "the quality of a map", err) < 0 ||
        map_finite(y, "the quality of a map", err) < 0) {
        return err_pass(err);
    }
    int64_t n = x->shape[0], most = (n - 1) / 2;
    if (y->shape[0] != n || k < 1 || rows < 0) {
        return err_set(err, ERR_SHAPE,
                       "the quality of a map of %lld points is wanted for data of %lld, with "
                       "%lld neighbours",
                       (long long)y->shape[0], (long long)n, (long long)k);
    }
    struct measure m = { .y = y, .n = n, .width = x->shape[1], .k = k < most ? k : most };
    struct arena_mark mark = arena_mark(arena);
    rows = rows == 0 ? ROWS_USUAL : rows;
    rows = rows < n ? rows : n;
    measure_new(&m, arena, x);
    struct loss loss = { 0 };
    if (rows_run(&m, rows, &loss) < 0) {
        arena_rewind(arena, mark);
        return err_set(err, ERR_STOP, "interrupted");
    }
    double pairs = (double)rows * (double)m.k;
    double most_lost = pairs * (double)(2 * n - 3 * m.k - 1) / 2;
    *quality = (struct quality){ .k = m.k,
                                 .rows = rows,
                                 .kept = (double)loss.kept / pairs,
                                 .trustworthiness = 1 - (double)loss.trust / most_lost,
                                 .continuity = 1 - (double)loss.continuity / most_lost };
    arena_rewind(arena, mark);
    return 0;
}
