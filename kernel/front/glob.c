#include "kernel/front/glob.h"

#include <stdint.h>

#include "core/base/utf8.h"

/* A character of the bytes at..end; a byte that is none stands for itself. Moves on. */
static uint32_t next_of(const char **at, const char *end) {
    uint32_t code;
    int n = utf8_decode(*at, (size_t)(end - *at), &code);
    if (n <= 0) {
        const uint32_t NO_CODE = 0x110000; /* beyond Unicode: equal to the same byte alone */
        code = NO_CODE + (unsigned char)**at;
        n = 1;
    }
    *at += n;
    return code;
}

/* Whether the bracket that begins behind '[' holds the character; moves behind its ']'. */
static bool holds(const char **at, const char *end, uint32_t code, bool *closed) {
    bool inverse = *at < end && **at == '^', found = false;
    *at += inverse;
    *closed = false;
    for (bool first = true; *at < end; first = false) {
        if (**at == ']' && !first) {
            ++*at;
            *closed = true;
            return found != inverse;
        }
        uint32_t low = next_of(at, end), high = low;
        if (end - *at >= 2 && **at == '-' && (*at)[1] != ']') {
            ++*at;
            high = next_of(at, end);
        }
        found = found || (low <= code && code <= high);
    }
    return false;
}

/* Whether one character of the text is what the pattern means at its place; moves both on. */
static bool step(const char **pattern, const char *pattern_end, const char **text,
                 const char *text_end) {
    uint32_t wanted = next_of(pattern, pattern_end), code = next_of(text, text_end);
    if (wanted == '[') {
        bool closed;
        return holds(pattern, pattern_end, code, &closed) && closed;
    }
    return wanted == '?' || wanted == code;
}

bool glob_fits(const char *pattern, size_t pattern_length, const char *text,
               size_t text_length) {
    const char *p = pattern, *p_end = pattern + pattern_length;
    const char *t = text, *t_end = text + text_length;
    const char *star = NULL,
               *from = NULL; /* behind the last '*', and what it took ends there */
    while (t < t_end) {
        const char *p_next = p, *t_next = t;
        if (p < p_end && *p == '*') {
            star = ++p;
            from = t;
        } else if (p < p_end && step(&p_next, p_end, &t_next, t_end)) {
            p = p_next;
            t = t_next;
        } else if (star) {
            next_of(&from, t_end);
            p = star;
            t = from;
        } else {
            return false;
        }
        if (star && star == p_end) {
            return true; /* the rest is the star's */
        }
    }
    while (p < p_end && *p == '*') {
        p++;
    }
    return p == p_end;
}
