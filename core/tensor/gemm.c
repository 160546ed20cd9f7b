#include "core/tensor/gemm.h"

#include "core/base/catch.h"
#include "core/base/pool.h"

/* Two ways to the same sums, and the same bytes: either W is cut into panels and x's rows are
 * multiplied with them, or x is cut into panels and W's rows are. The second needs no W turned,
 * which for W [N, K] is the greater work unless there are very few rows of x; its result lies
 * turned and is put right a few columns at a time. */

enum {
    ALIGN = 32,
    FEW = 4,     /* rows of x that are not worth panels of their own */
    DEPTH = 768, /* values of k in a panel: with 32 columns 98 kB of the second-level cache */
    DEEPEST = 3072,   /* where x is one panel: then W is read as it lies, row after row */
    CHUNK = 48,       /* rows of W for a task: whole tiles of 6, 12 or 24 */
    SHORT_CHUNK = 24, /* the same where k is more than half as deep as it may be */
    TALL_CHUNK = 96,  /* the same where W is read as it lies and x has several panels */
    GAP = 16,    /* floats between rows that became floats, so that they share no cache line */
    STRIP = 256, /* columns of W [K, N] for a task that reads it as it lies */
    STRIP_DEPTH = 64,
    STRIP_ROWS = 32,  /* of x, at most */
    TASKS = 32,       /* that one row of x is cut into, at most */
    BLOCK = 128,      /* rows of x for which each thread has room */
    MOST_COLUMNS = 32 /* of any table */
};

#define CHUNK_ROOM ((int64_t)SHORT_CHUNK * (DEEPEST + 2 * GAP))

bool gemm_reads(enum dtype dtype) {
    return simd()->pack[dtype] != NULL;
}

int64_t gemm_room(void) {
    return CHUNK_ROOM + (int64_t)BLOCK * DEPTH;
}

