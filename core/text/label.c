#include "core/text/label.h"

#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"

/* What holds an emoji or a ligature together is left in peace inside it. */
static bool is_shown_as_code(uint32_t code, bool alone) {
    bool joins = code == 0x200c || code == 0x200d || code >= 0xe0020;
    return classes_is_blank(code) || (utf8_is_hidden(code) && (alone || !joins));
}

enum { MARK = 16 /* bytes that one character becomes, at most */ };

/* How the character or byte in front is shown. Returns how many bytes it has. */
static int show(const char *bytes, size_t length, bool whole, char mark[MARK]) {
    uint32_t code = 0;
    int n = utf8_decode(bytes, length, &code);
    if (n < 0) {
        snprintf(mark, MARK, "<0x%02X>", (unsigned char)*bytes);
    } else if (code == ' ') {
        strcpy(mark, "\u2423");
    } else if (code == '\n') {
        strcpy(mark, "\u23ce");
    } else if (code < 32 || code == 127) {
        snprintf(mark, MARK, "<0x%02X>", code);
    } else if (is_shown_as_code(code, whole && n == (int)length)) {
        snprintf(mark, MARK, "<U+%04X>", code);
    } else {
        memcpy(mark, bytes, (size_t)n);
        mark[n] = '\0';
    }
    return n > 0 ? n : 1;
}

/* Writes all that is shown to `out`, which NULL leaves out. Returns its length. */
static size_t show_all(const char *bytes, size_t length, char *out) {
    char mark[MARK];
    size_t total = 0;
    for (size_t i = 0, look = STOP_EVERY; i < length;) {
        if (i >= look) {
            stop_check();
            look = i + STOP_EVERY;
        }
        i += (size_t)show(bytes + i, length - i, i == 0, mark);
        size_t n = strlen(mark);
        if (out) {
            memcpy(out + total, mark, n);
        }
        total += n;
    }
    return total;
}

const char *label(struct arena *arena, const char *bytes, size_t length) {
    size_t total = show_all(bytes, length, NULL);
    if (total == length) { /* whatever is not shown as it is becomes longer */
        return length ? arena_text(arena, bytes, length) : "<empty>";
    }
    char *text = arena_small(arena, total + 1);
    show_all(bytes, length, text);
    return text;
}
