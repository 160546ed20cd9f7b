/* simd_lanes: the text of every table in simd.h, for LANES floats at a time.
 *
 * Each simd_*.c defines, then includes this:
 *     LANES                  4, 8 or 16
 *     TILE                   rows of x that `multiply` takes at once; two vectors of sums each
 *     MULTIPLY_ADD(a, b, c)  a b + c on vectors, fused where the machine can
 *     GREATER(a, b)          the greater one, b where a is NaN; left out: by choice
 *     LOAD_PART(p, n), STORE_PART(p, v, n)
 *                            the first n < LANES floats, zeros behind; left out: one by one
 *     HALVES(p), HALF(h)     F16 to float, LANES of them and one; left out: by integers
 *     OCTETS(p)              LANES signed bytes to integers; left out: as GCC does it
 *     DOUBLES(p)             four floats to float64; left out: as GCC does it
 *     QUADS(a, b, c, d)      four times sixteen bytes as one vector; for LANES 16
 *
 * Everything is static but the table, so that no instruction of a wide set can reach a narrow
 * machine through a function that the linker shares. */

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/tensor/simd.h"

#define ALWAYS static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(LANES * 4), may_alias));
typedef int32_t ints __attribute__((vector_size(LANES * 4), may_alias));
typedef uint32_t words __attribute__((vector_size(LANES * 4), may_alias));
typedef float loose
    __attribute__((vector_size(LANES * 4), aligned(1), may_alias)); /* anywhere */
typedef float fours __attribute__((vector_size(16), aligned(1), may_alias));
typedef double four_doubles __attribute__((vector_size(32), aligned(1), may_alias));
typedef int8_t octets __attribute__((vector_size(LANES), aligned(1), may_alias));
typedef uint16_t shorts __attribute__((vector_size(LANES * 2), aligned(1), may_alias));

enum {
    COLUMNS = 2 * LANES,
    GROUPS = LANES == 16 ? 3 : 2, /* of LANES rows that `apply` takes at once: so many sums that
                                     few multiplications wait for the one before, and so few
                                     that there are registers for all */
    NARROW = 12,                  /* rows of a tile that is one vector wide */
    BLOCK = 32,
    LINE = 64 /* bytes that a cache fetches */
};

ALWAYS vec load(const void *p) {
    return (vec) * (const loose *)p;
}

ALWAYS void store(float *p, vec v) {
    *(loose *)p = (loose)v;
}

/* The first n < LANES floats at p, then zeros. */
#ifndef LOAD_PART
ALWAYS vec load_part(const float *p, int64_t n) {
    vec v = { 0 };
    for (int i = 0; i < LANES - 1; i++) {
        v[i] = i < n ? p[i] : 0.0F;
    }
    return v;
}

ALWAYS void store_part(float *p, vec v, int64_t n) {
    for (int i = 0; i < LANES - 1; i++) {
        if (i < n) {
            p[i] = v[i];
        }
    }
}
#define LOAD_PART(p, n)     load_part(p, n)
#define STORE_PART(p, v, n) store_part(p, v, n)
#endif

/* A vector where fewer than LANES may be left. */
ALWAYS vec load_some(const float *p, int64_t left) {
    return left >= LANES ? load(p) : LOAD_PART(p, left);
}

ALWAYS void store_some(float *p, vec v, int64_t left) {
    if (left >= LANES) {
        store(p, v);
    } else {
        STORE_PART(p, v, left);
    }
}

ALWAYS vec all(float x) {
    return x - (vec){ 0 };
}

ALWAYS vec choose(ints where, vec yes, vec no) {
    return (vec)(((ints)yes & where) | ((ints)no & ~where));
}

ALWAYS vec magnitude(vec x) {
    return (vec)((ints)x & 0x7fffffff);
}

ALWAYS vec with_sign_of(vec x, vec of) {
    return (vec)((ints)x | ((ints)of & (int32_t)0x80000000));
}

