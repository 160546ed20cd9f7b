#include "core/draw/html.h"
#include "core/base/catch.h"

#include <math.h>
#include <string.h>

#include "core/draw/table.h"
#include "core/draw/terms.h"

enum {
    HOVER_CELLS = 4096,   /* at most so many cells have a title each */
    HOVER_BYTES = 120000, /* and at most so many bytes in all */
    HOVER_EACH = 22       /* bytes of one title beside its labels */
};

void html_escape(struct buf *out, const char *text) {
    struct arena *arena = arena_new();
    const char *shown = figure_sentence(arena, text);
    for (; *shown; shown++) {
        switch (*shown) {
        case '&':
            buf_text(out, "&amp;");
            break;
        case '<':
            buf_text(out, "&lt;");
            break;
        case '>':
            buf_text(out, "&gt;");
            break;
        case '"':
            buf_text(out, "&quot;");
            break;
        case '\'':
            buf_text(out, "&#39;");
            break;
        default:
            buf_char(out, *shown);
        }
    }
    arena_free(arena);
}

/* A length in CSS pixels, without noise behind the point. */
static void px(struct buf *out, const char *property, double length) {
    buf_printf(out, "%s:%.6gpx;", property, length);
}

/* Opens a transparent grid of `columns` places at x, y over the picture. */
static void grid_open(struct buf *out, double x, double y, int64_t columns, double width,
                      double height) {
    buf_text(out, "<div style=\"position:absolute;display:grid;");
    px(out, "left", x);
    px(out, "top", y);
    buf_printf(out, "grid-template-columns:repeat(%lld,%.6gpx);grid-auto-rows:%.6gpx\">",
               (long long)columns, width, height);
}

static void title(struct buf *out, const char *text) {
    buf_text(out, "<i title=\"");
    html_escape(out, text);
    buf_text(out, "\"></i>");
}

static const char *number(struct arena *arena, const struct figure *figure, double value) {
    return figure_number(arena, value,
                         figure->is_signed ? figure->high : figure->high - figure->low);
}

/* "cat → mat: 0.42" over every cell of panel i. */
static void hover_cells(struct arena *arena, struct buf *out, const struct figure *figure,
                        const struct layout *l, int64_t panel) {
    int64_t rows = figure->rows.count, columns = figure->columns.count;
    const float *values = figure->values + panel * rows * columns;
    grid_open(out, layout_panel_x(l, figure, panel), layout_panel_y(l, figure, panel), columns,
              l->cell, l->cell);
    for (int64_t i = 0; i < rows * columns; i++) {
        title(out, arena_printf(arena, "%s → %s: %s",
                                figure_place(arena, &figure->rows, i / columns),
                                figure_place(arena, &figure->columns, i % columns),
                                number(arena, figure, (double)values[i])));
    }
    buf_text(out, "</div>");
}

static const char *best_text(struct arena *arena, const struct figure *figure,
                             const struct figure_best *best) {
    return arena_printf(arena, "%s → %s: %s", figure_label(arena, &figure->rows, best->row),
                        figure_label(arena, &figure->columns, best->column),
                        number(arena, figure, (double)best->value));
}

/* One strip a row of the only panel: where that row is strongest. */
static void hover_rows(struct arena *arena, struct buf *out, const struct figure *figure,
                       const struct layout *l) {
    grid_open(out, l->left, l->top, 1, l->panel_width, l->cell);
    for (int64_t r = 0; r < figure->rows.count; r++) {
        title(out, best_text(arena, figure, &figure->best[r]));
    }
    buf_text(out, "</div>");
}

static const struct figure_best *panel_best(const struct figure *figure, int64_t panel) {
    const struct figure_best *best = &figure->best[panel * figure->rows.count];
    for (int64_t r = 1; r < figure->rows.count; r++) {
        const struct figure_best *other = &figure->best[panel * figure->rows.count + r];
        double a = (double)other->value, b = (double)best->value;
        best = (figure->is_signed ? fabs(a) > fabs(b) : a > b) ? other : best;
    }
    return best;
}

/* One title a panel: its name and its strongest cell. */
static void hover_panels(struct arena *arena, struct buf *out, const struct figure *figure,
                         const struct layout *l) {
    grid_open(out, l->left, l->top, figure->panel_columns.count, l->pitch_x, l->pitch_y);
    for (int64_t i = 0; i < figure->panels; i++) {
        title(out, arena_printf(arena, "%s: %s", figure_panel(arena, figure, i),
                                best_text(arena, figure, panel_best(figure, i))));
    }
    buf_text(out, "</div>");
}

/* Bytes that titles over every cell would take. */
static double hover_bytes(const struct figure *figure) {
    double bytes = 0;
    const struct figure_axis *axes[] = { &figure->rows, &figure->columns };
    for (int a = 0; a < 2; a++) {
        double length = 0;
        for (int64_t i = 0; axes[a]->labels && i < axes[a]->source; i++) {
            length += (double)strlen(axes[a]->labels[i]);
        }
        bytes += length / (double)axes[a]->source;
    }
    double cells = (double)(figure->panels * figure->rows.count * figure->columns.count);
    return cells > HOVER_CELLS ? (double)INFINITY : cells * (bytes + HOVER_EACH);
}

