#include "core/explain/rollout.h"

#include "core/base/catch.h"

/* One layer's heads as one matrix A [T, T]: rows sum to 1, half of it the identity. */
static void fuse_heads(const float *heads, int64_t count, int64_t t, enum rollout_fuse fuse,
                       double *a) {
    for (int64_t i = 0; i < t * t; i++) {
        double all = (double)heads[i];
        for (int64_t h = 1; h < count; h++) {
            double one = (double)heads[h * t * t + i];
            all = fuse == ROLLOUT_MEAN ? all + one : one > all ? one : all;
        }
        a[i] = all;
    }
    for (int64_t row = 0; row < t; row++) {
        double sum = 0;
        for (int64_t k = 0; k < t; k++) {
            sum += a[row * t + k];
        }
        for (int64_t k = 0; k < t; k++) {
            double own = k == row ? 1 : 0;
            a[row * t + k] = sum == 0 ? own : (a[row * t + k] / sum + own) / 2;
        }
    }
}

/* next = a r, all [T, T] */
static void multiply(const double *a, const double *r, int64_t t, double *next) {
    for (int64_t row = 0; row < t; row++) {
        for (int64_t k = 0; k < t; k++) {
            next[row * t + k] = 0;
        }
        for (int64_t via = 0; via < t; via++) {
            double share = a[row * t + via];
            for (int64_t k = 0; share != 0 && k < t; k++) {
                next[row * t + k] += share * r[via * t + k];
            }
        }
        stop_check();
    }
}

struct tensor *rollout(struct arena *arena, const struct tensor *attention,
                       enum rollout_fuse fuse, struct err *err) {
    char shape[100];
    if (attention->rank != 4 || attention->shape[2] != attention->shape[3] ||
        attention->shape[1] < 1) {
        err_set(err, ERR_SHAPE,
                "attention is %s, of rank %d; [layers, heads, tokens, tokens] is wanted",
                tensor_shape_text(attention, shape), attention->rank);
        return NULL;
    }
    int64_t layers = attention->shape[0], heads = attention->shape[1], t = attention->shape[2];
    struct tensor *steps = tensor_new(arena, 3, (int64_t[]){ layers, t, t });
    struct arena_mark mark = arena_mark(arena);
    double *a = arena_array(arena, t * t, sizeof *a), *r = arena_array(arena, t * t, sizeof *r),
           *next = arena_array(arena, t * t, sizeof *next);
    for (int64_t i = 0; i < t; i++) {
        r[i * t + i] = 1;
    }
    for (int64_t l = 0; l < layers; l++) {
        fuse_heads(attention->data + l * heads * t * t, heads, t, fuse, a);
        multiply(a, r, t, next);
        for (int64_t i = 0; i < t * t; i++) {
            steps->data[l * t * t + i] = (float)(r[i] = next[i]);
        }
    }
    arena_rewind(arena, mark);
    return steps;
}
