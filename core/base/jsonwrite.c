#include "core/base/jsonwrite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

static void before_value(struct jsonwrite *w) {
    if (w->comma) {
        buf_char(w->out, ',');
    }
    w->comma = true;
}

void json_open(struct jsonwrite *w, char bracket) {
    before_value(w);
    buf_char(w->out, bracket);
    w->comma = false;
}

void json_close(struct jsonwrite *w, char bracket) {
    buf_char(w->out, bracket);
    w->comma = true;
}

void json_key(struct jsonwrite *w, const char *key) {
    json_string(w, key);
    buf_char(w->out, ':');
    w->comma = false;
}

void json_string(struct jsonwrite *w, const char *text) {
    json_bytes(w, text, strlen(text));
}

void json_bytes(struct jsonwrite *w, const char *bytes, size_t length) {
    before_value(w);
    json_escape(w->out, bytes, length);
}

void json_int(struct jsonwrite *w, int64_t value) {
    before_value(w);
    buf_printf(w->out, "%lld", (long long)value);
}

void json_double(struct jsonwrite *w, double value) {
    before_value(w);
    if (!isfinite(value)) {
        buf_text(w->out, "null");
        return;
    }
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    buf_text(w->out, text);
}

void json_float(struct jsonwrite *w, float value) {
    before_value(w);
    if (!isfinite(value)) {
        buf_text(w->out, "null");
        return;
    }
    char text[40];
    for (int digits = 3; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) {
            break;
        }
    }
    buf_text(w->out, text);
}

void json_bool(struct jsonwrite *w, bool value) {
    before_value(w);
    buf_text(w->out, value ? "true" : "false");
}

void json_null(struct jsonwrite *w) {
    before_value(w);
    buf_text(w->out, "null");
}

void json_raw(struct jsonwrite *w, const char *json, size_t length) {
    before_value(w);
    buf_add(w->out, json, length);
}

size_t json_plain(const char *bytes, size_t length) {
    size_t done = 0;
    for (; done + JSON_PLAIN <= length; done += JSON_PLAIN) {
        unsigned char odd = 0; /* of one byte, as what it is made of: so vectors are full */
        for (size_t i = 0; i < JSON_PLAIN; i++) {
            signed char b = (signed char)bytes[done + i]; /* what is not ASCII is below 0 */
            odd |= (unsigned char)((b < 0x20) | (b == '"') | (b == '\\') | (b == 0x7f));
        }
        if (odd) {
            break;
        }
    }
    return done;
}

/* The length of the character at `at`, of `left` bytes; *mark: what is written for it, "" if
 * it stands for itself. */
static size_t escape_of(const char *at, size_t left, char mark[8]) {
    unsigned char b = (unsigned char)*at;
    uint32_t c = b;
    int n = b < 0x80 ? 1 : utf8_decode(at, left, &c);
    mark[0] = '\0';
    if (n < 0) {
        strcpy(mark, "\xef\xbf\xbd");
        return 1;
    }
    if (b == '"' || b == '\\' || b == '\n') {
        memcpy(mark, (char[3]){ '\\', b == '\n' ? 'n' : (char)b }, 3);
    } else if (b < 0x20 || b == 0x7f || c == 0x2028 || c == 0x2029) {
        snprintf(mark, 8, "\\u%04x", (unsigned)c & 0xffff);
    }
    return (size_t)n;
}

void json_escape(struct buf *out, const char *bytes, size_t length) {
    char mark[8];
    size_t plain = 0; /* first byte not written yet */
    buf_char(out, '"');
    for (size_t i = 0, slow = 0; i < length;) {
        if (i >= slow) {
            i += json_plain(bytes + i, length - i);
            slow = i + JSON_PLAIN;
            continue;
        }
        size_t step = escape_of(bytes + i, length - i, mark);
        if (mark[0]) {
            buf_add(out, bytes + plain, i - plain);
            buf_text(out, mark);
            plain = i + step;
        }
        i += step;
    }
    buf_add(out, bytes + plain, length - plain);
    buf_char(out, '"');
}

void json_pair(struct jsonwrite *w, const char *key, const char *value) {
    json_key(w, key);
    json_string(w, value ? value : "");
}
