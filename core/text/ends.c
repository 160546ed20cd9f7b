#include "core/text/ends.h"

#include <string.h>

#include "core/text/classes.h"

static int64_t class_end(const char *text, int64_t at, int64_t end, enum letter class) {
    int64_t next = at;
    while (at < end && classes_at(text, at, end, &next) == class) {
        at = next;
    }
    return at;
}

/* \s+(?!\S)|\s+ : blanks before a word leave it the last one, unless there is only one. */
static int64_t blanks_end(const char *text, int64_t at, int64_t end) {
    int64_t next = at, last = at;
    for (int64_t p = at; p < end && classes_at(text, p, end, &next) == CLASS_BLANK; p = next) {
        last = p;
    }
    int64_t after = class_end(text, last, end, CLASS_BLANK);
    return after == end || last == at ? after : last;
}

/* 's 't 're 've 'm 'll 'd at the apostrophe: the end behind it, or `at`. `fold`: in capitals
 * too, where the long s is a small s. */
static int64_t contraction_end(const char *text, int64_t at, int64_t end, bool fold) {
    static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };
    if (fold && end - at >= 3 && memcmp(text + at + 1, "\xc5\xbf", 2) == 0) {
        return at + 3;
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int64_t n = (int64_t)strlen(endings[i]), k = 0;
        while (k < n && at + 1 + k < end &&
               ((unsigned char)text[at + 1 + k] | (fold ? 0x20 : 0)) ==
                   (unsigned char)endings[i][k]) {
            k++;
        }
        if (k == n) {
            return at + 1 + n;
        }
    }
    return at;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
int64_t ends_gpt2(const char *text, int64_t at, int64_t end) {
    if (text[at] == '\'') {
        int64_t after = contraction_end(text, at, end, false);
        if (after > at) {
            return after;
        }
    }
    int64_t next;
    int64_t start = at + (text[at] == ' ' && at + 1 < end);
    enum letter class = classes_at(text, start, end, &next);
    if (class == CLASS_BLANK) {
        return blanks_end(text, at, end);
    }
    return class_end(text, next, end, class);
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ */
static int64_t lines_end(const char *text, int64_t at, int64_t end) {
    int64_t next = at, line = at;
    for (int64_t p = at; p < end && classes_at(text, p, end, &next) == CLASS_BLANK; p = next) {
        line = text[p] == '\r' || text[p] == '\n' ? next : line;
    }
    return line > at ? line : blanks_end(text, at, end);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}
 *     | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static int64_t modern_end(const char *text, int64_t at, int64_t end, int digits) {
    int64_t next, second;
    if (text[at] == '\'') {
        next = contraction_end(text, at, end, true);
        if (next > at) {
            return next;
        }
    }
    enum letter class = classes_at(text, at, end, &next);
    if (class == CLASS_LETTER) {
        return class_end(text, next, end, CLASS_LETTER);
    }
    if (class == CLASS_NUMBER) {
        for (int n = 1; n < digits && next < end; n++, next = second) {
            if (classes_at(text, next, end, &second) != CLASS_NUMBER) {
                break;
            }
        }
        return next;
    }
    enum letter after = next < end ? classes_at(text, next, end, &second) : CLASS_BLANK;
    if (after == CLASS_LETTER && text[at] != '\r' && text[at] != '\n') {
        return class_end(text, second, end, CLASS_LETTER);
    }
    if (class == CLASS_OTHER || (text[at] == ' ' && after == CLASS_OTHER)) {
        next = class_end(text, next, end, CLASS_OTHER);
        while (next < end && (text[next] == '\r' || text[next] == '\n')) {
            next++;
        }
        return next;
    }
    return lines_end(text, at, end);
}

int64_t ends_llama3(const char *text, int64_t at, int64_t end) {
    return modern_end(text, at, end, 3);
}

int64_t ends_qwen2(const char *text, int64_t at, int64_t end) {
    return modern_end(text, at, end, 1);
}

#define MODERN(digits)                                                   \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

ends_of *ends_known(const char *regex) {
    static const struct {
        const char *regex;
        ends_of *ends;
    } known[] = {
        { "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          ends_gpt2 },
        { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          ends_gpt2 },
        { MODERN("\\p{N}{1,3}"), ends_llama3 },
        { MODERN("\\p{N}"), ends_qwen2 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(regex, known[i].regex) == 0) {
            return known[i].ends;
        }
    }
    return NULL;
}
