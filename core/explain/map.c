#include "core/explain/map.h"

#include <math.h>
#include <string.h>

enum { PIECE = 4096 }; /* values that are looked at together */

/* Less itself such a value is no zero. */
int64_t map_odd(const struct tensor *of) {
    const float *x = of->data;
    int64_t count = tensor_count(of);
    for (int64_t begin = 0; begin < count; begin += PIECE) {
        int64_t end = begin + PIECE < count ? begin + PIECE : count;
        int odd = 0;
        for (int64_t i = begin; i < end; i++) {
            odd |= !(x[i] - x[i] == 0.0F);
        }
        for (int64_t i = begin; odd && i < end; i++) {
            if (!isfinite(x[i])) {
                return i;
            }
        }
    }
    return -1;
}

int map_finite(const struct tensor *x, const char *what, struct err *err) {
    char shape[100];
    if (x->dtype != DTYPE_F32 || x->rank != 2 || x->shape[1] < 1) {
        return err_set(err, ERR_SHAPE, "%s takes points [n, F] of float32; these are %s %s",
                       what, tensor_shape_text(x, shape), dtype_name(x->dtype));
    }
    int64_t place = map_odd(x);
    if (place >= 0) {
        return err_set(err, ERR_TEXT, "%s: point %lld has %s in dimension %lld", what,
                       (long long)(place / x->shape[1]), isnan(x->data[place]) ? "NaN" : "Inf",
                       (long long)(place % x->shape[1]));
    }
    return 0;
}

int map_check(const struct tensor *x, int64_t least, const char *what, struct err *err) {
    if (map_finite(x, what, err) < 0) {
        return err_pass(err);
    }
    int64_t n = x->shape[0], width = x->shape[1], same = 1;
    if (n < least) {
        return err_set(err, ERR_TEXT, "%s needs at least %lld points; there %s %lld", what,
                       (long long)least, n == 1 ? "is" : "are", (long long)n);
    }
    while (same < n &&
           memcmp(x->data, x->data + same * width, (size_t)width * sizeof *x->data) == 0) {
        same++;
    }
    if (same == n) {
        return err_set(err, ERR_TEXT,
                       "%s: all %lld points are the same, so there is nothing to map", what,
                       (long long)n);
    }
    return 0;
}
