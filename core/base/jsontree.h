#ifndef CORE_BASE_JSONTREE_H
#define CORE_BASE_JSONTREE_H

#include "core/base/jsonread.h"
#include "core/base/jsonwrite.h"

/* jsontree: a small JSON value as a tree in an arena, for configuration files and notebooks,
 * where members are wanted in any order. Big files are streamed with jsonread instead. Members
 * keep their order; numbers keep their spelling, so writing a tree changes nothing in it. */

struct json {
    enum json_kind kind;
    struct json_text text; /* a string's bytes (terminated too); a number's spelling */
    struct json_text key;  /* inside an object: this member's name */
    struct json *first;    /* members, elements */
    struct json *next;     /* the next one beside this */
    int64_t count;
};

/* Reads the next value of `r` whole. Duplicate keys are an error. NULL after an error in r. */
struct json *json_read(struct arena *arena, struct jsonread *r);

/* Reads bytes that hold one value and nothing else. */
struct json *json_parse(struct arena *arena, const void *bytes, size_t length, const char *file,
                        struct err *err);

struct json *json_at(const struct json *object,
                     const char *key); /* NULL: absent, or no object */
const char *json_text_at(const struct json *object, const char *key, const char *otherwise);
double json_number_at(const struct json *object, const char *key, double otherwise);
int64_t json_int_at(const struct json *object, const char *key, int64_t otherwise);
bool json_bool_at(const struct json *object, const char *key, bool otherwise);

/* Making and changing a tree (notebooks). json_set replaces or appends a member. */
struct json *json_new(struct arena *arena, enum json_kind kind);
struct json *json_new_text(struct arena *arena, const char *bytes, size_t length);
struct json *json_new_int(struct arena *arena, int64_t value);
void json_set(struct arena *arena, struct json *object, const char *key, struct json *value);
void json_add(struct json *array, struct json *value);

/* Writes with the notebook format's one-space indentation when `indent` is true. */
void json_print(struct buf *out, const struct json *value, bool indent);

#endif
