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
    MOST_2D = 1600,
    MOST_3D = 128,
    PARTS = 4,   /* of the points, each spread over a grid of its own */
    POINTS = 256 /* for a task */
};

static const double step_2d = 0.35, step_3d = 0.5; /* units */

struct repulsion {
    int64_t n;
    int dims;
    double *sums; /* [tasks] of w */
    float *room;  /* gemm's */
    /* of one grid, until the layout has outgrown it */
    struct arena *arena;
    int64_t nodes, modes;             /* along each axis: G; N = 2 G */
    int64_t grid;                     /* G^dims */
    double step;                      /* units from node to node */
    double origin[3];                 /* of node 0 */
    float *cosines, *sines;           /* [G, G / 2] of modes at nodes */
    float *cosines_back, *sines_back; /* [G / 2, G] the same, turned */
    float *folded;                    /* for the sums and differences of any axis */
    float *kernel;                    /* [G + 1]^dims the kernel's transform, by frequency */
    double constant;                  /* which the kernel is without */
    float *spread;                    /* [PARTS, G^dims] */
    float *one, *other;               /* [N^dims] */
    /* at hand */
    const quad *y;
    quad *force;
    const float *potential;
};

static void close_grid(void *what) {
    arena_free(((struct repulsion *)what)->arena);
}

struct repulsion *repulsion_new(struct arena *arena, int64_t n, int dims) {
    struct repulsion *r = arena_alloc(arena, sizeof *r);
    *r = (struct repulsion){ .n = n, .dims = dims };
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

static int64_t power(int64_t base, int exponent) {
    return exponent == 2 ? base * base : base * base * base;
}

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
    int64_t side = r->nodes + 1, all = power(side, r->dims);
    double far = (double)(r->dims * r->nodes * r->nodes) * r->step * r->step;
    r->constant = 1 / (1 + far);
    for (int64_t i = 0; i < all; i++) {
        int64_t a = i % side, b = i / side % side, c = i / side / side;
        double square = (double)(a * a + b * b + c * c) * r->step * r->step;
        out[i] = (float)((far - square) / ((1 + far) * (1 + square)));
    }
}

/* The kernel's eigenvalues. It is even, so that cosines do; divided by the transform of the two
 * splines, (66 + 52 cos a + 2 cos 2 a) / 120 each, and by the modes' squared lengths. */
static void kernel_transform(struct repulsion *r, const double *cosine) {
    int64_t side = r->nodes + 1, modes = r->modes, all = power(side, r->dims);
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
    float *spare = arena_array(r->arena, all, sizeof *spare);
    r->kernel = arena_array(r->arena, all, sizeof *r->kernel);
    kernel_fill(r, r->kernel);
    for (int axis = 0; axis < r->dims; axis++) {
        multiply(r, matrix, side, r->kernel, side, all / side, side, spare);
        float *swap = r->kernel;
        r->kernel = spare;
        spare = swap;
    }
}

static void grid_build(struct repulsion *r, double span) {
    int64_t most = r->dims == 2 ? MOST_2D : MOST_3D;
    arena_free(r->arena);
    r->arena = arena_new();
    span *= 1.1; /* it will grow */
    r->step = fmin(r->dims == 2 ? step_2d : step_3d, span / LEAST);
    r->step = fmax(r->step, span / (double)(most - MARGIN));
    r->nodes = ((int64_t)(span / r->step) + MARGIN + EVEN - 1) / EVEN * EVEN;
    r->modes = 2 * r->nodes;
    r->grid = power(r->nodes, r->dims);
    float **matrices[] = { &r->cosines, &r->sines, &r->cosines_back, &r->sines_back };
    for (int i = 0; i < 4; i++) {
        *matrices[i] = arena_array(r->arena, r->nodes * r->nodes / 2, sizeof(float));
    }
    r->folded = arena_array(r->arena, power(r->modes, r->dims) / 2, sizeof *r->folded);
    r->spread = arena_array(r->arena, PARTS * r->grid, sizeof *r->spread);
    r->one = arena_array(r->arena, power(r->modes, r->dims), sizeof *r->one);
    r->other = arena_array(r->arena, power(r->modes, r->dims), sizeof *r->other);
    double *cosine = cosines(r->arena, 4 * r->modes);
    modes_fill(r, cosine);
    kernel_transform(r, cosine);
}

/* Lays the grid over the layout; makes another where it does not fit. */
static void grid_place(struct repulsion *r) {
    quad low = r->y[0], high = r->y[0];
    double span = 1e-30;
    for (int64_t i = 1; i < r->n; i++) {
        for (int d = 0; d < 3; d++) {
            low[d] = r->y[i][d] < low[d] ? r->y[i][d] : low[d];
            high[d] = r->y[i][d] > high[d] ? r->y[i][d] : high[d];
        }
    }
    for (int d = 0; d < r->dims; d++) {
        span = fmax(span, (double)high[d] - (double)low[d]);
        span = fmax(span, 1e-6 * fabs((double)high[d])); /* what a float can tell apart */
    }
    double covered = (double)(r->nodes - MARGIN) * r->step;
    if (!r->arena || span > covered || span < covered / 1.3) {
        grid_build(r, span);
    }
    for (int d = 0; d < r->dims; d++) {
        double middle = ((double)low[d] + (double)high[d]) / 2;
        r->origin[d] = middle - (double)(r->nodes - 1) / 2 * r->step;
    }
}

