#include "core/explain/repulsion.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/gemm.h"

typedef repulsion_quad quad;
typedef float loose __attribute__((vector_size(16), aligned(4), may_alias));

enum {
    SPLINE = 6,  /* nodes that a point is spread over, along each axis */
    MARGIN = 12, /* nodes more than the layout spans: the splines' reach on both sides */
    LEAST = 32,  /* nodes across a small layout */
    EVEN = 8,    /* nodes come in multiples of this */
    MOST = 1600, /* nodes along an axis */
    PARTS = 4,   /* of the points, each spread over a grid of its own */
    POINTS = 256 /* for a task */
};

static const double finest = 0.45; /* units from node to node, unless the layout is small */

struct repulsion {
    int64_t n;
    double *sums; /* [tasks] of w */
    float *room;  /* gemm's */
    /* of one grid, until the layout has outgrown it */
    struct arena *arena;
    int64_t nodes, modes;             /* along each axis: G; N = 2 G */
    double step;                      /* units from node to node */
    double origin[2];                 /* of node 0 */
    float *cosines, *sines;           /* [G, G / 2] of modes at nodes */
    float *cosines_back, *sines_back; /* [G / 2, G] the same, turned */
    float *folded;                    /* for the sums and differences of any axis */
    float *kernel;                    /* [G + 1]^2 the kernel's transform, by frequency */
    double constant;                  /* which the kernel is without */
    float *spread;                    /* [PARTS, G^2] */
    float *one, *other;               /* [N^2] */
    /* at hand */
    const quad *y;
    quad *force;
};

static void close_grid(void *what) {
    arena_free(((struct repulsion *)what)->arena);
}

struct repulsion *repulsion_new(struct arena *arena, int64_t n) {
    struct repulsion *r = arena_alloc(arena, sizeof *r);
    *r = (struct repulsion){ .n = n };
    r->sums = arena_array(arena, n, sizeof *r->sums);
    r->room = arena_array(arena, pool_threads() * gemm_room(), sizeof *r->room);
    arena_defer(arena, close_grid, r);
    return r;
}

static double sums_add(const struct repulsion *r, int64_t count) {
    double all = 0;
    for (int64_t i = 0; i < count; i++) {
        all += r->sums[i];
    }
    return all;
}

/* ---- exactly ---- */

static void exact_rows(void *arg, int64_t begin, int64_t end) {
    struct repulsion *r = arg;
    for (int64_t i = begin; i < end; i++) {
        double sum = 0, force[3] = { 0 };
        for (int64_t j = 0; j < r->n; j++) {
            quad by = r->y[i] - r->y[j];
            double x = (double)by[0], y = (double)by[1], z = (double)by[2];
            double w = 1 / (1 + x * x + y * y + z * z);
            sum += w;
            force[0] += w * w * x;
            force[1] += w * w * y;
            force[2] += w * w * z;
        }
        r->sums[i] = sum - 1; /* itself */
        r->force[i] = (quad){ (float)force[0], (float)force[1], (float)force[2], 0 };
    }
}

double repulsion_exact(struct repulsion *r, const quad *y, quad *force) {
    r->y = y;
    r->force = force;
    pool_for(r->n, 16, exact_rows, r);
    return sums_add(r, r->n);
}

/* ---- products ---- */

/* y [m, rows] = x [m, k] w [rows, k]^T, rows of w `stride` floats apart. */
static void multiply(struct repulsion *r, const float *x, int64_t m, float *w, int64_t stride,
                     int64_t rows, int64_t k, float *y) {
    struct tensor weights = { .dtype = DTYPE_F32, .rank = 2, .shape = { rows, k } };
    weights.data = w;
    struct gemm gemm = { .m = m,
                         .n = rows,
                         .k = k,
                         .x = x,
                         .x_stride = k,
                         .w = &weights,
                         .w_stride = stride,
                         .y = y,
                         .y_stride = rows };
    gemm_run(&gemm, r->room, gemm_room());
}

struct fold {
    const float *from;
    float *even, *odd; /* of the same array, or two */
    int64_t width;     /* floats of a whole row */
};

/* Rows of nodes: the sums of those that lie across the middle, and the differences. */
static void rows_fold(void *arg, int64_t begin, int64_t end) {
    const struct fold *f = arg;
    int64_t half = f->width / 2;
    for (int64_t i = begin; i < end; i++) {
        const float *row = f->from + i * f->width, *back = row + f->width - 1;
        float *even = f->even + i * half, *odd = f->odd + i * half;
        for (int64_t j = 0; j < half; j++) {
            even[j] = row[j] + back[-j];
            odd[j] = row[j] - back[-j];
        }
    }
}