/* The greater one; b where a is NaN. */
#ifndef GREATER
#define GREATER(a, b) choose((a) > (b), (a), (b))
#endif

/* v with lane i + half in lane i, for i < half. */
ALWAYS vec upper(vec v, int half) {
    ints to = { 0 };
    for (int i = 0; i < LANES; i++) {
        to[i] = (i + half) % LANES;
    }
    return (vec)__builtin_shuffle((ints)v, to);
}

/* Sum and maximum over the lanes, by halves. */
ALWAYS float lanes_sum(vec v) {
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2) {
        v += upper(v, half);
    }
    return v[0];
}

ALWAYS float lanes_max(vec v) {
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2) {
        v = GREATER(upper(v, half), v);
    }
    return v[0];
}

/* ---- elementary functions ----
 * Polynomials fitted for least greatest error (Lawson's iteration on Chebyshev nodes). */

/* exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2; for x in -87.3..88.7. */
ALWAYS vec exp_within(vec x) {
    const float magic = 12582912.0F; /* 1.5 * 2^23: adding it leaves round(t) in the low bits */
    vec shifted = MULTIPLY_ADD(x, all(1.44269504F), all(magic));
    vec n = shifted - magic;
    vec r = MULTIPLY_ADD(n, all(-0.693359375F),
                         x); /* ln 2 in two parts; n times this one is exact */
    r = MULTIPLY_ADD(n, all(2.12194440e-4F), r);
    vec p = all(0.00139517174F);
    p = MULTIPLY_ADD(p, r, all(0.00836959854F));
    p = MULTIPLY_ADD(p, r, all(0.0416661873F));
    p = MULTIPLY_ADD(p, r, all(0.166665122F));
    p = MULTIPLY_ADD(p, r, all(0.5F));
    p = MULTIPLY_ADD(p * r, r, r) + 1.0F;
    return (vec)((words)p + ((words)shifted << 23));
}

ALWAYS vec exp_of(vec x) {
    vec y = exp_within(x);
    y = choose(x < -87.3F, all(0.0F), y);
    y = choose(x > 88.7F, all(INFINITY), y);
    return choose(x == x, y, x); /* NaN stays NaN */
}

/* The share of the normal distribution below x, (1 + erf(x / sqrt 2)) / 2: exp(-t Q(t)) / 2
 * below 0, where that keeps its digits; t = |x|, from 5.65 on the other share is 0. */
ALWAYS vec normal_share(vec x) {
    vec t = magnitude(x);
    vec q = all(-1.45222288e-07F);
    q = MULTIPLY_ADD(q, t, all(3.41199916e-06F));
    q = MULTIPLY_ADD(q, t, all(-3.20430117e-05F));
    q = MULTIPLY_ADD(q, t, all(0.00013254353F));
    q = MULTIPLY_ADD(q, t, all(0.000107225649F));
    q = MULTIPLY_ADD(q, t, all(-0.00492505264F));
    q = MULTIPLY_ADD(q, t, all(0.0364111811F));
    q = MULTIPLY_ADD(q, t, all(0.318291187F));
    q = MULTIPLY_ADD(q, t, all(0.797886074F));
    vec tail = choose(t < 5.65F, 0.5F * exp_within(-t * q), all(0.0F));
    return choose(x < 0.0F, tail, 1.0F - tail);
}

/* tanh(x) = x + x^3 P(x^2) up to 0.65, then 1 - 2 / (exp(2 |x|) + 1). */
ALWAYS vec tanh_of(vec x) {
    vec t = magnitude(x), s = x * x;
    vec p = all(0.00206466205F);
    p = MULTIPLY_ADD(p, s, all(-0.00809196476F));
    p = MULTIPLY_ADD(p, s, all(0.0216663443F));
    p = MULTIPLY_ADD(p, s, all(-0.0539405644F));
    p = MULTIPLY_ADD(p, s, all(0.133331582F));
    p = MULTIPLY_ADD(p, s, all(-0.333333284F));
    vec small = MULTIPLY_ADD(p * s, x, x);
    vec large = with_sign_of(1.0F - 2.0F / (exp_of(t + t) + 1.0F), x);
    return choose(t < 0.65F, small, choose(x == x, large, x));
}

