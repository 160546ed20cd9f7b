#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* err: one failure, on its way from where it was seen to the cell that caused it.
 *
 * A function that can fail takes `struct err *err` as its last parameter and returns -1 or
 * NULL. Where it fails it says err_set(err, kind, "sentence with the value seen and the value
 * wanted"); on the way up it says err_pass(err), which adds its own name to the trail (shown in
 * debug builds only). The struct lives in the caller's frame, so reporting never allocates. */

enum err_kind {
    ERR_NONE,
    ERR_IO,          /* "FileError"          a file cannot be opened, read or written */
    ERR_FORMAT,      /* "BadFile"            a file's content breaks its format */
    ERR_UNSUPPORTED, /* "NotSupported"       well formed, but nothing here can do it */
    ERR_MODEL,       /* "ModelNotFound"      no model of that name or path, or none loaded */
    ERR_RESULT,      /* "ResultNotFound"     no kept result of that name */
    ERR_COMMAND,     /* "UnknownCommand"     */
    ERR_OPTION, /* "BadOption"          an option's name or value, a word of the command line */
    ERR_CELL,   /* "BadCell"            the cell's text cannot be read (quotes, stray lines) */
    ERR_TEXT,   /* "BadText"            the text to look at is empty, too long, not UTF-8 */
    ERR_SHAPE,  /* "ShapeMismatch"      */
    ERR_MEMORY, /* "OutOfMemory"        */
    ERR_STOP,   /* "KeyboardInterrupt"  */
    ERR_DIED,   /* "WorkerDied"         the process that computed is gone */
    ERR_BUG,    /* "InternalError"      */
};

struct err {
    enum err_kind kind;
    char text[600];  /* one sentence: what was seen, where, what to do */
    char zh[600];    /* the same in Chinese; "": there is none */
    int64_t line;    /* in the cell, from 1; 0: no place */
    int64_t column;  /* code points from 1, of the first character meant */
    int64_t length;  /* code points to underline; 0: one */
    char trail[200]; /* names of the functions it passed through, "inner < outer" */
};

/* Each fills `err` (which may be NULL) and returns -1. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with a place in the cell: line and column from 1, length in code points. */
int err_at(struct err *err, enum err_kind kind, int64_t line, int64_t column, int64_t length,
           const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Adds the same sentence in Chinese to what was just set. Those have it that a beginner meets;
 * a sentence is never half the one and half the other. Returns -1. */
int err_zh(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The sentence for a reader of Chinese, or of English. */
const char *err_said(const struct err *err, bool zh);

#define err_pass(err) err_through((err), __func__)
int err_through(struct err *err, const char *function);

/* The class name that users see, "ModelNotFound". */
const char *err_name(enum err_kind kind);

/* Writes a copy of foreign bytes, fit for a sentence, into `out` (always terminated) and
 * returns it: valid UTF-8 kept, control, bidi-override and invalid bytes as \xNN or \u{...},
 * cut with an ellipsis to fit `size` (at least 8). */
const char *err_quote(char *out, size_t size, const char *bytes, size_t length);

#endif