/* The way back, of whole rows: row i and its mirror. */
static void rows_unfold(void *arg, int64_t begin, int64_t end) {
    const struct fold *f = arg;
    const float *other = f->from;
    for (int64_t i = begin; i < end; i++) {
        float *even = f->even + i * f->width, *mirror = f->odd - i * f->width;
        simd()->axpy(mirror, 1, even, f->width);
        simd()->axpy(mirror, -1, other + i * f->width, f->width);
        simd()->axpy(even, 1, other + i * f->width, f->width);
    }
}

/* The last axis of `from` [rows, G] becomes modes and the first: [N, rows] in `out`. */
static void axis_forward(struct repulsion *r, const float *from, int64_t rows, float *out) {
    int64_t nodes = r->nodes, half = nodes / 2;
    struct fold fold = { .from = from, .width = nodes };
    fold.even = r->folded;
    fold.odd = r->folded + rows * half;
    pool_for(rows, 64, rows_fold, &fold);
    multiply(r, r->cosines, nodes, fold.even, half, rows, half, out);
    multiply(r, r->sines, nodes, fold.odd, half, rows, half, out + nodes * rows);
}

/* The last axis of `from` [rows, N] becomes nodes and the first: [G, rows] in `out`. */
static void axis_backward(struct repulsion *r, float *from, int64_t rows, float *out) {
    int64_t nodes = r->nodes, half = nodes / 2;
    multiply(r, r->cosines_back, half, from, r->modes, rows, nodes, out);
    multiply(r, r->sines_back, half, from + nodes, r->modes, rows, nodes, r->folded);
    memset(out + half * rows, 0, (size_t)(half * rows) * sizeof *out);
    struct fold fold = { .from = r->folded, .width = rows };
    fold.even = out;
    fold.odd = out + (nodes - 1) * rows;
    pool_for(half, 16, rows_unfold, &fold);
}

/* ---- a grid ---- */

/* cos(2 pi i / n) for i < n. */
static double *cosines(struct arena *arena, int64_t n) {
    double *table = arena_array(arena, n, sizeof *table);
    for (int64_t i = 0; i < n; i++) {
        table[i] = cos(2 * M_PI * (double)i / (double)n);
    }
    return table;
}

/* Modes about the middle of the nodes: cosines of frequencies 0 .. G - 1, to which only what is
 * even about the middle adds, and sines of 1 .. G. `cosine` has 4 N steps a turn. */
static void modes_fill(struct repulsion *r, const double *cosine) {
    int64_t nodes = r->nodes, half = nodes / 2, turn = 4 * r->modes;
    for (int64_t m = 0; m < nodes; m++) {
        for (int64_t a = 0; a < half; a++) {
            int64_t twice = nodes - 1 - 2 * a; /* half nodes before the middle */
            /* sin(-x) = cos(x + a quarter) */
            float even = (float)cosine[2 * m * twice % turn];
            float odd = (float)cosine[(2 * (m + 1) * twice + r->modes) % turn];
            r->cosines[m * half + a] = r->cosines_back[a * nodes + m] = even;
            r->sines[m * half + a] = r->sines_back[a * nodes + m] = odd;
        }
    }
}

/* w less its value at the far corner, at distances 0 .. G along each axis: a constant has no
 * force, and would drown what is left of the kernel in a small layout. */
static void kernel_fill(struct repulsion *r, float *out) {
    int64_t side = r->nodes + 1;
    double far = 2 * (double)(r->nodes * r->nodes) * r->step * r->step;
    r->constant = 1 / (1 + far);
    for (int64_t i = 0; i < side * side; i++) {
        int64_t a = i % side, b = i / side;
        double square = (double)(a * a + b * b) * r->step * r->step;
        out[i] = (float)((far - square) / ((1 + far) * (1 + square)));
    }
}

/* The kernel's eigenvalues. It is even, so that cosines do; divided by the transform of the two
 * splines, (66 + 52 cos a + 2 cos 2 a) / 120 each, and by the modes' squared lengths. */
