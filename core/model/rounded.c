#include "core/model/rounded.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/model/newborn.h"
#include "core/tensor/quant.h"
#include "core/tensor/safetensors_write.h"

/* The nearest number that float16 has: 11 digits, the last no smaller than 2^-24. */
static double half(double x) {
    int power;
    frexp(x, &power);
    int last = power - 11 > -24 ? power - 11 : -24;
    return ldexp(nearbyint(ldexp(x, -last)), last);
}

void rounded_block(float *values, int64_t n, int bits) {
    float low = values[0], high = values[0];
    bool whole = true;
    for (int64_t i = 0; i < n; i++) {
        whole = whole && isfinite(values[i]);
        low = fminf(low, values[i]);
        high = fmaxf(high, values[i]);
    }
    double most = (double)((1 << bits) - 1), step = ((double)high - (double)low) / most;
    for (int64_t i = 0; whole && step > 0 && i < n; i++) {
        double steps = floor(((double)values[i] - (double)low) / step + 0.5);
        values[i] = (float)(half(step) * steps + half((double)low));
    }
}

/* ---- tensors ---- */

static bool is_matrix(const struct tensor *tensor) {
    enum dtype type = tensor->dtype;
    return tensor->rank == 2 &&
           (type == DTYPE_F32 || type == DTYPE_F16 || type == DTYPE_BF16 || type == DTYPE_F64);
}

static const struct tensor *matrix_round(struct arena *arena, const struct tensor *from,
                                         int bits) {
    int64_t rows = from->shape[0], columns = from->shape[1];
    size_t row = (size_t)(tensor_bytes(from) / (rows > 0 ? rows : 1));
    struct tensor *to = tensor_new(arena, 2, from->shape);
    to->name = from->name;
    for (int64_t r = 0; r < rows; r++) {
        float *values = to->data + r * columns;
        quant_row(from->dtype, (const char *)from->bytes + (size_t)r * row, 0, columns, values);
        for (int64_t at = 0; at < columns; at += ROUNDED_BLOCK) {
            int64_t n = columns - at < ROUNDED_BLOCK ? columns - at : ROUNDED_BLOCK;
            rounded_block(values + at, n, bits);
        }
        stop_check();
    }
    return to;
}

static int tensors_write(struct arena *arena, const struct weights *weights, int bits,
                         const char *folder, struct err *err) {
    const struct tensor **tensors = arena_array(arena, weights->count, sizeof *tensors);
    for (int64_t i = 0; i < weights->count; i++) {
        const struct tensor *tensor = &weights->tensors[i];
        tensors[i] = is_matrix(tensor) ? matrix_round(arena, tensor, bits) : tensor;
    }
    return safetensors_write(file_join(arena, folder, "model.safetensors"), tensors,
                             weights->count, err);
}

/* ---- what lies beside them ---- */

static const char *const beside[] = { "config.json",           "tokenizer.json",
                                      "tokenizer_config.json", "generation_config.json",
                                      "chat_template.jinja",   "1_Pooling/config.json" };
enum { BESIDE = sizeof beside / sizeof *beside };

/* Those that are there; NULL for the others. */
static int beside_map(struct arena *arena, const char *from, const struct file *files[BESIDE],
                      struct err *err) {
    for (int i = 0; i < BESIDE; i++) {
        const char *path = file_join(arena, from, beside[i]);
        files[i] = file_exists(path) ? file_map(arena, path, err) : NULL;
        if (file_exists(path) && !files[i]) {
            return err_pass(err);
        }
    }
    return 0;
}

static int beside_write(struct arena *arena, const char *folder,
                        const struct file *const files[BESIDE], struct err *err) {
    if (file_make_folders(arena, file_join(arena, folder, "1_Pooling"), err) < 0) {
        return err_pass(err);
    }
    for (int i = 0; i < BESIDE; i++) {
        if (files[i] && file_write(file_join(arena, folder, beside[i]), files[i]->bytes,
                                   (size_t)files[i]->size, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

/* What is in the folder, as its name says: models may share their weights and differ in what
 * lies beside them. */
static const char *folder_of(struct arena *arena, const struct model *model, int bits,
                             const struct file *const files[BESIDE], struct err *err) {
    const char *cache = newborn_cache(arena, err), *weights = model->weights->fingerprint;
    struct file_piece pieces[1 + 2 * BESIDE] = { { weights, strlen(weights) + 1 } };
    int n = 1;
    char hex[65];
    for (int i = 0; i < BESIDE; i++) {
        if (files[i]) {
            pieces[n++] = (struct file_piece){ beside[i], strlen(beside[i]) + 1 };
            pieces[n++] = (struct file_piece){ files[i]->bytes, (size_t)files[i]->size };
        }
    }
    file_sha256(pieces, n, hex);
    return cache ? arena_printf(arena, "%s/%s-%dbit-%.16s", cache, model->arch->name, bits, hex)
                 : NULL;
}

static int check(const struct model *model, struct err *err) {
    const struct weights *weights = model->weights;
    int64_t matrices = 0;
    for (int64_t i = 0; i < weights->count; i++) {
        matrices += is_matrix(&weights->tensors[i]);
    }
    if (weights->format != WEIGHTS_SAFETENSORS || !file_is_folder(model->path)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "this model is one file, %s: rounding takes a folder with config.json "
                       "and .safetensors, whose numbers are still whole",
                       model->path);
    }
    if (matrices == 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "none of this model's tensors is a matrix of floats (most are %s), so "
                       "there is nothing to round",
                       model->dtype);
    }
    return 0;
}

const char *rounded_write(struct arena *arena, const struct model *model, int bits,
                          struct err *err) {
    const struct file *files[BESIDE];
    bool good = check(model, err) == 0 && beside_map(arena, model->path, files, err) == 0;
    const char *folder = good ? folder_of(arena, model, bits, files, err) : NULL;
    if (!folder || beside_write(arena, folder, files, err) < 0 ||
        tensors_write(arena, model->weights, bits, folder, err) < 0) {
        err_pass(err);
        return NULL;
    }
    return folder;
}
