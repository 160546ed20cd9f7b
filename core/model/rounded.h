#ifndef CORE_MODEL_ROUNDED_H
#define CORE_MODEL_ROUNDED_H

#include "core/model/model.h"

/* rounded: the same model with its matrices in fewer bits, to see what quantisation costs.
 *
 * Each block of 32 numbers of a row takes 2^bits values, evenly spaced from its smallest to its
 * largest:
 *
 *     d = half((max - min) / (2^bits - 1))    m = half(min)    d * round((x - min) / step) + m
 *
 * With 4 bits that is GGUF's Q4_1, with 5 its Q5_1: step and smallest are kept in float16, one
 * bit more a weight. What is written is these numbers in float32: an ordinary folder, as large
 * as a float32 model, whose every number is one that the short form can hold. Vectors (norms,
 * biases) stay as they are, as they do in GGUF files. */

enum { ROUNDED_BLOCK = 32, ROUNDED_LEAST = 2, ROUNDED_MOST = 8 };

/* Rounds n numbers, n at most a block; a block with NaN or infinities stays as it is. */
void rounded_block(float *values, int64_t n, int bits);

/* Writes it below the user's cache folder and returns the folder. ERR_UNSUPPORTED for a model
 * that is no folder of safetensors, or whose matrices are quantised already; ERR_IO. */
const char *rounded_write(struct arena *arena, const struct model *model, int bits,
                          struct err *err);

#endif
