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

int density_level(const struct density *d, int64_t cell, int levels) {
    int32_t count = d->counts[cell];
    if (count == 0 || d->most < 2) {
        return count > 0 ? levels : 0;
    }
    return 1 + (int)((double)(levels - 1) * log((double)count) / log((double)d->most) + 0.5);
}