static void kernel_transform(struct repulsion *r, const double *cosine) {
    int64_t side = r->nodes + 1, modes = r->modes;
    float *matrix = arena_array(r->arena, side * side, sizeof *matrix);
    for (int64_t m = 0; m < side; m++) {
        double twice_as_fast = cosine[8 * m % (4 * modes)];
        double spline = (66 + 52 * cosine[4 * m] + 2 * twice_as_fast) / 120;
        double factor = (m == 0 || m == r->nodes ? 1 : 2) / ((double)modes * spline * spline);
        for (int64_t a = 0; a < side; a++) {
            double twice = a == 0 || a == r->nodes ? 1 : 2; /* -a is a */
            matrix[m * side + a] = (float)(factor * twice * cosine[4 * m * a % (4 * modes)]);
        }
    }
    float *along_one = arena_array(r->arena, side * side, sizeof *along_one);
    r->kernel = arena_array(r->arena, side * side, sizeof *r->kernel);
    kernel_fill(r, r->kernel);
    multiply(r, matrix, side, r->kernel, side, side, side, along_one);
    multiply(r, matrix, side, along_one, side, side, side, r->kernel);
}

static void grid_build(struct repulsion *r, double span) {
    arena_free(r->arena);
    r->arena = arena_new();
    span *= 1.1; /* it will grow */
    r->step = fmin(finest, span / LEAST);
    r->step = fmax(r->step, span / (double)(MOST - MARGIN));
    r->nodes = ((int64_t)(span / r->step) + MARGIN + EVEN - 1) / EVEN * EVEN;
    r->modes = 2 * r->nodes;
    float **matrices[] = { &r->cosines, &r->sines, &r->cosines_back, &r->sines_back };
    for (int i = 0; i < 4; i++) {
        *matrices[i] = arena_array(r->arena, r->nodes * r->nodes / 2, sizeof(float));
    }
    int64_t grid = r->nodes * r->nodes, all = r->modes * r->modes;
    r->folded = arena_array(r->arena, all / 2, sizeof *r->folded);
    r->spread = arena_array(r->arena, PARTS * grid, sizeof *r->spread);
    r->one = arena_array(r->arena, all, sizeof *r->one);
    r->other = arena_array(r->arena, all, sizeof *r->other);
    double *cosine = cosines(r->arena, 4 * r->modes);
    modes_fill(r, cosine);
    kernel_transform(r, cosine);
}

/* Lays the grid over the layout; makes another where it does not fit. */
static void grid_place(struct repulsion *r) {
    quad low = r->y[0], high = r->y[0];
    double span = 1e-30;
    for (int64_t i = 1; i < r->n; i++) {
        for (int d = 0; d < 2; d++) {
            low[d] = r->y[i][d] < low[d] ? r->y[i][d] : low[d];
            high[d] = r->y[i][d] > high[d] ? r->y[i][d] : high[d];
        }
    }
    for (int d = 0; d < 2; d++) {
        span = fmax(span, (double)high[d] - (double)low[d]);
        span = fmax(span, 1e-6 * fabs((double)high[d])); /* what a float can tell apart */
    }
    double covered = (double)(r->nodes - MARGIN) * r->step;
    if (!r->arena || span > covered || span < covered / 1.3) {
        grid_build(r, span);
    }
    for (int d = 0; d < 2; d++) {
        double middle = ((double)low[d] + (double)high[d]) / 2;
        r->origin[d] = middle - (double)(r->nodes - 1) / 2 * r->step;
    }
}

/* ---- points and nodes ---- */

/* Six rows of nodes that a point touches, eight nodes of each; the splines' values and
 * derivatives over the rows, and along them (two more are 0). */
struct stencil {
    int64_t at; /* the first node */
    float weight[SPLINE], slope[SPLINE];
    quad last[2], last_slope[2];
};

/* The splines' values and derivatives at t = 0..1 beyond a node, for both axes together: from
 * those of two nodes up, each order from the one before (de Boor's recursion); the derivatives
 * are differences of the order before the last. */
static void splines(quad t, quad value[SPLINE], quad slope[SPLINE]) {
    value[0] = 1 - t;
    value[1] = t;
    for (int order = 3; order <= SPLINE; order++) {
        float by = 1.0F / (float)(order - 1);
        if (order == SPLINE) {
            slope[0] = -value[0];
            for (int j = 1; j < SPLINE - 1; j++) {
                slope[j] = value[j - 1] - value[j];
            }
            slope[SPLINE - 1] = value[SPLINE - 2];
        }
        value[order - 1] = by * t * value[order - 2];
        for (int j = order - 2; j > 0; j--) {
            quad rising = t + (float)(order - 1 - j), falling = (float)(j + 1) - t;
            value[j] = by * (rising * value[j - 1] + falling * value[j]);
        }
        value[0] *= by * (1 - t);
    }
}

