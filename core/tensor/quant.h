#ifndef CORE_TENSOR_QUANT_H
#define CORE_TENSOR_QUANT_H

#include <stdint.h>

#include "core/tensor/tensor.h"

/* quant: what the bytes of a weight mean, as float32.
 *
 * Formats (GGUF). A block of 32 values, d and m in F16: Q4_0 d*(q-8); Q4_1 d*q+m; Q5_0
 * d*(q-16); Q5_1 d*q+m; Q8_0 d*q; IQ4_NL d*step[q]. A block of 256 in parts of 16 or 32 with
 * whole-number scales s and l: Q2_K, Q4_K, Q5_K d*s*q - m*l; Q3_K, Q6_K d*s*(q-4), (q-32);
 * IQ4_XS d*s*step[q]. Every result is exact in float32 arithmetic: products are, and there is
 * one addition. */

/* Writes values begin .. begin+n of a row as float32. In block-quantised types both are
 * multiples of 32. `row` points to the row's first byte. Handles every type that weights may
 * have (F32, F16, BF16, F64 and the quantised). */
void quant_row(enum dtype dtype, const void *row, int64_t begin, int64_t n, float *out);

/* Whether quant_row knows the type. */
int quant_known(enum dtype dtype);

float quant_f16(uint16_t half);
float quant_bf16(uint16_t brain);

#endif
