#include "core/model/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/tensor/gemm.h"
#include "core/tensor/quant.h"

#define NAMED(name, format)                     \
    char name[200];                             \
    va_list args;                               \
    va_start(args, format);                     \
    vsnprintf(name, sizeof name, format, args); \
    va_end(args)

bool parts_has(struct parts *parts, const char *format, ...) {
    NAMED(name, format);
    return weights_at(parts->weights, name) != NULL;
}

const char *parts_prefix(struct parts *parts, const char *const *prefixes, const char *name) {
    while (prefixes[1] && !parts_has(parts, "%s%s", prefixes[0], name)) {
        prefixes++;
    }
    return *prefixes;
}

void parts_agree(struct parts *parts, bool said, const char *flag, const char *format, ...) {
    NAMED(name, format);
    if (!parts->failed && !said && weights_at(parts->weights, name)) {
        err_set(parts->err, ERR_FORMAT,
                "%s: the configuration says that %s is false, but there is a tensor %s",
                parts->weights->path, flag, name);
        parts->failed = true;
    }
}

void parts_none(struct parts *parts, int64_t blocks, const char *format, ...) {
    NAMED(name, format);
    if (!parts->failed && weights_at(parts->weights, name)) {
        err_set(parts->err, ERR_FORMAT,
                "%s: the configuration asks for %lld layers, but the tensor %s belongs to "
                "another one",
                parts->weights->path, (long long)blocks, name);
        parts->failed = true;
    }
}

static const struct tensor *matrix(struct parts *parts, int64_t rows, int64_t columns,
                                   const char *name) {
    if (parts->failed) {
        return NULL;
    }
    const struct tensor *tensor =
        weights_need(parts->weights, name, 2, (int64_t[]){ rows, columns }, parts->err);
    if (tensor && !gemm_reads(tensor->dtype)) {
        err_set(
            parts->err, ERR_UNSUPPORTED,
            "%s: tensor %s holds %s; products read F64, F32, F16, BF16 and the quantised types "
            "of GGUF",
            parts->weights->path, name, dtype_name(tensor->dtype));
        tensor = NULL;
    }
    parts->failed = !tensor;
    return tensor;
}

/* Where the numbers are floats in place, the file's own tensor. */
static const struct tensor *as_floats(struct parts *parts, const struct tensor *tensor) {
    if (tensor->dtype == DTYPE_F32 && (uintptr_t)tensor->bytes % sizeof(float) == 0) {
        return tensor;
    }
    struct tensor *floats = tensor_new(parts->arena, tensor->rank, tensor->shape);
    quant_row(tensor->dtype, tensor->bytes, 0, tensor_count(tensor), floats->data);
    floats->name = tensor->name;
    return floats;
}

static const struct tensor *vector(struct parts *parts, int64_t n, const char *name) {
    if (parts->failed) {
        return NULL;
    }
    const struct tensor *tensor =
        weights_need(parts->weights, name, 1, (int64_t[]){ n }, parts->err);
    if (tensor && !quant_known(tensor->dtype)) {
        err_set(parts->err, ERR_UNSUPPORTED,
                "%s: tensor %s holds %s, not floating-point numbers", parts->weights->path,
                name, dtype_name(tensor->dtype));
        tensor = NULL;
    }
    parts->failed = !tensor;
    return tensor ? as_floats(parts, tensor) : NULL;
}

const struct tensor *parts_matrix(struct parts *parts, int64_t rows, int64_t columns,
                                  const char *format, ...) {
    NAMED(name, format);
    return matrix(parts, rows, columns, name);
}

const struct tensor *parts_table(struct parts *parts, int64_t rows, int64_t columns,
                                 const char *format, ...) {
    NAMED(name, format);
    const struct tensor *tensor = matrix(parts, rows, columns, name);
    return tensor ? as_floats(parts, tensor) : NULL;
}

const struct tensor *parts_vector(struct parts *parts, int64_t n, const char *format, ...) {
    NAMED(name, format);
    return vector(parts, n, name);
}

/* The layer of that name; its weight lies as [rows, columns] or across. */
static struct op_dense dense(struct parts *parts, int64_t rows, int64_t columns, bool across,
                             bool biased, const char *stem) {
    char name[220];
    struct op_dense dense = { .across = across };
    snprintf(name, sizeof name, "%s.weight", stem);
    dense.weight = matrix(parts, across ? columns : rows, across ? rows : columns, name);
    snprintf(name, sizeof name, "%s.bias", stem);
    if (biased || weights_at(parts->weights, name)) {
        dense.bias = vector(parts, rows, name);
    }
    return dense;
}

struct op_dense parts_dense(struct parts *parts, int64_t rows, int64_t columns, bool biased,
                            const char *format, ...) {
    NAMED(stem, format);
    return dense(parts, rows, columns, false, biased, stem);
}

struct op_dense parts_conv1d(struct parts *parts, int64_t rows, int64_t columns,
                             const char *format, ...) {
    NAMED(stem, format);
    return dense(parts, rows, columns, true, true, stem);
}

struct op_norm parts_norm(struct parts *parts, int64_t n, bool rms, double eps,
                          const char *format, ...) {
    NAMED(stem, format);
    char name[220];
    struct op_norm norm = { .rms = rms, .eps = eps };
    snprintf(name, sizeof name, "%s.gamma", stem);
    bool old = weights_at(parts->weights, name) != NULL;
    snprintf(name, sizeof name, "%s.%s", stem, old ? "gamma" : "weight");
    norm.gain = vector(parts, n, name);
    snprintf(name, sizeof name, "%s.%s", stem, old ? "beta" : "bias");
    if (weights_at(parts->weights, name)) {
        norm.bias = vector(parts, n, name);
    }
    return norm;
}

struct op_norm parts_norm_plain(struct parts *parts, int64_t n, bool rms, double eps) {
    if (parts->failed) { /* no tensor vouches for n */
        return (struct op_norm){ 0 };
    }
    struct tensor *ones = tensor_new(parts->arena, 1, &n);
    for (int64_t i = 0; i < n; i++) {
        ones->data[i] = 1;
    }
    return (struct op_norm){ .gain = ones, .rms = rms, .eps = eps };
}

int parts_act(const char *name, enum simd_act *act, struct err *err) {
    static const struct {
        const char *name;
        enum simd_act act;
    } known[] = { { "gelu", SIMD_GELU },
                  { "gelu_python", SIMD_GELU },
                  { "gelu_new", SIMD_GELU_TANH },
                  { "gelu_fast", SIMD_GELU_TANH },
                  { "gelu_pytorch_tanh", SIMD_GELU_TANH },
                  { "gelu_python_tanh", SIMD_GELU_TANH },
                  { "gelu_accurate", SIMD_GELU_TANH },
                  { "quick_gelu", SIMD_GELU_QUICK },
                  { "relu", SIMD_RELU },
                  { "relu2", SIMD_RELU_SQUARED },
                  { "silu", SIMD_SILU },
                  { "swish", SIMD_SILU },
                  { "sigmoid", SIMD_SIGMOID },
                  { "tanh", SIMD_TANH } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) {
            *act = known[i].act;
            return 0;
        }
    }
    char quoted[40];
    return err_set(
        err, ERR_UNSUPPORTED,
        "activation %s; known are gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, relu2, "
        "silu, sigmoid, tanh",
        err_quote(quoted, sizeof quoted, name, strlen(name)));
}
