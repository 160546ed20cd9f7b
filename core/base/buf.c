#include "core/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"

static void buf_close(void *what) {
    struct buf *buf = what;
    arena_release(buf->data, buf->room);
}

struct buf *buf_new(struct arena *arena) {
    return buf_new_for(arena, 0);
}

struct buf *buf_new_for(struct arena *arena, size_t room) {
    struct buf *buf = arena_alloc(arena, sizeof *buf);
    arena_defer(arena, buf_close, buf);
    buf_more(buf, room);
    buf_clear(buf);
    return buf;
}

char *buf_more(struct buf *buf, size_t n) {
    if (n > SIZE_MAX / 4 - buf->length) {
        catch_throw(ERR_MEMORY, "a text of %zu bytes is more than any machine has", n);
    }
    size_t need = buf->length + n + 1;
    if (need > buf->room) {
        size_t room = buf->room * 2 < need ? need + need / 4 + 32 : buf->room * 2;
        buf->data = arena_resize(buf->data, buf->room, room);
        buf->room = room;
    }
    char *place = buf->data + buf->length;
    buf->length += n;
    buf->data[buf->length] = '\0';
    return place;
}

void buf_add(struct buf *buf, const void *bytes, size_t length) {
    char *place = buf_more(buf, length);
    if (length) {
        memcpy(place, bytes, length);
    }
}

void buf_text(struct buf *buf, const char *text) {
    buf_add(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c) {
    *buf_more(buf, 1) = c;
}

void buf_printf(struct buf *buf, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0) {
        char *place = buf_more(buf, (size_t)n);
        vsnprintf(place, (size_t)n + 1, format, again);
    }
    va_end(again);
}

void buf_clear(struct buf *buf) {
    buf->length = 0;
    if (buf->data) { /* none where there was no memory for it */
        buf->data[0] = '\0';
    }
}

void buf_base64(struct buf *buf, const void *bytes, size_t length) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = bytes;
    char *out = buf_more(buf, (length + 2) / 3 * 4);
    for (size_t i = 0; i < length; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16;
        v |= i + 1 < length ? (uint32_t)b[i + 1] << 8 : 0;
        v |= i + 2 < length ? b[i + 2] : 0;
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < length ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < length ? digits[v & 63] : '=';
    }
}
