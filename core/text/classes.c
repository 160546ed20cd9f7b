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

/* What Unicode 15.1 and 16 added, which utf8proc 2.8 does not know yet: the tokenizers library
 * cuts text by these. They were made by asking the library 0.23.3 about every code point. */
static const struct {
    uint32_t begin, end;
    int category;
} newer[] = {
    { 0x897, 0x897, UTF8PROC_CATEGORY_MN },     { 0x1b4e, 0x1b4f, UTF8PROC_CATEGORY_PO },
    { 0x1b7f, 0x1b7f, UTF8PROC_CATEGORY_PO },   { 0x1c89, 0x1c89, UTF8PROC_CATEGORY_LU },
    { 0x1c8a, 0x1c8a, UTF8PROC_CATEGORY_LL },   { 0x2427, 0x2429, UTF8PROC_CATEGORY_SO },
    { 0x2ffc, 0x2fff, UTF8PROC_CATEGORY_SO },   { 0x31e4, 0x31e5, UTF8PROC_CATEGORY_SO },
    { 0x31ef, 0x31ef, UTF8PROC_CATEGORY_SO },   { 0xa7cb, 0xa7cc, UTF8PROC_CATEGORY_LU },
    { 0xa7cd, 0xa7cd, UTF8PROC_CATEGORY_LL },   { 0xa7da, 0xa7da, UTF8PROC_CATEGORY_LU },
    { 0xa7db, 0xa7db, UTF8PROC_CATEGORY_LL },   { 0xa7dc, 0xa7dc, UTF8PROC_CATEGORY_LU },
    { 0x105c0, 0x105f3, UTF8PROC_CATEGORY_LO }, { 0x10d40, 0x10d49, UTF8PROC_CATEGORY_ND },
    { 0x10d4a, 0x10d4d, UTF8PROC_CATEGORY_LO }, { 0x10d4e, 0x10d4e, UTF8PROC_CATEGORY_LM },
    { 0x10d4f, 0x10d4f, UTF8PROC_CATEGORY_LO }, { 0x10d50, 0x10d65, UTF8PROC_CATEGORY_LU },
    { 0x10d69, 0x10d6d, UTF8PROC_CATEGORY_MN }, { 0x10d6e, 0x10d6e, UTF8PROC_CATEGORY_PD },
    { 0x10d6f, 0x10d6f, UTF8PROC_CATEGORY_LM }, { 0x10d70, 0x10d85, UTF8PROC_CATEGORY_LL },
    { 0x10d8e, 0x10d8f, UTF8PROC_CATEGORY_SM }, { 0x10ec2, 0x10ec4, UTF8PROC_CATEGORY_LO },
    { 0x10efc, 0x10efc, UTF8PROC_CATEGORY_MN }, { 0x11380, 0x11389, UTF8PROC_CATEGORY_LO },
    { 0x1138b, 0x1138b, UTF8PROC_CATEGORY_LO }, { 0x1138e, 0x1138e, UTF8PROC_CATEGORY_LO },
    { 0x11390, 0x113b5, UTF8PROC_CATEGORY_LO }, { 0x113b7, 0x113b7, UTF8PROC_CATEGORY_LO },
    { 0x113b8, 0x113ba, UTF8PROC_CATEGORY_MC }, { 0x113bb, 0x113c0, UTF8PROC_CATEGORY_MN },
    { 0x113c2, 0x113c2, UTF8PROC_CATEGORY_MC }, { 0x113c5, 0x113c5, UTF8PROC_CATEGORY_MC },
    { 0x113c7, 0x113ca, UTF8PROC_CATEGORY_MC }, { 0x113cc, 0x113cd, UTF8PROC_CATEGORY_MC },
    { 0x113ce, 0x113ce, UTF8PROC_CATEGORY_MN }, { 0x113cf, 0x113cf, UTF8PROC_CATEGORY_MC },
    { 0x113d0, 0x113d0, UTF8PROC_CATEGORY_MN }, { 0x113d1, 0x113d1, UTF8PROC_CATEGORY_LO },
    { 0x113d2, 0x113d2, UTF8PROC_CATEGORY_MN }, { 0x113d3, 0x113d3, UTF8PROC_CATEGORY_LO },
    { 0x113d4, 0x113d5, UTF8PROC_CATEGORY_PO }, { 0x113d7, 0x113d8, UTF8PROC_CATEGORY_PO },
    { 0x113e1, 0x113e2, UTF8PROC_CATEGORY_MN }, { 0x116d0, 0x116e3, UTF8PROC_CATEGORY_ND },
    { 0x11bc0, 0x11be0, UTF8PROC_CATEGORY_LO }, { 0x11be1, 0x11be1, UTF8PROC_CATEGORY_PO },
    { 0x11bf0, 0x11bf9, UTF8PROC_CATEGORY_ND }, { 0x11f5a, 0x11f5a, UTF8PROC_CATEGORY_MN },
    { 0x13460, 0x143fa, UTF8PROC_CATEGORY_LO }, { 0x16100, 0x1611d, UTF8PROC_CATEGORY_LO },
    { 0x1611e, 0x16129, UTF8PROC_CATEGORY_MN }, { 0x1612a, 0x1612c, UTF8PROC_CATEGORY_MC },
    { 0x1612d, 0x1612f, UTF8PROC_CATEGORY_MN }, { 0x16130, 0x16139, UTF8PROC_CATEGORY_ND },
    { 0x16d40, 0x16d42, UTF8PROC_CATEGORY_LM }, { 0x16d43, 0x16d6a, UTF8PROC_CATEGORY_LO },
    { 0x16d6b, 0x16d6c, UTF8PROC_CATEGORY_LM }, { 0x16d6d, 0x16d6f, UTF8PROC_CATEGORY_PO },
    { 0x16d70, 0x16d79, UTF8PROC_CATEGORY_ND }, { 0x18cff, 0x18cff, UTF8PROC_CATEGORY_LO },
    { 0x1cc00, 0x1ccef, UTF8PROC_CATEGORY_SO }, { 0x1ccf0, 0x1ccf9, UTF8PROC_CATEGORY_ND },
    { 0x1cd00, 0x1ceb3, UTF8PROC_CATEGORY_SO }, { 0x1e5d0, 0x1e5ed, UTF8PROC_CATEGORY_LO },
    { 0x1e5ee, 0x1e5ef, UTF8PROC_CATEGORY_MN }, { 0x1e5f0, 0x1e5f0, UTF8PROC_CATEGORY_LO },
    { 0x1e5f1, 0x1e5fa, UTF8PROC_CATEGORY_ND }, { 0x1e5ff, 0x1e5ff, UTF8PROC_CATEGORY_PO },
    { 0x1f8b2, 0x1f8bb, UTF8PROC_CATEGORY_SO }, { 0x1f8c0, 0x1f8c1, UTF8PROC_CATEGORY_SO },
    { 0x1fa89, 0x1fa89, UTF8PROC_CATEGORY_SO }, { 0x1fa8f, 0x1fa8f, UTF8PROC_CATEGORY_SO },
    { 0x1fabe, 0x1fabe, UTF8PROC_CATEGORY_SO }, { 0x1fac6, 0x1fac6, UTF8PROC_CATEGORY_SO },
    { 0x1fadc, 0x1fadc, UTF8PROC_CATEGORY_SO }, { 0x1fadf, 0x1fadf, UTF8PROC_CATEGORY_SO },
    { 0x1fae9, 0x1fae9, UTF8PROC_CATEGORY_SO }, { 0x1fbcb, 0x1fbef, UTF8PROC_CATEGORY_SO },
    { 0x2ebf0, 0x2ee5d, UTF8PROC_CATEGORY_LO },
};

