#include "core/draw/matrices.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/draw/layout.h"
#include "core/draw/pooling.h"
#include "core/draw/terms.h"

enum {
    FIXED_BYTES = 32000, /* of the budget: what is there beside the cells, in all forms, */
    PANEL_BYTES = 5500,  /* and so much more times the root of the number of panels */
    FEW_PANELS = 4,      /* side by side, so that each may have labels of its own */
    FEW_CELLS = 20,      /* along a side, so that there may be room for numbers in them */
    RESTS_NAMED = 3,     /* places to rest at that the table's note names */
    SIDE_LEAST = 4       /* cells along the longer side that are left whatever they cost */
};

static int64_t blocks(int64_t count, int64_t block) {
    return (count + block - 1) / block;
}

static int64_t cells(const struct pooling *p) {
    return p->panels * p->rows * p->columns;
}

/* Bytes that the cells will take: in the PNG, which is there twice in base64, their entropy at
 * the levels of the colour scale and 6 bits for every cell that differs from its neighbour (a
 * match of deflate); in the JSON, which has the cells of `sent`, one byte, or four where some
 * are no numbers, in base64 too. Within a fifth of what was measured on attention of 72 to 270
 * heads and on noise. */
static double cost(const struct figure *figure, const struct pooling *p,
                   const struct pooling *sent) {
    int64_t n = cells(p), counts[64] = { 0 }, changes = 0;
    double range = figure->high - figure->low, bits = 0, each = 1;
    for (int64_t i = 0, before = -1; i < n; i++) {
        double at = ((double)p->values[i] - figure->low) / range * 63;
        int64_t level = at > 0 ? at < 63 ? (int64_t)at : 63 : 0;
        counts[level]++;
        changes += level != before;
        before = level;
        each = isfinite(p->values[i]) ? each : (double)sizeof(float);
    }
    for (int i = 0; i < 64; i++) {
        bits -= counts[i] ? (double)counts[i] * log2((double)counts[i] / (double)n) : 0;
    }
    return 4.0 / 3 * (2 * (bits + 6 * (double)changes) / 8 + each * (double)cells(sent));
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
static void choose_scale(struct figure *figure, const struct series *series,
                         const struct pooling *p) {
    double low = INFINITY, high = -INFINITY, far = 0;
    for (int64_t i = 0; i < p->panels * p->rows * p->columns; i++) {
        double value = (double)p->values[i];
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

/* Pools as far as the picture's size and the budget of bytes ask for: first a little finer than
 * the picture can show, then pools of these. The JSON gives way first. The strongest value
 * survives any pooling, so one scale holds for all. */
static void choose_cells(struct arena *arena, struct figure *figure,
                         const struct series *series) {
    int64_t rows = figure->rows.count, columns = figure->columns.count;
    int64_t most = layout_cells(figure->panel_rows.count, figure->panel_columns.count);
    int64_t block = blocks(rows > columns ? rows : columns, most);
    struct pooling *fine = pooling_new(arena, series->values->data, figure->panels, rows,
                                       columns, series->is_signed, (block + 3) / 4);
    choose_scale(figure, series, fine);
    struct pooling *shown = fine, *sent;
    double room = MATRICES_BYTES - FIXED_BYTES - PANEL_BYTES * sqrt((double)figure->panels);
    int64_t factor = blocks(block, fine->row_block);
    int64_t coarsest = (fine->rows > fine->columns ? fine->rows : fine->columns) / SIDE_LEAST;
    for (;;) {
        shown = factor > 1 ? pooling_again(arena, fine, factor) : fine;
        sent = shown;
        double ratio = cost(figure, shown, sent) / room;
        if (ratio > 1) {
            sent = pooling_again(arena, shown, 2);
            ratio = cost(figure, shown, sent) / room;
        }
        int64_t next = (int64_t)((double)factor * sqrt(ratio));
        next = next > factor ? next : factor + 1;
        next = next < coarsest ? next : coarsest;
        if (ratio <= 1 || next <= factor) {
            break;
        }
        factor = next;
    }
    figure->sent = sent;
    figure->values = shown->values;
    figure->best = shown->best;
    figure->rows.count = shown->rows;
    figure->rows.block = shown->row_block;
    figure->columns.count = shown->columns;
    figure->columns.block = shown->column_block;
}

static struct figure_axis axis_of(const struct axis *axis, const char *language) {
    return (struct figure_axis){ axis->name,  term_axis(language, axis->name),
                                 axis->count, axis->count,
                                 1,           axis->labels };
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

    choose_cells(arena, figure, series);
    return figure;
}

/* A line of the table. */
struct choice {
    int64_t panel;
    struct figure_best best;
    double strength; /* what it counts for among others */
};

static void table_row(struct arena *arena, const struct figure *figure, const char **cells,
                      const struct choice *choice, bool per_panel) {
    double range = figure->is_signed ? figure->high : figure->high - figure->low;
    if (per_panel) {
        int64_t columns = figure->panel_columns.count;
        *cells++ = figure_label(arena, &figure->panel_rows, choice->panel / columns);
        *cells++ = figure_label(arena, &figure->panel_columns, choice->panel % columns);
    }
    cells[0] = figure_label(arena, &figure->rows, choice->best.row);
    cells[1] = figure_label(arena, &figure->columns, choice->best.column);
    cells[2] = figure_number(arena, (double)choice->best.value, range);
}

/* Whether a row had no choice, as the first of a causal model: all its weight is at one place.
 */
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

/* A NaN comes after all numbers, and a row that had no choice after those above 0. */
static double strength(const struct figure *figure, float value) {
    return isnan(value)        ? -(double)INFINITY
           : figure->is_signed ? fabs((double)value)
                               : (double)value;
}

/* The strongest place of drawn row `index`. */
static struct choice row_choice(const struct figure *figure, int64_t index) {
    struct figure_best best = figure->best[index];
    return (struct choice){ index / figure->rows.count, best,
                            is_forced(figure, index) ? -1 : strength(figure, best.value) };
}

/* The strongest link of row `row` of the source to another place, neither of which is one to
 * rest at. A row without one has the strength -INFINITY. */
static struct choice link_choice(const struct figure *figure, const struct series *series,
                                 int64_t panel, int64_t row) {
    int64_t n = figure->rows.source;
    const bool *rests = series->rests;
    const float *values = series->values->data + (panel * n + row) * n;
    struct choice most = { panel, { row, row, 0 }, -(double)INFINITY };
    for (int64_t c = 0; c < n && !rests[row]; c++) {
        if (!rests[c] && c != row && strength(figure, values[c]) > most.strength) {
            most.best = (struct figure_best){ row, c, values[c] };
            most.strength = strength(figure, values[c]);
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
static struct choice *choices(struct arena *arena, const struct figure *figure,
                              const struct series *series, bool per_panel, int64_t *count) {
    bool links = tells_links(series);
    int64_t rows = links ? figure->rows.source : figure->rows.count;
    int64_t panels = per_panel ? figure->panels : 1;
    struct choice *list = arena_array(arena, panels * rows, sizeof *list);
    *count = 0;
    for (int64_t i = 0; i < panels * rows; i++) {
        struct choice one =
            links ? link_choice(figure, series, i / rows, i % rows) : row_choice(figure, i);
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
    bool zh = strncmp(figure->language, "zh", 2) == 0;
    struct buf *names = buf_new(arena);
    int64_t rests = 0;
    for (int64_t i = 0; i < figure->columns.source; i++) {
        if (series->rests[i] && ++rests <= RESTS_NAMED) {
            buf_printf(names, "%s%s",
                       rests == 1 ? ""
                       : zh       ? "、"
                                  : ", ",
                       figure_short(arena, figure_label(arena, &figure->columns, i), 24));
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
    int64_t n;
    struct choice *list = choices(arena, figure, series, per_panel, &n);
    top = top < n ? top : n;
    sort_top(list, n, top);
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
        table_row(arena, figure, table->cells + i * table->columns, &list[i], per_panel);
    }
    if (tells_links(series)) {
        table->note = links_note(arena, figure, result);
    }
}

void matrices_titles(struct arena *arena, struct figure *figure) {
    const struct figure_axis *rows = &figure->panel_rows, *columns = &figure->panel_columns;
    figure->panel_titles = arena_array(arena, figure->panels, sizeof *figure->panel_titles);
    for (int64_t i = 0; i < figure->panels; i++) {
        const char *above = *rows->name
                                ? arena_printf(arena, "%s %s ", rows->title,
                                               figure_label(arena, rows, i / columns->count))
                                : "";
        figure->panel_titles[i] =
            arena_printf(arena, "%s%s %s", above, columns->title,
                         figure_label(arena, columns, i % columns->count));
    }
}

bool matrices_few(const struct figure *figure) {
    return figure->panel_rows.count <= FEW_PANELS &&
           figure->panel_columns.count <= FEW_PANELS && figure->rows.source <= FEW_CELLS &&
           figure->columns.source <= FEW_CELLS;
}

const char *matrices_pooled(struct arena *arena, const struct figure *figure) {
    int64_t rows = figure->rows.block, columns = figure->columns.block;
    if (rows == 1 && columns == 1) {
        return "";
    }
    bool zh = strncmp(figure->language, "zh", 2) == 0;
    return arena_printf(
        arena, zh ? "每格为 %lld × %lld 中的最大值" : "each cell the largest of %lld × %lld",
        (long long)rows, (long long)columns);
}
