#include "core/draw/table.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/figure_text.h"
#include "core/draw/html.h"
#include "core/draw/terms.h"
#include "core/result/column.h"

/* columns of a cell; bytes of "... and 12 rows more"; columns of the finding, in few enough
 * bytes that rows follow */
enum { WIDEST = 60, ROOM_TO_SAY = 40, FINDING = 200 };

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
        if (!*cell || strspn(cell, "0123456789.,+-−–eE%") != strlen(cell)) {
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
    buf_text(out, figure_short(arena, figure_sentence(arena, finding), FINDING));
    buf_char(out, '\n');
    for (int64_t r = headless ? 0 : -1; r < rows->rows && rows->rows > 0; r++) {
        size_t before = out->length;
        add_row(arena, out, rows, r < 0 ? rows->heads : rows->cells + r * rows->columns,
                widths);
        if (out->length + ROOM_TO_SAY > FIGURE_TEXT_BYTES) {
            out->length = before;
            buf_printf(out, "… and %lld rows more\n",
                       (long long)(rows->rows - (r < 0 ? 0 : r)));
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

/* ---- a result as a picture of a table ---- */

enum {
    LINE = 20,         /* height of a row */
    BETWEEN = 18,      /* between columns */
    DRAWN_MOST = 60,   /* rows in the picture */
    TOLD_MOST = 400,   /* and in the table below it */
    SENT_MOST = 24000, /* cells in the JSON, */
    SENT_BYTES = 250000,
    COLUMNS_SHOWN = 60 /* of a cell's text */
};

struct drawn {
    const struct figure_table *rows; /* as many as are drawn */
    const struct figure_table *sent; /* more of them */
    const struct result *result;
    const struct series **columns; /* [columns] NULL: the axis' labels */
    double *lefts, *widths;        /* [columns] */
    bool *right;                   /* [columns] numbers, at the right */
};

static struct canvas_style cell_style(bool head, bool right) {
    return (struct canvas_style){
        .size = 10.5, .bold = head, .colour = COLOUR_INK, .x = right ? 1 : 0, .y = 0.5
    };
}

static const char *cell_text(struct arena *arena, const struct figure_table *rows, int64_t row,
                             int64_t column) {
    const char *text =
        row < 0 ? rows->heads[column] : rows->cells[row * rows->columns + column];
    return figure_short(arena, figure_sentence(arena, text), COLUMNS_SHOWN);
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct drawn *drawn = figure->body;
    const struct figure_table *rows = drawn->rows;
    double x = 0;
    for (int64_t c = 0; c < rows->columns; c++) {
        double wide = 0;
        for (int64_t r = -1; r < rows->rows; r++) {
            struct canvas_style style = cell_style(r < 0, false);
            const char *text = cell_text(figure->arena, rows, r, c);
            wide = fmax(wide, canvas_measure(probe, &style, text).width);
        }
        drawn->lefts[c] = x;
        drawn->widths[c] = wide;
        x += wide + BETWEEN;
    }
    return (struct canvas_size){ x - BETWEEN, LINE * (double)(rows->rows + 1) + 3 };
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct drawn *drawn = figure->body;
    const struct figure_table *rows = drawn->rows;
    int64_t last = rows->columns - 1;
    double wide = drawn->lefts[last] + drawn->widths[last];
    for (int64_t r = -1; r < rows->rows; r++) {
        double top = y + LINE * (double)(r + 1) + (r < 0 ? 0 : 3);
        if (r >= 0 && r % 2 == 1) {
            canvas_rect(canvas, x - 4, top, wide + 8, LINE, 0xf5f7f9);
        }
        for (int64_t c = 0; c < rows->columns; c++) {
            struct canvas_style style = cell_style(r < 0, drawn->right[c]);
            double at = x + drawn->lefts[c] + (drawn->right[c] ? drawn->widths[c] : 0);
            canvas_write(canvas, &style, at, top + LINE / 2.0,
                         cell_text(canvas->arena, rows, r, c));
        }
    }
    canvas_rect(canvas, x - 4, y + LINE, wide + 8, 1, COLOUR_LINE);
}

static void json_column(struct jsonwrite *w, const struct figure *figure, int64_t c,
                        int64_t n) {
    const struct drawn *drawn = figure->body;
    const struct figure_table *rows = drawn->sent;
    const char **cells = arena_array(figure->arena, n, sizeof *cells);
    for (int64_t r = 0; r < n; r++) {
        cells[r] = figure_brief(figure->arena, rows->cells[r * rows->columns + c],
                                rows->rows * rows->columns);
    }
    json_open(w, '{');
    json_pair(w, "head", figure_brief(figure->arena, rows->heads[c], rows->columns));
    chart_json_texts(w, figure->arena, "texts", cells, n);
    if (drawn->columns[c] && table_is_number(rows, c)) {
        chart_json_floats(w, figure->arena, "values", drawn->columns[c]->values->data, 1, &n);
    }
    json_close(w, '}');
}

/* Column by column: its texts, and where these are numbers the numbers that they stand for. */
static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct drawn *drawn = figure->body;
    const struct figure_table *rows = drawn->sent;
    int64_t n =
        chart_json_fitting(figure->arena, rows->cells, rows->rows, rows->columns, SENT_BYTES);
    json_key(w, "count");
    json_int(w, drawn->result->series[0].axes[0].count);
    json_key(w, "columns");
    json_open(w, '[');
    for (int64_t c = 0; c < rows->columns; c++) {
        json_column(w, figure, c, n);
    }
    json_close(w, ']');
}

static const struct figure_form table_form = {
    .kind = "table", .measure = measure, .draw = draw, .json = json
};

/* The series that stand along the first one's axis are the columns. */
static bool is_column(const struct result *result, int64_t i) {
    const struct series *series = &result->series[i];
    return series->values->rank == 1 && series->values->dtype == DTYPE_F32 &&
           series->axes[0].count == result->series[0].axes[0].count;
}

static const char *value_text(struct arena *arena, const struct series *series, int64_t row) {
    return series->names ? series->names[row]
                         : column_number(arena, (double)series->values->data[row]);
}

struct figure_table *table_of_result(struct arena *arena, const struct result *result,
                                     const char *language, int64_t most) {
    const struct axis *axis = &result->series[0].axes[0];
    const char **heads = arena_array(arena, result->count + 1, sizeof *heads);
    int64_t columns = 1, rows = axis->count < most ? axis->count : most;
    heads[0] = term(language, axis->name);
    for (int64_t i = 0; i < result->count; i++) {
        if (is_column(result, i)) {
            heads[columns++] = term(language, result->series[i].name);
        }
    }
    struct figure_table *made = table_new(arena, columns, rows, heads);
    for (int64_t r = 0; r < rows; r++) {
        int64_t c = 1;
        table_set(made, r, 0,
                  axis->labels ? axis->labels[r] : arena_printf(arena, "%lld", (long long)r));
        for (int64_t i = 0; i < result->count; i++) {
            if (is_column(result, i)) {
                table_set(made, r, c++, value_text(arena, &result->series[i], r));
            }
        }
    }
    return made;
}

static struct drawn *drawn_of(struct arena *arena, const struct figure_table *rows) {
    struct drawn *drawn = arena_alloc(arena, sizeof *drawn);
    *drawn = (struct drawn){ .rows = rows,
                             .lefts = arena_array(arena, rows->columns, sizeof(double)),
                             .widths = arena_array(arena, rows->columns, sizeof(double)),
                             .right = arena_array(arena, rows->columns, sizeof(bool)) };
    for (int64_t c = 0; c < rows->columns; c++) {
        drawn->right[c] = rows->rows > 0 && table_is_number(rows, c);
    }
    return drawn;
}

/* The series that each column shows. */
static const struct series **columns_of(struct arena *arena, const struct result *result,
                                        int64_t columns) {
    const struct series **shown = arena_array(arena, columns, sizeof *shown);
    for (int64_t i = 0, c = 1; i < result->count; i++) {
        if (is_column(result, i)) {
            shown[c++] = &result->series[i];
        }
    }
    return shown;
}

static const char *alt_of(const struct figure *figure, int64_t rows) {
    bool zh = figure_is_chinese(figure);
    struct buf *heads = buf_new(figure->arena);
    for (int64_t c = 0; c < figure->table.columns; c++) {
        buf_printf(heads, "%s%s",
                   c == 0 ? ""
                   : zh   ? "、"
                          : ", ",
                   figure_short(figure->arena, figure->table.heads[c], COLUMNS_SHOWN));
    }
    return arena_printf(figure->arena,
                        zh ? "表格，%s：%lld 行，列为%s；%s"
                           : "Table, %s: rows %lld, columns %s; %s",
                        figure->title, (long long)rows, heads->data, figure->finding);
}

static struct figure *table_draw(struct arena *arena, const struct result *result,
                                 const struct picture_options *options, struct err *err) {
    if (result->count == 0 || !is_column(result, 0)) {
        err_set(err, ERR_OPTION,
                "a table is made of series along one axis, and this result has %s",
                result->count == 0 ? "no numbers" : "others: draw it as it is");
        return NULL;
    }
    struct figure *figure = figure_new(arena, result, options);
    int64_t most = options->top > 0 ? options->top : DRAWN_MOST;
    int64_t rows = result->series[0].axes[0].count;
    figure->form = &table_form;
    struct drawn *drawn =
        drawn_of(arena, table_of_result(arena, result, figure->language, most));
    drawn->result = result;
    drawn->columns = columns_of(arena, result, drawn->rows->columns);
    drawn->sent =
        table_of_result(arena, result, figure->language, SENT_MOST / drawn->rows->columns);
    figure->body = drawn;
    figure->table =
        *table_of_result(arena, result, figure->language, most > TOLD_MOST ? most : TOLD_MOST);
    figure->alt = alt_of(figure, rows);
    if (rows > most) {
        figure->note =
            arena_printf(arena,
                         figure_is_chinese(figure) ? "共 %lld 行，画出前 %lld 行"
                                                   : "the first %2$lld of %1$lld rows",
                         (long long)rows, (long long)most);
    }
    return figure;
}

const struct picture table_picture = {
    .name = "table",
    .summary = "numbers in rows and columns",
    .summary_zh = "按行和列排的数值",
    .draw = table_draw,
};
