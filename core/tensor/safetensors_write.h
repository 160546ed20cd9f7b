#ifndef CORE_TENSOR_SAFETENSORS_WRITE_H
#define CORE_TENSOR_SAFETENSORS_WRITE_H

#include "core/base/err.h"
#include "core/tensor/tensor.h"

/* safetensors_write: named tensors into one .safetensors file.
 *
 * Format: 8 bytes with the header's length (little endian), the header (JSON: for each tensor
 * dtype, shape and its range of bytes; texts under "__metadata__"), then the data without
 * holes. The header is padded with blanks so that the data begins at a multiple of 8 bytes. */

struct safetensors_text {
    const char *key, *value;
};

/* Writes atomically, in the order given; each tensor needs a name of its own. ERR_BUG for one
 * without a name, or for a type that the format does not have; ERR_IO. */
int safetensors_write(const char *path, const struct tensor *const *tensors, int64_t count,
                      struct err *err);

/* The same, with texts in "__metadata__". */
int safetensors_write_with(const char *path, const struct tensor *const *tensors, int64_t count,
                           const struct safetensors_text *texts, int64_t text_count,
                           struct err *err);

#endif
