#include "core/text/classes.h"

#include <utf8proc.h>

#include "core/base/utf8.h"

enum { O = CLASS_OTHER, L = CLASS_LETTER, N = CLASS_NUMBER, S = CLASS_BLANK };

const unsigned char classes_ascii[128] = {
    O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, N, N, N, N,
    N, N, N, N, N, N, O, O, O, O, O, O, O, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O, O, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
};

bool classes_is_blank(uint32_t code) {
    if (code < 128) {
        return classes_ascii[code] == CLASS_BLANK;
    }
    return code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
           code == 0x202f || code == 0x205f || code == 0x3000;
}

enum class classes_of(uint32_t code) { if (code < 128){ return classes_ascii[code]; }
switch (utf8proc_category((utf8proc_int32_t)code)) {
case UTF8PROC_CATEGORY_LU:
case UTF8PROC_CATEGORY_LL:
case UTF8PROC_CATEGORY_LT:
case UTF8PROC_CATEGORY_LM:
case UTF8PROC_CATEGORY_LO:
    return CLASS_LETTER;
case UTF8PROC_CATEGORY_ND:
case UTF8PROC_CATEGORY_NL:
case UTF8PROC_CATEGORY_NO:
    return CLASS_NUMBER;
default:
    return classes_is_blank(code) ? CLASS_BLANK : CLASS_OTHER;
}
}

enum class classes_at(const char *text, int64_t at, int64_t end, int64_t *next) {
    unsigned char first = (unsigned char)text[at];
    if (first < 128){ *next = at + 1; return classes_ascii[first]; }
uint32_t code = 0xfffd;
int n = utf8_decode(text + at, (size_t)(end - at), &code);
*next = at + (n > 0 ? n : 1);
return classes_of(code);
}

bool classes_is_number(uint32_t code) {
    return classes_of(code) == CLASS_NUMBER;
}

bool classes_is_punctuation(uint32_t code) {
    if (code < 128) {
        return code > 32 && code < 127 && classes_ascii[code] == CLASS_OTHER;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return true;
    default:
        return false;
    }
}

bool classes_is_chinese(uint32_t code) {
    static const uint32_t blocks[][2] = {
        { 0x4e00, 0x9fff },   { 0x3400, 0x4dbf },   { 0x20000, 0x2a6df }, { 0x2a700, 0x2b73f },
        { 0x2b740, 0x2b81f }, { 0x2b920, 0x2ceaf }, { 0xf900, 0xfaff },   { 0x2f800, 0x2fa1f },
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        if (code >= blocks[i][0] && code <= blocks[i][1]) {
            return true;
        }
    }
    return false;
}

bool classes_is_word(uint32_t code) {
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return classes_of(code) == CLASS_LETTER || classes_of(code) == CLASS_NUMBER;
    }
}
