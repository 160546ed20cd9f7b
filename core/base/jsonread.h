#ifndef CORE_BASE_JSONREAD_H
#define CORE_BASE_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* jsonread: a streaming JSON reader for files of any size. Builds no tree, uses no recursion,
 * is strict (RFC 8259; UTF-8 checked; depth at most 64) and remembers the first error, with the
 * byte where it was seen. After an error every call answers "nothing more", so that a caller
 * may check once at the end.
 *
 *     struct jsonread r;
 *     jsonread_init(&r, bytes, length, "config.json");
 *     for (jsonread_object(&r); jsonread_key(&r, arena, &key);) {
 *         if (strcmp(key.bytes, "layers") == 0) layers = jsonread_int(&r);
 *         else jsonread_skip(&r);
 *     }
 *     jsonread_end(&r);
 *     if (jsonread_failed(&r, err)) return -1;
 */

enum json_kind {
    JSON_NONE,
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* A string, in the file itself where it has no escapes, else in the arena. NOT terminated
 * unless jsonread_text was used; may contain NULs. */
struct json_text {
    const char *bytes;
    size_t length;
};

struct jsonread {
    const char *at, *end, *begin;
    const char *file; /* for messages */
    int depth;
    int64_t members; /* seen so far */
    char open[65];   /* '{' or '[' for each level */
    bool first[65];  /* no member read yet at this level */
    struct err err;
};

void jsonread_init(struct jsonread *r, const void *bytes, size_t length, const char *file);

enum json_kind
jsonread_peek(struct jsonread *r); /* kind of the next value; JSON_NONE: none there */

bool jsonread_object(struct jsonread *r); /* enters; false and an error if it is none */
bool jsonread_array(struct jsonread *r);
bool jsonread_key(struct jsonread *r, struct arena *arena,
                  struct json_text *key); /* next member; false: left the object */
bool jsonread_item(struct jsonread *r);   /* next element; false: left the array */

struct json_text jsonread_string(struct jsonread *r, struct arena *arena);
char *jsonread_text(struct jsonread *r,
                    struct arena *arena); /* terminated copy; an inner NUL is an error */
int64_t
jsonread_int(struct jsonread *r); /* a whole number that fits; 3.0 is taken, 3.5 is an error */
double jsonread_double(struct jsonread *r);
bool jsonread_bool(struct jsonread *r);
void jsonread_null(struct jsonread *r);
void jsonread_skip(struct jsonread *r);
void jsonread_end(struct jsonread *r); /* nothing but blanks may follow */

/* Whether text equals a plain C string. */
bool json_is(struct json_text text, const char *plain);

/* Says a failure of meaning at the current place ("layers must be at least 1"). */
void jsonread_fail(struct jsonread *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True, with the error copied to `err`, if anything went wrong. */
bool jsonread_failed(struct jsonread *r, struct err *err);

#endif
