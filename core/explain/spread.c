#include "core/explain/spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/base/utf8.h"
#include "core/tensor/bins.h"
#include "core/tensor/simd.h"

enum {
    CHUNK = 32768,
    BLOCK = 1024, /* numbers that are summed, then counted, in the first-level cache */
    LANES = 8     /* of a tally */
};

/* The tensor that is being read. */
struct spread_room {
    struct spread_row *row;
    int threads;
    struct bins_log
        *bins;  /* [threads]: each counts for itself; whole numbers add in any order */
    bool *used; /* [threads] */
};

/* ---- which layer ---- */

static bool has_word(const char *name, const char *const *words) {
    bool any = false;
    for (; *words && !any; words++) {
        any = strstr(name, *words);
    }
    return any;
}

/* The number after the first '.' or "_l" of a name that digits and an end follow; -1: none. */
static int64_t number_in(const char *name) {
    for (const char *at = name; *at; at++) {
        bool here =
            at == name || at[-1] == '.' || (at[-1] == 'l' && at > name + 1 && at[-2] == '_');
        char *end;
        long number = here && *at >= '0' && *at <= '9' ? strtol(at, &end, 10) : -1;
        if (number >= 0 && (*end == '.' || *end == '\0')) {
            return number;
        }
    }
    return -1;
}

int64_t spread_group(const struct spread *spread, const char *name) {
    static const char *const embeddings[] = { "embed",       "embd",          "wte", "wpe",
                                              "token_types", "shared.weight", NULL };
    bool decoder = spread->decoder_blocks > 0 &&
                   (strncmp(name, "decoder.", 8) == 0 || strncmp(name, "dec.", 4) == 0);
    int64_t layer = number_in(name), blocks = decoder ? spread->decoder_blocks : spread->blocks;
    if (layer >= 0 && layer < blocks) {
        return spread->first_block + (decoder ? spread->blocks : 0) + layer;
    }
    return has_word(name, embeddings) ? 0 : spread->groups - 1;
}

struct spread *spread_new(struct arena *arena, const struct model *model,
                          const char *language) {
    struct spread *spread = arena_alloc(arena, sizeof *spread);
    bool zh = language && strncmp(language, "zh", 2) == 0;
    spread->arena = arena;
    spread->first_block = 1;
    spread->blocks = model->config->layers;
    spread->decoder_blocks = model_decodes(model) ? model->config->decoder_layers : 0;
    spread->groups = spread->blocks + spread->decoder_blocks + 2;
    spread->labels = arena_array(arena, spread->groups, sizeof *spread->labels);
    spread->labels[0] = zh ? "嵌入" : "embeddings";
    spread->labels[spread->groups - 1] = zh ? "输出头" : "head";
    for (int64_t i = 0; i < spread->blocks + spread->decoder_blocks; i++) {
        bool decoder = i >= spread->blocks;
        const char *side = spread->decoder_blocks == 0 ? ""
                           : decoder                   ? zh ? "解码器" : "decoder "
                           : zh                        ? "编码器"
                                                       : "encoder ";
        long long layer = (long long)(decoder ? i - spread->blocks : i);
        spread->labels[1 + i] =
            arena_printf(arena, zh ? "%s第 %lld 层" : "%slayer %lld", side, layer);
    }
    spread->own = arena_alloc(arena, sizeof *spread->own);
    spread->own->threads = pool_threads();
    spread->own->bins = arena_array(arena, spread->own->threads, sizeof *spread->own->bins);
    spread->own->used = arena_array(arena, spread->own->threads, sizeof *spread->own->used);
    return spread;
}

/* ---- reading ---- */

void spread_begin(struct spread *spread, const char *name) {
    if (spread->count == spread->room) {
        int64_t room = spread->room > 0 ? 2 * spread->room : 64;
        struct spread_row *rows = arena_array(spread->arena, room, sizeof *rows);
        if (spread->count > 0) {
            memcpy(rows, spread->rows, (size_t)spread->count * sizeof *rows);
        }
        spread->rows = rows;
        spread->room = room;
    }
    spread->own->row = &spread->rows[spread->count++];
    *spread->own->row =
        (struct spread_row){ .name = name, .group = spread_group(spread, name) };
}