static void hover(struct arena *arena, struct buf *out, const struct figure *figure,
                  const struct layout *l) {
    if (hover_bytes(figure) <= HOVER_BYTES) {
        for (int64_t i = 0; i < figure->panels; i++) {
            hover_cells(arena, out, figure, l, i);
        }
    } else if (figure->panels > 1) {
        hover_panels(arena, out, figure, l);
    } else {
        hover_rows(arena, out, figure, l);
    }
}

static void picture(struct arena *arena, struct buf *out, const struct figure *figure,
                    const struct layout *l, const char *png) {
    buf_text(out, "<div style=\"position:relative;");
    px(out, "width", l->width);
    px(out, "height", l->height);
    buf_text(out, "\"><img alt=\"");
    html_escape(out, figure->alt);
    buf_printf(out, "\" width=\"%.0f\" height=\"%.0f\" src=\"data:image/png;base64,", l->width,
               l->height);
    buf_text(out, png);
    buf_text(out, "\">");
    hover(arena, out, figure, l);
    buf_text(out, "</div>");
}

static void cell(struct buf *out, const char *tag, const char *text, const char *align) {
    buf_printf(out, "<%s style=\"text-align:%s\">", tag, align);
    html_escape(out, text);
    buf_printf(out, "</%s>", tag);
}

static void table(struct buf *out, const struct figure_table *table) {
    buf_text(out, "<table><thead><tr>");
    for (int64_t c = 0; c < table->columns; c++) {
        cell(out, "th", table->heads[c], c + 1 < table->columns ? "left" : "right");
    }
    buf_text(out, "</tr></thead><tbody>");
    for (int64_t r = 0; r < table->rows; r++) {
        buf_text(out, "<tr>");
        for (int64_t c = 0; c < table->columns; c++) {
            cell(out, "td", table->cells[r * table->columns + c],
                 c + 1 < table->columns ? "left" : "right");
        }
        buf_text(out, "</tr>");
    }
    buf_text(out, "</tbody></table>");
}

static void paragraph(struct buf *out, const char *text, const char *style) {
    if (*text) {
        buf_printf(out, "<p style=\"%s\">", style);
        html_escape(out, text);
        buf_text(out, "</p>");
    }
}

static void details(struct arena *arena, struct buf *out, const struct figure *figure) {
    const char *time = *figure->time ? arena_printf(arena, " · %s", figure->time) : "";
    buf_text(out, "<details><summary>");
    html_escape(out,
                figure->table.note ? figure->table.note : term(figure->language, "values"));
    buf_text(out, "</summary>");
    table(out, &figure->table);
    paragraph(out, arena_printf(arena, "%s%s", figure->provenance, time), "margin:4px 0");
    buf_text(out, "</details>");
}

/* A name for the root, of what it shows: FNV-1a. */
static uint32_t hash(const char *text) {
    uint32_t h = 2166136261U;
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * 16777619U;
    }
    return h;
}

const char *html(struct arena *arena, const struct figure *figure, const struct layout *layout,
                 const char *png) {
    struct buf *out = buf_new(arena);
    buf_printf(out, "<div class=\"mathjax_ignore tex2jax_ignore cutaway-%08x\">", hash(png));
    paragraph(out, figure->finding, "margin:4px 0;font-weight:bold");
    picture(arena, out, figure, layout, png);
    paragraph(out, figure->caption, "margin:4px 0");
    details(arena, out, figure);
    buf_text(out, "</div>");
    return out->data;
}

const char *html_table(struct arena *arena, const char *finding,
                       const struct figure_table *rows, const char *caption) {
    struct buf *out = buf_new(arena);
    int64_t head = rows->heads[0][0] ? -1 : 0;
    const char **sides = arena_array(arena, rows->columns, sizeof *sides);
    for (int64_t c = 0; c < rows->columns; c++) { /* once: each looks at all rows */
        sides[c] = table_is_number(rows, c) ? "right" : "left";
    }
    buf_printf(out, "<div class=\"mathjax_ignore tex2jax_ignore cutaway-%08x\">",
               hash(finding));
    paragraph(out, finding, "margin:4px 0;font-weight:bold");
    buf_text(out, "<table>");
    for (int64_t r = head; r < rows->rows; r++) {
        stop_check();
        const char **cells = r < 0 ? rows->heads : rows->cells + r * rows->columns;
        buf_text(out, "<tr>");
        for (int64_t c = 0; c < rows->columns; c++) {
            cell(out, r < 0 ? "th" : "td", cells[c], sides[c]);
        }
        buf_text(out, "</tr>");
    }
    buf_text(out, "</table>");
    paragraph(out, caption, "margin:4px 0");
    buf_text(out, "</div>");
    return out->data;
}
