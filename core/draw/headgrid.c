#include <string.h>

#include "core/draw/matrices.h"
#include "core/draw/terms.h"

enum { TOP = 10 };

static void describe(struct arena *arena, struct figure *figure) {
    bool zh = figure_is_chinese(figure);
    struct cells *cells = cells_of(figure);
    double range = cells->high - cells->low;
    const char *pooled = matrices_pooled(arena, figure);
    figure->note =
        arena_printf(arena,
                     zh ? "每幅小图：行为%s，列为%s，%lld × %lld%s%s"
                        : "each panel: rows %s, columns %s, %lld × %lld%s%s",
                     cells->rows.title, cells->columns.title, (long long)cells->rows.source,
                     (long long)cells->columns.source, *pooled ? zh ? "；" : "; " : "", pooled);
    figure->alt = arena_printf(
        arena,
        zh ? "%lld × %lld 幅热图（%s × %s），%s：每幅 %lld × %lld，颜色从 %s 到 %s；%s"
           : "Grid of %lld × %lld heat maps (%s × %s), %s: each %lld × %lld, colours from %s "
             "to %s; %s",
        (long long)cells->panel_rows.count, (long long)cells->panel_columns.count,
        cells->panel_rows.title, cells->panel_columns.title, figure->title,
        (long long)cells->rows.source, (long long)cells->columns.source,
        figure_number(arena, cells->low, range), figure_number(arena, cells->high, range),
        figure->finding);
}

static struct figure *headgrid_draw(struct arena *arena, const struct result *result,
                                    const struct picture_options *options, struct err *err) {
    struct figure *figure = matrices_figure(arena, result, options, err);
    if (!figure) {
        err_pass(err);
        return NULL;
    }
    if (result->series[0].values->rank != 4) {
        char shape[100];
        err_set(err, ERR_OPTION,
                "a grid of heads needs [layers, heads, rows, columns], and %s is %s: "
                "draw it as heatmap",
                result->series[0].name, tensor_shape_text(result->series[0].values, shape));
        return NULL;
    }
    if (matrices_few(figure)) {
        matrices_titles(arena, figure);
        cells_of(figure)->annotated = true;
    }
    describe(arena, figure);
    matrices_table(arena, figure, result, true, options->top ? options->top : TOP);
    return figure;
}

const struct picture headgrid_picture = {
    .name = "headgrid",
    .summary = "all layers (rows) and heads (columns) as small heat maps with one common scale",
    .summary_zh = "所有层（行）与头（列）的小热图，共用一个色标",
    .draw = headgrid_draw,
};
