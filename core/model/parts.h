#ifndef CORE_MODEL_PARTS_H
#define CORE_MODEL_PARTS_H

#include <stdbool.h>

#include "core/model/weights.h"
#include "core/tensor/op.h"

/* parts: how an architecture collects its weights, each checked for its shape and type.
 *
 * After the first failure every call returns NULL and does nothing, so that an architecture
 * asks for all of its parts in a row and looks at `failed` once. */
struct parts {
    struct arena *arena;
    const struct weights *weights;
    struct err *err;
    bool failed;
};

/* Whether the file has a tensor of that name. */
bool parts_has(struct parts *parts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first of `prefixes` (the last is NULL) with which the file has a tensor of that name; the
 * last of them if there is none. */
const char *parts_prefix(struct parts *parts, const char *const *prefixes, const char *name);

/* Fails if a flag of the configuration says no, but the file has the tensor that it speaks of:
 * leaving that out, or taking it in, would be a guess. */
void parts_agree(struct parts *parts, bool said, const char *flag, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Fails if the file has that tensor, which belongs to a layer beyond the `blocks` layers of the
 * configuration: a part of a network would give plausible, wrong numbers. */
void parts_none(struct parts *parts, int64_t blocks, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A matrix that products and embeddings can read, as it lies in the file. */
const struct tensor *parts_matrix(struct parts *parts, int64_t rows, int64_t columns,
                                  const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A small matrix as float32 [rows, columns]; its rows are whole blocks where its type has them.
 */
const struct tensor *parts_table(struct parts *parts, int64_t rows, int64_t columns,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* n numbers as float32 [n]: the file's own tensor if they are that there, else converted. The
 * name is the file's. */
const struct tensor *parts_vector(struct parts *parts, int64_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A linear layer: NAME.weight [rows, columns] and NAME.bias [rows], which may be absent unless
 * `biased`. */
struct op_dense parts_dense(struct parts *parts, int64_t rows, int64_t columns, bool biased,
                            const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same where NAME.weight lies as [columns, rows] (GPT-2's Conv1D). */
struct op_dense parts_conv1d(struct parts *parts, int64_t rows, int64_t columns,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A norm: NAME.weight [n] and, if the file has it, NAME.bias [n]; in old files NAME.gamma and
 * NAME.beta. */
struct op_norm parts_norm(struct parts *parts, int64_t n, bool rms, double eps,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A norm without parameters: its gain is 1 everywhere and has no name. */
struct op_norm parts_norm_plain(struct parts *parts, int64_t n, bool rms, double eps);

/* The act that a configuration means by a name; ERR_UNSUPPORTED lists those known. */
int parts_act(const char *name, enum simd_act *act, struct err *err);

#endif
