#include "kernel/wire/glean.h"

#include <string.h>

#include <jansson.h>

#include "core/base/buf.h"
#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"

enum { FIELDS = 6 };

static const char *const names[FIELDS] = { "msg_id", "session",  "username",
                                           "date",   "msg_type", "version" };

/* Bytes of the string that begins at `at` with its quote; 0: it has no end. */
static size_t string_length(struct frame header, size_t at) {
    for (size_t i = at + 1; i < header.length; i++) {
        if (header.bytes[i] == '"') {
            return i + 1 - at;
        }
        i += header.bytes[i] == '\\';
    }
    return 0;
}

static bool is_name(struct frame quoted, const char *name) {
    return quoted.length == strlen(name) + 2 &&
           memcmp(quoted.bytes + 1, name, quoted.length - 2) == 0;
}

static void keep(struct frame found[FIELDS], struct frame name, struct frame value) {
    for (int i = 0; i < FIELDS; i++) {
        if (is_name(name, names[i])) {
            found[i] = value;
        }
    }
}

/* Finds the values, as they stand there, quotes and all. */
static void fields_find(struct frame header, struct frame found[FIELDS]) {
    struct frame name = { "", 0 }; /* after its colon, until the value is there */
    struct frame last = name;      /* the last string */
    int depth = 0;
    for (size_t i = 0, step; i < header.length; i += step) {
        char c = header.bytes[i];
        step = c == '"' ? string_length(header, i) : 1;
        if (step == 0) {
            return;
        }
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth == 1 && c == '"') {
            last = (struct frame){ header.bytes + i, step };
            keep(found, name, last);
        } else if (depth == 1 && (c == ':' || c == ',')) {
            name = c == ':' ? last : (struct frame){ "", 0 };
        }
    }
}

/* A copy in which each byte that is no UTF-8 is U+FFFD. */
static void utf8_mend(struct buf *out, struct frame text) {
    for (size_t i = 0; i < text.length;) {
        size_t good = utf8_bad(text.bytes + i, text.length - i);
        buf_add(out, text.bytes + i, good);
        i += good;
        if (i < text.length) {
            buf_text(out, "\xef\xbf\xbd");
            i++;
        }
    }
}

/* Writes a field, if its value is the text of a JSON string. */
static void field_write(struct arena *arena, struct jsonwrite *w, const char *name,
                        struct frame quoted) {
    struct buf *whole = buf_new(arena);
    struct err err;
    buf_text(whole, "{\"\":");
    utf8_mend(whole, quoted);
    buf_char(whole, '}');
    json_t *object = frames_object(arena, (struct frame){ whole->data, whole->length }, &err);
    const json_t *text = json_object_get(object, "");
    if (text) {
        json_key(w, name);
        json_bytes(w, json_string_value(text), json_string_length(text));
    }
    json_decref(object);
}

struct frame glean(struct arena *arena, struct frame header) {
    struct frame found[FIELDS] = { 0 };
    struct buf *out = buf_new(arena);
    struct jsonwrite w = { .out = out };
    fields_find(header, found);
    json_open(&w, '{');
    for (int i = 0; i < FIELDS; i++) {
        if (found[i].length > 0 && found[i].length <= GLEAN_MOST) {
            field_write(arena, &w, names[i], found[i]);
        }
    }
    json_close(&w, '}');
    return (struct frame){ out->data, out->length };
}
