#ifndef CORE_TENSOR_SIMD_H
#define CORE_TENSOR_SIMD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/cpu.h"
#include "core/tensor/tensor.h"

/* simd: the inner loops, once per instruction set (portable C, NEON, AVX2 with FMA, AVX-512).
 *
 * All tables are made from one text, simd_lanes.h, compiled at different widths; they differ in
 * the last digits only (with or without fused multiply-add, 4, 8 or 16 partial sums). Within
 * one table a number depends on the data alone, never on threads, batch or padding:
 *   - a product's sum over k goes 0, 1, 2, ... in order, one accumulator for each output;
 *   - a sum over a row has one partial sum a lane (element i in lane i mod lanes; `apart` has
 * four), then a fixed tree.
 *
 * Rows may have any length and alignment; nothing outside them is read or written. */

/* What may follow a product. */
enum simd_act {
    SIMD_NONE,
    SIMD_GELU,       /* x (1 + erf(x / sqrt 2)) / 2 */
    SIMD_GELU_TANH,  /* x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2; "gelu_new" */
    SIMD_GELU_QUICK, /* x / (1 + exp(-1.702 x)) */
    SIMD_RELU,
    SIMD_RELU_SQUARED,
    SIMD_SILU, /* x / (1 + exp(-x)) */
    SIMD_SIGMOID,
    SIMD_TANH,
    SIMD_ACTS
};

/* How a tile of products ends: y = act(y + bias) * factor + residual; NULL leaves a part out.
 * `sum`, `factor` and `residual` have y's row stride. */
struct simd_finish {
    const float *bias; /* [columns] */
    float *sum;        /* where y + bias is kept */
    enum simd_act act;
    const float *factor;
    const float *residual;
};

/* One row of a normalisation, backwards. `dx`, `dgain` and `dbias` are added to; the last two
 * and `gain` may be NULL. [n] each. */
struct simd_norm_back {
    float *dx, *dgain, *dbias;
    const float *dy, *x, *gain;
    float eps;
    int64_t n;
};

/* What many numbers come to, in float64: number i in lane i mod 8. */
struct simd_tally {
    double squares[8], sums[8];
    float most[8]; /* the largest |x|; NaN is passed over */
};

struct simd {
    enum cpu_isa isa;
    int columns; /* of a panel: the widest tile that multiply makes at once */
    int rows;    /* of the tallest tile */
    int strip;   /* weight rows that apply takes at once */

    /* Makes a panel of k values of `n` weight rows (at most `columns`): panel[i * columns + j]
     * is value begin + i of row j as float32, 0 for j >= n. In block-quantised types `begin`
     * and k are multiples of 32, in the others `begin` is. Entries are NULL for types that are
     * no weights. */
    void (*pack[DTYPE_COUNT])(const void *rows, int64_t row_bytes, int n, int64_t begin,
                              int64_t k, float *panel);
    /* The same panel of weights that lie the other way: panel[i * columns + j] is value
     * column + j of row i, for k rows. `column` is a multiple of `columns`; in block-quantised
     * types n is `columns`. */
    void (*pack_across[DTYPE_COUNT])(const void *rows, int64_t row_bytes, int n, int64_t column,
                                     int64_t k, float *panel);
    /* The inverse for floats: y[j * stride + i] is panel[i * columns + j], i < k, j < n. The
     * panel has room for k rounded up to 16. */
    void (*unpack)(const float *panel, int64_t k, int n, float *y, int64_t stride);
    /* Values begin .. begin + n of one row of weights as they are; multiples of 32 in
     * block-quantised types. What quant_row does, for the types of pack, fast. */
    void (*read[DTYPE_COUNT])(const void *row, int64_t begin, int64_t n, float *out);
    /* y[0..n) (+)= sum over i < k of x[i] times value i of each of n (at most `strip`) weight
     * rows: packing and multiplying of one row of x at once, the same bytes. Block-quantised
     * types only, k whole parts of 32; NULL for the others. `soon`: as in multiply. */
    void (*apply[DTYPE_COUNT])(const void *rows, int64_t row_bytes, int n, int64_t k,
                               const float *x, float *y, bool add, const void *soon,
                               int64_t bytes);
    /* y[r, 0..n) (+)= sum over i < k of x[r, i] panel[i, 0..n), for `rows` rows. Strides in
     * floats. On the way the caches are asked for the `bytes` at `soon`, which will be read
     * next, or as many of them as there is time for. */
    void (*multiply)(int64_t rows, int64_t k, const float *x, int64_t x_stride,
                     const float *panel, int n, float *y, int64_t y_stride, bool add,
                     const void *soon, int64_t bytes);
    /* The same where x lies turned: its value (r, i) is x[i * x_step + r]. */
    void (*multiply_turned)(int64_t rows, int64_t k, const float *x, int64_t x_step,
                            const float *panel, int n, float *y, int64_t y_stride, bool add);
    /* The same where all of the panel's `columns` are there and its rows lie w_stride floats
     * apart: as made by pack, or float32 weights [K, N] as they lie. These become a panel in
     * `copy` on the way, from which all but the first tile of x's rows read; NULL: they do not.
     * `soon`: what the next panel is in or will be made of, k pieces of two lines at most,
     * soon_bytes from one to the next; or NULL. */
    void (*multiply_in_place)(int64_t rows, int64_t k, const float *x, int64_t x_stride,
                              const float *w, int64_t w_stride, float *copy, float *y,
                              int64_t y_stride, bool add, const void *soon, int64_t soon_bytes);
    /* See struct simd_finish; `at` points to the tile's first column in all of its arrays. */
    void (*finish)(int64_t rows, int n, float *y, int64_t stride, const struct simd_finish *at);
    /* The same of a tile that lies turned, y[i * stride + r], for n of x's rows and `rows` of
     * the product's columns, of whose biases `bias` (NULL: none) is the first. */
    void (*finish_turned)(int64_t rows, int n, float *y, int64_t stride, const float *bias,
                          enum simd_act act);

