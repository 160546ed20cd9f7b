#include "core/draw/density.h"

#include <math.h>

struct density *density_new(struct arena *arena, const double *xy, const unsigned char *groups,
                            int64_t group_count, int64_t n, double width, double height,
                            double cell) {
    struct density *d = arena_alloc(arena, sizeof *d);
    d->cell = cell;
    d->columns = (int64_t)ceil(width / cell);
    d->rows = (int64_t)ceil(height / cell);
    int64_t cells = d->columns * d->rows, kinds = groups ? group_count : 1;
    d->counts = arena_array(arena, cells, sizeof *d->counts);
    int32_t *parts = groups ? arena_array(arena, cells * kinds, sizeof *parts) : NULL;
    for (int64_t i = 0; i < n; i++) {
        double x = xy[2 * i] / cell, y = xy[2 * i + 1] / cell;
        if (x >= 0 && y >= 0 && x < (double)d->columns && y < (double)d->rows) {
            int64_t at = (int64_t)y * d->columns + (int64_t)x;
            d->counts[at]++;
            if (groups) {
                parts[at * kinds + groups[i]]++;
            }
        }
    }
    d->groups = groups ? arena_alloc(arena, (size_t)cells) : NULL;
    for (int64_t i = 0; i < cells; i++) {
        d->most = d->counts[i] > d->most ? d->counts[i] : d->most;
        d->used += d->counts[i] > 0;
        for (int64_t g = 1; groups && d->counts[i] > 0 && g < kinds; g++) {
            if (parts[i * kinds + g] > parts[i * kinds + d->groups[i]]) {
                d->groups[i] = (unsigned char)g;
            }
        }
    }
    return d;
}

static unsigned char level_of(const struct density *d, int32_t count, int levels) {
    if (count == 0 || d->most < 2) {
        return (unsigned char)(count > 0 ? levels : 0);
    }
    double share = log((double)count) / log((double)d->most);
    return (unsigned char)(1 + (int)((double)(levels - 1) * share + 0.5));
}

unsigned char *density_levels(struct arena *arena, const struct density *d, int levels) {
    enum { COMMON = 256 }; /* counts whose level is found once */
    unsigned char common[COMMON], *made = arena_raw(arena, (size_t)(d->columns * d->rows));
    for (int32_t count = 0; count < COMMON; count++) {
        common[count] = level_of(d, count <= d->most ? count : 0, levels);
    }
    for (int64_t i = 0; i < d->columns * d->rows; i++) {
        int32_t count = d->counts[i];
        made[i] = count < COMMON ? common[count] : level_of(d, count, levels);
    }
    return made;
}