static void stencil_set(const struct repulsion *r, quad y, struct stencil *s) {
    quad t = { 0 }, value[SPLINE], slope[SPLINE];
    int64_t at[2];
    for (int d = 0; d < 2; d++) {
        double place = ((double)y[d] - r->origin[d]) / r->step;
        at[d] = (int64_t)place - (SPLINE / 2 - 1);
        t[d] = (float)(place - (double)(int64_t)place);
    }
    splines(t, value, slope);
    s->at = at[0] * r->nodes + at[1];
    s->last[1] = s->last_slope[1] = (quad){ 0 };
    for (int j = 0; j < SPLINE; j++) {
        s->weight[j] = value[j][0];
        s->slope[j] = slope[j][0];
        s->last[j / 4][j % 4] = value[j][1];
        s->last_slope[j / 4][j % 4] = slope[j][1];
    }
}

static void parts_spread(void *arg, int64_t begin, int64_t end) {
    struct repulsion *r = arg;
    int64_t all = r->nodes * r->nodes;
    struct stencil s;
    for (int64_t part = begin; part < end; part++) {
        float *grid = r->spread + part * all;
        memset(grid, 0, (size_t)all * sizeof *grid);
        for (int64_t i = r->n * part / PARTS; i < r->n * (part + 1) / PARTS; i++) {
            stencil_set(r, r->y[i], &s);
            for (int row = 0; row < SPLINE; row++) {
                loose *nodes = (loose *)(grid + s.at + row * r->nodes);
                nodes[0] += s.last[0] * s.weight[row];
                nodes[1] += s.last[1] * s.weight[row];
            }
        }
    }
}

static float sum_of(const quad a[2], const quad b[2]) {
    quad v = a[0] * b[0] + a[1] * b[1];
    return (v[0] + v[1]) + (v[2] + v[3]);
}

static void points_read(void *arg, int64_t begin, int64_t end) {
    struct repulsion *r = arg;
    struct stencil s;
    double sum = 0;
    float factor = (float)(-0.5 / r->step);
    for (int64_t i = begin; i < end; i++) {
        quad value[2] = { 0 }, slope[2] = { 0 };
        stencil_set(r, r->y[i], &s);
        for (int row = 0; row < SPLINE; row++) {
            const loose *nodes = (const loose *)(r->one + s.at + row * r->nodes);
            for (int half = 0; half < 2; half++) {
                value[half] += nodes[half] * s.weight[row];
                slope[half] += nodes[half] * s.slope[row];
            }
        }
        quad force = { sum_of(slope, s.last), sum_of(value, s.last_slope) };
        r->force[i] = force * factor;
        sum += (double)sum_of(value, s.last);
    }
    r->sums[begin / POINTS] = sum;
}

/* ---- the convolution ---- */

/* Rows of modes times the kernel. */
static void modes_scale(void *arg, int64_t begin, int64_t end) {
    struct repulsion *r = arg;
    int64_t nodes = r->nodes, modes = r->modes;
    for (int64_t i = begin; i < end; i++) {
        float *row = r->one + i * modes;
        const float *kernel = r->kernel + (i < nodes ? i : i - nodes + 1) * (nodes + 1);
        simd()->mul(row, row, kernel, nodes);
        simd()->mul(row + nodes, row + nodes, kernel + 1, nodes);
    }
}

static void parts_add(struct repulsion *r) {
    int64_t all = r->nodes * r->nodes;
    simd()->add(r->one, r->spread, r->spread + all, all);
    for (int part = 2; part < PARTS; part++) {
        simd()->add(r->one, r->one, r->spread + part * all, all);
    }
}

static void convolve(struct repulsion *r) {
    parts_add(r);
    axis_forward(r, r->one, r->nodes, r->other);
    axis_forward(r, r->other, r->modes, r->one);
    pool_for(r->modes, 16, modes_scale, r);
    axis_backward(r, r->one, r->modes, r->other);
    axis_backward(r, r->other, r->nodes, r->one);
}

double repulsion_on_grid(struct repulsion *r, const quad *y, quad *force) {
    r->y = y;
    r->force = force;
    grid_place(r);
    pool_for(PARTS, 1, parts_spread, r);
    convolve(r);
    pool_for(r->n, POINTS, points_read, r);
    double n = (double)r->n; /* the constant is among all pairs; a point's own w is 1 */
    return n * n * r->constant + sums_add(r, (r->n + POINTS - 1) / POINTS) - n;
}
