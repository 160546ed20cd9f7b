#include "core/text/dataset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/catch.h"
#include "core/base/jsonread.h"
#include "core/base/utf8.h"

enum { CHUNK = 1 << 20, NAMES_SHOWN = 8 };

const char *dataset_form_name(enum dataset_form form) {
    static const char *const names[] = { "txt", "csv", "jsonl" };
    return names[form];
}

static enum dataset_form form_of(const char *path) {
    const char *ending = strrchr(file_name(path), '.');
    if (ending && strcasecmp(ending, ".csv") == 0) {
        return DATASET_CSV;
    }
    bool json = ending && (strcasecmp(ending, ".jsonl") == 0 || //
                           strcasecmp(ending, ".ndjson") == 0);
    return json ? DATASET_JSONL : DATASET_TXT;
}

static const char *file_begin(const struct file *file) {
    const char *begin = (const char *)file->bytes;
    return file->size >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0 ? begin + 3 : begin;
}

static const char *file_end(const struct file *file) {
    return (const char *)file->bytes + file->size;
}

/* ---- is it text at all ---- */

/* Offset of the first byte that is no text (NUL, or not UTF-8); the length if all are. */
static size_t first_bad(const char *bytes, size_t length) {
    size_t good = utf8_bad(bytes, length);
    const char *nul = memchr(bytes, '\0', good);
    return nul ? (size_t)(nul - bytes) : good;
}

static int check_text(const struct file *file, struct err *err) {
    const char *bytes = (const char *)file->bytes;
    size_t size = (size_t)file->size, at = 0;
    while (at < size) {
        size_t n = size - at < CHUNK ? size - at : CHUNK;
        n -= at + n < size ? utf8_tail(bytes + at, n) : 0;
        size_t good = first_bad(bytes + at, n);
        stop_check();
        if (good < n || n == 0) {
            unsigned char byte = file->bytes[at + good];
            return err_set(err, ERR_FORMAT, "%s is no UTF-8 text: byte %lld is 0x%02x, %s",
                           file->path, (long long)(at + good), byte,
                           byte == 0 ? "which no text has; a text in UTF-16 can be saved as "
                                       "UTF-8, a picture or program cannot be read"
                                     : "which cannot stand there; a text in another encoding "
                                       "(UTF-16, GBK, Latin-1) can be saved as UTF-8, for "
                                       "instance with iconv");
        }
        at += n;
    }
    return 0;
}

/* ---- records ---- */

struct dataset_cursor dataset_begin(const struct dataset *dataset) {
    return (struct dataset_cursor){ .dataset = dataset,
                                    .at = file_begin(dataset->file),
                                    .line = 1 };
}

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!memchr(" \t\r\n\v\f", text[i], 6)) {
            return false;
        }
    }
    return true;
}

/* The line at the cursor, without its end, which the cursor passes. False: there is none. */
static bool take_line(struct dataset_cursor *cursor, struct dataset_text *line) {
    const char *end = file_end(cursor->dataset->file), *at = cursor->at;
    if (at >= end) {
        return false;
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at)), *to = newline ? newline : end;
    cursor->at = newline ? newline + 1 : end;
    to -= to > at && to[-1] == '\r';
    *line = (struct dataset_text){ at, (size_t)(to - at), cursor->line++ };
    return true;
}

static int broken(const struct dataset_cursor *cursor, int64_t line, const char *what,
                  struct err *err) {
    return err_set(err, ERR_FORMAT, "%s, line %lld: %s", cursor->dataset->file->path,
                   (long long)line, what);
}

/* A field of a csv record as it lies in the file. */
struct csv_field {
    const char *bytes;
    size_t length;
    bool doubled; /* it has quotes, each written twice */
};

static int64_t count_newlines(const char *at, const char *end) {
    int64_t n = 0;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        n++;
        at++;
    }
    return n;
}

static bool ends_field(const char *at, const char *end) {
    at += at < end && *at == '\r' && (at + 1 == end || at[1] == '\n');
    return at == end || *at == ',' || *at == '\n';
}

/* Reads from behind the opening quote to behind the closing one. */
static int take_quoted(struct dataset_cursor *cursor, struct csv_field *field,
                       struct err *err) {
    const char *end = file_end(cursor->dataset->file), *at = cursor->at, *quote;
    field->bytes = at;
    while ((quote = memchr(at, '"', (size_t)(end - at))) && quote + 1 < end &&
           quote[1] == '"') {
        field->doubled = true;
        at = quote + 2;
    }
    if (!quote) {
        return broken(cursor, cursor->line,
                      "a quote opens a field here that no quote closes before the file ends",
                      err);
    }
    field->length = (size_t)(quote - field->bytes);
    cursor->line += count_newlines(field->bytes, quote);
    cursor->at = quote + 1;
    return ends_field(cursor->at, end)
               ? 0
               : broken(cursor, cursor->line,
                        "text follows a closing quote; a quote inside a quoted field is "
                        "written twice",
                        err);
}

