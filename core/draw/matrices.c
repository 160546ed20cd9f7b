#include "core/draw/matrices.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/draw/pooling.h"
#include "core/draw/standing.h"
#include "core/draw/terms.h"

enum {
    FIXED_BYTES = 32000, /* of the budget: what is there beside the cells, in all forms, */
    PANEL_BYTES = 5500,  /* and so much more times the root of the number of panels */
    FEW_PANELS = 4,      /* side by side, so that each may have labels of its own */
    FEW_CELLS = 20,      /* along a side, so that there may be room for numbers in them */
    NAME_COLUMNS = 60,   /* of an axis or a unit */
    RESTS_NAMED = 3,     /* places to rest at that the table's note names */
    SIDE_LEAST = 4       /* cells along the longer side that are left whatever they cost */
};

static int64_t blocks(int64_t count, int64_t block) {
    return (count + block - 1) / block;
}

static int64_t count_of(const struct pooling *p) {
    return p->panels * p->rows * p->columns;
}

/* Bytes that the cells will take: in the PNG, which is there twice in base64, their entropy at
 * the levels of the colour scale and 6 bits for every cell that differs from its neighbour (a
 * match of deflate); in the JSON, which has the cells of `sent`, one byte, or four where some
 * are no numbers, in base64 too. Within a fifth of what was measured on attention of 72 to 270
 * heads and on noise. */
