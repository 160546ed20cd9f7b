#include "core/draw/html.h"
#include "core/base/catch.h"
#include "core/base/utf8.h"

#include <string.h>

#include "core/draw/table.h"
#include "core/draw/terms.h"

/* Whether letters that run from right to left have their last before `after`: only blanks and
 * digits may stand between two of a run. */
static bool ends_leftward(const char *after) {
    size_t skipped = strspn(after, " 0123456789-"), digits = strcspn(after, "0123456789");
    uint32_t next = 0;
    if (!after[skipped]) {
        return digits < skipped;
    }
    return utf8_decode(after + skipped, strnlen(after + skipped, 4), &next) > 0 &&
           !utf8_is_leftward(next);
}

static void escape_ascii(struct buf *out, char c) {
    switch (c) {
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
        buf_char(out, c);
    }
}

/* Arabic or Hebrew turns round what stands behind it, in a sentence of ours its value: a mark
 * from left to right, which shows nothing, keeps that in its place. */
void html_escape(struct buf *out, const char *text) {
    struct arena *arena = arena_new();
    const char *shown = figure_sentence(arena, text);
    for (size_t left = strlen(shown); left > 0;) {
        uint32_t code = 0;
        int n = utf8_decode(shown, left, &code);
        n = n > 0 ? n : 1;
        for (int i = 0; i < n; i++) {
            escape_ascii(out, shown[i]);
        }
        shown += n;
        left -= (size_t)n;
        if (utf8_is_leftward(code) && ends_leftward(shown)) {
            buf_text(out, "\xe2\x80\x8e");
        }
    }
    arena_free(arena);
}

static void picture(struct buf *out, const struct figure *figure, const struct page *page,
                    const char *png) {
    buf_printf(out, "<div style=\"position:relative;width:%.6gpx;height:%.6gpx;\"><img alt=\"",
               page->width, page->height);
    html_escape(out, figure->alt);
    buf_printf(out, "\" width=\"%.0f\" height=\"%.0f\" src=\"data:image/png;base64,",
               page->width, page->height);
    buf_text(out, png);
    buf_text(out, "\">");
    if (figure->form->hover) {
        figure->form->hover(out, figure, page->x, page->y);
    }
    buf_text(out, "</div>");
}

static void cell(struct buf *out, const char *tag, const char *text, const char *align) {
    buf_printf(out, "<%s style=\"text-align:%s\">", tag, align);
    html_escape(out, text);
    buf_printf(out, "</%s>", tag);
}

static void table(struct arena *arena, struct buf *out, const struct figure_table *table) {
    int64_t count = table->rows * table->columns;
    buf_text(out, "<table><thead><tr>");
    for (int64_t c = 0; c < table->columns; c++) {
        cell(out, "th", table->heads[c], c + 1 < table->columns ? "left" : "right");
    }
    buf_text(out, "</tr></thead><tbody>");
    for (int64_t r = 0; r < table->rows; r++) {
        buf_text(out, "<tr>");
        for (int64_t c = 0; c < table->columns; c++) {
            const char *text = figure_sentence(arena, table->cells[r * table->columns + c]);
            cell(out, "td", figure_brief(arena, text, count),
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
    table(arena, out, &figure->table);
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

const char *html(struct arena *arena, const struct figure *figure, const struct page *page,
                 const char *png) {
    struct buf *out = buf_new(arena);
    buf_printf(out, "<div class=\"mathjax_ignore tex2jax_ignore cutaway-%08x\">", hash(png));
    paragraph(out, figure->finding, "margin:4px 0;font-weight:bold");
    picture(out, figure, page, png);
    paragraph(out, figure->caption, "margin:4px 0");
    details(arena, out, figure);
    buf_text(out, "</div>");
    return out->data;
}

const char *html_page(struct arena *arena, const struct figure *figure, const char *body) {
    struct buf *out = buf_new(arena);
    buf_text(out, "<!DOCTYPE html>\n<html lang=\"");
    html_escape(out, figure->language);
    buf_text(out, "\">\n<head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    html_escape(out, figure->title);
    buf_printf(out,
               "</title></head>\n<body style=\"margin:16px;font-family:sans-serif;color:#%06x;"
               "background:#%06x\">\n",
               figure->dark ? colour_dark(COLOUR_INK) : COLOUR_INK,
               figure->dark ? colour_dark(COLOUR_PAPER) : COLOUR_PAPER);
    buf_text(out, body);
    buf_text(out, "\n</body>\n</html>\n");
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
