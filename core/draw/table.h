#ifndef CORE_DRAW_TABLE_H
#define CORE_DRAW_TABLE_H

#include <stdbool.h>

#include "core/draw/figure.h"
#include "core/draw/picture.h"

/* table: rows and columns of words as a bundle of text and HTML, for what is no picture: the
 * tokens of a text, the models there are. The text is aligned and at most FIGURE_TEXT_BYTES
 * long, the HTML has every row. A table whose first head is empty shows no heads. */
struct bundle *table_bundle(struct arena *arena, const char *finding,
                            const struct figure_table *rows, const char *caption);

/* Fills a table cell by cell. */
struct figure_table *table_new(struct arena *arena, int64_t columns, int64_t rows,
                               const char *const *heads);
void table_set(struct figure_table *made, int64_t row, int64_t column, const char *text);

/* The first `most` places of the first series' axis as rows: their labels, then what each
 * series along it has there, its names where it has them. `language` is of the heads. */
struct figure_table *table_of_result(struct arena *arena, const struct result *result,
                                     const char *language, int64_t most);

/* Whether every cell of the column is a number, which then stands at the right. */
bool table_is_number(const struct figure_table *rows, int64_t column);

#endif
