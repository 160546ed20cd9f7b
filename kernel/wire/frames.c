#include "kernel/wire/frames.h"

#include <string.h>

#include <jansson.h>

#include "kernel/wire/glean.h"

static const char delimiter[] = "<IDS|MSG>";

static bool is_delimiter(struct frame frame) {
    return frame.length == sizeof delimiter - 1 &&
           memcmp(frame.bytes, delimiter, sizeof delimiter - 1) == 0;
}

int frames_split(struct message *message, const struct frame *frames, int count,
                 struct err *err) {
    int at = 0;
    if (count > FRAMES_MOST) {
        return err_set(err, ERR_FORMAT, "a message of more than %d frames", FRAMES_MOST);
    }
    while (at < count && !is_delimiter(frames[at])) {
        at++;
    }
    if (at == count) {
        return err_set(err, ERR_FORMAT, "a message of %d frames without %s", count, delimiter);
    }
    if (count - at < 6) {
        return err_set(err, ERR_FORMAT,
                       "a message with %d frames after %s; at least 5 are wanted",
                       count - at - 1, delimiter);
    }
    message->id_count = at;
    message->ids = frames;
    message->signature = frames[at + 1];
    memcpy(message->parts, frames + at + 2, sizeof message->parts);
    message->buffers = frames + at + 6;
    message->buffer_count = count - at - 6;
    return 0;
}

int frames_depth(struct frame frame) {
    int depth = 0, deepest = 0;
    bool inside = false;
    for (size_t i = 0; i < frame.length; i++) {
        char c = frame.bytes[i];
        if (c == '"') {
            inside = !inside;
        } else if (c == '\\' && inside) {
            i++;
        } else if (!inside && (c == '{' || c == '[')) {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if (!inside && (c == '}' || c == ']')) {
            depth--;
        }
    }
    return deepest;
}

static int hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The code of an escape \uXXXX at `at`, -1 if none stands there. */
static int escape_code(const char *at, const char *end) {
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return -1;
    }
    int code = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(at[i]);
        if (digit < 0) {
            return -1;
        }
        code = code * 16 + digit;
    }
    return code;
}

/* Writes \ufffd over each escaped surrogate without its other half. Returns whether there were
 * any. */
static bool surrogates_mend(char *bytes, size_t length) {
    static const char mark[6] = { '\\', 'u', 'f', 'f', 'f', 'd' };
    char *end = bytes + length;
    bool mended = false;
    for (char *at = bytes; at < end; at++) {
        if (*at != '\\') {
            continue;
        }
        int code = escape_code(at, end);
        if (code < 0xd800 || code > 0xdfff) {
            at++; /* past the escaped character, which may be a backslash */
            continue;
        }
        int low = code < 0xdc00 ? escape_code(at + 6, end) : -1;
        if (low >= 0xdc00 && low <= 0xdfff) {
            at += 11;
        } else {
            memcpy(at, mark, sizeof mark);
            at += 5;
            mended = true;
        }
    }
    return mended;
}

json_t *frames_object(struct arena *arena, struct frame frame, struct err *err) {
    const size_t flags = JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    json_error_t why;
    if (frames_depth(frame) > FRAMES_DEPTH_MOST) {
        err_set(err, ERR_FORMAT, "JSON nested deeper than %d levels", FRAMES_DEPTH_MOST);
        return NULL;
    }
    json_t *root = json_loadb(frame.bytes, frame.length, flags, &why);
    if (!root) {
        char *copy = arena_text(arena, frame.bytes, frame.length);
        if (surrogates_mend(copy, frame.length)) {
            root = json_loadb(copy, frame.length, flags, &why);
        }
    }
    if (!json_is_object(root)) {
        char quoted[160];
        err_quote(quoted, sizeof quoted, why.text, root ? 0 : strlen(why.text));
        err_set(err, ERR_FORMAT, "%s", root ? "not a JSON object" : quoted);
        json_decref(root);
        return NULL;
    }
    return root;
}

static void json_close(void *what) {
    json_decref(what);
}

/* One of the four parts as an object that lives as long as the message. NULL: it cannot be
 * read, which is what is wrong with the message if nothing else was before. */
static json_t *part_read(struct message *message, int part, const char *name) {
    struct err why;
    json_t *object = frames_object(message->arena, message->parts[part], &why);
    if (object) {
        arena_defer(message->arena, json_close, object);
    } else if (!message->bad) {
        message->bad =
            arena_printf(message->arena, "the request's %s cannot be read: %s", name, why.text);
    }
    return object;
}

static const char *type_of(const json_t *header) {
    return json_string_value(json_object_get(header, "msg_type"));
}

/* The header, or what can be gleaned of it. */
static json_t *header_read(struct message *message) {
    json_t *header = NULL;
    if (message->parts[0].length > FRAMES_HEADER_MOST) {
        message->bad = arena_printf(message->arena,
                                    "the request's header has %zu bytes; at most %d are taken",
                                    message->parts[0].length, FRAMES_HEADER_MOST);
    } else {
        header = part_read(message, 0, "header");
    }
    if (!header) {
        message->parts[0] = glean(message->arena, message->parts[0]);
        header = part_read(message, 0, "header");
    } else if (!json_is_string(json_object_get(header, "msg_id"))) {
        message->bad = "the request's header has no msg_id that is text";
    }
    return header;
}

int frames_read(struct message *message, struct err *err) {
    message->type = type_of(header_read(message));
    if (!message->type) {
        return err_set(err, ERR_FORMAT, "a message whose header has no msg_type%s%s",
                       message->bad ? ": " : "", message->bad ? message->bad : "");
    }
    message->parent = part_read(message, 1, "parent_header");
    part_read(message, 2, "metadata");
    message->content = part_read(message, 3, "content");
    return 0;
}

const char *frames_text(const struct message *message, const char *key, size_t *length) {
    const json_t *value = json_object_get(message->content, key);
    *length = json_string_length(value);
    return json_is_string(value) ? json_string_value(value) : "";
}

bool frames_flag(const struct message *message, const char *key, bool otherwise) {
    const json_t *value = json_object_get(message->content, key);
    return json_is_true(value) || (otherwise && !json_is_false(value));
}

long long frames_number(const struct message *message, const char *key, long long otherwise) {
    const json_t *value = json_object_get(message->content, key);
    if (json_is_real(value)) {
        double number = json_real_value(value);
        return number > -1e15 && number < 1e15 ? (long long)number : otherwise;
    }
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

void frames_free(struct message *message) {
    if (message) {
        arena_free(message->arena);
    }
}
