#include "core/base/jsonread.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"

void jsonread_init(struct jsonread *r, const void *bytes, size_t length, const char *file) {
    memset(r, 0, sizeof *r);
    r->begin = r->at = bytes;
    r->end = r->at + length;
    r->file = file;
}

void jsonread_fail(struct jsonread *r, const char *format, ...) {
    if (r->err.kind != ERR_NONE) {
        return;
    }
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_set(&r->err, ERR_FORMAT, "%s, byte %lld: %s", r->file, (long long)(r->at - r->begin),
            text);
    r->at = r->end;
}

bool jsonread_failed(struct jsonread *r, struct err *err) {
    if (r->err.kind == ERR_NONE) {
        return false;
    }
    if (err) {
        *err = r->err;
    }
    return true;
}

static bool failed(const struct jsonread *r) {
    return r->err.kind != ERR_NONE;
}

static void blanks(struct jsonread *r) {
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) {
        r->at++;
    }
}

enum json_kind jsonread_peek(struct jsonread *r) {
    blanks(r);
    if (failed(r) || r->at == r->end) {
        return JSON_NONE;
    }
    switch (*r->at) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return *r->at == '-' || (*r->at >= '0' && *r->at <= '9') ? JSON_NUMBER : JSON_NONE;
    }
}

static const char *kind_name(enum json_kind kind) {
    static const char *const names[] = { "the end or a stray character",
                                         "null",
                                         "false",
                                         "true",
                                         "a number",
                                         "a string",
                                         "an array",
                                         "an object" };
    return names[kind];
}

static bool want(struct jsonread *r, enum json_kind kind) {
    enum json_kind seen = jsonread_peek(r);
    if (seen != kind) {
        jsonread_fail(r, "%s where %s is wanted", kind_name(seen), kind_name(kind));
        return false;
    }
    return true;
}

static bool enter(struct jsonread *r, enum json_kind kind, char bracket) {
    if (!want(r, kind)) {
        return false;
    }
    if (r->depth == 64) {
        jsonread_fail(r, "nested deeper than 64 levels");
        return false;
    }
    r->at++;
    r->depth++;
    r->open[r->depth] = bracket;
    r->first[r->depth] = true;
    return true;
}

bool jsonread_object(struct jsonread *r) {
    return enter(r, JSON_OBJECT, '{');
}

bool jsonread_array(struct jsonread *r) {
    return enter(r, JSON_ARRAY, '[');
}

/* Steps over "," or the closing bracket. True: a member follows. */
static bool member(struct jsonread *r, char bracket, char closing) {
    if (failed(r) || r->depth == 0 || r->open[r->depth] != bracket) {
        return false;
    }
    if (++r->members % 1024 == 0) {
        stop_check();
    }
    blanks(r);
    if (r->at < r->end && *r->at == closing) {
        r->at++;
        r->depth--;
        return false;
    }
    if (!r->first[r->depth]) {
        if (r->at == r->end || *r->at != ',') {
            jsonread_fail(r, "',' or '%c' is missing", closing);
            return false;
        }
        r->at++;
        blanks(r);
    }
    r->first[r->depth] = false;
    return true;
}

bool jsonread_key(struct jsonread *r, struct arena *arena, struct json_text *key) {
    if (!member(r, '{', '}')) {
        return false;
    }
    *key = jsonread_string(r, arena);
    blanks(r);
    if (!failed(r) && (r->at == r->end || *r->at != ':')) {
        jsonread_fail(r, "':' is missing after a key");
    }
    if (failed(r)) {
        return false;
    }
    r->at++;
    return true;
}

bool jsonread_item(struct jsonread *r) {
    if (!member(r, '[', ']')) {
        return false;
    }
    if (jsonread_peek(r) == JSON_NONE) {
        jsonread_fail(r, "a value is missing");
        return false;
    }
    return true;
}

