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

void json_escape(struct buf *out, const char *bytes, size_t length) {
    buf_char(out, '"');
    size_t plain = 0; /* first byte not written yet */
    for (size_t i = 0; i < length;) {
        unsigned char b = (unsigned char)bytes[i];
        uint32_t c = b;
        int n = b < 0x80 ? 1 : utf8_decode(bytes + i, length - i, &c);
        bool escape = b < 0x20 || b == '"' || b == '\\' || b == 0x7f || n < 0 || c == 0x2028 ||
                      c == 0x2029;
        size_t step = n < 0 ? 1 : (size_t)n;
        if (escape) {
            buf_add(out, bytes + plain, i - plain);
            if (n < 0) {
                buf_text(out, "\xef\xbf\xbd");
            } else if (b == '"' || b == '\\') {
                buf_char(out, '\\');
                buf_char(out, (char)b);
            } else if (b == '\n') {
                buf_text(out, "\\n");
            } else {
                buf_printf(out, "\\u%04x", (unsigned)c);
            }
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
