#ifndef CORE_BASE_JSONWRITE_H
#define CORE_BASE_JSONWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

/* jsonwrite: JSON into a buf; commas and colons place themselves.
 *
 *     struct jsonwrite w = { .out = buf };
 *     json_open(&w, '{');
 *     json_key(&w, "name"); json_string(&w, "x");
 *     json_close(&w, '}');
 *
 * Strings that are not UTF-8 are written with U+FFFD for each bad byte, so the output always
 * is. Numbers that are not finite are written as null. */

/* libjansson has functions of these two names; the program's would take their place inside it.
 * A file that uses both includes <jansson.h> first. */
#define json_string jsonwrite_string
#define json_null   jsonwrite_null

struct jsonwrite {
    struct buf *out;
    bool comma;
};

void json_open(struct jsonwrite *w, char bracket);  /* '{' or '[' */
void json_close(struct jsonwrite *w, char bracket); /* '}' or ']' */
void json_key(struct jsonwrite *w, const char *key);
void json_string(struct jsonwrite *w, const char *text);
void json_bytes(struct jsonwrite *w, const char *bytes, size_t length); /* a string */
void json_int(struct jsonwrite *w, int64_t value);
void json_double(struct jsonwrite *w, double value); /* shortest that reads back the same */
void json_float(struct jsonwrite *w, float value);   /* the same, as float32 */
void json_bool(struct jsonwrite *w, bool value);
void json_null(struct jsonwrite *w);
void json_pair(struct jsonwrite *w, const char *key, const char *value); /* NULL is "" */
void json_raw(struct jsonwrite *w, const char *json,
              size_t length); /* a value already written */

/* One quoted string, without the writer. It is no text for HTML: < > & stay as they are. */
void json_escape(struct buf *out, const char *bytes, size_t length);

/* How many bytes, in steps of JSON_PLAIN, stand for themselves in a string: ASCII without
 * controls, quotes and backslashes. Compilers make vectors of it. */
enum { JSON_PLAIN = 64 };
size_t json_plain(const char *bytes, size_t length);

#endif
