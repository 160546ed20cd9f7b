#include "core/draw/placing.h"

#include <math.h>
#include <string.h>

enum { CELL = 2, FEW = 150 };

struct placing {
    int64_t columns, rows;
    double width, height;
    unsigned char *taken; /* [rows, columns]: cells of CELL pixels */
};

struct placing *placing_new(struct arena *arena, double width, double height) {
    struct placing *p = arena_alloc(arena, sizeof *p);
    p->width = width;
    p->height = height;
    p->columns = (int64_t)ceil(width / CELL);
    p->rows = (int64_t)ceil(height / CELL);
    p->taken = arena_array(arena, p->rows, (size_t)p->columns);
    return p;
}

static int64_t cell_of(double at, int64_t most) {
    return at <= 0 ? 0 : at >= (double)(most * CELL) ? most : (int64_t)(at / CELL);
}

void placing_block(struct placing *p, double x, double y, double width, double height) {
    int64_t left = cell_of(x, p->columns), right = cell_of(x + width + CELL - 0.01, p->columns);
    int64_t top = cell_of(y, p->rows), bottom = cell_of(y + height + CELL - 0.01, p->rows);
    for (int64_t row = top; row < bottom && left < right; row++) {
        memset(p->taken + row * p->columns + left, 1, (size_t)(right - left));
    }
}

static bool is_free(const struct placing *p, double x, double y, double width, double height) {
    if (x < 0 || y < 0 || x + width > p->width || y + height > p->height) {
        return false;
    }
    int64_t left = cell_of(x, p->columns), right = cell_of(x + width + CELL - 0.01, p->columns);
    int64_t top = cell_of(y, p->rows), bottom = cell_of(y + height + CELL - 0.01, p->rows);
    for (int64_t row = top; row < bottom; row++) {
        const unsigned char *line = p->taken + row * p->columns;
        if (memchr(line + left, 1, (size_t)(right - left))) {
            return false;
        }
    }
    return true;
}

bool placing_find(struct placing *p, double x, double y, double radius, double width,
                  double height, struct placing_spot *spot) {
    /* which way the box lies from its point: right, left, above, below, then the corners */
    static const double ways[8][2] = { { 1, 0 },  { -1, 0 }, { 0, -1 },  { 0, 1 },
                                       { 1, -1 }, { 1, 1 },  { -1, -1 }, { -1, 1 } };
    static const double far[] = { 2, 9, 17, 27, 39 };
    for (int ring = 0; ring < 5; ring++) {
        for (int way = 0; way < 8; way++) {
            double dx = ways[way][0], dy = ways[way][1];
            double reach = (radius + far[ring]) * (dx != 0 && dy != 0 ? 0.75 : 1);
            double end_x = x + dx * reach, end_y = y + dy * reach;
            double left = end_x - (dx < 0 ? width : dx > 0 ? 0 : width / 2);
            double top = end_y - (dy < 0 ? height : dy > 0 ? 0 : height / 2);
            if (is_free(p, left, top, width, height)) {
                placing_block(p, left, top, width, height);
                *spot = (struct placing_spot){ left, top, ring > 0, end_x, end_y };
                return true;
            }
        }
    }
    return false;
}

/* The first point of every cell of a side x side grid that has none yet. */
static int64_t add_level(const double *xy, int64_t n, double width, double height, int64_t side,
                         unsigned char *chosen, unsigned char *grid, int64_t most,
                         int64_t *order, int64_t count) {
    memset(grid, 0, (size_t)(side * side));
    for (int pass = 0; pass < 2; pass++) { /* what earlier levels chose takes its cell first */
        for (int64_t i = 0; i < n && count < most; i++) {
            double x = xy[2 * i] / width, y = xy[2 * i + 1] / height;
            if (!(x >= 0 && x < 1 && y >= 0 && y < 1) || chosen[i] != (pass == 0)) {
                continue;
            }
            unsigned char *cell =
                grid + (int64_t)(y * (double)side) * side + (int64_t)(x * (double)side);
            if (pass == 1 && !*cell) {
                chosen[i] = 1;
                order[count++] = i;
            }
            *cell = 1;
        }
    }
    return count;
}

int64_t placing_order(const double *xy, int64_t n, double width, double height, int64_t most,
                      int64_t *order) {
    int64_t count = 0;
    if (n <= FEW) {
        for (int64_t i = 0; i < n && count < most; i++) {
            if (isfinite(xy[2 * i]) && isfinite(xy[2 * i + 1])) {
                order[count++] = i;
            }
        }
        return count;
    }
    enum { FINEST = 64 };
    struct arena *scratch = arena_new();
    unsigned char *chosen = arena_alloc(scratch, (size_t)n);
    unsigned char *grid = arena_alloc(scratch, (size_t)FINEST * FINEST);
    for (int64_t side = 4; side <= FINEST && count < most; side *= 2) {
        count = add_level(xy, n, width, height, side, chosen, grid, most, order, count);
    }
    arena_free(scratch);
    return count;
}
