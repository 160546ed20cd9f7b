#include "core/draw/matrices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/checked.h"
#include "core/base/pool.h"
#include "core/draw/colour.h"
#include "core/draw/layout.h"
#include "core/draw/terms.h"

enum {
    CHUNK = 512,          /* columns that one task holds at a time */
    FIXED_BYTES = 60000,  /* of the budget: labels, tables, texts, file headers */
    ANNOTATED = 16,       /* the most rows or columns with numbers in the cells */
    ANNOTATED_CELLS = 256
};

/* Source matrices [panels, rows, columns] and where their pools go. */
struct pooling {
    const float *from;
    float *to;
    struct figure_best *best;
    int64_t rows, columns;         /* of the source */
    int64_t row_block, column_block;
    int64_t to_rows, to_columns;
    bool is_signed;
};

static float stronger(float a, float b, bool is_signed) {
    float x = is_signed ? fabsf(a) : a, y = is_signed ? fabsf(b) : b;
    return x >= y ? a : b;
}

/* Column by column the strongest of several rows. A NaN wins, so that it is seen. */
static void strongest_rows(const struct pooling *p, const float *from, int64_t rows, int64_t n,
                           float *into) {
    memcpy(into, from, (size_t)n * sizeof *into);
    for (int64_t r = 1; r < rows; r++) {
        const float *row = from + r * p->columns;
        if (p->is_signed) {
            for (int64_t c = 0; c < n; c++) {
                into[c] = !(fabsf(row[c]) <= fabsf(into[c])) && into[c] == into[c] ? row[c] : into[c];
            }
        } else {
            for (int64_t c = 0; c < n; c++) {
                into[c] = !(row[c] <= into[c]) && into[c] == into[c] ? row[c] : into[c];
            }
        }
    }
}

/* One row of pools: blocks of row_block rows and column_block columns. */
static void pool_row(const struct pooling *p, int64_t index) {
    int64_t panel = index / p->to_rows, first = index % p->to_rows * p->row_block;
    int64_t rows = p->rows - first < p->row_block ? p->rows - first : p->row_block;
    const float *from = p->from + (panel * p->rows + first) * p->columns;
    float *to = p->to + index * p->to_columns;
    float strongest[CHUNK];
    for (int64_t begin = 0; begin < p->columns; begin += CHUNK) {
        int64_t n = p->columns - begin < CHUNK ? p->columns - begin : CHUNK;
        strongest_rows(p, from + begin, rows, n, strongest);
        for (int64_t c = 0; c < n; c++) {
            float *cell = &to[(begin + c) / p->column_block];
            bool fresh = (begin + c) % p->column_block == 0;
            *cell = fresh || isnan(strongest[c]) ? strongest[c]
                                                 : stronger(*cell, strongest[c], p->is_signed);
        }
    }
}

static void pool_rows(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        pool_row(arg, i);
    }
}

/* The strongest place of the source rows behind one drawn row; the first of equals. */
static void find_best(const struct pooling *p, int64_t index) {
    int64_t panel = index / p->to_rows, first = index % p->to_rows * p->row_block;
    int64_t end = first + p->row_block < p->rows ? first + p->row_block : p->rows;
    struct figure_best best = { first, 0, NAN };
    for (int64_t r = first; r < end; r++) {
        const float *row = p->from + (panel * p->rows + r) * p->columns;
        for (int64_t c = 0; c < p->columns; c++) {
            float a = p->is_signed ? fabsf(row[c]) : row[c];
            float b = p->is_signed ? fabsf(best.value) : best.value;
            if (a > b || (isnan(b) && !isnan(a))) {
                best = (struct figure_best){ r, c, row[c] };
            }
        }
    }
    p->best[index] = best;
}

static void find_bests(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        find_best(arg, i);
    }
}

static int64_t blocks(int64_t count, int64_t block) {
    return (count + block - 1) / block;
}

/* Bytes that the cells will take: in the PNG their entropy at the levels of the colour scale, that
 * twice in base64, and one byte in the JSON, in base64 too. Deflate comes within a sixth of it. */
static double cost(const float *values, int64_t n, const struct figure *figure) {
    int64_t counts[64] = { 0 };
    double range = figure->high - figure->low, bits = 0;
    for (int64_t i = 0; i < n; i++) {
        double at = ((double)values[i] - figure->low) / range * 63;
        counts[at > 0 ? at < 63 ? (int)at : 63 : 0]++;
    }
    for (int i = 0; i < 64; i++) {
        bits -= counts[i] ? (double)counts[i] * log2((double)counts[i] / (double)n) : 0;
    }
    return 4.0 / 3 * (2 * 1.17 * bits / 8 + (double)n);
}

static void pool_to(struct arena *arena, struct pooling *p, int64_t panels, int64_t block) {
    p->row_block = block < p->rows ? block : p->rows;
    p->column_block = block < p->columns ? block : p->columns;
    p->to_rows = blocks(p->rows, p->row_block);
    p->to_columns = blocks(p->columns, p->column_block);
    int64_t n = panels * p->to_rows;
    p->to = arena_array(arena, n * p->to_columns, sizeof *p->to);
    pool_for(n, 1 + 32768 / (p->row_block * p->columns), pool_rows, p);
}

