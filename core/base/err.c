#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

static void write(char *text, size_t size, const char *format, va_list args) {
    int n = vsnprintf(text, size, format, args);
    if (n >= (int)size) {
        size_t end = utf8_cut(text, size - 4);
        memcpy(text + end, "...", 4);
    }
}

static void fill(struct err *err, enum err_kind kind, const char *format, va_list args) {
    err->kind = kind;
    err->line = err->column = err->length = 0;
    err->trail[0] = '\0';
    err->zh[0] = '\0';
    write(err->text, sizeof err->text, format, args);
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, kind, format, args);
        va_end(args);
    }
    return -1;
}

int err_at(struct err *err, enum err_kind kind, int64_t line, int64_t column, int64_t length,
           const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, kind, format, args);
        va_end(args);
        err->line = line;
        err->column = column;
        err->length = length;
    }
    return -1;
}

int err_zh(struct err *err, const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        write(err->zh, sizeof err->zh, format, args);
        va_end(args);
    }
    return -1;
}

const char *err_said(const struct err *err, bool zh) {
    return zh && err->zh[0] ? err->zh : err->text;
}

int err_through(struct err *err, const char *function) {
    if (err) {
        size_t used = strlen(err->trail);
        snprintf(err->trail + used, sizeof err->trail - used, "%s%s", used ? " < " : "",
                 function);
    }
    return -1;
}

const char *err_name(enum err_kind kind) {
    static const char *const names[] = {
        [ERR_NONE] = "NoError",           [ERR_IO] = "FileError",
        [ERR_FORMAT] = "BadFile",         [ERR_UNSUPPORTED] = "NotSupported",
        [ERR_MODEL] = "ModelNotFound",    [ERR_RESULT] = "ResultNotFound",
        [ERR_COMMAND] = "UnknownCommand", [ERR_OPTION] = "BadOption",
        [ERR_CELL] = "BadCell",           [ERR_TEXT] = "BadText",
        [ERR_SHAPE] = "ShapeMismatch",    [ERR_MEMORY] = "OutOfMemory",
        [ERR_STOP] = "KeyboardInterrupt", [ERR_DIED] = "WorkerDied",
        [ERR_BUG] = "InternalError",
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "InternalError";
}

const char *err_quote(char *out, size_t size, const char *bytes, size_t length) {
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        char piece[16];
        uint32_t c;
        int n = utf8_decode(bytes + i, length - i, &c);
        if (n <= 0) {
            n = 1;
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
        } else if (c < 0x20 || c == 0x7f || utf8_is_hidden(c)) {
            snprintf(piece, sizeof piece, c < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)c);
        } else {
            memcpy(piece, bytes + i, (size_t)n);
            piece[n] = '\0';
        }
        size_t add = strlen(piece);
        if (used + add + 4 > size && (used + add + 1 > size || i + (size_t)n < length)) {
            memcpy(out + used, "…", 3);
            used += 3;
            break;
        }
        memcpy(out + used, piece, add);
        used += add;
        i += (size_t)n;
    }
    out[used] = '\0';
    return out;
}