ALWAYS vec sigmoid_of(vec x) {
    return 1.0F / (1.0F + exp_of(-x));
}

/* (1 + tanh(u)) / 2 is the sigmoid of 2 u; this is 2 u of GELU's second form. */
#define GELU_SLOPE 1.59576912F /* 2 sqrt(2 / pi) */
#define GELU_CUBE  0.044715F
ALWAYS vec gelu_argument(vec x) {
    return GELU_SLOPE * MULTIPLY_ADD(x * x * x, all(GELU_CUBE), x);
}

ALWAYS vec act_of(enum simd_act act, vec x) {
    switch (act) {
    case SIMD_GELU:
        return x * normal_share(x);
    case SIMD_GELU_TANH:
        return x / (1.0F + exp_of(-gelu_argument(x)));
    case SIMD_GELU_QUICK:
        return x / (1.0F + exp_of(-1.702F * x));
    case SIMD_RELU:
        return choose(x < 0.0F, all(0.0F), x);
    case SIMD_RELU_SQUARED:
        return choose(x < 0.0F, all(0.0F), x * x);
    case SIMD_SILU:
        return x / (1.0F + exp_of(-x));
    case SIMD_SIGMOID:
        return sigmoid_of(x);
    case SIMD_TANH:
        return tanh_of(x);
    default:
        return x;
    }
}

#define FOR_LANES(i, n) for (int64_t i = 0; i < (n); i += LANES)

static void map_exp(float *y, const float *x, int64_t n) {
    FOR_LANES(i, n) {
        store_some(y + i, exp_of(load_some(x + i, n - i)), n - i);
    }
}

static void map_add(float *y, const float *a, const float *b, int64_t n) {
    FOR_LANES(i, n) {
        store_some(y + i, load_some(a + i, n - i) + load_some(b + i, n - i), n - i);
    }
}

static void map_mul(float *y, const float *a, const float *b, int64_t n) {
    FOR_LANES(i, n) {
        store_some(y + i, load_some(a + i, n - i) * load_some(b + i, n - i), n - i);
    }
}

static void mul_add(float *y, const float *a, const float *b, int64_t n) {
    FOR_LANES(i, n) {
        vec v = load_some(y + i, n - i);
        v = MULTIPLY_ADD(load_some(a + i, n - i), load_some(b + i, n - i), v);
        store_some(y + i, v, n - i);
    }
}

static void axpy(float *y, float a, const float *x, int64_t n) {
    FOR_LANES(i, n) {
        vec v = MULTIPLY_ADD(all(a), load_some(x + i, n - i), load_some(y + i, n - i));
        store_some(y + i, v, n - i);
    }
}

static void map_scale(float *y, float a, const float *x, int64_t n) {
    FOR_LANES(i, n) {
        store_some(y + i, a * load_some(x + i, n - i), n - i);
    }
}

static float row_sum(const float *x, int64_t n) {
    vec v = all(0.0F);
    FOR_LANES(i, n) {
        v += load_some(x + i, n - i);
    }
    return lanes_sum(v);
}

static float row_dot(const float *a, const float *b, int64_t n) {
    vec v = all(0.0F);
    FOR_LANES(i, n) {
        v = MULTIPLY_ADD(load_some(a + i, n - i), load_some(b + i, n - i), v);
    }
    return lanes_sum(v);
}