static int hex4(const char *at, const char *end) {
    if (end - at < 4) {
        return -1;
    }
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* Reads "\uXXXX" (r->at is behind the u); a lone surrogate becomes U+FFFD. */
static uint32_t escape_u(struct jsonread *r) {
    int high = hex4(r->at, r->end);
    if (high < 0) {
        jsonread_fail(r, "\\u needs four hex digits");
        return 0xfffd;
    }
    r->at += 4;
    if (high < 0xd800 || high > 0xdfff) {
        return (uint32_t)high;
    }
    if (high < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        int low = hex4(r->at + 2, r->end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            r->at += 6;
            return 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
        }
    }
    return 0xfffd;
}

/* Finds the closing quote. NULL and an error if there is none. */
static const char *string_end(struct jsonread *r, bool *escaped) {
    const char *p = r->at;
    *escaped = false;
    while (p < r->end && *p != '"') {
        if ((unsigned char)*p < 0x20) {
            r->at = p;
            jsonread_fail(r, "a control character in a string");
            return NULL;
        }
        if (*p == '\\') {
            *escaped = true;
            p++;
        }
        p++;
    }
    if (p >= r->end) {
        jsonread_fail(r, "a string without its closing quote");
        return NULL;
    }
    return p;
}

struct json_text jsonread_string(struct jsonread *r, struct arena *arena) {
    struct json_text none = { "", 0 };
    if (!want(r, JSON_STRING)) {
        return none;
    }
    r->at++;
    bool escaped;
    const char *end = string_end(r, &escaped);
    if (!end) {
        return none;
    }
    size_t length = (size_t)(end - r->at);
    size_t bad = utf8_bad(r->at, length);
    if (bad < length) {
        r->at += bad;
        jsonread_fail(r, "a string is not UTF-8");
        return none;
    }
    struct json_text text = { r->at, length };
    if (!escaped) {
        r->at = end + 1;
        return text;
    }
    char *out = arena_raw(arena, length + 1);
    size_t n = 0;
    while (r->at < end) {
        char c = *r->at++;
        if (c != '\\') {
            out[n++] = c;
            continue;
        }
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        char e = *r->at++;
        const char *found = e ? strchr(from, e) : NULL;
        if (e == 'u') {
            n += (size_t)utf8_encode(out + n, escape_u(r)); /* six bytes become at most four */
        } else if (found) {
            out[n++] = to[found - from];
        } else {
            jsonread_fail(r, "\\ before a character that needs none");
        }
        if (failed(r)) {
            return none;
        }
    }
    out[n] = '\0';
    r->at = end + 1;
    return (struct json_text){ out, n };
}

char *jsonread_text(struct jsonread *r, struct arena *arena) {
    struct json_text text = jsonread_string(r, arena);
    if (memchr(text.bytes, '\0', text.length)) {
        jsonread_fail(r, "a NUL in a string");
        return arena_copy(arena, "");
    }
    return arena_text(arena, text.bytes, text.length);
}

/* Copies a number's characters into `digits`; checks the grammar. */
static bool number(struct jsonread *r, char digits[64], bool *whole) {
    if (!want(r, JSON_NUMBER)) {
        return false;
    }
    const char *p = r->at;
    *whole = true;
    p += *p == '-';
    const char *start = p;
    while (p < r->end && *p >= '0' && *p <= '9') {
        p++;
    }
    bool ok = p > start && (*start != '0' || p == start + 1);
    if (p < r->end && *p == '.') {
        *whole = false;
        start = ++p;
        while (p < r->end && *p >= '0' && *p <= '9') {
            p++;
        }
        ok = ok && p > start;
    }
    if (p < r->end && (*p == 'e' || *p == 'E')) {
        *whole = false;
        p++;
        p += p < r->end && (*p == '+' || *p == '-');
        start = p;
        while (p < r->end && *p >= '0' && *p <= '9') {
            p++;
        }
        ok = ok && p > start;
    }
    size_t length = (size_t)(p - r->at);
    if (!ok || length > 63) {
        jsonread_fail(r, ok ? "a number of more than 63 characters" : "a malformed number");
        return false;
    }
    memcpy(digits, r->at, length);
    digits[length] = '\0';
    r->at = p;
    return true;
}

double jsonread_double(struct jsonread *r) {
    char digits[64];
    bool whole;
    return number(r, digits, &whole) ? strtod(digits, NULL) : 0;
}

int64_t jsonread_int(struct jsonread *r) {
    char digits[64];
    bool whole;
    if (!number(r, digits, &whole)) {
        return 0;
    }
    if (!whole) {
        double value = strtod(digits, NULL);
        if (value != floor(value) || fabs(value) > 9e15) {
            jsonread_fail(r, "%s where a whole number is wanted", digits);
            return 0;
        }
        return (int64_t)value;
    }
    errno = 0;
    long long value = strtoll(digits, NULL, 10);
    if (errno) {
        jsonread_fail(r, "%s does not fit 64 bits", digits);
        return 0;
    }
    return value;
}

static bool word(struct jsonread *r, const char *text) {
    size_t n = strlen(text);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0) {
        jsonread_fail(r, "a stray word");
        return false;
    }
    r->at += n;
    return true;
}

bool jsonread_bool(struct jsonread *r) {
    enum json_kind kind = jsonread_peek(r);
    if (kind != JSON_TRUE && kind != JSON_FALSE) {
        jsonread_fail(r, "%s where true or false is wanted", kind_name(kind));
        return false;
    }
    return word(r, kind == JSON_TRUE ? "true" : "false") && kind == JSON_TRUE;
}

void jsonread_null(struct jsonread *r) {
    if (want(r, JSON_NULL)) {
        word(r, "null");
    }
}

void jsonread_skip(struct jsonread *r) {
    int depth = r->depth;
    do {
        /* Inside a container that this call entered, step to its next value first. */
        if (r->depth > depth) {
            if (r->open[r->depth] == '[') {
                if (!jsonread_item(r)) {
                    continue;
                }
            } else {
                if (!member(r, '{', '}')) {
                    continue;
                }
                bool escaped;
                if (!want(r, JSON_STRING)) {
                    return;
                }
                r->at++;
                const char *end = string_end(r, &escaped);
                if (!end) {
                    return;
                }
                r->at = end + 1;
                blanks(r);
                if (r->at == r->end || *r->at != ':') {
                    jsonread_fail(r, "':' is missing after a key");
                    return;
                }
                r->at++;
            }
        }
        char digits[64];
        bool flag;
        const char *end;
        switch (jsonread_peek(r)) {
        case JSON_OBJECT:
            jsonread_object(r);
            break;
        case JSON_ARRAY:
            jsonread_array(r);
            break;
        case JSON_STRING:
            r->at++;
            end = string_end(r, &flag);
            r->at = end ? end + 1 : r->end;
            break;
        case JSON_NUMBER:
            number(r, digits, &flag);
            break;
        case JSON_TRUE:
        case JSON_FALSE:
            jsonread_bool(r);
            break;
        case JSON_NULL:
            jsonread_null(r);
            break;
        default:
            jsonread_fail(r, "a value is missing");
        }
    } while (!failed(r) && r->depth > depth);
}

void jsonread_end(struct jsonread *r) {
    blanks(r);
    if (!failed(r) && r->at != r->end) {
        jsonread_fail(r, "something follows the end");
    }
}

bool json_is(struct json_text text, const char *plain) {
    return text.length == strlen(plain) && memcmp(text.bytes, plain, text.length) == 0;
}
