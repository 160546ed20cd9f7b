#include "core/base/utf8.h"

#include <utf8proc.h>

int utf8_decode(const char *bytes, size_t length, uint32_t *code) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (length == 0) {
        return 0;
    }
    if (b[0] < 0x80) {
        *code = b[0];
        return 1;
    }
    int n = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc2 || b[0] > 0xf4 || length < (size_t)n) {
        return -1;
    }
    uint32_t c = b[0] & (0x7fU >> n);
    for (int i = 1; i < n; i++) {
        if ((b[i] & 0xc0) != 0x80) {
            return -1;
        }
        c = c << 6 | (b[i] & 0x3fU);
    }
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return -1;
    }
    *code = c;
    return n;
}

int utf8_encode(char *out, uint32_t code) {
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        code = 0xfffd;
    }
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

size_t utf8_bad(const char *bytes, size_t length) {
    size_t i = 0;
    while (i < length) {
        uint32_t c;
        int n = utf8_decode(bytes + i, length - i, &c);
        if (n <= 0) {
            break;
        }
        i += (size_t)n;
    }
    return i;
}

/* Bytes of the character at `bytes`, an invalid byte being one of its own. */
static size_t step(const char *bytes, size_t length) {
    uint32_t c;
    int n = utf8_decode(bytes, length, &c);
    return n > 0 ? (size_t)n : 1;
}

int64_t utf8_count(const char *bytes, size_t length) {
    int64_t count = 0;
    for (size_t i = 0; i < length; i += step(bytes + i, length - i)) {
        count++;
    }
    return count;
}

size_t utf8_offset(const char *bytes, size_t length, int64_t index) {
    size_t i = 0;
    while (i < length && index-- > 0) {
        i += step(bytes + i, length - i);
    }
    return i;
}

size_t utf8_cut(const char *text, size_t limit) {
    while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80) {
        limit--;
    }
    return limit;
}

size_t utf8_tail(const char *bytes, size_t length) {
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char c = (unsigned char)bytes[length - back];
        if (c >= 0xc2 && c <= 0xf4) {
            size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
            return need > back ? back : 0;
        }
        if ((c & 0xc0) != 0x80) {
            return 0;
        }
    }
    return 0;
}

bool utf8_is_hidden(uint32_t c) {
    return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           c == 0xfffe || c == 0xffff || (c >= 0xe0000 && c <= 0xe007f);
}

bool utf8_is_leftward(uint32_t c) {
    return (c >= 0x590 && c <= 0x8ff) || (c >= 0xfb1d && c <= 0xfdff) ||
           (c >= 0xfe70 && c <= 0xfefc) || (c >= 0x10800 && c <= 0x10fff) ||
           (c >= 0x1e800 && c <= 0x1efff);
}

int64_t utf8_columns(const char *bytes, size_t length) {
    int64_t columns = 0;
    for (size_t i = 0; i < length;) {
        uint32_t c;
        int n = utf8_decode(bytes + i, length - i, &c);
        columns += n > 0 ? utf8proc_charwidth((utf8proc_int32_t)c) : 1;
        i += n > 0 ? (size_t)n : 1;
    }
    return columns;
}
