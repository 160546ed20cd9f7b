#ifndef CORE_MODEL_WEIGHTS_H
#define CORE_MODEL_WEIGHTS_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/file.h"
#include "core/tensor/safetensors_write.h"
#include "core/tensor/tensor.h"

/* weights: the named tensors of a model file, mapped and validated, never copied.
 *
 * Opens a Hugging Face folder (model.safetensors, or shards with model.safetensors.index.json),
 * one .safetensors file, or one .gguf file. Everything is checked before a weights can exist:
 * every length against the bytes that remain, in arithmetic that cannot wrap; shapes against
 * byte ranges; no name twice, no overlap, no hole (safetensors), nothing outside the file. A
 * pytorch_model.bin is refused with the sentence that says why and how to convert it. */

enum weights_format { WEIGHTS_SAFETENSORS, WEIGHTS_GGUF };

struct weights {
    enum weights_format format;
    const char *path;        /* as opened: the folder or the file */
    int64_t count;           /* tensors */
    struct tensor *tensors;  /* [count], sorted by name (strcmp) */
    int64_t bytes;           /* of all tensor data */
    int64_t files;           /* that hold them: 1, or the shards */
    int64_t file_bytes;      /* of these files */
    int64_t changed;         /* when the newest of them was written: ns since 1970 */
    struct file_piece *maps; /* [files] where they are mapped */
    struct gguf *gguf;       /* metadata of a GGUF file; NULL otherwise */
    char fingerprint[17];    /* first 16 hex digits of SHA-256 over names, types, shapes and
                                samples of   the data of every tensor: cheap, and different for a
                                fine-tuned twin */
};

/* ERR_IO, ERR_FORMAT (file, field and value named), ERR_UNSUPPORTED, ERR_MODEL (nothing there).
 */
struct weights *weights_open(struct arena *arena, const char *path, struct err *err);

/* The tensor of that name, or NULL. */
const struct tensor *weights_at(const struct weights *weights, const char *name);

/* The same, but absent is an error (ERR_FORMAT), and so is another shape than wanted (rank and
 * sizes; a size of -1 takes any). */
const struct tensor *weights_need(const struct weights *weights, const char *name, int rank,
                                  const int64_t *shape, struct err *err);

/* For the readers: a tensor's name as a terminated copy that may stand in any message. NULL if
 * it is empty, longer than 255 bytes, no UTF-8 or holds control or hidden characters. */
const char *weights_name(struct arena *arena, const char *bytes, size_t length);

/* The file of that name that lies with the weights: in their folder, or beside their file. */
const char *weights_beside(struct arena *arena, const char *path, const char *name);

#endif
