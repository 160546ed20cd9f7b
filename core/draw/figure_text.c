#include "core/draw/figure_text.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"

/* Columns of one cell of the table; the first one's say what a row is about, and heads are
 * told whole. */
enum { WIDEST_HEAD = 48, WIDEST_CELL = 24 };

static int64_t columns_of(const char *text) {
    return utf8_columns(text, strlen(text));
}

static const char *shown(struct arena *arena, const char *cell, bool head) {
    const char *sentence = figure_sentence(arena, cell);
    return head ? figure_short_name(arena, sentence, WIDEST_HEAD)
                : figure_short(arena, sentence, WIDEST_CELL);
}

/* Numbers stand at the right of their column, words at the left. */
static void add_cell(struct buf *out, const char *text, int64_t width, bool right, bool last) {
    int64_t blanks = width - columns_of(text);
    for (int64_t i = 0; right && i < blanks; i++) {
        buf_char(out, ' ');
    }
    buf_text(out, text);
    for (int64_t i = 0; !right && !last && i < blanks; i++) {
        buf_char(out, ' ');
    }
    buf_text(out, last ? "\n" : "  ");
}

static void add_row(struct arena *arena, struct buf *out, const struct figure_table *table,
                    const char *const *cells, const int64_t *widths) {
    for (int64_t c = 0; c < table->columns; c++) {
        bool last = c + 1 == table->columns;
        add_cell(out, shown(arena, cells[c], c == 0 || cells == table->heads), widths[c], last,
                 last);
    }
}

static int64_t *widths_of(struct arena *arena, const struct figure_table *table) {
    int64_t *widths = arena_array(arena, table->columns, sizeof *widths);
    for (int64_t c = 0; c < table->columns; c++) {
        widths[c] = columns_of(shown(arena, table->heads[c], true));
        for (int64_t r = 0; r < table->rows; r++) {
            const char *cell = table->cells[r * table->columns + c];
            int64_t wide = columns_of(shown(arena, cell, c == 0));
            widths[c] = wide > widths[c] ? wide : widths[c];
        }
    }
    return widths;
}

const char *figure_text(struct arena *arena, const struct figure *figure) {
    const struct figure_table *table = &figure->table;
    struct buf *out = buf_new(arena);
    const char *said = *figure->finding ? figure->finding : figure->title;
    size_t cut = strlen(said) <= 1000 ? strlen(said) : utf8_cut(said, 1000);
    buf_add(out, said, cut);
    buf_text(out, cut < strlen(said) ? "…\n" : "\n");
    if (table->note && table->rows > 0) {
        buf_printf(out, strncmp(figure->language, "zh", 2) == 0 ? "%s：\n" : "%s:\n",
                   table->note);
    }
    int64_t *widths = widths_of(arena, table);
    for (int64_t r = -1; r < table->rows && table->rows > 0; r++) {
        size_t before = out->length;
        add_row(arena, out, table, r < 0 ? table->heads : table->cells + r * table->columns,
                widths);
        if (out->length > FIGURE_TEXT_BYTES) {
            return arena_text(arena, out->data, before - 1);
        }
    }
    return arena_text(arena, out->data, out->length - 1); /* without the last line end */
}