/* Four sums for each lane, so that none waits for the one before. */
static float row_apart(const float *a, const float *b, int64_t n) {
    vec sums[4] = { 0 };
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        for (int k = 0; k < 4; k++) {
            vec by = load(a + i + k * LANES) - load(b + i + k * LANES);
            sums[k] = MULTIPLY_ADD(by, by, sums[k]);
        }
    }
    for (; i < n; i += LANES) {
        vec by = load_some(a + i, n - i) - load_some(b + i, n - i);
        sums[0] = MULTIPLY_ADD(by, by, sums[0]);
    }
    return lanes_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

#ifndef DOUBLES
#define DOUBLES(p) __builtin_convertvector(*(const fours *)(p), four_doubles)
#endif

/* Numbers of a tally's step: whole vectors, and whole turns of its eight lanes. */
enum { TALLY = LANES < 8 ? 8 : LANES };

struct tally_sums {
    four_doubles squares[2], sums[2];
    vec most[TALLY / LANES];
};

/* The square of a float is exact in float64, so a fused multiply-add changes nothing. */
ALWAYS void tally_step(struct tally_sums *of, const float *x) {
#pragma GCC unroll 2
    for (int j = 0; j < TALLY / LANES; j++) {
        vec size = magnitude(load(x + j * LANES));
        of->most[j] = GREATER(size, of->most[j]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < TALLY / 4; j++) {
        four_doubles wide = DOUBLES(x + 4 * j);
        of->squares[j % 2] += wide * wide;
        of->sums[j % 2] += wide;
    }
}

static void tally(struct simd_tally *to, const float *x, int64_t n) {
    struct tally_sums of = { .most = { all(0.0F) } };
    float rest[TALLY] = { 0 }, most[TALLY];
    int64_t whole = n / TALLY * TALLY;
    memcpy(of.squares, to->squares, sizeof of.squares);
    memcpy(of.sums, to->sums, sizeof of.sums);
    for (int64_t i = 0; i < whole; i += TALLY) {
        tally_step(&of, x + i);
    }
    if (n > whole) {
        memcpy(rest, x + whole, (size_t)(n - whole) * sizeof *rest);
        tally_step(&of, rest);
    }
    memcpy(to->squares, of.squares, sizeof of.squares);
    memcpy(to->sums, of.sums, sizeof of.sums);
    memcpy(most, of.most, sizeof most);
    for (int j = 0; j < TALLY; j++) {
        to->most[j % 8] = most[j] > to->most[j % 8] ? most[j] : to->most[j % 8];
    }
}

/* One loop for each act, so that the choice is made once. */
#define WITH_ACT(act, BODY)      \
    switch (act) {               \
    case SIMD_GELU:              \
        BODY(SIMD_GELU);         \
        break;                   \
    case SIMD_GELU_TANH:         \
        BODY(SIMD_GELU_TANH);    \
        break;                   \
    case SIMD_GELU_QUICK:        \
        BODY(SIMD_GELU_QUICK);   \
        break;                   \
    case SIMD_RELU:              \
        BODY(SIMD_RELU);         \
        break;                   \
    case SIMD_RELU_SQUARED:      \
        BODY(SIMD_RELU_SQUARED); \
        break;                   \
    case SIMD_SILU:              \
        BODY(SIMD_SILU);         \
        break;                   \
    case SIMD_SIGMOID:           \
        BODY(SIMD_SIGMOID);      \
        break;                   \
    case SIMD_TANH:              \
        BODY(SIMD_TANH);         \
        break;                   \
    default:                     \
        BODY(SIMD_NONE);         \
    }

static void map_act(float *y, const float *x, int64_t n, enum simd_act act){
#define BODY(which)                                                       \
    FOR_LANES(i, n) {                                                     \
        store_some(y + i, act_of(which, load_some(x + i, n - i)), n - i); \
    }
    WITH_ACT(act, BODY)
#undef BODY
}

ALWAYS void finish_as(enum simd_act act, int64_t rows, int n, float *y, int64_t stride,
                      const struct simd_finish *at) {
    for (int64_t r = 0; r < rows; r++) {
        float *row = y + r * stride;
        FOR_LANES(i, n) {
            int64_t left = n - i;
            vec v = load_some(row + i, left);
            if (at->bias) {
                v += load_some(at->bias + i, left);
            }
            if (at->sum) {
                store_some(at->sum + r * stride + i, v, left);
            }
            v = act_of(act, v);
            if (at->factor) {
                v *= load_some(at->factor + r * stride + i, left);
            }
            if (at->residual) {
                v += load_some(at->residual + r * stride + i, left);
            }
            store_some(row + i, v, left);
        }
    }
}

static void finish(int64_t rows, int n, float *y, int64_t stride, const struct simd_finish *at){
#define BODY(which) finish_as(which, rows, n, y, stride, at)
    WITH_ACT(at->act, BODY)
#undef BODY
}

ALWAYS void finish_turned_as(enum simd_act act, int64_t rows, int n, float *y, int64_t stride,
                             const float *bias) {
    for (int64_t r = 0; r < rows; r++, y += stride) {
        vec level = all(bias ? bias[r] : -0.0F); /* which changes nothing */
        FOR_LANES(i, n) {
            store_some(y + i, act_of(act, load_some(y + i, n - i) + level), n - i);
        }
    }
}

static void finish_turned(int64_t rows, int n, float *y, int64_t stride, const float *bias,
                          enum simd_act act) {
#define BODY(which) finish_turned_as(which, rows, n, y, stride, bias)
    WITH_ACT(act, BODY)
#undef BODY
}

/* ---- rows ---- */

static void softmax(float *row, int64_t n, float scale) {
    vec most = all(-INFINITY);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec v = load(row + i);
        most = GREATER(v, most);
    }
    float top = lanes_max(most);
    for (; i < n; i++) {
        top = row[i] > top ? row[i] : top;
    }
    if (top == -INFINITY) { /* nothing to look at; or no number is greater, as of NaNs */
        float share = 0;
        for (i = 0; i < n; i++) {
            share = row[i] == row[i] ? share : row[i];
        }
        for (i = 0; i < n; i++) {
            row[i] = share;
        }
        return;
    }
    vec sum = all(0.0F);
    for (i = 0; i + LANES <= n; i += LANES) {
        vec e = exp_of((load(row + i) - top) * scale);
        store(row + i, e);
        sum += e;
    }
    if (i < n) {
        vec e = exp_of((LOAD_PART(row + i, n - i) - top) * scale);
        STORE_PART(row + i, e, n - i);
        sum += LOAD_PART(row + i, n - i); /* zeros past the end, whatever exp made there */
    }
    vec share = all(1.0F / lanes_sum(sum));
    for (i = 0; i < n; i += LANES) {
        store_some(row + i, load_some(row + i, n - i) * share, n - i);
    }
}

