#include "core/tensor/bins.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"

enum {
    GRAIN = 1 << 16, /* values of one task */
    BLOCK = 256,     /* values whose bins are found together */
    LANES = 16,
    THREADS = 64
};

/* ---- range ---- */

struct ranging {
    const float *x;
    struct bins_range *parts; /* [tasks] */
};

/* Least and largest of each lane; what is not finite compares as false and is left out. */
static void range_task(void *arg, int64_t begin, int64_t end) {
    const struct ranging *r = arg;
    float low[LANES], high[LANES];
    int32_t finite[LANES] = { 0 };
    for (int j = 0; j < LANES; j++) {
        low[j] = INFINITY;
        high[j] = -INFINITY;
    }
    for (int64_t i = begin; i < end; i += LANES) {
        float block[LANES];
        const float *x = r->x + i;
        if (end - i < LANES) {
            for (int j = 0; j < LANES; j++) {
                block[j] = i + j < end ? x[j] : NAN;
            }
            x = block;
        }
        for (int j = 0; j < LANES; j++) {
            int32_t good = fabsf(x[j]) <= FLT_MAX;
            float least = good ? x[j] : INFINITY, most = good ? x[j] : -INFINITY;
            low[j] = least < low[j] ? least : low[j];
            high[j] = most > high[j] ? most : high[j];
            finite[j] += good;
        }
    }
    struct bins_range *part = &r->parts[begin / GRAIN];
    *part = (struct bins_range){ low[0], high[0], finite[0], 0 };
    for (int j = 1; j < LANES; j++) {
        part->low = low[j] < part->low ? low[j] : part->low;
        part->high = high[j] > part->high ? high[j] : part->high;
        part->finite += finite[j];
    }
}

struct bins_range bins_range(const float *x, int64_t n) {
    struct arena *scratch = arena_new();
    int64_t tasks = (n + GRAIN - 1) / GRAIN;
    struct ranging ranging = { x, arena_array(scratch, tasks, sizeof *ranging.parts) };
    pool_for(n, GRAIN, range_task, &ranging);
    struct bins_range all = { INFINITY, -INFINITY, 0, 0 };
    for (int64_t i = 0; i < tasks; i++) {
        const struct bins_range *part = &ranging.parts[i];
        all.low = part->low < all.low ? part->low : all.low;
        all.high = part->high > all.high ? part->high : all.high;
        all.finite += part->finite;
    }
    arena_free(scratch);
    stop_check();
    all.bad = n - all.finite;
    return all.finite ? all : (struct bins_range){ .bad = n };
}

/* ---- equal steps ---- */

struct linear {
    const float *x;
    float low, high;
    double scale; /* bins per unit */
    int64_t bins;
    int64_t
        *tables; /* [threads, 2, bins + 2]: the last two for what is outside, and not finite */
};

/* Grows with x, so that each bin is an interval. */
static int32_t slot_of(const struct linear *l, float x) {
    double at = ((double)x - (double)l->low) * l->scale;
    int32_t last = (int32_t)l->bins - 1;
    int32_t slot = (int32_t)at; /* of what is inside: 0 .. bins */
    slot = slot < last ? slot : last;
    return x >= l->low && x <= l->high ? slot : fabsf(x) <= FLT_MAX ? last + 1 : last + 2;
}

/* A whole block at a time is found by vectors; neighbours are counted in two tables, since
 * equal ones would wait for each other. */
static void linear_task(void *arg, int64_t begin, int64_t end) {
    const struct linear l = *(const struct linear *)arg;
    int64_t *even = l.tables + pool_self() * 2 * (l.bins + 2), *odd = even + l.bins + 2;
    int32_t slots[BLOCK];
    int64_t i = begin;
    for (; i + BLOCK <= end; i += BLOCK) {
        for (int j = 0; j < BLOCK; j++) {
            slots[j] = slot_of(&l, l.x[i + j]);
        }
        for (int j = 0; j < BLOCK; j += 2) {
            even[slots[j]]++;
            odd[slots[j + 1]]++;
        }
    }
    for (; i < end; i++) {
        even[slot_of(&l, l.x[i])]++;
    }
}

/* The smallest float of bin i: near its even place, then by steps of one unit. */
static float edge_of(const struct linear *l, int64_t i) {
    if (i == 0 || i == l->bins) {
        return i ? l->high : l->low;
    }
    float edge = (float)((double)l->low + (double)i / l->scale);
    edge = fminf(fmaxf(edge, l->low), l->high);
    while (edge > l->low && slot_of(l, nextafterf(edge, l->low)) >= i) {
        edge = nextafterf(edge, l->low);
    }
    while (edge < l->high && slot_of(l, edge) < i) {
        edge = nextafterf(edge, l->high);
    }
    return edge;
}

