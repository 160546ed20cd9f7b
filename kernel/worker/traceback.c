#include "kernel/worker/traceback.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"

#define RED   "\x1b[1;31m"
#define DIM   "\x1b[2m"
#define PLAIN "\x1b[0m"

enum { COLUMNS = 90 }; /* of a source line that are shown */

/* The cell's line of that number (from 1): its begin and length. False if there is none. */
static bool find_line(const char *code, size_t length, int64_t number, const char **line,
                      size_t *n) {
    const char *at = code, *end = code + length;
    for (int64_t i = 1; i < number; i++) {
        while (at < end && *at != '\n' && *at != '\r') {
            at++;
        }
        if (at == end) {
            return false;
        }
        at += at[0] == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1;
    }
    *line = at;
    for (*n = 0; at + *n < end && at[*n] != '\n' && at[*n] != '\r'; (*n)++) {
    }
    return true;
}

/* Source text with nothing in it that would move the cursor or hide: such characters as '.'. */
static void add_source(struct buf *out, const char *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        uint32_t c;
        int n = utf8_decode(bytes + i, length - i, &c);
        if (n <= 0 || c < 0x20 || c == 0x7f || utf8_is_hidden(c)) {
            buf_char(out, c == '\t' && n > 0 ? ' ' : '.');
            n = n <= 0 ? 1 : n;
        } else {
            buf_add(out, bytes + i, (size_t)n);
        }
        i += (size_t)n;
    }
}

static void add_times(struct buf *out, char c, int64_t n) {
    while (n-- > 0) {
        buf_char(out, c);
    }
}

/* The first code point to show, so that the marked ones are among COLUMNS of a long line. */
static int64_t window(const char *line, size_t length, int64_t column) {
    size_t before = utf8_offset(line, length, column - 1), at = 0;
    int64_t first = 0;
    if (utf8_columns(line, length) <= COLUMNS) {
        return 0;
    }
    for (int64_t wide = utf8_columns(line, before); wide > COLUMNS / 2; first += 8) {
        size_t n = utf8_offset(line + at, before - at, 8);
        wide -= utf8_columns(line + at, n);
        at += n;
    }
    return first;
}

static void add_place(struct buf *out, const struct err *err, const char *line, size_t length) {
    int64_t first = window(line, length, err->column);
    size_t begin = utf8_offset(line, length, first);
    size_t end = utf8_offset(line, length, first + COLUMNS);
    while (utf8_columns(line + begin, end - begin) > COLUMNS) {
        end = begin +
              utf8_offset(line + begin, end - begin, utf8_count(line + begin, end - begin) - 1);
    }
    size_t mark = utf8_offset(line, length, err->column - 1);
    size_t stop = utf8_offset(line, length, err->column - 1 + (err->length ? err->length : 1));
    stop = stop > end ? end : stop;
    int64_t wide = stop > mark ? utf8_columns(line + mark, stop - mark) : 1;

    buf_printf(out, "\n" DIM "%4lld | " PLAIN "%s", (long long)err->line, first ? "…" : "");
    add_source(out, line + begin, end - begin);
    buf_printf(out, "%s\n" DIM "     | " PLAIN, end < length ? "…" : "");
    add_times(out, ' ', utf8_columns(line + begin, mark - begin) + (first > 0));
    buf_text(out, RED);
    add_times(out, '^', wide > 0 ? wide : 1);
    buf_text(out, PLAIN);
}

const char *traceback(struct arena *arena, const struct err *err, bool zh, const char *code,
                      size_t length) {
    struct buf *out = buf_new(arena);
    const char *line;
    size_t n;
    buf_printf(out, RED "%s" PLAIN ": %s", err_name(err->kind), err_said(err, zh));
    if (err->line > 0 && err->column > 0 && find_line(code, length, err->line, &line, &n)) {
        add_place(out, err, line, n);
    }
    if (err->trail[0] && getenv("CUTAWAY_DEBUG")) {
        buf_printf(out, "\n" DIM "     through %s" PLAIN, err->trail);
    }
    return out->data;
}