/* ---- points and nodes ---- */

/* The rows of nodes that a point touches (6, in 3-D 36), eight nodes of each; the splines'
 * values along the last axis (two more are 0), and over the others their product, and that with
 * the derivative along one of them. */
struct stencil {
    int rows;
    int64_t at[SPLINE * SPLINE];
    float weight[SPLINE * SPLINE], slope[2][SPLINE * SPLINE];
    quad last[2], last_slope[2];
};

/* The splines' values and derivatives at t = 0..1 beyond a node, for all axes together: from
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
    int64_t at[3] = { 0 };
    int last = r->dims - 1;
    for (int d = 0; d < r->dims; d++) {
        double place = ((double)y[d] - r->origin[d]) / r->step;
        at[d] = (int64_t)place - (SPLINE / 2 - 1);
        t[d] = (float)(place - (double)(int64_t)place);
    }
    splines(t, value, slope);
    s->rows = r->dims == 2 ? SPLINE : SPLINE * SPLINE;
    for (int i = 0; i < s->rows; i++) {
        bool flat = r->dims == 2;
        int a = flat ? i : i / SPLINE, b = i % SPLINE;
        int64_t row = flat ? at[0] + a : (at[0] + a) * r->nodes + at[1] + b;
        s->at[i] = row * r->nodes + at[last];
        s->weight[i] = flat ? value[a][0] : value[a][0] * value[b][1];
        s->slope[0][i] = flat ? slope[a][0] : slope[a][0] * value[b][1];
        s->slope[1][i] = flat ? 0 : value[a][0] * slope[b][1];
    }
    s->last[1] = s->last_slope[1] = (quad){ 0 };
    for (int j = 0; j < SPLINE; j++) {
        s->last[j / 4][j % 4] = value[j][last];
        s->last_slope[j / 4][j % 4] = slope[j][last];
    }
}

static void parts_spread(void *arg, int64_t begin, int64_t end) {
    struct repulsion *r = arg;
    struct stencil s;
    for (int64_t part = begin; part < end; part++) {
        float *grid = r->spread + part * r->grid;
        memset(grid, 0, (size_t)r->grid * sizeof *grid);
        for (int64_t i = r->n * part / PARTS; i < r->n * (part + 1) / PARTS; i++) {
            stencil_set(r, r->y[i], &s);
            for (int row = 0; row < s.rows; row++) {
                loose *nodes = (loose *)(grid + s.at[row]);
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
        quad value[2] = { 0 }, slope0[2] = { 0 }, slope1[2] = { 0 };
        stencil_set(r, r->y[i], &s);
        for (int row = 0; row < s.rows; row++) {
            const loose *nodes = (const loose *)(r->potential + s.at[row]);
            for (int half = 0; half < 2; half++) {
                value[half] += nodes[half] * s.weight[row];
                slope0[half] += nodes[half] * s.slope[0][row];
                slope1[half] += nodes[half] * s.slope[1][row];
            }
        }
        quad force = { sum_of(slope0, s.last), sum_of(slope1, s.last) };
        force[r->dims - 1] = sum_of(value, s.last_slope);
        r->force[i] = force * factor;
        sum += (double)sum_of(value, s.last);
    }
    r->sums[begin / POINTS] = sum;
}

/* ---- the convolution ---- */

/* Modes of one or, in 3-D, two axes times the kernel. */
static void modes_scale(void *arg, int64_t begin, int64_t end) {
    struct repulsion *r = arg;
    int64_t nodes = r->nodes, modes = r->modes, side = nodes + 1;
    for (int64_t i = begin; i < end; i++) {
        float *row = r->one + i * modes;
        int64_t a = i % modes, b = i / modes; /* b is 0 in 2-D */
        a = a < nodes ? a : a - nodes + 1;
        b = b < nodes ? b : b - nodes + 1;
        const float *kernel = r->kernel + (b * side + a) * side;
        simd()->mul(row, row, kernel, nodes);
        simd()->mul(row + nodes, row + nodes, kernel + 1, nodes);
    }
}

static void parts_add(struct repulsion *r) {
    simd()->add(r->one, r->spread, r->spread + r->grid, r->grid);
    for (int part = 2; part < PARTS; part++) {
        simd()->add(r->one, r->one, r->spread + part * r->grid, r->grid);
    }
}

static void swap_arrays(struct repulsion *r) {
    float *swap = r->one;
    r->one = r->other;
    r->other = swap;
}

static void convolve(struct repulsion *r) {
    int64_t all = r->grid; /* numbers in r->one */
    parts_add(r);
    for (int axis = 0; axis < r->dims; axis++) {
        axis_forward(r, r->one, all / r->nodes, r->other);
        swap_arrays(r);
        all *= 2;
    }
    pool_for(all / r->modes, 16, modes_scale, r);
    for (int axis = 0; axis < r->dims; axis++) {
        axis_backward(r, r->one, all / r->modes, r->other);
        swap_arrays(r);
        all /= 2;
    }
    r->potential = r->one;
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
