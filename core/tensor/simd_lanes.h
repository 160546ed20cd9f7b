/* simd_lanes: the text of every table in simd.h, for LANES floats at a time.
 *
 * Each simd_*.c defines, then includes this:
 *     LANES                  4, 8 or 16
 *     TILE                   rows of x that `multiply` takes at once; two vectors of sums each
 *     MULTIPLY_ADD(a, b, c)  a b + c on vectors, fused where the machine can
 *     HALVES(p), HALF(h)     F16 to float, LANES of them and one; left out: by integers
 *     OCTETS(p)              LANES bytes to integers; left out: as GCC does it
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
typedef uint8_t octets __attribute__((vector_size(LANES), aligned(1), may_alias));
typedef uint16_t shorts __attribute__((vector_size(LANES * 2), aligned(1), may_alias));

enum { COLUMNS = 2 * LANES, BLOCK = 32, LINE = 64 }; /* LINE: bytes that a cache fetches */

ALWAYS vec load(const void *p) {
    return (vec) * (const loose *)p;
}

ALWAYS void store(float *p, vec v) {
    *(loose *)p = (loose)v;
}

/* The first n < LANES floats at p, then zeros. */
ALWAYS vec load_part(const float *p, int64_t n) {
    vec v = { 0 };
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}

ALWAYS void store_part(float *p, vec v, int64_t n) {
    memcpy(p, &v, (size_t)n * sizeof *p);
}

/* A vector where fewer than LANES may be left. */
ALWAYS vec load_some(const float *p, int64_t left) {
    return left >= LANES ? load(p) : load_part(p, left);
}

ALWAYS void store_some(float *p, vec v, int64_t left) {
    if (left >= LANES) {
        store(p, v);
    } else {
        store_part(p, v, left);
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

/* Sum and maximum over the lanes, by halves. */
ALWAYS float lanes_sum(vec v) {
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            v[i] += v[i + half];
        }
    }
    return v[0];
}

ALWAYS float lanes_max(vec v) {
    float most = v[0];
    for (int i = 1; i < LANES; i++) {
        most = v[i] > most ? v[i] : most;
    }
    return most;
}

/* ---- elementary functions ----
 * Polynomials fitted for least greatest error (Lawson's iteration on Chebyshev nodes). */

/* exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2. */
ALWAYS vec exp_of(vec x) {
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
    vec y = (vec)((words)p + ((words)shifted << 23));
    y = choose(x < -87.3F, all(0.0F), y);
    y = choose(x > 88.7F, all(INFINITY), y);
    return choose(x == x, y, x); /* NaN stays NaN */
}