struct part {
    double squares, sum;
    float most;
    int64_t infinite;
};

struct job {
    const float *x;
    int64_t n;
    struct part *parts;
    struct spread_room *own;
};

/* Where `bins` is given, each block is counted as soon as its sums have brought it near. */
static struct part part_of(const float *x, int64_t n, struct bins_log *bins) {
    struct simd_tally tally = { 0 };
    struct part part = { 0 };
    for (int64_t i = 0; i < n; i += BLOCK) {
        int64_t some = n - i < BLOCK ? n - i : BLOCK, whole = some / LANES * LANES;
        float rest[LANES] = { 0 };
        simd()->tally(&tally, x + i, whole);
        memcpy(rest, x + i + whole, (size_t)(some - whole) * sizeof *rest);
        simd()->tally(&tally, rest, some > whole ? LANES : 0);
        if (bins) {
            bins_log_add(bins, x + i, some);
        }
    }
    for (int j = 0; j < LANES; j++) {
        part.squares += tally.squares[j];
        part.sum += tally.sums[j];
        part.most = tally.most[j] > part.most ? tally.most[j] : part.most;
    }
    return part;
}

/* Where some are broken: those count as 0. */
static struct part part_of_broken(const float *x, int64_t n) {
    float whole[CHUNK];
    int64_t infinite = 0;
    for (int64_t i = 0; i < n; i++) {
        infinite += isinf(x[i]) != 0;
        whole[i] = isfinite(x[i]) ? x[i] : 0;
    }
    struct part part = part_of(whole, n, NULL);
    part.infinite = infinite;
    return part;
}

/* A chunk is summed and counted while it is in the cache. */
static void chunks_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    struct spread_room *own = job->own;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        int64_t at = chunk * CHUNK, n = job->n - at < CHUNK ? job->n - at : CHUNK;
        job->parts[chunk] = part_of(job->x + at, n, &own->bins[pool_self()]);
        if (!isfinite(job->parts[chunk].squares)) {
            job->parts[chunk] = part_of_broken(job->x + at, n);
        }
        own->used[pool_self()] = true;
    }
}

void spread_part(struct spread *spread, const float *x, int64_t n) {
    struct spread_row *row = spread->own->row;
    struct arena_mark mark = arena_mark(spread->arena);
    int64_t chunks = (n + CHUNK - 1) / CHUNK;
    struct job job = { .x = x, .n = n, .own = spread->own };
    job.parts = arena_array(spread->arena, chunks, sizeof *job.parts);
    pool_for(chunks, 1, chunks_run, &job);
    stop_check();
    for (int64_t i = 0; i < chunks; i++) {
        const struct part *part = &job.parts[i];
        row->squares += part->squares;
        row->sum += part->sum;
        row->infinite += part->infinite;
        row->most = (double)part->most > row->most ? (double)part->most : row->most;
    }
    row->n += n;
    arena_rewind(spread->arena, mark);
}

/* The table of a row's counts, for bins_log's functions, in one that is empty. */
static void row_open(const struct spread_row *row, struct bins_log *table) {
    memcpy(table->places + row->first, row->counts, (size_t)row->places * sizeof *row->counts);
}

/* Leaves it empty again: a table is large, and most rows fill little of it. */
static void row_close(const struct spread_row *row, struct bins_log *table) {
    memset(table->places + row->first, 0, (size_t)row->places * sizeof *table->places);
}

/* All threads' counts in the first one's table; the others are empty again. */
static struct bins_log *counts_join(struct spread_room *own) {
    for (int t = 1; t < own->threads; t++) {
        if (own->used[t]) {
            bins_log_merge(&own->bins[0], &own->bins[t]);
            memset(&own->bins[t], 0, sizeof own->bins[t]);
            own->used[t] = false;
        }
    }
    return &own->bins[0];
}

