#include "core/draw/standing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/draw/nibbles.h"

enum {
    MISSES = 4,          /* panels that did not fit, after which no other is tried */
    CELLS_MOST = 1 << 22 /* larger panels are not even tried */
};

struct ranked {
    int64_t panel;
    double strength;
};

static int by_strength(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    return x->strength > y->strength   ? -1
           : x->strength < y->strength ? 1
                                       : (x->panel > y->panel) - (x->panel < y->panel);
}

/* The panels from the one that stands out most by that score; without scores by value. */
static struct ranked *rank(struct arena *arena, const struct cells *cells, int64_t score) {
    struct ranked *list = arena_array(arena, cells->panels, sizeof *list);
    for (int64_t i = 0; i < cells->panels; i++) {
        double strength = -(double)INFINITY;
        for (int64_t r = 0; score < 0 && r < cells->rows.count; r++) {
            strength =
                fmax(strength, fabs((double)cells->best[i * cells->rows.count + r].value));
        }
        if (score >= 0) {
            const struct series *series = cells->scores[score];
            bool least = strcmp(series->name, "entropy") == 0;
            strength = (double)series->values->data[i] * (least ? -1 : 1);
        }
        list[i] = (struct ranked){ i, isnan(strength) ? -(double)INFINITY : strength };
    }
    qsort(list, (size_t)cells->panels, sizeof *list, by_strength);
    return list;
}

unsigned char *standing_bytes(struct arena *arena, const struct cells *cells,
                              const float *values, int64_t n) {
    unsigned char *bytes = arena_raw(arena, (size_t)n);
    double range = cells->high - cells->low;
    for (int64_t i = 0; i < n; i++) {
        double at = ((double)values[i] - cells->low) / range;
        bytes[i] = (unsigned char)(at > 0 ? at < 1 ? at * 255 + 0.5 : 255 : 0);
    }
    return bytes;
}

/* One panel packed; NULL where a number is not finite. */
static struct buf *pack(struct arena *arena, const struct cells *cells, const float *values,
                        int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return NULL;
        }
    }
    struct arena *own = arena_new();
    unsigned char *bytes = standing_bytes(own, cells, values, n);
    for (int64_t i = 0; cells->is_signed && i < n; i++) {
        int from = bytes[i] - 128;
        bytes[i] = (unsigned char)(from < 0 ? -2 * from - 1 : 2 * from);
    }
    struct buf *packed = nibbles(own, bytes, n);
    struct buf *kept = buf_new(arena);
    buf_add(kept, packed->data, packed->length);
    arena_free(own);
    return kept;
}

static int64_t base64_bytes(const struct buf *packed) {
    return ((int64_t)packed->length + 2) / 3 * 4;
}

int64_t standing_choose(struct arena *arena, struct cells *cells, const float *values,
                        int64_t room) {
    int64_t n = cells->rows.source * cells->columns.source, used = 0;
    int64_t misses = n > CELLS_MOST ? MISSES : 0;
    int64_t kinds = cells->score_count ? cells->score_count : 1;
    struct ranked **lists = arena_array(arena, kinds, sizeof *lists);
    struct standing *chosen = arena_array(arena, cells->panels, sizeof *chosen);
    bool *seen = arena_array(arena, cells->panels, sizeof *seen);
    for (int64_t k = 0; k < kinds; k++) {
        lists[k] = rank(arena, cells, cells->score_count ? k : -1);
    }
    cells->standing_count = 0;
    for (int64_t i = 0; i < cells->panels * kinds && misses < MISSES; i++) {
        int64_t panel = lists[i % kinds][i / kinds].panel;
        if (seen[panel]) {
            continue;
        }
        stop_check();
        seen[panel] = true;
        struct buf *packed = pack(arena, cells, values + panel * n, n);
        if (packed && used + base64_bytes(packed) <= room) {
            chosen[cells->standing_count++] = (struct standing){ panel, packed };
            used += base64_bytes(packed);
        } else {
            misses += packed != NULL;
        }
    }
    cells->standing = chosen;
    return used;
}
