#ifndef KERNEL_FRONT_STREAM_H
#define KERNEL_FRONT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

/* stream: a cell's stdout and stderr, gathered into few messages.
 *
 * Servers drop everything above 1,000 messages or a megabyte of streams a second, so text waits
 * up to 60 ms for more, and a cell shows at most 512 KiB of each stream, with a note of what
 * was left out. The order between the two is kept, except in a flood that changes between them
 * more than 200 times a second. A character is never cut in two: its first bytes wait for the
 * rest. */

enum { STREAM_OUT, STREAM_ERROR, STREAM_KINDS };
enum { STREAM_WAIT_MS = 60, STREAM_MOST = 512 * 1024, STREAM_SWITCHES = 200 };

/* Gets each finished piece; `text` is whole characters, apart from bytes that are no UTF-8. */
typedef void stream_emit(void *arg, bool is_error, const char *text, size_t length);

struct stream;

struct stream *stream_new(struct arena *arena, stream_emit *emit, void *arg);

/* A new cell begins: counts start again. What is still held is kept for it. */
void stream_begin(struct stream *stream);

/* Adds text at the time `now` (ms). */
void stream_add(struct stream *stream, bool is_error, const char *text, size_t length,
                int64_t now);

/* When stream_flush is due, in ms; 0: nothing waits. */
int64_t stream_due(const struct stream *stream);

/* Sends what is held, but for the first bytes of a character. */
void stream_flush(struct stream *stream);

/* The cell's end: sends all, and says what was left out, in Chinese if `zh`. */
void stream_end(struct stream *stream, bool zh);

#endif