/* Sum of (x - from)^2. */
ALWAYS float square_sum(const float *x, float from, int64_t n) {
    vec sum = all(0.0F);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec d = load(x + i) - from;
        sum = MULTIPLY_ADD(d, d, sum);
    }
    if (i < n) {
        vec d = all(0.0F);
        STORE_PART((float *)&d, LOAD_PART(x + i, n - i) - from, n - i);
        sum = MULTIPLY_ADD(d, d, sum);
    }
    return lanes_sum(sum);
}

static void norm_layer(float *y, const float *x, const float *gain, const float *bias,
                       float eps, int64_t n) {
    float mean = row_sum(x, n) / (float)n;
    float scale = 1.0F / sqrtf(square_sum(x, mean, n) / (float)n + eps);
    FOR_LANES(i, n) {
        vec v = (load_some(x + i, n - i) - mean) * scale;
        vec level = bias ? load_some(bias + i, n - i) : all(-0.0F);
        v = MULTIPLY_ADD(v, gain ? load_some(gain + i, n - i) : all(1.0F), level);
        store_some(y + i, v, n - i);
    }
}

static void norm_rms(float *y, const float *x, const float *gain, float eps, int64_t n) {
    float scale = 1.0F / sqrtf(square_sum(x, 0.0F, n) / (float)n + eps);
    FOR_LANES(i, n) {
        vec v = load_some(x + i, n - i) * scale;
        v *= gain ? load_some(gain + i, n - i) : all(1.0F);
        store_some(y + i, v, n - i);
    }
}

