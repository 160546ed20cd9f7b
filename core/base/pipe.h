#ifndef CORE_BASE_PIPE_H
#define CORE_BASE_PIPE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

/* pipe: frames over a stream socket between two processes of one program.
 *
 * A frame is { uint32 kind, uint32 zero, uint64 length } in the machine's byte order, then
 * `length` bytes. Both ends are this program, but the far one may have been broken into:
 * lengths are checked against `most` before anything is allocated. */

enum { PIPE_MOST = 1 << 30 };

/* Writes one frame made of two parts, whole, however long it takes (signals are ridden out).
 * Returns 0, or -1 with errno. */
int pipe_write(int fd, uint32_t kind, const void *head, size_t head_length, const void *body,
               size_t body_length);

/* Reads one frame, blocking. Returns 1 with the frame in `into` (cleared first), 0 at the end
 * of the stream, -1 with errno (EPROTO: not a frame; EINTR: a signal came before the first
 * byte). */
int pipe_read(int fd, uint32_t *kind, struct buf *into);

/* The same in two steps: first what comes, with 1, 0 and -1 as above; then its `length` bytes,
 * all of them or fewer at a time. 1, or -1 with errno. `bytes` NULL: they are dropped. */
int pipe_head(int fd, uint32_t *kind, uint64_t *length);
int pipe_body(int fd, void *bytes, uint64_t length);

/* For a reader that must not block: feed what recv() gave into `held`, then take frames off its
 * front. Returns 1 and the frame's bytes (inside `held`, valid until the next call), 0 if no
 * whole frame is there yet, -1 if the bytes are no frame. `*taken` is the offset up to which
 * `held` has been used; the caller passes it back and drops the used part when 0 is returned.
 */
int pipe_take(const struct buf *held, size_t *taken, uint32_t *kind, const char **bytes,
              size_t *length);

#endif