/* One field and what parts it from the next. 1: another field follows; 0: the record ends. */
static int take_field(struct dataset_cursor *cursor, struct csv_field *field, struct err *err) {
    const char *end = file_end(cursor->dataset->file);
    *field = (struct csv_field){ .bytes = cursor->at };
    if (cursor->at < end && *cursor->at == '"') {
        cursor->at++;
        if (take_quoted(cursor, field, err) < 0) {
            return -1;
        }
    } else {
        while (cursor->at < end && *cursor->at != ',' && *cursor->at != '\n') {
            cursor->at++;
        }
        field->length = (size_t)(cursor->at - field->bytes);
        bool cr = field->length > 0 && cursor->at[-1] == '\r' &&
                  (cursor->at == end || *cursor->at == '\n');
        field->length -= cr;
    }
    cursor->at += cursor->at < end && *cursor->at == '\r';
    if (cursor->at == end) {
        return 0;
    }
    cursor->line += *cursor->at == '\n';
    return *cursor->at++ == ',';
}

/* The record at the cursor: the number of its fields, the wanted one in *field. */
static int64_t take_record(struct dataset_cursor *cursor, int64_t wanted,
                           struct csv_field *field, struct err *err) {
    int64_t n = 0;
    int more = 1;
    while (more > 0) {
        struct csv_field one;
        more = take_field(cursor, &one, err);
        *field = n == wanted ? one : *field;
        n++;
    }
    return more < 0 ? -1 : n;
}

static struct dataset_text unquote(struct arena *arena, const struct csv_field *field,
                                   int64_t line) {
    if (!field->doubled) {
        return (struct dataset_text){ field->bytes, field->length, line };
    }
    char *out = arena_raw(arena, field->length + 1);
    size_t n = 0;
    for (size_t i = 0; i < field->length; i++) {
        out[n++] = field->bytes[i];
        i += field->bytes[i] == '"';
    }
    return (struct dataset_text){ out, n, line };
}

/* Lines without anything are no records. */
static bool pass_empty_lines(struct dataset_cursor *cursor) {
    const char *end = file_end(cursor->dataset->file);
    while (cursor->at < end && (*cursor->at == '\n' || *cursor->at == '\r')) {
        cursor->line += *cursor->at++ == '\n';
    }
    return cursor->at < end;
}

static int next_csv(struct dataset_cursor *cursor, struct arena *arena,
                    struct dataset_text *text, struct err *err) {
    const struct dataset *dataset = cursor->dataset;
    if (!pass_empty_lines(cursor)) {
        return 0;
    }
    struct csv_field field = { "", 0, false };
    int64_t line = cursor->line, n = take_record(cursor, dataset->field, &field, err);
    if (n >= 0 && n != dataset->columns) {
        char what[120];
        snprintf(what, sizeof what, "the record has %lld fields; the first line names %lld",
                 (long long)n, (long long)dataset->columns);
        return broken(cursor, line, what, err);
    }
    if (n < 0) {
        return -1;
    }
    *text = unquote(arena, &field, line);
    return 1;
}

/* The member's string; null and absent members are no text. */
static struct json_text member(struct jsonread *r, struct arena *arena, const char *column,
                               bool *seen) {
    struct json_text text = { "", 0 }, key;
    *seen = false;
    for (jsonread_object(r); jsonread_key(r, arena, &key);) {
        if (!json_is(key, column)) {
            jsonread_skip(r);
            continue;
        }
        *seen = true;
        if (jsonread_peek(r) == JSON_NULL) {
            jsonread_null(r);
        } else {
            text = jsonread_string(r, arena);
        }
    }
    return text;
}

static struct jsonread reader_of(const struct dataset_text *line) {
    struct jsonread r;
    jsonread_init(&r, line->bytes, line->length, "");
    return r;
}

/* True, with the error and its line, if anything in the line went wrong. The reader has no
 * file's name, so its own words begin with ", byte 14". */
static bool broke(const struct dataset *dataset, const struct dataset_text *line,
                  struct jsonread *r, struct err *err) {
    struct err place;
    if (!jsonread_failed(r, &place)) {
        return false;
    }
    err_set(err, place.kind, "%s, line %lld%s", dataset->file->path, (long long)line->line,
            place.text);
    return true;
}

