#include "core/explain/eigen.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/base/random.h"

typedef double four __attribute__((vector_size(32), aligned(8), may_alias));

enum { SWEEPS = 60, SMALL = 96, MORE = 6, RESTARTS = 30, ROWS = 32 };

/* ---- rows of numbers ---- */

/* Four sums of fours, so that none waits for the one before. */
static double dot(const double *a, const double *b, int64_t n) {
    four sums[4] = { 0 };
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int k = 0; k < 4; k++) {
            sums[k] += *(const four *)(a + i + 4 * k) * *(const four *)(b + i + 4 * k);
        }
    }
    four sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    double rest = 0;
    for (; i < n; i++) {
        rest += a[i] * b[i];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest;
}

/* y += factor x */
static void add_times(double *y, double factor, const double *x, int64_t n) {
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        *(four *)(y + i) += factor * *(const four *)(x + i);
    }
    for (; i < n; i++) {
        y[i] += factor * x[i];
    }
}

static void scale(double *y, double factor, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] *= factor;
    }
}

/* (a, b) becomes (c a + s b, c b - s a). */
static void rotate(double *a, double *b, double c, double s, int64_t n) {
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        four x = *(const four *)(a + i), y = *(const four *)(b + i);
        *(four *)(a + i) = c * x + s * y;
        *(four *)(b + i) = c * y - s * x;
    }
    for (; i < n; i++) {
        double x = a[i], y = b[i];
        a[i] = c * x + s * y;
        b[i] = c * y - s * x;
    }
}

/* ---- all ---- */

/* A = H_1 ... T ... H_1 with H = 1 - u u^T / h: `diagonal` and `beside` of T; u is left in the
 * rows of `a`, row i for the reflection of its first i numbers, and h in `h`. */
static void tridiagonal(double *a, int64_t m, double *diagonal, double *beside, double *h,
                        double *p) {
    for (int64_t i = m - 1; i > 0; i--) {
        double *u = a + i * m, length = sqrt(dot(u, u, i));
        diagonal[i] = u[i];
        beside[i] = length;
        h[i] = 0;
        if (length == 0 || i == 1) {
            beside[i] = u[i - 1];
            continue;
        }
        beside[i] = u[i - 1] > 0 ? -length : length;
        h[i] = length * length - u[i - 1] * beside[i];
        u[i - 1] -= beside[i];
        for (int64_t j = 0; j < i; j++) { /* p = A u / h, of the lower half */
            p[j] = dot(a + j * m, u, j + 1);
        }
        for (int64_t j = 1; j < i; j++) {
            add_times(p, u[j], a + j * m, j);
        }
        scale(p, 1 / h[i], i);
        add_times(p, -dot(p, u, i) / (2 * h[i]), u, i);
        for (int64_t j = 0; j < i; j++) {
            add_times(a + j * m, -u[j], p, j + 1);
            add_times(a + j * m, -p[j], u, j + 1);
        }
    }
    diagonal[0] = a[0];
}

/* The product of the reflections, turned: rows of `vectors` are what T's eigenvectors mix. */
static void reflections(const double *a, int64_t m, const double *h, double *vectors,
                        double *p) {
    memset(vectors, 0, (size_t)(m * m) * sizeof *vectors);
    for (int64_t i = 0; i < m; i++) {
        vectors[i * m + i] = 1;
    }
    for (int64_t i = 1; i < m; i++) { /* each acts on the first i of what is there */
        const double *u = a + i * m;
        if (h[i] == 0) {
            continue;
        }
        memset(p, 0, (size_t)i * sizeof *p);
        for (int64_t j = 0; j < i; j++) {
            p[j] = dot(vectors + j * m, u, i) / h[i];
        }
        for (int64_t j = 0; j < i; j++) {
            add_times(vectors + j * m, -p[j], u, i);
        }
    }
}

/* One implicit QL step on the block first .. last, rotating the rows of `vectors`. */
static void ql_step(double *diagonal, double *beside, int64_t first, int64_t last,
                    double *vectors, int64_t m) {
    double g = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first]);
    double r = hypot(g, 1), s = 1, c = 1, p = 0;
    g = diagonal[last] - diagonal[first] + beside[first] / (g + copysign(r, g));
    for (int64_t i = last - 1; i >= first; i--) {
        double f = s * beside[i], b = c * beside[i];
        beside[i + 1] = r = hypot(f, g);
        if (r == 0) { /* the block falls apart early */
            diagonal[i + 1] -= p;
            beside[last] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = diagonal[i + 1] - p;
        r = (diagonal[i] - g) * s + 2 * c * b;
        p = s * r;
        diagonal[i + 1] = g + p;
        g = c * r - b;
        rotate(vectors + (i + 1) * m, vectors + i * m, c, s, m);
    }
    diagonal[first] -= p;
    beside[first] = g;
    beside[last] = 0;
}

