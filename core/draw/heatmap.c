#include <string.h>

#include "core/draw/matrices.h"
#include "core/draw/terms.h"

enum { TOP = 8 };

static void describe(struct arena *arena, struct figure *figure) {
    bool zh = figure_is_chinese(figure);
    struct cells *cells = cells_of(figure);
    double range = cells->high - cells->low;
    figure->note = matrices_pooled(arena, figure);
    figure->alt = arena_printf(
        arena,
        zh ? "热图，%s：%lld 个%s（行）× %lld 个%s（列），颜色从 %s 到 %s；%s"
           : "Heat map, %s: %lld %s rows by %lld %s columns, colours from %s to %s; %s",
        figure->title, (long long)cells->rows.source, term(figure->language, cells->rows.name),
        (long long)cells->columns.source, term(figure->language, cells->columns.name),
        figure_number(arena, cells->low, range), figure_number(arena, cells->high, range),
        figure->finding);
}

static struct figure *heatmap_draw(struct arena *arena, const struct result *result,
                                   const struct picture_options *options, struct err *err) {
    struct figure *figure = matrices_figure(arena, result, options, err);
    if (!figure) {
        err_pass(err);
        return NULL;
    }
    if (cells_of(figure)->panels > 1) {
        matrices_titles(arena, figure);
    }
    cells_of(figure)->annotated = matrices_few(figure);
    describe(arena, figure);
    matrices_table(arena, figure, result, cells_of(figure)->panels > 1,
                   options->top ? options->top : TOP);
    return figure;
}

const struct picture heatmap_picture = {
    .name = "heatmap",
    .summary = "one matrix as coloured cells, tokens on both axes, numbers where there is room",
    .summary_zh = "一个矩阵的彩色格图：两轴为词元，格子够大时写出数值",
    .draw = heatmap_draw,
};