static int next_jsonl(struct dataset_cursor *cursor, struct arena *arena,
                      struct dataset_text *text, struct err *err) {
    const struct dataset *dataset = cursor->dataset;
    struct dataset_text line;
    do {
        if (!take_line(cursor, &line)) {
            return 0;
        }
    } while (is_blank(line.bytes, line.length));
    struct jsonread r = reader_of(&line);
    bool seen = true;
    struct json_text found = dataset->column ? member(&r, arena, dataset->column, &seen)
                                             : jsonread_string(&r, arena);
    jsonread_end(&r);
    if (broke(dataset, &line, &r, err)) {
        return -1;
    }
    if (!seen) {
        char what[160], name[80];
        snprintf(what, sizeof what, "the object has no member \"%s\"",
                 err_quote(name, sizeof name, dataset->column, strlen(dataset->column)));
        return broken(cursor, line.line, what, err);
    }
    *text = (struct dataset_text){ found.bytes, found.length, line.line };
    return 1;
}

/* The next record, its text blank or not. */
static int next_record(struct dataset_cursor *cursor, struct arena *arena,
                       struct dataset_text *text, struct err *err) {
    switch (cursor->dataset->form) {
    case DATASET_CSV:
        return next_csv(cursor, arena, text, err);
    case DATASET_JSONL:
        return next_jsonl(cursor, arena, text, err);
    case DATASET_TXT:
        break;
    }
    return take_line(cursor, text);
}

/* Passes the csv's names. */
static int pass_names(struct dataset_cursor *cursor, struct err *err) {
    struct csv_field field;
    bool names =
        cursor->dataset->form == DATASET_CSV && cursor->at == file_begin(cursor->dataset->file);
    return names && pass_empty_lines(cursor)
               ? (take_record(cursor, -1, &field, err) < 0 ? -1 : 0)
               : 0;
}

int dataset_next(struct dataset_cursor *cursor, struct arena *arena, struct dataset_text *text,
                 struct err *err) {
    int64_t most = cursor->dataset->most;
    int got = pass_names(cursor, err);
    if (got < 0 || (most > 0 && cursor->taken == most)) {
        return got;
    }
    do {
        stop_check();
        got = next_record(cursor, arena, text, err);
    } while (got > 0 && is_blank(text->bytes, text->length));
    cursor->taken += got > 0;
    return got;
}

/* ---- opening ---- */

/* "id, text and 3 more" */
static void list_names(const struct dataset *dataset, char *out, size_t size) {
    size_t used = 0;
    int64_t shown = dataset->columns < NAMES_SHOWN ? dataset->columns : NAMES_SHOWN;
    out[0] = '\0';
    for (int64_t i = 0; i < shown && used + 44 < size; i++) {
        char name[40];
        const char *text = dataset->names[i];
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                                 err_quote(name, sizeof name, text, strlen(text)));
    }
    if (shown < dataset->columns) {
        snprintf(out + used, size - used, " and %lld more",
                 (long long)(dataset->columns - shown));
    }
}

static int refuse_column(const struct dataset *dataset, const char *column, struct err *err) {
    char shown[80], names[400];
    if (dataset->columns == 0) {
        return err_set(err, ERR_OPTION,
                       "no member of the first line's object in %s is a text: say which with "
                       "--column",
                       dataset->file->path);
    }
    list_names(dataset, names, sizeof names);
    return column ? err_set(err, ERR_OPTION, "%s has no column \"%s\": it has %s",
                            dataset->file->path,
                            err_quote(shown, sizeof shown, column, strlen(column)), names)
                  : err_set(err, ERR_OPTION,
                            "%s has several columns and none is called text: say which with "
                            "--column (%s)",
                            dataset->file->path, names);
}

/* Finds the column among the names; without one asked for "text", or the only one. */
static int choose(struct dataset *dataset, const char *column, struct err *err) {
    const char *wanted = column ? column : "text";
    for (dataset->field = 0; dataset->field < dataset->columns; dataset->field++) {
        if (strcmp(dataset->names[dataset->field], wanted) == 0) {
            break;
        }
    }
    if (dataset->field == dataset->columns && !column && dataset->columns == 1) {
        dataset->field = 0;
    }
    if (dataset->field == dataset->columns) {
        return refuse_column(dataset, column, err);
    }
    dataset->column = dataset->names[dataset->field];
    return 0;
}