/* Where the block that begins at `first` ends: at a number beside that is no more. */
static int64_t block_end(const double *diagonal, const double *beside, int64_t first,
                         int64_t m) {
    int64_t last = first;
    while (last < m - 1) {
        double size = fabs(diagonal[last]) + fabs(diagonal[last + 1]);
        if (fabs(beside[last]) <= 2.2e-16 * size) {
            break;
        }
        last++;
    }
    return last;
}

static void sort_descending(double *values, double *vectors, int64_t m, double *spare) {
    for (int64_t i = 0; i < m; i++) {
        int64_t best = i;
        for (int64_t j = i + 1; j < m; j++) {
            best = values[j] > values[best] ? j : best;
        }
        double value = values[i];
        size_t bytes = (size_t)m * sizeof *vectors;
        values[i] = values[best];
        values[best] = value;
        memcpy(spare, vectors + i * m, bytes);
        memmove(vectors + i * m, vectors + best * m, bytes);
        memcpy(vectors + best * m, spare, bytes);
    }
}

void eigen_all(struct arena *arena, double *matrix, int64_t m, double *values,
               double *vectors) {
    struct arena_mark mark = arena_mark(arena);
    double *beside = arena_array(arena, m + 1, sizeof *beside);
    double *h = arena_array(arena, m, sizeof *h), *p = arena_array(arena, m, sizeof *p);
    tridiagonal(matrix, m, values, beside, h, p);
    reflections(matrix, m, h, vectors, p);
    memmove(beside, beside + 1, (size_t)m * sizeof *beside); /* beside[i]: of i and i + 1 */
    for (int64_t first = 0; first < m; first++) {
        for (int step = 0; step < SWEEPS; step++) {
            int64_t last = block_end(values, beside, first, m);
            if (last == first) {
                break;
            }
            ql_step(values, beside, first, last, vectors, m);
        }
        stop_check();
    }
    sort_descending(values, vectors, m, p);
    arena_rewind(arena, mark);
}

/* ---- the largest ---- */

struct krylov {
    const double *matrix;
    int64_t m, k, block, most;
    int64_t size;         /* vectors so far */
    double *basis;        /* [most, m] orthonormal */
    double *images;       /* [most, m] A times them */
    double *projected;    /* [most, most] basis A basis^T */
    int64_t done;         /* those before have images */
    struct random random; /* makes the vectors to begin with */
};

/* A vector of the space's own, orthogonal to those before and of length 1: made of what lies in
 * `v`; of numbers that look random where that lies in the space already. */
static void basis_add(struct krylov *s, double *v) {
    for (;;) {
        double before = sqrt(dot(v, v, s->m)), after;
        for (int twice = 0; twice < 2; twice++) {
            for (int64_t j = 0; j < s->size; j++) {
                const double *q = s->basis + j * s->m;
                add_times(v, -dot(v, q, s->m), q, s->m);
            }
        }
        after = sqrt(dot(v, v, s->m));
        if (after > 1e-10 * before && after > 0) {
            scale(v, 1 / after, s->m);
            memmove(s->basis + s->size * s->m, v, (size_t)s->m * sizeof *v);
            s->size++;
            return;
        }
        for (int64_t i = 0; i < s->m; i++) {
            v[i] = random_normal(&s->random);
        }
    }
}

static void rows_multiply(void *arg, int64_t begin, int64_t end) {
    struct krylov *s = arg;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t j = s->done; j < s->size; j++) {
            s->images[j * s->m + i] = dot(s->matrix + i * s->m, s->basis + j * s->m, s->m);
        }
    }
}

/* Images of the new vectors, and their part of the projected matrix. */
static void images_add(struct krylov *s) {
    pool_for(s->m, ROWS, rows_multiply, s);
    stop_check();
    for (int64_t j = s->done; j < s->size; j++) {
        for (int64_t i = 0; i <= j; i++) {
            s->projected[j * s->most + i] =
                dot(s->basis + i * s->m, s->images + j * s->m, s->m);
        }
    }
    s->done = s->size;
}