/* Keeps the places that have counts, and leaves an empty table. */
void spread_end(struct spread *spread) {
    struct bins_log *bins = counts_join(spread->own);
    struct spread_row *row = spread->own->row;
    int64_t first = 0, last = BINS_BAD - 1;
    row->zeros = bins->zeros;
    row->nans = bins_log_bad(bins) - row->infinite;
    while (first < BINS_BAD && bins->places[first] == 0) {
        first++;
    }
    while (last > first && bins->places[last] == 0) {
        last--;
    }
    row->first = first;
    row->places = first < BINS_BAD ? last + 1 - first : 0;
    row->counts = arena_array(spread->arena, row->places + 1, sizeof *row->counts);
    memcpy(row->counts, bins->places + first, (size_t)row->places * sizeof *row->counts);
    row_close(row, bins);
    memset(bins->places + BINS_BAD, 0, (BINS_PLACES - BINS_BAD) * sizeof *bins->places);
    bins->zeros = 0;
}

/* ---- rows together ---- */

static int by_group(const void *a, const void *b) {
    const struct spread_row *one = a, *other = b;
    return one->group != other->group
               ? (one->group > other->group) - (one->group < other->group)
               : strcmp(one->name, other->name);
}

void spread_order(struct spread *spread) {
    if (spread->count > 0) {
        qsort(spread->rows, (size_t)spread->count, sizeof *spread->rows, by_group);
    }
}

/* The places from the first to the last of both. */
static void row_join(struct arena *arena, struct spread_row *to,
                     const struct spread_row *from) {
    int64_t first = to->places == 0           ? from->first
                    : from->places == 0       ? to->first
                    : to->first < from->first ? to->first
                                              : from->first;
    int64_t to_end = to->places ? to->first + to->places : first;
    int64_t from_end = from->places ? from->first + from->places : first;
    int64_t places = (to_end > from_end ? to_end : from_end) - first;
    int64_t *counts = arena_array(arena, places + 1, sizeof *counts);
    for (int64_t i = 0; i < to->places; i++) {
        counts[to->first - first + i] = to->counts[i];
    }
    for (int64_t i = 0; i < from->places; i++) {
        counts[from->first - first + i] += from->counts[i];
    }
    to->first = first;
    to->places = places;
    to->counts = counts;
    to->n += from->n;
    to->zeros += from->zeros;
    to->nans += from->nans;
    to->infinite += from->infinite;
    to->squares += from->squares;
    to->sum += from->sum;
    to->most = from->most > to->most ? from->most : to->most;
}

struct spread_row *spread_join(struct arena *arena, const struct spread *spread,
                               int64_t group) {
    struct spread_row *all = arena_alloc(arena, sizeof *all);
    *all = (struct spread_row){ .name = spread->labels[group], .group = group };
    for (int64_t i = 0; i < spread->count; i++) {
        if (spread->rows[i].group == group) {
            row_join(arena, all, &spread->rows[i]);
        }
    }
    return all->n > 0 ? all : NULL;
}

double spread_rms(const struct spread_row *row) {
    int64_t finite = row->n - row->nans - row->infinite;
    return finite > 0 ? sqrt(row->squares / (double)finite) : 0;
}

const char *spread_share(struct arena *arena, int64_t zeros, int64_t n, bool zh) {
    double share = n > 0 ? 100 * (double)zeros / (double)n : 0;
    if (zeros > 0 && share < 0.001) {
        return zh ? "不到 0.001%" : "under 0.001 %";
    }
    return arena_printf(arena, zh ? "%.3g%%" : "%.3g %%", share);
}

int64_t spread_beyond(const struct spread_row *row, double size) {
    stop_check(); /* before there is anything to free */
    struct arena *scratch = arena_new();
    struct bins_log *table = arena_alloc(scratch, sizeof *table);
    int64_t counts[2];
    row_open(row, table);
    bins_log_cut(table, (const float[]){ 0, (float)size, INFINITY }, 2, counts);
    arena_free(scratch);
    return counts[1];
}

/* ---- the result ---- */

static struct series column(struct arena *arena, const char *name, const struct axis *rows) {
    return (struct series){ .name = name,
                            .unit = "",
                            .values = tensor_new(arena, 1, &rows->count),
                            .axes = { *rows } };
}