struct job {
    const struct gemm *gemm;
    int64_t row_bytes;
    int64_t depth; /* of this product's panels: k in even parts */
    int64_t strip; /* columns of W [K, N] for a task, where it is read as it lies */
    float *room;
    int64_t each;
    /* Where x is cut into panels: the part of the work at hand. */
    int64_t first, rows; /* of x */
    int64_t begin, k;
    int64_t chunk; /* rows of W for a task */
    int64_t group; /* rows of x for a task */
    float *panels; /* [rows / columns][k][columns] */
    int64_t apart; /* floats between those of two threads, each of which makes its own; 0: all
                      threads share them */
    bool *packed;  /* [threads]: of those that make their own, which has */
    float *chunks; /* [threads][CHUNK_ROOM] */
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t parts_of(int64_t n, int64_t most) {
    return (n + most - 1) / most;
}

/* The size of n's equal parts of at most `most`, a multiple of `unit`. */
static int64_t part_size(int64_t n, int64_t most, int64_t unit) {
    int64_t parts = parts_of(n, most);
    return parts_of((n + parts - 1) / parts, unit) * unit;
}

/* Columns column .. column + n of `rows` rows of y, finished. */
static void columns_finish(const struct gemm *g, int64_t first, int64_t rows, int64_t column,
                           int64_t n) {
    const struct simd_finish *f = &g->finish;
    int64_t at = first * g->y_stride + column;
    if (f->bias || f->sum || f->act != SIMD_NONE || f->factor || f->residual) {
        struct simd_finish here = { .bias = f->bias ? f->bias + column : NULL,
                                    .sum = f->sum ? f->sum + at : NULL,
                                    .act = f->act,
                                    .factor = f->factor ? f->factor + at : NULL,
                                    .residual = f->residual ? f->residual + at : NULL };
        simd()->finish(rows, (int)n, g->y + at, g->y_stride, &here);
    }
}

/* The rows of W that this thread will probably read next (pool_for gives it what follows), as
 * bytes: memory brings them while it multiplies. 0 past the end of W, or where they do not lie
 * together. */
static int64_t next_rows(const struct job *job, int64_t row, int64_t count,
                         const uint8_t **rows) {
    int64_t next = row + count;
    int64_t n = least(job->gemm->n - next, count);
    *rows = job->gemm->w->bytes;
    if (job->gemm->across || n <= 0) {
        return 0;
    }
    *rows += next * job->row_bytes;
    return n * job->row_bytes;
}

/* ---- W in panels ---- */

/* The panel of columns column .. column + n of the product, for begin .. begin + k. */
static void panel_pack(const struct job *job, int64_t column, int n, int64_t begin, int64_t k,
                       float *panel) {
    const struct tensor *w = job->gemm->w;
    const uint8_t *bytes = w->bytes;
    if (job->gemm->across) {
        simd()->pack_across[w->dtype](bytes + begin * job->row_bytes, job->row_bytes, n, column,
                                      k, panel);
    } else {
        simd()->pack[w->dtype](bytes + column * job->row_bytes, job->row_bytes, n, begin, k,
                               panel);
    }
}

/* What row `begin` of W [K, N] holds of the panel that this thread will probably make next.
 * Rows may lie a page apart, where no cache looks ahead by itself. NULL past the last whole
 * panel, and where it begins within a block of weights that was just read. */
static const void *next_piece(const struct job *job, int64_t column, int64_t begin) {
    const struct tensor *w = job->gemm->w;
    int64_t columns = simd()->columns, next = column + columns;
    int64_t bytes = dtype_row_bytes(w->dtype, next);
    if (next + columns > job->gemm->n || bytes < 0) {
        return NULL;
    }
    return (const char *)w->bytes + begin * job->row_bytes + bytes;
}

/* The same product of whole panels of W [K, N]. Floats are copied while they are multiplied. */
static void panel_across(const struct job *job, int64_t column, int64_t begin, int64_t k,
                         float *panel, bool add) {
    const struct gemm *g = job->gemm;
    const float *x = g->x + begin, *w = panel;
    int64_t stride = simd()->columns;
    bool floats = g->w->dtype == DTYPE_F32;
    if (floats) {
        stride = job->row_bytes / (int64_t)sizeof *w;
        w = g->w->data + begin * stride + column;
    } else {
        panel_pack(job, column, simd()->columns, begin, k, panel);
    }
    simd()->multiply_in_place(g->m, k, x, g->x_stride, w, stride, floats ? panel : NULL,
                              g->y + column, g->y_stride, add, next_piece(job, column, begin),
                              job->row_bytes);
}

/* One panel's columns against all of x. */
static void panel_run(const struct job *job, int64_t column, int n, float *panel) {
    const struct gemm *g = job->gemm;
    const struct simd *table = simd();
    float *y = g->y + column;
    const uint8_t *next;
    int64_t bytes = next_rows(job, column, table->columns, &next);
    for (int64_t begin = 0; begin < g->k; begin += job->depth) {
        int64_t k = least(g->k - begin, job->depth);
        const float *x = g->x + begin;
        bool add = g->add || begin > 0;
        if (g->across && g->x_step <= 1 && n == table->columns) {
            panel_across(job, column, begin, k, panel, add);
            continue;
        }
        panel_pack(job, column, n, begin, k, panel);
        if (g->x_step > 1) {
            table->multiply_turned(g->m, k, g->x + begin * g->x_step, g->x_step, panel, n, y,
                                   g->y_stride, add);
        } else {
            table->multiply(g->m, k, x, g->x_stride, panel, n, y, g->y_stride, add,
                            next + bytes * begin / g->k, bytes * k / g->k);
        }
    }
    columns_finish(g, 0, g->m, column, n);
}

/* One row of x with block-quantised W: each weight is used once, so there is no panel, and all
 * depends on memory, which is asked for the next rows meanwhile. */
static void rows_apply(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct gemm *g = job->gemm;
    int64_t strip = simd()->strip, first = begin * strip;
    int64_t last = least(g->n, end * strip);
    for (int64_t row = first; row < last; row += strip) {
        const uint8_t *bytes = g->w->bytes;
        int64_t next = row + strip;
        int64_t more = next < g->n ? least(g->n - next, strip) * job->row_bytes : 0;
        simd()->apply[g->w->dtype](bytes + row * job->row_bytes, job->row_bytes,
                                   (int)least(last - row, strip), g->k, g->x, g->y + row,
                                   g->add, bytes + next * job->row_bytes, more);
    }
    columns_finish(g, 0, 1, first, last - first);
}

static void panels_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    int columns = simd()->columns;
    float *panel = job->room + pool_self() * job->each;
    for (int64_t i = begin; i < end; i++) {
        panel_run(job, i * columns, (int)least(job->gemm->n - i * columns, columns), panel);
    }
}

/* ---- W [K, N] as it lies ----
 * With few rows of x a panel is used too little to be worth a copy. A task goes down W a few
 * rows at a time, over a kilobyte of each, so that memory and its pages are read in order, and
 * its outputs stay in the first-level cache. */

static void strip_run(const struct job *job, int64_t column, int64_t n) {
    const struct gemm *g = job->gemm;
    int64_t columns = simd()->columns, stride = job->row_bytes / (int64_t)sizeof(float);
    /* Columns of the next strip, which this thread will probably go down next. */
    int64_t beside = column + job->strip + n <= g->n ? job->strip : 0;
    for (int64_t begin = 0; begin < g->k; begin += STRIP_DEPTH) {
        int64_t k = least(g->k - begin, STRIP_DEPTH), after = begin + k;
        bool more = after + k <= g->k, add = g->add || begin > 0;
        int64_t next = more ? after * stride : beside;
        for (int64_t c = column; c < column + n; c += columns) {
            simd()->multiply_in_place(g->m, k, g->x + begin, g->x_stride,
                                      g->w->data + begin * stride + c, stride, NULL, g->y + c,
                                      g->y_stride, add, next ? g->w->data + next + c : NULL,
                                      job->row_bytes);
        }
    }
    columns_finish(g, 0, g->m, column, n);
}

