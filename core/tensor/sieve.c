#include "core/tensor/sieve.h"

#include <math.h>

#include "core/base/cpu.h"
#include "core/base/pool.h"

enum {
    BYTE = 127,
    SHIFT = 128,    /* makes a row's bytes unsigned, as the instruction wants one side */
    WIDEST = 65536, /* 255 * 127 * 65536 < 2^31 */
    ROWS = 64       /* for a task */
};

static const double TINY = 1e-30; /* rows whose largest number is below are nothing but loss */

#if defined __x86_64__
int64_t simd_vnni(const struct sieve *sieve, const struct sieve_look *look);

int64_t sieve_look(const struct sieve *sieve, const struct sieve_look *look) {
    return simd_vnni(sieve, look);
}
#else
int64_t sieve_look(const struct sieve *sieve, const struct sieve_look *look) {
    (void)sieve, (void)look;
    return 0; /* sieve_new makes none */
}
#endif

static int8_t *panel_at(const struct sieve *sieve, int64_t row, int64_t f) {
    int64_t step = row / SIEVE_PANEL * sieve->steps + f / 4;
    return sieve->panels + (step * SIEVE_PANEL + row % SIEVE_PANEL) * 4 + f % 4;
}

/* The rows to be rounded. */
struct rounding {
    const struct sieve *to;
    const float *rows;
    int64_t width;
};

static void row_round(const struct sieve *sieve, int64_t row, const float *values,
                      int64_t width) {
    double most = 0, square = 0, lost = 0;
    int32_t sum = 0;
    for (int64_t f = 0; f < width; f++) {
        double size = fabs((double)values[f]);
        most = size > most ? size : most;
        square += size * size;
    }
    float scale = most > TINY ? (float)(most / BYTE) : 0;
    float times = scale > 0 ? 1 / scale : 0;
    for (int64_t f = 0; f < width; f++) {
        int q = (int)lrintf(values[f] * times);
        double miss = (double)values[f] - q * (double)scale;
        lost += miss * miss;
        sum += q;
        sieve->rows[row * sieve->steps * 4 + f] = (uint8_t)(q + SHIFT);
        *panel_at(sieve, row, f) = (int8_t)q;
    }
    sieve->scales[row] = scale;
    sieve->offsets[row] = SHIFT * sum;
    sieve->losses[row] = (float)(sqrt(lost) * (1 + 1e-6));
    sieve->lengths[row] = (float)((sqrt(square) + sqrt(lost)) * (1 + 1e-6));
}

static void rows_round(void *arg, int64_t begin, int64_t end) {
    const struct rounding *r = arg;
    for (int64_t i = begin; i < end; i++) {
        row_round(r->to, i, r->rows + i * r->width, r->width);
    }
}

struct sieve *sieve_new(struct arena *arena, const float *rows, int64_t n, int64_t width,
                        const float *halves) {
    if (!cpu_multiplies_bytes() || width > WIDEST) {
        return NULL;
    }
    struct sieve *sieve = arena_alloc(arena, sizeof *sieve);
    int64_t padded = (n + SIEVE_PANEL - 1) / SIEVE_PANEL * SIEVE_PANEL, steps = (width + 3) / 4;
    *sieve = (struct sieve){ .n = n,
                             .steps = steps,
                             .rows = arena_array(arena, (n + SIEVE_TILE) * steps, 4),
                             .panels = arena_array(arena, padded * steps, 4),
                             .offsets = arena_array(arena, padded, sizeof(int32_t)),
                             .scales = arena_array(arena, padded, sizeof(float)),
                             .lengths = arena_array(arena, padded, sizeof(float)),
                             .losses = arena_array(arena, padded, sizeof(float)),
                             .halves = arena_array(arena, padded, sizeof(float)) };
    for (int64_t i = 0; i < padded; i++) {
        sieve->halves[i] = i < n ? halves[i] : NAN;
    }
    pool_for(n, ROWS, rows_round, &(struct rounding){ sieve, rows, width });
    return sieve;
}