/* The range of all rows, of whole decades: that of a table of their first and last places. */
static void range_of(const struct spread_row *const *rows, int64_t n, struct bins_log *table,
                     double *low, double *high) {
    double least = 0, most = 0;
    for (int64_t r = 0; r < n; r++) {
        if (rows[r]->places > 0) {
            table->places[rows[r]->first]++;
            table->places[rows[r]->first + rows[r]->places - 1]++;
        }
    }
    bool any = bins_log_extent(table, &least, &most) == 0;
    memset(table, 0, sizeof *table);
    *low = any ? pow(10, floor(log10(least))) : 0.1;
    *high = any ? pow(10, ceil(log10(most))) : 1;
    *high = *high > *low ? *high : *low * 10;
}

/* Through a table that is empty before and after. */
static void row_cut(const struct spread_row *row, struct bins_log *table, const float *edges,
                    int64_t bins, int64_t *counts, float *to) {
    stop_check();
    row_open(row, table);
    bins_log_cut(table, edges, bins, counts);
    row_close(row, table);
    for (int64_t i = 0; i < bins; i++) {
        to[i] = (float)counts[i];
    }
}

static void row_fill(struct result *result, int64_t r, const struct spread_row *row,
                     struct bins_log *table, int64_t bins, int64_t *counts) {
    const double values[] = { (double)row->zeros, (double)(row->nans + row->infinite),
                              sqrt(row->squares), spread_rms(row),
                              row->most,          (double)row->n };
    row_cut(row, table, result->series[1].values->data, bins, counts,
            result->series[0].values->data + r * bins);
    for (int i = 0; i < 6; i++) {
        result->series[2 + i].values->data[r] = (float)values[i];
    }
}

const struct spread_row **spread_rows(struct arena *arena, const struct spread *spread,
                                      bool by_tensor, int64_t *n) {
    const struct spread_row **rows =
        arena_array(arena, spread->count + spread->groups, sizeof *rows);
    *n = 0;
    for (int64_t i = 0; by_tensor && i < spread->count; i++) {
        rows[(*n)++] = &spread->rows[i];
    }
    for (int64_t g = 0; !by_tensor && g < spread->groups; g++) {
        rows[*n] = spread_join(arena, spread, g);
        *n += rows[*n] != NULL;
    }
    return rows;
}

/* The other's rows of the same tensors or layers; one that it has not is empty. */
static const struct spread_row **others_of(struct arena *scratch, const struct spread *other,
                                           bool by_tensor, const struct spread_row **rows,
                                           int64_t n) {
    const struct spread_row **others = arena_array(scratch, n, sizeof *others);
    for (int64_t r = 0; r < n; r++) {
        others[r] = by_tensor ? NULL : spread_join(scratch, other, rows[r]->group);
        for (int64_t i = 0; by_tensor && i < other->count; i++) {
            bool same = strcmp(other->rows[i].name, rows[r]->name) == 0;
            others[r] = same ? &other->rows[i] : others[r];
        }
        others[r] = others[r] ? others[r] : arena_alloc(scratch, sizeof **others);
    }
    return others;
}

static struct series matrix(struct arena *arena, const char *name, const struct axis *rows,
                            int64_t bins) {
    return (struct series){ .name = name,
                            .unit = "numbers",
                            .log = true,
                            .values = tensor_new(arena, 2, (int64_t[]){ rows->count, bins }),
                            .axes = { *rows, { "bin", bins, NULL } } };
}

/* The result with all but its numbers. */
static struct result *result_shaped(struct arena *arena, const struct axis *axis, int64_t bins,
                                    const char *size, bool other) {
    static const char *const names[] = { "zeros", "bad", "norm", "rms", "largest", "size" };
    struct result *result = result_new(arena, "histogram", other ? 9 : 8);
    result->series[0] = matrix(arena, "counts", axis, bins);
    result->series[1] =
        (struct series){ .name = "edges",
                         .unit = size,
                         .log = true,
                         .values = tensor_new(arena, 1, (int64_t[]){ bins + 1 }),
                         .axes = { { "edge", bins + 1, NULL } } };
    for (int i = 0; i < 6; i++) {
        result->series[2 + i] = column(arena, names[i], axis);
    }
    if (other) {
        result->series[8] = matrix(arena, "counts other", axis, bins);
    }
    return result;
}

