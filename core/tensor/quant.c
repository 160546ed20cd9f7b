#include "core/tensor/quant.h"

#include <string.h>

enum { BLOCK = 32 };

float quant_f16(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    float value;
    if (exponent == 0) { /* zero or subnormal: fraction * 2^-24, exact */
        value = (float)fraction * 0x1p-24F;
        return sign ? -value : value;
    }
    uint32_t bits =
        exponent == 31 ? 0x7f800000 | fraction << 13 : (exponent + 112) << 23 | fraction << 13;
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float quant_bf16(uint16_t brain) {
    uint32_t bits = (uint32_t)brain << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Two bytes at any address. */
static uint16_t two(const unsigned char *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

/* Blocks of 4-bit numbers: byte i holds value i below and value i + 16 above. `high` (or NULL)
 * has a fifth bit for each of the 32 values. out = d * (q - offset) + m. */
static void block_of_nibbles(const unsigned char *low, const unsigned char *high, float d,
                             int offset, float *out) {
    uint32_t fifth = 0;
    if (high) {
        fifth = (uint32_t)two(high) | (uint32_t)two(high + 2) << 16;
    }
    for (int i = 0; i < BLOCK / 2; i++) {
        int a = (low[i] & 15) | (int)(fifth >> i & 1) << 4;
        int b = low[i] >> 4 | (int)(fifth >> (i + 16) & 1) << 4;
        out[i] = d * (float)(a - offset);
        out[i + 16] = d * (float)(b - offset);
    }
}

static void add(float *out, float m) {
    for (int i = 0; i < BLOCK; i++) {
        out[i] += m;
    }
}

static void halves_scaled(const unsigned char *at, float d, const signed char *steps,
                          float *out) {
    for (int i = 0; i < BLOCK / 2; i++) {
        out[i] = d * (float)steps[at[i] & 15];
        out[i + 16] = d * (float)steps[at[i] >> 4];
    }
}

/* The uneven steps of IQ4_NL and IQ4_XS. */
static const signed char steps[16] = { -127, -104, -83, -65, -49, -35, -22, -10,
                                       1,    13,   25,  38,  53,  69,  89,  113 };

static void block_value(enum dtype dtype, const unsigned char *at, float *out) {
    float d = quant_f16(two(at));
    switch (dtype) {
    case DTYPE_Q4_0:
        block_of_nibbles(at + 2, NULL, d, 8, out);
        break;
    case DTYPE_Q4_1:
        block_of_nibbles(at + 4, NULL, d, 0, out);
        add(out, quant_f16(two(at + 2)));
        break;
    case DTYPE_Q5_0:
        block_of_nibbles(at + 6, at + 2, d, 16, out);
        break;
    case DTYPE_Q5_1:
        block_of_nibbles(at + 8, at + 4, d, 0, out);
        add(out, quant_f16(two(at + 2)));
        break;
    case DTYPE_IQ4_NL:
        halves_scaled(at + 2, d, steps, out);
        break;
    default: /* Q8_0 */
        for (int i = 0; i < BLOCK; i++) {
            out[i] = d * (float)(signed char)at[2 + i];
        }
    }
}

/* ---- blocks of 256 ----
 * Eight parts of 32 values, or sixteen of 16, each with a whole-number scale of its own. A
 * function writes part `p` of 32 values. */

static void part_q2_k(const unsigned char *at, int p, float *out) {
    const unsigned char *quants = at + 16 + p / 4 * 32;
    float d = quant_f16(two(at + 80)), least = quant_f16(two(at + 82));
    for (int i = 0; i < BLOCK; i++) {
        int scale = at[2 * p + i / 16], q = quants[i] >> p % 4 * 2 & 3;
        out[i] = d * (float)(scale & 15) * (float)q - least * (float)(scale >> 4);
    }
}

/* Scale j of Q3_K: four bits in eight bytes, low halves first, two more in the next four. */
static int scale_q3_k(const unsigned char *at, int j) {
    int low = at[j % 8] >> (j < 8 ? 0 : 4) & 15, high = at[8 + j % 4] >> j / 4 * 2 & 3;
    return (low | high << 4) - 32;
}

static void part_q3_k(const unsigned char *at, int p, float *out) {
    const unsigned char *quants = at + 32 + p / 4 * 32;
    float d = quant_f16(two(at + 108));
    for (int i = 0; i < BLOCK; i++) {
        int q = (quants[i] >> p % 4 * 2 & 3) - (at[i] >> p & 1 ? 0 : 4);
        out[i] = d * (float)scale_q3_k(at + 96, 2 * p + i / 16) * (float)q;
    }
}

/* Scale and least value of part p in Q4_K and Q5_K: six bits each. The upper two bits of the
 * last four stand above the first four. */
static void scale_q4_k(const unsigned char *at, int p, int *scale, int *least) {
    if (p < 4) {
        *scale = at[p] & 63;
        *least = at[p + 4] & 63;
    } else {
        *scale = (at[p + 4] & 15) | at[p - 4] >> 6 << 4;
        *least = at[p + 4] >> 4 | at[p] >> 6 << 4;
    }
}

/* `fifth` NULL: Q4_K; else Q5_K, whose bit p of fifth[i] is the fifth of value i. */
static void part_q4_k(const unsigned char *at, int p, const unsigned char *fifth,
                      const unsigned char *quants, float *out) {
    float d = quant_f16(two(at)), m = quant_f16(two(at + 2));
    int scale, least;
    scale_q4_k(at + 4, p, &scale, &least);
    for (int i = 0; i < BLOCK; i++) {
        int q = quants[p / 2 * 32 + i] >> p % 2 * 4 & 15;
        q |= fifth ? (fifth[i] >> p & 1) << 4 : 0;
        out[i] = d * (float)scale * (float)q - m * (float)least;
    }
}

static void part_q6_k(const unsigned char *at, int p, float *out) {
    const unsigned char *low = at + p / 4 * 64 + p % 2 * 32, *high = at + 128 + p / 4 * 32;
    const signed char *scales = (const signed char *)at + 192;
    float d = quant_f16(two(at + 208));
    for (int i = 0; i < BLOCK; i++) {
        int q = (low[i] >> p % 4 / 2 * 4 & 15) | (high[i] >> p % 4 * 2 & 3) << 4;
        out[i] = d * (float)scales[2 * p + i / 16] * (float)(q - 32);
    }
}

static void part_iq4_xs(const unsigned char *at, int p, float *out) {
    int scale = (at[4 + p / 2] >> p % 2 * 4 & 15) | (two(at + 2) >> 2 * p & 3) << 4;
    halves_scaled(at + 8 + 16 * p, quant_f16(two(at)) * (float)(scale - 32), steps, out);
}

static void part_value(enum dtype dtype, const unsigned char *at, int p, float *out) {
    switch (dtype) {
    case DTYPE_Q2_K:
        part_q2_k(at, p, out);
        break;
    case DTYPE_Q3_K:
        part_q3_k(at, p, out);
        break;
    case DTYPE_Q4_K:
        part_q4_k(at, p, NULL, at + 16, out);
        break;
    case DTYPE_Q5_K:
        part_q4_k(at, p, at + 16, at + 48, out);
        break;
    case DTYPE_Q6_K:
        part_q6_k(at, p, out);
        break;
    default: /* IQ4_XS */
        part_iq4_xs(at, p, out);
    }
}

/* Values begin .. begin + n of a row of blocks, 32 at a time. */
static void row_blocks(enum dtype dtype, const unsigned char *row, int64_t begin, int64_t n,
                       float *out) {
    int64_t values = dtype_block(dtype);
    for (int64_t i = begin; i < begin + n; i += BLOCK, out += BLOCK) {
        const unsigned char *at = row + i / values * dtype_block_bytes(dtype);
        if (values == BLOCK) {
            block_value(dtype, at, out);
        } else {
            part_value(dtype, at, (int)(i % values / BLOCK), out);
        }
    }
}

static void row_f64(const unsigned char *at, int64_t n, float *out) {
    for (int64_t i = 0; i < n; i++) {
        double value;
        memcpy(&value, at + 8 * i, sizeof value);
        out[i] = (float)value;
    }
}

void quant_row(enum dtype dtype, const void *row, int64_t begin, int64_t n, float *out) {
    const unsigned char *at = row;
    if (dtype_block(dtype) == 1) {
        at += begin * dtype_block_bytes(dtype);
    }
    switch (dtype) {
    case DTYPE_F32:
        memcpy(out, at, (size_t)n * sizeof *out);
        break;
    case DTYPE_F16:
        for (int64_t i = 0; i < n; i++) {
            out[i] = quant_f16(two(at + 2 * i));
        }
        break;
    case DTYPE_BF16:
        for (int64_t i = 0; i < n; i++) {
            out[i] = quant_bf16(two(at + 2 * i));
        }
        break;
    case DTYPE_F64:
        row_f64(at, n, out);
        break;
    default:
        row_blocks(dtype, at, begin, n, out);
    }
}

int quant_known(enum dtype dtype) {
    return dtype_block(dtype) > 1 || dtype == DTYPE_F32 || dtype == DTYPE_F16 ||
           dtype == DTYPE_BF16 || dtype == DTYPE_F64;
}