static int newer_category(uint32_t code) {
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        if (code >= newer[i].begin && code <= newer[i].end) {
            return newer[i].category;
        }
    }
    return UTF8PROC_CATEGORY_CN;
}

int classes_category(uint32_t code) {
    int category = utf8proc_category((utf8proc_int32_t)code);
    return category == UTF8PROC_CATEGORY_CN ? newer_category(code) : category;
}

bool classes_is_blank(uint32_t code) {
    if (code < 128) {
        return classes_ascii[code] == CLASS_BLANK;
    }
    return code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
           code == 0x202f || code == 0x205f || code == 0x3000;
}

enum letter classes_of(uint32_t code) {
    if (code < 128) {
        return classes_ascii[code];
    }
    switch (classes_category(code)) {
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

enum letter classes_at(const char *text, int64_t at, int64_t end, int64_t *next) {
    unsigned char first = (unsigned char)text[at];
    if (first < 128) {
        *next = at + 1;
        return classes_ascii[first];
    }
    uint32_t code = 0xfffd;
    int n = utf8_decode(text + at, (size_t)(end - at), &code);
    *next = at + (n > 0 ? n : 1);
    return classes_of(code);
}

typedef const uint32_t ranges[][2];

static bool among(ranges list, size_t count, uint32_t code) {
    for (size_t i = 0; i < count; i++) {
        if (code >= list[i][0] && code <= list[i][1]) {
            return true;
        }
    }
    return false;
}

#define AMONG(list, code) among(list, sizeof(list) / sizeof *(list), code)

/* Ranges in which all characters of the class in question came after Unicode 8 (marks: 9). They
 * were made by asking the tokenizers library 0.23.3 about every code point. */
static ranges new_punctuation = {
    { 0x61d, 0x61d },     { 0x9fd, 0xa76 },     { 0xc77, 0xc84 },     { 0x1b7d, 0x1b7e },
    { 0x2e43, 0x2e5d },   { 0x10ead, 0x10f89 }, { 0x1144b, 0x1145d }, { 0x11660, 0x116b9 },
    { 0x1183b, 0x11fff }, { 0x12ff1, 0x12ff2 }, { 0x16e97, 0x16fe2 }, { 0x1e95e, 0x1e95f },
};
static ranges new_format = {
    { 0x890, 0x891 }, { 0x8e2, 0x8e2 }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f }
};
static ranges new_plain_marks = {
    { 0x7fd, 0x7fd },     { 0x898, 0x8e1 },     { 0x9fe, 0x9fe },     { 0xafa, 0xaff },
    { 0xb55, 0xb55 },     { 0xc04, 0xc3c },     { 0xd00, 0xd00 },     { 0xd3b, 0xd3c },
    { 0xd81, 0xd81 },     { 0xeba, 0xeba },     { 0xece, 0xece },     { 0x180f, 0x1886 },
    { 0x1abf, 0x1ace },   { 0x1df6, 0x1dfb },   { 0xa82c, 0xa82c },   { 0xa8c5, 0xa8c5 },
    { 0xa8ff, 0xa8ff },   { 0xa9bd, 0xa9bd },   { 0x10d24, 0x10f85 }, { 0x11070, 0x11074 },
    { 0x110c2, 0x110c2 }, { 0x111c9, 0x111c9 }, { 0x111cf, 0x111cf }, { 0x1123e, 0x11241 },
    { 0x1133b, 0x1133b }, { 0x11438, 0x1145e }, { 0x1182f, 0x13455 }, { 0x16f4f, 0x16f4f },
    { 0x16fe4, 0x16fe4 }, { 0x1cf00, 0x1cf46 }, { 0x1e000, 0x1e4ef }, { 0x1e944, 0x1e94a },
};
static ranges new_marks = {
    { 0x7fd, 0x7fd },     { 0x898, 0x8d3 },     { 0x9fe, 0x9fe },     { 0xafa, 0xaff },
    { 0xb55, 0xb55 },     { 0xc04, 0xc3c },     { 0xcf3, 0xd00 },     { 0xd3b, 0xd3c },
    { 0xd81, 0xd81 },     { 0xeba, 0xeba },     { 0xece, 0xece },     { 0x1715, 0x1715 },
    { 0x180f, 0x180f },   { 0x1abf, 0x1ace },   { 0x1cf7, 0x1cf7 },   { 0x1df6, 0x1dfa },
    { 0xa82c, 0xa82c },   { 0xa8ff, 0xa8ff },   { 0x10d24, 0x10f85 }, { 0x11070, 0x11074 },
    { 0x110c2, 0x110c2 }, { 0x11145, 0x11146 }, { 0x111c9, 0x111c9 }, { 0x111ce, 0x111cf },
    { 0x11241, 0x11241 }, { 0x1133b, 0x1133b }, { 0x1145e, 0x1145e }, { 0x1182c, 0x11a99 },
    { 0x11d31, 0x13455 }, { 0x16f4f, 0x16f4f }, { 0x16f7f, 0x16f87 }, { 0x16fe4, 0x16ff1 },
    { 0x1cf00, 0x1cf46 }, { 0x1e08f, 0x1e4ef },
};

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
        return !AMONG(new_punctuation, code);
    default:
        return code == 0x166d || code == 0x111c9; /* they were, once */
    }
}

