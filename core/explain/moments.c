#include "core/explain/moments.h"

#include <math.h>

#include "core/base/catch.h"
#include "core/tensor/quant.h"

enum { AT_ONCE = 8192 /* a multiple of every block's size */ };

/* What is known of some numbers; `squares` is of their distances from the mean. */
struct known {
    int64_t n;
    double mean, squares;
};

static void join(struct known *all, const struct known *more) {
    double n = (double)all->n, m = (double)more->n, apart = more->mean - all->mean;
    if (more->n == 0) {
        return;
    }
    all->mean += apart * m / (n + m);
    all->squares += more->squares + apart * apart * n * m / (n + m);
    all->n += more->n;
}

static void look(struct moments *m, struct known *all, const float *x, int64_t n) {
    struct known part = { 0 };
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = (double)x[i];
        if (!isfinite(v)) {
            m->bad++;
            continue;
        }
        bool first = all->n + part.n == 0;
        m->low = first || v < m->low ? v : m->low;
        m->high = first || v > m->high ? v : m->high;
        m->zeros += v == 0;
        part.n++;
        sum += v;
    }
    part.mean = part.n ? sum / (double)part.n : 0;
    for (int64_t i = 0; i < n; i++) {
        double apart = (double)x[i] - part.mean;
        part.squares += isfinite(x[i]) ? apart * apart : 0;
    }
    join(all, &part);
}

struct moments moments_of(const struct tensor *tensor) {
    int64_t n = tensor_count(tensor);
    struct moments m = { .count = n };
    struct known all = { 0 };
    float x[AT_ONCE];
    if (!quant_known(tensor->dtype)) {
        return m;
    }
    for (int64_t at = 0; at < n; at += AT_ONCE) {
        int64_t some = n - at < AT_ONCE ? n - at : AT_ONCE;
        quant_row(tensor->dtype, tensor->bytes, at, some, x);
        look(&m, &all, x, some);
        stop_check();
    }
    double mean = all.n ? all.squares / (double)all.n : 0;
    m.mean = all.mean;
    m.deviation = sqrt(mean);
    m.norm = sqrt(all.squares + (double)all.n * all.mean * all.mean);
    return m;
}