int64_t bins_linear(const float *x, int64_t n, float low, float high, int64_t bins,
                    int64_t *counts, float *edges) {
    struct arena *scratch = arena_new();
    struct linear l = { x, low, high, (double)bins / ((double)high - (double)low), bins, NULL };
    l.tables = arena_array(scratch, 2 * THREADS * (bins + 2), sizeof *l.tables);
    pool_for(n, GRAIN, linear_task, &l);
    int64_t outside = 0;
    for (int64_t t = 0; t < 2 * THREADS; t++) {
        const int64_t *table = l.tables + t * (bins + 2);
        for (int64_t i = 0; counts && i < bins; i++) {
            counts[i] += table[i];
        }
        outside += table[bins];
    }
    arena_free(scratch);
    stop_check();
    for (int64_t i = 0; edges && i <= bins; i++) {
        edges[i] = edge_of(&l, i);
    }
    return outside;
}

/* ---- logarithm ---- */

static uint32_t bits_of(const float *x) {
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    return bits & 0x7fffffff;
}

static int64_t zeros_of(const float *x, int64_t n) {
    int64_t zeros = 0;
    for (int64_t i = 0; i < n; i++) {
        zeros += x[i] == 0;
    }
    return zeros;
}

/* Two at a time, as one word: their order does not matter. Zeros fall where the tiniest values
 * do: only if some came there are they looked for, so that most numbers cost a count alone. */
void bins_log_add(struct bins_log *to, const float *x, int64_t n) {
    int64_t *places = to->places, tiny = places[0], i = 0;
    for (; i + 2 <= n; i += 2) {
        uint64_t two;
        memcpy(&two, x + i, sizeof two);
        places[two >> 16 & (BINS_PLACES - 1)]++;
        places[two >> 48 & (BINS_PLACES - 1)]++;
    }
    if (i < n) {
        places[bits_of(x + i) >> 16]++;
    }
    if (places[0] > tiny) {
        int64_t zeros = zeros_of(x, n);
        places[0] -= zeros;
        to->zeros += zeros;
    }
}

void bins_log_merge(struct bins_log *to, const struct bins_log *from) {
    to->zeros += from->zeros;
    for (int64_t i = 0; i < BINS_PLACES; i++) {
        to->places[i] += from->places[i];
    }
}

int64_t bins_log_bad(const struct bins_log *of) {
    int64_t sum = 0;
    for (int64_t i = BINS_BAD; i < BINS_PLACES; i++) {
        sum += of->places[i];
    }
    return sum;
}

/* The smallest magnitude of a place. */
static double place_low(int64_t place) {
    uint32_t bits = (uint32_t)place << 16;
    float low;
    memcpy(&low, &bits, sizeof low);
    return place < BINS_BAD ? (double)low : (double)FLT_MAX;
}

int bins_log_extent(const struct bins_log *of, double *low, double *high) {
    int64_t first = 0, last = BINS_BAD - 1;
    while (first < BINS_BAD && of->places[first] == 0) {
        first++;
    }
    while (last > first && of->places[last] == 0) {
        last--;
    }
    if (first == BINS_BAD) {
        return -1;
    }
    *low = first ? place_low(first) : (double)FLT_TRUE_MIN;
    *high = place_low(last + 1);
    return 0;
}

/* The place whose lower end is nearest. */
static int64_t place_near(double value) {
    float rounded = (float)fmin(value, (double)FLT_MAX);
    int64_t place = bits_of(&rounded) >> 16;
    bool upper = value - place_low(place) > place_low(place + 1) - value;
    return place + upper;
}

void bins_log_edges(double low, double high, int64_t bins, float *edges) {
    double from = log10(low), step = (log10(high) - from) / (double)bins;
    for (int64_t i = 0; i <= bins; i++) {
        edges[i] = (float)place_low(place_near(pow(10, from + step * (double)i)));
    }
}

/* The first place that does not begin below `edge`. */
static int64_t place_from(float edge) {
    int64_t place = ((int64_t)bits_of(&edge) + 0xffff) >> 16;
    return place < BINS_BAD ? place : BINS_BAD;
}

void bins_log_cut(const struct bins_log *of, const float *edges, int64_t bins,
                  int64_t *counts) {
    int64_t place = 0;
    for (int64_t bin = 0; bin < bins; bin++) {
        int64_t end = bin + 1 < bins ? place_from(edges[bin + 1]) : BINS_BAD;
        int64_t sum = 0;
        for (; place < end; place++) {
            sum += of->places[place];
        }
        counts[bin] = sum;
    }
}