bool classes_is_control(uint32_t code) {
    if (code < 128) {
        return (code < 32 && code != '\t' && code != '\n' && code != '\r') || code == 127;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CO:
        return true;
    case UTF8PROC_CATEGORY_CF:
        return !AMONG(new_format, code);
    default:
        return code == 0xfffd;
    }
}

bool classes_is_plain_mark(uint32_t code) {
    if (code < 0x300) {
        return false;
    }
    bool mark = utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_MN;
    return mark ? !AMONG(new_plain_marks, code) : code == 0x1734;
}

bool classes_is_mark(uint32_t code) {
    if (code < 0x300) {
        return false;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return !AMONG(new_marks, code);
    default:
        return code == 0x1cf2 || code == 0x1cf3;
    }
}

bool classes_is_chinese(uint32_t code) {
    static ranges blocks = {
        { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xf900, 0xfaff },   { 0x20000, 0x2a6df },
        { 0x2a700, 0x2b81f }, { 0x2b920, 0x2ceaf }, { 0x2f800, 0x2fa1f },
    };
    return code >= 0x3400 && AMONG(blocks, code);
}

bool classes_is_word(uint32_t code) {
    static ranges others = { { 0x200c, 0x200d },
                             { 0x24b6, 0x24e9 },
                             { 0x1f130, 0x1f149 },
                             { 0x1f150, 0x1f169 },
                             { 0x1f170, 0x1f189 } };
    if (code < 128) {
        return classes_ascii[code] == CLASS_LETTER || classes_ascii[code] == CLASS_NUMBER ||
               code == '_';
    }
    switch (classes_category(code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
        return true;
    default:
        return classes_of(code) == CLASS_LETTER || AMONG(others, code);
    }
}
