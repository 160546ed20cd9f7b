#include "tests/remake.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/file.h"
#include "core/tensor/safetensors_write.h"
#include "tests/check.h"

enum { LARGE = 1 << 18 }; /* numbers: more than any fixture's tensor has */

#define NAMED(name, format)                     \
    char name[200];                             \
    va_list args;                               \
    va_start(args, format);                     \
    vsnprintf(name, sizeof name, format, args); \
    va_end(args)

struct remake *remake_new(struct arena *arena, const char *name) {
    struct remake *remake = arena_alloc(arena, sizeof *remake);
    struct err err = { 0 };
    const char *path = arena_printf(arena, "golden/data/models/%s", name);
    const struct weights *weights = weights_open(arena, check_fixture(arena, path), &err);
    check_same(err.text, "");
    remake->arena = arena;
    for (int64_t i = 0; weights && i < weights->count && i < REMAKE_MOST; i++) {
        remake->tensors[remake->count++] = &weights->tensors[i];
    }
    return remake;
}

/* The place of that name; `count` if there is none. */
static int64_t place(const struct remake *remake, const char *name) {
    int64_t i = 0;
    while (i < remake->count && strcmp(remake->tensors[i]->name, name) != 0) {
        i++;
    }
    return i;
}

static struct tensor *put(struct remake *remake, int rank, const int64_t *shape,
                          const char *name) {
    struct tensor *tensor = tensor_new(remake->arena, rank, shape);
    int64_t at = place(remake, name);
    tensor->name = arena_copy(remake->arena, name);
    if (check(at < REMAKE_MOST)) {
        remake->tensors[at] = tensor;
        remake->count += at == remake->count;
    }
    return tensor;
}

struct tensor *remake_own(struct remake *remake, const char *format, ...) {
    NAMED(name, format);
    int64_t at = place(remake, name);
    if (!check(at < remake->count)) {
        return put(remake, 1, (int64_t[]){ LARGE }, name);
    }
    const struct tensor *old = remake->tensors[at];
    struct tensor *tensor = put(remake, old->rank, old->shape, name);
    memcpy(tensor->data, old->data, (size_t)tensor_bytes(old));
    return tensor;
}

struct tensor *remake_add(struct remake *remake, int64_t rows, int64_t columns,
                          const char *format, ...) {
    NAMED(name, format);
    struct tensor *tensor = put(remake, columns ? 2 : 1, (int64_t[]){ rows, columns }, name);
    remake_fill(tensor, 0);
    return tensor;
}

void remake_drop(struct remake *remake, const char *part) {
    int64_t kept = 0;
    for (int64_t i = 0; i < remake->count; i++) {
        if (!strstr(remake->tensors[i]->name, part)) {
            remake->tensors[kept++] = remake->tensors[i];
        }
    }
    check(kept < remake->count);
    remake->count = kept;
}

void remake_fill(struct tensor *tensor, float value) {
    for (int64_t i = 0; i < tensor_count(tensor); i++) {
        tensor->data[i] = value;
    }
}

struct model *remake_open(const struct remake *remake, const char *config, struct err *err) {
    const char *folder = check_folder(remake->arena);
    FILE *out = fopen(file_join(remake->arena, folder, "config.json"), "we");
    check(out && fputs(config, out) >= 0 && fclose(out) == 0);
    *err = (struct err){ 0 };
    check(safetensors_write(file_join(remake->arena, folder, "model.safetensors"),
                            remake->tensors, remake->count, err) == 0);
    return model_open(remake->arena, folder, err);
}

const struct trace *remake_run(const struct remake *remake, const char *config,
                               const int32_t *ids, int64_t tokens) {
    struct err err = { 0 };
    const struct model *model = remake_open(remake, config, &err);
    struct pass pass = { .arena = remake->arena, .batch = 1, .tokens = tokens, .ids = ids };
    memset(pass.keep, true, sizeof pass.keep);
    const struct trace *trace = model ? model_run(model, &pass, &err) : NULL;
    check_same(err.text, "");
    return trace;
}

void remake_refused(const char *name, const char *config, enum err_kind kind, const char *part,
                    const char *other) {
    struct err err;
    check(!remake_open(remake_new(check_arena(), name), config, &err));
    check_int(err.kind, kind);
    check_text(err.text, part);
    check_text(err.text, other);
}

/* How many numbers differ; -1: these are not two values of one shape. */
static int64_t differences(const struct trace *a, const struct trace *b, enum site site,
                           int64_t layer) {
    const struct tensor *x = a ? trace_at(a, site, layer) : NULL;
    const struct tensor *y = b ? trace_at(b, site, layer) : NULL;
    if (!x || !y || tensor_count(x) != tensor_count(y)) {
        return -1;
    }
    int64_t n = 0;
    for (int64_t i = 0; i < tensor_count(x); i++) {
        double wanted = (double)y->data[i];
        n += !(fabs((double)x->data[i] - wanted) <= 1e-4 + 1e-4 * fabs(wanted));
    }
    return n;
}

void remake_same(const struct trace *a, const struct trace *b, enum site site, int64_t layer) {
    check_int(differences(a, b, site, layer), 0);
}

void remake_differs(const struct trace *a, const struct trace *b, enum site site,
                    int64_t layer) {
    check(differences(a, b, site, layer) > 0);
}
