#include "kernel/front/fields.h"

#include <string.h>

#include <jansson.h>

enum kind { TEXT, FLAG, NUMBER, TEXTS /* an object of texts */ };

static const char *const wanted[] = {
    [TEXT] = "a text", [FLAG] = "true or false", [NUMBER] = "a number", [TEXTS] = "an object"
};

static const struct field {
    const char *type, *name;
    enum kind kind;
} fields[] = {
    { "execute_request", "code", TEXT },
    { "execute_request", "silent", FLAG },
    { "execute_request", "store_history", FLAG },
    { "execute_request", "user_expressions", TEXTS },
    { "execute_request", "allow_stdin", FLAG },
    { "execute_request", "stop_on_error", FLAG },
    { "complete_request", "code", TEXT },
    { "complete_request", "cursor_pos", NUMBER },
    { "inspect_request", "code", TEXT },
    { "inspect_request", "cursor_pos", NUMBER },
    { "inspect_request", "detail_level", NUMBER },
    { "is_complete_request", "code", TEXT },
    { "history_request", "output", FLAG },
    { "history_request", "raw", FLAG },
    { "history_request", "hist_access_type", TEXT },
    { "history_request", "session", NUMBER },
    { "history_request", "start", NUMBER },
    { "history_request", "stop", NUMBER },
    { "history_request", "n", NUMBER },
    { "history_request", "pattern", TEXT },
    { "history_request", "unique", FLAG },
    { "comm_info_request", "target_name", TEXT },
    { "shutdown_request", "restart", FLAG },
};

static const char *kind_of(const json_t *value) {
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return names[json_typeof(value)];
}

static bool is_kind(const json_t *value, enum kind kind) {
    switch (kind) {
    case TEXT:
        return json_is_string(value);
    case FLAG:
        return json_is_boolean(value);
    case NUMBER:
        return json_is_number(value);
    default:
        return json_is_object(value);
    }
}

/* Of an object's members the first that is no text; NULL: all are. */
static const char *odd_member(json_t *object) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        if (!json_is_string(value)) {
            return name;
        }
    }
    return NULL;
}

static int field_check(json_t *content, const struct field *field, struct err *err) {
    json_t *value = json_object_get(content, field->name);
    char quoted[80];
    if (!value || json_is_null(value)) {
        return 0;
    }
    if (!is_kind(value, field->kind)) {
        return err_set(err, ERR_FORMAT, "\"%s\" of this %s is %s; %s is wanted", field->name,
                       field->type, kind_of(value), wanted[field->kind]);
    }
    const char *odd = field->kind == TEXTS ? odd_member(value) : NULL;
    if (odd) {
        return err_set(err, ERR_FORMAT, "\"%s\" in \"%s\" of this %s is %s; a text is wanted",
                       err_quote(quoted, sizeof quoted, odd, strlen(odd)), field->name,
                       field->type, kind_of(json_object_get(value, odd)));
    }
    return 0;
}

int fields_check(const struct message *message, struct err *err) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(message->type, fields[i].type) == 0 &&
            field_check(message->content, &fields[i], err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}
