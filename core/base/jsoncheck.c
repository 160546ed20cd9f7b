#include "core/base/jsoncheck.h"

#include <string.h>

#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"

struct check {
    const char *at, *end;
    int depth;
    char open[JSONCHECK_DEPTH]; /* '{' or '[' for each level */
};

static size_t left(const struct check *c) {
    return (size_t)(c->end - c->at);
}

static bool take(struct check *c, char wanted) {
    bool there = c->at < c->end && *c->at == wanted;
    c->at += there;
    return there;
}

static void blanks(struct check *c) {
    while (take(c, ' ') || take(c, '\n') || take(c, '\t') || take(c, '\r')) {
    }
}

/* Behind a backslash. */
static bool escape(struct check *c) {
    enum { HEX = 5 };
    if (c->at < c->end && *c->at && strchr("\"\\/bfnrt", *c->at)) {
        c->at++;
        return true;
    }
    for (int i = 1; i < HEX && left(c) >= HEX && *c->at == 'u'; i++) {
        if (!c->at[i] || !strchr("0123456789abcdefABCDEF", c->at[i])) {
            return false;
        }
    }
    bool whole = left(c) >= HEX && *c->at == 'u';
    c->at += whole ? HEX : 0;
    return whole;
}

/* Behind a quote; to behind the next one. */
static bool string(struct check *c) {
    uint32_t code;
    while (c->at < c->end) {
        c->at += json_plain(c->at, left(c));
        for (int i = 0; i < JSON_PLAIN && c->at < c->end; i++) {
            int bytes = utf8_decode(c->at, left(c), &code);
            if (bytes < 0 || code < 0x20) {
                return false;
            }
            c->at += bytes;
            if (code == '"') {
                return true;
            }
            if (code == '\\' && !escape(c)) {
                return false;
            }
        }
    }
    return false;
}

static bool digits(struct check *c) {
    const char *before = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > before;
}

static bool number(struct check *c) {
    take(c, '-');
    if (!take(c, '0') && !digits(c)) {
        return false;
    }
    if (take(c, '.') && !digits(c)) {
        return false;
    }
    if (take(c, 'e') || take(c, 'E')) {
        (void)(take(c, '+') || take(c, '-'));
        return digits(c);
    }
    return true;
}

static bool word(struct check *c, const char *wanted) {
    size_t length = strlen(wanted);
    bool there = left(c) >= length && memcmp(c->at, wanted, length) == 0;
    c->at += there ? length : 0;
    return there;
}

/* A member's name and its colon. */
static bool key(struct check *c) {
    blanks(c);
    if (!take(c, '"') || !string(c)) {
        return false;
    }
    blanks(c);
    return take(c, ':');
}

/* Enters a bracket that is not empty, up to its first value. */
static bool enter(struct check *c, char bracket) {
    c->open[c->depth++] = bracket;
    return bracket == '[' || key(c);
}

/* A value, or its beginning where it is a bracket that is not empty; *whole: which of them. */
static bool value(struct check *c, bool *whole) {
    blanks(c);
    *whole = true;
    for (const char *bracket = "{}[]"; *bracket; bracket += 2) {
        if (take(c, bracket[0])) {
            blanks(c);
            *whole = take(c, bracket[1]);
            return c->depth < JSONCHECK_DEPTH && (*whole || enter(c, bracket[0]));
        }
    }
    return take(c, '"') ? string(c)
           : c->at < c->end && strchr("tfn", *c->at)
               ? word(c, "true") || word(c, "false") || word(c, "null")
               : number(c);
}

/* Behind a value, up to where the next one begins or all is closed. */
static bool leave(struct check *c) {
    while (c->depth > 0) {
        char bracket = c->open[c->depth - 1];
        blanks(c);
        if (take(c, ',')) {
            return bracket == '[' || key(c);
        }
        if (!take(c, bracket == '{' ? '}' : ']')) {
            return false;
        }
        c->depth--;
    }
    return true;
}

bool jsoncheck_object(const char *bytes, size_t length) {
    struct check c = { .at = bytes, .end = bytes + length };
    bool whole;
    blanks(&c);
    if (c.at == c.end || *c.at != '{') {
        return false;
    }
    do {
        if (!value(&c, &whole) || (whole && !leave(&c))) {
            return false;
        }
    } while (c.depth > 0);
    blanks(&c);
    return c.at == c.end;
}
