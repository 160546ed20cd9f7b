#ifndef CORE_TEXT_DATASET_H
#define CORE_TEXT_DATASET_H

#include <stdbool.h>

#include "core/base/file.h"

/* dataset: the texts of a file, one after another, however large the file is.
 *
 *     .txt and others  each line that is not blank is a text
 *     .csv             RFC 4180; the first record names the columns, and one column of every
 *                      further record is a text. A field in quotes may hold commas, line breaks
 *                      and, doubled, quotes
 *     .jsonl .ndjson   a JSON value a line: an object, of which one member is the text, or a
 *                      string
 *
 * Lines end with LF or CR LF; a byte order mark in front is passed over. Nothing is kept per
 * text: the file is mapped, checked whole when it is opened, and read by cursors. */

enum dataset_form { DATASET_TXT, DATASET_CSV, DATASET_JSONL };

struct dataset {
    const struct file *file;
    enum dataset_form form;
    const char *column; /* whose fields are the texts; NULL where lines or strings are */
    int64_t field;      /* csv: its number from 0 */
    int64_t columns;    /* csv: how many there are */
    const char **names; /* csv: [columns] */
    int64_t most;       /* texts to take; 0: all */
    int64_t texts;      /* how many there are, of those to take */
    int64_t blank;      /* lines and fields without a text, left out */
    int64_t bytes;      /* of all texts */
    int64_t longest;    /* bytes of the longest text */
};

/* `column` NULL: "text", or the only one. `most` 0: all texts. The path is taken as it is.
 * ERR_IO: no regular file. ERR_FORMAT: not UTF-8 (with the first bad byte's offset), broken csv
 * or JSON (with line or byte). ERR_OPTION: no such column (which there are). ERR_TEXT: no text.
 * Time: one pass over the file, which an interrupt ends. */
struct dataset *dataset_open(struct arena *arena, const char *path, const char *column,
                             int64_t most, struct err *err);

/* "txt", "csv", "jsonl" */
const char *dataset_form_name(enum dataset_form form);

struct dataset_text {
    const char *bytes; /* in the file itself, or unquoted in the arena; not terminated */
    size_t length;
    int64_t line; /* of the file, from 1, where its record begins */
};

struct dataset_cursor {
    const struct dataset *dataset;
    const char *at;
    int64_t line, taken;
};

struct dataset_cursor dataset_begin(const struct dataset *dataset);

/* 1: there is a text; 0: that was all; -1: the file was changed behind our back (ERR_FORMAT).
 */
int dataset_next(struct dataset_cursor *cursor, struct arena *arena, struct dataset_text *text,
                 struct err *err);

#endif
