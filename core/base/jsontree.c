#include "core/base/jsontree.h"

#include <stdlib.h>
#include <string.h>

struct json *json_new(struct arena *arena, enum json_kind kind) {
    struct json *value = arena_small(arena, sizeof *value);
    value->kind = kind;
    return value;
}

struct json *json_new_text(struct arena *arena, const char *bytes, size_t length) {
    struct json *value = json_new(arena, JSON_STRING);
    value->text = (struct json_text){ arena_text(arena, bytes, length), length };
    return value;
}

struct json *json_new_int(struct arena *arena, int64_t number) {
    struct json *value = json_new(arena, JSON_NUMBER);
    value->text.bytes = arena_printf(arena, "%lld", (long long)number);
    value->text.length = strlen(value->text.bytes);
    return value;
}

static void link_after(struct json *parent, struct json **last, struct json *value) {
    if (*last) {
        (*last)->next = value;
    } else {
        parent->first = value;
    }
    *last = value;
    parent->count++;
}

static struct json *read_value(struct arena *arena, struct jsonread *r);

enum {
    MOST_KEYS = 20000, /* each new key is compared with all before it */
    MOST_ITEMS = 1000000,
};

static struct json *member_at(const struct json *object, struct json_text key) {
    for (struct json *member = object->first; member; member = member->next) {
        if (member->key.length == key.length &&
            memcmp(member->key.bytes, key.bytes, key.length) == 0) {
            return member;
        }
    }
    return NULL;
}

/* The members of an object or array, r being inside it. Depth is bounded by the reader (64). */
static void read_members(struct arena *arena, struct jsonread *r, struct json *parent) {
    struct json *last = NULL;
    struct json_text key = { 0 };
    while (parent->kind == JSON_OBJECT ? jsonread_key(r, arena, &key) : jsonread_item(r)) {
        if (parent->count == (parent->kind == JSON_OBJECT ? MOST_KEYS : MOST_ITEMS)) {
            jsonread_fail(r, "more than %lld members", (long long)parent->count);
            return;
        }
        const char *name = key.bytes ? arena_text(arena, key.bytes, key.length) : "";
        if (parent->kind == JSON_OBJECT && member_at(parent, key)) {
            char shown[80];
            jsonread_fail(r, "the key %s stands twice",
                          err_quote(shown, sizeof shown, name, key.length));
            return;
        }
        struct json *value = read_value(arena, r);
        if (!value) {
            return;
        }
        value->key = (struct json_text){ name, key.length };
        link_after(parent, &last, value);
    }
}

static struct json *read_value(struct arena *arena, struct jsonread *r) {
    struct json *value = json_new(arena, jsonread_peek(r));
    const char *start = r->at;
    switch (value->kind) {
    case JSON_OBJECT:
        jsonread_object(r);
        read_members(arena, r, value);
        break;
    case JSON_ARRAY:
        jsonread_array(r);
        read_members(arena, r, value);
        break;
    case JSON_STRING:
        value->text = jsonread_string(r, arena);
        value->text.bytes = arena_text(arena, value->text.bytes, value->text.length);
        break;
    case JSON_NUMBER:
        jsonread_double(r);
        value->text.length = (size_t)(r->at - start);
        value->text.bytes = arena_text(arena, start, value->text.length);
        break;
    default:
        jsonread_skip(r);
    }
    return jsonread_failed(r, NULL) ? NULL : value;
}

struct json *json_read(struct arena *arena, struct jsonread *r) {
    return read_value(arena, r);
}

struct json *json_parse(struct arena *arena, const void *bytes, size_t length, const char *file,
                        struct err *err) {
    struct jsonread r;
    jsonread_init(&r, bytes, length, file);
    struct json *value = read_value(arena, &r);
    jsonread_end(&r);
    return jsonread_failed(&r, err) ? NULL : value;
}

struct json *json_at(const struct json *object, const char *key) {
    if (!object || object->kind != JSON_OBJECT) {
        return NULL;
    }
    return member_at(object, (struct json_text){ key, strlen(key) });
}

const char *json_text_at(const struct json *object, const char *key, const char *otherwise) {
    const struct json *value = json_at(object, key);
    return value && value->kind == JSON_STRING ? value->text.bytes : otherwise;
}

double json_number_at(const struct json *object, const char *key, double otherwise) {
    const struct json *value = json_at(object, key);
    return value && value->kind == JSON_NUMBER ? strtod(value->text.bytes, NULL) : otherwise;
}

int64_t json_int_at(const struct json *object, const char *key, int64_t otherwise) {
    double value = json_number_at(object, key, (double)otherwise);
    return value >= -9e15 && value <= 9e15 ? (int64_t)value : otherwise;
}

bool json_bool_at(const struct json *object, const char *key, bool otherwise) {
    const struct json *value = json_at(object, key);
    bool known = value && (value->kind == JSON_TRUE || value->kind == JSON_FALSE);
    return known ? value->kind == JSON_TRUE : otherwise;
}

void json_add(struct json *array, struct json *value) {
    struct json *last = array->first;
    while (last && last->next) {
        last = last->next;
    }
    value->next = NULL; /* it may come from another tree */
    link_after(array, &last, value);
}

void json_set(struct arena *arena, struct json *object, const char *key, struct json *value) {
    value->key = (struct json_text){ arena_copy(arena, key), strlen(key) };
    for (struct json **place = &object->first; *place; place = &(*place)->next) {
        if (json_is((*place)->key, key)) {
            value->next = (*place)->next;
            *place = value;
            return;
        }
    }
    json_add(object, value);
}

static void newline(struct buf *out, int depth) {
    buf_char(out, '\n');
    while (depth-- > 0) {
        buf_char(out, ' ');
    }
}

static void print(struct buf *out, const struct json *value, bool indent, int depth) {
    bool object = value->kind == JSON_OBJECT;
    switch (value->kind) {
    case JSON_STRING:
        json_escape(out, value->text.bytes, value->text.length);
        return;
    case JSON_NUMBER:
        buf_add(out, value->text.bytes, value->text.length);
        return;
    case JSON_TRUE:
        buf_text(out, "true");
        return;
    case JSON_FALSE:
        buf_text(out, "false");
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    default:
        buf_text(out, "null");
        return;
    }
    buf_char(out, object ? '{' : '[');
    for (const struct json *member = value->first; member; member = member->next) {
        if (indent) {
            newline(out, depth + 1);
        }
        if (object) {
            json_escape(out, member->key.bytes, member->key.length);
            buf_text(out, indent ? ": " : ":");
        }
        print(out, member, indent, depth + 1);
        if (member->next) {
            buf_char(out, ',');
        }
    }
    if (indent && value->first) {
        newline(out, depth);
    }
    buf_char(out, object ? '}' : ']');
}

void json_print(struct buf *out, const struct json *value, bool indent) {
    print(out, value, indent, 0);
}