/* ---- products ---- */

/* What is done on the way, for each step over k: a line (or two neighbours) is fetched, and the
 * panel's row is copied. */
struct ahead {
    const char *at;
    int64_t step; /* bytes */
    bool two;
    float *copy; /* [k][COLUMNS], or NULL */
};

/* `rows` rows against the first `wide` vectors of one panel, whose rows lie `step` floats apart
 * (constants where this is inlined): sums stay in registers. A row is found from that of every
 * third row, which takes few registers; GCC would keep all of them. */
ALWAYS void tile(int rows, int wide, int64_t k, const float *x, int64_t x_stride,
                 int64_t x_step, const float *panel, int64_t step, int n, float *y,
                 int64_t y_stride, bool add, struct ahead ahead) {
    vec sums[NARROW][2];
    const float *at[(NARROW + 2) / 3];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
        for (int c = 0; c < wide; c++) {
            sums[r][c] = all(0.0F);
            if (add && n > c * LANES) {
                sums[r][c] = load_some(y + r * y_stride + c * LANES, n - c * LANES);
            }
        }
        at[r / 3] = r % 3 == 0 ? x + r * x_stride : at[r / 3];
    }
    for (int64_t i = 0; i < k; i++, panel += step) {
        vec left = load(panel), right = wide > 1 ? load(panel + LANES) : left;
        if (ahead.at) { /* into the second-level cache: the first is full of what is at hand */
            __builtin_prefetch(ahead.at + i * ahead.step, 0, 2);
            if (ahead.two) {
                __builtin_prefetch(ahead.at + i * ahead.step + LINE, 0, 2);
            }
        }
        if (ahead.copy) {
            store(ahead.copy, left);
            store(ahead.copy + LANES, right);
            ahead.copy += COLUMNS;
        }
#pragma GCC unroll 24
        for (int r = 0; r < rows; r++) {
            vec a = all(at[r / 3][r % 3 * x_stride]);
            sums[r][0] = MULTIPLY_ADD(a, left, sums[r][0]);
            if (wide > 1) {
                sums[r][1] = MULTIPLY_ADD(a, right, sums[r][1]);
            }
        }
#pragma GCC unroll 8
        for (int j = 0; j < (rows + 2) / 3; j++) {
            at[j] += x_step;
            __asm__("" : "+r"(at[j])); /* or GCC makes the pointers of all rows from it */
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
        for (int c = 0; c < wide; c++) {
            if (n > c * LANES) {
                store_some(y + r * y_stride + c * LANES, sums[r][c], n - c * LANES);
            }
        }
    }
}

/* Rows of the next tile: two even ones are better than a tall one and a flat one. */
ALWAYS int64_t tile_rows(int64_t left, int n) {
    if (n <= LANES && left >= NARROW) {
        return NARROW;
    }
    return left >= 2 * TILE || left <= TILE ? (left < TILE ? left : TILE) : (left + 1) / 2;
}

#define HEIGHT(count)                                                                 \
    case count:                                                                       \
        tile(count, 2, k, x, stride, step, panel, apart, n, y, y_stride, add, ahead); \
        break;
#if TILE == 12
#define EACH_HEIGHT \
    HEIGHT(1)       \
    HEIGHT(2)       \
    HEIGHT(3)       \
    HEIGHT(4)       \
    HEIGHT(5)       \
    HEIGHT(6) HEIGHT(7) HEIGHT(8) HEIGHT(9) HEIGHT(10) HEIGHT(11) HEIGHT(12)