/* erf(x) = x + x P(x^2) up to 1, then 1 - exp(-t Q(t)); 1 in float beyond 4. */
ALWAYS vec erf_of(vec x) {
    vec t = magnitude(x), s = x * x;
    vec p = all(7.8891193e-05F);
    p = MULTIPLY_ADD(p, s, all(-0.000802084105F));
    p = MULTIPLY_ADD(p, s, all(0.00518953521F));
    p = MULTIPLY_ADD(p, s, all(-0.0268544443F));
    p = MULTIPLY_ADD(p, s, all(0.112836003F));
    p = MULTIPLY_ADD(p, s, all(-0.37612626F));
    p = MULTIPLY_ADD(p, s, all(0.128379166F));
    vec small = MULTIPLY_ADD(p, x, x);
    t = choose(t > 4.0F, all(4.0F), t);
    vec q = all(3.94671542e-06F);
    q = MULTIPLY_ADD(q, t, all(-3.33249664e-05F));
    q = MULTIPLY_ADD(q, t, all(-0.000113033559F));
    q = MULTIPLY_ADD(q, t, all(0.0031085033F));
    q = MULTIPLY_ADD(q, t, all(-0.0229682382F));
    q = MULTIPLY_ADD(q, t, all(0.105547354F));
    q = MULTIPLY_ADD(q, t, all(0.635475457F));
    q = MULTIPLY_ADD(q, t, all(1.12858486F));
    vec large = with_sign_of(1.0F - exp_of(-t * q), x);
    return choose(t < 1.0F, small, choose(x == x, large, x));
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

ALWAYS vec act_of(enum simd_act act, vec x) {
    switch (act) {
    case SIMD_GELU:
        return 0.5F * x * (1.0F + erf_of(x * 0.707106781F));
    case SIMD_GELU_TANH:
        return 0.5F * x * (1.0F + tanh_of(0.797884561F * (x + 0.044715F * x * x * x)));
    case SIMD_RELU:
        return choose(x < 0.0F, all(0.0F), x);
    case SIMD_SILU:
        return x / (1.0F + exp_of(-x));
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

static void map_erf(float *y, const float *x, int64_t n) {
    FOR_LANES(i, n) {
        store_some(y + i, erf_of(load_some(x + i, n - i)), n - i);
    }
}

static void map_add(float *y, const float *a, const float *b, int64_t n) {
    FOR_LANES(i, n) {
        store_some(y + i, load_some(a + i, n - i) + load_some(b + i, n - i), n - i);
    }
}

/* One loop for each act, so that the choice is made once. */
#define WITH_ACT(act, BODY)   \
    switch (act) {            \
    case SIMD_GELU:           \
        BODY(SIMD_GELU);      \
        break;                \
    case SIMD_GELU_TANH:      \
        BODY(SIMD_GELU_TANH); \
        break;                \
    case SIMD_RELU:           \
        BODY(SIMD_RELU);      \
        break;                \
    case SIMD_SILU:           \
        BODY(SIMD_SILU);      \
        break;                \
    case SIMD_TANH:           \
        BODY(SIMD_TANH);      \
        break;                \
    default:                  \
        BODY(SIMD_NONE);      \
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

static void finish(int64_t rows, int n, float *y, int64_t stride,
                   const struct simd_finish *at) {
#define BODY(which) finish_as(which, rows, n, y, stride, at)
    WITH_ACT(at->act, BODY)
#undef BODY
}

/* ---- rows ---- */

static void softmax(float *row, int64_t n, float scale) {
    vec most = all(-INFINITY);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec v = load(row + i);
        most = choose(v > most, v, most);
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
        vec e = exp_of((load_part(row + i, n - i) - top) * scale);
        store_part(row + i, e, n - i);
        sum += load_part(row + i, n - i); /* zeros past the end, whatever exp made there */
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
        store_part((float *)&d, load_part(x + i, n - i) - from, n - i);
        sum = MULTIPLY_ADD(d, d, sum);
    }
    return lanes_sum(sum);
}

static void norm_layer(float *y, const float *x, const float *gain, const float *bias,
                       float eps, int64_t n) {
    vec sum = all(0.0F);
    FOR_LANES(i, n) {
        sum += load_some(x + i, n - i);
    }
    float mean = lanes_sum(sum) / (float)n;
    float scale = 1.0F / sqrtf(square_sum(x, mean, n) / (float)n + eps);
    FOR_LANES(i, n) {
        vec v = (load_some(x + i, n - i) - mean) * scale;
        v = MULTIPLY_ADD(v, load_some(gain + i, n - i), load_some(bias + i, n - i));
        store_some(y + i, v, n - i);
    }
}

static void norm_rms(float *y, const float *x, const float *gain, float eps, int64_t n) {
    float scale = 1.0F / sqrtf(square_sum(x, 0.0F, n) / (float)n + eps);
    FOR_LANES(i, n) {
        store_some(y + i, load_some(x + i, n - i) * scale * load_some(gain + i, n - i), n - i);
    }
}

/* ---- products ---- */

/* `rows` (a constant where this is inlined) rows against one panel: sums stay in registers. */
ALWAYS void tile(int rows, int64_t k, const float *x, int64_t x_stride, const float *panel,
                 int n, float *y, int64_t y_stride, bool add, const char *soon) {
    vec sum[TILE][2];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        sum[r][0] = sum[r][1] = all(0.0F);
        if (add) {
            sum[r][0] = load_some(y + r * y_stride, n);
            sum[r][1] = n > LANES ? load_some(y + r * y_stride + LANES, n - LANES) : all(0.0F);
        }
    }
    for (int64_t i = 0; i < k; i++) {
        vec left = load(panel + i * COLUMNS), right = load(panel + i * COLUMNS + LANES);
        if (soon) {
            __builtin_prefetch(soon + i * LINE);
        }
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            vec a = all(x[r * x_stride + i]);
            sum[r][0] = MULTIPLY_ADD(a, left, sum[r][0]);
            sum[r][1] = MULTIPLY_ADD(a, right, sum[r][1]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        store_some(y + r * y_stride, sum[r][0], n);
        if (n > LANES) {
            store_some(y + r * y_stride + LANES, sum[r][1], n - LANES);
        }
    }
}

static void multiply(int64_t rows, int64_t k, const float *x, int64_t x_stride,
                     const float *panel, int n, float *y, int64_t y_stride, bool add,
                     const void *soon, int64_t bytes) {
    const char *ahead = bytes > 0 ? soon : NULL;
#define ROWS(count)                                                     \
    case count:                                                         \
        tile(count, k, x, x_stride, panel, n, y, y_stride, add, ahead); \
        break
    for (int64_t done = 0, now; done < rows; done += now) {
        int64_t left = rows - done;
        /* Two even tiles are better than a tall one and a flat one. */
        now = left >= 2 * TILE || left <= TILE ? (left < TILE ? left : TILE) : (left + 1) / 2;
        switch (now) {
            ROWS(1);
            ROWS(2);
            ROWS(3);
            ROWS(4);
            ROWS(5);
            ROWS(6);
#if TILE == 12
            ROWS(7);
            ROWS(8);
            ROWS(9);
            ROWS(10);
            ROWS(11);
            ROWS(12);
#endif
        }
        x += now * x_stride;
        y += now * y_stride;
        bytes -= k * LINE;
        ahead = bytes > 0 ? ahead + k * LINE : NULL;
    }
#undef ROWS
}

/* ---- weights as float32 ---- */

ALWAYS float float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#ifndef HALVES
/* F16 by integers: the exponent is rebiased by a multiplication, which also mends subnormals.
 */
ALWAYS vec halves(const void *p) {
    words h = __builtin_convertvector(*(const shorts *)p, words);
    vec x = (vec)((h & 0x7fff) << 13) * float_of_bits(0x77800000); /* 2^112 */
    x = choose((ints)((h & 0x7c00) == 0x7c00), (vec)((words)x | 0x7f800000), x);
    return (vec)((words)x | ((h & 0x8000) << 16));
}

ALWAYS float half_of(uint16_t half) {
    uint16_t many[LANES] = { half };
    return halves(many)[0];
}
#define HALVES(p)  halves(p)
#define HALF(half) half_of(half)
#endif

#ifndef OCTETS
#define OCTETS(p) __builtin_convertvector(*(const octets *)(p), ints)
#endif

ALWAYS float half_at(const uint8_t *p) {
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return HALF(half);
}

/* Each fetch_ gives values k .. k + LANES of a row; k is a multiple of LANES. */
ALWAYS vec fetch_f32(const uint8_t *row, int64_t k) {
    return load(row + k * 4);
}

ALWAYS vec fetch_f16(const uint8_t *row, int64_t k) {
    return HALVES(row + k * 2);
}

ALWAYS vec fetch_bf16(const uint8_t *row, int64_t k) {
    return (vec)(__builtin_convertvector(*(const shorts *)(row + k * 2), words) << 16);
}

/* One value of a plain type, for the ends of rows. */
ALWAYS float one_f32(const uint8_t *p) {
    float x;
    memcpy(&x, p, sizeof x);
    return x;
}

ALWAYS float one_bf16(const uint8_t *p) {
    uint16_t brain;
    memcpy(&brain, p, sizeof brain);
    return float_of_bits((uint32_t)brain << 16);
}

/* Exchanges lanes between a and b where `bit` of the lane's index tells them apart. */
#if LANES == 4
#define LOW1  0, 4, 2, 6
#define HIGH1 1, 5, 3, 7
#define LOW2  0, 1, 4, 5
#define HIGH2 2, 3, 6, 7
#elif LANES == 8
#define LOW1  0, 8, 2, 10, 4, 12, 6, 14
#define HIGH1 1, 9, 3, 11, 5, 13, 7, 15
#define LOW2  0, 1, 8, 9, 4, 5, 12, 13
#define HIGH2 2, 3, 10, 11, 6, 7, 14, 15
#define LOW4  0, 1, 2, 3, 8, 9, 10, 11
#define HIGH4 4, 5, 6, 7, 12, 13, 14, 15
#else
#define LOW1  0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define LOW2  0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW4  0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW8  0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#endif
#define EXCHANGE(v, bit)                                               \
    for (int i = 0; i < LANES; i++) {                                  \
        if (!(i & (bit))) {                                            \
            vec a = (v)[i], b = (v)[i + (bit)];                        \
            (v)[i] = __builtin_shufflevector(a, b, LOW##bit);          \
            (v)[i + (bit)] = __builtin_shufflevector(a, b, HIGH##bit); \
        }                                                              \
    }

/* LANES x LANES transposed in registers. */
ALWAYS void turn(vec *v) {
#pragma GCC unroll 16
    EXCHANGE(v, 1)
#pragma GCC unroll 16
    EXCHANGE(v, 2)
#if LANES >= 8
#pragma GCC unroll 16
    EXCHANGE(v, 4)
#endif
#if LANES >= 16
#pragma GCC unroll 16
    EXCHANGE(v, 8)
#endif
}

typedef vec fetch_function(const uint8_t *row, int64_t k);
typedef float one_function(const uint8_t *p);

/* LANES rows' values begin .. begin + k into LANES of the panel's columns. */
ALWAYS void pack_full(fetch_function *fetch, one_function *one, int64_t size,
                      const uint8_t *rows, int64_t row_bytes, int64_t begin, int64_t k,
                      float *panel) {
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES) {
        vec v[LANES];
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            v[r] = fetch(rows + r * row_bytes, begin + i);
        }
        turn(v);
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            store(panel + (i + r) * COLUMNS, v[r]);
        }
    }
    for (; i < k; i++) {
        for (int r = 0; r < LANES; r++) {
            panel[i * COLUMNS + r] = one(rows + r * row_bytes + (begin + i) * size);
        }
    }
}

/* The same for n < LANES rows: the columns past them are 0. */
ALWAYS void pack_few(fetch_function *fetch, one_function *one, int64_t size,
                     const uint8_t *rows, int64_t row_bytes, int n, int64_t begin, int64_t k,
                     float *panel) {
    for (int64_t i = 0; i < k; i++) {
        memset(panel + i * COLUMNS, 0, LANES * sizeof *panel);
    }
    for (int r = 0; r < n; r++) {
        const uint8_t *row = rows + r * row_bytes;
        int64_t i = 0;
        for (; i + LANES <= k; i += LANES) {
            vec v = fetch(row, begin + i);
            for (int j = 0; j < LANES; j++) {
                panel[(i + j) * COLUMNS + r] = v[j];
            }
        }
        for (; i < k; i++) {
            panel[i * COLUMNS + r] = one(row + (begin + i) * size);
        }
    }
}

#define PACK(type, one, size)                                                             \
    static void pack_##type(const void *rows, int64_t row_bytes, int n, int64_t begin,    \
                            int64_t k, float *panel) {                                    \
        for (int c = 0; c < COLUMNS; c += LANES, n -= LANES) {                            \
            const uint8_t *at = (const uint8_t *)rows + c * row_bytes;                    \
            if (n >= LANES) {                                                             \
                pack_full(fetch_##type, one, size, at, row_bytes, begin, k, panel + c);   \
            } else {                                                                      \
                pack_few(fetch_##type, one, size, at, row_bytes, n, begin, k, panel + c); \
            }                                                                             \
        }                                                                                 \
    }
PACK(f32, one_f32, 4)
PACK(f16, half_at, 2)
PACK(bf16, one_bf16, 2)

/* ---- block-quantised weights ----
 * One block of LANES rows is turned as bytes, before they become floats: so a column's numbers,
 * scales and smallest values are vectors over the rows, as the panel wants them. */

typedef uint8_t bytes16 __attribute__((vector_size(16), aligned(1), may_alias));

/* Where a block has what: F16 scale at 0; 0 where there is no such part. */
struct layout {
    int bytes, least, fifth, quants; /* of the block; F16 least value; fifth bits; numbers */
    int zero;                        /* the number that means 0 */
};

/* 16 bytes of each of LANES rows, turned: out[16][LANES]. Interleaving the two halves of all
 * bytes moves one bit of the row's number from the top of each byte's index to its bottom. */
ALWAYS void bytes_turn(const uint8_t *const *rows, int64_t at, uint8_t *out) {
    bytes16 v[LANES], w[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) {
        v[r] = *(const bytes16 *)(rows[r] + at);
    }
#pragma GCC unroll 4
    for (int bit = 1; bit < LANES; bit *= 2) {
#pragma GCC unroll 16
        for (int i = 0; i < LANES / 2; i++) {
            w[2 * i] = __builtin_shufflevector(v[i], v[i + LANES / 2], 0, 16, 1, 17, 2, 18, 3,
                                               19, 4, 20, 5, 21, 6, 22, 7, 23);
            w[2 * i + 1] = __builtin_shufflevector(v[i], v[i + LANES / 2], 8, 24, 9, 25, 10, 26,
                                                   11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) {
            v[i] = w[i];
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
        *(bytes16 *)(out + 16 * i) = v[i];
    }
}

/* The halves at `at` of each row. */
ALWAYS vec halves_at(const uint8_t *const *rows, int64_t at) {
    uint16_t half[LANES];
    for (int r = 0; r < LANES; r++) {
        memcpy(&half[r], rows[r] + at, sizeof *half);
    }
    return HALVES(half);
}

ALWAYS words words_at(const uint8_t *const *rows, int64_t at) {
    uint32_t word[LANES];
    for (int r = 0; r < LANES; r++) {
        memcpy(&word[r], rows[r] + at, sizeof *word);
    }
    return (words)load(word);
}

/* The block at `at` of each row, into LANES of the panel's columns. A number times its scale is
 * exact, so that fused and unfused are the same. */
ALWAYS void pack_block(struct layout of, const uint8_t *const *rows, int64_t at, float *panel) {
    uint8_t turned[BLOCK * LANES];
    bytes_turn(rows, at + of.quants, turned);
    if (of.bytes > 32) {
        bytes_turn(rows, at + of.quants + 16, turned + 16 * LANES);
    }
    vec scale = halves_at(rows, at), least = all(-0.0F); /* -0 added changes nothing */
    words fifth = { 0 };
    if (of.least) {
        least = halves_at(rows, at + of.least);
    }
    if (of.fifth) {
        fifth = words_at(rows, at + of.fifth);
    }
#pragma GCC unroll 32
    for (int i = 0; i < BLOCK; i++) {
        /* Eight bits each, with a sign; or four: the low halves of 16 bytes, then the high. */
        ints q = OCTETS(turned + i % (of.bytes > 32 ? 32 : 16) * LANES);
        if (of.bytes > 32) {
            q = (q ^ 128) - 128;
        } else {
            q = (q >> (i < 16 ? 0 : 4)) & 15;
        }
        if (of.fifth) {
            q |= (ints)((fifth >> i & 1) << 4);
        }
        vec v = __builtin_convertvector(q - of.zero, vec);
        store(panel + i * COLUMNS, MULTIPLY_ADD(v, scale, least));
    }
}

ALWAYS void pack_blocks(struct layout of, const uint8_t *rows, int64_t row_bytes, int n,
                        int64_t begin, int64_t k, float *panel) {
    for (int c = 0; c < COLUMNS; c += LANES) {
        const uint8_t *row[LANES];
        for (int r = 0; r < LANES; r++) { /* past the last row comes the last again */
            row[r] = rows + (c + r < n ? c + r : n - 1) * row_bytes;
        }
        for (int64_t i = 0; i < k; i += BLOCK) {
            pack_block(of, row, (begin + i) / BLOCK * of.bytes, panel + i * COLUMNS + c);
        }
    }
    for (int64_t i = 0; n < COLUMNS && i < k; i++) {
        memset(panel + i * COLUMNS + n, 0, (size_t)(COLUMNS - n) * sizeof *panel);
    }
}

#define PACK_BLOCKS(type, ...)                                                            \
    static void pack_##type(const void *rows, int64_t row_bytes, int n, int64_t begin,    \
                            int64_t k, float *panel) {                                    \
        pack_blocks((struct layout){ __VA_ARGS__ }, rows, row_bytes, n, begin, k, panel); \
    }
PACK_BLOCKS(q4_0, .bytes = 18, .quants = 2, .zero = 8)
PACK_BLOCKS(q4_1, .bytes = 20, .least = 2, .quants = 4)
PACK_BLOCKS(q5_0, .bytes = 22, .fifth = 2, .quants = 6, .zero = 16)
PACK_BLOCKS(q5_1, .bytes = 24, .least = 2, .fifth = 4, .quants = 8)
PACK_BLOCKS(q8_0, .bytes = 34, .quants = 2)

#define SIMD_TABLE(which)                                                                   \
    {                                                                                       \
        .isa = (which), .columns = COLUMNS,                                                 \
        .rows = TILE, .pack = { [DTYPE_F32] = pack_f32,   [DTYPE_F16] = pack_f16,           \
                                [DTYPE_BF16] = pack_bf16, [DTYPE_Q4_0] = pack_q4_0,         \
                                [DTYPE_Q4_1] = pack_q4_1, [DTYPE_Q5_0] = pack_q5_0,         \
                                [DTYPE_Q5_1] = pack_q5_1, [DTYPE_Q8_0] = pack_q8_0 },       \
        .multiply = multiply, .finish = finish, .exp = map_exp, .erf = map_erf,             \
        .add = map_add, .softmax = softmax, .norm_layer = norm_layer, .norm_rms = norm_rms, \
    }