static void strips_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    int64_t columns = simd()->columns, whole = job->gemm->n / columns * columns;
    for (int64_t i = begin; i < end; i++) {
        int64_t column = i * job->strip;
        strip_run(job, column, least(whole - column, job->strip));
    }
}

/* An even number of strips, so that two threads, or four, end together. */
static void in_place(struct job *job) {
    int64_t columns = simd()->columns, n = job->gemm->n, whole = n / columns * columns;
    int64_t strips = 2 * parts_of(whole, 2 * (int64_t)STRIP);
    job->strip = strips > 0 ? parts_of(parts_of(whole, strips), columns) * columns : columns;
    pool_for(parts_of(whole, job->strip), 1, strips_run, job);
    if (whole < n) {
        panel_run(job, whole, (int)(n - whole), job->room);
    }
}

/* ---- x in panels ---- */

static void x_pack(const struct job *job, int64_t row, float *panel) {
    const struct gemm *g = job->gemm;
    simd()->pack[DTYPE_F32](
        g->x + (job->first + row) * g->x_stride, g->x_stride * (int64_t)sizeof(float),
        (int)least(job->rows - row, simd()->columns), job->begin, job->k, panel);
}

static void x_packs(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    int64_t columns = simd()->columns;
    for (int64_t i = begin; i < end; i++) {
        x_pack(job, i * columns, job->panels + i * columns * job->k);
    }
}

/* The panels that this thread reads. A single one is sooner made by each thread than passed
 * from one's cache to another's. */
static const float *panels_here(const struct job *job) {
    float *panels = job->panels + pool_self() * job->apart;
    if (job->apart > 0 && !job->packed[pool_self()]) {
        x_pack(job, 0, panels);
        job->packed[pool_self()] = true;
    }
    return panels;
}

/* Whether W's rows can be multiplied where they lie. Rows a multiple of a page apart fall into
 * the same lines of the first-level cache; to read them from the second is still sooner done
 * than to copy them. */
static bool w_in_place(const struct job *job) {
    return job->gemm->w->dtype == DTYPE_F32;
}

bool gemm_panels(int64_t m, const struct tensor *w) {
    return m > FEW && w->dtype == DTYPE_F32 && w->shape[1] <= DEEPEST;
}

/* Rows row .. row + n of W as floats; *stride floats apart. */
static const float *chunk_read(const struct job *job, int64_t row, int64_t n, int64_t *stride) {
    const struct tensor *w = job->gemm->w;
    const uint8_t *bytes = (const uint8_t *)w->bytes + row * job->row_bytes;
    if (w_in_place(job)) {
        *stride = job->row_bytes / (int64_t)sizeof(float);
        return w->data + row * *stride + job->begin;
    }
    float *out = job->chunks + pool_self() * CHUNK_ROOM;
    *stride = job->k + GAP;
    for (int64_t r = 0; r < n; r++) {
        simd()->read[w->dtype](bytes + r * job->row_bytes, job->begin, job->k,
                               out + r * *stride);
    }
    return out;
}

/* A tile that stays turned, in y's panel of x's rows from `row` on. */
static float *tile_at(const struct job *job, int64_t row, int64_t column) {
    const struct gemm *g = job->gemm;
    return g->y + (job->first + row) * g->n + column * simd()->columns;
}

/* W's rows of a chunk, from `column` on, have been multiplied with a panel. */
static void tile_finish(const struct job *job, int64_t row, int64_t rows, int64_t column,
                        int64_t n, float *tile) {
    const struct gemm *g = job->gemm;
    bool last = job->begin + job->k == g->k;
    if (!g->y_panels) {
        float *y = g->y + (job->first + row) * g->y_stride + column;
        simd()->unpack(tile, n, (int)rows, y, g->y_stride);
        if (last) {
            columns_finish(g, job->first + row, rows, column, n);
        }
    } else if (last) {
        const float *bias = g->finish.bias ? g->finish.bias + column : NULL;
        simd()->finish_turned(n, (int)rows, tile, simd()->columns, bias, g->finish.act);
    }
}

