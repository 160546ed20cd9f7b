#include "core/draw/table.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/draw/figure_text.h"
#include "core/draw/html.h"

enum { WIDEST = 60, ROOM_TO_SAY = 40 }; /* columns of a cell; bytes of "... and 12 rows more" */

struct figure_table *table_new(struct arena *arena, int64_t columns, int64_t rows,
                               const char *const *heads) {
    struct figure_table *made = arena_alloc(arena, sizeof *made);
    made->columns = columns;
    made->rows = rows;
    made->heads = arena_array(arena, columns, sizeof *made->heads);
    made->cells = arena_array(arena, rows * columns, sizeof *made->cells);
    memcpy(made->heads, heads, (size_t)columns * sizeof *heads);
    for (int64_t i = 0; i < rows * columns; i++) {
        made->cells[i] = "";
    }
    return made;
}

void table_set(struct figure_table *made, int64_t row, int64_t column, const char *text) {
    made->cells[row * made->columns + column] = text;
}

bool table_is_number(const struct figure_table *rows, int64_t column) {
    for (int64_t r = 0; r < rows->rows; r++) {
        const char *cell = rows->cells[r * rows->columns + column];
        if (!*cell || strspn(cell, "0123456789.+-eE") != strlen(cell)) {
            return false;
        }
    }
    return true;
}

/* One line; what would stand behind the last word is left out. */
static void add_row(struct arena *arena, struct buf *out, const struct figure_table *rows,
                    const char *const *cells, const int64_t *widths) {
    size_t end = out->length;
    for (int64_t c = 0; c < rows->columns; c++) {
        const char *text = figure_short(arena, figure_sentence(arena, cells[c]), WIDEST);
        int64_t blanks = widths[c] - utf8_columns(text, strlen(text));
        bool right = table_is_number(rows, c);
        buf_printf(out, "%s%*s", c ? "  " : "", right ? (int)blanks : 0, "");
        buf_text(out, text);
        end = *text ? out->length : end;
        buf_printf(out, "%*s", right ? 0 : (int)blanks, "");
    }
    out->length = end;
    buf_char(out, '\n');
}

static int64_t *widths_of(struct arena *arena, const struct figure_table *rows) {
    int64_t *widths = arena_array(arena, rows->columns, sizeof *widths);
    for (int64_t i = 0; i < (rows->rows + 1) * rows->columns; i++) {
        int64_t c = i % rows->columns;
        const char *cell = i < rows->columns ? rows->heads[c] : rows->cells[i - rows->columns];
        const char *text = figure_short(arena, figure_sentence(arena, cell), WIDEST);
        int64_t wide = utf8_columns(text, strlen(text));
        widths[c] = wide > widths[c] ? wide : widths[c];
    }
    return widths;
}

/* As many rows as fit, and how many there are more. */
static const char *as_text(struct arena *arena, const char *finding,
                           const struct figure_table *rows) {
    struct buf *out = buf_new(arena);
    const int64_t *widths = widths_of(arena, rows);
    bool headless = rows->heads[0][0] == '\0';
    buf_text(out, figure_sentence(arena, finding));
    buf_char(out, '\n');
    for (int64_t r = headless ? 0 : -1; r < rows->rows && rows->rows > 0; r++) {
        size_t before = out->length;
        add_row(arena, out, rows, r < 0 ? rows->heads : rows->cells + r * rows->columns,
                widths);
        if (out->length + ROOM_TO_SAY > FIGURE_TEXT_BYTES) {
            out->length = before;
            buf_printf(out, "… and %lld rows more\n", (long long)(rows->rows - r));
            break;
        }
    }
    return arena_text(arena, out->data, out->length - 1); /* without the last line end */
}

struct bundle *table_bundle(struct arena *arena, const char *finding,
                            const struct figure_table *rows, const char *caption) {
    struct bundle *bundle = arena_alloc(arena, sizeof *bundle);
    bundle->text = as_text(arena, finding, rows);
    bundle->html = html_table(arena, finding, rows, caption);
    return bundle;
}