    void (*exp)(float *y, const float *x, int64_t n); /* 2 ulp; 0 below -87.3, inf above 88.7 */
    void (*act)(float *y, const float *x, int64_t n, enum simd_act act);
    void (*add)(float *y, const float *a, const float *b, int64_t n);     /* y = a + b */
    void (*mul)(float *y, const float *a, const float *b, int64_t n);     /* y = a b */
    void (*mul_add)(float *y, const float *a, const float *b, int64_t n); /* y += a b */
    void (*axpy)(float *y, float a, const float *x, int64_t n);           /* y += a x */
    void (*scale)(float *y, float a, const float *x, int64_t n);          /* y = a x */
    float (*sum)(const float *x, int64_t n);
    float (*dot)(const float *a, const float *b, int64_t n);
    float (*apart)(const float *a, const float *b, int64_t n); /* sum of (a - b)^2 */
    /* Adds n numbers, a multiple of 8. Every table gives the same bytes. */
    void (*tally)(struct simd_tally *to, const float *x, int64_t n);

    /* row = softmax(scale * row), in place; -inf becomes exactly 0. A row of -inf alone becomes
     * 0. */
    void (*softmax)(float *row, int64_t n, float scale);
    /* y = (x - mean) / sqrt(variance + eps) * gain + bias; NULL: gain 1, bias 0 */
    void (*norm_layer)(float *y, const float *x, const float *gain, const float *bias,
                       float eps, int64_t n);
    /* y = x / sqrt(mean of x^2 + eps) * gain */
    void (*norm_rms)(float *y, const float *x, const float *gain, float eps, int64_t n);

    /* ---- gradients; where the result and what it comes from are of one kind, they may be
     * one array ---- */

    /* dz = dy act'(z); a kink counts as what lies left of it, as in PyTorch */
    void (*act_back)(float *dz, const float *dy, const float *z, int64_t n, enum simd_act act);
    /* ds = scale p (dp - sum_j p_j dp_j), where p = softmax(scale s) */
    void (*softmax_back)(float *ds, const float *p, const float *dp, int64_t n, float scale);
    void (*norm_layer_back)(const struct simd_norm_back *of);
    void (*norm_rms_back)(const struct simd_norm_back *of);
};

/* The table in use: the one of cpu_isa(). */
const struct simd *simd(void);

/* The table of an instruction set; NULL if this build or this machine has none. */
const struct simd *simd_table(enum cpu_isa isa);

#endif
