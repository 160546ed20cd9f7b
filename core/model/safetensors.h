#ifndef CORE_MODEL_SAFETENSORS_H
#define CORE_MODEL_SAFETENSORS_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/file.h"
#include "core/tensor/tensor.h"

/* safetensors: one file of named tensors.
 *
 *     8 bytes   N, the header's length, little endian; at most 100,000,000
 *     N bytes   JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...,
 *               "__metadata__": {"key": "text"}}, padded with blanks
 *     the rest  the tensors' data, without overlap, hole or remainder
 *
 * Source: github.com/huggingface/safetensors, README, "Format". Its checks are all made here,
 * in the only function that makes tensors of a file; a rank above 5 is refused too. */

/* Reads and validates the header. The tensors (as they stand in the header; their names are in
 * the arena) point into the map; those that do not lie at a multiple of their element's size,
 * as files of 2022 have them, are copied. -1 with ERR_FORMAT (file, tensor, field and value),
 * or ERR_UNSUPPORTED for a number type that nothing here computes with. */
int safetensors_read(struct arena *arena, const struct file *file, struct tensor **tensors,
                     int64_t *count, struct err *err);

#endif