static int name_csv(struct dataset *dataset, struct arena *arena, const char *column,
                    struct err *err) {
    struct dataset_cursor first = dataset_begin(dataset);
    struct csv_field field;
    if (!pass_empty_lines(&first)) {
        return err_set(err, ERR_TEXT, "%s is empty: a csv's first line names its columns",
                       dataset->file->path);
    }
    struct dataset_cursor again = first;
    dataset->columns = take_record(&first, -1, &field, err);
    if (dataset->columns < 0) {
        return -1;
    }
    dataset->names = arena_array(arena, dataset->columns, sizeof *dataset->names);
    for (int64_t i = 0; i < dataset->columns; i++) {
        take_field(&again, &field, err);
        struct dataset_text name = unquote(arena, &field, 1);
        dataset->names[i] = arena_text(arena, name.bytes, name.length);
    }
    return choose(dataset, column, err);
}

/* The members of the first line's object that are strings stand for the columns. */
static int name_jsonl(struct dataset *dataset, struct arena *arena, const char *column,
                      struct err *err) {
    struct dataset_cursor cursor = dataset_begin(dataset);
    struct dataset_text line;
    do {
        if (!take_line(&cursor, &line)) {
            return 0; /* no text; said by the caller */
        }
    } while (is_blank(line.bytes, line.length));
    struct jsonread r = reader_of(&line);
    struct json_text key;
    if (jsonread_peek(&r) == JSON_STRING && !column) {
        return 0;
    }
    int64_t room = 0;
    for (jsonread_object(&r); jsonread_key(&r, arena, &key); jsonread_skip(&r)) {
        room += jsonread_peek(&r) == JSON_STRING;
    }
    if (broke(dataset, &line, &r, err)) {
        return -1;
    }
    dataset->names = arena_array(arena, room + 1, sizeof *dataset->names);
    r = reader_of(&line);
    for (jsonread_object(&r); jsonread_key(&r, arena, &key); jsonread_skip(&r)) {
        if (jsonread_peek(&r) == JSON_STRING) {
            dataset->names[dataset->columns++] = arena_text(arena, key.bytes, key.length);
        }
    }
    if (column) { /* the first line's may be null */
        dataset->column = arena_copy(arena, column);
        return 0;
    }
    return choose(dataset, NULL, err);
}

static int name_columns(struct dataset *dataset, struct arena *arena, const char *column,
                        struct err *err) {
    switch (dataset->form) {
    case DATASET_CSV:
        return name_csv(dataset, arena, column, err);
    case DATASET_JSONL:
        return name_jsonl(dataset, arena, column, err);
    case DATASET_TXT:
        break;
    }
    return column ? err_set(err, ERR_OPTION,
                            "%s is read line by line and has no columns: --column is for .csv "
                            "and .jsonl files",
                            dataset->file->path)
                  : 0;
}

/* Reads all records once: counts them, and finds what is broken now, not in a later cell. */
static int count_texts(struct dataset *dataset, struct arena *arena, struct err *err) {
    struct dataset_cursor cursor = dataset_begin(dataset);
    struct dataset_text text;
    struct arena_mark mark = arena_mark(arena);
    int got = pass_names(&cursor, err) < 0 ? -1 : 1;
    while (got > 0 && (dataset->most == 0 || dataset->texts < dataset->most)) {
        got = next_record(&cursor, arena, &text, err);
        if (got > 0 && is_blank(text.bytes, text.length)) {
            dataset->blank++;
        } else if (got > 0) {
            int64_t length = (int64_t)text.length;
            dataset->texts++;
            dataset->bytes += length;
            dataset->longest = length > dataset->longest ? length : dataset->longest;
        }
        arena_rewind(arena, mark);
        stop_check();
    }
    return got;
}

struct dataset *dataset_open(struct arena *arena, const char *path, const char *column,
                             int64_t most, struct err *err) {
    struct dataset *dataset = arena_alloc(arena, sizeof *dataset);
    *dataset = (struct dataset){ .file = file_map(arena, path, err),
                                 .form = form_of(path),
                                 .most = most };
    if (!dataset->file || check_text(dataset->file, err) < 0 ||
        name_columns(dataset, arena, column, err) < 0 || count_texts(dataset, arena, err) < 0) {
        err_pass(err);
        return NULL;
    }
    if (dataset->texts == 0) {
        err_set(err, ERR_TEXT, "%s has no text: %s", dataset->file->path,
                dataset->file->size == 0       ? "it is empty"
                : dataset->form == DATASET_TXT ? "its lines are all blank"
                                               : "its texts are all blank");
        return NULL;
    }
    return dataset;
}