struct result *spread_result(struct arena *arena, const struct spread *spread,
                             const struct spread *other, bool by_tensor, int64_t bins,
                             const char *size) {
    struct arena *scratch = spread->arena;
    int64_t n;
    const struct spread_row **own = spread_rows(scratch, spread, by_tensor, &n);
    const struct spread_row **rows = arena_array(scratch, 2 * n, sizeof *rows);
    memcpy(rows, own, (size_t)n * sizeof(struct spread_row *));
    struct bins_log *table = arena_alloc(scratch, sizeof *table);
    int64_t *counts = arena_array(scratch, bins, sizeof *counts);
    struct axis axis = { by_tensor ? "tensor" : "layer", n,
                         arena_array(arena, n, sizeof *axis.labels) };
    double low, high;
    for (int64_t r = 0; r < n; r++) {
        axis.labels[r] = arena_copy(arena, rows[r]->name);
    }
    if (other) {
        memcpy(rows + n, others_of(scratch, other, by_tensor, rows, n),
               (size_t)n * sizeof(struct spread_row *));
    }
    struct result *result = result_shaped(arena, &axis, bins, size, other);
    float *edges = result->series[1].values->data;
    range_of(rows, other ? 2 * n : n, table, &low, &high);
    bins_log_edges(low, high, bins, edges);
    for (int64_t r = 0; r < n; r++) {
        row_fill(result, r, rows[r], table, bins, counts);
        if (other) {
            row_cut(rows[n + r], table, edges, bins, counts,
                    result->series[8].values->data + r * bins);
        }
    }
    return result;
}

const char *spread_broken(struct arena *arena, const struct spread *spread, bool zh) {
    enum { SHOWN = 3 };
    const char *text = NULL;
    int64_t count = 0;
    for (int64_t i = 0; i < spread->count; i++) {
        const struct spread_row *row = &spread->rows[i];
        char name[100];
        if (row->nans + row->infinite == 0 || count++ >= SHOWN) {
            continue;
        }
        err_quote(name, sizeof name, row->name, strlen(row->name));
        const char *what = row->infinite == 0 ? "NaN"
                           : row->nans == 0   ? zh ? "无穷大" : "infinity"
                           : zh               ? "NaN 和无穷大"
                                              : "NaN and infinity";
        text =
            arena_printf(arena,
                         zh ? "%s%s%s（%lld 个数中有 %lld 个是%s）"
                            : "%s%s%s (%lld numbers, %lld of them %s)",
                         text ? text : "",
                         !text ? ""
                         : zh  ? "、"
                               : ", ",
                         name, (long long)row->n, (long long)(row->nans + row->infinite), what);
    }
    if (count > SHOWN) {
        text = arena_printf(arena, zh ? "%s 以及另外 %lld 个张量" : "%s and %lld more tensors",
                            text, (long long)(count - SHOWN));
    }
    return text;
}

struct spread_slope spread_fit(const double *y, int64_t n) {
    double x_sum = 0, y_sum = 0, xx = 0, xy = 0, yy = 0;
    struct spread_slope slope = { .factor = 1 };
    for (int64_t i = 0; i < n; i++) {
        if (y[i] > 0 && isfinite(y[i])) {
            x_sum += (double)i;
            y_sum += log10(y[i]);
            slope.points++;
        }
    }
    double x_mean = x_sum / (double)slope.points, y_mean = y_sum / (double)slope.points;
    for (int64_t i = 0; i < n; i++) {
        if (y[i] > 0 && isfinite(y[i])) {
            double dx = (double)i - x_mean, dy = log10(y[i]) - y_mean;
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
    }
    if (slope.points > 1) {
        slope.factor = pow(10, xy / xx);
        slope.fit = yy > 0 ? xy * xy / (xx * yy) : 1;
    }
    return slope;
}