/* sum_j weights[j] rows[j] */
static void mix(const struct krylov *s, const double *weights, const double *rows,
                double *out) {
    memset(out, 0, (size_t)s->m * sizeof *out);
    for (int64_t j = 0; j < s->size; j++) {
        add_times(out, weights[j], rows + j * s->m, s->m);
    }
}

/* The best that the space has: `count` values and vectors; returns the largest residual of the
 * first k, as a share of the largest value. */
static double ritz(struct arena *arena, struct krylov *s, int64_t count, double *values,
                   double *vectors) {
    struct arena_mark mark = arena_mark(arena);
    double *small = arena_array(arena, s->size * s->size, sizeof *small);
    double *mixes = arena_array(arena, s->size * s->size, sizeof *mixes);
    double *all = arena_array(arena, s->size, sizeof *all);
    double *image = arena_array(arena, s->m, sizeof *image), worst = 0;
    for (int64_t i = 0; i < s->size; i++) {
        memcpy(small + i * s->size, s->projected + i * s->most,
               (size_t)(i + 1) * sizeof *small);
    }
    eigen_all(arena, small, s->size, all, mixes);
    for (int64_t i = 0; i < count; i++) {
        double *v = vectors + i * s->m;
        mix(s, mixes + i * s->size, s->basis, v);
        mix(s, mixes + i * s->size, s->images, image);
        add_times(image, -all[i], v, s->m);
        values[i] = all[i];
        worst = i < s->k ? fmax(worst, sqrt(dot(image, image, s->m))) : worst;
    }
    double largest = fabs(all[0]);
    arena_rewind(arena, mark);
    return largest > 0 ? worst / largest : 0;
}

/* Begins with `count` vectors. */
static void krylov_begin(struct krylov *s, double *vectors, int64_t count) {
    s->size = s->done = 0;
    for (int64_t i = 0; i < count; i++) {
        basis_add(s, vectors + i * s->m);
    }
    images_add(s);
}

/* Grows by the images of the last vectors until it is full, or good enough. */
static double krylov_grow(struct arena *arena, struct krylov *s, double *values,
                          double *vectors) {
    double *v = arena_array(arena, s->m, sizeof *v), residual = 1;
    int64_t look = 4 * s->block; /* the size at which the values are looked at */
    while (s->size < s->most && residual > 1e-10) {
        int64_t from = s->size - s->block, upto = s->size;
        for (int64_t j = from; j < upto && s->size < s->most; j++) {
            memcpy(v, s->images + j * s->m, (size_t)s->m * sizeof *v);
            basis_add(s, v);
        }
        images_add(s);
        if (s->size >= look || s->size == s->most) {
            residual = ritz(arena, s, s->block, values, vectors);
            look = s->size + s->size / 4;
        }
    }
    return residual;
}

void eigen_top(struct arena *arena, double *matrix, int64_t m, int64_t k, double *values,
               double *vectors) {
    struct arena_mark mark = arena_mark(arena);
    if (m <= SMALL || k > m / 8) {
        double *all = arena_array(arena, m, sizeof *all);
        double *rows = arena_array(arena, m * m, sizeof *rows);
        eigen_all(arena, matrix, m, all, rows);
        memcpy(values, all, (size_t)k * sizeof *values);
        memcpy(vectors, rows, (size_t)(k * m) * sizeof *vectors);
        arena_rewind(arena, mark);
        return;
    }
    struct krylov s = {
        .matrix = matrix, .m = m, .k = k, .block = k + MORE, .random = random_new(1)
    };
    s.most = 12 * s.block + 128 < m ? 12 * s.block + 128 : m;
    s.basis = arena_array(arena, s.most * m, sizeof *s.basis);
    s.images = arena_array(arena, s.most * m, sizeof *s.images);
    s.projected = arena_array(arena, s.most * s.most, sizeof *s.projected);
    double *found = arena_array(arena, s.block, sizeof *found);
    double *best = arena_array(arena, s.block * m, sizeof *best);
    for (int restart = 0; restart < RESTARTS; restart++) { /* first from zeros: random ones */
        krylov_begin(&s, best, s.block);
        if (krylov_grow(arena, &s, found, best) <= 1e-10 || s.most == m) {
            break;
        }
    }
    memcpy(values, found, (size_t)k * sizeof *values);
    memcpy(vectors, best, (size_t)(k * m) * sizeof *vectors);
    arena_rewind(arena, mark);
}