#else
#define EACH_HEIGHT HEIGHT(1) HEIGHT(2) HEIGHT(3) HEIGHT(4) HEIGHT(5) HEIGHT(6)
#endif

/* All tiles of `multiply`; stride or step is 1. The panel's rows are `apart` floats apart. */
ALWAYS void tiles(int64_t rows, int64_t k, const float *x, int64_t stride, int64_t step,
                  const float *panel, int64_t apart, int n, float *y, int64_t y_stride,
                  bool add, const char *soon, int64_t bytes) {
    struct ahead ahead = { .at = bytes > 0 ? soon : NULL, .step = LINE };
    for (int64_t done = 0, now; done < rows; done += now) {
        now = tile_rows(rows - done, n);
        if (n <= LANES && now == NARROW) {
            tile(NARROW, 1, k, x, stride, step, panel, apart, n, y, y_stride, add, ahead);
        } else {
            switch (now) { EACH_HEIGHT }
        }
        x += now * stride;
        y += now * y_stride;
        bytes -= k * LINE;
        ahead.at = bytes > 0 ? ahead.at + k * LINE : NULL;
    }
}

static void multiply(int64_t rows, int64_t k, const float *x, int64_t x_stride,
                     const float *panel, int n, float *y, int64_t y_stride, bool add,
                     const void *soon, int64_t bytes) {
    tiles(rows, k, x, x_stride, 1, panel, COLUMNS, n, y, y_stride, add, soon, bytes);
}

static void multiply_turned(int64_t rows, int64_t k, const float *x, int64_t x_step,
                            const float *panel, int n, float *y, int64_t y_stride, bool add) {
    tiles(rows, k, x, 1, x_step, panel, COLUMNS, n, y, y_stride, add, NULL, 0);
}

/* The first tile fetches what will be multiplied, or packed, after these k rows of w, and makes
 * the copy from which the others read: it stores while it waits for its multiplications. */
static void multiply_in_place(int64_t rows, int64_t k, const float *x, int64_t x_stride,
                              const float *w, int64_t w_stride, float *copy, float *y,
                              int64_t y_stride, bool add, const void *soon,
                              int64_t soon_bytes) {
    struct ahead ahead = {
        .at = soon, .step = soon_bytes, .two = COLUMNS * sizeof *w > LINE, .copy = copy
    };
    const int64_t stride = x_stride, step = 1;
    const float *panel = w;
    int64_t apart = w_stride;
    enum { n = COLUMNS };
    for (int64_t done = 0, now; done < rows; done += now) {
        now = tile_rows(rows - done, n);
        switch (now) { EACH_HEIGHT }
        x += now * stride;
        y += now * y_stride;
        panel = copy ? copy : w;
        apart = copy ? COLUMNS : w_stride;
        ahead.at = NULL;
        ahead.copy = NULL;
    }
}

#include "core/tensor/simd_back.h"
#include "core/tensor/simd_pack.h"

#define SIMD_TABLE(which)                                                                     \
    {                                                                                         \
        .isa = (which), .columns = COLUMNS, .rows = TILE, .strip = GROUPS * LANES,            \
        .pack = PACKS(pack), .pack_across = PACKS(across), .unpack = unpack,                  \
        .read = PACKS(read), .apply = APPLIES, .multiply = multiply,                          \
        .multiply_turned = multiply_turned, .multiply_in_place = multiply_in_place,           \
        .finish = finish, .finish_turned = finish_turned, .exp = map_exp, .act = map_act,     \
        .add = map_add, .mul = map_mul, .mul_add = mul_add, .axpy = axpy, .scale = map_scale, \
        .sum = row_sum, .dot = row_dot, .apart = row_apart, .tally = tally,                   \
        .softmax = softmax, .norm_layer = norm_layer, .norm_rms = norm_rms,                   \
        .act_back = act_back, .softmax_back = softmax_back,                                   \
        .norm_layer_back = norm_layer_back, .norm_rms_back = norm_rms_back,                   \
    }
