#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <stddef.h>

#include "core/base/arena.h"

/* buf: bytes that grow. `data` is always terminated by a NUL that `length` does not count, so
 * text can be read as a C string. It lives until its arena is freed or rewound. */

struct buf {
    char *data;
    size_t length;
    size_t room;
};

struct buf *buf_new(struct arena *arena);
struct buf *buf_new_for(struct arena *arena, size_t room); /* has room for so many bytes */
void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *buf);           /* length 0; keeps the room */
char *buf_more(struct buf *buf, size_t n); /* n more bytes, to be filled by the caller */
void buf_base64(struct buf *buf, const void *bytes, size_t length); /* appends, no newlines */

#endif