static double cost(const struct cells *cells, const struct pooling *p,
                   const struct pooling *sent) {
    int64_t n = count_of(p), counts[64] = { 0 }, changes = 0;
    double range = cells->high - cells->low, bits = 0, each = 1;
    for (int64_t i = 0, before = -1; i < n; i++) {
        double at = ((double)p->values[i] - cells->low) / range * 63;
        int64_t level = at > 0 ? at < 63 ? (int64_t)at : 63 : 0;
        counts[level]++;
        changes += level != before;
        before = level;
        each = isfinite(p->values[i]) ? each : (double)sizeof(float);
    }
    for (int i = 0; i < 64; i++) {
        bits -= counts[i] ? (double)counts[i] * log2((double)counts[i] / (double)n) : 0;
    }
    return 4.0 / 3 * (2 * (bits + 6 * (double)changes) / 8 + each * (double)count_of(sent));
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

/* One common scale: to a round number above the largest value, within the series' own bounds.
 */
static void choose_scale(struct cells *cells, const struct series *series,
                         const struct pooling *p) {
    double low = INFINITY, high = -INFINITY, far = 0;
    for (int64_t i = 0; i < p->panels * p->rows * p->columns; i++) {
        if (i % STOP_EVERY == 0) {
            stop_check();
        }
        double value = (double)p->values[i];
        if (isfinite(value)) {
            low = fmin(low, value);
            high = fmax(high, value);
            far = fmax(far, fabs(value));
        }
    }
    bool bounded = series->high > series->low;
    cells->is_signed = series->is_signed;
    if (series->is_signed) {
        cells->high = far > 0 ? round_up(far) : 1;
        cells->high = bounded && cells->high > series->high ? series->high : cells->high;
        cells->low = -cells->high;
        return;
    }
    cells->low = bounded ? series->low : low < 0 ? -round_up(-low) : 0;
    cells->high = high > cells->low ? high > 0 ? round_up(high) : 0 : cells->low + 1;
    if (bounded && cells->high > series->high) {
        cells->high = series->high;
    }
    if (cells->high <= cells->low) {
        cells->high = cells->low + 1;
    }
}

/* Pools as far as the picture's size and the budget of bytes ask for: first a little finer than
 * the picture can show, then pools of these. The JSON gives way first. The strongest value
 * survives any pooling, so one scale holds for all. */
static void choose_cells(struct arena *arena, struct cells *cells,
                         const struct series *series) {
    int64_t rows = cells->rows.count, columns = cells->columns.count;
    int64_t most = cells_layout_cells(cells->panel_rows.count, cells->panel_columns.count);
    int64_t block = blocks(rows > columns ? rows : columns, most);
    struct pooling *fine = pooling_new(arena, series->values->data, cells->panels, rows,
                                       columns, series->is_signed, (block + 3) / 4);
    choose_scale(cells, series, fine);
    struct pooling *shown = fine, *sent;
    double room = MATRICES_BYTES - FIXED_BYTES - PANEL_BYTES * sqrt((double)cells->panels);
    int64_t factor = blocks(block, fine->row_block);
    int64_t coarsest = (fine->rows > fine->columns ? fine->rows : fine->columns) / SIDE_LEAST;
    for (;;) {
        shown = factor > 1 ? pooling_again(arena, fine, factor) : fine;
        sent = shown;
        double ratio = cost(cells, shown, sent) / room;
        if (ratio > 1) {
            sent = pooling_again(arena, shown, 2);
            ratio = cost(cells, shown, sent) / room;
        }
        int64_t next = (int64_t)((double)factor * sqrt(ratio));
        next = next > factor ? next : factor + 1;
        next = next < coarsest ? next : coarsest;
        if (ratio <= 1 || next <= factor) {
            break;
        }
        factor = next;
    }
    cells->sent = sent;
    cells->values = shown->values;
    cells->best = shown->best;
    cells->rows.count = shown->rows;
    cells->rows.block = shown->row_block;
    cells->columns.count = shown->columns;
    cells->columns.block = shown->column_block;
    if (sent->row_block > 1 || sent->column_block > 1) {
        standing_choose(arena, cells, series->values->data, MATRICES_STANDING_BYTES);
    }
}

/* What an axis or a unit is called, fit to be seen. */
static const char *called(struct arena *arena, const char *name) {
    return figure_short(arena, figure_sentence(arena, name), NAME_COLUMNS);
}

static struct figure_axis axis_of(struct arena *arena, const struct axis *axis,
                                  const char *language) {
    return (struct figure_axis){ called(arena, axis->name),
                                 called(arena, term_axis(language, axis->name)),
                                 axis->count,
                                 axis->count,
                                 1,
                                 axis->labels };
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

/* The other series of the result that have a number for every panel of layers and heads. */
static void find_scores(struct arena *arena, struct cells *cells, const struct result *result) {
    cells->scores = arena_array(arena, result->count, sizeof *cells->scores);
    for (int64_t i = 1; i < result->count && cells->panel_axes == 2; i++) {
        const struct series *score = &result->series[i];
        const struct axis *ours = result->series[0].axes, *axes = score->axes;
        if (score->values->dtype == DTYPE_F32 && score->values->rank == 2 &&
            axes[0].count == ours[0].count && strcmp(axes[0].name, ours[0].name) == 0 &&
            axes[1].count == ours[1].count && strcmp(axes[1].name, ours[1].name) == 0) {
            cells->scores[cells->score_count++] = score;
        }
    }
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
    struct figure *figure = figure_new(arena, result, options);
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    const char *language = figure->language;
    figure->form = &cells_form;
    figure->body = cells;
    cells->unit = called(arena, term(language, series->unit ? series->unit : ""));
    cells->panel_rows = axis_of(arena, rank > 3 ? &axes[rank - 4] : &one, language);
    cells->panel_columns = axis_of(arena, rank > 2 ? &axes[rank - 3] : &one, language);
    cells->rows = axis_of(arena, &axes[rank - 2], language);
    cells->columns = axis_of(arena, &axes[rank - 1], language);
    cells->panels = cells->panel_rows.count * cells->panel_columns.count;
    cells->series = called(arena, series->name);
    cells->panel_axes = rank - 2;
    cells->rests = series->rests;
    find_scores(arena, cells, result);
    choose_cells(arena, cells, series);
    return figure;
}

/* A line of the table. */
struct choice {
    int64_t panel;
    struct pooling_best best;
    double strength; /* what it counts for among others */
};

static void table_row(struct arena *arena, const struct cells *cells, const char **row,
                      const struct choice *choice, bool per_panel) {
    double range = cells->is_signed ? cells->high : cells->high - cells->low;
    if (per_panel) {
        int64_t columns = cells->panel_columns.count;
        *row++ = figure_label(arena, &cells->panel_rows, choice->panel / columns);
        *row++ = figure_label(arena, &cells->panel_columns, choice->panel % columns);
    }
    row[0] = figure_label(arena, &cells->rows, choice->best.row);
    row[1] = figure_label(arena, &cells->columns, choice->best.column);
    row[2] = figure_number(arena, (double)choice->best.value, range);
}

/* Whether a row had no choice, as the first of a causal model: all its weight is at one place.
 */
static bool is_forced(const struct cells *cells, int64_t index) {
    const float *row = cells->values + index * cells->columns.count;
    if (cells->is_signed || cells->columns.count < 2 || index % cells->rows.count != 0 ||
        (double)row[0] != cells->high) {
        return false;
    }
    for (int64_t c = 1; c < cells->columns.count; c++) {
        if (row[c] != 0) {
            return false;
        }
    }
    return true;
}

/* A NaN comes after all numbers, and a row that had no choice after those above 0. */
static double strength(const struct cells *cells, float value) {
    return isnan(value)       ? -(double)INFINITY
           : cells->is_signed ? fabs((double)value)
                              : (double)value;
}

/* The strongest place of drawn row `index`. */
static struct choice row_choice(const struct cells *cells, int64_t index) {
    struct pooling_best best = cells->best[index];
    return (struct choice){ index / cells->rows.count, best,
                            is_forced(cells, index) ? -1 : strength(cells, best.value) };
}

/* The strongest link of row `row` of the source to another place, neither of which is one to
 * rest at. A row without one has the strength -INFINITY. */
static struct choice link_choice(const struct cells *cells, const struct series *series,
                                 int64_t panel, int64_t row) {
    int64_t n = cells->rows.source;
    const bool *rests = series->rests;
    const float *values = series->values->data + (panel * n + row) * n;
    struct choice most = { panel, { row, row, 0 }, -(double)INFINITY };
    for (int64_t c = 0; c < n && !rests[row]; c++) {
        if (!rests[c] && c != row && strength(cells, values[c]) > most.strength) {
            most.best = (struct pooling_best){ row, c, values[c] };
            most.strength = strength(cells, values[c]);
        }
    }
    return most;
}

/* Whether the table is of links between places that are none to rest at: some are, and two are
 * not. */
static bool tells_links(const struct series *series) {
    const struct axis *from = &series->axes[series->values->rank - 2], *to = from + 1;
    int64_t others = 0;
    for (int64_t i = 0; series->rests && from->count == to->count && i < to->count; i++) {
        others += !series->rests[i];
    }
    return others >= 2 && others < to->count;
}

/* What the table chooses from: the strongest place of each row of the first panel, or of each
 * panel. */
static struct choice *choices(struct arena *arena, const struct cells *cells,
                              const struct series *series, bool per_panel, int64_t *count) {
    bool links = tells_links(series);
    int64_t rows = links ? cells->rows.source : cells->rows.count;
    int64_t panels = per_panel ? cells->panels : 1;
    struct choice *list = arena_array(arena, panels * rows, sizeof *list);
    *count = 0;
    for (int64_t i = 0; i < panels * rows; i++) {
        if (i % 256 == 0) {
            stop_check();
        }
        struct choice one =
            links ? link_choice(cells, series, i / rows, i % rows) : row_choice(cells, i);
        bool begins = !per_panel || i % rows == 0;
        if (begins) {
            list[(*count)++] = one;
        } else if (one.strength > list[*count - 1].strength) {
            list[*count - 1] = one;
        }
    }
    for (int64_t i = 0; links && i < *count; i++) {
        if (list[i].strength <= 0) { /* a causal model's, which cannot look ahead */
            memmove(&list[i], &list[i + 1], (size_t)(*count - i - 1) * sizeof *list);
            --*count;
            i--;
        }
    }
    return list;
}

/* "token", "word", or "place" where the result does not say what its axes count. */
static const char *unit_of(const struct result *result) {
    for (int64_t i = 0; i < result->note_count; i++) {
        if (strcmp(result->notes[i].key, "unit") == 0) {
            return result->notes[i].value;
        }
    }
    return "place";
}

/* "Strongest links between different tokens, without [CLS], [SEP]" */
static const char *links_note(struct arena *arena, const struct figure *figure,
                              const struct result *result) {
    const struct series *series = &result->series[0];
    bool zh = figure_is_chinese(figure);
    const struct figure_axis *columns = &cells_of(figure)->columns;
    struct buf *names = buf_new(arena);
    int64_t rests = 0;
    for (int64_t i = 0; i < columns->source; i++) {
        if (series->rests[i] && ++rests <= RESTS_NAMED) {
            buf_printf(names, "%s%s",
                       rests == 1 ? ""
                       : zh       ? "、"
                                  : ", ",
                       figure_short(arena, figure_label(arena, columns, i), 24));
        }
    }
    buf_text(names, rests > RESTS_NAMED ? ", …" : "");
    const char *unit = term(figure->language, unit_of(result));
    const char *only = rests > 1 ? ""
                       : zh      ? arena_printf(arena, "首个%s ", unit)
                                 : "the first, ";
    return arena_printf(arena,
                        zh ? "不同%s之间最强的联系（不计 %s%s）"
                           : "Strongest links between different %ss, without %s%s",
                        unit, only, names->data);
}

/* Brings the `top` strongest to the front: that many steps of a stable selection sort. */
static void sort_top(struct choice *list, int64_t n, int64_t top) {
    for (int64_t i = 0; i < top; i++) {
        int64_t most = i;
        for (int64_t k = i + 1; k < n; k++) {
            most = list[k].strength > list[most].strength ? k : most;
        }
        struct choice taken = list[most];
        memmove(&list[i + 1], &list[i], (size_t)(most - i) * sizeof *list);
        list[i] = taken;
    }
}

void matrices_table(struct arena *arena, struct figure *figure, const struct result *result,
                    bool per_panel, int64_t top) {
    const struct series *series = &result->series[0];
    const struct cells *cells = cells_of(figure);
    int64_t n;
    struct choice *list = choices(arena, cells, series, per_panel, &n);
    top = top < n ? top : n;
    sort_top(list, n, top);
    struct figure_table *table = &figure->table;
    const struct figure_axis *named[] = { &cells->panel_rows, &cells->panel_columns,
                                          &cells->rows, &cells->columns };
    int64_t skip = per_panel ? 0 : 2;
    table->columns = 5 - skip;
    table->rows = top;
    table->heads = arena_array(arena, table->columns, sizeof *table->heads);
    for (int64_t i = 0; i < 4 - skip; i++) {
        table->heads[i] = term(figure->language, named[i + skip]->name);
    }
    table->heads[4 - skip] = *cells->unit ? cells->unit : term(figure->language, "value");
    table->cells = arena_array(arena, top * table->columns, sizeof *table->cells);
    for (int64_t i = 0; i < top; i++) {
        table_row(arena, cells, table->cells + i * table->columns, &list[i], per_panel);
    }
    if (tells_links(series)) {
        table->note = links_note(arena, figure, result);
    }
}

void matrices_titles(struct arena *arena, struct figure *figure) {
    struct cells *cells = cells_of(figure);
    const struct figure_axis *rows = &cells->panel_rows, *columns = &cells->panel_columns;
    cells->panel_titles = arena_array(arena, cells->panels, sizeof *cells->panel_titles);
    for (int64_t i = 0; i < cells->panels; i++) {
        const char *above = *rows->name
                                ? arena_printf(arena, "%s %s ", rows->title,
                                               figure_label(arena, rows, i / columns->count))
                                : "";
        cells->panel_titles[i] = arena_printf(arena, "%s%s %s", above, columns->title,
                                              figure_label(arena, columns, i % columns->count));
    }
}

bool matrices_few(const struct figure *figure) {
    const struct cells *cells = cells_of(figure);
    return cells->panel_rows.count <= FEW_PANELS && cells->panel_columns.count <= FEW_PANELS &&
           cells->rows.source <= FEW_CELLS && cells->columns.source <= FEW_CELLS;
}

const char *matrices_pooled(struct arena *arena, const struct figure *figure) {
    int64_t rows = cells_of(figure)->rows.block, columns = cells_of(figure)->columns.block;
    if (rows == 1 && columns == 1) {
        return "";
    }
    bool zh = figure_is_chinese(figure);
    return arena_printf(
        arena, zh ? "每格为 %lld × %lld 中的最大值" : "each cell the largest of %lld × %lld",
        (long long)rows, (long long)columns);
}