/* The next round number up: 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1 times a power of ten. */
static double round_up(double value) {
    static const double round[] = { 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 };
    double ten = pow(10, floor(log10(value)));
    for (size_t i = 0; i < sizeof round / sizeof *round; i++) {
        if (value <= round[i] * ten * (1 + 1e-6)) {
            return round[i] * ten;
        }
    }
    return value;
}

/* One common scale: to a round number above the largest value, within the series' own bounds. */
static void choose_scale(struct figure *figure, const struct series *series, int64_t n) {
    double low = INFINITY, high = -INFINITY, far = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = (double)figure->values[i];
        if (isfinite(value)) {
            low = fmin(low, value);
            high = fmax(high, value);
            far = fmax(far, fabs(value));
        }
    }
    bool bounded = series->high > series->low;
    figure->is_signed = series->is_signed;
    if (series->is_signed) {
        figure->high = far > 0 ? round_up(far) : 1;
        figure->low = -figure->high;
        return;
    }
    figure->low = bounded ? series->low : low < 0 ? -round_up(-low) : 0;
    figure->high = high > figure->low ? high > 0 ? round_up(high) : 0 : figure->low + 1;
    if (bounded && figure->high > series->high) {
        figure->high = series->high;
    }
    if (figure->high <= figure->low) {
        figure->high = figure->low + 1;
    }
}

/* Pools as far as the picture's size and the budget of bytes ask for. The strongest value survives
 * any pooling, so the first pooling's scale holds for all. */
static void choose_cells(struct arena *arena, struct figure *figure, const struct series *series,
                         struct pooling *p) {
    int64_t most = layout_cells(figure->panel_rows.count, figure->panel_columns.count);
    int64_t side = p->rows > p->columns ? p->rows : p->columns;
    int64_t block = blocks(side, most);
    pool_to(arena, p, figure->panels, block);
    int64_t n = figure->panels * p->to_rows * p->to_columns;
    figure->values = p->to;
    choose_scale(figure, series, n);
    for (;;) {
        double ratio = cost(p->to, n, figure) / (MATRICES_BYTES - FIXED_BYTES);
        if (ratio <= 1 || (p->to_rows == 1 && p->to_columns == 1)) {
            break;
        }
        int64_t next = (int64_t)((double)block * sqrt(ratio));
        block = next > block ? next : block + 1;
        pool_to(arena, p, figure->panels, block);
        n = figure->panels * p->to_rows * p->to_columns;
    }
    figure->values = p->to;
    p->best = arena_array(arena, figure->panels * p->to_rows, sizeof *p->best);
    pool_for(figure->panels * p->to_rows, 1 + 32768 / (p->row_block * p->columns), find_bests, p);
    figure->best = p->best;
}

static struct figure_axis axis_of(const struct axis *axis, const char *language) {
    return (struct figure_axis){ axis->name, term_axis(language, axis->name), axis->count,
                                 axis->count, 1, axis->labels };
}

static int check_series(const struct result *result, struct err *err) {
    if (result->count == 0) {
        return err_set(err, ERR_OPTION, "this result has no numbers to draw");
    }
    const struct tensor *values = result->series[0].values;
    char shape[100];
    if (values->dtype != DTYPE_F32 || values->rank < 2 || values->rank > 4 ||
        tensor_count(values) == 0) {
        return err_set(err, ERR_OPTION,
                       "cells are drawn from matrices, [.., rows, columns] of rank 2 to 4, and "
                       "%s is %s %s",
                       result->series[0].name, dtype_name(values->dtype),
                       tensor_shape_text(values, shape));
    }
    return 0;
}

static void set_texts(struct arena *arena, struct figure *figure, const struct result *result) {
    struct result timeless = *result;
    timeless.seconds = 0;
    figure->title = figure_sentence(arena, result->title);
    figure->note = "";
    figure->finding = figure_sentence(arena, result->finding);
    figure->caption = figure_sentence(arena, result->caption);
    figure->alt = figure->finding;
    figure->provenance = figure_sentence(arena, result_provenance(arena, &timeless));
    figure->time = result_duration(arena, result->seconds);
    figure->unit = term(figure->language, result->series[0].unit ? result->series[0].unit : "");
}

