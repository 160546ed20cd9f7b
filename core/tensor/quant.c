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
    default: /* Q8_0 */
        for (int i = 0; i < BLOCK; i++) {
            out[i] = d * (float)(signed char)at[2 + i];
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
    at += begin / dtype_block(dtype) * dtype_block_bytes(dtype);
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
        for (int64_t i = 0; i < n; i += BLOCK, at += dtype_block_bytes(dtype)) {
            block_value(dtype, at, out + i);
        }
    }
}

int quant_known(enum dtype dtype) {
    switch (dtype) {
    case DTYPE_F32:
    case DTYPE_F16:
    case DTYPE_BF16:
    case DTYPE_F64:
    case DTYPE_Q4_0:
    case DTYPE_Q4_1:
    case DTYPE_Q5_0:
    case DTYPE_Q5_1:
    case DTYPE_Q8_0:
        return 1;
    default:
        return 0;
    }
}