/* A chunk of W's rows against the panels of a group of x's rows. */
static void chunk_run(const struct job *job, int64_t group, int64_t column) {
    const struct gemm *g = job->gemm;
    const struct simd *table = simd();
    int64_t n = least(g->n - column, job->chunk), columns = table->columns, stride;
    const float *w = chunk_read(job, column, n, &stride), *panels = panels_here(job);
    bool add = g->add || job->begin > 0;
    const uint8_t *next;
    int64_t bytes = job->k == g->k ? next_rows(job, column, job->chunk, &next) : 0, done = 0;
    int64_t end = least(job->rows, group + job->group);
    for (int64_t row = group; row < end && !stop_wanted(); row += columns) {
        float room[TALL_CHUNK * MOST_COLUMNS];
        float *tile = g->y_panels ? tile_at(job, row, column) : room;
        int64_t rows = least(end - row, columns);
        int64_t upto = bytes * (row + rows - group) / (end - group);
        if (add && !g->y_panels) {
            table->pack[DTYPE_F32](g->y + (job->first + row) * g->y_stride + column,
                                   g->y_stride * (int64_t)sizeof *tile, (int)rows, 0, n, tile);
        }
        table->multiply(n, job->k, w, stride, panels + row * job->k, (int)rows, tile, columns,
                        add, bytes ? next + done : NULL, upto - done);
        tile_finish(job, row, rows, column, n, tile);
        done = upto;
    }
}

static void chunks_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    int64_t chunks = parts_of(job->gemm->n, job->chunk);
    for (int64_t i = begin; i < end; i++) {
        chunk_run(job, i / chunks * job->group, i % chunks * job->chunk);
    }
}

/* All of W against one block of x, for a part of k. */
static void part_run(struct job *job) {
    bool packed[POOL_MOST] = { false };
    job->packed = packed;
    if (job->apart == 0 && !job->gemm->x_panels) {
        pool_for(parts_of(job->rows, simd()->columns), 1, x_packs, job);
    }
    int64_t groups = parts_of(job->rows, job->group);
    pool_for(groups * parts_of(job->gemm->n, job->chunk), 1, chunks_run, job);
}

/* Rows of x for a task: each thread stays with its own, which it packed and whose outputs the
 * next product finds in its cache. Where W must become floats first, all rows share that. */
static int64_t group_size(const struct job *job) {
    int64_t threads = pool_threads();
    if (!w_in_place(job)) {
        return job->rows;
    }
    return part_size(job->rows, BLOCK * threads, simd()->columns * threads) / threads;
}

static void by_x_panels(struct job *job) {
    const struct gemm *g = job->gemm;
    int64_t columns = simd()->columns, threads = pool_threads();
    bool whole = g->x_panels || g->m <= columns; /* k in one part */
    int64_t depth = part_size(g->k, whole ? DEEPEST : DEPTH, ALIGN);
    int64_t room = threads * (job->each - CHUNK_ROOM);
    int64_t most = room / depth / columns * columns;
    int64_t block = g->x_panels ? g->m : part_size(g->m, most, columns);
    bool tall = w_in_place(job) && g->m > 2 * columns;
    job->chunk = depth > (tall ? DEPTH : DEEPEST / 2) ? SHORT_CHUNK
                 : tall && !g->y_panels               ? TALL_CHUNK
                                                      : CHUNK;
    job->panels = g->x_panels ? (float *)(uintptr_t)g->x : job->room;
    job->apart = g->m <= columns && !g->x_panels ? job->each - CHUNK_ROOM : 0;
    job->chunks = job->room + room;
    for (job->first = 0; job->first < g->m; job->first += block) {
        job->rows = least(g->m - job->first, block);
        job->group = group_size(job);
        for (job->begin = 0; job->begin < g->k; job->begin += depth) {
            job->k = least(g->k - job->begin, depth);
            part_run(job);
        }
    }
}

void gemm_run(const struct gemm *gemm, float *room, int64_t each) {
    int64_t tight = dtype_row_bytes(gemm->w->dtype, gemm->across ? gemm->n : gemm->k);
    struct job job = { .gemm = gemm,
                       .row_bytes = gemm->w_stride ? gemm->w_stride * 4 : tight,
                       .depth = part_size(gemm->k, DEPTH, ALIGN),
                       .room = room,
                       .each = each };
    bool plain = gemm->w->dtype == DTYPE_F32 && gemm->x_step <= 1;
    if (gemm->across && plain && gemm->m <= STRIP_ROWS) {
        in_place(&job);
    } else if (gemm->m == 1 && !gemm->across && gemm->x_step <= 1 &&
               simd()->apply[gemm->w->dtype]) {
        int64_t strips = parts_of(gemm->n, simd()->strip);
        pool_for(strips, parts_of(strips, TASKS), rows_apply, &job);
    } else if (gemm->across || gemm->x_step > 1 || gemm->m <= FEW) {
        pool_for(parts_of(gemm->n, simd()->columns), 1, panels_run, &job);
    } else {
        by_x_panels(&job);
    }
}