struct figure *matrices_figure(struct arena *arena, const struct result *result,
                               const struct picture_options *options, struct err *err) {
    if (check_series(result, err) < 0) {
        err_pass(err);
        return NULL;
    }
    const struct series *series = &result->series[0];
    const struct axis *axes = series->axes;
    int rank = series->values->rank;
    struct axis one = { "", 1, NULL };
    struct figure *figure = arena_alloc(arena, sizeof *figure);
    const char *language = options->language ? options->language : "en";
    figure->language = language;
    set_texts(arena, figure, result);
    figure->panel_rows = axis_of(rank > 3 ? &axes[rank - 4] : &one, language);
    figure->panel_columns = axis_of(rank > 2 ? &axes[rank - 3] : &one, language);
    figure->rows = axis_of(&axes[rank - 2], language);
    figure->columns = axis_of(&axes[rank - 1], language);
    figure->panels = figure->panel_rows.count * figure->panel_columns.count;

    struct pooling p = { .from = series->values->data, .rows = figure->rows.count,
                         .columns = figure->columns.count, .is_signed = series->is_signed };
    choose_cells(arena, figure, series, &p);
    figure->rows.count = p.to_rows;
    figure->rows.block = p.row_block;
    figure->columns.count = p.to_columns;
    figure->columns.block = p.column_block;
    return figure;
}

/* Row `index` of figure->best as a line of the table. */
static void table_row(struct arena *arena, const struct figure *figure, const char **cells,
                      int64_t index, bool per_panel) {
    const struct figure_best *best = &figure->best[index];
    int64_t panel = index / figure->rows.count;
    double range = figure->is_signed ? figure->high : figure->high - figure->low;
    if (per_panel) {
        int64_t columns = figure->panel_columns.count;
        *cells++ = figure_label(arena, &figure->panel_rows, panel / columns);
        *cells++ = figure_label(arena, &figure->panel_columns, panel % columns);
    }
    cells[0] = figure_label(arena, &figure->rows, best->row);
    cells[1] = figure_label(arena, &figure->columns, best->column);
    cells[2] = figure_number(arena, (double)best->value, range);
}

/* Whether a row had no choice, as the first of a causal model: all its weight is at one place. */
static bool is_forced(const struct figure *figure, int64_t index) {
    const float *row = figure->values + index * figure->columns.count;
    if (figure->is_signed || figure->columns.count < 2 || index % figure->rows.count != 0 ||
        (double)row[0] != figure->high) {
        return false;
    }
    for (int64_t c = 1; c < figure->columns.count; c++) {
        if (row[c] != 0) {
            return false;
        }
    }
    return true;
}

/* What a row counts for among others; one that had no choice comes last. */
static double strength(const struct figure *figure, int64_t index) {
    double value = (double)figure->best[index].value;
    if (is_forced(figure, index)) {
        return -1;
    }
    return isnan(value) ? -(double)INFINITY : figure->is_signed ? fabs(value) : value;
}

/* The strongest drawn row among rows begin .. end-1. */
static int64_t strongest(const struct figure *figure, int64_t begin, int64_t end) {
    int64_t at = begin;
    for (int64_t i = begin + 1; i < end; i++) {
        if (strength(figure, i) > strength(figure, at)) {
            at = i;
        }
    }
    return at;
}

void matrices_table(struct arena *arena, struct figure *figure, bool per_panel, int64_t top) {
    int64_t rows = figure->rows.count, n = per_panel ? figure->panels : rows;
    int64_t *order = arena_array(arena, n, sizeof *order);
    for (int64_t i = 0; i < n; i++) {
        order[i] = per_panel ? strongest(figure, i * rows, (i + 1) * rows) : i;
    }
    top = top < n ? top : n;
    for (int64_t i = 0; i < top; i++) { /* the first `top` places of a selection sort */
        int64_t most = i;
        for (int64_t k = i + 1; k < n; k++) {
            most = strength(figure, order[k]) > strength(figure, order[most]) ? k : most;
        }
        int64_t taken = order[most];
        memmove(&order[i + 1], &order[i], (size_t)(most - i) * sizeof *order); /* stable */
        order[i] = taken;
    }
    struct figure_table *table = &figure->table;
    const struct figure_axis *named[] = { &figure->panel_rows, &figure->panel_columns,
                                          &figure->rows, &figure->columns };
    int64_t skip = per_panel ? 0 : 2;
    table->columns = 5 - skip;
    table->rows = top;
    table->heads = arena_array(arena, table->columns, sizeof *table->heads);
    for (int64_t i = 0; i < 4 - skip; i++) {
        table->heads[i] = term(figure->language, named[i + skip]->name);
    }
    table->heads[4 - skip] = *figure->unit ? figure->unit : term(figure->language, "value");
    table->cells = arena_array(arena, top * table->columns, sizeof *table->cells);
    for (int64_t i = 0; i < top; i++) {
        table_row(arena, figure, table->cells + i * table->columns, order[i], per_panel);
    }
}

const char *matrices_pooled(struct arena *arena, const struct figure *figure) {
    int64_t rows = figure->rows.block, columns = figure->columns.block;
    if (rows == 1 && columns == 1) {
        return "";
    }
    bool zh = strncmp(figure->language, "zh", 2) == 0;
    return arena_printf(arena, zh ? "每格为 %lld × %lld 中的最大值" : "each cell the largest of %lld × %lld",
                        (long long)rows, (long long)columns);
}
